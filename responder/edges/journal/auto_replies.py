"""Receipts that leave by themselves: one for each case ever, each begun at most once.

intent -> doing -> sent -> filed        doing, and nobody knows -> unknown (never begun again)
                -> failed               intent, too old -> failed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from responder.edges.journal.tables import auto_reply

_GOES_OUT = ("intent", "doing", "sent", "filed", "unknown")
_UNDER_WAY = (
    select(auto_reply)
    .where(auto_reply.c.account == bindparam("account"), auto_reply.c.state.in_(("intent", "doing", "sent")))
    .order_by(auto_reply.c.id)
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt. `valid_until` is when the day it promises is over, None where it promises none that counts."""

    account: str
    mail_id: int
    case_id: str
    sender: str
    message_id: str
    raw: bytes
    valid_until: datetime | None = None
    id: int = 0
    state: str = "intent"
    created_at: datetime | None = None


def intend(tx: Connection, receipts: Sequence[Receipt], *, now: datetime) -> None:
    """Keep the intent to send these."""
    for one in receipts:
        values = {
            "account": one.account,
            "mail_id": one.mail_id,
            "case_id": one.case_id,
            "sender": one.sender,
            "message_id": one.message_id,
            "raw": one.raw,
            "valid_until": one.valid_until,
        }
        tx.execute(insert(auto_reply), values | {"state": "intent", "created_at": now})


def may_begin(
    tx: Connection, account: str, case_id: str, sender: str, *, since: datetime, day: datetime, most_a_day: int
) -> bool:
    """True if this case had none, this sender none since then, and the day's number is not reached."""
    mine = auto_reply.c.account == account
    if tx.execute(select(auto_reply.c.id).where(auto_reply.c.case_id == case_id)).first() is not None:
        return False
    goes_out = auto_reply.c.state.in_(_GOES_OUT)
    of_sender = (mine, auto_reply.c.sender == sender, auto_reply.c.created_at > since, goes_out)
    if tx.execute(select(auto_reply.c.id).where(*of_sender).limit(1)).first() is not None:
        return False
    of_day = select(func.count()).select_from(auto_reply).where(mine, auto_reply.c.created_at > day, goes_out)
    return tx.execute(of_day).scalar_one() < most_a_day


def under_way(tx: Connection, account: str) -> list[Receipt]:
    """Those that are to be sent, are being sent, or are not filed yet."""
    return [_receipt(row) for row in tx.execute(_UNDER_WAY, {"account": account})]


def take(tx: Connection, receipt_id: int, *, now: datetime) -> bool:
    """Its body is about to leave: from here on it is never begun again."""
    return _change(tx, receipt_id, ("intent",), {"state": "doing", "begun_at": now})


def back(tx: Connection, receipt_id: int) -> bool:
    """Not accepted for sure: it may be begun once more."""
    return _change(tx, receipt_id, ("doing",), {"state": "intent", "begun_at": None})


def end(tx: Connection, receipt_id: int, state: str, *, now: datetime) -> bool:
    """What became of it: sent, filed, failed or unknown. Its words are kept only until they lie in Sent."""
    before = {"sent": ("doing",), "filed": ("sent",), "failed": ("intent", "doing"), "unknown": ("doing",)}[state]
    values: dict[str, Any] = {"state": state, "ended_at": now}
    return _change(tx, receipt_id, before, values if state == "sent" else values | {"raw": b""})


def _change(tx: Connection, receipt_id: int, before: Sequence[str], values: dict[str, Any]) -> bool:
    its_row = (auto_reply.c.id == receipt_id, auto_reply.c.state.in_(before))
    return bool(tx.execute(update(auto_reply).where(*its_row).values(**values)).rowcount)


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(
        account=row.account,
        mail_id=row.mail_id,
        case_id=row.case_id,
        sender=row.sender,
        message_id=row.message_id,
        raw=row.raw,
        valid_until=row.valid_until,
        id=row.id,
        state=row.state,
        created_at=row.created_at,
    )
