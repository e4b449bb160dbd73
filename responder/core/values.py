"""What a template may speak of: the order, the buyer, the shop, days, tracking, refund, and facts behind claims.

Every value is text that is already cleaned, so a buyer's words can bring no line break, no mark and no template
syntax with them. A value the data do not hold is a visible blank. What a text touched of the order is recorded: that
is what it relies on. Nothing here promises: a claim is true only where its fact is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

from responder.core.addresses import clean
from responder.core.dates import Calendar, day_of, written
from responder.core.facts import load
from responder.core.refunds import Refunds, refunds_from
from responder.core.wording import Catalog
from responder.model import Item, Language, Order

OFF_WORDS = frozenset({"", "0", "off", "no", "false", "none", "いいえ", "オフ"})

_TEXTS: Mapping[str, Callable[[Order], str]] = {
    "order_id": lambda o: o.order_id,
    "channel": lambda o: o.channel,
    "status_word": lambda o: o.status_word,
    "buyer_name": lambda o: o.buyer_name,
    "payment": lambda o: o.payment,
    "carrier": lambda o: o.carrier,
    "tracking_no": lambda o: o.tracking_no,
}
_DATES: Mapping[str, Callable[[Order], datetime | None]] = {
    "ordered_at": lambda o: o.ordered_at,
    "paid_at": lambda o: o.paid_at,
    "ship_by": lambda o: o.ship_by,
    "shipped_at": lambda o: o.shipped_at,
    "eta": lambda o: o.eta,
}
_FLAGS: Mapping[str, Callable[[Order], bool]] = {
    "is_unpaid": lambda o: o.status == "unpaid",
    "is_preparing": lambda o: o.status == "preparing",
    "is_unshipped": lambda o: o.is_unshipped,
    "is_shipped": lambda o: o.is_shipped,
    "is_delivered": lambda o: o.status == "delivered",
    "is_cancelled": lambda o: o.status == "cancelled",
    "is_out_of_stock": lambda o: o.status == "out_of_stock",
}


class Shop(Protocol):
    """What composing needs to know of the shop."""

    @property
    def name(self) -> str: ...
    @property
    def language(self) -> Language: ...
    @property
    def timezone(self) -> tzinfo: ...
    @property
    def signature(self) -> str: ...
    @property
    def names(self) -> Mapping[Language, str]: ...
    @property
    def signatures(self) -> Mapping[Language, str]: ...
    @property
    def policy(self) -> Mapping[str, str]: ...


class Missing(str):
    """A value the data do not hold: a visible blank where it is written, false where it is asked for."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


class Word(str):
    """A policy word: false where it says off, no or nothing."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self.casefold().strip() not in OFF_WORDS


@dataclass
class View:
    """One rendering: who reads, what day it is, and what the text has touched so far."""

    language: Language
    variant: str
    shop_language: Language
    timezone: tzinfo
    now: datetime
    calendar: Calendar
    wording: Catalog
    touched: dict[str, str] = field(default_factory=dict)
    promised: list[date] = field(default_factory=list)

    @property
    def today(self) -> date:
        return day_of(self.now, self.timezone)

    def blank(self, name: str) -> Missing:
        """The blank for a field, named in the shop's language: staff fill it in."""
        return Missing(f"【要確認: {self.wording.label(name, self.shop_language)}】")

    def text(self, value: str, name: str) -> str:
        """A value as one clean line, or the blank."""
        cleaned = one_line(value)
        return cleaned or self.blank(name)

    def day(self, day: date, *, promise: bool = False) -> str:
        """A date for the reader. A promised one bounds how long the text stays true."""
        if promise:
            self.promised.append(day)
        return written(day, self.language, self.today)


def one_line(value: str, limit: int = 200) -> str:
    """A value from outside as one line without control marks, template syntax or the brackets of a blank."""
    text = re.sub(r"\{\{|\}\}|\{%|%\}|\{#|#\}|[【】]", " ", clean(value[: limit * 4]))
    text = re.sub(r"[ \t]+", " ", text).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


@cache
def _shipped_refunds() -> Refunds:
    return refunds_from((load("refunds"),))


def fact_text(order: Order | None, name: str) -> str:
    """One order fact as text, the form in which facts are compared. "" for what the data do not say."""
    if order is None:
        return ""
    if name in _TEXTS:
        return _TEXTS[name](order)
    if name in _DATES:
        moment = _DATES[name](order)
        return moment.isoformat() if moment else ""
    if name in _FLAGS:
        return "yes" if _FLAGS[name](order) else "no"
    match name:
        case "status":
            return order.status
        case "total":
            return f"{order.total} {order.currency}" if order.total is not None else ""
        case "items":
            return "; ".join(f"{item.name} x{item.quantity}" for item in order.items)
        case "money":
            return "unpaid" if order.status == "unpaid" else "paid"
        case "refunded":
            return "yes" if _shipped_refunds().is_refunded(order) else "no"
    if name.startswith("extra."):
        return order.extra.get(name.removeprefix("extra."), "")
    return ""


