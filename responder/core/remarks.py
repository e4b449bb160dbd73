"""What staff have to do before they approve a draft, and what they should know of it: the lines of its note.

Only what is known is said: who pays back by the refund table, where the order is cancelled by the channel's data, how
old the order data are by their source. A draft of which there is nothing to do or to know has no lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from unicodedata import normalize

from responder.core.channels import Channel
from responder.core.facts import load
from responder.core.order_data import WORTH_TELLING_H, age_h, placed_on
from responder.core.refunds import Refunds
from responder.core.values import one_line
from responder.core.wording import Catalog
from responder.model import Decision, Language, Order, Reason


def _folded(name: str) -> str:
    return "".join(normalize("NFKC", name).casefold().replace("-", " ").replace("_", " ").split())


_BY_ORDER = frozenset({"address_in_admin", "cancel_steps_sent"})
_MONEY = frozenset(
    {
        *("card", "debit", "wallet", "transfer", "later_bill", "deferred", "points", "nothing_paid", "do_not_pay"),
        *("not_charged", "amazon_prepaid_possible", "rakuten", "refunded"),
    }
)
"""The refund sentences for which there are words of what staff do about the money."""
OF_THE_BUYER = frozenset({"angry_buyer", "call_number"})
"""The lines that are about the buyer, not about a draft."""
_PHONES: tuple[tuple[str, ...], ...] = tuple(tuple(map(_folded, group)) for group in load("calls")["phone"])


def channel_of_order(decision: Decision, channels: Sequence[Channel], spoken_on: Channel) -> Channel:
    """Where the order was placed, which is where it is cancelled: not always where the buyer wrote."""
    name = placed_on(decision.order, decision.channel)
    return next((channel for channel in channels if channel.name == name), spoken_on)


def to_do(decision: Decision, place: Channel, refunds: Refunds) -> tuple[Reason, ...]:
    """What the rule asks of staff, one line each, with the page, the order and the money filled in. `place` is the
    channel the order was placed on."""
    page = place.order_page or place.admin_page
    about = {"order": decision.order_id or "-", "page": page}
    found: list[Reason] = []
    for name in (decision.note or "").split("\n"):
        if name == "cancel_in_admin":
            found += _cancelling(decision, place, refunds, about)
        elif name in _BY_ORDER:
            found.append(Reason.of(name, **about))
        elif name:
            found.append(Reason.of(name))
            order = decision.order
            if name == "angry_buyer" and order is not None and (phone := phone_of(order)):
                found.append(Reason.of("call_number", name=one_line(order.buyer_name, 60) or "-", phone=phone))
    return tuple(found)


def phone_of(order: Order) -> str:
    """The buyer's telephone number as the order data write it, or ""."""
    known = {_folded(name): value.strip() for name, value in order.extra.items()}
    for group in _PHONES:
        parts = [one_line(known.get(name, ""), 30) for name in group]
        if all(parts):
            return "-".join(parts)
    return ""


def _cancelling(decision: Decision, place: Channel, refunds: Refunds, about: dict[str, str]) -> list[Reason]:
    """Cancel, see to the money, and keep the goods back."""
    order = decision.order
    if decision.is_formal:
        lines = [Reason.of("accept_request_in_admin", **about)]
    else:
        lines = [Reason.of("cancel_in_admin", **about)]
    sentence = refunds.sentence(order, placed_on(order, decision.channel)) if order is not None else ""
    lines.append(Reason.of(f"money_{sentence}" if sentence in _MONEY else "money_unknown"))
    if order is not None and order.status == "preparing":
        lines.append(Reason.of("stop_goods", **about))
    return lines


def old_state(order: Order | None, place: Channel, now: datetime) -> Reason | None:
    """The line that asks staff to look the order up: it counts as not shipped by data from yesterday or before."""
    age = None if order is None else age_h(order, now)
    if order is None or age is None or age < WORTH_TELLING_H or not order.is_unshipped:
        return None
    page = place.order_page or place.admin_page
    return Reason.of("look_up_order", order=order.order_id, page=page, hours=round(age))


def data_line(order: Order | None, now: datetime, zone: tzinfo) -> Reason | None:
    """Where the order's state was read, and of when that is; None where nobody knows."""
    origin = None if order is None else order.origin("status")
    if origin is None or origin.as_of is None or not origin.source:
        return None
    return Reason.of(
        "order_data_from",
        source=origin.source.replace("\\", "/").rpartition("/")[2] if "://" not in origin.source else origin.source,
        moment=f"{origin.as_of.astimezone(zone):%Y-%m-%d %H:%M}",
        hours=max(0, round((now - origin.as_of).total_seconds() / 3600)),
    )


def lines(remarks: Sequence[Reason], wording: Catalog, language: Language) -> list[str]:
    """The remarks as staff read them, one a line; a text of several lines (how to speak with somebody) as it is."""
    found = []
    for remark in remarks:
        args = dict(remark.args)
        if "page" in args and not args["page"]:
            args["page"] = wording.text("label.admin_page", language)
        code = f"note.{remark.code}"
        if wording.has(code):
            text = wording.text(code, language, **args)
        else:
            text = wording.reason(remark, language) if remark.args else remark.code
        found.append(text if "\n" in text else f"- {text}")
    return found
