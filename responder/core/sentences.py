"""Sentences of a mail, and the words that tell what a sentence does: asks, denies, threatens, thanks ...

`split` finds sentences in wrapped, unpunctuated and mixed text. `Speech` is the list of markers per language as
`responder/data/speech.toml` holds it; finding them in a text is the matcher's work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal, cast

import tomli

from responder.model import LANGUAGES, Language

MAX_SENTENCES = 400
MAX_SENTENCE_CHARS = 500
# So many English words for each wide character keep a sentence English.
WORDS_AROUND = 1

_KANA = re.compile("[\u3041-\u30fa\uff66-\uff9d]")
_HIRAGANA = re.compile("[\u3041-\u3096]")
_CHINESE = re.compile(
    "[吗嗎呢吧请您你们們这這没沒还還给給么麼啊啦喔哦咗嘅喺冇佢哋嘢俾唔]|我[的想要也在不就们們是有会會]|想取消|能不能|可不可以"
)
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile("[A-Za-z]{2,}")
_WIDE = re.compile("[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]")

# A full stop ends a sentence before a space or the end, not inside 1.5, a name or an abbreviation. In Chinese a comma
# ends one where the next words turn to another matter (`by the way`, but not `the other one`).
_STOP = re.compile(
    r"[。！？!?．]+[」』）)”\"']*|\.+(?=\s|$|[\"')”])[\"')”]*|[\u2026]+(?=\s|$)"
    r"|[，,](?=\s?(?:另外(?![的一那这這两兩三几幾个個件单單张張笔筆])|此外|顺便|順便|顺带|順帶|对了|對了|同埋|二是|其次|再就是))"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:no|nr|mr|mrs|ms|dr|st|vs|inc|ltd|co|corp|e\.g|i\.e|approx|dept|tel|ord|ref|qty|[a-z])$",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"^\s*\d{1,2}$")
# `So, no. Please cancel.`: what is no number of anything ends a sentence.
_SAID_NO = re.compile(r"(?:^|[\s(])no\.\s+[A-Za-z]", re.IGNORECASE)
# A Japanese or Chinese line that ends like this goes on in the next one.
_GOES_ON = re.compile(
    "(?:[、，,はがをにでとのもへ]|ので|から|けど|けれど|ところ|ため|して|まして|くて|たり|つつ|ながら)$"
)
_ENDED = re.compile(r"[。！？!?．.…:：;；」』)）\"”]\s*$")
_HYPHENATED = re.compile(r"[a-z]-$")
# Any letter or digit, or a question mark: less is no sentence.
_SAYS = re.compile(r"[^\W_]|[?？]")
_BULLET = re.compile(r"^\s*(?:[-*・●■◆○□▼※＊>＞#]|\d{1,2}[.)）]|[一-十][、.])")


def language_of(text: str, default: Language) -> Language:
    """The language a single sentence is matched in: kana decides, then Han by the mail's language, then Latin.

    A Chinese mail may borrow words in kana (`先キャンセル吧`); what only Chinese writes keeps such a sentence Chinese.
    An English one may name a thing as it is called here (`Please issue a 領収書 to my firm`).
    """
    if text.isascii():
        return "en"
    if default == "en" and len(_LATIN_WORD.findall(text)) >= WORDS_AROUND * len(_WIDE.findall(text)) > 0:
        return "en"
    if _KANA.search(text):
        if default == "zh" and _CHINESE.search(text) and 2 * len(_HIRAGANA.findall(text)) <= len(_HAN.findall(text)):
            return "zh"
        return "ja"
    if _HAN.search(text):
        return default if default != "en" else "zh"
    return "en"


def has_kana(text: str) -> bool:
    """True if the text holds Japanese kana of any width."""
    return _KANA.search(text) is not None


# A blank between two Chinese clauses, and what a sentence has that ends its clauses with more than that.
_BLANKS = re.compile(r"(?<=[\u4e00-\u9fff]{4})\s+(?=[\u4e00-\u9fff]{4})")
_HALTS = re.compile(r"[，,、；;\u3041-\u30ff]")


def split(text: str) -> list[str]:
    """The sentences of `text` as written, without surrounding blanks; hard-wrapped lines are joined first."""
    found: list[str] = []
    for block in _joined(text):
        start = 0
        for stop in _STOP.finditer(block):
            if stop.group()[0] == "." and _no_end(block, start, stop.start()):
                continue
            _add(found, block[start : stop.end()])
            start = stop.end()
        _add(found, block[start:])
        if len(found) >= MAX_SENTENCES:
            break
    return found[:MAX_SENTENCES]


def _no_end(block: str, start: int, stop: int) -> bool:
    before = block[start:stop]
    if _SAID_NO.search(block, max(start, stop - 3), stop + 4):
        return False
    return bool(_ABBREVIATION.search(before[-8:]) or _LIST_NUMBER.match(before))


def _add(found: list[str], sentence: str) -> None:
    sentence = sentence.strip(" \t\u3000")
    if not sentence.isascii() and _BLANKS.search(sentence) and not _HALTS.search(sentence):
        # Who writes no commas ends his sentences with blanks.
        for part in _BLANKS.split(sentence):
            _add(found, part)
        return
    while len(sentence) > MAX_SENTENCE_CHARS:
        cut = max(sentence.rfind(c, MAX_SENTENCE_CHARS // 2, MAX_SENTENCE_CHARS) for c in "、，, ")
        cut = cut + 1 if cut > 0 else MAX_SENTENCE_CHARS
        found.append(sentence[:cut].strip())
        sentence = sentence[cut:].lstrip()
    if _SAYS.search(sentence):
        found.append(sentence)


def _joined(text: str) -> list[str]:
    """Lines, with those that a mail program or a thumb broke in the middle put together again."""
    blocks: list[str] = []
    current = ""
    for raw in text.splitlines():
        line = raw.strip(" \t\u3000")
        if not line:
            if current:
                blocks.append(current)
                current = ""
            continue
        if not current:
            current = line
        elif _continues(current, line):
            current = _join(current, line)
        else:
            blocks.append(current)
            current = line
        if len(current) > 20 * MAX_SENTENCE_CHARS:
            blocks.append(current)
            current = ""
    if current:
        blocks.append(current)
    return blocks


def _join(above: str, below: str) -> str:
    if _WIDE.match(above[-1]) and _WIDE.match(below[0]):
        return above + below
    if _HYPHENATED.search(above) and below[0].islower():
        return above[:-1] + below
    return f"{above} {below}"


def _continues(above: str, below: str) -> bool:
    if _ENDED.search(above) or _BULLET.match(below):
        return False
    if _HAN.search(above[-1]) or _KANA.search(above[-1]) or above[-1] in "、，":
        return bool(_GOES_ON.search(above)) or _width(above) >= 56
    return below[0].islower() or above[-1] == "," or len(above) >= 60


def _width(line: str) -> int:
    return len(line) + len(_WIDE.findall(line))


# --- markers --------------------------------------------------------------------------------------------------------

Side = Literal["before", "after", "around", "sentence", "mail"]


@dataclass(frozen=True, slots=True)
class Act:
    """What a sentence can do, by name, and how far a marker of it acts on the matter it stands with.

    `side` is where the marker stands seen from the matter: `before` it (en, zh), `after` it (ja), `around` it, anywhere
    in the `sentence`, or anywhere in the `mail`. `within` counts words in Latin text, characters in others.
    """

    name: str
    language: Language
    side: Side
    within: int
    phrases: tuple[str, ...]


@lru_cache(maxsize=1)
def speech() -> tuple[Act, ...]:
    """The markers that responder ships (`responder/data/speech.toml`)."""
    text = files("responder.data").joinpath("speech.toml").read_text(encoding="utf-8")
    return read_speech(tomli.loads(text))


def read_speech(data: Mapping[str, object]) -> tuple[Act, ...]:
    """The acts of a table `[act.language]` with `side`, `within`, `phrases`."""
    acts = []
    for name, by_language in data.items():
        for language in LANGUAGES:
            table = cast(Mapping[str, Mapping[str, object]], by_language).get(language)
            if table is not None:
                acts.append(
                    Act(
                        name,
                        language,
                        cast(Side, table.get("side", "sentence")),
                        int(cast(int, table.get("within", 0))),
                        tuple(cast(list[str], table["phrases"])),
                    )
                )
    return tuple(acts)
