"""What the examples object to a reply that words ask for: the mail looks like something else, or asks for more.

A matter told at length around one clear sentence (`we shall be away when it comes, so please cancel it`) is no
objection.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from responder.core.rules.conditions import Case, is_unpaid
from responder.core.rules.examples import Leaning
from responder.core.rules.matters import (
    ADDITION,
    CANCEL,
    MACHINE,
    MONEY_BACK,
    PAYMENT,
    QUESTION,
    REFUND,
    TALK,
    THANKS,
    Matters,
)
from responder.core.rules.pack import Rule
from responder.core.rules.reading import WISHES, Mention, Reader, Reading
from responder.core.rules.weighing import Weighing
from responder.core.rules.wording import (
    asking_for,
    asks_plainly,
    asks_to_undo,
    pointed_at,
    points,
    saying_nothing_else,
    wishes,
)
from responder.model import Reason

# What only a person may answer: an injury, a threat.
GRIEVANCE = "grievance"
# Acts that speak against a cancel, even where the channel's own form asks for it.
DENIED = frozenset({"cancel negated", "unwanted negated", "withdrawn", "undecided", "conditional"})
PAID = "paid"
# What the shop has told and buyers give thanks for.
ACKNOWLEDGED = frozenset({"where", "late", REFUND, PAYMENT})
# Acts without which a mail that speaks of cancelling does not only talk of it.
UNPLAIN = frozenset(
    {"past", "done", "negated", "settled", "conditional", "undecided", "policy_question", "question", "may_i"}
)
RECEIPT = "receipt"
# What only who has the goods writes of.
IN_HAND = frozenset({"damage", "return", RECEIPT})
# The acts of a sentence that only orders.
ORDERING = frozenset({"request", "wish", "thanks"})
# A cancel that is told of as asked for before.
CANCEL_PAST = f"{CANCEL} past"
# Acts after which nobody can say what is wished.
UNSURE = frozenset({"conditional", "undecided", "policy_question", "done", "withdrawn"})
# How a matter is spoken of that nothing speaks against.
PLAIN = frozenset({"asked", "mentioned"})
# The acts of a sentence that tells what has happened, and asks for nothing by telling it.
HAPPENED = frozenset({"past", "done", "negated"})


@dataclass(frozen=True, slots=True)
class _Looks:
    """What a mail looks like, seen from a rule: the topics that are its `own`, their share together, and the likeliest
    `other` one. It `is_dear` where a wrong draft is worst."""

    leaning: Leaning
    own: Set[str]
    share: float
    other: str
    is_dear: bool

    @property
    def other_share(self) -> float:
        return self.leaning.shares[self.other]

    @property
    def person_share(self) -> float:
        return self.leaning.shares.get(QUESTION, 0.0)

    def like(self, topic: str) -> Reason:
        """The objection that it looks like this topic."""
        return Reason.of("looks_like_another", topic=topic, example=self.leaning.nearest(topic))


@dataclass(frozen=True)
class Doubts:
    """The objections that likeness to examples makes."""

    matters: Matters
    reader: Reader
    weighing: Weighing

    def against(self, rule: Rule, case: Case) -> Reason | None:
        """The examples' objection to a rule that its words let through, or None: the mail looks like something else
        entirely, or, where a wrong draft is worst, more like something else."""
        reading, weighing = case.reading, self.weighing.doubt
        looks = self._looks(rule, reading)
        if looks is None or (case.official_cancel and looks.is_dear and not DENIED & reading.acts):
            return None
        if looks.leaning.shares.get(GRIEVANCE, 0.0) >= max(weighing.grievance, looks.share):
            return looks.like(GRIEVANCE)
        asked = rule.asks & reading.asked.keys()
        if (second := self._second(rule, reading, looks)) is not None:
            return Reason.of("two_matters", topics=", ".join((*sorted(asked), second)))
        wished = self._only_wished(rule, reading) if looks.is_dear else None
        if wished is not None:
            return Reason.of("two_matters", topics=", ".join((*sorted(asked), wished)))
        if self._only_acknowledges(rule, reading, looks):
            return looks.like(THANKS)
        # `I sent you a cancellation. Please undo it.`
        if looks.is_dear and CANCEL_PAST in reading.acts and asks_to_undo(asking_for(asked, reading)):
            return looks.like(TALK)
        if looks.is_dear and self._is_ordered_briefly(rule, reading, looks):
            return None
        # `Cancel 8237`: no likeness says more.
        numbered = [each for each in asking_for(asked, reading) if each.numbered]
        if (
            looks.is_dear
            and numbered
            and (looks.share > weighing.own or not self._is_told_of(numbered, reading, looks))
        ):
            return None
        if looks.is_dear and (paying := self._is_of_paying(asked, case, looks)) is not None:
            return paying
        # What is not wanted may be something else than the order.
        plain = asked if looks.other == TALK else asked & {CANCEL}
        if looks.is_dear and looks.other != QUESTION and self._is_ordered(plain, reading):
            return None
        if looks.is_dear and (self._is_talk(rule, reading, looks) or self._is_only_told(rule, reading, looks)):
            return looks.like(TALK)
        if (given_up := self._is_given_up(rule, reading, looks)) is not None:
            return given_up
        plainly = (
            self._is_said_briefly(rule, reading, looks)
            or self._is_kept(rule, case, looks)
            or self._is_of_paper(rule, reading, looks)
        )
        another = not plainly and self._is_another(looks)
        unlike = not plainly and self._is_unlike(rule, looks)
        question = self._is_a_question(rule, looks)
        if not (another or unlike or question):
            return None
        clearly = self._clearly(rule, reading, looks.own)
        if another and not self._is_told_around(rule, reading, looks, clearly):
            return looks.like(looks.other)
        if unlike and clearly < weighing.unlike:
            return looks.like(looks.other)
        return looks.like(QUESTION) if question and clearly < weighing.person else None

    def _looks(self, rule: Rule, reading: Reading) -> _Looks | None:
        """What a mail looks like to a rule; None where there are too few examples to say."""
        leaning = self.reader.lean(reading) if rule.asks else None
        if leaning is None:
            return None
        own, shares = self.matters.own_of(rule), leaning.shares
        # No machine asks for anything in words.
        other = max(
            (name for name in shares if name not in own and name != MACHINE), key=shares.__getitem__, default=None
        )
        if other is None or leaning.count_of(own) < self.weighing.few_examples:
            return None
        return _Looks(leaning, own, leaning.share_of(own), other, self.matters.answers_dear(rule))

    def _only_wished(self, rule: Rule, reading: Reading) -> str | None:
        """The one matter that a mail wishes, where of what the rule answers it only tells (`found it cheaper by now, oh
        well! is it on its way?`)."""
        if asks_plainly(rule.asks, reading) or wishes(rule.asks, reading):
            return None
        own = self.matters.own_of(rule) | MONEY_BACK
        # `I cancel it. When do I get what I paid?`
        own = own | {PAID} if CANCEL in reading.asked else own
        # When the money will be on the card is asked of the money back.
        money = {each.sentence for each in asking_for(MONEY_BACK, reading)}
        wishing = reading.wishing - money
        wished = (name for name, m in reading.asked.items() if name not in own and m.sentence in wishing)
        return next((name for name in wished if self.matters.is_matter(name)), None)

    def _only_acknowledges(self, rule: Rule, reading: Reading, looks: _Looks) -> bool:
        """True for a mail that gives thanks, names without any wish what the rule answers, and looks less like it than
        like thanks (`ok, I will wait for the refund then, thanks`)."""
        thanks = looks.leaning.shares.get(THANKS, 0.0)
        if looks.is_dear or rule.asks.isdisjoint(ACKNOWLEDGED) or THANKS not in reading.acts:
            return False
        # Thanks for a cancel and its refund look like both.
        is_refund = REFUND in rule.asks
        own = looks.leaning.share_of(rule.asks) if is_refund else looks.share
        if own >= (self.weighing.clear if is_refund else min(self.weighing.clear, thanks)):
            return False
        return not asks_plainly(rule.asks, reading) and not wishes(rule.asks, reading)

    def _is_of_paying(self, asked: Set[str], case: Case, looks: _Looks) -> Reason | None:
        """The objection that what is not wanted may be a way to pay or a slip: an order that is not paid is rarely
        given up in a mail that looks like one on paying, and an `it` may stand for either."""
        if is_unpaid(case) and looks.leaning.shares.get(PAYMENT, 0.0) > self.weighing.doubt.paying_part * looks.share:
            return looks.like(PAYMENT)
        asking = asking_for(asked, case.reading)
        meant = pointed_at(asking, case.reading) if looks.share < self.weighing.sure else None
        return Reason.of("two_matters", topics=", ".join((*sorted(asked), meant))) if meant is not None else None

    def _is_said_briefly(self, rule: Rule, reading: Reading, looks: _Looks) -> bool:
        """True for a mail of one sentence or two that asks for this in so many words, and names nothing else: it is too
        short to look like anything for sure. Where a wrong draft is worst, likeness is heard all the same."""
        brief = self.weighing.doubt.brief
        if looks.is_dear or looks.leaning.count > brief.pieces or looks.share < brief.share:
            return False
        if not wishes(rule.asks, reading) or reading.acts & (UNPLAIN - WISHES):
            return False
        return self._names_nothing_but(self.matters.own_of(rule) | rule.covers, reading)

    def _is_kept(self, rule: Rule, case: Case, looks: _Looks) -> bool:
        """True where what has arrived is complained of and nobody speaks of giving it up: that it looks like cancelling
        is no objection."""
        if looks.is_dear or case.order is None or case.order.status != "delivered" or rule.asks.isdisjoint(IN_HAND):
            return False
        spoken = any(self.matters.has_dear((name,)) or name == "unwanted" for name in case.reading.mentioned)
        return not spoken and self._looks_given_up(looks)

    def _is_of_paper(self, rule: Rule, reading: Reading, looks: _Looks) -> bool:
        """True for a mail that begs for a receipt in so many words and for nothing else: that the story told around it
        looks like cancelling is no objection."""
        if RECEIPT not in rule.asks or not self._looks_given_up(looks) or looks.other_share >= self.weighing.certain:
            return False
        asking = {each.sentence for each in asking_for({RECEIPT}, reading)}
        if not reading.wishing or not reading.wishing <= asking:
            return False
        return self._names_nothing_but(self.matters.own_of(rule) | rule.covers, reading)

    def _is_ordered_briefly(self, rule: Rule, reading: Reading, looks: _Looks) -> bool:
        """True for a short mail that wishes in so many words that the order be cancelled (`may I cancel what I just
        paid for`), and tells nothing that could mean another thing."""
        brief, mention = self.weighing.doubt.brief, reading.asked.get(CANCEL)
        if mention is None or looks.leaning.count > brief.ordered or looks.share < self.weighing.doubt.unlike:
            return False
        if CANCEL in reading.elsewhere:
            return False
        orders = ORDERING.issuperset(reading.sentences[mention.sentence].acts)
        if not (orders or mention.sentence in reading.wishing | reading.begging) or reading.acts & UNSURE:
            return False
        if any(each.topic in looks.own and each.status not in PLAIN for each in reading.mentions):
            return False
        return self._names_nothing_but(looks.own | rule.covers, reading)

    def _names_nothing_but(self, answered: Set[str], reading: Reading) -> bool:
        """True where a mail has no word for another matter than these."""
        return all(each.topic in answered or not self.matters.is_matter(each.topic) for each in reading.mentions)

    def _looks_given_up(self, looks: _Looks) -> bool:
        """True where what a mail looks like besides is giving the order up, or talk of that."""
        return looks.other == TALK or self.matters.has_dear((looks.other,))

    def _is_given_up(self, rule: Rule, reading: Reading, looks: _Looks) -> Reason | None:
        """The objection that who tells where his order is (`it is still with you, I guess`) wants it no more: the mail
        looks more like that, and no sentence that wishes something looks like what the rule answers."""
        if looks.is_dear or not self.matters.only_reports(rule) or not self.matters.has_dear((looks.other,)):
            return None
        if looks.other_share < max(self.weighing.clear, looks.share):
            return None
        if asks_plainly(rule.asks, reading) or wishes(rule.asks, reading):
            return None
        wished = self.reader.lean_of(reading, reading.wishing)
        if any(each.share_of(looks.own) > each.shares[looks.other] for each in wished):
            return None
        return looks.like(looks.other)

    def _is_talk(self, rule: Rule, reading: Reading, looks: _Looks) -> bool:
        """True where a mail looks much like one that only talks of the matter, and no sentence plainly wishes it."""
        weighing, talk = self.weighing.doubt.talk, looks.leaning.shares.get(TALK, 0.0)
        if talk < weighing.share or looks.share >= weighing.lead * talk:
            return False
        if reading.acts.isdisjoint(UNPLAIN):
            return False
        asked = rule.asks & reading.asked.keys()
        if saying_nothing_else(asked, reading, self.weighing.doubt.nothing_else):
            return False
        return self._clearly(rule, reading, looks.own) < weighing.clearly

    def _is_only_told(self, rule: Rule, reading: Reading, looks: _Looks) -> bool:
        """True for a long letter that has the words only where it tells something, unless it is surely about that."""
        if not self.weighing.letter.is_unsure(looks.leaning.count, looks.share):
            return False
        asking = asking_for(rule.asks, reading)
        if any(each.sentence in reading.begging for each in asking):
            return False
        orders = any(ORDERING.issuperset(reading.sentences[each.sentence].acts) for each in asking)
        if orders and looks.share >= self.weighing.letter.ordered and CANCEL not in reading.elsewhere:
            return False
        return not asks_plainly(rule.asks, reading) and not wishes(rule.asks, reading)

    def _is_ordered(self, asked: Set[str], reading: Reading) -> bool:
        """True where one sentence of several says nothing but that it be done (`... Please cancel the order.`)."""
        if len(reading.sentences) < 2:
            return False
        only = saying_nothing_else(asked, reading, self.weighing.doubt.nothing_else)
        return any(ORDERING.issuperset(reading.sentences[each.sentence].acts) and not points(each) for each in only)

    def _is_told_of(self, numbered: Sequence[Mention], reading: Reading, looks: _Looks) -> bool:
        """True where each of these mentions stands in a sentence that only tells what happened (`you wrote "your
        cancellation of 1042"`), or the mail is surely mere talk of it."""
        if looks.leaning.shares.get(TALK, 0.0) >= self.weighing.certain:
            return True
        return all(
            m.sentence not in reading.wishing and HAPPENED & set(reading.sentences[m.sentence].acts) for m in numbered
        )

    def _is_another(self, looks: _Looks) -> bool:
        """True where the mail looks like another topic, and hardly like what the rule answers."""
        weighing = self.weighing.doubt
        hardly = looks.share <= weighing.own or (looks.is_dear and looks.share < weighing.dear_part * looks.other_share)
        return hardly and looks.other_share >= weighing.other

    def _is_unlike(self, rule: Rule, looks: _Looks) -> bool:
        """True where the mail does not look like what the rule answers. That it looks like nothing at all is no
        objection to known words that ask for a mere report (`where is it`)."""
        if looks.leaning.count < self.weighing.few_pieces or looks.share >= self.weighing.doubt.unlike:
            return False
        is_vague = (
            looks.other in self.matters.answerable
            and looks.other_share < self.weighing.doubt.other
            and looks.person_share < looks.share
            and self.matters.only_reports(rule)
        )
        return not is_vague

    def _is_a_question(self, rule: Rule, looks: _Looks) -> bool:
        """True where the mail looks more like what only a person can answer."""
        weighing, person = self.weighing.doubt, looks.person_share
        return person >= weighing.person and looks.share < weighing.person_part * person and QUESTION not in rule.covers

    def _is_told_around(self, rule: Rule, reading: Reading, looks: _Looks, clearly: float) -> bool:
        """True where what the mail looks like is only told around a sentence that asks `clearly` (a share)."""
        # Who cancels and wants his money tells around it why.
        if looks.is_dear and looks.other in rule.covers and REFUND in reading.asked:
            return True
        if clearly >= self.weighing.clear:
            surely = looks.other_share >= self.weighing.certain and not (looks.is_dear or wishes(rule.asks, reading))
            if looks.other in self.matters.answerable and not surely:
                return True
            unsaid = looks.other == QUESTION or (looks.is_dear and clearly >= self.weighing.sure)
            if unsaid and self._wishes_only(rule, reading, looks.own):
                return True
        # Who asks and then thanks has not only thanked, however short his question.
        return looks.other == THANKS and (
            wishes(rule.asks, reading) or clearly > self._clearly(rule, reading, frozenset({THANKS}))
        )

    def _wishes_only(self, rule: Rule, reading: Reading, own: Set[str]) -> bool:
        """True where every other sentence only tells (`my telephone is ...`, `I forgot my password`): none that wishes
        something looks like what the rule does not answer."""
        asking = {each.sentence for each in asking_for(rule.asks, reading)}
        return all(
            max((share for name, share in each.shares.items() if name not in own), default=0.0)
            < self.weighing.doubt.other
            for each in self.reader.lean_of(reading, reading.wishing - asking)
        )

    def _clearly(self, rule: Rule, reading: Reading, own: Set[str]) -> float:
        """How much the sentences that ask for what the rule answers look like these topics by themselves, at most; 1
        where the examples proposed it, and where a sentence says next to nothing but that its order be cancelled."""
        asked = rule.asks & reading.asked.keys()
        if not asked or any(reading.asked[name].likeness is not None for name in asked):
            return 1.0
        only = saying_nothing_else(asked, reading, self.weighing.doubt.nothing_else)
        if self.matters.has_dear(asked) and any(each.sentence in reading.wishing for each in only):
            return 1.0
        asking = asking_for(asked, reading)
        numbers = sorted({each.sentence for each in (*asking, *map(reading.asked.__getitem__, asked))})
        return max((each.share_of(own) for each in self.reader.lean_of(reading, numbers)), default=0.0)

    def _second(self, rule: Rule, reading: Reading, looks: _Looks) -> str | None:
        """The matter of a sentence that adds one in words that nobody knows (`also you took the fee twice`), or, asking
        for nothing the rule answers, begs for it at length (`and the saucer had a crack, can you put a new one in`)."""
        answered = looks.own | rule.covers
        asking = {each.sentence for each in asking_for(rule.asks, reading)}
        weighing = self.weighing.doubt
        answerable = self.matters.answerable
        begged = {
            name
            for name, share in looks.leaning.shares.items()
            if share >= weighing.begged.of_mail
            and name in answerable
            and name not in answered
            and not self.matters.has_dear((name,))
        }
        for number, sentence in enumerate(reading.sentences):
            adds = ADDITION in sentence.acts
            wishes = bool(begged) and number in reading.wishing - asking
            leaning = self.reader.lean(reading, only=number) if adds or wishes else None
            if leaning is None or leaning.count < (self.weighing.few_pieces if adds else weighing.begged.pieces):
                continue
            name = leaning.likeliest
            least = weighing.addition if adds else weighing.begged.share
            if name not in answerable or name in answered or leaning.shares[name] < least:
                continue
            if adds or name in begged:
                return name
        return None
