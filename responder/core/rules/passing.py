"""What a mail says only in passing: matters that its words name and that, by the examples, it is not about.

Such a matter is no second one that a reply would have to answer. Cancelling and what only a person answers never is.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from responder.core.rules.conditions import Case
from responder.core.rules.examples import Leaning
from responder.core.rules.matters import ADDITION, CANCEL, MONEY_BACK, QUESTION, TALK, TOLD_AROUND, Matters
from responder.core.rules.reading import Reader, Reading
from responder.core.rules.weighing import Weighing
from responder.core.rules.wording import asks_plainly, wishes

DAMAGE = "damage"
RETURN = "return"
# What is said of the order itself, however shortly.
OF_THE_ORDER = frozenset({"part_only", "change_order"})
# The act of a word of the law, and those that threaten whatever else is said.
LAW = "law"
THREATS = frozenset({"threat", "ultimatum"})


@dataclass(frozen=True)
class Passing:
    """The matters that are named beside what a mail is surely about."""

    matters: Matters
    reader: Reader
    weighing: Weighing

    def without_single_words(self, case: Case) -> Case | None:
        """The case without the matters that single words of it name (`the old one`, `does not fit two`), where by the
        examples it is surely about another that it asks for too; None if there are none."""
        asked, matters = case.reading.asked, self.matters
        leaning = self.reader.lean(case.reading) if len(asked) > 1 else None
        if leaning is None:
            return None
        kin = {name: matters.kin_of(name) for name in asked if matters.is_matter(name)}
        shares = {name: leaning.share_of(names) for name, names in kin.items()}
        most = max(shares.values(), default=0.0)
        if most < self.weighing.passing.alone:
            return None
        main = kin[max(shares, key=shares.__getitem__)]
        unlike = {
            name
            for name, share in shares.items()
            if share <= self.weighing.passing.part * most
            and not matters.has_dear(kin[name])
            and not (name in OF_THE_ORDER and case.reading.asked[name].sentence in case.reading.wishing)
            and (
                (name in matters.answerable and leaning.count_of(kin[name]) >= self.weighing.few_examples)
                or self._is_hardly(name, main, case.reading, most)
            )
        }
        return _without(unlike, case) if unlike else None

    def _is_hardly(self, name: str, main: Set[str], reading: Reading, most: float) -> bool:
        """True where each sentence that asks for a matter of a person's looks hardly like it by itself (`which one of
        the two payments is real`). Beside what is dear to get wrong it must look like no question at all, and wish
        nothing but the main matter (`a local dealer has it, so it is not needed`)."""
        return all(self._is_hardly_in(number, name, main, reading, most) for number in _asking(name, reading))

    def _is_hardly_in(self, number: int, name: str, main: Set[str], reading: Reading, most: float) -> bool:
        alone = self.reader.lean(reading, only=number)
        if alone is None or alone.share_of((name,)) >= self.weighing.clear:
            return False
        if not self.matters.has_dear(main):
            return number not in reading.wishing or alone.share_of(main) >= alone.share_of((name, QUESTION))
        if most < self.weighing.sure or alone.share_of((name, QUESTION)) > self.weighing.passing.hardly:
            return False
        return number not in reading.wishing or alone.share_of(main) >= self.weighing.certain

    def without_life_at_home(self, case: Case) -> Case | None:
        """The case without what its mail tells of the writer's own life, where it plainly asks something else of its
        order: a word of the law (`my wife works for a lawyer`), what broke before anything has arrived (`our oven broke
        the same day`); None if there is nothing of the kind. No such sentence wishes anything."""
        reading, order = case.reading, case.order
        if order is None or case.order_problem is not None or (len(reading.asked) < 2 and LAW not in reading.acts):
            return None
        plain = {name for name in reading.asked if name != DAMAGE and self._is_plainly_asked(name, reading)}
        leaning = self.reader.lean(reading) if plain else None
        if leaning is None:
            return None
        acts = reading.acts
        own = frozenset[str]().union(*map(self.matters.kin_of, plain))
        if LAW in acts and THREATS.isdisjoint(acts) and self._only_tells_of_law(reading, leaning, own):
            acts -= {LAW}
        told = {name for name in reading.asked.keys() - plain - own if self._is_told_only(name, case, leaning, own)}
        if acts == reading.acts and not told:
            return None
        return _without(told, replace(case, reading=replace(reading, acts=acts)))

    def _is_plainly_asked(self, name: str, reading: Reading) -> bool:
        """True for a matter that some reply answers, asked for with a wish or beside the order's number."""
        if name not in self.matters.answerable:
            return False
        begs = reading.asked[name].sentence in reading.begging
        return begs or asks_plainly({name}, reading) or wishes({name}, reading)

    def _is_told_only(self, name: str, case: Case, leaning: Leaning, own: Set[str]) -> bool:
        """True for a matter that a mail speaks of without wishing anything: nothing of the order can be broken before
        it has arrived, and anything else must hardly be what the mail looks like, beside what it does ask for."""
        matters, weighing = self.matters, self.weighing.passing
        if (
            not matters.is_matter(name)
            or matters.has_dear((name,))
            or name in OF_THE_ORDER
            or _wishes_more(name, case.reading)
        ):
            return False
        # Who sends something back has it, whatever the order list says.
        if name == DAMAGE and RETURN in case.reading.asked:
            return False
        if name == DAMAGE and case.order is not None and case.order.is_unshipped:
            return True
        share = leaning.share_of(matters.kin_of(name))
        if name == DAMAGE:
            return case.order is not None and case.order.status == "shipped" and share <= weighing.hardly
        talk = leaning.shares.get(TALK, 0.0) if matters.has_dear(own) else 0.0
        return share <= weighing.told and leaning.share_of(own) + talk >= self.weighing.clear

    def _only_tells_of_law(self, reading: Reading, leaning: Leaning, own: Set[str]) -> bool:
        """True where the mail looks like what it asks for, and hardly like talk or a threat of it."""
        share = leaning.share_of(own)
        if share < max(self.weighing.clear, self.weighing.proposal.lead * leaning.shares.get(TALK, 0.0)):
            return False
        told = (number for number, each in enumerate(reading.sentences) if LAW in each.acts)
        return reading.wishing.isdisjoint(told)

    def without_stories(self, case: Case) -> Case | None:
        """The case without matters whose words only tell how things came about (`he has moved to Spain`, `import tax
        is 25 %`), where by the examples the mail is surely about cancelling or the whereabouts; None if there are none.
        No such sentence wishes anything, and by itself none looks like its matter."""
        reading, matters = case.reading, self.matters
        leaning = self.reader.lean(reading) if case.order is not None and reading.asked else None
        if leaning is None:
            return None
        best = leaning.likeliest
        if leaning.shares[best] < self.weighing.sure or best not in TOLD_AROUND:
            return None
        kin, covered = matters.kin_of(best), matters.covered_with(best)
        aside = {name for name in reading.asked if name not in kin and matters.is_matter(name)}
        if kin & reading.asked.keys():
            aside -= covered
        # A subject tells what the mail is about, not how things came about.
        above = reading.has_subject and any(reading.asked[name].sentence == 0 for name in aside)
        if not aside or above:
            return None
        open_ = aside if best != CANCEL else aside - MONEY_BACK
        told = all(self._only_tells(name, kin, reading, covered=name in covered) for name in open_)
        return _without(aside, case) if told else None

    def _only_tells(self, name: str, kin: Set[str], reading: Reading, *, covered: bool) -> bool:
        """True for a matter in a sentence that wishes nothing and looks more like these kin than like it, by far unless
        the answer covers it."""
        number = reading.asked[name].sentence
        asking = reading.wishing | {each.sentence for other, each in reading.asked.items() if other in kin}
        if self.matters.has_dear((name,)) or not asking.isdisjoint(_asking(name, reading)):
            return False
        alone = self.reader.lean(reading, only=number)
        if alone is None:
            return covered
        own = self.matters.kin_of(name) | {QUESTION}
        most = 1.0 if covered else self.weighing.passing.hardly
        return alone.share_of(own) <= min(most, alone.share_of(kin))


def _wishes_more(name: str, reading: Reading) -> bool:
    """True where a sentence on a matter wishes something or is the subject, or one adds to what was asked before."""
    asking = _asking(name, reading)
    is_above = reading.has_subject and 0 in asking
    return is_above or ADDITION in reading.acts or not (reading.wishing | reading.begging).isdisjoint(asking)


def _asking(name: str, reading: Reading) -> Set[int]:
    """The numbers of the sentences that ask for a matter."""
    asked = {each.sentence for each in reading.mentions if each.topic == name and each.status == "asked"}
    return asked | {reading.asked[name].sentence}


def _without(names: Set[str], case: Case) -> Case:
    """The case as if its mail did not speak of these matters."""
    reading = case.reading
    mentions = tuple(m for m in reading.mentions if m.topic not in names)
    asked = {name: mention for name, mention in reading.asked.items() if name not in names}
    named = frozenset(m.topic for m in mentions)
    return replace(case, reading=replace(reading, mentions=mentions, asked=asked, mentioned=named))
