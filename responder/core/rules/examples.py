"""Examples propose: what a sentence looks like, judged by the pieces of words it shares with sentences a person wrote.

`Proposer` weighs every piece (n-gram) by how much more often it stands in the examples of one topic than in all
others; `Likes` measures nearness to a few examples. Neither is ever enough for a draft by itself: the caller lets
every veto speak first. No model is stored or loaded: everything is counted when the pack is compiled.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from responder.model import Language

_DIGITS = re.compile(r"[0-9]+")
_MAX_CHARS = 200
_LEAST_PIECES = 4
_SMOOTH = 0.1
_ABSENT = -0.5


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a sentence looks like: `name`, the nearest `example` of it, and how sure that is."""

    name: str
    example: str
    score: float


def pieces(folded: str, language: Language) -> set[str]:
    """The n-grams of a folded sentence: words, pairs and 4 letters in English, 2 and 3 characters else."""
    text = _DIGITS.sub("0", folded[:_MAX_CHARS])
    if language == "en":
        words = text.split()
        found = {text[i : i + 4] for i in range(len(text) - 3)}
        found.update(words)
        found.update(map(" ".join, itertools.pairwise(words)))
        return found
    return {text[i : i + 2] for i in range(len(text) - 1)} | {text[i : i + 3] for i in range(len(text) - 2)}


class Proposer:
    """The topic a sentence belongs to by the examples of all topics in one language."""

    def __init__(self, examples: Sequence[tuple[str, str, str]], language: Language) -> None:
        """`examples` are (topic, example as written, example folded)."""
        self._language: Language = language
        self._sets = [(topic, written, pieces(folded, language)) for topic, written, folded in examples]
        total = len(self._sets)
        of_topic = Counter(topic for topic, _, _ in self._sets)
        self._topics = sorted(of_topic)
        places = {topic: i for i, topic in enumerate(self._topics)}
        seen: dict[str, Counter[str]] = {}
        for topic, _, found in self._sets:
            for piece in found:
                seen.setdefault(piece, Counter())[topic] += 1
        # A piece's weight for a topic: log odds of standing in its examples against all others, less what a piece
        # that never stands there counts, so that only what is present needs to be added up.
        self._weights: dict[str, tuple[tuple[int, float], ...]] = {}
        for piece, counts in seen.items():
            count = sum(counts.values())
            self._weights[piece] = tuple(
                (places[topic], _odds(here, of_topic[topic], count - here, total - of_topic[topic]) - _ABSENT)
                for topic, here in counts.items()
            )

    def propose(self, folded: str, margin: float, known: float) -> Likeness | None:
        """The topic that leads by at least `margin`, where a share of `known` pieces was seen before; else None."""
        if len(self._topics) < 2:
            return None
        found = pieces(folded, self._language)
        scores = [0.0] * len(self._topics)
        count = 0
        weights = self._weights
        for piece in found:
            pairs = weights.get(piece)
            if pairs is not None:
                count += 1
                for place, weight in pairs:
                    scores[place] += weight
        if count < _LEAST_PIECES or count < known * len(found):
            return None
        best = max(range(len(scores)), key=scores.__getitem__)
        top = scores[best] + _ABSENT * count
        scores[best] = -math.inf
        second = max(0.0, max(scores) + _ABSENT * count)
        lead = (top - second) / math.sqrt(len(found))
        if lead < margin:
            return None
        topic = self._topics[best]
        return Likeness(topic, self._nearest(topic, found), round(lead, 2))

    def _nearest(self, topic: str, found: set[str]) -> str:
        near = (
            (len(found & each) / math.sqrt(len(each) or 1), written)
            for name, written, each in self._sets
            if name == topic
        )
        return max(near)[1]


def _odds(here: int, of_here: int, there: int, of_there: int) -> float:
    return math.log(((here + _SMOOTH) / (of_here + 2 * _SMOOTH)) / ((there + _SMOOTH) / (of_there + 2 * _SMOOTH)))


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
