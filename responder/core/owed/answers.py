"""What a buyer answers to a notice that asked him to wait or to cancel. A wish to cancel is read by the rules; here
only the short word that he waits is known, so that nobody has to read it twice."""

from __future__ import annotations

import re
import unicodedata

from responder.core.facts import Words, load

ASKED = frozenset({"owe_restock", "owe_combined", "owe_delay"})
"""The notices that ask: their templates."""

MOST_CHARACTERS = 160
_MARKS = re.compile(r"[\s、。，．,.!！~〜「」『』“”\"'()（）・:：-]+")
_QUESTION = re.compile(r"[?？]|ですか|ますか|でしょうか|吗|嗎")


def says_wait(text: str) -> bool:
    """True if these few words say that the buyer waits, and nothing else of weight."""
    said = unicodedata.normalize("NFKC", text).casefold().strip()
    if not said or len(said) > MOST_CHARACTERS or _QUESTION.search(said):
        return False
    words = load("owed")["answers"]
    bare = _MARKS.sub("", said)
    if bare in {_MARKS.sub("", word) for word in words["wait_alone"]}:
        return True
    return _known("wait").within(said) and not _known("not_wait").within(said)


_CACHE: dict[str, Words] = {}


def _known(name: str) -> Words:
    if name not in _CACHE:
        _CACHE[name] = Words(load("owed")["answers"][name])
    return _CACHE[name]
