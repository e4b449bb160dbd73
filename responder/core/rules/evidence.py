"""A mail that is held is looked at once more: whether all its signs together say what no single one of them may decide.

Rules, vetoes and likeness each ask one question and hold a mail in doubt. A careful reader weighs them together: the
`if` of a story is nothing beside a plain wish at the end. What each sign weighs stands in `data/evidence.toml`, with
how it was found. It makes a draft only of a mail that was held by a doubt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache

from responder.core.data_files import DATA
from responder.core.facts import load
from responder.core.rules.conditions import Case
from responder.core.rules.examples import Leaning
from responder.core.rules.findings import Findings
from responder.core.rules.matching import Matching
from responder.core.rules.matters import Matters
from responder.core.rules.pack import Rule
from responder.core.rules.proposals import assume, most_like
from responder.core.rules.reading import Reader
from responder.core.rules.signs import signs_of
from responder.model import Decision, Reason

# Acts that have been weighed and no longer hold a mail by themselves. Danger, a threat, waiting for the goods still do.
WEIGHED = frozenset({"conditional", "withdrawn", "undecided", "undecided_yet", "policy_question"})


@dataclass(frozen=True, slots=True)
class Weights:
    """What the signs of a matter weigh in log-odds, beginning from `base`; a draft takes a chance that is `needed`."""

    needed: float
    base: float
    signs: Mapping[str, float]

    def chance(self, signs: Mapping[str, float]) -> float:
        """How likely a mail with these signs wants a draft on the matter, and nothing else: 0 to 1."""
        known = self.signs
        odds = self.base + sum(value * known[name] for name, value in signs.items() if name in known)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@dataclass(frozen=True, slots=True)
class Scales:
    """The weights by topic. Only a mail that was `held` for one of these reasons or by a rule that is a doubt, with at
    `least` this share of the topic, is weighed; one that only tells and wishes nothing must have the share `told`."""

    held: Set[str]
    least: float
    told: float
    topics: Mapping[str, Weights]


@dataclass(frozen=True)
class Evidence:
    """The drafts that all signs together make."""

    matching: Matching
    matters: Matters
    reader: Reader
    scales: Scales

    def instead_of(self, held: Decision, case: Case) -> Decision | None:
        """The draft on a case that was `held`, where its signs together say surely enough what it wants, and want
        nothing else; or None."""
        why = held.reasons[0]
        if case.order is None or case.order_problem is not None:
            return None
        if not is_doubt(held, self.matching.rules, self.scales.held):
            return None
        leaning = self.reader.lean(case.reading)
        if leaning is None:
            return None
        likely = [
            (topic, chance) for topic in self.scales.topics if (chance := self._chance(topic, why, case, leaning))
        ]
        if len(likely) != 1:
            return None
        topic, chance = likely[0]
        match = self.matching.first(self._only(topic, case, leaning))
        if match.rule is None or topic not in match.rule.asks:
            return None
        decision = self.matching.decision(match)
        if decision.action != "draft":
            return None
        told = Reason.of("weighed_together", topic=topic, percent=str(math.floor(100 * chance)))
        return replace(decision, reasons=(*decision.reasons, told, why))

    def _chance(self, topic: str, why: Reason, case: Case, leaning: Leaning) -> float:
        """How likely the case wants a draft on the topic; 0 where that is not enough."""
        kin = self.matters.kin_of(topic)
        least = self.scales.least if case.reading.wishing else self.scales.told
        if topic not in self.matters.answerable or leaning.share_of(kin) < least:
            return 0.0
        weights = self.scales.topics[topic]
        chance = weights.chance(signs_of(case, kin, why.code, leaning, self.reader))
        return chance if chance >= weights.needed else 0.0

    def _only(self, topic: str, case: Case, leaning: Leaning) -> Case:
        """The case as if its mail asked plainly for this topic and spoke of nothing else."""
        kin, reading = self.matters.kin_of(topic), case.reading
        acts = frozenset(act for act in reading.acts - WEIGHED if act.partition(" ")[0] not in kin)
        mentions = tuple(mention for mention in reading.mentions if mention.topic in kin)
        plain = replace(case, reading=replace(reading, acts=acts, mentions=mentions, is_of_part=False))
        most = most_like(kin, reading, self.reader)
        return assume(plain, topic, leaning.nearest(topic), round(leaning.shares[topic], 2), sentence=most)


def is_doubt(held: Decision, rules: Sequence[Rule], codes: Set[str]) -> bool:
    """True for a mail that is held, be it by a rule that says it is a doubt or for a reason that is one."""
    if held.action != "hold":
        return False
    rule = next((rule for rule in rules if rule.id == held.rule and rule.action == "hold"), None)
    return rule.doubt if rule is not None else held.reasons[0].code in codes


@cache
def shipped_scales() -> Scales:
    """The weights that ship with the product, read once. Raises: ConfigError with every mistake in the file."""
    return read_scales(load("evidence"))


def read_scales(data: Mapping[str, object]) -> Scales:
    """The weights of a table such as `evidence.toml`. Raises: ConfigError with every mistake."""
    findings = Findings(lambda key: (str(DATA / "evidence.toml"), 0))
    findings.keys(data, ("held", "least", "told", "topic"), "")
    topics: dict[str, Weights] = {}
    for name, value in findings.table(data.get("topic", {}), "topic").items():
        key = f"topic.{name}"
        table = findings.table(value, key)
        findings.keys(table, ("needed", "base", "signs"), key)
        signs = findings.table(table.get("signs", {}), f"{key}.signs")
        weights = {sign: findings.number(weight, f"{key}.signs.{sign}") for sign, weight in signs.items()}
        needed, base = (findings.number(table.get(each), f"{key}.{each}") for each in ("needed", "base"))
        topics[name] = Weights(needed, base, weights)
    held = frozenset(findings.texts(data.get("held"), "held"))
    least, told = (findings.number(data.get(each), each) for each in ("least", "told"))
    findings.raise_if_any()
    return Scales(held, least, told, topics)
