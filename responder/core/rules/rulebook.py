"""A pack at work: which rule answers a mail, and why all the others do not.

First match wins: rules by priority, then in file order. Before a reply goes through, what no rule can switch off is
checked: the order is identified and its buyer's, its state is known, nothing else is asked in the same mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from types import MappingProxyType
from typing import Any

from responder.core import order_data
from responder.core.rules.conditions import WORDS, Case, holds, shown
from responder.core.rules.examples import Leaning, Likeness
from responder.core.rules.pack import Condition, Leaf, Rule, Topic
from responder.core.rules.reading import WISHES, Mention, Reader, Reading
from responder.model import Decision, Message, Reason, RuleTrace

# How far the likeliest topic must lead the next one of another situation, to be proposed by likeness alone.
LEAD = 2.0
# From this share on, a topic is proposed although a word stands in the mail that vetoes it.
SURE = 0.8
# With so many pieces, a wish among them, such a share and such a lead over everything else, a mail is like enough to a
# topic of which a wrong draft is worst.
AT_LENGTH = (90, 0.42, 2.5)
WITH_REFUND = (60, 0.28, 2.0)
# From this share on it may also be named without being asked for: the asking is in words that nobody knows.
PLAINLY = 0.95
# A reply found by words is doubted where another topic has at least the first share, its own at most the second.
DOUBT = (0.4, 0.1)
# So is one on cancelling, where its own share is less than this part of another's.
CAREFUL = 0.4
# So is one that neither the mail nor the sentence that asks looks like: the first share at most; or, with the second
# share, less than half as like as what only a person can answer.
UNLIKE = (0.12, 0.2)
# A sentence of which the words that ask are this part asks for nothing else, however short it is.
NOTHING_ELSE = 0.45
# Another matter beside it is no objection where the sentence that asks has at least this share of its own.
CLEARLY = 0.5
# With fewer pieces than this (a dozen letters) a text is too short to be like anything, unless it surely is.
FEW_PIECES = 18
# So much of a mail must be like a topic, to be proposed where words of the mail ask for another.
AGAINST_WORDS = 0.5
# With fewer examples than this of what a rule asks, likeness to others says nothing against it: a shop's own topics.
FEW = 25
# Who wants his money back for what has not left wishes something, whether he says please or not.
REFUND = "refund"
MONEY_BACK = frozenset({REFUND, "return"})
# Questions to the shop that no reply answers.
QUESTION = "question"
# What only a person may answer (an injury, a threat); from this share on, if it is more than the reply's own.
GRIEVANCE = ("grievance", 0.15)
# A sentence that starts with `also` and is so much like another matter asks for a second one.
ADDITION = ("addition", 0.4)
# So does one that begs for something, with so many pieces, as much like another matter, and such a share of it in all.
SECOND = (60, 0.4, 0.25)
# What a mail of thanks looks like, and the share from which on it surely is one, whatever else stands in it.
THANKS = "thanks"
THANKFUL = frozenset({THANKS, "cancel_talk"})
SURELY_THANKS = 0.35
# What has arrived is mostly written of to give thanks: enough is this share, so many times the next, and no wish.
LIKELY_THANKS = 0.4
CLEAR = 3.0
# From this share on a mail is so much like what it asks for that a second matter, at most this part as likely, is none.
ALONE = (0.7, 0.02)
# What people tell stories about; and how much like another matter a sentence that only tells may be, by itself.
TOLD_AROUND = frozenset({"cancel", "where"})
HARDLY_LIKE = 0.1
# A sentence this short says nothing that could be missed.
GREETING = 6
# Order states that no reply relies on unless its rule names them.
UNSURE_STATES = frozenset({"cancelled", "unknown"})
# From this share on a mail that nothing else is known of is what machines and sellers write, or a word of thanks; and
# the likeness answers a mail in the place of words that it makes doubtful.
SURELY = 0.9
# Who speaks of cancelling like this is answered on nothing else by likeness alone.
UNCLEAR = frozenset({"past", "done", "conditional", "undecided", "policy_question"})
# Holds that likeness may answer after all: a second matter that only words name, a cancel that other words keep from
# its order.
LIKELY = 0.7
NO_ORDER = "cancel_without_order"
OPEN = frozenset({"two_matters", NO_ORDER})
# What machines write: nobody misses an answer to it, however little of it was read.
MACHINES = frozenset({"auto_reply", "spam"})
# A matter of which a mail only speaks like this is no second one: denied, or done with.
CLOSED = frozenset({"negated", "settled", "thanked"})
# Acts anywhere in a mail that keep examples from proposing a topic which they void.
WARNING_ACTS = frozenset({"conditional", "withdrawn", "undecided", "policy_question"})
# Who asks about the goods has not given them up, whatever story he tells around it.
INQUIRY = "inquiry"
# Who says that he wants no answer asks for nothing, whatever his mail looks like.
NOTHING_WANTED = "no_reply_needed"
_CODE = re.compile(r"^[a-z][a-z0-9_]*$")


@dataclass(frozen=True)
class Rulebook:
    """The rules of a pack in the order they are asked, with everything to read a mail for them."""

    rules: tuple[Rule, ...]
    topics: Mapping[str, Topic]
    reader: Reader
    timezone: tzinfo
    _index: dict[tuple[str, str], set[int]] = field(default_factory=dict, repr=False)
    _always: list[int] = field(default_factory=list, repr=False)
    _answerable: set[str] = field(default_factory=set, repr=False)
    _kin: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _misses: dict[tuple[str, int], RuleTrace] = field(default_factory=dict, repr=False)
    _owns: dict[str, tuple[frozenset[str], bool]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        together: dict[str, set[str]] = {}
        for place, rule in enumerate(self.rules):
            if rule.action == "draft":
                self._answerable.update(rule.asks)
                together.setdefault(rule.situation, set()).update(rule.asks)
            atoms = needed(rule.when)
            if atoms is None:
                self._always.append(place)
            else:
                for atom in atoms:
                    self._index.setdefault(atom, set()).add(place)
        for names in together.values():
            for name in names:
                self._kin.setdefault(name, set()).update(names)

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
        fired, trace = self._first(case)
        thanks = fired is not None and fired.action == "silence" and fired.situation == "thanks_only"
        if fired is None or (thanks and not any(self.topics[name].matter for name in case.reading.asked)):
            proposed = self._proposed(case)
            if proposed is not None:
                return proposed
        if fired is None:
            unspoken = self._from_machine(case) or self._like_thanks(case)
            if unspoken is not None:
                return unspoken
        if thanks and self._says_more(case.reading):
            if (unspoken := self._from_machine(case)) is not None:
                return unspoken
            fired = None
        decision = self._weighed(fired, trace, case)
        if decision.action != "hold":
            return decision
        alone = self._alone(case) if fired is not None and fired.action == "draft" else None
        if alone is not None:
            second = self._weighed(*self._first(alone), alone)
            if second.action == "draft":
                return second
        told = self._told(case)
        if told is not None:
            fired, trace = self._first(told)
            second = (self._proposed(told) if fired is None else None) or self._weighed(fired, trace, told)
            if second.action == "draft":
                return second
        return decision

    def _weighed(self, fired: Rule | None, trace: tuple[RuleTrace, ...], case: Case) -> Decision:
        """The decision by a rule, held where the examples doubt its draft."""
        decision = _decided(fired, case, trace, self.topics)
        if fired is None or (fired.action != "draft" and fired.hold != NO_ORDER):
            return decision
        doubt = self._doubt(fired, case) if decision.action == "draft" else None
        if doubt is None and decision.reasons[0].code not in OPEN:
            return decision
        surely = self._surely(case, doubt)
        if surely is not None:
            return surely
        if doubt is None:
            return decision
        return replace(decision, action="hold", template=None, reasons=(doubt, *decision.reasons))

    def _alone(self, case: Case) -> Case | None:
        """The case without the matters that single words of it name (`the old one`, `does not fit two`), where by the
        examples it is surely about another that it asks for too; None if there are none. Cancelling and what only a
        person answers are never among them."""
        leaning = self.reader.lean(case.reading) if len(case.reading.asked) > 1 else None
        if leaning is None:
            return None
        kin = {name: self._kin.get(name, {name}) for name in case.reading.asked if self._is_matter(name)}
        shares = {name: sum(leaning.shares.get(n, 0.0) for n in names) for name, names in kin.items()}
        least, part = ALONE
        most = max(shares.values(), default=0.0)
        if most < least:
            return None
        unlike = {
            name
            for name, share in shares.items()
            if share <= part * most
            and name in self._answerable
            and leaning.count_of(kin[name]) >= FEW
            and not self._is_careful(kin[name])
        }
        if not unlike:
            return None
        return _without(unlike, case)

    def _told(self, case: Case) -> Case | None:
        """The case without matters whose words only tell how things came about (`he has moved to Spain`, `import tax
        is 25 %`), where by the examples the mail is surely about cancelling or the whereabouts; None if there are none.
        No such sentence wishes anything, and by itself none looks like its matter."""
        reading = case.reading
        leaning = self.reader.lean(reading) if case.order is not None and reading.asked else None
        if leaning is None:
            return None
        best = max(leaning.shares, key=leaning.shares.__getitem__)
        if leaning.shares[best] < SURE or best not in TOLD_AROUND:
            return None
        kin = self._kin.get(best, {best})
        covered = frozenset[str]().union(*(rule.covers for rule in self.rules if best in rule.asks))
        named = bool(kin & reading.asked.keys())
        aside = {name for name in reading.asked if name not in kin and self._is_matter(name)}
        aside -= covered if named else set()
        open_ = aside if best != "cancel" else aside - MONEY_BACK
        # A subject tells what the mail is about, not how things came about.
        above = {name for name in aside if reading.asked[name].sentence == 0} if case.message.subject.strip() else set()
        told = not above and all(self._only_told(name, kin, reading, covered=name in covered) for name in open_)
        return _without(aside, case) if aside and told else None

    def _only_told(self, name: str, kin: Set[str], reading: Reading, *, covered: bool) -> bool:
        """True for a matter in a sentence that wishes nothing and, unless the answer covers it, looks more like these
        kin than like it."""
        number = reading.asked[name].sentence
        asking = reading.wishing | {each.sentence for other, each in reading.asked.items() if other in kin}
        if number in asking or self._is_careful((name,)):
            return False
        alone = None if covered else self.reader.lean(reading, only=number)
        if alone is None:
            return covered
        own = self._kin.get(name, {name}) | {QUESTION}
        likeness = sum(alone.shares.get(n, 0.0) for n in own)
        return likeness <= min(HARDLY_LIKE, sum(alone.shares.get(n, 0.0) for n in kin))

    def _is_careful(self, names: Iterable[str]) -> bool:
        """True for topics of which a wrong draft is worst."""
        return any(self.topics[name].is_dear for name in names if name in self.topics)

    def _first(self, case: Case) -> tuple[Rule | None, tuple[RuleTrace, ...]]:
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
                trace.append(RuleTrace(rule.id, "fired", _because(rule, case)))
        return fired, tuple(trace)

    def _miss(self, rule: Rule, failed: Condition) -> RuleTrace:
        """The trace of a rule that fails on this condition of its own, the same for every mail."""
        # Conditions live as long as the rules, so that their ids stay theirs.
        missed = self._misses.get((rule.id, id(failed)))
        if missed is None:
            missed = RuleTrace(rule.id, "missed", (Reason.of("condition_missed", condition=shown(failed)),))
            self._misses[rule.id, id(failed)] = missed
        return missed

    def _proposed(self, case: Case) -> Decision | None:
        """What the examples propose for a mail whose words are not known, if the order makes it possible.

        Every topic that would end in a draft for this order stands against all that never do; the best must lead, hold
        its topic's least share, and nothing in the mail may speak against it.
        """
        leaning = self.reader.lean(case.reading)
        if leaning is None:
            return None
        shares = leaning.shares
        against = [share for name, share in shares.items() if name not in self._answerable]
        possible = sorted(
            (name for name in shares if self._may_propose(name, case.reading, shares[name])),
            key=shares.__getitem__,
            reverse=True,
        )
        if not possible or shares[possible[0]] < LEAD * max(against, default=0.0):
            return None
        candidates = self._candidates(replace(case.reading, asked={}))
        drafts: dict[str, str] = {}
        for name in possible:
            places = candidates | self._index.get(("asks", name), set())
            if (situation := self._drafted(self._assumed(case, name, ""), places)) is not None:
                drafts[name] = situation
        if not drafts:
            return None
        best = next(iter(drafts))
        others = [shares[name] for name in drafts if drafts[name] != drafts[best]]
        if shares[best] < LEAD * max(*others, *against, 0.0):
            return None
        if shares[best] < self.topics[best].least and not self._at_length(best, case.reading, leaning):
            return None
        if self._is_careful((best,)) and shares[best] < SURE and not self._wished(best, case.reading):
            return None
        few = FEW_PIECES * (2 if self._is_careful((best,)) else 1)
        if leaning.count < few and shares[best] < SURE:
            return None
        if shares[best] < AGAINST_WORDS and self._asks_else(best, case.reading):
            return None
        assumed = self._assumed(case, best, leaning.nearest(best), round(shares[best], 2))
        fired, trace = self._first(assumed)
        return _decided(fired, assumed, trace, self.topics)

    def _wished(self, name: str, reading: Reading) -> bool:
        """True where a sentence that wishes something looks like the topic, or begs for the money."""
        if REFUND in reading.asked and reading.asked[REFUND].sentence in reading.wishing:
            return True
        alone = (self.reader.lean(reading, only=number) for number in reading.wishing)
        return any(each.shares.get(name, 0.0) >= CLEARLY for each in alone if each is not None)

    def _at_length(self, name: str, reading: Reading, leaning: Leaning) -> bool:
        """True where a mail that wishes something says much that is like the topic and little like any other."""
        pieces, least, lead = AT_LENGTH
        share = leaning.shares[name]
        others = max(other for topic, other in leaning.shares.items() if topic != name)
        if REFUND in reading.asked and reading.asked[REFUND].sentence in reading.wishing:
            pieces, least, lead = WITH_REFUND
        elif not reading.wishing:
            return False
        return leaning.count >= pieces and share >= max(least, lead * others)

    def _asks_else(self, name: str, reading: Reading) -> bool:
        """True where words of the mail ask for a matter of another situation; money back is no other than a cancel."""
        own = self._kin.get(name, {name}) | (MONEY_BACK if self._is_careful((name,)) else set())
        return any(other not in own and self._is_matter(other) for other in reading.asked)

    def _from_machine(self, case: Case) -> Decision | None:
        """Silence on a mail without any order that surely looks like what programs and sellers write, or None."""
        leaning = self.reader.lean(case.reading) if case.order is None and not case.ids_named else None
        if leaning is None or leaning.count < FEW_PIECES:
            return None
        best = max(leaning.shares, key=leaning.shares.__getitem__)
        if leaning.shares[best] < SURELY or best not in self.topics or self.topics[best].matter:
            return None
        assumed = self._assumed(case, best, leaning.nearest(best), round(leaning.shares[best], 2))
        fired, trace = self._first(assumed)
        if fired is None or fired.action != "silence" or fired.situation not in MACHINES:
            return None
        return _decided(fired, assumed, trace, self.topics)

    def _like_thanks(self, case: Case) -> Decision | None:
        """What the rules do with thanks, for a mail that asks for nothing and surely looks like thanks; or None."""
        leaning = self.reader.lean(case.reading, thanks=True) if not case.reading.asked else None
        if leaning is None:
            return None
        thanks = leaning.shares.get(THANKS, 0.0)
        others = max((share for name, share in leaning.shares.items() if name != THANKS), default=0.0)
        arrived = case.order is not None and case.order.status == "delivered" and not case.reading.acts & WISHES
        if thanks < (SURE if leaning.count >= FEW_PIECES else SURELY) and not (
            arrived and leaning.count >= FEW_PIECES and thanks >= LIKELY_THANKS and thanks >= CLEAR * others
        ):
            return None
        assumed = replace(case, reading=replace(case.reading, acts=frozenset({"thanks"})))
        fired, trace = self._first(assumed)
        if fired is None or fired.action != "silence" or fired.situation != "thanks_only":
            return None
        return _decided(fired, case, trace, self.topics)

    def _surely(self, case: Case, doubt: Reason | None) -> Decision | None:
        """The draft on what the mail surely looks like, where it answers what its words ask as well (`money back
        please, it has not been sent yet, has it`)."""
        leaning = self.reader.lean(case.reading)
        if leaning is None:
            return None
        name = max(leaning.shares, key=leaning.shares.__getitem__)
        share = leaning.shares[name]
        if share < (LIKELY if doubt is None else SURELY) or name not in self._answerable:
            return None
        if not self._may_propose(name, case.reading, share):
            return None
        assumed = self._assumed(case, name, leaning.nearest(name), round(share, 2), case.reading.asked)
        fired, trace = self._first(assumed)
        if fired is None or name not in fired.asks:
            return None
        decision = _decided(fired, assumed, trace, self.topics)
        return decision if decision.action == "draft" else None

    @staticmethod
    def _assumed(
        case: Case, topic: str, example: str, score: float = 0.0, asked: Mapping[str, Mention] = MappingProxyType({})
    ) -> Case:
        """The case as if its mail asked for this topic, and for what is `asked` besides."""
        mention = Mention(topic, "asked", 0, "", Likeness(topic, example, score))
        return replace(case, reading=replace(case.reading, asked={**asked, topic: mention}))

    def _drafted(self, case: Case, candidates: Set[int]) -> str | None:
        """The situation of the draft that these rules would make of a case; None if they would make none."""
        for place in sorted(candidates):
            rule = self.rules[place]
            if holds(rule.when, case) is None and (rule.unless is None or holds(rule.unless, case) is not None):
                return rule.situation if rule.action == "draft" and bar(rule, case, self.topics) is None else None
        return None

    def _doubt(self, rule: Rule, case: Case) -> Reason | None:
        """The examples' objection to a rule that its words let through: the mail looks like something else entirely.
        Where a wrong draft is worst, looking more like something else is enough. A matter told at length around one
        clear sentence (`we shall be away when it comes, so please cancel it`) is none."""
        leaning = self.reader.lean(case.reading) if rule.asks else None
        if leaning is None:
            return None
        own, careful = self._own(rule)
        shares = leaning.shares
        likeness = sum(shares.get(name, 0.0) for name in own)
        other = max((name for name in shares if name not in own), key=shares.__getitem__, default=None)
        if other is None or leaning.count_of(own) < FEW:
            return None
        hurt, least = GRIEVANCE
        if shares.get(hurt, 0.0) >= max(least, likeness):
            return Reason.of("looks_like_another", topic=hurt, example=leaning.nearest(hurt))
        if (second := self._added(case.reading, own | set(rule.covers), leaning)) is not None:
            return Reason.of("two_matters", topics=", ".join((*sorted(rule.asks & case.reading.asked.keys()), second)))
        # `Cancel 8237`: no likeness says more.
        if careful and any(case.reading.asked[name].numbered for name in rule.asks & case.reading.asked.keys()):
            return None
        most, least = DOUBT
        doubted = shares[other] >= most and (likeness <= least or (careful and likeness < CAREFUL * shares[other]))
        unlike, asking = UNLIKE
        person = shares.get(QUESTION, 0.0)
        # What is like nothing at all is no objection to known words that ask for a mere report (`where is it`).
        vague = other in self._answerable and shares[other] < most and person < likeness and self._only_reports(rule)
        unlikely = leaning.count >= FEW_PIECES and likeness < unlike and not vague
        question = person >= asking and likeness < 0.5 * person and QUESTION not in rule.covers
        if not (doubted or unlikely or question):
            return None
        clearly = self._likeness_of_asking(rule, case.reading, own)
        if doubted and clearly >= CLEARLY:
            unsaid = other == QUESTION or (careful and clearly >= SURE)
            told = unsaid and self._wishes_only(rule, case.reading, own)
            doubted = not (told or other in self._answerable)
        # Who asks and then thanks has not only thanked, however short his question.
        if (
            doubted
            and other == THANKS
            and (
                self._wishes(rule, case.reading)
                or clearly > self._likeness_of_asking(rule, case.reading, frozenset({THANKS}))
            )
        ):
            doubted = False
        if doubted:
            return Reason.of("looks_like_another", topic=other, example=leaning.nearest(other))
        if unlikely and clearly < unlike:
            return Reason.of("looks_like_another", topic=other, example=leaning.nearest(other))
        if question and clearly < asking:
            return Reason.of("looks_like_another", topic=QUESTION, example=leaning.nearest(QUESTION))
        return None

    def _own(self, rule: Rule) -> tuple[frozenset[str], bool]:
        """The topics that are no objection to a rule, and whether it answers one of which a wrong draft is worst."""
        found = self._owns.get(rule.id)
        if found is None:
            own = frozenset().union(*(self._kin.get(name, {name}) for name in rule.asks))
            # What has arrived and is not wanted goes back, whatever the buyer calls it.
            more = {name for name in rule.covers if self._is_careful((name,))}
            found = self._owns[rule.id] = own | more, self._is_careful(own)
        return found

    def _only_reports(self, rule: Rule) -> bool:
        """True for a rule that tells how things stand and does nothing to the order."""
        return all(self.topics[name].kind == "report" for name in rule.asks if name in self.topics)

    def _wishes_only(self, rule: Rule, reading: Reading, own: Set[str]) -> bool:
        """True where every other sentence only tells (`my telephone is ...`, `I forgot my password`): none that wishes
        something looks like what the rule does not answer."""
        asking = {m.sentence for m in reading.mentions if m.topic in rule.asks and m.status == "asked"}
        others = (self.reader.lean(reading, only=number) for number in reading.wishing - asking)
        return all(
            max((share for name, share in each.shares.items() if name not in own), default=0.0) < DOUBT[0]
            for each in others
            if each is not None
        )

    def _wishes(self, rule: Rule, reading: Reading) -> bool:
        """True where a sentence that asks for what the rule answers does so with a question or a please."""
        asked = rule.asks & reading.asked.keys()
        return any(m.topic in asked and m.status == "asked" and m.sentence in reading.wishing for m in reading.mentions)

    def _added(self, reading: Reading, answered: Set[str], whole: Leaning) -> str | None:
        """The matter of a sentence that adds one in words that nobody knows (`also you took the fee twice`), or begs
        for it at length (`and the saucer had a crack, can you put a new one in`). `whole` is what the mail looks
        like."""
        act, least = ADDITION
        pieces, much, of_all = SECOND
        begged = {
            name
            for name, share in whole.shares.items()
            if share >= of_all and name in self._answerable and name not in answered and not self._is_careful((name,))
        }
        for number, sentence in enumerate(reading.sentences):
            adds = act in sentence.acts
            wishes = bool(begged) and number in reading.wishing
            leaning = self.reader.lean(reading, only=number) if adds or wishes else None
            if leaning is None or leaning.count < (FEW_PIECES if adds else pieces):
                continue
            name = max(leaning.shares, key=leaning.shares.__getitem__)
            if name not in self._answerable or name in answered or leaning.shares[name] < (least if adds else much):
                continue
            if adds or name in begged:
                return name
        return None

    def _likeness_of_asking(self, rule: Rule, reading: Reading, own: Set[str]) -> float:
        """How much the sentences that ask for what the rule answers look like that by themselves, at most; 1 where the
        examples proposed it, and where a sentence says next to nothing but that its order be cancelled."""
        asked = rule.asks & reading.asked.keys()
        if not asked or any(reading.asked[name].likeness is not None for name in asked):
            return 1.0
        asking = [each for each in reading.mentions if each.topic in asked and each.status == "asked"]
        if self._is_careful(asked) and any(
            each.sentence in reading.wishing
            and len(each.words) >= NOTHING_ELSE * len(reading.sentences[each.sentence].text)
            for each in asking
        ):
            return 1.0
        numbers = sorted({each.sentence for each in (*asking, *map(reading.asked.__getitem__, asked))})
        alone = [self.reader.lean(reading, only=number) for number in numbers]
        return max((sum(each.shares.get(n, 0.0) for n in own) for each in alone if each is not None), default=0.0)

    def _is_matter(self, name: str) -> bool:
        return name in self.topics and self.topics[name].matter

    def _says_more(self, reading: Reading) -> bool:
        """True if a mail of thanks has a sentence that nobody understood, or looks like a matter: no silence then."""
        if NOTHING_WANTED in reading.acts and not reading.asked:
            return False
        leaning = self.reader.lean(reading, thanks=True)
        unread = any(not s.acts and len(s.text) > GREETING for s in reading.sentences)
        if leaning is None:
            return unread
        shares = leaning.shares
        thanks = sum(share for name, share in shares.items() if name in THANKFUL)
        matter = max((n for name, n in shares.items() if self._is_matter(name)), default=0.0)
        return thanks < SURELY_THANKS and thanks < matter and (unread or matter >= DOUBT[0])

    def _may_propose(self, name: str, reading: Reading, share: float) -> bool:
        """False where an act speaks against the topic, or a veto against it or another of the same situation."""
        topic = self.topics.get(name)
        if topic is None or topic.least > 1 or reading.acts & topic.voids & WARNING_ACTS:
            return False
        if NOTHING_WANTED in reading.acts:
            return False
        # `I told them to leave it`: what is reported is asked of nobody.
        if "done" in reading.acts and share < SURE and self._is_careful((name,)):
            return False
        if INQUIRY in reading.acts and (name in TOLD_AROUND or self._is_careful((name,))):
            return False
        kin = self._kin.get(name, {name})
        plain = ("asked", "mentioned") if share >= PLAINLY or not topic.asked_by else ("asked",)
        if any(m.topic in kin and m.status not in plain for m in reading.mentions):
            return False
        if any(m.status in UNCLEAR and self._is_careful((m.topic,)) for m in reading.mentions):
            return False
        against = {other for other in kin if other == name or self.topics[other].kind == "request"}
        sure = SURELY if self._is_careful((name,)) else SURE
        return not kin & reading.elsewhere and (share >= sure or not against & reading.vetoed)

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


def _without(names: Set[str], case: Case) -> Case:
    """The case as if its mail did not speak of these matters."""
    reading = case.reading
    mentions = tuple(m for m in reading.mentions if m.topic not in names)
    asked = {name: mention for name, mention in reading.asked.items() if name not in names}
    named = frozenset(m.topic for m in mentions)
    return replace(case, reading=replace(reading, mentions=mentions, asked=asked, mentioned=named))


def _true_of(reading: Reading) -> tuple[tuple[str, Iterable[str]], ...]:
    """Everything the mail's words make true, as the pairs that rules are indexed by."""
    return (
        ("asks", reading.asked),
        ("mentions", reading.mentioned),
        ("acts", reading.acts),
        ("says", reading.said),
        ("like", reading.like),
    )


