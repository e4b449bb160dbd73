"""What a word like `cancel` is done to: the order, or something that is none of the shop's business.

Looks only where the language itself says what the object is: before を or の in Japanese, behind a determiner in
English (`cancel my ...`), right behind the word in Chinese. Where it says nothing, any object is assumed to be fine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from responder.core.rules.phrases import Hit
from responder.model import Language

_DETERMINERS = frozenset(
    [
        "my",
        "the",
        "our",
        "a",
        "an",
        "this",
        "that",
        "these",
        "those",
        "your",
        "his",
        "her",
        "their",
        "another",
        "some",
        "any",
        "every",
    ]
)
# What follows a `this` or `that` that stands for itself, or ends the object.
_ENDS = frozenset(
    [
        "please",
        "pls",
        "plz",
        "and",
        "as",
        "because",
        "for",
        "since",
        "so",
        "thank",
        "thanks",
        "asap",
        "now",
        "immediately",
        "today",
        "if",
        "it",
        "before",
        "after",
        "one",
        "but",
        "i",
        "we",
        "or",
        "on",
        "in",
        "at",
        "by",
        "with",
        "from",
        "to",
        "which",
        "that",
        "is",
        "was",
        "were",
        "has",
        "have",
        "had",
        "not",
        "no",
        "then",
        "when",
        "while",
        "due",
        "placed",
        "made",
        "number",
        "no",
        "right",
        "straight",
        "soon",
        "instead",
        ",",
        "-",
    ]
)
_HEAD_WORDS = 4
_REST_OF_WORD = re.compile(r"[a-z]*")


def done_to(folded: str, hit: Hit, objects: Sequence[str], language: Language) -> bool:
    """False if the sentence says that the words at `hit` are done to something that is none of the `objects`."""
    match language:
        case "ja":
            return _ja(folded[: hit.start], objects)
        case "zh":
            return _zh(folded[hit.end :], objects)
        case _:
            return _en(folded[hit.end :], objects)


def _ja(before: str, objects: Sequence[str]) -> bool:
    before = before.rstrip()
    if not before.endswith(("を", "の")):
        return True
    before = before[:-1].rstrip(" )")
    return not before or before[-1].isascii() or before.endswith(tuple(objects))


def _zh(behind: str, objects: Sequence[str]) -> bool:
    return not behind or behind[0].isascii() or behind.startswith(tuple(objects))


def _en(behind: str, objects: Sequence[str]) -> bool:
    rest = _REST_OF_WORD.match(behind)
    words = behind[rest.end() if rest else 0 :].split()[: _HEAD_WORDS + 1]
    if len(words) < 2 or words[0] not in _DETERMINERS:
        return True
    for word in words[1:]:
        if word in objects or any(c.isdigit() for c in word):
            return True
        if word in _ENDS:
            # `cancel this please` names no object; `cancel my flight please` does.
            return word == words[1]
    return False
