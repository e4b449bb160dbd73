"""Examples propose: what a mail looks like, judged by the pieces of words it shares with mails a person labelled.

`Proposer` is a complement naive Bayes count: a piece (n-gram) speaks for a topic in so far as it is rare in the
examples of all others. `Likes` measures nearness to a few examples of a shop. Neither is ever enough for a draft by
itself: the caller asks whether the order's state makes the topic possible, and lets every veto speak first. No model
is stored or loaded: everything is counted when the first mail needs it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from responder.core.normal import fold_all
from responder.model import Language

_DIGITS = re.compile(r"[0-9]+")
_MAX_CHARS = 1500
_SMOOTH = 1.0


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
    found: set[str]
    sets: Sequence[tuple[str, str, set[str]]]

    def nearest(self, topic: str) -> str:
        """The example of `topic` that shares most with the text."""
        near = (
            (len(self.found & each) / math.sqrt(len(each) or 1), written)
            for name, written, each in self.sets
            if name == topic
        )
        return max(near, default=(0.0, ""))[1]


class Proposer:
    """How likely a text belongs to each topic, by the examples of all topics in one language."""

    def __init__(self, examples: Sequence[tuple[str, str]], language: Language) -> None:
        """`examples` are (topic, example as written)."""
        self._language: Language = language
        self._examples = examples
        self._topics = sorted({topic for topic, _ in examples})

    @cached_property
    def _sets(self) -> list[tuple[str, str, set[str]]]:
        folded = fold_all([written for _, written in self._examples], kana=self._language == "ja")
        return [
            (topic, written, pieces(text, self._language))
            for (topic, written), text in zip(self._examples, folded, strict=True)
        ]

    @cached_property
    def _counted(self) -> tuple[list[float], dict[str, tuple[float, tuple[tuple[int, float], ...]]]]:
        """A constant per topic, and per piece its weight and what it adds for the topics it stands in.

        The complement estimate of a piece for a topic is its count in all other topics over their whole count; what is
        the same for every topic is left out, so only topics that know the piece need a number.
        """
        of_topic = {topic: Counter[str]() for topic in self._topics}
        for topic, _, found in self._sets:
            of_topic[topic].update(found)
        total = Counter[str]()
        for counts in of_topic.values():
            total.update(counts)
        mass = float(sum(total.values()))
        spread = _SMOOTH * len(total)
        constants = [math.log(mass - sum(of_topic[t].values()) + spread) for t in self._topics]
        known: dict[str, list[tuple[int, float]]] = {}
        for place, topic in enumerate(self._topics):
            for piece, here in of_topic[topic].items():
                count = total[piece]
                known.setdefault(piece, []).append((place, -math.log((count - here + _SMOOTH) / (count + _SMOOTH))))
        texts = len(self._sets)
        return constants, {
            piece: (math.sqrt(math.log(1 + texts / total[piece])), tuple(adds)) for piece, adds in known.items()
        }

    def lean(self, folded: str) -> Leaning | None:
        """What a folded text looks like; None where nothing in it is known."""
        if len(self._topics) < 2:
            return None
        constants, known = self._counted
        found = pieces(folded, self._language)
        scores = [0.0] * len(self._topics)
        weights = 0.0
        count = 0
        for piece in found:
            entry = known.get(piece)
            if entry is None:
                continue
            weight, adds = entry
            weights += weight
            count += 1
            for place, add in adds:
                scores[place] += weight * add
        if not count:
            return None
        scale = 1 / math.sqrt(count + 1)
        scores = [(score + weights * constant) * scale for score, constant in zip(scores, constants, strict=True)]
        top = max(scores)
        shares = [math.exp(score - top) for score in scores]
        whole = sum(shares)
        return Leaning({t: share / whole for t, share in zip(self._topics, shares, strict=True)}, found, self._sets)


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
