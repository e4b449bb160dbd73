"""Parcel stops: which orders the warehouse shall hold back, and each word to it, said at most once.

A word is an intent first, `doing` before it leaves, and `done`, `failed` or `unknown` after. What is `doing` in
nobody's hands any more is unknown, and unknown is never said again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, or_, select, update

from responder.edges.journal.tables import parcel_stop, parcel_word
from responder.model import ParcelStep, ParcelWay, ParcelWord, order_key

MOST_STOPS = 3
"""So often one order is stopped; who asks to cancel it and takes that back again and again moves no warehouse."""


@dataclass(frozen=True, slots=True)
class Stop:
    """An order the warehouse was told to hold back."""

    id: int
    case_id: str
    order_id: str
    channel: str


def begin(
    tx: Connection,
    account: str,
    case_id: str,
    *,
    order_id: str,
    channel: str,
    token: str,
    reason: str,
    ways: Sequence[ParcelWay],
    now: datetime,
) -> bool:
    """The intent to stop an order's parcel. False where it is stopped already, its cancel is accepted, or it has been
    stopped too often."""
    if not ways or not may_begin(tx, account, order_id):
        return False
    key = order_key(order_id)[:200]
    values = {"account": account, "case_id": case_id, "order_key": key, "order_id": order_id[:200], "token": token}
    stop_id = tx.execute(
        insert(parcel_stop)
        .values(values | {"channel": channel[:60], "state": "standing", "created_at": now})
        .returning(parcel_stop.c.id)
    ).scalar_one()
    _intend(tx, stop_id, account, "stop", ways, reason, now)
    return True


def may_begin(tx: Connection, account: str, order_id: str) -> bool:
    """True if the parcel of this order is not stopped, its cancel not accepted, and it was not stopped too often."""
    mine = and_(parcel_stop.c.account == account, parcel_stop.c.order_key == order_key(order_id)[:200])
    states = list(tx.execute(select(parcel_stop.c.state).where(mine)).scalars())
    return len(states) < MOST_STOPS and all(state == "released" for state in states)


def _intend(
    tx: Connection, stop_id: int, account: str, step: ParcelStep, ways: Sequence[ParcelWay], reason: str, now: datetime
) -> None:
    common = {"stop_id": stop_id, "account": account, "step": step, "reason": reason, "state": "intent"}
    if ways:
        tx.execute(insert(parcel_word), [common | {"way": way, "attempts": 0, "created_at": now} for way in ways])


def standing(tx: Connection, account: str, case_id: str, order_id: str | None) -> Stop | None:
    """The stop of this case, or of this order, that stands; None where none does."""
    of_it = parcel_stop.c.case_id == case_id
    if order_id:
        of_it = or_(of_it, parcel_stop.c.order_key == order_key(order_id)[:200])
    row = tx.execute(
        select(parcel_stop).where(parcel_stop.c.account == account, parcel_stop.c.state == "standing", of_it)
    ).first()
    return None if row is None else _stop(row)


def released(tx: Connection, account: str, case_id: str, order_id: str | None) -> Stop | None:
    """The last stop of this case, or of this order, if its parcel may leave since."""
    of_it = parcel_stop.c.case_id == case_id
    if order_id:
        of_it = or_(of_it, parcel_stop.c.order_key == order_key(order_id)[:200])
    row = tx.execute(
        select(parcel_stop).where(parcel_stop.c.account == account, of_it).order_by(parcel_stop.c.id.desc()).limit(1)
    ).first()
    return _stop(row) if row is not None and row.state == "released" else None


def end(tx: Connection, found: Stop, step: ParcelStep, reason: str, *, now: datetime) -> bool:
    """This stop is over: the parcel may leave (`release`), or never will (`confirm`). False if it was over before.

    A stop that was not said yet is never said; where it may have been, its end is.
    """
    state = "released" if step == "release" else "confirmed"
    changed = tx.execute(
        update(parcel_stop)
        .where(parcel_stop.c.id == found.id, parcel_stop.c.state == "standing")
        .values(state=state, ended_at=now)
    ).rowcount
    if not changed:
        return False
    its_words = parcel_word.c.stop_id == found.id
    if step == "release":
        tx.execute(update(parcel_word).where(its_words, parcel_word.c.state == "intent").values(state="dropped"))
    rows = tx.execute(
        select(parcel_word.c.account, parcel_word.c.way).where(
            its_words,
            parcel_word.c.step == "stop",
            parcel_word.c.state.in_(("intent", "doing", "done", "unknown")),
        )
    ).all()
    if rows:
        _intend(tx, found.id, rows[0].account, step, [row.way for row in rows], reason, now)
    return True


def due(tx: Connection, account: str, now: datetime) -> tuple[list[ParcelWord], datetime | None]:
    """The words to be said now, and when the next one is due. The end of a stop waits for the stop itself."""
    rows = tx.execute(_words().where(parcel_word.c.account == account, parcel_word.c.state.in_(("intent", "doing"))))
    ready: list[ParcelWord] = []
    later: datetime | None = None
    busy: set[tuple[int, str]] = set()
    for row in rows:
        place = (row.stop_id, row.way)
        if place in busy:
            continue
        busy.add(place)
        if row.state == "doing":
            continue
        if row.not_before is not None and row.not_before > now:
            later = min(later or row.not_before, row.not_before)
        else:
            ready.append(_word(row))
    return ready, later


def take(tx: Connection, word_id: int, *, now: datetime) -> bool:
    """This word is about to be said, by us alone: from here on only its outcome, or a person, says what happened."""
    return bool(
        tx.execute(
            update(parcel_word)
            .where(parcel_word.c.id == word_id, parcel_word.c.state == "intent")
            .values(state="doing", begun_at=now, attempts=parcel_word.c.attempts + 1)
        ).rowcount
    )


def settle(tx: Connection, word: ParcelWord, state: str, *, now: datetime) -> bool:
    """What became of a word: done, failed or unknown. Where nobody heard that a parcel is to be stopped, nobody has to
    hear how that ended."""
    changed = tx.execute(
        update(parcel_word)
        .where(parcel_word.c.id == word.id, parcel_word.c.state.in_(("intent", "doing")))
        .values(state=state, begun_at=func.coalesce(parcel_word.c.begun_at, now))
    ).rowcount
    if changed and state == "failed" and word.step == "stop":
        same = select(parcel_word.c.stop_id).where(parcel_word.c.id == word.id).scalar_subquery()
        tx.execute(
            update(parcel_word)
            .where(parcel_word.c.stop_id == same, parcel_word.c.way == word.way, parcel_word.c.state == "intent")
            .values(state="dropped")
        )
    return bool(changed)


def put_off(tx: Connection, word_id: int, not_before: datetime, *, begun: bool) -> None:
    """Not said for sure, and nobody heard it: again later. `begun` False: it had not even been taken."""
    state = "doing" if begun else "intent"
    attempts = parcel_word.c.attempts if begun else parcel_word.c.attempts + 1
    tx.execute(
        update(parcel_word)
        .where(parcel_word.c.id == word_id, parcel_word.c.state == state)
        .values(state="intent", not_before=not_before, begun_at=None, attempts=attempts)
    )


def in_doubt(tx: Connection, account: str, *, begun_before: datetime | None) -> list[ParcelWord]:
    """Words somebody began to say, before that time or ever, and of which no outcome is known."""
    began = parcel_word.c.begun_at.is_not(None) if begun_before is None else parcel_word.c.begun_at < begun_before
    rows = tx.execute(_words().where(parcel_word.c.account == account, parcel_word.c.state == "doing", began))
    return [_word(row) for row in rows]


def of_token(tx: Connection, account: str, tokens: Sequence[str]) -> list[Stop]:
    """The stops with these tokens."""
    rows = tx.execute(
        select(parcel_stop).where(parcel_stop.c.account == account, parcel_stop.c.token.in_(list(tokens)))
    )
    return [_stop(row) for row in rows]


def any_under_way(tx: Connection, account: str) -> bool:
    """True while a word waits to be said or its outcome is not known yet."""
    waits = or_(parcel_word.c.state == "intent", parcel_word.c.state == "doing")
    return (
        tx.execute(select(parcel_word.c.id).where(parcel_word.c.account == account, waits).limit(1)).first() is not None
    )


def _words() -> Select[tuple[object, ...]]:
    columns = (parcel_word, parcel_stop.c.order_id, parcel_stop.c.channel, parcel_stop.c.token)
    return select(*columns).join(parcel_stop, parcel_stop.c.id == parcel_word.c.stop_id).order_by(parcel_word.c.id)


def _stop(row: Row[Any]) -> Stop:
    return Stop(row.id, row.case_id, row.order_id, row.channel)


def _word(row: Row[tuple[object, ...]]) -> ParcelWord:
    return ParcelWord(
        id=row.id,
        step=row.step,
        way=row.way,
        reason=row.reason,
        order_id=row.order_id,
        channel=row.channel,
        token=row.token,
        at=row.created_at,
        attempts=row.attempts,
    )
