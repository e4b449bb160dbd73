"""Which of several orders of its buyer a mail is about: the one it asks something of, where every other is kept.

`4501 is the right one, so please cancel 4502`: the mail asks for 4502 and says of 4501 that it stays. Anything less
plain is for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache

from responder.core.facts import load
from responder.core.normal import fold_all
from responder.core.rules.phrases import Matcher, parse_all
from responder.core.rules.reading import WISHES
from responder.core.rules.rulebook import Rulebook
from responder.core.rules.shipped import flattened, shipped
from responder.core.sentences import split
from responder.model import LANGUAGES, Language, Message, order_key

# The lists of `responder/data/which_order.toml`.
KEPT, DROPPED, DOUBLED = "kept", "dropped", "doubled"
# Acts that leave it open what becomes of an order, whatever is said of it.
OPEN = frozenset({"conditional", "undecided", "addition", "threat", "law", "safety"})
NEGATED = "negated"
WITHDRAWN = "withdrawn"
NO_CANCEL = frozenset({"cancel negated", "unwanted negated"})
# What keeping one order of two may look like: keeping a part. How two came about (`it froze when I paid`).
ASIDE = frozenset({"part_only", "paid"})
PAID = frozenset({"payment"})
MOST_SENTENCES = 20

_CLAUSE = re.compile(r"[,;:、，；：()（）]|\s[-–—]\s|\b(?:and|but|while|whereas)\b", re.IGNORECASE)
_HALF = re.compile(r"[,;、，；]|\b(?:and|but)\b", re.IGNORECASE)
_OR = re.compile(r"\bor\b|どちらか|どっちか|または|それとも|还是|還是|或", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Said:
    """A piece of the mail: the orders it `names`, whether it asks anything, or at most `tells` of paying, its acts, and
    what it says of orders."""

    text: str
    names: frozenset[str]
    asks: bool
    tells: bool
    acts: Set[str]
    says: Set[str]

    @property
    def is_kept(self) -> bool:
        """True where one order is said to stay as it is, and nothing else."""
        if len(self.names) != 1 or self.asks or not OPEN.isdisjoint(self.acts):
            return False
        if not (NO_CANCEL | {WITHDRAWN}).isdisjoint(self.acts):
            return True
        return KEPT in self.says and DROPPED not in self.says and NEGATED not in self.acts

    @property
    def is_report(self) -> bool:
        """True for a mere report of several orders (`now I see both 6158 and 6159`)."""
        tells = not self.asks and (OPEN | WISHES | {WITHDRAWN, NEGATED}).isdisjoint(self.acts)
        return len(self.names) > 1 and tells and KEPT not in self.says

    def tells_of_doubling(self, order_ids: Sequence[str]) -> bool:
        """True for a story of how all these orders came about (`it took the money twice, now I see 6158 and 6159`)."""
        is_doubled = DOUBLED in self.says and KEPT not in self.says
        return self.names >= set(order_ids) and is_doubled and self.tells and OPEN.isdisjoint(self.acts)


def only_one_meant(message: Message, order_ids: Sequence[str], rulebook: Rulebook) -> tuple[str, Message] | None:
    """The one of these orders that a mail speaks of, and the mail without what it says of the others; None unless every
    other one is told to stay, or to have been ordered by mistake with it."""
    sentences = split(message.new_text)
    if len(sentences) > MOST_SENTENCES:
        return None
    said: list[_Said] = []
    for sentence in sentences:
        whole = _said(sentence, message, order_ids, rulebook)
        if whole.is_kept and (halves := _halves(sentence, message, order_ids, rulebook)):
            said += halves
        elif len(whole.names) < 2 or whole.is_report or whole.tells_of_doubling(order_ids):
            said.append(whole)
        elif _OR.search(sentence):
            return None
        else:
            said += [_said(clause, message, order_ids, rulebook) for clause in _clauses(sentence, order_ids)]
    doubled = any(DOUBLED in each.says for each in said)
    stories = [each for each in said if each.tells_of_doubling(order_ids)]
    kept: set[str] = set()
    reported: set[str] = set()
    meant: set[str] = set()
    for each in said:
        is_report = doubled and (each.is_report or each in stories)
        names = kept if each.is_kept else reported if is_report else meant
        names |= each.names
    subject = message.said_above
    if not meant:
        meant = set(_named(subject, order_ids)) - kept
    if len(meant) != 1 or meant & kept or not meant | kept | reported >= set(order_ids):
        return None
    aside = [each.text for each in said if doubled and not each.names and _only_tells_how(each.text, message, rulebook)]
    left = [each for each in said if not each.is_kept and (each.asks or each not in stories)]
    rest = "\n".join(each.text for each in left if each.text not in aside)
    is_aside = doubled and bool(subject.strip()) and _only_tells_how(subject, message, rulebook)
    above = "" if is_aside or kept & set(_named(subject, order_ids)) else subject
    return meant.pop(), replace(message, new_text=rest, own_subject=above)


def _only_tells_how(text: str, message: Message, rulebook: Rulebook) -> bool:
    """True for a piece that names no order and asks at most what a doubling brings with it (`I only need one of them`,
    `two charges`)."""
    reading = rulebook.read(replace(message, new_text=text, own_subject=""), (), "")
    asked = reading.asked.keys()
    return bool(asked) and asked <= ASIDE | PAID and OPEN.isdisjoint(reading.acts)


def _said(text: str, message: Message, order_ids: Sequence[str], rulebook: Rulebook) -> _Said:
    """What a piece says of the orders that it names; in one that names none only the lists' words are looked for."""
    names = frozenset(_named(text, order_ids))
    says = _says(text, message.language)
    if not names:
        return _Said(text, names, False, True, frozenset(), says)
    reading = rulebook.read(replace(message, new_text=text, own_subject=""), (), next(iter(names), ""))
    asked = reading.asked.keys() - ASIDE
    tells = asked <= PAID and NO_CANCEL.isdisjoint(reading.acts)
    return _Said(text, names, bool(asked), tells, reading.acts, says)


