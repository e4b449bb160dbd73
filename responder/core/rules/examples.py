"""Examples propose: what a mail looks like, judged by the pieces of words it shares with mails a person labelled.

`Proposer` is a naive Bayes count of odds: a piece (n-gram) speaks for a topic in so far as it is frequent in its
examples and rare in those of all others. `Likes` measures nearness to a few examples of a shop. Neither is ever enough
for a draft by itself: the caller asks whether the order's state makes the topic possible, and lets every veto speak
first. No model is stored or loaded: everything is counted when the first mail needs it.
"""

from __future__ import annotations

import itertools
import math
import re
import struct
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from responder.core.normal import fold_all
from responder.model import Language

# Who writes, what he ordered and when: the topic of what tells nothing of a wish.
STORY = "story"
_DIGITS = re.compile(r"[0-9]+")
_MAX_CHARS = 1500
# More pieces than so long a text can have in any language.
_MAX_PIECES = 2 * _MAX_CHARS
# What every piece is counted beyond its examples. Tried on mails by other hands than the examples: at 0.1 a single
# example says too much, at 1 a piece of a topic with many examples says nothing.
_SMOOTH = 0.3
# Pieces overlap, so their odds must not simply add up: what is left of them makes shares that come true as often as
# they say. A text of a few words is told more by chance; as many pieces as `_CHANCE` are taken to say nothing.
_SHARPNESS = 0.35
_CHANCE = 30


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a text looks like: `name`, the nearest `example` of it, and how sure that is (0 to 1)."""

    name: str
    example: str
    score: float


def pieces(folded: str, language: Language) -> set[str]:
    """The n-grams of a folded text: words, pairs of words and 5 letters in English, 2 and 3 characters else."""
    text = _DIGITS.sub("0", folded[:_MAX_CHARS])
    if language == "en":
        words = [word for word in text.split() if word != ","]
        found = {text[i : i + 5] for i in range(len(text) - 4)}
        found.update(words)
        found.update(map(" ".join, itertools.pairwise(words)))
        return found
    return {text[i : i + 2] for i in range(len(text) - 1)} | {text[i : i + 3] for i in range(len(text) - 2)}


@dataclass(frozen=True, slots=True)
class Leaning:
    """What a text looks like: the `shares` of all topics add up to 1."""

    shares: Mapping[str, float]
    _found: set[str]
    _by: Proposer

    @property
    def likeliest(self) -> str:
        """The topic with the largest share."""
        return max(self.shares, key=self.shares.__getitem__)

    def share_of(self, topics: Iterable[str]) -> float:
        """What these topics have together."""
        return sum(self.shares.get(topic, 0.0) for topic in topics)

    def most_but(self, topic: str) -> float:
        """The largest share of any other topic."""
        return max(share for name, share in self.shares.items() if name != topic)

    def nearest(self, topic: str) -> str:
        """The example of `topic` that shares most with the text."""
        return self._by.nearest(topic, self._found)

    def share_in(self, topic: str, pieces: int) -> float:
        """The share of a topic if the text said the same in so many pieces, at most: who writes at length is surer of
        whatever he writes."""
        sharpness = min(1.0, math.sqrt((pieces + _CHANCE) / (self.count + _CHANCE)))
        parts = {name: math.pow(share, sharpness) for name, share in self.shares.items()}
        return parts[topic] / sum(parts.values())

    @property
    def language(self) -> Language:
        """In which language it was judged."""
        return self._by.language

    @property
    def count(self) -> int:
        """Of how many pieces the text is."""
        return len(self._found)

    def count_of(self, topics: Iterable[str]) -> int:
        """How many examples of these topics the text was held against."""
        return self._by.count_of(topics)


class Proposer:
    """How likely a text belongs to each topic, by the examples of all topics in one language.

    What a piece adds for every topic is one integer with 32 bits for each topic, in fixed point, so that a text is
    judged by one sum in C. One more place of the integer counts the pieces.
    """

    def __init__(self, examples: Sequence[tuple[str, str]], language: Language) -> None:
        """`examples` are (topic, example as written)."""
        self.language: Language = language
        self._written: dict[str, list[str]] = {}
        for topic, written in examples:
            self._written.setdefault(topic, []).append(written)
        self._topics = sorted(self._written)
        self._shared: dict[str, _Shared] = {}

    def count_of(self, topics: Iterable[str]) -> int:
        """How many examples these topics have together."""
        return sum(len(self._written.get(topic, ())) for topic in topics)

    @cached_property
    def _counted(self) -> tuple[float, dict[str, int]]:
        """What 1 is in fixed point, and per piece what it adds for every topic.

        The odds of a piece are its part of all pieces in a topic against its part in all other topics together.
        """
        counts: dict[str, int] = {}
        known = counts.get
        masses: list[int] = []
        texts = 0
        for place, topic in enumerate(self._topics):
            found = self._pieces_of(topic)
            texts += len(found)
            masses.append(sum(map(len, found)))
            for piece, count in Counter(itertools.chain.from_iterable(found)).items():
                counts[piece] = known(piece, 0) + (count << (32 * place))
        whole = sum(masses)
        smooth = _SMOOTH * len(counts)
        constants = [math.log((whole - mass + smooth) / (mass + smooth)) for mass in masses]
        # Most pieces stand in the same topics as often as some other piece: they share one number.
        adds = {count: _adds(_places(count, len(masses)), constants, texts) for count in set(counts.values())}
        unit = (2**32 - 1) / (_MAX_PIECES * (1 + max(map(max, adds.values()), default=0.0)))
        packed = {count: _packed((*(round(unit * add) for add in each), 1)) for count, each in adds.items()}
        # What is common is looked up most and, put in first, stands together in memory. (Places side by side add up to
        # the remainder by one less than a place can hold.)
        common = sorted(counts, key=lambda piece: counts[piece] % (2**32 - 1), reverse=True)
        return unit, {piece: packed[counts[piece]] for piece in common}

    def _pieces_of(self, topic: str) -> list[set[str]]:
        folded = fold_all(self._written[topic], kana=self.language == "ja")
        return [pieces(text, self.language) for text in folded]

    def lean(self, folded: str) -> Leaning | None:
        """What a folded text looks like; None where nothing in it is known."""
        if len(self._topics) < 2:
            return None
        unit, known = self._counted
        found = pieces(folded, self.language)
        *scores, count = _places(sum(filter(None, map(known.get, found))), len(self._topics) + 1)
        if not count:
            return None
        scale = _SHARPNESS / (unit * math.sqrt(count + _CHANCE))
        top = max(scores)
        parts = [math.exp((score - top) * scale) for score in scores]
        whole = sum(parts)
        return Leaning(dict(zip(self._topics, [part / whole for part in parts], strict=True)), found, self)

    def nearest(self, topic: str, found: Set[str]) -> str:
        """The example of `topic` that shares most of its pieces with those `found` in a text."""
        written = self._written.get(topic)
        if not written:
            return ""
        shared = self._shared.get(topic)
        if shared is None:
            shared = self._shared[topic] = _Shared(self._pieces_of(topic), 6 if self.language == "en" else 3)
        near = shared.nearness(found)
        return max(((near[number], written[number]) for number in near), default=(0.0, max(written)))[1]


_COMMON = 24


class _Shared:
    """Which texts of one topic hold a piece, in arrays: by the piece's hash its place, from there on its texts."""

    def __init__(self, texts: Iterable[Set[str]], least: int) -> None:
        """`least` is the length of a piece that says much by itself: pairs of words and longer words; else three
        characters."""
        self._least = least
        long = [[piece for piece in each if len(piece) >= least] for each in texts]
        self._lengths = [math.sqrt(len(each) or 1) for each in long]
        holders: dict[int, list[int]] = {}
        for number, each in enumerate(long):
            for piece in map(hash, each):
                holders.setdefault(piece, []).append(number)
        self._hashes = array("q", sorted(holders))
        self._texts = array("I", itertools.chain.from_iterable(holders[piece] for piece in self._hashes))
        self._starts = array("I", itertools.accumulate((len(holders[p]) for p in self._hashes), initial=0))

    def nearness(self, found: Set[str]) -> Mapping[int, float]:
        """By the number of a text how many of the long pieces of `found` it holds, the rarer the more, against its
        length; without those that hold none."""
        hashes, starts, texts = self._hashes, self._starts, self._texts
        held: dict[int, int] = {}
        for each in found:
            if len(each) < self._least:
                continue
            piece = hash(each)
            place = bisect_left(hashes, piece)
            if place == len(hashes) or hashes[place] != piece:
                continue
            first, end = starts[place], starts[place + 1]
            # What stands in dozens of texts hardly tells them from each other.
            if end - first <= _COMMON:
                # Each halving of those that hold it counts one more: a whole number, which adds up alike in any order.
                weight = (len(self._lengths) // (end - first)).bit_length()
                for number in texts[first:end]:
                    held[number] = held.get(number, 0) + weight
        return {number: weight / self._lengths[number] for number, weight in held.items()}


def _adds(here: Sequence[int], constants: Sequence[float], texts: int) -> array[float]:
    """What a piece adds for every topic that it stands in so often, above what it adds for the least likely one: what
    is the same for all of them makes none of them likelier."""
    total = sum(here)
    weight = math.sqrt(math.log(1 + texts / total))
    unknown = math.log(_SMOOTH / (total + _SMOOTH))
    odds = [math.log((n + _SMOOTH) / (total - n + _SMOOTH)) if n else unknown for n in here]
    adds = [weight * (each + constant) for each, constant in zip(odds, constants, strict=True)]
    least = min(adds)
    return array("d", [each - least for each in adds])


def _packed(values: Sequence[int]) -> int:
    """Numbers below 2**32 side by side in one."""
    return int.from_bytes(struct.pack(f"<{len(values)}I", *values), "little")


def _places(packed: int, count: int) -> tuple[int, ...]:
    """The `count` numbers that stand side by side in one."""
    return struct.unpack(f"<{count}I", packed.to_bytes(4 * count, "little"))


class Likes:
    """Named examples of a shop, a few each: how near a sentence is to the nearest of them (a cosine)."""

    def __init__(self, examples: Iterable[tuple[str, str, str, Language]]) -> None:
        """`examples` are (name, example as written, example folded, its language)."""
        self._sets = [(n, w, pieces(f, language), language) for n, w, f, language in examples]
        counts = Counter(piece for _, _, found, _ in self._sets for piece in found)
        total = max(1, len(self._sets))
        self._weights = {piece: math.log(1 + total / n) ** 2 for piece, n in counts.items()}
        self._unknown = math.log(1 + total) ** 2
        self._norms = [math.sqrt(sum(self._weights[p] for p in found)) or 1.0 for _, _, found, _ in self._sets]
        self._index: dict[str, list[int]] = {}
        for number, (_, _, found, _) in enumerate(self._sets):
            for piece in found:
                self._index.setdefault(piece, []).append(number)

    def __len__(self) -> int:
        return len(self._sets)

    def near(self, folded: str, language: Language, least: float) -> Mapping[str, Likeness]:
        """Per name the nearest example, where its nearness is at least `least` (0 to 1)."""
        wanted = pieces(folded, language)
        touched = Counter(n for piece in wanted for n in self._index.get(piece, ())[:40])
        norm = math.sqrt(sum(self._weights.get(p, self._unknown) for p in wanted)) or 1.0
        best: dict[str, Likeness] = {}
        for number, _ in touched.most_common(12):
            name, written, found, of = self._sets[number]
            if of != language:
                continue
            score = sum(self._weights[p] for p in wanted & found) / (norm * self._norms[number])
            if score >= least and (name not in best or best[name].score < score):
                best[name] = Likeness(name, written, round(score, 2))
        return best
