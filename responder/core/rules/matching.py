"""First match wins: which rule of a pack fits a case, and what became of all others that its words come near."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from responder.core.rules.bars import bar, decided
from responder.core.rules.conditions import WORDS, Case, holds, shown
from responder.core.rules.pack import Condition, Leaf, Rule, Topic
from responder.core.rules.reading import Reading
from responder.model import Decision, Reason, RuleTrace


@dataclass(frozen=True, slots=True)
class Match:
    """The first rule that fits a case, or None, and the trace of every rule that was looked at."""

    rule: Rule | None
    case: Case
    trace: tuple[RuleTrace, ...]

    @property
    def is_thanks(self) -> bool:
        """True where the rule stays silent because the mail only gives thanks."""
        return self.rule is not None and self.rule.action == "silence" and self.rule.situation == "thanks_only"

    @property
    def is_draft(self) -> bool:
        """True where the rule wants a reply."""
        return self.rule is not None and self.rule.action == "draft"


@dataclass(frozen=True)
class Matching:
    """The rules of a pack in the order they are asked, found by the words that a mail must say for them."""

    rules: tuple[Rule, ...]
    topics: Mapping[str, Topic]
    _misses: dict[tuple[str, int], RuleTrace] = field(default_factory=dict, repr=False)

    def first(self, case: Case) -> Match:
        """The first rule that fits, and what became of all that were looked at."""
        fired: Rule | None = None
        trace: list[RuleTrace] = []
        for place in sorted(self._candidates(case.reading)):
            rule = self.rules[place]
            failed = holds(rule.when, case)
            if failed is not None:
                trace.append(self._miss(rule, failed))
            elif rule.unless is not None and holds(rule.unless, case) is None:
                trace.append(
                    RuleTrace(rule.id, "vetoed", (Reason.of("vetoed_by", condition=_true(rule.unless, case)),))
                )
            elif fired is not None:
                trace.append(RuleTrace(rule.id, "shadowed", (Reason.of("after_rule", rule=fired.id),)))
            else:
                fired = rule
                trace.append(RuleTrace(rule.id, "fired", self._because(rule, case)))
        return Match(fired, case, tuple(trace))

    def decision(self, match: Match) -> Decision:
        """What becomes of a case by the rule that fits it."""
        return decided(match.rule, match.case, match.trace, self.topics)

    def drafted(self, case: Case) -> str | None:
        """The situation of the draft that these rules would make of a case; None if they would make none."""
        for place in sorted(self._candidates(case.reading)):
            rule = self.rules[place]
            if holds(rule.when, case) is None and (rule.unless is None or holds(rule.unless, case) is not None):
                return rule.situation if rule.action == "draft" and bar(rule, case, self.topics) is None else None
        return None

    def _miss(self, rule: Rule, failed: Condition) -> RuleTrace:
        """The trace of a rule that fails on this condition of its own, the same for every mail."""
        # Conditions live as long as the rules, so that their ids stay theirs.
        missed = self._misses.get((rule.id, id(failed)))
        if missed is None:
            missed = RuleTrace(rule.id, "missed", (Reason.of("condition_missed", condition=shown(failed)),))
            self._misses[rule.id, id(failed)] = missed
        return missed

    def _because(self, rule: Rule, case: Case) -> tuple[Reason, ...]:
        """What in the case the rule goes by: sentences, acts, facts of the order."""
        reading = case.reading
        reasons = []
        for topic in sorted(rule.asks & reading.asked.keys()):
            mention = reading.asked[topic]
            sentence = reading.sentences[mention.sentence].text
            if mention.likeness is not None:
                reasons.append(Reason.of("asks_like", topic=topic, sentence=sentence, example=mention.likeness.example))
            else:
                reasons.append(Reason.of("asks", topic=topic, sentence=sentence))
        for leaf, fact in self._told[rule.id]:
            if leaf.key in ("says", "subject") and str(leaf.wanted) in reading.said:
                reasons.append(Reason.of("says", sentence=reading.said[str(leaf.wanted)]))
            elif leaf.key == "acts" and isinstance(leaf.wanted, tuple):
                for act in leaf.wanted:
                    text = next((s.text for s in reading.sentences if act.rpartition(" ")[2] in s.acts), None)
                    if act in reading.acts and text is not None:
                        reasons.append(Reason.of("act", act=act, sentence=text))
            elif leaf.key.startswith("order.") and case.order is not None:
                reasons.append(fact)
        return tuple(dict.fromkeys(reasons))

    @cached_property
    def _told(self) -> Mapping[str, Sequence[tuple[Leaf, Reason]]]:
        """By rule the conditions that a trace tells of, each with the reason that it is where it is a fact."""
        return {
            rule.id: [(leaf, Reason.of("order_fact", condition=shown(leaf))) for leaf in _leaves(rule.when)]
            for rule in self.rules
        }

    def _candidates(self, reading: Reading) -> set[int]:
        """The places of all rules that the mail's words do not rule out."""
        places = set(self._always)
        index = self._index
        for kind, names in _true_of(reading):
            for name in names:
                found = index.get((kind, name))
                if found is not None:
                    places |= found
        return places

    @cached_property
    def _index(self) -> Mapping[tuple[str, str], Set[int]]:
        """The places of rules by what a mail must say one of."""
        index: dict[tuple[str, str], set[int]] = {}
        for place, rule in enumerate(self.rules):
            for atom in _needed(rule.when) or ():
                index.setdefault(atom, set()).add(place)
        return index

    @cached_property
    def _always(self) -> tuple[int, ...]:
        """The places of rules that no word decides."""
        return tuple(place for place, rule in enumerate(self.rules) if _needed(rule.when) is None)


def _true_of(reading: Reading) -> tuple[tuple[str, Iterable[str]], ...]:
    """Everything the mail's words make true, as the pairs that rules are indexed by."""
    return (
        ("asks", reading.asked),
        ("mentions", reading.mentioned),
        ("acts", reading.acts),
        ("says", reading.said),
        ("like", reading.like),
    )


def _needed(condition: Condition) -> frozenset[tuple[str, str]] | None:
    """What a mail must say one of for the condition to hold, by kind and name; None if words do not decide."""
    if isinstance(condition, Leaf):
        if condition.key not in WORDS:
            return None
        if condition.key in ("says", "subject"):
            return frozenset({("says", str(condition.wanted))})
        names = condition.wanted if isinstance(condition.wanted, tuple) else ()
        return frozenset((condition.key, name) for name in names)
    found = [_needed(member) for member in condition.members]
    if condition.kind == "all":
        known = [atoms for atoms in found if atoms is not None]
        return min(known, key=len) if known else None
    if condition.kind == "any" and found and all(atoms is not None for atoms in found):
        return frozenset().union(*(atoms for atoms in found if atoms is not None))
    return None


def _true(condition: Condition, case: Case) -> str:
    """The part of a condition that makes it hold, for the trace."""
    if not isinstance(condition, Leaf) and condition.kind == "any":
        for member in condition.members:
            if holds(member, case) is None:
                return _true(member, case)
    return shown(condition)


def _leaves(condition: Condition) -> list[Leaf]:
    if isinstance(condition, Leaf):
        return [condition]
    if condition.kind == "none":
        return []
    return [leaf for member in condition.members for leaf in _leaves(member)]
