"""What falls due in a case, and when: reminders, the holding reply, the deadline, a question that nobody answered.

A case is looked at when something of it falls due, and each look does what fell due since the last one: whatever was
missed in between (a machine that was off for days) is done once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cache
from typing import Literal

from responder.core.auto_reply import AutoReply
from responder.core.facts import load
from responder.model import CaseFile, DraftLine

QUARTER = timedelta(minutes=15)
HOLDING = "holding"
"""The situation and the template of the reply that says no more than by when there will be an answer."""
NUDGE = "nudge"
"""The situation and the template of the mail that asks again what nobody has answered."""
CARED_FOR = frozenset({"owe_sold_out"})
"""The notices after which the shop may ask, once, whether the buyer has found what he was looking for."""

_WAITS_FOR_STAFF = frozenset({"drafting", "drafted", "vanished"})
_ON_ITS_WAY = frozenset({"approved", "sending", "uncertain", "sent"})
_TAKEN_BACK = frozenset({"withdrawn", "stale"})

Waits = Literal["draft", "leaving", "person", "nothing"]
"""For what an open case waits: that staff approve its draft, that what they approved leaves, that a person answers."""


@cache
def asking() -> frozenset[str]:
    """The product's own templates that ask the buyer something he has to answer before it goes on."""
    return frozenset(load("clocks")["asks"])


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the shop wants told and written by the clock: `[time]` of responder.toml. None switches a thing off.

    `digest_at` is the time of day of the morning mail, where the shop is. `remind_after` are the ages at which staff
    are reminded of a draft that waits for them; `before_deadline` is how long before the deadline they are, and a
    holding reply is drafted. `asks` are the templates that ask a buyer something; `auto` is what leaves without an
    approval.
    """

    digest_at: time | None = time(8, 30)
    remind_after: tuple[timedelta, ...] = (timedelta(hours=4), timedelta(hours=20))
    before_deadline: timedelta = timedelta(hours=4)
    holding: bool = True
    nudge_after: timedelta | None = timedelta(days=3)
    care_after: timedelta | None = timedelta(days=7)
    asks: frozenset[str] = field(default_factory=asking)
    auto: AutoReply | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What fell due in a case since the last look, and when to look again (None: nothing is to come).

    `is_late`: the deadline is over. `is_close`: it comes soon, or a draft has waited long. `wants_holding`: the buyer
    is to be told that his answer takes time; `wants_receipt`: without an approval. `nudge` is the draft whose question
    was never answered, `cares` the one that told, a week ago, that the shop could not deliver.
    """

    waits: Waits
    is_late: bool = False
    is_close: bool = False
    wants_holding: bool = False
    wants_receipt: bool = False
    nudge: DraftLine | None = None
    cares: DraftLine | None = None
    next_at: datetime | None = None

    @property
    def is_told(self) -> bool:
        """Staff are to be told of this case now."""
        return self.is_late or self.is_close


def first_look(opened_at: datetime, deadline_at: datetime | None, clocks: Clocks) -> datetime:
    """When to look at a case first, whatever is in it."""
    moments = [_up(opened_at + age) for age in clocks.remind_after]
    if clocks.auto is not None and clocks.auto.at == "arrival":
        return opened_at
    if deadline_at is not None:
        moments += [max(opened_at, _soon(opened_at, deadline_at, clocks)), max(opened_at, deadline_at)]
    return min(moments, default=opened_at)


def waits_for(file: CaseFile) -> Waits:
    """For what the case waits. Its mails are decided on together: the newest one's decision speaks for all."""
    if file.case.state != "open":
        return "nothing"
    states = {one.state for one in file.drafts if one.situation != HOLDING}
    if states & _WAITS_FOR_STAFF:
        return "draft"
    if states & _ON_ITS_WAY:
        return "leaving"
    held = {one.state for one in file.drafts if one.situation == HOLDING}
    if held & _WAITS_FOR_STAFF:
        return "draft"
    unanswered = [one for one in file.mails if not one.answered and one.action not in (None, "silence")]
    return "person" if unanswered and file.mails[-1].action != "silence" else "nothing"


