"""Which language a single sentence is prose of, if it is prose at all.

Names, addresses and product words in another script are no prose: only small words tell a language that is meant to
be read.
"""

from __future__ import annotations

import re
from functools import cache

from responder.core.facts import load
from responder.model import Language

_HIRAGANA = re.compile("[\u3041-\u3096]")
_KANA = re.compile("[\u3041-\u30fa\uff66-\uff9f]")
_HAN = re.compile("[\u3400-\u9fff]")
_WORDS = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?")
_NO_WORDS = re.compile(r"https?://\S+|\S+@\S+|[A-Za-z-]*\d[\w-]*")
# Small words of Chinese that Japanese written without kana does not use.
_CHINESE = re.compile("[您们們请請吗嗎吧呢这這没沒给給还還让讓谢謝就很我了是你]|我们|可以|已经|如果|收到")


def prose_of(sentence: str) -> Language | None:
    """The language of a sentence that is clearly written in one; None for a name, an address, a number, a word."""
    text = _NO_WORDS.sub(" ", sentence)
    hiragana = len(_HIRAGANA.findall(text))
    if hiragana >= 4:
        return "ja"
    if not _KANA.search(text) and len(_HAN.findall(text)) >= 6 and len(_CHINESE.findall(text)) >= 2:
        return "zh"
    words = [word.lower() for word in _WORDS.findall(text)]
    if not hiragana and len(words) >= 5 and sum(word in _english() for word in words) >= 2:
        return "en"
    return None


@cache
def _english() -> frozenset[str]:
    return frozenset(load("language")["en"]["words"])
