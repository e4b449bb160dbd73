"""What falls due by the clock: reminders, holding replies, questions asked again, care mails, the morning mail.

    one look-up: is a case to be looked at? -> no: come back when it is
    each look: what fell due since the last one -> drafts, wishes and one note for all, committed with the look

Nothing here is sent: what is written lies in Drafts and is approved like everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection

from responder.config import Settings
from responder.core.clocks import QUARTER, Look, look
from responder.core.dates import day_of
from responder.core.due import Due, Reader, all_due, digest, due_of
from responder.core.notes import Told
from responder.edges.journal import auto_replies, cases, clocks, notes, owed
from responder.errors import MessageError, OrdersUnavailable, ResponderError
from responder.flows.auto_replies import receipt
from responder.flows.clock_letters import Written, holding_reply, intend, nudge
from responder.flows.desk import Desk
from responder.flows.drafting import append_drafts
from responder.flows.tell import tell
from responder.model import CaseFile, Reason, order_key

EVERYTHING = 100_000
BEGUN = "clocks"


def reader(settings: Settings, now: datetime) -> Reader:
    """How this shop's staff read what is due."""
    language = settings.shop.language
    titles = {channel.name: channel.title_in(language) for channel in settings.channels}
    return Reader(settings.wording, language, settings.shop.timezone, now, titles)


def on_clock(desk: Desk, now: datetime) -> None:
    """Do what fell due, and say when to come back. What needs order data that nobody can read now is put off."""
    if desk.clocks_begun is None:
        _begin(desk, now)
    with desk.journal.reading() as tx:
        next_at = clocks.next_look(tx, desk.name)
    if next_at is not None and next_at <= now:
        _look_at_cases(desk, now)
        with desk.journal.reading() as tx:
            next_at = clocks.next_look(tx, desk.name)
    if next_at is not None:
        desk.wake_at(next_at)
    _on_digest(desk, now)


def _begin(desk: Desk, now: datetime) -> None:
    with desk.journal.light() as tx:
        found: dict[str, Any] | None = notes.find_fact(tx, desk.name, BEGUN)
        if found is None:
            found = {"begun": now.isoformat(), "digest": ""}
            notes.save_fact(tx, desk.name, BEGUN, found)
    desk.clocks_begun = datetime.fromisoformat(found["begun"])


# --- cases ----------------------------------------------------------------------------------------------------------


def _look_at_cases(desk: Desk, now: datetime) -> None:
    begun = desk.clocks_begun or now
    settings = desk.settings.clocks
    with desk.journal.reading() as tx:
        files = clocks.due(tx, desk.name, now, most=EVERYTHING)
    looks = [(file, look(file, settings, now, begun=begun)) for file in files]
    receipts = [one for file, seen in looks if seen.wants_receipt and (one := receipt(desk, file, now)) is not None]
    answered = {one.case_id for one in receipts}
    letters: list[Written] = []
    put_off: set[str] = set()
    for file, seen in looks:
        try:
            letter = _letter(desk, file, seen, now) if file.case.id not in answered else None
        except OrdersUnavailable:
            put_off.add(file.case.id)
            continue
        letters += [letter] if letter is not None else []
    with desk.journal.durable() as tx:
        done = [(file.case.id, seen.next_at) for file, seen in looks if file.case.id not in put_off]
        clocks.looked(tx, done, now=now)
        for case_id in put_off:
            clocks.look_again(tx, case_id, now + QUARTER)
        intend(desk, tx, letters, now)
        auto_replies.intend(tx, receipts, now=now)
        for file, seen in looks:
            if seen.cares is not None:
                _wish_to_care(desk, tx, file, now)
        states = {letter.about: letter.state for letter in letters}
        _tell(desk, tx, looks, states | dict.fromkeys(answered, "receipt"), now)
    if letters:
        append_drafts(desk, [(letter.draft_id, letter.raw) for letter in letters], now)
    desk.say("clock_looked", count=len(looks), drafts=len(letters))


def _letter(desk: Desk, file: CaseFile, seen: Look, now: datetime) -> Written | None:
    """The letter that this case wants, or None; whatever one case makes us do wrong must not stop the others."""
    try:
        if seen.wants_holding:
            return holding_reply(desk, file.case, now)
        return nudge(desk, file.case, seen.nudge.id, now) if seen.nudge is not None else None
    except MessageError as exc:
        desk.say("no_letter", level=30, case=file.case.id, why=str(exc))
    except (ResponderError, OSError):
        raise
    except Exception as exc:  # ours: one case must not stop the others
        desk.say("clock_breaks_us", level=40, case=file.case.id, error=type(exc).__name__)
    return None


