"""Cases: one buyer's matter, found again by the message ids of its thread or by its buyer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from responder.edges.journal.tables import case, case_key, event
from responder.model import Case


def open_case(
    tx: Connection,
    *,
    case_id: str,
    account: str,
    buyer: str,
    channel: str,
    order_id: str | None,
    language: str,
    deadline_at: datetime | None,
    now: datetime,
) -> None:
    """Begin a case for one buyer's matter."""
    tx.execute(
        insert(case).values(
            id=case_id,
            account=account,
            state="open",
            buyer=buyer,
            channel=channel,
            order_id=order_id,
            language=language,
            opened_at=now,
            deadline_at=deadline_at,
        )
    )


def add_keys(tx: Connection, account: str, case_id: str, keys: Iterable[str]) -> None:
    """Tie message ids to a case; a key that named an older case of the thread names this one from now on."""
    for key in dict.fromkeys(keys):
        changed = tx.execute(
            update(case_key).where(case_key.c.account == account, case_key.c.key == key).values(case_id=case_id)
        ).rowcount
        if not changed:
            tx.execute(insert(case_key).values(account=account, key=key, case_id=case_id))


def by_keys(tx: Connection, account: str, keys: Sequence[str]) -> dict[str, str]:
    """Key to case id, for those of the keys that are known."""
    if not keys:
        return {}
    rows = tx.execute(
        select(case_key.c.key, case_key.c.case_id).where(case_key.c.account == account, case_key.c.key.in_(keys))
    )
    return {row.key: row.case_id for row in rows}


def find(tx: Connection, case_id: str) -> Case | None:
    """The case with this id."""
    row = tx.execute(select(case).where(case.c.id == case_id)).one_or_none()
    return _case(row) if row is not None else None


def open_of_buyer(tx: Connection, account: str, buyer: str) -> list[Case]:
    """The open cases of one buyer's address (case-folded), newest first."""
    rows = tx.execute(
        select(case)
        .where(case.c.account == account, case.c.buyer == buyer, case.c.state == "open")
        .order_by(case.c.opened_at.desc())
    )
    return [_case(row) for row in rows]


def learn(tx: Connection, case_id: str, *, order_id: str | None, language: str) -> None:
    """A later mail of the case told which order it is about, or changed its language."""
    values: dict[str, Any] = {"language": language}
    if order_id is not None:
        values["order_id"] = order_id
    tx.execute(update(case).where(case.c.id == case_id).values(values))


def close(tx: Connection, case_id: str, outcome: str, *, now: datetime) -> None:
    """End a case: sent, sent_by_staff, discarded ..."""
    tx.execute(
        update(case)
        .where(case.c.id == case_id, case.c.state == "open")
        .values(state="closed", outcome=outcome, closed_at=now)
    )


def reopen(tx: Connection, case_id: str) -> None:
    """A closed case is open again: staff took up its draft once more."""
    tx.execute(update(case).where(case.c.id == case_id).values(state="open", outcome=None, closed_at=None))


def count_open(tx: Connection, account: str) -> int:
    """How many cases of the account wait for something."""
    return tx.execute(
        select(func.count()).select_from(case).where(case.c.account == account, case.c.state == "open")
    ).scalar_one()


def record(
    tx: Connection, account: str, kind: str, *, now: datetime, case_id: str | None = None, **detail: object
) -> None:
    """One line of the case's story: ids, codes and numbers, never words of a buyer."""
    tx.execute(insert(event).values(at=now, account=account, case_id=case_id, kind=kind, detail=detail))


def events(tx: Connection, account: str, kind: str | None = None) -> list[dict[str, Any]]:
    """The recorded lines of an account in order, of one kind or of all."""
    query = select(event).where(event.c.account == account).order_by(event.c.id)
    if kind is not None:
        query = query.where(event.c.kind == kind)
    return [dict(row._mapping) for row in tx.execute(query)]


def _case(row: Row[Any]) -> Case:
    return Case(
        id=row.id,
        account=row.account,
        state=row.state,
        outcome=row.outcome,
        buyer=row.buyer,
        channel=row.channel,
        order_id=row.order_id,
        language=row.language,
        opened_at=row.opened_at,
        deadline_at=row.deadline_at,
    )
