"""What the examples propose: a draft where no words of a mail are known, or in the place of words that are doubtful.

Likeness is never enough by itself: the order's state must make the reply possible, and every veto speaks first.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from types import MappingProxyType

from responder.core.rules.conditions import Case, is_unpaid
from responder.core.rules.examples import Leaning, Likeness
from responder.core.rules.matching import Matching
from responder.core.rules.matters import CANCEL, MONEY_BACK, PAYMENT, TALK, THANKS, TOLD_AROUND, Matters, begs_for_money
from responder.core.rules.reading import Mention, Reader, Reading
from responder.core.rules.weighing import Weighing
from responder.model import Decision

# Who speaks of cancelling like this is answered on nothing else by likeness alone.
UNCLEAR = frozenset({"past", "done", "conditional", "undecided", "policy_question"})
# Acts anywhere in a mail that keep examples from proposing a topic which they void.
WARNING_ACTS = frozenset({"conditional", "withdrawn", "undecided", "policy_question"})
UNDECIDED = "undecided"
CONDITIONAL = "conditional"
# What is said around a mere question, and objects to none.
TOLD = frozenset({"past", "done", "negated", "settled"})
# What is told of as over.
OVER = frozenset({"past", "done", "settled"})
# Who asks about the goods has not given them up, whatever story he tells around it.
INQUIRY = "inquiry"
# Nor has who waits for them.
EXPECTING = "expecting"
# Acts of a question that is a request (`may I cancel it`).
REQUESTING = frozenset({"request", "may_i"})
# What the buyer of an unpaid order writes of, whatever story he tells around it.
PAYING = frozenset({PAYMENT, "paid"})
GIVEN_UP = frozenset({CANCEL, "unwanted"})
# Who says that he wants no answer asks for nothing, whatever his mail looks like.
NOTHING_WANTED = "no_reply_needed"


@dataclass(frozen=True)
class Proposals:
    """The drafts that likeness to examples makes."""

    matching: Matching
    matters: Matters
    reader: Reader
    weighing: Weighing

    def without_words(self, case: Case) -> Decision | None:
        """What the examples propose for a mail whose words are not known, if the order makes it possible; or None."""
        leaning = self.reader.lean(case.reading)
        name = self._leading(case, leaning) if leaning is not None else None
        if leaning is None or name is None or not self._is_enough(name, case.reading, leaning):
            return None
        if _is_about_paying(case) and PAYING.isdisjoint(self.matters.kin_of(name)):
            return None
        most = most_like(self.matters.kin_of(name), case.reading, self.reader)
        assumed = assume(case, name, leaning.nearest(name), round(leaning.shares[name], 2), sentence=most)
        return self.matching.decision(self.matching.first(assumed))

    def in_place_of_words(self, case: Case, *, doubted: bool) -> Decision | None:
        """The draft on what the mail surely looks like, where it answers what its words ask as well (`money back
        please, it has not been sent yet, has it`); or None. More is needed where the words' own draft is `doubted`."""
        leaning = self.reader.lean(case.reading)
        if leaning is None:
            return None
        name = leaning.likeliest
        share = leaning.shares[name]
        least = self.weighing.certain if doubted else self.weighing.proposal.in_place
        if share < least or name not in self.matters.answerable or not self._may(name, case.reading, share):
            return None
        if self.matters.has_dear((name,)) and (
            self._may_be_talk(leaning)
            or self._really_asks_else(name, case)
            or self._asks_other_things(name, case.reading)
        ):
            return None
        is_unsure = doubted and self.weighing.letter.is_unsure(leaning.count, share, doubted=True)
        if is_unsure and self.matters.has_dear((name,)):
            return None
        case = _without_acts(self._overruled(name, case.reading, share), case)
        asked = self._meant_besides(name, case.reading, leaning)
        most = most_like(self.matters.kin_of(name), case.reading, self.reader)
        match = self.matching.first(assume(case, name, leaning.nearest(name), round(share, 2), asked, most))
        if match.rule is None or name not in match.rule.asks:
            return None
        decision = self.matching.decision(match)
        return decision if decision.action == "draft" else None

    def _meant_besides(self, name: str, reading: Reading, leaning: Leaning) -> Mapping[str, Mention]:
        """What a mail that is surely like the topic asks besides: not what only single words name in a sentence that
        wishes nothing (`I will buy something else one day`), if nothing of the mail is like it."""
        if leaning.shares[name] < self.weighing.certain:
            return reading.asked
        kin, hardly = self.matters.kin_of(name), self.weighing.proposal.besides.share
        return {
            other: mention
            for other, mention in reading.asked.items()
            if other in kin
            or mention.sentence in reading.wishing
            or mention.numbered
            or leaning.share_of(self.matters.kin_of(other)) > hardly
            or not self._is_unlike(other, mention, reading)
        }

    def _is_unlike(self, name: str, mention: Mention, reading: Reading) -> bool:
        """True where the sentence that names a matter is hardly like it by itself."""
        alone = self.reader.lean(reading, only=mention.sentence)
        return alone is not None and alone.share_of(self.matters.kin_of(name)) < self.weighing.proposal.besides.alone

    def _leading(self, case: Case, leaning: Leaning) -> str | None:
        """The likeliest topic that would end in a draft for this order, if nothing in the mail speaks against it and it
        leads all those of other situations, as well as all that never end in one."""
        shares = leaning.shares
        lead = self.weighing.proposal.lead
        # Who wishes something has not only thanked.
        idle = {THANKS} if case.reading.wishing else set()
        never = shares.keys() - self.matters.answerable - idle
        against = max((shares[name] for name in never), default=0.0)
        best: str | None = None
        own: str | None = None
        # The likeliest first: where the best one leads a topic, it leads all that are less likely.
        for name in sorted(shares, key=shares.__getitem__, reverse=True):
            share = shares[name]
            if best is None and share < lead * against:
                return None
            if best is not None and lead * share <= shares[best]:
                break
            if not self._may(name, case.reading, share):
                continue
            situation = self.matching.drafted(assume(case, name))
            if best is None and situation is not None:
                best, own = name, situation
            elif situation not in (None, own):
                return None
        return best

    def _is_enough(self, name: str, reading: Reading, leaning: Leaning) -> bool:
        """True where a mail says as much of a topic as it takes to propose it."""
        weighing, share = self.weighing, leaning.shares[name]
        if self.matters.has_dear((name,)):
            return self._is_surely_dear(name, reading, leaning)
        if share < self.matters.topics[name].least and not self._at_length(name, reading, leaning):
            return False
        if leaning.count < weighing.few_pieces and share < weighing.sure:
            return False
        if self._rambles(name, reading, leaning):
            return False
        return share >= weighing.proposal.against_words or not self._asks_else(name, reading)

    def _is_surely_dear(self, name: str, reading: Reading, leaning: Leaning) -> bool:
        """True where a mail is surely like a topic of which a wrong draft is worst: it may only tell what it wishes, if
        it is like nothing else at all; what it does wish must be like the topic, too."""
        needed, share = self.weighing.proposal.dear, leaning.shares[name]
        # `I ordered a vase on the 17th`: nobody knows why he writes.
        if not reading.wishing and self.reader.only_tells(reading) >= self.weighing.proposal.told:
            return False
        if leaning.count < needed.pieces or share < needed.share or self._may_be_talk(leaning):
            return False
        if leaning.share_in(name, needed.brief) < needed.briefly:
            return False
        # Who writes a letter tells of many things.
        if self.weighing.letter.is_unsure(leaning.count, share):
            return False
        if begs_for_money(reading):
            return True
        if share >= needed.surely:
            return not self._asks_other_things(name, reading)
        return self._wishes({name}, reading, needed.wish)

    def _asks_other_things(self, name: str, reading: Reading) -> bool:
        """True where all that a mail wishes is an answer, and no question of it is like the topic (`where is the cup
        now`)."""
        return _only_asks(reading) and not self._wishes({name}, reading, self.weighing.proposal.dear.hardly)

    def _may_be_talk(self, leaning: Leaning) -> bool:
        """True for a mail with too much of what only talks of cancelling."""
        return leaning.shares.get(TALK, 0.0) > self.weighing.proposal.dear.talk

    def _rambles(self, name: str, reading: Reading, leaning: Leaning) -> bool:
        """True for a long mail that speaks of the topic among other things and wishes nothing that is like it."""
        limit = self.weighing.proposal.rambling
        if leaning.count < limit.pieces or leaning.shares[name] >= limit.share:
            return False
        return not self._wishes(self.matters.kin_of(name), reading, limit.wish)

    def _at_length(self, name: str, reading: Reading, leaning: Leaning) -> bool:
        """True where a mail that wishes something says much that is like the topic and little like any other."""
        needed = self.weighing.proposal.at_length
        if not reading.wishing:
            return False
        least = max(needed.share, needed.lead * leaning.most_but(name))
        return leaning.count >= needed.pieces and leaning.shares[name] >= least

    def _asks_else(self, name: str, reading: Reading) -> bool:
        """True where words of the mail ask for a matter of another situation; money back is no other than a cancel."""
        own = self.matters.kin_of(name) | (MONEY_BACK if self.matters.has_dear((name,)) else set())
        return any(other not in own and self.matters.is_matter(other) for other in reading.asked)

    def _really_asks_else(self, name: str, case: Case) -> bool:
        """True where the sentence that asks for another matter looks like it and hardly like the topic (`where has my
        cushion got to`, however much like it the lines around are), or is a mere question in a mail without a word for
        the topic."""
        kin, covered = self.matters.kin_of(name), self.matters.covered_with(name)
        body = 1 if case.reading.has_subject else 0
        spoken = any(self.matters.has_dear((topic,)) for topic in case.reading.mentioned)
        asking = {number for number in case.reading.wishing if number >= body}
        for other, mention in case.reading.asked.items():
            if mention.sentence not in asking or other in kin | MONEY_BACK or not self.matters.is_matter(other):
                continue
            if other in covered and self._wishes(kin, case.reading, self.weighing.sure, but={mention.sentence}):
                continue
            acts = case.reading.sentences[mention.sentence].acts
            if not spoken and "question" in acts and REQUESTING.isdisjoint(acts):
                return True
            alone = self.reader.lean(case.reading, only=mention.sentence)
            if alone is None:
                continue
            share = alone.share_of(kin)
            others = alone.share_of(self.matters.kin_of(other))
            if other == PAYMENT and others < self.weighing.clear:
                continue
            if share < self.weighing.proposal.dear.hardly and share < others:
                return True
        return False

    def _speaks_of_cancelling(self, reading: Reading) -> bool:
        """True where a sentence that names a cancel looks like one, or like talk of one (`did my cancellation go
        through`)."""
        spoken = (m for m in reading.mentions if m.status not in OVER and self.matters.has_dear((m.topic,)))
        named = sorted({mention.sentence for mention in spoken})
        looks = self.reader.lean_of(reading, named)
        return any(each.share_of((CANCEL, TALK)) >= self.weighing.clear for each in looks)

    def _wishes(self, kin: Set[str], reading: Reading, least: float, but: Set[int] = frozenset()) -> bool:
        """True where a sentence that wishes something looks like these topics, by this share; some do not count."""
        others = self.reader.lean_of(reading, reading.wishing - but)
        return any(each.share_of(kin) >= least for each in others)

    def _may(self, name: str, reading: Reading, share: float) -> bool:
        """False where an act speaks against the topic, or a veto against it or another of the same situation."""
        matters, weighing = self.matters, self.weighing
        topic = matters.topics.get(name)
        overruled = self._overruled(name, reading, share)
        if topic is None or topic.least > 1:
            return False
        # `If it helps, the neighbours are home`: no condition of a mere question.
        is_sure = share >= weighing.certain and not topic.is_dear
        idle = overruled | {CONDITIONAL} if is_sure or share >= weighing.proposal.told_around else overruled
        if (self._warnings(name, reading, share) - idle) & topic.voids:
            return False
        if NOTHING_WANTED in reading.acts and not (is_sure and reading.wishing):
            return False
        if (
            topic.kind == "report"
            and self._speaks_of_cancelling(reading)
            and not self._wishes({name}, reading, self.weighing.clear)
        ):
            return False
        # `I told them to leave it`: what is reported is asked of nobody.
        if "done" in reading.acts and share < weighing.sure and topic.is_dear:
            return False
        if INQUIRY in reading.acts and (name in TOLD_AROUND or topic.is_dear):
            return False
        if EXPECTING in reading.acts and topic.is_dear:
            return False
        kin = matters.kin_of(name)
        plain = ("asked", "mentioned") if share >= weighing.proposal.unasked or not topic.asked_by else ("asked",)
        spoken = [m for m in reading.mentions if m.status not in plain and m.status not in overruled]
        own = (m for m in spoken if m.topic in kin and not (is_sure and m.status == CONDITIONAL))
        if any(not self._wished_after_all(m, kin, reading, share) for m in own):
            return False
        unclear = (m for m in spoken if m.status in UNCLEAR and matters.has_dear((m.topic,)))
        if any(not self._wished_after_all(m, kin, reading, share) for m in unclear):
            return False
        against = {other for other in kin if other == name or matters.topics[other].kind == "request"}
        sure = weighing.certain if topic.is_dear else weighing.sure
        return not kin & reading.elsewhere and (share >= sure or not against & reading.vetoed)

    def _warnings(self, name: str, reading: Reading, share: float) -> Set[str]:
        """The acts that keep a topic from being proposed. What a sentence that wishes nothing says around one that
        surely wishes the topic (`the new flat, if we get it at all`) warns of nothing."""
        warnings = reading.acts & WARNING_ACTS
        if not warnings or share < self.weighing.sure or not self._is_wished_plainly(name, reading):
            return warnings
        spoken = {mention.sentence for mention in reading.mentions if self.matters.has_dear((mention.topic,))}
        told = [each.acts for n, each in enumerate(reading.sentences) if n in reading.wishing or n in spoken]
        return warnings.intersection(*[set().union(*told)])

    def _is_wished_plainly(self, name: str, reading: Reading) -> bool:
        """True where a sentence that wishes something, without any if or perhaps, looks like the topic."""
        unsure = {n for n in reading.wishing if not WARNING_ACTS.isdisjoint(reading.sentences[n].acts)}
        return self._wishes(self.matters.kin_of(name), reading, self.weighing.proposal.dear.share, but=unsure)

    def _wished_after_all(self, mention: Mention, kin: Set[str], reading: Reading, share: float) -> bool:
        """True where a topic is told of as over in a sentence that surely wishes it (`never mind, just cancel it`)."""
        if share < self.weighing.proposal.unasked or mention.status not in OVER:
            return False
        if mention.sentence not in reading.wishing:
            return False
        alone = self.reader.lean(reading, only=mention.sentence)
        return alone is not None and alone.share_of(kin) >= self.weighing.certain

    def _overruled(self, name: str, reading: Reading, share: float) -> Set[str]:
        """What is no objection to a topic with such a share: that its buyer wavers about something (`maybe I will get
        him socks`), or, unless a wrong draft would be worst, that another cancel is over (`hers was cancelled`)
        or that something is not (`the page does not say if I have paid`)."""
        weighing = self.weighing
        wavers = any(m.status == UNDECIDED and self.matters.has_dear((m.topic,)) for m in reading.mentions)
        is_decided = share >= weighing.proposal.decided and (self.matters.has_dear((name,)) or not wavers)
        decided = {UNDECIDED} if is_decided else set[str]()
        is_other = share >= weighing.certain and not self.matters.has_dear((name,)) and bool(reading.wishing)
        return decided | TOLD if is_other else decided


