"""Order numbers that senders named in vain, counted for a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from responder.edges.journal.tables import IN_ONE_QUERY, lookup

KEPT = timedelta(days=2)

_FAILED = (
    select(lookup.c.sender, func.sum(lookup.c.failed).label("failed"))
    .where(
        lookup.c.account == bindparam("account"),
        lookup.c.sender.in_(bindparam("senders", expanding=True)),
        lookup.c.at >= bindparam("since"),
    )
    .group_by(lookup.c.sender)
)


def count(tx: Connection, account: str, failed: Mapping[str, int], *, now: datetime) -> None:
    """These senders have named so many numbers in vain. What is older than two days is forgotten."""
    if failed:
        tx.execute(delete(lookup).where(lookup.c.account == account, lookup.c.at < now - KEPT))
        rows = [
            {"account": account, "sender": sender, "at": now, "failed": number} for sender, number in failed.items()
        ]
        tx.execute(insert(lookup), rows)


def failed_since(tx: Connection, account: str, senders: Sequence[str], since: datetime) -> dict[str, int]:
    """How many numbers each of these senders has named in vain since then; senders without any are left out."""
    found: dict[str, int] = {}
    for start in range(0, len(senders), IN_ONE_QUERY):
        values = {"account": account, "senders": list(senders[start : start + IN_ONE_QUERY]), "since": since}
        found |= {row.sender: int(row.failed) for row in tx.execute(_FAILED, values)}
    return found
