"""A pack at work: which rule answers a mail, and what the examples say for and against it.

First match wins; `bars` says what no rule can switch off. What a mail looks like may propose a reply where no words are
known (`proposals`), leave it without one (`silences`), doubt the reply that its words ask for (`doubts`) and tell which
of its matters are none (`passing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import cached_property

from responder.core.rules.conditions import Case
from responder.core.rules.doubts import Doubts
from responder.core.rules.evidence import Evidence, Scales
from responder.core.rules.matching import Match, Matching
from responder.core.rules.matters import Matters
from responder.core.rules.pack import Rule, Topic
from responder.core.rules.passing import Passing
from responder.core.rules.proposals import Proposals
from responder.core.rules.reading import Reader, Reading
from responder.core.rules.silences import Silences
from responder.core.rules.weighing import Weighing
from responder.model import Decision, Message

# Holds that likeness may answer after all: a second matter that only words name, a cancel that other words keep from
# its order, a buyer who seems to waver, a cancel of the past, and, unless he takes one back, a buyer who cancels not.
WITHDRAWN = "withdrawn"
NO_CANCEL = "cancel_withdrawn"
OPEN_RULES = frozenset({"cancel_without_order", "cancel_undecided", "cancel_past", NO_CANCEL})
OPEN = OPEN_RULES | {"two_matters"}
# Holds of a mail without an order that what a program or a seller writes sets off as well.
UNPLACED = frozenset({"order_needed", "cancel_without_order", "cancel_conditional", "policy_question", "for_a_person"})


@dataclass(frozen=True)
class Rulebook:
    """The rules of a pack in the order they are asked, with everything to read a mail for them."""

    rules: tuple[Rule, ...]
    topics: Mapping[str, Topic]
    reader: Reader
    timezone: tzinfo
    weighing: Weighing
    scales: Scales

    def template_names(self) -> frozenset[str]:
        """Every template that a rule replies with."""
        return frozenset(rule.template for rule in self.rules if rule.template is not None)

    def note_names(self) -> frozenset[str]:
        """Every note that a rule leaves for staff."""
        return frozenset(rule.note for rule in self.rules if rule.note is not None)

    def situations(self) -> tuple[str, ...]:
        """The situations that rules name, in the order they are asked."""
        return tuple(dict.fromkeys(rule.situation for rule in self.rules))

    def read(self, message: Message, items: Sequence[str] = (), order_id: str = "") -> Reading:
        """What the mail says; `items` are the names of what its writer ordered, `order_id` is the order's number."""
        return self.reader.read(message, items, order_id)

    def judge(self, case: Case) -> Decision:
        """The decision on a case, with its reasons and a trace of every rule that came near."""
        match = self._matching.first(case)
        thanks = match.is_thanks
        if match.rule is None or (thanks and not any(map(self._matters.is_matter, case.reading.asked))):
            proposed = self._proposals.without_words(case)
            if proposed is not None:
                return proposed
        if thanks and self._silences.says_more(case.reading):
            match = replace(match, rule=None)
        if match.rule is None or match.rule.hold in UNPLACED:
            silence = self._silences.from_machine(case)
            if silence is None and match.rule is None and not thanks:
                silence = self._silences.like_thanks(case)
            if silence is not None:
                return silence
        decision = self._weighed(match)
        if decision.action != "hold":
            return decision
        return self._without_what_passes(match) or self._evidence.instead_of(decision, case) or decision

    def _weighed(self, match: Match) -> Decision:
        """The decision by the rule that fits, held where the examples doubt its draft."""
        decision, rule = self._matching.decision(match), match.rule
        if rule is None or (rule.action != "draft" and rule.hold not in OPEN_RULES):
            return decision
        if rule.hold == NO_CANCEL and WITHDRAWN in match.case.reading.acts:
            return decision
        doubt = self._doubts.against(rule, match.case) if decision.action == "draft" else None
        if doubt is None and decision.reasons[0].code not in OPEN:
            return decision
        surely = self._proposals.in_place_of_words(match.case, doubted=doubt is not None)
        if surely is not None or doubt is None:
            return surely or decision
        return replace(decision, action="hold", template=None, reasons=(doubt, *decision.reasons))

    def _without_what_passes(self, match: Match) -> Decision | None:
        """The draft on a case that is held, without the matters that its mail names only in passing; None where there
        are none, or no draft even so."""
        home = self._passing.without_life_at_home(match.case)
        if home is not None:
            match = self._matching.first(home)
            decision = self._weighed(match)
            if decision.action == "draft":
                return decision
        alone = self._passing.without_single_words(match.case) if match.is_draft else None
        if alone is not None:
            decision = self._weighed(self._matching.first(alone))
            if decision.action == "draft":
                return decision
        told = self._passing.without_stories(match.case)
        if told is not None:
            match = self._matching.first(told)
            proposed = self._proposals.without_words(told) if match.rule is None else None
            decision = proposed or self._weighed(match)
            if decision.action == "draft":
                return decision
        return None

    @cached_property
    def _matching(self) -> Matching:
        return Matching(self.rules, self.topics)

    @cached_property
    def _matters(self) -> Matters:
        return Matters(self.topics, self.rules)

    @cached_property
    def _proposals(self) -> Proposals:
        return Proposals(self._matching, self._matters, self.reader, self.weighing)

    @cached_property
    def _silences(self) -> Silences:
        return Silences(self._matching, self._matters, self.reader, self.weighing)

    @cached_property
    def _doubts(self) -> Doubts:
        return Doubts(self._matters, self.reader, self.weighing)

    @cached_property
    def _evidence(self) -> Evidence:
        return Evidence(self._matching, self._matters, self.reader, self.scales)

    @cached_property
    def _passing(self) -> Passing:
        return Passing(self._matters, self.reader, self.weighing)
