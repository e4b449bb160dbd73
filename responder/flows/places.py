"""Where mails lie: moves drafts between the staff's folders, marks originals, and remembers where things went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from responder.core.approval import read_papers
from responder.core.mime import header_block
from responder.edges.journal import drafts
from responder.flows.desk import PAPERS_FIELDS, Desk
from responder.model import Draft, Place


def find_as_written(desk: Desk, draft: Draft, mailbox: str) -> list[Place]:
    """Where in a mailbox mails with the draft's own Message-ID lie, oldest first. For recovery: the server reads
    headers."""
    selected = desk.session.select(mailbox)
    return [Place(mailbox, selected.uidvalidity, uid) for uid in sorted(desk.session.find_message_id(draft.message_id))]


def find_rewritten(desk: Desk, draft: Draft, mailbox: str) -> list[Place]:
    """Where in a mailbox mails lie that staff's clients may have made of this draft: from the shop to its buyer, in
    answer to the same mail, and none of our other mails. For recovery, as `find_as_written`."""
    if draft.in_reply_to is None:
        return []
    selected = desk.session.select(mailbox)
    answers = {
        fetched.uid: read_papers(header_block(fetched.raw))
        for fetched in desk.session.fetch(desk.session.find_in_reply_to(draft.in_reply_to), fields=PAPERS_FIELDS)
    }
    with desk.journal.reading() as tx:
        minted = drafts.by_message_ids(tx, desk.name, [p.message_id for p in answers.values() if p.message_id])
    return [
        Place(mailbox, selected.uidvalidity, uid)
        for uid, papers in answers.items()
        if draft.in_reply_to in papers.in_reply_to
        and papers.message_id not in minted
        and len(papers.senders) == 1
        and desk.account.identity.owns(papers.senders[0].mail)
        and draft.recipient.key in {address.key for address in papers.recipients}
    ]


def back_to_drafts(desk: Desk, draft: Draft, places: Sequence[Place]) -> None:
    """Move what lies in Approved back to Drafts and remember where it went."""
    for place in places:
        selected = desk.session.select(place.mailbox)
        if selected.uidvalidity != place.uidvalidity:
            continue
        moved = desk.session.move(place.uid, desk.located.drafts)
        with desk.journal.light() as tx:
            if moved is not None:
                drafts.seen_at(tx, draft.id, Place(desk.located.drafts, moved[0], moved[1]), touched=True)
    desk.forget_status(desk.account.approved, desk.located.drafts)


def mark_answered(desk: Desk, places: Iterable[Place]) -> None:
    r"""`\Answered` on these mails; one that is no longer there is no error. May be repeated."""
    for place in sorted(places, key=lambda p: (p.mailbox, p.uid)):
        selected = desk.session.select(place.mailbox)
        if selected.uidvalidity == place.uidvalidity:
            desk.session.add_flags([place.uid], ("\\Answered",))
