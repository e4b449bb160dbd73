"""Buyers whom staff were asked to call: one row for each order and matter, ever.

open -> done (staff say so, or the buyer has answered)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from responder.edges.journal.tables import IN_ONE_QUERY, case, draft, mail, phone_call
from responder.model import Reason

_OUT = ("sent", "filed", "sent_by_staff")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was asked for: about which order and matter, and why."""

    id: int
    order_key: str
    order_id: str
    matter: str
    case_id: str
    buyer: str
    why: tuple[Reason, ...]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice that asked a buyer to wait or to cancel, and when it went out."""

    case_id: str
    buyer: str
    order_id: str
    template: str
    sent_at: datetime


def ask(
    tx: Connection,
    account: str,
    order_key: str,
    matter: str,
    *,
    order_id: str,
    case_id: str,
    why: Sequence[Reason],
    now: datetime,
) -> int | None:
    """Ask for a call; its id, or None where one was asked for before."""
    known = select(phone_call.c.id).where(phone_call.c.order_key == order_key, phone_call.c.matter == matter)
    if tx.execute(known).first() is not None:
        return None
    values = {
        "account": account,
        "order_key": order_key,
        "order_id": order_id,
        "matter": matter,
        "case_id": case_id,
        "why": [[one.code, dict(one.args)] for one in why],
        "asked_at": now,
    }
    return int(tx.execute(insert(phone_call).values(**values).returning(phone_call.c.id)).scalar_one())


def still_open(tx: Connection, account: str, since: datetime) -> list[Call]:
    """The calls asked for since then that are not done, oldest first."""
    rows = tx.execute(
        select(phone_call, case.c.buyer)
        .select_from(phone_call.join(case, phone_call.c.case_id == case.c.id))
        .where(phone_call.c.account == account, phone_call.c.asked_at >= since, phone_call.c.done_at.is_(None))
        .order_by(phone_call.c.id)
    )
    return [_call(row) for row in rows]


def done(tx: Connection, call_ids: Sequence[int], *, now: datetime) -> None:
    """These need no call any more."""
    if call_ids:
        tx.execute(
            update(phone_call)
            .where(phone_call.c.id.in_(list(call_ids)), phone_call.c.done_at.is_(None))
            .values(done_at=now)
        )


def unanswered(
    tx: Connection, account: str, templates: Sequence[str], *, since: datetime, until: datetime
) -> list[Asked]:
    """The notices of these templates that went out between these times, by machine or by staff, and for whose order and
    matter no call was asked for."""
    went_out = func.coalesce(draft.c.sent_at, draft.c.ended_at)
    rows = tx.execute(
        select(draft.c.case_id, case.c.buyer, draft.c.order_id, draft.c.template, went_out.label("sent_at"))
        .select_from(draft.join(case, draft.c.case_id == case.c.id))
        .where(
            draft.c.account == account,
            draft.c.state.in_(_OUT),
            draft.c.situation.in_(list(templates)),
            draft.c.order_id.is_not(None),
            went_out > since,
            went_out <= until,
            draft.c.case_id.not_in(select(phone_call.c.case_id).where(phone_call.c.account == account)),
        )
        .order_by(draft.c.id)
    )
    return [Asked(row.case_id, row.buyer, row.order_id, row.template, row.sent_at) for row in rows]


def last_mails(
    tx: Connection, account: str, buyers: Sequence[str], since: datetime
) -> Mapping[str, tuple[tuple[str | None, datetime], ...]]:
    """When each of these buyers was last heard of since then, by the order he wrote about (None: not known which)."""
    found: dict[str, list[tuple[str | None, datetime]]] = {}
    several = list(dict.fromkeys(buyers))
    for start in range(0, len(several), IN_ONE_QUERY):
        rows = tx.execute(
            select(mail.c.sender, mail.c.order_id, func.max(mail.c.seen_at).label("last"))
            .where(
                mail.c.account == account,
                mail.c.seen_at >= since,
                mail.c.sender.in_(several[start : start + IN_ONE_QUERY]),
            )
            .group_by(mail.c.sender, mail.c.order_id)
        )
        for row in rows:
            found.setdefault(row.sender, []).append((row.order_id, row.last))
    return {buyer: tuple(when) for buyer, when in found.items()}


def _call(row: Row[Any]) -> Call:
    why = tuple(Reason.of(code, **args) for code, args in row.why)
    return Call(row.id, row.order_key, row.order_id, row.matter, row.case_id, row.buyer, why, row.asked_at)