def _halves(sentence: str, message: Message, order_ids: Sequence[str], rulebook: Rulebook) -> list[_Said]:
    """Of a sentence that keeps one order and asks something of the only one it names (`cancel only 6159, and send the
    first as planned`) the parts that do not keep one; none of any other sentence."""
    parts = [_said(part, message, order_ids, rulebook) for part in _HALF.split(sentence) if part.strip()]
    named = [each for each in parts if each.names]
    if len(named) == 1 and named[0].asks and not named[0].is_kept and any(KEPT in each.says for each in parts):
        return [each for each in parts if KEPT not in each.says]
    return []


def _clauses(sentence: str, order_ids: Sequence[str]) -> Iterable[str]:
    """The parts of a sentence between its commas, colons and conjunctions; what names no order goes with what it
    follows, and what stands before any with the first that names one."""
    parts: list[str] = []
    start = 0
    for cut in [*(match.span() for match in _CLAUSE.finditer(sentence)), (len(sentence), len(sentence))]:
        part, start = sentence[start : cut[0]].strip(), cut[1]
        if not part:
            continue
        if parts and not (any(_named(part, order_ids)) and any(_named(parts[-1], order_ids))):
            parts[-1] = f"{parts[-1]}, {part}"
        else:
            parts.append(part)
    return parts


def _named(text: str, order_ids: Sequence[str]) -> Iterable[str]:
    """The ids among these that stand in a text, by themselves."""
    key = order_key(text)
    for order_id in order_ids:
        if re.search(rf"(?<![0-9]){re.escape(order_key(order_id))}(?![0-9])", key):
            yield order_id


def _says(text: str, language: Language) -> Set[str]:
    matcher, names = _words(language)
    folded = fold_all([text], kana=language == "ja")
    return {names[hit.phrase] for hit in matcher.scan(folded, [text])[0]}


@lru_cache(maxsize=len(LANGUAGES))
def _words(language: Language) -> tuple[Matcher, tuple[str, ...]]:
    """What finds what is said of orders in a language, and which list each of its phrases is of."""
    lists = load("which_order")[language]
    matcher = Matcher()
    names: list[str] = []
    for name in (KEPT, DROPPED, DOUBLED):
        for phrase in parse_all(lists[name], flattened(shipped().words, language), language):
            matcher.add(phrase)
            names.append(name)
    return matcher.ready(), tuple(names)
