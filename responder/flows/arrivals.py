"""A buyer's mail becomes a draft, a note to a person, or nothing.

    UID -> fetch -> read -> guards -> orders -> decide -> compose -> journal "drafting" -> APPEND -> journal "drafted"

Only PEEK is used: nobody's unread mark changes. A mail is noted before it is read, so that one that breaks us is set
aside after its third try and the next mail goes on.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from responder.core.approval import read_papers
from responder.core.mime import header_block
from responder.edges.imap import Selected
from responder.edges.journal import cases, mails
from responder.errors import MessageError, ResponderError
from responder.flows.desk import Desk
from responder.flows.drafting import Scribe, opened_scribe
from responder.flows.planning import Known, Plan, plan_mail, read_incoming, read_mail, silence, unreadable
from responder.flows.tell import tell
from responder.flows.understanding import Unpacked
from responder.model import Cursor, Fetched, Place, Reason

BATCH = 200
A_TURN = 400
"""So many mails are taken up before staff have their turn: in a flood an approval waits for these, not for all."""
DRAFTS_AT_ONCE = 40
TRIES = 3
CLOCK_SLACK = timedelta(minutes=10)


def on_arrivals(desk: Desk, mailbox: str, now: datetime) -> int:
    """Work on what came into `mailbox` since the last time, so many mails at once; returns how many were looked at."""
    selected = desk.session.select(mailbox, keep=True)
    with desk.journal.reading() as tx:
        cursor = mails.find_cursor(tx, desk.name, mailbox)
    if cursor is None:
        cursor = _first_look(desk, mailbox, selected, now)
    elif cursor.uidvalidity != selected.uidvalidity:
        cursor = _map_anew(desk, cursor, selected, now)
    uids = desk.session.uids_from(cursor.last_uid + 1)
    if not uids and selected.uidnext - 1 > cursor.last_uid:
        # Mail that came and went between two looks: nothing below this opening's UIDNEXT is left to read.
        cursor = replace(cursor, last_uid=selected.uidnext - 1)
        with desk.journal.light() as tx:
            mails.save_cursor(tx, cursor)
    if len(uids) > A_TURN:
        uids = uids[:A_TURN]
        desk.wake_at(now)
    with opened_scribe(desk, len(uids), now) as scribe:
        for start in range(0, len(uids), BATCH):
            batch = uids[start : start + BATCH]
            desk.session.select(mailbox, keep=start == 0)
            _on_batch(desk, cursor, batch, scribe, now)
            cursor = replace(cursor, last_uid=batch[-1])
            with desk.journal.light() as tx:
                mails.save_cursor(tx, cursor)
    return len(uids)


def _first_look(desk: Desk, mailbox: str, selected: Selected, now: datetime) -> Cursor:
    """Where to begin in a mailbox never seen before: at its end, or `since` ago without what was answered already."""
    uidvalidity, last_uid, started_at = selected.uidvalidity, selected.uidnext - 1, now
    if desk.account.since is not None:
        started_at = now - desk.account.since
        uids = desk.session.uids_since(started_at.date())
        open_uids = _unanswered(desk, mailbox, uids, started_at)
        last_uid = min(open_uids, default=last_uid + 1) - 1
        answered = [uid for uid in uids if uid not in open_uids and uid > last_uid]
        with desk.journal.durable() as tx:
            ids = mails.note_new(
                tx, desk.name, [(Place(mailbox, uidvalidity, u), started_at) for u in answered], now=now
            )
            mails.decide(tx, [mails.Verdict(mail_id, silence(desk, "answered_before")) for mail_id in ids.values()])
    cursor = Cursor(desk.name, mailbox, uidvalidity, last_uid, started_at)
    with desk.journal.durable() as tx:
        mails.save_cursor(tx, cursor)
    desk.say("mailbox_first_seen", uid=last_uid)
    return cursor


def _unanswered(desk: Desk, mailbox: str, uids: Sequence[int], since: datetime) -> set[int]:
    r"""Those mails that neither carry `\Answered` nor are answered by a mail in Sent."""
    session = desk.session
    answered_ids: set[str] = set()
    if desk.located.sent:
        session.select(desk.located.sent, readonly=True)
        for fetched in session.fetch(session.uids_since(since.date()), fields=("IN-REPLY-TO",)):
            answered_ids.update(read_papers(header_block(fetched.raw)).in_reply_to)
    session.select(mailbox)
    done = {"\\answered", "\\deleted"}
    found = {uid for uid, flags in session.flags(uids).items() if not done & {flag.lower() for flag in flags}}
    if answered_ids:
        found -= {uid for uid, message_id in session.message_ids(found).items() if message_id in answered_ids}
    # The search knows days only, and those of the server's calendar: at their edge the time of arrival decides.
    at_the_edge = found - set(session.uids_since((since + timedelta(days=2)).date()))
    return found - {f.uid for f in session.fetch(at_the_edge, fields=("DATE",)) if (f.internaldate or since) < since}


def _map_anew(desk: Desk, cursor: Cursor, selected: Selected, now: datetime) -> Cursor:
    """The server gave every mail a new UID: find the known ones by what they are, leave only new ones to be read."""
    oldest = cursor.started_at - CLOCK_SLACK
    new: list[int] = []
    known: set[int] = set()
    for fetched in desk.session.fetch(desk.session.uids_since(oldest.date())):
        message = read_mail(desk, fetched)
        with desk.journal.light() as tx:
            before = mails.with_content(tx, desk.name, message.content_sha256) if message is not None else None
            if before is not None:
                mails.move(tx, before.id, Place(cursor.mailbox, selected.uidvalidity, fetched.uid))
                known.add(fetched.uid)
        if before is None and (fetched.internaldate or now) >= oldest:
            new.append(fetched.uid)
    last_uid = min(new) - 1 if new else selected.uidnext - 1
    ours = known.union(new)
    not_ours = [uid for uid in desk.session.uids_from(last_uid + 1) if uid not in ours]
    renewed = replace(cursor, uidvalidity=selected.uidvalidity, last_uid=last_uid)
    with desk.journal.durable() as tx:
        places = [(Place(cursor.mailbox, selected.uidvalidity, uid), cursor.started_at) for uid in not_ours]
        ids = mails.note_new(tx, desk.name, places, now=now)
        mails.decide(tx, [mails.Verdict(mail_id, silence(desk, "before_first_start")) for mail_id in ids.values()])
        mails.save_cursor(tx, renewed)
        cases.record(tx, desk.name, "uidvalidity_changed", now=now, known=len(known), new=len(new))
    desk.say("uidvalidity_changed", known=len(known), new=len(new))
    return renewed


def _on_batch(desk: Desk, cursor: Cursor, uids: Sequence[int], scribe: Scribe, now: datetime) -> None:
    mailbox, uidvalidity = cursor.mailbox, cursor.uidvalidity
    with desk.journal.reading() as tx:
        known = mails.known_uids(tx, desk.name, mailbox, uidvalidity, uids)
    todo = [uid for uid in uids if uid not in known or known[uid].state == "seen"]
    if not todo:
        return
    # A former run ended while these were in hand; what this run itself noted before a lost line is no suspect.
    suspects = {uid for uid in todo if uid in known and known[uid].id not in desk.tried}
    fetched = {f.uid: f for f in desk.session.fetch(todo)}
    fresh = [
        (Place(mailbox, uidvalidity, u), fetched[u].internaldate or now)
        for u in todo
        if u in fetched and u not in known
    ]
    with desk.journal.light() as tx:
        ids = mails.note_new(tx, desk.name, fresh, now=now)
    ids |= {uid: known[uid].id for uid in todo if uid in known}
    desk.tried.update(ids.values())
    batch = _Batch(desk, now, scribe, ids, fetched, {u: Place(mailbox, uidvalidity, u) for u in fetched})
    batch.read_ahead(uid for uid in todo if uid in fetched and uid not in suspects)
    for uid in todo:
        if uid not in fetched:
            continue
        if uid in suspects:
            # Alone, and counted before it is read: should it end this run too, we know which mail it was.
            batch.carry_out()
            if known[uid].attempts >= TRIES:
                _set_aside(desk, known[uid].id, uid, now)
                continue
            with desk.journal.durable() as tx:
                mails.note_seen(tx, desk.name, [(batch.places[uid], fetched[uid].internaldate or now)], now=now)
        batch.take_up(uid)
    batch.carry_out()


@dataclass(slots=True)
class _Batch:
    """The mails of one FETCH: read ahead, looked up together, planned one by one, carried out in groups."""

    desk: Desk
    now: datetime
    scribe: Scribe
    ids: Mapping[int, int]
    fetched: Mapping[int, Fetched]
    places: Mapping[int, Place]
    read: dict[int, Unpacked] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    group: list[Plan] = field(default_factory=list)

    def read_ahead(self, uids: Iterable[int]) -> None:
        """Read these mails and ask the journal once what it knows of them. One that cannot be read has its turn."""
        for uid in uids:
            try:
                self.read[uid] = read_incoming(self.desk, self.places[uid], self.fetched[uid])
            except MessageError:
                continue
            except (ResponderError, OSError):
                raise
            except Exception:  # noqa: S112 - it is read again, counted and told when its turn comes
                continue
        self.known.look_up(self.desk, list(self.read.values()), self.now)

    def take_up(self, uid: int) -> None:
        """Add a plan for this mail to the group, which goes first where a mail of the same buyer is in it."""
        plan = self._try_plan(uid)
        if plan is None and self.group:
            self.carry_out()
            plan = self._try_plan(uid)
        if plan is None:
            _set_aside(self.desk, self.ids[uid], uid, self.now)
            return
        self.group.append(plan)
        if sum(p.letter is not None for p in self.group) >= DRAFTS_AT_ONCE:
            self.carry_out()

    def carry_out(self) -> None:
        """Do what is planned so far."""
        self.scribe.carry_out(self.group)
        self.known.add(self.group)
        self.group = []

    def _try_plan(self, uid: int) -> Plan | None:
        """The plan for a mail; None where the group must go first, or where the mail broke us three times."""
        desk, mail_id, place = self.desk, self.ids[uid], self.places[uid]
        for attempt in range(TRIES):
            try:
                incoming = self.read.get(uid)
                if incoming is None:
                    incoming = read_incoming(desk, place, self.fetched[uid])
                    self.known.look_up(desk, [incoming], self.now)
                if self.known.has(incoming):
                    self.scribe.settle()  # what is planned now depends on where earlier drafts lie
                arrived_at = self.fetched[uid].internaldate or self.now
                return plan_mail(
                    desk, mail_id, place, incoming, self.known, self.group, arrived_at=arrived_at, now=self.now
                )
            except MessageError as exc:
                return unreadable(desk, mail_id, place, str(exc))
            except (ResponderError, OSError):
                raise
            except Exception as exc:  # whatever one mail makes us do wrong must not stop the next one
                last = traceback.extract_tb(exc.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                desk.say(
                    "mail_breaks_us", level=40, mail=mail_id, attempt=attempt + 1, error=type(exc).__name__, where=where
                )
        return None


def _set_aside(desk: Desk, mail_id: int, uid: int, now: datetime) -> None:
    with desk.journal.durable() as tx:
        mails.quarantine(tx, mail_id)
        cases.record(tx, desk.name, "mail_set_aside", now=now, mail=mail_id)
        tell(desk, tx, f"set-aside:{mail_id}", Reason.of("mail_set_aside", uid=uid), now=now)
    desk.say("mail_set_aside", level=40, mail=mail_id)