class OrderValues:
    """The order as templates see it. Reading a field records it as a fact the text relies on."""

    FIELDS = frozenset(
        {*_TEXTS, *_DATES, *_FLAGS, "status", "total", "items", "item", "extra", "is_late", "ships_today"}
    )

    def __init__(self, order: Order | None, view: View, refunds: Refunds) -> None:
        self._order = order
        self._view = view
        self._refunds = refunds

    def touch(self, *names: str) -> None:
        """Record facts as relied on."""
        if self._order is not None:
            for name in names:
                self._view.touched[name] = fact_text(self._order, name)

    def __bool__(self) -> bool:
        return self._order is not None

    def __getattr__(self, name: str) -> Any:
        if name not in self.FIELDS:
            raise AttributeError(name)
        order, view = self._order, self._view
        if name == "extra":
            return ExtraValues(self, order, view)
        if name == "is_late":
            return self._is_late()
        if name == "ships_today":
            return self._ships_today()
        self.touch("items" if name == "item" else name)
        if name in _FLAGS:
            return order is not None and _FLAGS[name](order)
        if name == "items":
            return tuple(ItemValues(item, view) for item in (order.items if order else ()))
        if order is None:
            return view.blank("items" if name == "item" else name)
        if name == "payment":
            return view.text(self._refunds.payment_name(order.payment, view.variant), name)
        if name in _TEXTS:
            return view.text(_TEXTS[name](order), name)
        if name in _DATES:
            return self._date(name, _DATES[name](order))
        match name:
            case "status":
                return Word("" if order.status == "unknown" else order.status)
            case "total":
                return money(order.total, order.currency, view.language) or view.blank("total")
            case _:
                return self._item(order)

    def _date(self, name: str, moment: datetime | None) -> str:
        if moment is None:
            return self._view.blank(name)
        try:
            day = day_of(moment, self._view.timezone)
        except (OverflowError, ValueError):
            return self._view.blank(name)
        ahead = name in ("ship_by", "eta") and day >= self._view.today
        if ahead:
            self.touch("is_out_of_stock", "is_cancelled")
        return self._view.day(day, promise=ahead)

    def _item(self, order: Order) -> str:
        if not order.items:
            return self._view.blank("items")
        first = self._view.text(order.items[0].name, "items")
        more = len(order.items) - 1
        if not more:
            return first
        match self._view.language:
            case "ja":
                return f"{first} ほか{more}点"
            case "zh":
                return f"{first} 等{more + 1}件"
            case "en":
                return f"{first} and {more} more item{'s' if more > 1 else ''}"

    def _is_late(self) -> bool:
        order, view = self._order, self._view
        if order is None:
            return False
        name = "ship_by" if order.is_unshipped else "eta"
        self.touch(name, "is_shipped")
        due = _DATES[name](order)
        if due is None or order.status in ("delivered", "cancelled"):
            return False
        try:
            return day_of(due, view.timezone) < view.today
        except (OverflowError, ValueError):
            return False

    def _ships_today(self) -> bool:
        order, view = self._order, self._view
        if order is None or order.ship_by is None or not order.is_unshipped:
            return False
        try:
            if day_of(order.ship_by, view.timezone) != view.today:
                return False
        except (OverflowError, ValueError):
            return False
        self.touch("ship_by", "is_shipped", "is_out_of_stock", "is_cancelled")
        view.promised.append(view.today)
        return True


class ExtraValues:
    """The order's unknown columns under their headers: `order.extra.gift_wrap` or `order.extra["配達時間"]`."""

    def __init__(self, owner: OrderValues, order: Order | None, view: View) -> None:
        self._owner = owner
        self._order = order
        self._view = view

    def __getitem__(self, name: str) -> str:
        self._owner.touch(f"extra.{name}")
        value = self._order.extra.get(name, "") if self._order else ""
        return one_line(value) or self._view.blank(one_line(name, 60))

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]


class ItemValues:
    """One line of the order."""

    FIELDS = frozenset({"name", "sku", "quantity"})

    def __init__(self, item: Item, view: View) -> None:
        self.name = view.text(item.name, "items")
        self.sku = view.text(item.sku, "sku")
        self.quantity = item.quantity


def money(amount: Decimal | None, currency: str, language: Language) -> str:
    """An amount as the reader writes it, or "" where it is not known."""
    if amount is None or not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        return ""
    code = one_line(currency, 8).upper()
    if code in ("JPY", "KRW", "TWD") or amount == amount.to_integral_value():
        number = f"{amount.quantize(Decimal(1)):,}"
    else:
        number = f"{amount.quantize(Decimal('0.01')):,}"
    match (code, language):
        case ("JPY", "ja"):
            return f"{number}円"
        case ("JPY", "zh"):
            return f"{number}日元"
        case ("", _):
            return number
        case _:
            return f"{code} {number}"
