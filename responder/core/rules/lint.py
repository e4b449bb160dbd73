"""Rules and topics that can never decide anything: allowed, but hardly meant. Works on the compiled pack."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from responder.core.rules.findings import nearest
from responder.core.rules.follows import Says, excludes, implies
from responder.core.rules.pack import Condition, Group, Leaf, Rule
from responder.core.rules.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to tell the shop: `key` is dotted as in the file, `rule` the rule's id, `code` names the words."""

    key: str
    code: str
    args: tuple[tuple[str, str], ...] = ()
    suggestion: str | None = None
    rule: str | None = None


def lint(rulebook: Rulebook, data: Mapping[str, object], channels: Collection[str]) -> tuple[Warned, ...]:
    """Rules and topics that nothing can ever reach. `data` is rules.toml, `channels` the names that exist.

    The rule that shadows another is given by its key (`first_key`), for whoever knows its line.
    """
    says = _says(rulebook)
    told: list[Warned] = [*_empty_topics(rulebook, data)]
    for place, rule in enumerate(rulebook.rules):
        key = f"rule[{rule.number}]"
        dead = _dead(rule, says)
        if dead is not None:
            told.append(Warned(f"{key}.{dead[0]}", dead[1], dead[2], rule=rule.id))
            continue
        told += _dead_words(rule, key, rulebook, channels)
        first = next((other for other in rulebook.rules[:place] if _takes_all(other, rule, says)), None)
        if first is not None:
            args = (("first", first.id), ("first_key", f"rule[{first.number}]"))
            told.append(Warned(f"{key}.when", "rule_never_shadowed", args, rule=rule.id))
    return tuple(told)


# --- can it ever hold? ----------------------------------------------------------------------------------------------


def _says(rulebook: Rulebook) -> Says:
    found: dict[str, set[int]] = {}
    for number, targets in enumerate(rulebook.reader.targets):
        for target in targets:
            if target.kind == "says":
                found.setdefault(target.name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in found.items()}


def _dead(rule: Rule, says: Says) -> tuple[str, str, tuple[tuple[str, str], ...]] | None:
    members = list(_flat(rule.when))
    for number, one in enumerate(members):
        for other in members[number + 1 :]:
            if excludes(one, other, says):
                return "when", "rule_never_contradiction", (("one", _words(one)), ("other", _words(other)))
    if rule.unless is not None and implies(rule.when, rule.unless, says):
        return "unless", "rule_never_vetoed", ()
    return None


def _takes_all(first: Rule, later: Rule, says: Says) -> bool:
    """True if `first` fires on every mail on which `later` would."""
    if not implies(later.when, first.when, says):
        return False
    if first.unless is None:
        return True
    vetoed_too = later.unless is not None and implies(first.unless, later.unless, says)
    return vetoed_too or excludes(later.when, first.unless, says)


def _dead_words(rule: Rule, key: str, rulebook: Rulebook, channels: Collection[str]) -> Iterator[Warned]:
    for leaf in _leaves(rule.when):
        names = cast("tuple[str, ...]", leaf.wanted) if leaf.key in ("channel", "order.channel", "acts") else ()
        for name in names:
            if leaf.key == "acts":
                topic, _, status = name.rpartition(" ")
                if topic and status not in rulebook.topics[topic].voids:
                    args = (("act", name), ("topic", topic), ("status", status))
                    best = nearest(status, rulebook.topics[topic].voids)
                    yield Warned(f"{key}.when", "rule_act_never", args, f"{topic} {best}" if best else None, rule.id)
            elif name not in channels:
                best = nearest(name, channels)
                yield Warned(f"{key}.when.{leaf.key}", "rule_channel_unknown", (("name", name),), best, rule.id)


def _empty_topics(rulebook: Rulebook, data: Mapping[str, object]) -> Iterator[Warned]:
    known = {target.name for targets in rulebook.reader.targets for target in targets if target.kind != "says"}
    own = data.get("topic")
    for name in own if isinstance(own, Mapping) else ():
        if name in rulebook.topics and name not in known and not rulebook.topics[name].examples:
            yield Warned(f"topic.{name}", "rule_topic_empty", (("name", name),))


def _flat(condition: Condition) -> Iterator[Condition]:
    """The parts of a condition that must all hold."""
    if isinstance(condition, Group) and condition.kind == "all":
        for member in condition.members:
            yield from _flat(member)
    else:
        yield condition


def _leaves(condition: Condition) -> Iterator[Leaf]:
    if isinstance(condition, Leaf):
        yield condition
    elif condition.kind != "none":
        for member in condition.members:
            yield from _leaves(member)


def _words(condition: Condition) -> str:
    if isinstance(condition, Leaf):
        return f"{condition.key} = {condition.shown}"
    return f"{condition.kind}({', '.join(_words(member) for member in condition.members)})"
