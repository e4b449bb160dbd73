"""Which buyers are to be called and not only written to: an order of high value, a gift for a day, a business, nobody
who answers. Said only of what the order data hold, and never where the channel forbids calling."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from responder.core.facts import load
from responder.core.owed.reader import company_of
from responder.core.owed.wish import Wish
from responder.core.values import one_line
from responder.model import Order, Reason

MATTERS = frozenset({"sold_out", "restock", "delay", "combined"})
"""What goes wrong for the buyer; the other notices need no call."""

CALM, ANGRY = "owe_call", "owe_call_angry"
"""The templates of what is said on the telephone."""


class Channel(Protocol):
    """What is looked at of a channel."""

    @property
    def allows_calls(self) -> bool: ...


def _high_value() -> Mapping[str, Decimal]:
    return {currency: Decimal(amount) for currency, amount in load("calls")["high_value"].items()}


@dataclass(frozen=True, slots=True)
class Calls:
    """From when on staff are asked to call. `high_value` is an amount by currency, none for never; `no_answer_days` 0:
    silence is no reason."""

    enabled: bool = True
    high_value: Mapping[str, Decimal] = field(default_factory=_high_value)
    no_answer_days: int = field(default_factory=lambda: int(load("calls")["days"]["no_answer"]))

    @property
    def forgotten_after(self) -> timedelta:
        """After this time an unanswered notice, and a call nobody made, are not spoken of any more."""
        return timedelta(days=int(load("calls")["days"]["forgotten"]))


def why_call(wish: Wish, order: Order, channel: Channel, calls: Calls) -> tuple[Reason, ...]:
    """Why the order's buyer is to be called about this matter; nothing for a mail alone."""
    if not may_call(wish.matter, channel, calls):
        return ()
    found: list[Reason] = []
    least = calls.high_value.get(order.currency.upper())
    if least is not None and order.total is not None and order.total >= least:
        found.append(Reason.of("call_high_value", total=f"{order.total:,f}", currency=order.currency.upper()))
    if day := gift_day(order):
        found.append(Reason.of("call_dated_gift", day=day))
    if wish.business or (wish.business is None and company_of(order)):
        found.append(Reason.of("call_business"))
    return tuple(found)


def may_call(matter: str, channel: Channel, calls: Calls) -> bool:
    """True if calling about this matter is switched on, of use, and allowed."""
    return calls.enabled and channel.allows_calls and matter in MATTERS


def gift_day(order: Order) -> str:
    """The wished day of a gift as the order data write it, "" for what is no gift or has no day."""
    facts = load("calls")["gift"]
    if not _filled(order, facts["columns"], facts["no_words"]):
        return ""
    return one_line(_filled(order, facts["days"], facts["no_words"]), 40)


def _filled(order: Order, columns: Collection[str], no_words: Collection[str]) -> str:
    """What the first of these columns says that says more than no."""
    wanted, no = {_folded(column) for column in columns}, {_folded(word) for word in no_words}
    said = (value for title, value in order.extra.items() if _folded(title) in wanted)
    return next((value.strip() for value in said if _folded(value) not in no), "")


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("_", " ").replace("-", " ").split())
