"""What the shop's policy has granted to whom. An order gets something once, ever."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from responder.edges.journal.tables import perk


def may_have(
    tx: Connection,
    order_key: str,
    buyer: str,
    name: str,
    *,
    buyer_since: datetime | None,
    month_since: datetime,
    most_a_month: int | None,
) -> bool:
    """True if the policy still grants it: nothing yet for this order, nothing for this buyer since `buyer_since` (None:
    ever), and fewer than `most_a_month` of its name since `month_since`."""
    if tx.execute(select(perk.c.id).where(perk.c.order_key == order_key)).first() is not None:
        return False
    had = select(perk.c.id).where(perk.c.buyer == buyer)
    if buyer_since is not None:
        had = had.where(perk.c.at >= buyer_since)
    if buyer and tx.execute(had.limit(1)).first() is not None:
        return False
    if most_a_month is None:
        return True
    count = select(func.count()).select_from(perk).where(perk.c.name == name, perk.c.at >= month_since)
    return bool(tx.execute(count).scalar_one() < most_a_month)


def give(tx: Connection, account: str, order_key: str, buyer: str, name: str, *, now: datetime) -> None:
    """It stands in a draft from now on."""
    values = {"account": account, "order_key": order_key, "buyer": buyer, "name": name, "at": now}
    tx.execute(insert(perk).values(**values))
