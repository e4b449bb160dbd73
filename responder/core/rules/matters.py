"""What topics are to the rules of a pack: which belong together, which a reply answers, which are dear to get wrong.

A topic is dear where a wrong draft is worst, as on cancelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property

from responder.core.rules.pack import Rule, Topic
from responder.core.rules.reading import Reading

# Who wants his money back for what has not left wishes something, whether he says please or not.
REFUND = "refund"
MONEY_BACK = frozenset({REFUND, "return"})
# Questions to the shop that no reply answers.
QUESTION = "question"
# What a mail of thanks looks like.
THANKS = "thanks"
PAYMENT = "payment"
# The act of a sentence that starts with `also`.
ADDITION = "addition"
# What a machine's mail looks like.
MACHINE = "machine"
CANCEL = "cancel"
# What only talks of cancelling.
TALK = "cancel_talk"
# What people tell stories about.
TOLD_AROUND = frozenset({CANCEL, "where"})


@dataclass(frozen=True)
class Matters:
    """The topics of a pack with all its rules."""

    topics: Mapping[str, Topic]
    rules: tuple[Rule, ...]

    @cached_property
    def answerable(self) -> Set[str]:
        """The topics that some rule answers with a draft."""
        return {name for rule in self.rules if rule.action == "draft" for name in rule.asks}

    @cached_property
    def _kin(self) -> Mapping[str, Set[str]]:
        together: dict[str, set[str]] = {}
        for rule in self.rules:
            if rule.action == "draft":
                together.setdefault(rule.situation, set()).update(rule.asks)
        kin: dict[str, set[str]] = {}
        for names in together.values():
            for name in names:
                kin.setdefault(name, set()).update(names)
        return kin

    @cached_property
    def _own(self) -> Mapping[str, Set[str]]:
        # What has arrived and is not wanted goes back, whatever the buyer calls it.
        return {
            rule.id: frozenset().union(
                *map(self.kin_of, rule.asks), (name for name in rule.covers if self.has_dear((name,)))
            )
            for rule in self.rules
        }

    def kin_of(self, name: str) -> Set[str]:
        """The topics that are answered in the same situations as this one, which is among them."""
        return self._kin.get(name, {name})

    def own_of(self, rule: Rule) -> Set[str]:
        """The topics that are no objection to a rule."""
        return self._own[rule.id]

    def covered_with(self, name: str) -> Set[str]:
        """What the rules that answer this topic cover besides."""
        return frozenset[str]().union(*(rule.covers for rule in self.rules if name in rule.asks))

    def is_matter(self, name: str) -> bool:
        """True for a topic that wants an answer of its own; not for thanks, machines' mail and advertising."""
        return name in self.topics and self.topics[name].matter

    def has_dear(self, names: Iterable[str]) -> bool:
        """True where a wrong draft on one of these topics is worst."""
        return any(self.topics[name].is_dear for name in names if name in self.topics)

    def answers_dear(self, rule: Rule) -> bool:
        """True for a rule that answers a topic of which a wrong draft is worst."""
        return self.has_dear(kin for name in rule.asks for kin in self.kin_of(name))

    def only_reports(self, rule: Rule) -> bool:
        """True for a rule that tells how things stand and does nothing to the order."""
        return all(self.topics[name].kind == "report" for name in rule.asks if name in self.topics)


def begs_for_money(reading: Reading) -> bool:
    """True where a sentence that asks for the money back wishes it in so many words."""
    return REFUND in reading.asked and reading.asked[REFUND].sentence in reading.wishing
