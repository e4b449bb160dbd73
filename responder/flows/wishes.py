"""From what staff ask for to wishes in the journal: which orders, which account, one batch. Opens no mailbox."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex

from responder.config import Settings
from responder.core.owed import Wish
from responder.core.owed.fits import item_key
from responder.edges.journal import owed
from responder.edges.orders import OrderBook
from responder.flows.notices import account_for
from responder.model import Order, order_key

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Unclear:
    """No orders were chosen: `known` are the items that may be meant, none if no open order holds it; `unlisted` where
    the sources cannot be listed."""

    known: tuple[str, ...] = ()
    unlisted: bool = False


def orders_with(book: OrderBook, word: str) -> tuple[str, tuple[Order, ...]] | Unclear:
    """The item that a SKU, a name or a part of a name means, and all open orders that hold it.

    A part of a name is enough only where one item alone has it. Raises: OrdersUnavailable.
    """
    listed = book.open_orders()
    if listed is None:
        return Unclear(unlisted=True)
    wanted = item_key(word)
    exact: list[Order] = []
    partly: dict[str, list[Order]] = {}
    names: dict[str, str] = {}
    for order in listed:
        keys = {item_key(text) for item in order.items for text in (item.sku, item.name)}
        if wanted and wanted in keys:
            exact.append(order)
            continue
        for item in order.items:
            key = item_key(item.name)
            names.setdefault(key, item.name)
            if wanted and wanted in key:
                partly.setdefault(key, []).append(order)
    if exact:
        return word, tuple(exact)
    if len(partly) == 1:
        ((key, found),) = partly.items()
        return names[key], tuple({order_key(order.order_id): order for order in found}.values())
    near = list(partly) or difflib.get_close_matches(wanted, list(names), n=MOST_SHOWN, cutoff=0.6)
    return Unclear(known=tuple(names[key] for key in near[:MOST_SHOWN]))


def new_batch() -> str:
    """A name for what comes in together."""
    return token_hex(8)


def wished(
    wish: Wish,
    orders: Mapping[str, Order],
    order_ids: Iterable[str],
    settings: Settings,
    *,
    source: str,
    batch: str,
    account: str | None = None,
) -> list[owed.Wished]:
    """The same wish for each of these orders, as the journal takes it. `orders` are the known ones by key."""
    rows = []
    for order_id in dict.fromkeys(order_ids):
        order = orders.get(order_key(order_id))
        name = account or (account_for(order, settings) if order is not None else settings.accounts[0]).name
        own = replace(wish, order_id=order.order_id if order is not None else order_id)
        rows.append(owed.Wished(name, *own.key, own.order_id, own.as_json(), source, batch))
    return rows
