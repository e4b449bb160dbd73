"""Which of our languages a text is written in: by scripts and function words, the account's default where both are
silent.

Statistical detectors call kanji-only Japanese (返品希望) Chinese; what tells them apart is which characters only one
of the two writes and a few words (`data/language.toml`). Nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from responder.core.facts import any_of, load
from responder.model import Language

MAX_TEXT = 3_000

# Links, addresses, numbers and codes: written the same in every language.
_NOT_WORDS = re.compile(
    r"https?://[!-~]{1,500}|[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,200}|[A-Za-z-]{0,20}[0-9][A-Za-z0-9-]{0,60}"
)
_HIRAGANA = re.compile("[\u3041-\u3096]+")
_KATAKANA = re.compile("[\u30a1-\u30fa\uff66-\uff9f]+")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff々]+")
_LETTERS_ANY = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ]+(?:['’][A-Za-zÀ-ɏ]+)?")
_LETTERS = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’][a-z]+)?")


@dataclass(frozen=True, slots=True)
class _Facts:
    japanese_words: re.Pattern[str]
    chinese_words: re.Pattern[str]
    romaji: frozenset[str]
    english: frozenset[str]
    only_japanese: frozenset[str]
    only_simplified: frozenset[str]
    only_traditional: frozenset[str]
    foreign: Mapping[str, frozenset[str]]
    all_foreign: frozenset[str]
    scripts: tuple[tuple[str, re.Pattern[str]], ...]
    any_script: re.Pattern[str]


def guess(text: str, default: Language) -> Language:
    """The language of a text, `default` where it does not show."""
    text = text[:MAX_TEXT]
    hiragana = 0 if text.isascii() else len("".join(_HIRAGANA.findall(text)))
    if hiragana * 4 > len(text):
        return "ja"
    text = _NOT_WORDS.sub(" ", text)
    if text.isascii():
        return _western(text, default)
    katakana = len("".join(_KATAKANA.findall(text)))
    han = "".join(_HAN.findall(text))
    cjk = hiragana + katakana + len(han)
    if not cjk:
        return _western(text, default)
    words = _LETTERS.findall(text)
    facts = _facts()
    functional = sum(word.lower() in facts.english for word in words)
    if functional >= 2:
        small_words = 0 if hiragana else len(facts.chinese_words.findall(text))
        if functional * 4 + len(words) * 2 >= hiragana * 3 + katakana + len(han) + small_words * 6:
            return "en"
    # A shop's or a product's name in kana does not make a Chinese text Japanese.
    if hiragana + katakana and (hiragana + katakana) * 8 >= len(han):
        if hiragana * 2 >= len(han):
            return "ja"
        chinese = len(facts.chinese_words.findall(text))
        if hiragana * 2 + katakana > chinese * 3 or not chinese:
            return "ja"
    return _han_only(text, han, default)


def foreign(text: str) -> str | None:
    """The language (ISO 639-1) of a text that is in none of ours; None if it is, or if that does not show."""
    text = text[:MAX_TEXT]
    facts = _facts()
    if not text.isascii() and facts.any_script.search(text):
        letters = sum(map(str.isalpha, text))
        for name, pattern in facts.scripts:
            if len(pattern.findall(text)) * 2 > letters:
                return name
    # Two words of another language in all its letters, links and codes too, before these are looked at closely.
    if len(facts.all_foreign.intersection(_LETTERS_ANY.findall(text.lower().replace("’", "'")))) < 2:
        return None
    words = {word.lower().replace("’", "'") for word in _LETTERS_ANY.findall(_NOT_WORDS.sub(" ", text))}
    if len(words) < 3:
        return None
    if len(words & facts.all_foreign) < 2:
        return None
    english = len(words & facts.english)
    name, count = max(((name, len(words & known)) for name, known in facts.foreign.items()), key=lambda each: each[1])
    return name if count >= 2 and count > english else None


@cache
def scripts() -> tuple[frozenset[str], frozenset[str]]:
    """The characters that only Simplified and only Traditional Chinese write."""
    simplified, traditional = _two_byte("gb2312", range(0xB0, 0xF8)), _two_byte("big5", range(0xA4, 0xFA))
    return simplified - traditional, traditional - simplified


def chinese_scripts(text: str) -> tuple[int, int]:
    """How many characters of a text only Simplified and only Traditional Chinese write."""
    simplified, traditional = scripts()
    return sum(c in simplified for c in text), sum(c in traditional for c in text)


def _western(text: str, default: Language) -> Language:
    words = [word.lower() for word in _LETTERS.findall(text)]
    facts = _facts()
    if sum(word in facts.romaji for word in words) > sum(word in facts.english for word in words):
        return "ja"
    if any(word in facts.english for word in words) or sum(len(word) >= 4 for word in words) >= 1:
        return "en"
    return default


def _han_only(text: str, han: str, default: Language) -> Language:
    """Japanese or Chinese for a text whose kana say nothing."""
    facts = _facts()
    japanese = sum(2 * len(word) for word in facts.japanese_words.findall(text))
    japanese += sum(c in facts.only_japanese for c in han)
    chinese = sum(2 * len(word) for word in facts.chinese_words.findall(text))
    chinese += sum(c in facts.only_simplified or c in facts.only_traditional for c in han)
    if japanese > chinese:
        return "ja"
    if chinese > japanese:
        return "zh"
    return default if default != "en" else "zh"


@cache
def _facts() -> _Facts:
    data = load("language")
    japanese = _two_byte("euc_jp", range(0xB0, 0xF5))
    common_japanese = _two_byte("euc_jp", range(0xB0, 0xD0))  # level 1: what Japanese people write
    simplified = _two_byte("gb2312", range(0xB0, 0xF8))
    traditional = _two_byte("big5", range(0xA4, 0xFA))
    return _Facts(
        japanese_words=re.compile(any_of(data["ja"]["words"])),
        chinese_words=re.compile(any_of(data["zh"]["words"])),
        romaji=frozenset(data["ja"]["romaji"]),
        english=frozenset(data["en"]["words"]),
        only_japanese=japanese - simplified - traditional,
        only_simplified=simplified - japanese,
        only_traditional=traditional - simplified - common_japanese,
        foreign={name: frozenset(words) for name, words in data["foreign"].items()},
        all_foreign=frozenset().union(*data["foreign"].values()),
        scripts=tuple((name, _ranges(ends)) for name, ends in data["scripts"].items()),
        any_script=_ranges([end for ends in data["scripts"].values() for end in ends]),
    )


def _ranges(ends: list[str]) -> re.Pattern[str]:
    pairs = zip(ends[::2], ends[1::2], strict=True)
    return re.compile("[" + "".join(f"{first}-{last}" for first, last in pairs) + "]")


def _two_byte(codec: str, rows: range) -> frozenset[str]:
    """The Chinese characters of some rows of a two-byte charset."""
    cells = (*range(0x40, 0x7F), *range(0xA1, 0xFF)) if codec == "big5" else range(0xA1, 0xFF)
    table = b"".join(bytes((row, cell)) for row in rows for cell in cells)
    return frozenset(c for c in table.decode(codec, "ignore") if "\u4e00" <= c <= "\u9fff")
