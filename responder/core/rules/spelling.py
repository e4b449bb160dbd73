"""One slip of the finger in a longer Latin word: `cancle`, `recieve`, `trackng` become the word that rules know.

Only words of six letters and more that begin with the same letter, and never a word that is one by itself (`shopping`
is not `shipping`): those stand in `responder/data/words.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

LEAST_LETTERS = 6
# A word this short is known again only where two neighbours changed places: `oredr`.
SHORT_LETTERS = 5
MAX_WORDS = 2000

_WORD = re.compile(r"(?<= )[a-z]{5,24}(?= )")


def _shorter(word: str) -> set[str]:
    """`word` with any one letter after the first left out."""
    return {word[:i] + word[i + 1 :] for i in range(1, len(word))}


class Spelling:
    """The words that rules know, found again behind one wrong, missing, doubled or swapped letter."""

    def __init__(self, known: Collection[str], real: Iterable[str]) -> None:
        """`known` are the words that slips become; `real` are all words that must stay as they are."""
        self._known = {w for w in known if len(w) >= LEAST_LETTERS and w.isascii()}
        short = {w for w in known if len(w) == SHORT_LETTERS and w.isascii()}
        self._fine = self._known | short | set(real)
        self._swapped = {w[:i] + w[i + 1] + w[i] + w[i + 2 :]: w for w in short for i in range(1, len(w) - 1)}
        self._by_shorter: dict[str, set[str]] = {}
        for word in self._known:
            for shorter in _shorter(word):
                self._by_shorter.setdefault(shorter, set()).add(word)
        self._seen: dict[str, str] = {}

    def corrected(self, folded: str) -> str:
        """The folded text with slips mended; words that are known or too short stay."""
        if self._fine.issuperset(_WORD.findall(folded)):
            return folded
        return _WORD.sub(self._mend, folded)

    def _mend(self, match: re.Match[str]) -> str:
        word = match.group()
        if word in self._fine:
            return word
        found = self._seen.get(word)
        if found is None:
            found = self._nearest(word)
            if len(self._seen) < MAX_WORDS:
                self._seen[word] = found
        return found

    def _nearest(self, word: str) -> str:
        if word in self._swapped:
            return self._swapped[word]
        if word in self._by_shorter:  # a letter is missing
            return min(self._by_shorter[word])
        shorter = _shorter(word)
        doubled = shorter & self._known  # a letter too many
        if doubled:
            return min(doubled)
        near: set[str] = set()
        if len(word) >= LEAST_LETTERS:
            for each in shorter:
                near |= {w for w in self._by_shorter.get(each, ()) if len(w) == len(word) and _one_slip(w, word)}
        return min(near) if len(near) == 1 else word


def _one_slip(a: str, b: str) -> bool:
    """True if `a` and `b`, equally long, differ in one letter or in two neighbours swapped."""
    differ = [i for i in range(len(a)) if a[i] != b[i]]
    if len(differ) == 1:
        return True
    return (
        len(differ) == 2
        and differ[1] == differ[0] + 1
        and a[differ[0]] == b[differ[1]]
        and a[differ[1]] == b[differ[0]]
    )
