"""Examples propose: how much a sentence looks like one that a person wrote down, by character n-grams.

A proposal is never enough for a draft by itself: the caller lets every veto speak first.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_DIGITS = re.compile(r"[0-9]+")
_MAX_CHARS = 240


@dataclass(frozen=True, slots=True)
class Likeness:
    """The example that a sentence looks most like, and how much (0 to 1)."""

    name: str
    example: str
    score: float


def grams(folded: str) -> set[str]:
    """The n-grams of a folded sentence: 3 characters in Latin words, 2 in Japanese and Chinese; digits count alike."""
    text = _DIGITS.sub("0", folded[:_MAX_CHARS])
    size = 4 if text.isascii() else 2
    return {text[i : i + size] for i in range(len(text) - size + 1)}


class Examples:
    """All examples of a pack in one inverted index; cost grows with the sentence, not with the examples."""

    def __init__(self, examples: Iterable[tuple[str, str, str]]) -> None:
        """`examples` are (name, example as written, example folded)."""
        self._names: list[tuple[str, str]] = []
        sets: list[set[str]] = []
        for name, written, folded in examples:
            self._names.append((name, written))
            sets.append(grams(folded))
        counts = Counter(gram for found in sets for gram in found)
        total = max(1, len(sets))
        # What stands in more than a tenth of all examples tells nothing.
        usual = max(8, total // 10)
        self._weights = {gram: math.log(1 + total / n) for gram, n in counts.items()}
        self._unknown = math.log(1 + total)
        self._norms = [math.sqrt(sum(self._weights[g] ** 2 for g in found)) or 1.0 for found in sets]
        self._index: dict[str, list[int]] = {}
        for number, found in enumerate(sets):
            for gram in found:
                if counts[gram] <= usual:
                    self._index.setdefault(gram, []).append(number)
        self._sets = sets

    def __len__(self) -> int:
        return len(self._names)

    def best(self, folded: str, least: float) -> list[Likeness]:
        """Per name the nearest example with a cosine of at least `least`, nearest first."""
        if not self._names:
            return []
        wanted = grams(folded)
        if len(wanted) < 3:
            return []
        touched: Counter[int] = Counter()
        for gram in wanted:
            postings = self._index.get(gram)
            if postings is not None:
                touched.update(postings)
        if not touched:
            return []
        norm = math.sqrt(sum(self._weights.get(g, self._unknown) ** 2 for g in wanted))
        best: dict[str, Likeness] = {}
        for number, _ in touched.most_common(12):
            common = wanted & self._sets[number]
            score = sum(self._weights[g] ** 2 for g in common) / (norm * self._norms[number])
            name, example = self._names[number]
            if score >= least and (name not in best or best[name].score < score):
                best[name] = Likeness(name, example, round(score, 3))
        return sorted(best.values(), key=lambda likeness: -likeness.score)