def needed(condition: Condition) -> frozenset[tuple[str, str]] | None:
    """What a mail must say one of for the condition to hold, by kind and name; None if words do not decide."""
    if isinstance(condition, Leaf):
        if condition.key not in WORDS:
            return None
        if condition.key in ("says", "subject"):
            return frozenset({("says", str(condition.wanted))})
        names = condition.wanted if isinstance(condition.wanted, tuple) else ()
        return frozenset((condition.key, name) for name in names)
    found = [needed(member) for member in condition.members]
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


def _because(rule: Rule, case: Case) -> tuple[Reason, ...]:
    reasons = []
    for topic in sorted(rule.asks & case.reading.asked.keys()):
        mention = case.reading.asked[topic]
        sentence = case.reading.sentences[mention.sentence].text
        if mention.likeness is not None:
            reasons.append(Reason.of("asks_like", topic=topic, sentence=sentence, example=mention.likeness.example))
        else:
            reasons.append(Reason.of("asks", topic=topic, sentence=sentence))
    for leaf in _leaves(rule.when):
        if leaf.key in ("says", "subject") and str(leaf.wanted) in case.reading.said:
            reasons.append(Reason.of("says", sentence=case.reading.said[str(leaf.wanted)]))
        elif leaf.key == "acts" and isinstance(leaf.wanted, tuple):
            for act in leaf.wanted:
                text = next((s.text for s in case.reading.sentences if act.rpartition(" ")[2] in s.acts), None)
                if act in case.reading.acts and text is not None:
                    reasons.append(Reason.of("act", act=act, sentence=text))
        elif leaf.key.startswith("order.") and case.order is not None:
            reasons.append(Reason.of("order_fact", condition=shown(leaf)))
    return tuple(dict.fromkeys(reasons))


