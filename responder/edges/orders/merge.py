"""What several files say of one order becomes one order. Pure.

The newer file goes before the older; what it does not say stays as the older one has it. What cannot both be true of
one order is a doubt, and the order waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from responder.edges.orders.layouts import DATES, TEXTS
from responder.edges.orders.stored import codes_of
from responder.errors import Mistake
from responder.model import Order, Origin

ENDS = ("shipped", "delivered", "cancelled")
BEFORE_SHIPPING = ("unpaid", "paid", "preparing")
SAME = ("buyer_mail", "channel", "currency")
_FACTS = ("total", *DATES, *TEXTS, "items")


@dataclass(frozen=True, slots=True)
class Said:
    """What one export says of an order. `has_left`: the export lists all orders in that state, and the newest one no
    longer has this order."""

    order: Order
    has_left: bool = False


def merged(said: Sequence[Said]) -> Order:
    """One order out of what was said of it, the oldest first."""
    order: Order | None = None
    left: Order | None = None
    for one in said:
        told = one.order
        if one.has_left:
            left = told
            told = replace(told, status="unknown", status_word="")
        order = told if order is None else laid_over(order, told)
    if order is None:
        raise ValueError("nothing was said of the order")
    if left is not None and not order.status_word:
        args = (("order", left.order_id), ("status", left.status_word))
        doubt = Mistake(left.source, left.line, "", "no_longer_listed", args)
        doubts = (*order.doubts, doubt)
        order = replace(order, status_word=left.status_word, doubts=doubts, problems=codes_of(doubts))
    return order


def laid_over(before: Order, after: Order) -> Order:
    """What a newer file says, on top of an older one."""
    rests_on_after = bool(after.status_word) or not before.status_word
    base, other = (after, before) if rests_on_after else (before, after)
    changes: dict[str, Any] = {}
    origins = {**other.origins, **base.origins}
    for name in _FACTS:
        newer, older = getattr(after, name), getattr(before, name)
        says = after if newer not in (None, "", ()) else before
        if getattr(base, name) != getattr(says, name):
            changes[name] = newer if says is after else older
        if says is other and getattr(says, name) not in (None, "", ()):
            origin = says.origin(name)
            origins[name] = Origin(origin.source, origin.line, origin.as_of)
        elif says is base and name not in base.origins:
            origins.pop(name, None)
    doubts = [*before.doubts, *after.doubts]
    if after.status_word:
        doubts = [doubt for doubt in doubts if doubt.code != "unknown_status" or doubt in after.doubts]
    doubts += disagreements(before, after)
    doubts = list(dict.fromkeys(doubts))
    return replace(
        base,
        **changes,
        extra={**before.extra, **after.extra},
        cancel_asked=before.cancel_asked or after.cancel_asked,
        origins=origins,
        doubts=tuple(doubts),
        problems=codes_of(doubts),
    )


def disagreements(before: Order, after: Order) -> list[Mistake]:
    """The facts that cannot have changed that way, each with where it was read."""
    found = [
        (name, getattr(before, name), getattr(after, name))
        for name in SAME
        if getattr(before, name) and getattr(after, name)
        if getattr(before, name).casefold() != getattr(after, name).casefold()
    ]
    went_back = before.status in ENDS and after.status in BEFORE_SHIPPING
    if went_back or (before.status == "cancelled" and after.status in ("shipped", "delivered")):
        found.append(("status", before.status_word, after.status_word))
    mistakes = []
    for column, first, later in found:
        origin = before.origin(column)
        other = f"{origin.source}:{origin.line}"
        args = (("order", after.order_id), ("first", first), ("found", later), ("other", other))
        mistakes.append(Mistake(after.source, after.line, column, "orders_disagree", args))
    return mistakes
