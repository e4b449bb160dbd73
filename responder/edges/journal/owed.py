"""What buyers are to be told: wishes of the shop, one for each order and matter, ever.

    wished -> written (its draft is intended)
    wished -> refused (why) -> wished again, with new facts

Written is an end: whatever becomes of the draft, no second one of that order and matter is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, exists, func, insert, select, update

from responder.edges.journal.tables import IN_ONE_QUERY, owed
from responder.model import Reason

State = Literal["wished", "written", "refused"]

_ANY_WAITING = select(exists().where(owed.c.account == bindparam("account"), owed.c.state == "wished"))
_WAITING = (
    select(owed)
    .where(owed.c.account == bindparam("account"), owed.c.state == "wished")
    .order_by(owed.c.id)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Wished:
    """A wish to be noted. `wish` are its facts; `source` how it came (command, folder, file), `batch` with which
    others."""

    account: str
    order_key: str
    matter: str
    order_id: str
    wish: Mapping[str, Any]
    source: str
    batch: str


@dataclass(frozen=True, slots=True)
class Owed:
    """A wish as the journal has it. `why` tells why it was refused, or what staff are to be told of its draft."""

    id: int
    account: str
    order_key: str
    matter: str
    order_id: str
    wish: Mapping[str, Any]
    source: str
    batch: str
    state: State
    why: Reason | None
    case_id: str | None
    wished_at: datetime
    done_at: datetime | None


def wish(tx: Connection, wishes: Sequence[Wished], *, now: datetime) -> tuple[list[Wished], list[Owed]]:
    """Note wishes: those that are new, or were refused before, and those of which there is one already."""
    by_key = {(one.order_key, one.matter): one for one in wishes}
    before = {(one.order_key, one.matter): one for one in find(tx, [one.order_key for one in wishes])}
    new = [one for key, one in by_key.items() if key not in before]
    if new:
        tx.execute(insert(owed), [{**_values(one), "state": "wished", "wished_at": now} for one in new])
    again = [one for key, one in by_key.items() if key in before and before[key].state == "refused"]
    for one in again:
        tx.execute(
            update(owed)
            .where(owed.c.order_key == one.order_key, owed.c.matter == one.matter, owed.c.state == "refused")
            .values(**_values(one), state="wished", why=None, wished_at=now, done_at=None)
        )
    there = [before[key] for key in by_key if key in before and before[key].state != "refused"]
    return [*new, *again], there


def any_waiting(tx: Connection, account: str) -> bool:
    """True if a draft is still to be written."""
    return bool(tx.execute(_ANY_WAITING, {"account": account}).scalar_one())


def waiting(tx: Connection, account: str, *, most: int) -> list[Owed]:
    """The oldest wishes of which no draft is written yet."""
    return [_owed(row) for row in tx.execute(_WAITING, {"account": account, "most": most})]


def take(tx: Connection, owed_id: int, *, now: datetime) -> bool:
    """Its draft is intended in this very transaction. False if somebody else was quicker."""
    return _done(tx, owed_id, {"state": "written", "done_at": now})


def written(tx: Connection, owed_id: int, case_id: str, told: Reason) -> None:
    """The case of a wish that was taken, and what staff are to be told of its draft."""
    tx.execute(update(owed).where(owed.c.id == owed_id).values(case_id=case_id, why=[told.code, dict(told.args)]))


def refused(tx: Connection, owed_id: int, why: Reason, *, now: datetime) -> bool:
    """No draft, and why. It may be wished again."""
    return _done(tx, owed_id, {"state": "refused", "why": [why.code, dict(why.args)], "done_at": now})


def find(tx: Connection, order_keys: Sequence[str]) -> list[Owed]:
    """All that was ever wished for these orders."""
    keys = list(dict.fromkeys(order_keys))
    found: list[Owed] = []
    for start in range(0, len(keys), IN_ONE_QUERY):
        some = keys[start : start + IN_ONE_QUERY]
        found += [_owed(row) for row in tx.execute(select(owed).where(owed.c.order_key.in_(some)).order_by(owed.c.id))]
    return found


def items_told(tx: Connection, source: str) -> set[str]:
    """The items that were ever wished by name through this source."""
    wishes = tx.execute(select(owed.c.wish).where(owed.c.source == source)).scalars()
    return {item for kept in wishes for item in kept.get("items", ())}


def of_batch(tx: Connection, batch: str) -> list[Owed]:
    """Everything that came in together, in order."""
    return [_owed(row) for row in tx.execute(select(owed).where(owed.c.batch == batch).order_by(owed.c.id))]


def of_case(tx: Connection, case_id: str) -> list[Owed]:
    """What a case is about, if the shop began it."""
    return [_owed(row) for row in tx.execute(select(owed).where(owed.c.case_id == case_id).order_by(owed.c.id))]


def count_of_batch(tx: Connection, batch: str) -> dict[str, int]:
    """How many of a batch are in each state."""
    query = select(owed.c.state, func.count()).where(owed.c.batch == batch).group_by(owed.c.state)
    return {row[0]: row[1] for row in tx.execute(query)}


def _done(tx: Connection, owed_id: int, values: Mapping[str, Any]) -> bool:
    return tx.execute(update(owed).where(owed.c.id == owed_id, owed.c.state == "wished").values(**values)).rowcount == 1


def _values(one: Wished) -> dict[str, Any]:
    return {
        "account": one.account,
        "order_key": one.order_key,
        "matter": one.matter,
        "order_id": one.order_id,
        "wish": dict(one.wish),
        "source": one.source,
        "batch": one.batch,
    }


def _owed(row: Row[Any]) -> Owed:
    why = Reason.of(row.why[0], **row.why[1]) if row.why else None
    return Owed(
        id=row.id,
        account=row.account,
        order_key=row.order_key,
        matter=row.matter,
        order_id=row.order_id,
        wish=row.wish,
        source=row.source,
        batch=row.batch,
        state=row.state,
        why=why,
        case_id=row.case_id,
        wished_at=row.wished_at,
        done_at=row.done_at,
    )