def _leaves(condition: Condition) -> list[Leaf]:
    if isinstance(condition, Leaf):
        return [condition]
    if condition.kind == "none":
        return []
    return [leaf for member in condition.members for leaf in _leaves(member)]


def _decided(rule: Rule | None, case: Case, trace: tuple[RuleTrace, ...], topics: Mapping[str, Topic]) -> Decision:
    order = case.order if case.order_problem is None else None
    order_id = order.order_id if order is not None else next(iter(case.ids_named), None)
    common: dict[str, Any] = {
        "language": case.message.language,
        "channel": case.channel,
        "order": order,
        "order_id": order_id,
        "sentences": case.reading.sentences,
        "trace": trace,
        "asks": tuple(sorted(case.reading.asked)),
        "is_angry": "angry" in case.reading.acts,
        "is_formal": case.official_cancel,
    }
    about_order = _order_reason(case)
    upset = (Reason.of("angry_buyer"),) if "angry" in case.reading.acts else ()
    if rule is None:
        why = Reason.of("not_understood") if case.reading.chars else Reason.of("no_text")
        return Decision("hold", "other", None, reasons=(why, *about_order, *upset), **common)
    reasons = (Reason.of("rule", rule=rule.id), *(r for t in trace if t.outcome == "fired" for r in t.because))
    common |= {"note": _note(rule, case), "deadline_h": rule.deadline_h}
    match rule.action:
        case "silence" if not case.reading.too_long or rule.situation in MACHINES:
            return Decision("silence", rule.situation, rule.id, reasons=reasons, **common)
        case "silence":
            why = Reason.of("text_too_long")
            return Decision("hold", rule.situation, rule.id, reasons=(why, *reasons, *about_order), **common)
        case "hold":
            hold = rule.hold or ""
            why = Reason.of(hold) if _CODE.match(hold) else Reason.of("hold_text", text=hold)
            return Decision("hold", rule.situation, rule.id, reasons=(why, *reasons, *about_order, *upset), **common)
    barred = bar(rule, case, topics)
    if barred is not None:
        return Decision("hold", rule.situation, rule.id, reasons=(barred, *reasons, *about_order, *upset), **common)
    return Decision(
        "draft",
        rule.situation,
        rule.id,
        template=rule.template,
        reasons=(*reasons, *about_order),
        **common,
    )