def look(file: CaseFile, clocks: Clocks, now: datetime, *, begun: datetime) -> Look:
    """What fell due in this case. `begun` is when the clocks began to run: what was over by then is not late now."""
    waits = waits_for(file)
    if waits == "nothing":
        return _after_its_end(file, clocks, now)
    case = file.case
    since = _since(file, now)
    moments: list[tuple[datetime, str]] = []
    if waits == "draft":
        waiting = [one for one in file.drafts if one.state in _WAITS_FOR_STAFF][-1]
        moments += [(_up(waiting.created_at + age), "close") for age in clocks.remind_after]
    if case.deadline_at is not None:
        soon = _soon(case.opened_at, case.deadline_at, clocks)
        if _may_receipt(file, waits, clocks):
            at_once = clocks.auto is not None and clocks.auto.at == "arrival"
            moments.append((case.opened_at if at_once else soon, "receipt"))
        if waits != "leaving":
            moments.append((soon, "hold" if _may_hold(file, waits, clocks) else "close"))
        late_since = begun if case.looked_at is None else since
        moments.append((case.deadline_at, "late" if case.deadline_at > late_since else "past"))
    is_first = case.looked_at is None
    due = {
        kind
        for at, kind in moments
        if at <= now and (at > since or kind == "late" or (is_first and kind == "receipt" and at == since))
    }
    return Look(
        waits,
        is_late="late" in due,
        is_close=bool(due & {"close", "hold"}),
        wants_holding="hold" in due,
        wants_receipt="receipt" in due,
        next_at=min((at for at, _ in moments if at > now), default=None),
    )


def _may_hold(file: CaseFile, waits: Waits, clocks: Clocks) -> bool:
    """True if a holding reply may be written: the mail waits for a person, and none was sent or refused before."""
    before = [one for one in file.drafts if one.situation == HOLDING]
    return (
        clocks.holding and waits == "person" and not file.was_told and all(one.state in _TAKEN_BACK for one in before)
    )


def _may_receipt(file: CaseFile, waits: Waits, clocks: Clocks) -> bool:
    """True if the owner lets a receipt leave for this mail without an approval. Only for mail that came while its
    answer was not overdue already."""
    case, auto = file.case, clocks.auto
    if auto is None or file.was_told or waits not in ("draft", "person"):
        return False
    if case.deadline_at is None or case.deadline_at <= case.opened_at:
        return False
    wanting = [one for one in file.mails if not one.answered and one.action not in (None, "silence")]
    told = any(one.situation == HOLDING and one.state not in _TAKEN_BACK for one in file.drafts)
    return bool(wanting) and not told and auto.is_for(wanting[-1].rule)


def _after_its_end(file: CaseFile, clocks: Clocks, now: datetime) -> Look:
    """What may come once the shop has written: the buyer never answers, or a week has passed."""
    sent = [one for one in file.drafts if one.sent_at is not None or one.state == "sent_by_staff"]
    if file.case.state != "closed" or not sent:
        return Look("nothing")
    last = sent[-1]
    at = last.sent_at or last.ended_at or last.created_at
    since = _since(file, now)
    asks = clocks.nudge_after is not None and last.template in clocks.asks and last.sent_at is not None
    cares = clocks.care_after is not None and last.situation in CARED_FOR
    after = clocks.nudge_after if asks else clocks.care_after if cares else None
    if after is None:
        return Look("nothing")
    due = _up(at + after)
    if due > now:
        return Look("nothing", next_at=due)
    if due <= since:
        return Look("nothing")
    return Look("nothing", nudge=last if asks else None, cares=last if cares and not asks else None)


def _since(file: CaseFile, now: datetime) -> datetime:
    """What fell due after this is done now. A last look in the future was taken by a clock that was wrong: then what
    falls due at this very look."""
    looked_at = file.case.looked_at or file.case.opened_at
    return looked_at if looked_at <= now else now - QUARTER


def _soon(opened_at: datetime, deadline_at: datetime, clocks: Clocks) -> datetime:
    """A while before the deadline; of a short time never more than its half."""
    return deadline_at - min(clocks.before_deadline, max(deadline_at - opened_at, timedelta()) / 2)


def _up(at: datetime) -> datetime:
    """The next full quarter of an hour: what was written together is told together."""
    rest = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at - rest + QUARTER if rest else at
