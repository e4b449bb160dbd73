"""May this be said of this order? What contradicts its state, or may not go to its buyer, is not written."""

from __future__ import annotations

import unicodedata
from datetime import datetime, tzinfo
from typing import Protocol

from responder.core.dates import day_of
from responder.core.owed.when import when_from
from responder.core.owed.wish import Wish
from responder.model import Order, Reason


class Channel(Protocol):
    """What is looked at of a channel."""

    @property
    def name(self) -> str: ...
    @property
    def allows_care(self) -> bool: ...


def why_not(wish: Wish, order: Order, channel: Channel, *, now: datetime, timezone: tzinfo) -> Reason | None:
    """Why this order's buyer is not to be told this, or None."""
    if order.doubts or order.problems:
        return Reason.of("owed_order_doubtful")
    if order.is_shipped and not (wish.matter == "delay" and order.status == "shipped"):
        return Reason.of("owed_is_shipped", status=order.status)
    if order.status == "cancelled" and wish.matter not in ("sold_out", "restock_notice", "care"):
        return Reason.of("owed_is_cancelled")
    if wish.matter == "care" and order.status not in ("cancelled", "out_of_stock"):
        return Reason.of("owed_care_not_cancelled", status=order.status)
    if wish.matter in ("care", "restock_notice") and not channel.allows_care:
        return Reason.of("owed_channel_forbids", channel=channel.name)
    today = day_of(now, timezone)
    for name, said in (("restock_date", wish.restock), ("new_ship_date", wish.ship), ("answer_by", wish.answer_by)):
        when = when_from(said, today) if said else None
        if said and when is None:
            return Reason.of("owed_no_day", name=name, found=said)
        if when is not None and when.last < today:
            return Reason.of("owed_day_is_over", name=name, found=said)
    if wish.items and not affected(wish, order):
        return Reason.of("owed_no_such_item", found=", ".join(wish.items))
    return None


def affected(wish: Wish, order: Order) -> tuple[int, ...]:
    """Which lines of the order are meant, by their place; all of them where the wish names none."""
    if not wish.items:
        return tuple(range(len(order.items)))
    wanted = {item_key(word) for word in wish.items}
    return tuple(n for n, one in enumerate(order.items) if wanted & {item_key(one.sku), item_key(one.name)} - {""})


def item_key(word: str) -> str:
    """The form in which items are compared: width, case and blanks do not count."""
    return "".join(unicodedata.normalize("NFKC", word).casefold().split())
