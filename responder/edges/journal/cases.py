"""Cases: one buyer's matter, found again by the message ids of its thread or by its buyer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from responder.edges.journal.tables import IN_ONE_QUERY, case, case_key, event
from responder.model import Case

# Statements of every turn are built once: to build one costs more than to run it.
_BY_KEYS = select(case_key.c.key, case_key.c.case_id).where(
    case_key.c.account == bindparam("account"), case_key.c.key.in_(bindparam("keys", expanding=True))
)
_RETIE = (
    update(case_key)
    .where(case_key.c.account == bindparam("its_account"), case_key.c.key == bindparam("its_key"))
    .values(case_id=bindparam("case_id"))
)
_KNOWN_BUYERS = select(case.c.buyer).where(
    case.c.account == bindparam("account"), case.c.buyer.in_(bindparam("buyers", expanding=True))
)
_BY_ID = select(case).where(case.c.id == bindparam("its_id"))
_CLOSE = (
    update(case)
    .where(case.c.id == bindparam("its_id"), case.c.state == "open")
    .values(
        state="closed", outcome=bindparam("outcome"), closed_at=bindparam("closed_at"), look_at=bindparam("look_at")
    )
)
_MAY_ASK = ("sent", "sent_by_staff")
LOOK_AFTER_CLOSING = timedelta(hours=1)
"""A little later, so that what was sent together is looked at together."""


def open_cases(tx: Connection, new: Sequence[Case]) -> None:
    """Begin these cases."""
    if new:
        tx.execute(
            insert(case),
            [
                {
                    "id": one.id,
                    "account": one.account,
                    "state": one.state,
                    "buyer": one.buyer,
                    "channel": one.channel,
                    "order_id": one.order_id,
                    "language": one.language,
                    "opened_at": one.opened_at,
                    "deadline_at": one.deadline_at,
                    "look_at": one.look_at,
                }
                for one in new
            ],
        )


def add_keys(tx: Connection, account: str, case_id: str, keys: Iterable[str]) -> None:
    """Tie message ids to one case, as `tie` does."""
    tie(tx, account, dict.fromkeys(keys, case_id))


def tie(tx: Connection, account: str, case_of_key: Mapping[str, str]) -> None:
    """Tie message ids to cases; an id that named an older case of the thread names this one from now on."""
    known = by_keys(tx, account, list(case_of_key))
    changed = [
        {"its_account": account, "its_key": key, "case_id": case_of_key[key]}
        for key, case_id in known.items()
        if case_of_key[key] != case_id
    ]
    if changed:
        tx.execute(_RETIE, changed)
    new = [{"account": account, "key": k, "case_id": case_id} for k, case_id in case_of_key.items() if k not in known]
    if new:
        tx.execute(insert(case_key), new)


def by_keys(tx: Connection, account: str, keys: Sequence[str]) -> dict[str, str]:
    """Key to case id, for those of the keys that are known."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), IN_ONE_QUERY):
        rows = tx.execute(_BY_KEYS, {"account": account, "keys": list(keys[start : start + IN_ONE_QUERY])})
        found |= {row.key: row.case_id for row in rows}
    return found


def find(tx: Connection, case_id: str) -> Case | None:
    """The case with this id."""
    row = tx.execute(_BY_ID, {"its_id": case_id}).one_or_none()
    return read_case(row) if row is not None else None


def open_of_buyer(tx: Connection, account: str, buyer: str) -> list[Case]:
    """The open cases of one buyer's address (case-folded), newest first."""
    rows = tx.execute(
        select(case)
        .where(case.c.account == account, case.c.buyer == buyer, case.c.state == "open")
        .order_by(case.c.opened_at.desc())
    )
    return [read_case(row) for row in rows]


def known_buyers(tx: Connection, account: str, buyers: Sequence[str]) -> set[str]:
    """Those of the addresses (case-folded) for whom there ever was a case."""
    found: set[str] = set()
    for start in range(0, len(buyers), IN_ONE_QUERY):
        some = list(buyers[start : start + IN_ONE_QUERY])
        found.update(tx.execute(_KNOWN_BUYERS, {"account": account, "buyers": some}).scalars())
    return found


def learn(tx: Connection, case_id: str, *, order_id: str | None, language: str) -> None:
    """A later mail of the case told which order it is about, or changed its language."""
    values: dict[str, Any] = {"language": language}
    if order_id is not None:
        values["order_id"] = order_id
    tx.execute(update(case).where(case.c.id == case_id).values(values))


def close(tx: Connection, case_id: str, outcome: str, *, now: datetime) -> None:
    """End a case: sent, sent_by_staff, discarded ... What is to come after its end (a question that nobody answers) is
    the clock's to find."""
    look_at = now + LOOK_AFTER_CLOSING if outcome in _MAY_ASK else None
    tx.execute(_CLOSE, {"its_id": case_id, "outcome": outcome, "closed_at": now, "look_at": look_at})


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
    record_all(tx, account, [(kind, case_id, detail)], now=now)


def record_all(
    tx: Connection, account: str, lines: Sequence[tuple[str, str | None, Mapping[str, object]]], *, now: datetime
) -> None:
    """Many lines at once, each of a kind, a case id or None, and its detail."""
    tx.execute(
        insert(event),
        [
            {"at": now, "account": account, "case_id": case_id, "kind": kind, "detail": dict(detail)}
            for kind, case_id, detail in lines
        ],
    )


def events(tx: Connection, account: str, kind: str | None = None) -> list[dict[str, Any]]:
    """The recorded lines of an account in order, of one kind or of all."""
    query = select(event).where(event.c.account == account).order_by(event.c.id)
    if kind is not None:
        query = query.where(event.c.kind == kind)
    return [dict(row._mapping) for row in tx.execute(query)]


def formal_cancels(tx: Connection, case_ids: Sequence[str]) -> set[str]:
    """Those of the cases in which the buyer asked through the marketplace's own form."""
    found: set[str] = set()
    for start in range(0, len(case_ids), IN_ONE_QUERY):
        some = list(case_ids[start : start + IN_ONE_QUERY])
        rows = tx.execute(
            select(event.c.case_id, event.c.detail).where(event.c.kind == "mail_draft", event.c.case_id.in_(some))
        )
        found.update(row.case_id for row in rows if row.detail.get("formal"))
    return found


def read_case(row: Row[Any]) -> Case:
    """The case of a row."""
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
        look_at=row.look_at,
        looked_at=row.looked_at,
    )
