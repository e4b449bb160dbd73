"""What follows from a condition: whether another holds wherever it does, or never together with it.

Proof, not guesses: False means only that nothing can be shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

from responder.core.rules.pack import Comparison, Condition, Group, Leaf
from responder.core.rules.when import STATUSES
from responder.model import SHIPPED, UNSHIPPED

# Conditions that hold if any of the names they list is true.
_ANY_OF = frozenset(
    {"asks", "mentions", "acts", "like", "language", "channel", "order.channel", "order.problem", "order.currency"}
)
# Facts of which only one value can be true at a time.
_ONE_VALUE = frozenset({"language", "channel", "order.channel", "order.status", "order.currency"})

Says = Mapping[str, frozenset[int]]
"""The phrases behind each `says` list, by the list's name."""


def implies(p: Condition, q: Condition, says: Says) -> bool:
    """True if it can be shown that `q` holds wherever `p` does."""
    if isinstance(q, Group) and q.kind == "all":
        return all(implies(p, member, says) for member in q.members)
    if isinstance(p, Group) and p.kind == "any":
        return all(implies(member, q, says) for member in p.members)
    if isinstance(q, Group) and q.kind == "any" and any(implies(p, member, says) for member in q.members):
        return True
    if isinstance(q, Group) and q.kind == "none" and all(excludes(p, member, says) for member in q.members):
        return True
    if isinstance(p, Group) and p.kind == "all":
        return any(implies(member, q, says) for member in p.members)
    return isinstance(p, Leaf) and isinstance(q, Leaf) and _leaf_implies(p, q, says)


def excludes(p: Condition, q: Condition, says: Says) -> bool:
    """True if it can be shown that `p` and `q` never hold together."""
    for one, other in ((p, q), (q, p)):
        if isinstance(one, Group):
            match one.kind:
                case "any":
                    if all(excludes(member, other, says) for member in one.members):
                        return True
                case "all":
                    if any(excludes(member, other, says) for member in one.members):
                        return True
                case _:
                    if any(implies(other, member, says) for member in one.members):
                        return True
    return isinstance(p, Leaf) and isinstance(q, Leaf) and _leaf_excludes(p, q)


def _leaf_implies(p: Leaf, q: Leaf, says: Says) -> bool:
    if p.key == q.key and p.wanted == q.wanted:
        return True
    if {p.key, q.key} <= {"says", "subject"}:
        (scope, _, name), (wider, _, other) = str(p.wanted).partition(":"), str(q.wanted).partition(":")
        return scope == wider and bool(says.get(name)) and says[name] <= says.get(other, frozenset())
    if q.key == "mentions":
        return _mentioned(p) <= _names(q) if _mentioned(p) else False
    status = _statuses(p), _statuses(q)
    if status[0] is not None and status[1] is not None:
        return status[0] <= status[1]
    number = _number(p), _number(q)
    if number[0] is not None and number[1] is not None:
        return number[0][0] == number[1][0] and _within(number[0][1], number[1][1])
    if p.key != q.key:
        return False
    if p.key in _ANY_OF:
        return _names(p) <= _names(q)
    return p.key in ("order.has", "order.lacks") and _names(p) >= _names(q)


def _leaf_excludes(p: Leaf, q: Leaf) -> bool:
    status = _statuses(p), _statuses(q)
    if status[0] is not None and status[1] is not None:
        return not status[0] & status[1]
    number = _number(p), _number(q)
    if number[0] is not None and number[1] is not None:
        return number[0][0] == number[1][0] and _apart(number[0][1], number[1][1])
    for one, other in ((p, q), (q, p)):
        if one.key == "order.has" and other.key == "order.lacks" and _names(one) & _names(other):
            return True
    if p.key != q.key:
        return False
    if isinstance(p.wanted, bool) and isinstance(q.wanted, bool):
        return p.wanted is not q.wanted
    return p.key in _ONE_VALUE and not _names(p) & _names(q)


def _names(leaf: Leaf) -> frozenset[str]:
    return frozenset(cast("tuple[str, ...]", leaf.wanted)) if isinstance(leaf.wanted, tuple) else frozenset()


def _mentioned(leaf: Leaf) -> frozenset[str]:
    """Topics of which one is spoken of where this condition holds; empty if that cannot be said."""
    match leaf.key:
        case "asks" | "mentions":
            return _names(leaf)
        case "acts" if all(" " in name for name in _names(leaf)):
            return frozenset(name.rpartition(" ")[0] for name in _names(leaf))
        case _:
            return frozenset()


def _statuses(leaf: Leaf) -> frozenset[str] | None:
    """The order states in which this condition holds, None if it says nothing of them."""
    match leaf.key:
        case "order.status":
            return _names(leaf)
        case "order.before_shipping":
            return UNSHIPPED if leaf.wanted else frozenset(STATUSES) - UNSHIPPED
        case "order.after_shipping":
            return SHIPPED if leaf.wanted else frozenset(STATUSES) - SHIPPED
        case _:
            return None


Span = tuple[float, bool, float, bool]
"""From, whether that is in; to, whether that is in."""


def _number(leaf: Leaf) -> tuple[str, Span] | None:
    """The fact a condition compares and the values it takes, None for any other condition and for `!=`."""
    if leaf.key == "order.overdue":
        days: Span = (0.0, False, math.inf, False) if leaf.wanted else (-math.inf, False, 0.0, True)
        return "order.days_since_promised", days
    if not isinstance(leaf.wanted, Comparison):
        return None
    limit = leaf.wanted.limit
    match leaf.wanted.operator:
        case "<" | "<=" as operator:
            return leaf.key, (-math.inf, False, limit, operator == "<=")
        case ">" | ">=" as operator:
            return leaf.key, (limit, operator == ">=", math.inf, False)
        case "==":
            return leaf.key, (limit, True, limit, True)
        case _:
            return None


def _within(a: Span, b: Span) -> bool:
    above = a[0] > b[0] or (a[0] == b[0] and (b[1] or not a[1]))
    below = a[2] < b[2] or (a[2] == b[2] and (b[3] or not a[3]))
    return above and below


def _apart(a: Span, b: Span) -> bool:
    return any(x[2] < y[0] or (x[2] == y[0] and not (x[3] and y[1])) for x, y in ((a, b), (b, a)))
