"""Reading a `when` table: every key with its value, checked, as conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import cast, get_args

from responder.core.rules.conditions import FACTS, TESTS
from responder.core.rules.findings import Findings
from responder.core.rules.pack import SCOPES, Comparison, Condition, Group, Leaf, Operator, Topic
from responder.model import LANGUAGES, OrderStatus

_COMPARISON = re.compile(r"^\s*(<=|>=|<|>|==|=|!=)?\s*(-?\d+(?:\.\d+)?)\s*$")
_AGE = re.compile(r"^\s*(<=|>=|<|>)?\s*(\d+(?:\.\d+)?)\s*([mhd])\s*$")
_TIME_SPAN = re.compile(r"^\s*([01]?\d|2[0-4]):([0-5]\d)\s*[-~〜–]\s*([01]?\d|2[0-4]):([0-5]\d)\s*$")
_WEEKDAYS = {
    **{n: i for i, n in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
    **{n: i for i, n in enumerate("月火水木金土日")},
    **{n: i for i, n in enumerate(("周一", "周二", "周三", "周四", "周五", "周六", "周日"))},
}
STATUSES: tuple[str, ...] = get_args(OrderStatus)
ORDER_KEYS = tuple(key.removeprefix("order.") for key in TESTS if key.startswith("order."))
KEYS = (*(key for key in TESTS if "." not in key), "order", "all", "any", "none", "scope")


@dataclass
class WhenReader:
    """Turns `when` tables into conditions. `add_says` takes phrases and a scope and gives back the name to look for."""

    findings: Findings
    topics: Mapping[str, Topic]
    acts: Collection[str]
    examples: Collection[str]
    add_says: Callable[[object, str, str], str]
    words: Mapping[str, Mapping[str, Sequence[str]]]
    asks: set[str] = field(default_factory=set)
    statuses: set[str] = field(default_factory=set)
    names_found: bool = False

    def read(self, value: object, key: str) -> Condition:
        """The condition of one table; every key in it must hold."""
        table = self.findings.table(value, key)
        if isinstance(value, Mapping) and not table:
            self.findings.add(key, "when_empty")
        self.findings.keys(table, KEYS, key)
        scope = str(table.get("scope", "new_text"))
        if scope not in SCOPES:
            self.findings.unknown(f"{key}.scope", "scope_unknown", scope, SCOPES)
        members: list[Condition] = []
        for name, inner in table.items():
            at = f"{key}.{name}"
            if name in ("all", "any", "none"):
                members.append(self._group(name, inner, at))
            elif name == "order":
                members += self._order(inner, at)
            elif name in TESTS:
                members.append(self._leaf(name, inner, at, scope))
        return members[0] if len(members) == 1 else Group("all", tuple(members))

    def _group(self, kind: str, value: object, key: str) -> Condition:
        if isinstance(value, Mapping):
            value = [value]
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            self.findings.add(key, "type_wrong", want="list of tables", got=str(value)[:40])
            return Group("all", ())
        # What a rule refuses is not what it answers.
        if kind == "none":
            kept = set(self.asks), set(self.statuses), self.names_found
            members = tuple(self.read(each, f"{key}[{i}]") for i, each in enumerate(value))
            self.asks, self.statuses, self.names_found = kept
            return Group("none", members)
        return Group("any" if kind == "any" else "all", tuple(self.read(v, f"{key}[{i}]") for i, v in enumerate(value)))

    def _order(self, value: object, key: str) -> list[Condition]:
        if isinstance(value, str) and value in ("before_shipping", "after_shipping", "found", "overdue", "paid"):
            value = {value: True}
        table = self.findings.table(value, key)
        self.findings.keys(table, ORDER_KEYS, key)
        return [self._leaf(f"order.{n}", v, f"{key}.{n}", "new_text") for n, v in table.items() if n in ORDER_KEYS]

    def _leaf(self, name: str, value: object, key: str, scope: str) -> Leaf:
        shown = value if isinstance(value, str) else repr(value)
        return Leaf(name, self._wanted(name, value, key, scope), shown[:120])

    def _wanted(self, name: str, value: object, key: str, scope: str) -> object:
        findings = self.findings
        match name:
            case "asks" | "mentions":
                names = self._known(value, key, "topic_unknown", self.topics)
                if name == "asks":
                    self.asks.update(names)
                return names
            case "acts":
                return self._known_acts(value, key)
            case "says" | "subject":
                return self.add_says(value, "subject" if name == "subject" else scope, key)
            case "like":
                return self._known(value, key, "examples_unknown", self.examples)
            case "language":
                return self._known(value, key, "language_unknown", LANGUAGES)
            case "channel" | "order.channel" | "order.payment" | "order.problem" | "sent_before" | "policy":
                return tuple(findings.texts(value, key))
            case "order.currency":
                return tuple(code.upper() for code in findings.texts(value, key))
            case "sender":
                return tuple(self._senders(findings.texts(value, key), key))
            case "order.status":
                names = self._known(value, key, "status_unknown", STATUSES)
                self.statuses.update(names)
                return names
            case "order.has" | "order.lacks":
                return self._known(value, key, "order_field_unknown", FACTS)
            case "order.data_age":
                return self._ages(value, key)
            case "order.columns":
                table = findings.table(value, key)
                return tuple((n, self._column(v, f"{key}.{n}")) for n, v in table.items())
            case "order.found":
                self.names_found = True
                return findings.flag(value, key)
            case "time":
                return self._time(value, key)
            case "weekday":
                return self._weekdays(value, key)
            case "attachments":
                return (
                    Comparison(">=" if value else "==", 1 if value else 0)
                    if isinstance(value, bool)
                    else self.compared(value, key)
                )
            case (
                "photos"
                | "trusted"
                | "official_cancel"
                | "order.named"
                | "order.before_shipping"
                | "order.after_shipping"
                | "order.some_items"
            ):
                return findings.flag(value, key)
            case "order.paid" | "order.overdue":
                return findings.flag(value, key)
            case _:
                return self.compared(value, key)

    def _known(self, value: object, key: str, code: str, known: Collection[str]) -> tuple[str, ...]:
        names = self.findings.texts(value, key)
        for name in names:
            if name not in known:
                self.findings.unknown(key, code, name, known)
        return tuple(names)

    def _known_acts(self, value: object, key: str) -> tuple[str, ...]:
        names = self.findings.texts(value, key)
        for name in names:
            topic, _, act = name.rpartition(" ")
            if topic and topic not in self.topics:
                self.findings.unknown(key, "topic_unknown", topic, self.topics)
            if act not in self.acts:
                self.findings.unknown(key, "act_unknown", act, self.acts)
        return tuple(names)

    def _senders(self, patterns: Sequence[str], key: str) -> list[str]:
        found: list[str] = []
        for pattern in patterns:
            if pattern.startswith("@") and pattern[1:] in self.words:
                for listed in self.words[pattern[1:]].values():
                    found += [each.casefold() for each in listed]
            elif pattern.startswith("@") and "." not in pattern:
                self.findings.unknown(key, "word_list_unknown", pattern[1:], self.words)
            else:
                found.append(("*" + pattern if pattern.startswith("@") else pattern).casefold())
        return found

    def _column(self, value: object, key: str) -> object:
        if isinstance(value, str) and _COMPARISON.match(value) and value.strip()[0] in "<>=!":
            return self.compared(value, key)
        if isinstance(value, str):
            return value
        return self.compared(value, key)

    def compared(self, value: object, key: str) -> Comparison:
        """`7`, `">= 7"` ... as a comparison."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return Comparison("==", float(value))
        match = _COMPARISON.match(value) if isinstance(value, str) else None
        if match is None:
            self.findings.add(key, "comparison_wrong", got=str(value)[:40])
            return Comparison("==", 0)
        operator = {None: "==", "=": "=="}.get(match.group(1), match.group(1))
        return Comparison(cast(Operator, operator), float(match.group(2)))

    def _ages(self, value: object, key: str) -> tuple[tuple[str, Comparison], ...]:
        """`"<= 24h"` for the order's state, or a table of facts: `{ tracking_no = "<= 2d" }`."""
        if not isinstance(value, Mapping):
            return (("status", self._hours(value, key)),)
        for name in value:
            if name not in ("status", *FACTS):
                self.findings.unknown(f"{key}.{name}", "order_field_unknown", name, ("status", *FACTS))
        return tuple((name, self._hours(inner, f"{key}.{name}")) for name, inner in value.items())

    def _hours(self, value: object, key: str) -> Comparison:
        match = _AGE.match(value) if isinstance(value, str) else None
        if match is None:
            return self.compared(value, key)
        found = self.compared(f"{match.group(1) or '<='} {match.group(2)}", key)
        return Comparison(found.operator, found.limit * {"h": 1, "d": 24, "m": 1 / 60}[match.group(3)])

    def _time(self, value: object, key: str) -> object:
        match = _TIME_SPAN.match(value) if isinstance(value, str) else None
        if match is None:
            self.findings.add(key, "time_wrong", got=str(value)[:40])
            return time(0), time(0)
        start_h, start_m, end_h, end_m = map(int, match.groups())
        return time(start_h % 24, start_m), time(end_h, end_m) if end_h < 24 else time(23, 59, 59)

    def _weekdays(self, value: object, key: str) -> object:
        days = set()
        for name in self.findings.texts(value, key):
            short = name.strip().casefold()
            day = _WEEKDAYS.get(short, _WEEKDAYS.get(short[:3] if short.isascii() else short[:1]))
            if day is None:
                self.findings.unknown(key, "weekday_unknown", name, _WEEKDAYS)
            else:
                days.add(day)
        return frozenset(days)
