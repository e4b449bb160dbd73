"""The clock of the machine is set, or was wrong: what waits keeps waiting as long as it had to.

A jump is seen against a clock that only counts seconds, sleep of the machine included. Pauses, quiet times and
questions move along with it, so that setting the clock neither fires them all at once nor puts them off for a year.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from responder.edges.journal import drafts
from responder.flows.desk import Desk

SMALLEST = timedelta(minutes=1)


def notice_jump(desk: Desk, now: datetime) -> None:
    """Compare the clock with the seconds that went by since the last turn. At the first one: with the journal, which
    knows nothing of times to come but pauses."""
    steady = desk.steady() if desk.steady is not None else 0.0
    before = desk.times
    if before is None:
        with desk.journal.light() as tx:
            drafts.not_in_the_future(tx, desk.name, now)
    elif desk.steady is not None:
        jump = (now - before[0]) - timedelta(seconds=steady - before[1])
        if abs(jump) >= SMALLEST:
            _move_along(desk, jump)
    desk.times = (now, steady)


def _move_along(desk: Desk, jump: timedelta) -> None:
    with desk.journal.durable() as tx:
        drafts.move_times(tx, desk.name, jump)
    desk.first_seen = {place: when + jump for place, when in desk.first_seen.items()}
    desk.starred_since = {place: when + jump for place, when in desk.starred_since.items()}
    if desk.append_not_before is not None:
        desk.append_not_before += jump
    if desk.last_full_look is not None:
        desk.last_full_look += jump
    desk.say("clock_jumped", level=30, seconds=int(jump.total_seconds()))