def _only_asks(reading: Reading) -> bool:
    """True where all that a mail wishes is an answer."""
    wishing = [reading.sentences[number].acts for number in reading.wishing]
    return bool(wishing) and all("question" in acts and REQUESTING.isdisjoint(acts) for acts in wishing)


def _is_about_paying(case: Case) -> bool:
    """True where an order is not paid, and the mail speaks of that but has no word for not wanting it."""
    spoken = case.reading.mentioned
    return is_unpaid(case) and not PAYING.isdisjoint(spoken) and GIVEN_UP.isdisjoint(spoken)


def _without_acts(names: Set[str], case: Case) -> Case:
    """The case as if no topic were spoken of like this."""
    acts = frozenset(act for act in case.reading.acts if " " not in act or act.rpartition(" ")[2] not in names)
    return replace(case, reading=replace(case.reading, acts=acts))


def most_like(topics: Set[str], reading: Reading, reader: Reader) -> int:
    """The number of the sentence that by itself looks most like these topics; staff are shown it."""
    alone = [reader.lean(reading, only=number) for number in range(len(reading.sentences))]
    shares = [each.share_of(topics) if each is not None else 0.0 for each in alone]
    return max(range(len(shares)), key=shares.__getitem__, default=0)


def assume(
    case: Case,
    topic: str,
    example: str = "",
    score: float = 0.0,
    asked: Mapping[str, Mention] = MappingProxyType({}),
    sentence: int = 0,
) -> Case:
    """The case as if this `sentence` of its mail asked for this topic, and for what is `asked` besides."""
    mention = Mention(topic, "asked", sentence, "", Likeness(topic, example, score))
    return replace(case, reading=replace(case.reading, asked={**asked, topic: mention}))
