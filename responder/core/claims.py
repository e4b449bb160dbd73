"""What a template may claim beyond the order's plain fields: tracking, refunds, facts, policy, and days.

Each claim is true only where the data or the shop's policy say so; else the template finds nothing to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from responder.core.addresses import clean_lines
from responder.core.dates import day_of, written
from responder.core.refunds import Refunds
from responder.core.tracking import Carrier, Home, carrier_of, parcel_number
from responder.core.values import OrderValues, View, Word
from responder.model import Order


class TrackingValues:
    """The parcel: number, carrier and the page that shows where it is. No page where the channel allows no links."""

    FIELDS = frozenset({"number", "carrier", "page", "days_min", "days_max", "days_far", "abroad", "letter_box"})

    def __init__(
        self, order: Order | None, owner: OrderValues, view: View, carriers: Mapping[str, Carrier], home: Home
    ) -> None:
        self._order = order
        self._owner = owner
        self._view = view
        self._carriers = carriers
        self._home = home
        self.links = True

    def __bool__(self) -> bool:
        self._owner.touch("tracking_no")
        return bool(self._order and parcel_number(self._order.tracking_no))

    def __getattr__(self, name: str) -> Any:
        if name not in self.FIELDS:
            raise AttributeError(name)
        order, view = self._order, self._view
        self._owner.touch("tracking_no", "carrier")
        carrier = carrier_of(order, self._carriers) if order else None
        match name:
            case "number":
                return view.text(order.tracking_no if order else "", "tracking_no")
            case "carrier":
                said = carrier.name(view.variant) if carrier else (order.carrier if order else "")
                return view.text(said, "carrier")
            case "page":
                number = parcel_number(order.tracking_no) if order else ""
                return carrier.page(number, view.variant) if carrier and number and self.links else ""
            case "days_min":
                return carrier.days[0] if carrier else 0
            case "abroad":
                return bool((carrier and carrier.abroad) or (order and self._home.is_abroad(order)))
            case "letter_box":
                return bool(carrier and carrier.letter_box)
            case "days_max":
                return carrier.days[1] if carrier else 0
            case _:
                return carrier.days_far if carrier else 0


class RefundValues:
    """Which refund sentence is true (`refund.sentence`, "" for silence), the method it is about, whether that is paid
    after delivery, and the day the money went back ("" where the data do not say)."""

    FIELDS = frozenset({"sentence", "method", "date", "paid_later"})

    def __init__(self, order: Order | None, owner: OrderValues, view: View, refunds: Refunds, channel: str) -> None:
        self._order = order
        self._owner = owner
        self._view = view
        self._refunds = refunds
        self._channel = channel

    def __bool__(self) -> bool:
        return bool(self.sentence)

    def __getattr__(self, name: str) -> Any:
        if name not in self.FIELDS:
            raise AttributeError(name)
        self._owner.touch("payment", "money")
        if self._order is None:
            return ""
        if name == "paid_later":
            return self._refunds.method(self._order.payment) in self._refunds.later
        if name == "method":
            return self._refunds.method(self._order.payment)
        if name == "date":
            return self._date(self._refunds.refunded_on(self._order))
        return self._refunds.sentence(self._order, self._channel)

    def _date(self, said: str) -> str:
        try:
            return self._view.day(date.fromisoformat(said[:10].replace("/", "-")))
        except ValueError:
            return ""


class FactValues:
    """What may be claimed. Each is true only where the order data say so.

    Only a claim that is made is recorded: the other wording ("we will cancel") stays true when its fact arrives.
    """

    FIELDS = frozenset({"cancelled", "refunded", "shipped", "shipped_today", "delivered", "paid"})

    def __init__(self, order: Order | None, owner: OrderValues, view: View, refunds: Refunds) -> None:
        self._order = order
        self._owner = owner
        self._view = view
        self._refunds = refunds

    def __getattr__(self, name: str) -> bool:
        if name not in self.FIELDS:
            raise AttributeError(name)
        order = self._order
        if order is None:
            return False
        match name:
            case "cancelled":
                return self._claimed(order.status == "cancelled", "is_cancelled")
            case "refunded":
                return self._claimed(self._refunds.is_refunded(order), "refunded")
            case "shipped":
                return self._claimed(order.is_shipped, "is_shipped")
            case "delivered":
                return self._claimed(order.status == "delivered", "is_delivered")
            case "paid":
                return self._claimed(self._refunds.is_paid(order), "money")
            case _:
                return self._shipped_today(order)

    def _shipped_today(self, order: Order) -> bool:
        if not order.is_shipped or order.shipped_at is None:
            return False
        today = self._view.today
        if day_of(order.shipped_at, self._view.timezone) != today:
            return False
        self._view.promised.append(today)
        return self._claimed(True, "is_shipped", "shipped_at")

    def _claimed(self, holds: bool, *names: str) -> bool:
        if holds:
            self._owner.touch(*names)
        return holds


class PolicyValues:
    """The shop's written policy by name: `policy.refuse_parcel`, the words for the reader's language
    (`refuse_parcel_en`) first. What it does not hold is false, or a blank."""

    def __init__(self, words: Mapping[str, str], view: View) -> None:
        self._words = words
        self._view = view

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):
            raise AttributeError(name)
        variant, language = self._view.variant, self._view.language
        for key in (f"{name}_{variant.replace('-', '_')}", f"{name}_{language}", name):
            value = clean_lines(self._words.get(key, "")).strip()
            if value:
                return Word(value)
        return self._view.blank(f"policy.{name}")

    def number(self, name: str) -> int:
        """A policy number such as `refund_days`, 0 where there is none."""
        word = self._words.get(name, "").strip()
        return int(word) if word.isascii() and word.isdigit() and len(word) <= 3 else 0


class AskedValues:
    """What the buyer asks for, by the names of topics: `asked.receipt`."""

    def __init__(self, asks: Collection[str]) -> None:
        self._asks = frozenset(asks)

    def __getattr__(self, name: str) -> bool:
        if name.startswith("_"):
            raise AttributeError(name)
        return name in self._asks


class DayValues:
    """Days that may be named: today, and by when the policy lets the shop promise something ("" where it does not)."""

    FIELDS = frozenset({"today", "today_with_year", "refund_by", "answer_by"})

    def __init__(self, view: View, policy: PolicyValues) -> None:
        self._view = view
        self._policy = policy

    def __getattr__(self, name: str) -> str:
        if name not in self.FIELDS:
            raise AttributeError(name)
        if name == "today":
            return self._view.day(self._view.today, promise=True)
        if name == "today_with_year":
            self._view.promised.append(self._view.today)
            return written(self._view.today, self._view.language)
        days = self._policy.number("refund_days" if name == "refund_by" else "answer_days")
        return self.in_business_days(days) if days else ""

    def in_business_days(self, days: int) -> str:
        """The n-th business day from today, as a date."""
        return self._view.day(self._view.calendar.after(self._view.today, int(days)), promise=True)