def _note(rule: Rule, case: Case) -> str | None:
    """What staff are told: the rule's own note, and how to speak with a buyer who is upset."""
    notes = (rule.note or "", "angry_buyer" if "angry" in case.reading.acts and rule.action != "silence" else "")
    return "\n".join(note for note in notes if note) or None


def _order_reason(case: Case) -> tuple[Reason, ...]:
    if case.order_problem is not None:
        return (Reason.of(case.order_problem, **case.notes),)
    if case.order is None:
        return ()
    code = "order_by_number" if case.by_number else "order_by_sender"
    told = Reason.of(code, order_id=case.order.order_id, status=case.order.status)
    return (told, *order_data.reasons_about(case.order, case.message, case.now))


def bar(rule: Rule, case: Case, topics: Mapping[str, Topic]) -> Reason | None:
    """Why a reply must not be drafted although its rule matches, or None. No rule can switch these off."""
    message, order = case.message, case.order
    if message.sender is None:
        return Reason.of("sender_unclear")
    if case.trusted is False:
        return Reason.of("sender_not_trusted")
    if case.reading.too_long:
        return Reason.of("text_too_long")
    if rule.needs_order:
        if case.order_problem is not None:
            return Reason.of(case.order_problem, **case.notes)
        if order is None:
            return Reason.of("order_not_found")
        if found := order_data.problems(order, message, case.now):
            return Reason.of("order_data_problem", problems=", ".join(found))
        if order.status in UNSURE_STATES and order.status not in rule.statuses:
            return Reason.of("order_state_unsure", status=order.status)
        if rule.fresh_h is not None and (old := order_data.too_old(order, case.now, rule.fresh_h)) is not None:
            return old
    others = sorted(t for t in case.reading.asked.keys() - rule.asks - rule.covers if topics[t].matter)
    if not others:
        # Two more matters by name make a list, even where nobody can say which of them is asked for.
        open_ = {m.topic for m in case.reading.mentions if m.status not in CLOSED}
        named = sorted(t for t in open_ - rule.asks - rule.covers if topics[t].matter)
        others = named if len(named) > 1 else []
    if others:
        return Reason.of("two_matters", topics=", ".join((*sorted(rule.asks & case.reading.asked.keys()), *others)))
    return None
