"""In what order things happen to a mail.

    arrivals.on_arrivals   UID -> fetch -> read -> guards -> orders -> decide -> compose -> journal -> Drafts
    staff.on_staff         Approved | Sent (`sent`) | Trash | Drafts -> what staff did
    sending.on_approved    approved -> recheck -> journal "sending" -> SMTP -> journal "sent"
    filing.on_sent         sent -> Sent copy -> \\Answered -> draft removed

No step calls an earlier one. Each flow works at one account's `Desk`.
"""
