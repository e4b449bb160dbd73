r"""Holds the servers against the day: what is in the folders, read back over IMAP, and what the SMTP server accepted.

Each mail that was to go out went out once, to its buyer, in its thread; Sent holds one copy of it; `\Answered` is on
the originals answered and on no other; drafts lie where the table says; notes exist where a person was to be told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from imapclient import IMAPClient

from responder.demo.day import Day, DayMail
from responder.demo.reading import address_of, field_of, fields_of, id_of, ids_of, subject_of, text_of
from responder.demo.servers import Outgoing, Stored
from responder.demo.staff import Folders
from responder.demo.teller import Teller
from responder.model import Mail, Server

MAY_GO_OUT = frozenset(
    ("from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "mime-version")
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the day says; `mail` is the key of the mail it concerns, or ""."""

    mail: str
    text: str


@dataclass(slots=True)
class Evidence:
    """What the servers hold: the shop's folders, the buyers' inbox, the mails the shop handed to SMTP; what the
    journal says of each mail by its key; and the Message-IDs that the staff's own client made."""

    folders: Mapping[str, Sequence[Stored]]
    buyers: Sequence[Stored]
    outs: Sequence[Outgoing]
    decided: Mapping[str, Mail | None]
    made_by_staff: set[str]


def read_back(imap: Server, password: str) -> dict[str, list[Stored]]:
    """Every mailbox of an account with all its mails, as a mail client is told them."""
    client = IMAPClient(imap.host, imap.port, ssl=False)
    try:
        client.login(imap.username, password)
        found: dict[str, list[Stored]] = {}
        for _flags, _delimiter, name in client.list_folders():
            client.select_folder(name, readonly=True)
            uids = client.search("ALL")
            answers = client.fetch(uids, ["BODY.PEEK[]", "FLAGS", "INTERNALDATE"]) if uids else {}
            found[name] = [
                Stored(
                    uid=uid,
                    raw=answer[b"BODY[]"],
                    flags=frozenset(flag.decode("ascii", "replace") for flag in answer[b"FLAGS"]),
                    internaldate=answer[b"INTERNALDATE"],
                )
                for uid, answer in sorted(answers.items())
            ]
        return found
    finally:
        client.shutdown()


def verify(day: Day, evidence: Evidence, folders: Folders, teller: Teller) -> list[Difference]:
    """Everything in which the servers differ from the day; empty if all is so."""
    check = _Check(day, evidence, folders, teller)
    for mail in day.mails:
        check.understood(mail)
        check.went_out(mail)
        check.noted(mail)
    check.nothing_else_went_out()
    check.inbox()
    check.drafts_lie_where_they_should()
    return check.differences


