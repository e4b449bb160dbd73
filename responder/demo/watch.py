r"""Looks at what the servers hold and tells every change as it is seen: a draft, a note, a mail that went out, a copy
in Sent with its `\Answered`, an approved mail that came back. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

from responder.core.compose import blanks_in
from responder.demo.reading import address_of, field_of, fields_of, id_of, name_of, subject_of, text_of
from responder.demo.servers import EmbeddedServers, Outgoing, Stored
from responder.demo.staff import Folders
from responder.demo.teller import Teller
from responder.model import Mail

CASE_FIELD = "x-responder-case"
MINTED = ".r@"


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored mail with the headers that tie it to others."""

    stored: Stored
    message_id: str
    in_reply_to: str
    to: str

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return subject_of(self.stored.raw)


@dataclass(slots=True)
class Arrival:
    """A mail in INBOX. `settled` once what became of it can be seen on the server, `drafted` if that was a draft,
    `answered` once it carries the mark."""

    seen: Seen
    name: str
    at: float
    settled: bool = False
    drafted: bool = False
    answered: bool = False
    case_id: str | None = None


class Watch:
    """The state of the shop's mailbox as of the last `look`, and the telling of what is new in it."""

    def __init__(
        self,
        servers: EmbeddedServers,
        user: str,
        folders: Folders,
        teller: Teller,
        *,
        decided: Callable[[str], Mail | None],
        name_of: Callable[[str], str],
    ) -> None:
        self.arrivals: dict[str, Arrival] = {}
        self.drafts: tuple[Seen, ...] = ()
        self.approved: tuple[Seen, ...] = ()
        self.notes: tuple[Seen, ...] = ()
        self.outs: list[Outgoing] = []
        self.filed: set[str] = set()
        self.came_back: set[str] = set()
        self._servers = servers
        self._user = user
        self._folders = folders
        self._teller = teller
        self._decided = decided
        self._name_of = name_of
        self._looked_at = 0
        self._cache: dict[tuple[str, int], Seen] = {}
        self._in_approved: set[str] = set()
        self._told_drafts: set[str] = set()
        self._told_notes: set[str] = set()

    def look(self) -> None:
        """Look at the servers once and tell what is new."""
        boxes = self._servers.boxes(self._user)
        before = {seen.message_id for seen in self.drafts}
        inbox = self._seen("INBOX", boxes["INBOX"])
        self.drafts = self._seen(self._folders.drafts, boxes.get(self._folders.drafts, ()))
        self.approved = self._seen(self._folders.approved, boxes.get(self._folders.approved, ()))
        self.notes = self._seen(self._folders.notes, boxes.get(self._folders.notes, ()))
        self._arrived(inbox)
        self._settled()
        self._written_afresh()
        self._returned(before)
        self._went_out()
        self._was_filed(inbox, self._seen(self._folders.sent, boxes.get(self._folders.sent, ())))
        self._noted()

    def draft_for(self, message_id: str) -> Seen | None:
        """The newest draft in Drafts that answers this mail."""
        return next((seen for seen in reversed(self.drafts) if seen.in_reply_to == message_id), None)

    def out_for(self, message_id: str) -> Outgoing | None:
        """The mail that answered this one."""
        return next((out for out in self.outs if field_of(out.raw, "In-Reply-To") == message_id), None)

    def is_settled(self, message_id: str) -> bool:
        """True once it can be seen what became of this mail."""
        arrival = self.arrivals.get(message_id)
        return arrival is not None and arrival.settled

    # --- what is new ------------------------------------------------------------------------------------------------

    def _arrived(self, inbox: Iterable[Seen]) -> None:
        for seen in inbox:
            if seen.message_id and seen.message_id not in self.arrivals:
                address = address_of(seen.stored.raw, "Reply-To") or address_of(seen.stored.raw, "From")
                name = self._name_of(address) or name_of(seen.stored.raw, "From") or address
                self.arrivals[seen.message_id] = Arrival(seen, name, monotonic())
                self._teller.step("buyer", "arrives", mail=seen.message_id, name=name, subject=seen.subject)

    def _settled(self) -> None:
        for message_id, arrival in self.arrivals.items():
            decided = None if arrival.settled else self._decided(message_id)
            if decided is None:
                continue
            arrival.case_id = decided.case_id
            values: dict[str, object] = {"situation": self._teller.situation(decided.situation or "other")}
            match decided.action:
                case "silence":
                    code = "silence"
                case "hold":
                    note = next((n for n in self.notes if n.in_reply_to == message_id), None)
                    if note is None:
                        continue
                    code, values["why"] = "hold", _first_reason(note)
                    self._told_notes.add(note.message_id)
                case _:
                    draft = self.draft_for(message_id)
                    earlier = self._drafted_before(arrival)
                    if draft is None or any(self.draft_for(other) for other in earlier):
                        continue  # one draft a case: a replaced one is about to go
                    blanks = blanks_in(text_of(draft.stored.raw))
                    code = "draft_again" if earlier else "draft_blank" if blanks else "draft"
                    values |= {"subject": draft.subject, "blanks": ", ".join(blanks)}
                    self._told_drafts.add(draft.message_id)
                    arrival.drafted = True
            arrival.settled = True
            seconds = f"{monotonic() - arrival.at:.2f}"
            self._teller.step("responder", code, mail=message_id, name=arrival.name, seconds=seconds, **values)

    def _drafted_before(self, arrival: Arrival) -> list[str]:
        """Mails of the same case that a draft was written for and nobody has answered."""
        found = [a for a in self.arrivals.values() if a.drafted and not a.answered and a.case_id == arrival.case_id]
        return [a.seen.message_id for a in found if a is not arrival]

    def _written_afresh(self) -> None:
        for seen in self.drafts:
            arrival = self.arrivals.get(seen.in_reply_to)
            is_ours = CASE_FIELD in fields_of(seen.stored.raw)
            if is_ours and arrival is not None and arrival.settled and seen.message_id not in self._told_drafts:
                self._told_drafts.add(seen.message_id)
                values = {"name": arrival.name, "subject": seen.subject}
                self._teller.step("responder", "afresh", mail=seen.in_reply_to, **values)

    def _returned(self, before: set[str]) -> None:
        lying = {seen.message_id for seen in self.approved}
        for seen in self.drafts:
            was_there = seen.message_id in self._in_approved and seen.message_id not in lying
            if was_there and seen.message_id not in before:
                self.came_back.add(seen.message_id)
                name = self._name_of_answered(seen.in_reply_to) or seen.to
                self._teller.step("responder", "came_back", mail=seen.in_reply_to, name=name)
        self._in_approved = (self._in_approved | lying) - self.came_back | lying

    def _went_out(self) -> None:
        mails = self._servers.mails
        for out in mails[self._looked_at :]:
            if out.username != self._user:
                continue
            self.outs.append(out)
            values = {"address": ", ".join(out.recipients), "subject": subject_of(out.raw)}
            answers = field_of(out.raw, "In-Reply-To")
            if self._is_from_a_client(id_of(out.raw)):
                self._teller.step("staff", "staff_sent", mail=answers, **values)
            else:
                self._teller.step("responder", "goes_out", mail=answers, **values)
        self._looked_at = len(mails)

    def _is_from_a_client(self, message_id: str) -> bool:
        """The daemon mints an id for what it sends; clients make their own or keep the draft's."""
        return MINTED not in message_id or message_id in self._told_drafts

    def _was_filed(self, inbox: Iterable[Seen], sent: Iterable[Seen]) -> None:
        marked = {seen.message_id for seen in inbox if "\\Answered" in seen.stored.flags}
        copies = {seen.message_id for seen in sent}
        for out in self.outs:
            message_id, answers = id_of(out.raw), field_of(out.raw, "In-Reply-To")
            if message_id in self.filed or message_id not in copies or answers not in marked:
                continue
            self.filed.add(message_id)
            name = self._name_of_answered(answers)
            fresh = [a for a in self.arrivals.values() if a.name == name and not a.answered]
            fresh = [a for a in fresh if a.seen.message_id in marked]
            for arrival in fresh:
                arrival.answered = True
            code = "filed_many" if len(fresh) > 1 else "filed"
            self._teller.step("responder", code, mail=answers, name=name, count=len(fresh))

    def _noted(self) -> None:
        waiting = {a.seen.message_id for a in self.arrivals.values() if not a.settled}
        for note in self.notes:
            if note.message_id not in self._told_notes and note.in_reply_to not in waiting:
                self._told_notes.add(note.message_id)
                values = {"name": self._name_of_answered(note.in_reply_to) or "-", "subject": note.subject}
                self._teller.step("responder", "note", mail=note.in_reply_to, **values)

    def _name_of_answered(self, message_id: str) -> str:
        arrival = self.arrivals.get(message_id)
        return arrival.name if arrival is not None else ""

    def _seen(self, mailbox: str, stored: Iterable[Stored]) -> tuple[Seen, ...]:
        """The mails of a mailbox without those marked as deleted."""
        found = []
        for mail in stored:
            if "\\Deleted" in mail.flags:
                continue
            known = self._cache.get((mailbox, mail.uid))
            if known is None:
                known = Seen(mail, id_of(mail.raw), field_of(mail.raw, "In-Reply-To"), address_of(mail.raw, "To"))
            else:
                known = Seen(mail, known.message_id, known.in_reply_to, known.to)
            self._cache[mailbox, mail.uid] = known
            found.append(known)
        return tuple(found)


def _first_reason(note: Seen) -> str:
    """The first of the reasons a note gives, else its subject."""
    lines = text_of(note.stored.raw).splitlines()
    return next((line.removeprefix("- ") for line in lines if line.startswith("- ")), note.subject)
