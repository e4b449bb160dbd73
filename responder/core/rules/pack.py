"""What a rule pack is once it is read: topics, rules and the conditions they are made of. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from responder.model import Action, Language

# The situations that responder ships; shops add their own names.
SITUATIONS: tuple[str, ...] = (
    "cancel_before_ship",
    "cancel_after_ship",
    "where_is_order",
    "delivery_delay",
    "stock_question",
    "return_refund",
    "address_change",
    "invoice_receipt",
    "payment_question",
    "damaged_wrong",
    "b2b_inquiry",
    "thanks_only",
    "auto_reply",
    "spam",
    "other",
)

Operator = Literal["<", "<=", ">", ">=", "==", "!="]
Scope = Literal["new_text", "subject", "quoted", "whole"]
SCOPES: tuple[Scope, ...] = ("new_text", "subject", "quoted", "whole")


# A wrong draft is worst where a topic needs this share of likeness to be proposed.
DEAR = 0.6


@dataclass(frozen=True, slots=True)
class Topic:
    """A matter a mail can speak of.

    A `request` is something the buyer wants done, a `report` a state of affairs he tells: acts in `voids` take a
    mention out of play. `asked_by` are the acts that make a mere name of the topic an ask. `least` is how large
    a share of the likeness to examples it needs to be proposed (0 to 1); above 1 it never is, and its examples only
    keep a look-alike from being taken for another topic. `matter` is False for what is no matter of its own:
    machine's mail, advertising, thanks. `objects` are, per language and folded, what the topic's names may be done
    to: said of anything else (a hotel, a newsletter) they are another matter.
    """

    name: str
    kind: Literal["request", "report"] = "request"
    asked_by: frozenset[str] = frozenset()
    voids: frozenset[str] = frozenset()
    least: float = 0.5
    matter: bool = True
    objects: tuple[tuple[Language, tuple[str, ...]], ...] = ()
    examples: tuple[tuple[Language, str], ...] = ()

    @property
    def is_dear(self) -> bool:
        """True where a wrong draft is worst."""
        return DEAR <= self.least <= 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """`>= 7`, `< 10000`, `3`: a number against a limit."""

    operator: Operator
    limit: float

    def holds(self, value: float) -> bool:
        """Whether `value` stands in this relation to the limit."""
        match self.operator:
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit
            case ">":
                return value > self.limit
            case ">=":
                return value >= self.limit
            case "==":
                return value == self.limit
            case _:
                return value != self.limit


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition. `key` is the dotted name a person wrote (`order.age_days`), `shown` its value as written.

    `wanted` is what the test of that key compares with: see `conditions.TESTS`.
    """

    key: str
    wanted: object
    shown: str


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions together: `all` of them, `any` one, or `none`."""

    kind: Literal["all", "any", "none"]
    members: tuple[Condition, ...]


Condition = Leaf | Group


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[rule]]`. `number` is its place in the file from 0; a higher `priority` is asked first, then file order.

    `template` is set for action draft, `hold` (a reason's code or the shop's own words) for action hold. `covers` are
    topics that may be asked besides and need no answer of their own. `statuses` are the order states the rule names
    itself, and so accepts. `fresh_h` is how many hours old the order's state may be at most, None for any age. A hold
    that is a `doubt` may be outweighed by everything else the mail says.
    """

    id: str
    number: int
    situation: str
    action: Action
    when: Condition
    unless: Condition | None = None
    template: str | None = None
    hold: str | None = None
    priority: int = 0
    deadline_h: float | None = None
    note: str | None = None
    covers: frozenset[str] = frozenset()
    needs_order: bool = True
    doubt: bool = False
    fresh_h: float | None = None
    asks: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    title: Mapping[str, str] = field(default_factory=dict)
