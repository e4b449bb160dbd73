"""Which refund sentence is true for an order, by channel, payment method and order state.

Facts only: the table says which sentence may be said; its words stand in the templates. Where the table has no
entry the reply stays silent about money.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from unicodedata import normalize

from responder.model import Order


@dataclass(frozen=True, slots=True)
class RefundRule:
    """One line of the table; `*` in a pattern stands for anything. First match wins."""

    channel: tuple[str, ...]
    payment: tuple[str, ...]
    state: tuple[str, ...]
    currency: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Refunds:
    """The table with the words payment methods go by, and the marks of a refund that is already made.

    A shop has few payment words, so what was found for one is remembered.
    """

    rules: tuple[RefundRule, ...] = ()
    methods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    prepaid: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    refunded_columns: tuple[str, ...] = ()
    refunded_words: tuple[str, ...] = ()
    _known: dict[tuple[str, ...], str] = field(default_factory=dict, compare=False, repr=False)

    def method(self, payment: str) -> str:
        """The method a payment word means, or "". The longest word that occurs decides (`gift card` over `card`)."""
        return self._remembered((payment[:200],), self._method)

    def sentence(self, order: Order, channel: str) -> str:
        """The name of the sentence that is true now, or "" for silence."""
        key = (channel, self.method(order.payment), self.state(order), order.currency[:8].upper())
        return self._remembered(key, self._sentence)

    def _remembered(self, key: tuple[str, ...], find: Callable[..., str]) -> str:
        found = self._known.get(key)
        if found is None:
            found = find(*key)
            if len(self._known) > 5000:
                self._known.clear()
            self._known[key] = found
        return found

    def _method(self, payment: str) -> str:
        found = _folded(payment)
        best, length = "", 0
        for method, words in self.methods.items():
            for word in (method.replace("_", " "), *words):
                if len(word) > length and _occurs(word, found):
                    best, length = method, len(word)
        return best

    def _sentence(self, channel: str, method: str, state: str, currency: str) -> str:
        for rule in self.rules:
            asked = ((rule.channel, channel), (rule.payment, method), (rule.state, state), (rule.currency, currency))
            if all(_fits(patterns, value) for patterns, value in asked):
                return rule.sentence
        return ""

    def state(self, order: Order) -> str:
        """The money state: unpaid, paid, shipped, cancelled, refunded, or open where the data do not say."""
        if self.is_refunded(order):
            return "refunded"
        match order.status:
            case "unpaid":
                return "unpaid"
            case "paid" | "preparing":
                # Work on an order may begin before the money comes: then the data do not say.
                return "paid" if self.is_paid(order) else "open"
            case "shipped" | "delivered":
                return "shipped"
            case "cancelled":
                return "cancelled" if order.paid_at else "open"
            case _:
                return "paid" if order.paid_at else "open"

    def is_paid(self, order: Order) -> bool:
        """True if the order data say that the money has come: a date, the word, or goods that leave only after it."""
        if order.paid_at or order.status == "paid":
            return True
        return order.status in ("preparing", "shipped", "delivered") and self.method(order.payment) in self.prepaid

    def payment_name(self, payment: str, language: str) -> str:
        """A payment word for a reader: a bare code (`credit_card`), or a word in a script that is not the reader's, by
        the method's name; everything else as it is written."""
        code = payment.strip().casefold()
        if code not in self.names and (language == "ja" or payment.isascii()):
            return payment
        names = self.names.get(code) or self.names.get(self.method(payment), {})
        return names.get(language) or names.get("en") or payment

    def refunded_on(self, order: Order) -> str:
        """When the money went back, as the data write it, or ""."""
        found = (value.strip() for name, value in order.extra.items() if _folded(name) in self.refunded_columns)
        return next((value for value in found if value), "")

    def is_refunded(self, order: Order) -> bool:
        """True if the order data say that the money went back."""
        if _folded(order.status_word) in self.refunded_words:
            return True
        return bool(self.refunded_on(order))


def refunds_from(tables: Sequence[Mapping[str, Any]]) -> Refunds:
    """The table of several files, the shop's first: its lines are asked before the shipped ones."""
    rules: list[RefundRule] = []
    methods: dict[str, tuple[str, ...]] = {}
    names: dict[str, dict[str, str]] = {}
    prepaid: set[str] = set()
    later: set[str] = set()
    columns: list[str] = []
    words: list[str] = []
    for data in tables:
        for line in data.get("refund", []):
            rules.append(
                RefundRule(
                    _words(line.get("channel", "*")),
                    _words(line.get("payment", "*")),
                    _words(line.get("state", "*")),
                    _words(line.get("currency", "*")),
                    str(line.get("sentence", "")),
                )
            )
        for name, entry in data.get("payment", {}).items():
            methods[name] = (*methods.get(name, ()), *(_folded(word) for word in entry.get("words", [])))
            names.setdefault(name, {}).update({k: v for k, v in entry.get("name", {}).items() if k not in names[name]})
            if entry.get("prepaid"):
                prepaid.add(name)
            if entry.get("later"):
                later.add(name)
        columns += [_folded(word) for word in data.get("refunded", {}).get("columns", [])]
        words += [_folded(word) for word in data.get("refunded", {}).get("words", [])]
    return Refunds(tuple(rules), methods, names, frozenset(prepaid), frozenset(later), tuple(columns), tuple(words))


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _fits(patterns: tuple[str, ...], value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def _folded(text: str) -> str:
    return normalize("NFKC", text[:200]).casefold().replace("_", " ").replace("-", " ").strip()


def _occurs(word: str, text: str) -> bool:
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None