@dataclass(slots=True)
class _Check:
    day: Day
    evidence: Evidence
    folders: Folders
    teller: Teller
    differences: list[Difference] = field(default_factory=list)

    def understood(self, mail: DayMail) -> None:
        decided = self.evidence.decided.get(mail.key)
        found = f"{decided.action} / {decided.situation}" if decided is not None else "-"
        if decided is None or decided.action != mail.becomes or decided.situation not in mail.reads_as:
            self._differs(mail, "understood", expected=f"{mail.becomes} / {' | '.join(mail.reads_as)}", found=found)

    def went_out(self, mail: DayMail) -> None:
        outs = [out for out in self.evidence.outs if field_of(out.raw, "In-Reply-To") == mail.message_id]
        expected = 1 if mail.goes_out_for_itself else 0
        if len(outs) != expected:
            self._differs(mail, "out_count", expected=expected, found=len(outs))
        for out in outs:
            self._is_right(mail, out)
            self._is_filed(mail, out)

    def _is_right(self, mail: DayMail, out: Outgoing) -> None:
        recipients = {*out.recipients, address_of(out.raw, "To")}
        if recipients != {mail.buyer}:
            self._differs(mail, "recipient", expected=mail.buyer, found=", ".join(sorted(recipients)))
        if address_of(out.raw, "From") != self.day.address or out.envelope_from != self.day.address:
            self._differs(mail, "recipient", expected=self.day.address, found=out.envelope_from)
        before = (self.day.mail(mail.follows).message_id,) if mail.follows else ()
        thread = (*((mail.confirmation_id,) if mail.confirmation_id else ()), *before, mail.message_id)
        if ids_of(out.raw, "References") != thread:
            found = " ".join(ids_of(out.raw, "References"))
            self._differs(mail, "thread", field="References", expected=" ".join(thread), found=found)
        same = [other for other in self.evidence.outs if id_of(other.raw) == id_of(out.raw)]
        names = fields_of(out.raw)
        if names.count("message-id") != 1 or len(same) != 1 or not id_of(out.raw):
            self._differs(mail, "message_id", found=names.count("message-id"))
        by_staff = id_of(out.raw) in self.evidence.made_by_staff
        if by_staff != (mail.goes_out == "by_staff"):
            self._differs(mail, "message_id", found=id_of(out.raw))
        private = [name for name in names if name not in MAY_GO_OUT and not name.startswith("content-")]
        if private and not by_staff:
            self._differs(mail, "headers", found=", ".join(private))
        text = text_of(out.raw)
        for words in mail.says:
            if words not in text:
                self._differs(mail, "says", words=words)
        for words in mail.never_says:
            if words in text:
                self._differs(mail, "never_says", words=words)

    def _is_filed(self, mail: DayMail, out: Outgoing) -> None:
        copies = [copy for copy in self._in(self.folders.sent) if id_of(copy.raw) == id_of(out.raw)]
        if len(copies) != 1:
            self._differs(mail, "sent", found=len(copies))
        elif _bare(copies[0].raw) != _bare(out.raw):
            self._differs(mail, "sent_text")
        delivered = [got for got in self.evidence.buyers if id_of(got.raw) == id_of(out.raw)]
        if len(delivered) != 1:
            self._differs(mail, "delivered", found=len(delivered))

    def noted(self, mail: DayMail) -> None:
        notes = [n for n in self._in(self.folders.notes) if field_of(n.raw, "In-Reply-To") == mail.message_id]
        expected = max(mail.notes, 1 if mail.becomes == "hold" else 0)
        if mail.becomes == "silence" and notes:
            self._differs(mail, "no_notes", found=len(notes))
        elif len(notes) < expected:
            self._differs(mail, "notes", expected=expected, found=len(notes))

    def nothing_else_went_out(self) -> None:
        for out in self.evidence.outs:
            if self.day.by_id(field_of(out.raw, "In-Reply-To")) is None:
                values = {"address": ", ".join(out.recipients), "subject": subject_of(out.raw)}
                self._differs(None, "out_extra", **values)
        accepted = {id_of(out.raw) for out in self.evidence.outs}
        for copy in self._in(self.folders.sent):
            if id_of(copy.raw) not in accepted:
                self._differs(None, "sent_extra", subject=subject_of(copy.raw))
        for note in self._in(self.folders.notes):
            if self.day.by_id(field_of(note.raw, "In-Reply-To")) is None:
                self._differs(None, "note_extra", subject=subject_of(note.raw))

    def inbox(self) -> None:
        inbox = self._in("INBOX")
        if len(inbox) != len(self.day.mails):
            self._differs(None, "inbox", expected=len(self.day.mails), found=len(inbox))
        for stored in inbox:
            mail = self.day.by_id(id_of(stored.raw))
            if mail is None:
                continue
            answered = "\\Answered" in stored.flags
            if answered != mail.answered:
                yes, no = self.teller.text("yes"), self.teller.text("no")
                values = {"expected": yes if mail.answered else no, "found": yes if answered else no}
                self._differs(mail, "answered", **values)
            if "\\Seen" in stored.flags:
                self._differs(mail, "seen")

    def drafts_lie_where_they_should(self) -> None:
        places = {"drafts": self.folders.drafts, "trash": self.folders.trash, "approved": self.folders.approved}
        for place, folder in places.items():
            lying = [field_of(stored.raw, "In-Reply-To") for stored in self._in(folder)]
            for mail in self.day.mails:
                expected = 1 if mail.ends_in == place else 0
                if lying.count(mail.message_id) != expected:
                    values = {"expected": expected, "found": lying.count(mail.message_id)}
                    self._differs(mail, "folder", folder=folder, **values)
            for stored in self._in(folder):
                if self.day.by_id(field_of(stored.raw, "In-Reply-To")) is None:
                    self._differs(None, "folder_extra", folder=folder, subject=subject_of(stored.raw))

    def _in(self, folder: str) -> Sequence[Stored]:
        return self.evidence.folders.get(folder, ())

    def _differs(self, mail: DayMail | None, code: str, **values: object) -> None:
        name = mail.subject if mail is not None else ""
        self.differences.append(
            Difference(mail.key if mail is not None else "", self.teller.text(f"diff_{code}", mail=name, **values))
        )


def _bare(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").rstrip(b"\n")
