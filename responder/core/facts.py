"""The package's own facts: the word lists in `responder/data`, each read once.

These are the lists reading needs before any shop setting is known. Nothing here looks outside the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import ahocorasick
import tomli

_DATA = Path(__file__).parent.parent / "data"


@cache
def load(name: str) -> Mapping[str, Any]:
    """The tables of `responder/data/<name>.toml`."""
    return tomli.loads((_DATA / f"{name}.toml").read_text(encoding="utf-8"))


def any_of(words: Iterable[str]) -> str:
    """One regular expression that matches any of the words, the longest first.

    In a word `*` stands for up to forty characters of the same line and a space for any run of white space,
    also none between two CJK characters; everything else stands for itself. The result has no groups and matches
    in linear time.
    """
    return "(?:" + "|".join(sorted((_pattern(word) for word in words), key=len, reverse=True)) + ")"


def _pattern(word: str) -> str:
    escaped = re.escape(word).replace(r"\*", r"[^\n]{1,40}?")
    return re.sub(r"(?:\\ )+", r"[ \\t\\u00a0\\u3000]{1,5}", escaped)


class Words:
    """A set of words found in text in one pass, however many there are, without regard to case.

    A word that begins with an ASCII letter begins where a word of the text begins; with `whole` it also ends there.
    """

    def __init__(self, words: Iterable[str], *, whole: bool = False) -> None:
        self._groups = WordGroups({"": words}, whole=whole)

    def within(self, text: str) -> bool:
        """True if any of the words is in the text."""
        return bool(self._groups.within(text, at_most=1))


class WordGroups:
    """Several sets of words, found together in one pass as `Words` are."""

    def __init__(self, groups: Mapping[str, Iterable[str]], *, whole: bool = False) -> None:
        self._whole = whole
        names: dict[str, list[str]] = {}
        for name, words in groups.items():
            for word in {word.lower() for word in words}:
                names.setdefault(word, []).append(name)
        self._automaton = ahocorasick.Automaton()
        for word, of in names.items():
            self._automaton.add_word(word, (word, of, word[0].isascii() and word[0].isalnum()))
        self._automaton.make_automaton()

    def within(self, text: str, *, at_most: int = 100) -> set[str]:
        """The names of the groups of which a word is in the text; no more than `at_most` are looked for."""
        found: set[str] = set()
        text = text.lower()
        for last, (word, names, is_latin) in self._automaton.iter(text):
            if is_latin:
                before = text[last - len(word)] if last >= len(word) else " "
                after = text[last + 1 : last + 2] if self._whole and word[-1].isalnum() else " "
                if _is_letter(before) or _is_letter(after):
                    continue
            found.update(names)
            if len(found) >= at_most:
                break
        return found


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalnum()