def _wish_to_care(desk: Desk, tx: Connection, file: CaseFile, now: datetime) -> None:
    """A week after the shop could not deliver: unless the channel forbids it, or the buyer has written since."""
    case = file.case
    allows = {channel.name: channel.allows_care for channel in desk.settings.channels}
    sent = [one for one in file.drafts if one.sent_at is not None or one.state == "sent_by_staff"][-1]
    order_id = sent.order_id or case.order_id
    if order_id is None or not allows.get(case.channel, True):
        return
    if clocks.wrote_since(tx, desk.name, case.buyer, sent.sent_at or sent.ended_at or sent.created_at):
        return
    wish = owed.Wished(desk.name, order_key(order_id), "care", order_id, {}, "clock", token_hex(8))
    owed.wish(tx, [wish], now=now)
    desk.wake_at(now)


def _tell(
    desk: Desk, tx: Connection, looks: list[tuple[CaseFile, Look]], states: Mapping[str, str], now: datetime
) -> None:
    """One note on all that fell due together; `states` are cases of which more is to be said than what they wait
    for."""
    read = reader(desk.settings, now)
    told = [(due, seen) for file, seen in looks if seen.is_told and (due := due_of(file)) is not None]
    if not told:
        return
    told.sort(key=lambda pair: (pair[0].deadline_at is None, pair[0].deadline_at, pair[0].case_id))
    late = [due for due, seen in told if seen.is_late]
    close = [due for due, seen in told if not seen.is_late]

    def lines(some: list[Due]) -> list[str]:
        return [read.line(due, states.get(due.case_id, "")) for due in some]

    note = Reason.of("clock_late" if late else "clock_close", late=len(late), close=len(close), count=len(told))
    told_lines = [*read.section("due_late", lines(late)), *read.section("due_close", lines(close))]
    tell(desk, tx, f"clock:{now.isoformat()}", note, now=now, told=Told(to_know=tuple(told_lines[1:])))
    for due, seen in told:
        cases.record(tx, desk.name, "late" if seen.is_late else "reminded", now=now, case_id=due.case_id)


# --- the morning mail -----------------------------------------------------------------------------------------------


def _on_digest(desk: Desk, now: datetime) -> None:
    """Once a day, at the shop's time; after days off once, not once for each."""
    at = desk.settings.clocks.digest_at
    if at is None:
        return
    if desk.digest_due is None:
        desk.digest_due = _next_digest(desk, now)
    if now < desk.digest_due:
        desk.wake_at(desk.digest_due)
        return
    today = day_of(now, desk.settings.shop.timezone)
    with desk.journal.reading() as tx:
        found = all_due(clocks.open_files(tx, desk.name))
    tomorrow = now + timedelta(days=1)
    lines, counts = digest(found, reader(desk.settings, now), tomorrow)
    with desk.journal.durable() as tx:
        if lines:
            note = Reason.of("digest", **counts)
            tell(desk, tx, f"digest:{today.isoformat()}", note, now=now, told=Told(to_know=tuple(lines[1:])))
        known = notes.find_fact(tx, desk.name, BEGUN) or {"begun": now.isoformat()}
        notes.save_fact(tx, desk.name, BEGUN, {**known, "digest": today.isoformat()})
    desk.digest_due = _next_digest(desk, now)
    desk.wake_at(desk.digest_due)
    desk.say("digest", **counts)


def _next_digest(desk: Desk, now: datetime) -> datetime:
    """When the next morning mail is due. One that was missed is due now, but only today's."""
    at, zone = desk.settings.clocks.digest_at, desk.settings.shop.timezone
    with desk.journal.reading() as tx:
        known = notes.find_fact(tx, desk.name, BEGUN) or {}
    today = day_of(now, zone)
    moment = datetime.combine(today, at or datetime.min.time(), tzinfo=zone)
    is_done = known.get("digest", "") == today.isoformat() or moment <= (desk.clocks_begun or now)
    return datetime.combine(today + timedelta(days=1), moment.time(), tzinfo=zone) if is_done else moment
