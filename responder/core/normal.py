"""One form for text that is compared: widths, case, dashes, kana and scripts folded away.

`normalise` keeps the meaning of every character (order numbers keep their digits); `fold` goes further and is only
for matching. Neither ever raises, and both cost time linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import tomli

_DASHES = "‐‑‒–—―−﹘﹣－⁃➖"
_WAVES = "〜～∼〰"
_APOSTROPHES = "'’‘`´ʼ＇"
# Marks that are there to be unseen: zero-width, bidi, soft hyphen, variation selectors, tags, other C0 and C1.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)


class _Table(dict[int, "str | int | None"]):
    """A table for str.translate that learns which characters stay: a missing key costs an exception otherwise."""

    def __missing__(self, code: int) -> int:
        if len(self) < 60_000:
            self[code] = code
        return code


_DASH_TABLE = _Table({**{ord(c): "-" for c in _DASHES}, **{ord(c): "~" for c in _WAVES}, 0x2028: "\n", 0x2029: "\n"})
# The long-vowel mark between digits or Latin letters was meant as a dash.
_LONG_AS_DASH = re.compile("(?<=[0-9a-z])ー(?=[0-9a-z])")

# Stands between texts folded in one call; a line feed, so that every table keeps it.
_RECORD = "\n"

CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff々〆"


def normalise(text: str) -> str:
    """The text in NFKC, case-folded, without unseen marks, with one kind of dash and of wave.

    Line breaks stay. Digits and letters of an order number are kept in order; only their width and case change.
    """
    return _widths(text) if text.isascii() else _through(text, _DASH_TABLE, _direct_dashes())


def _widths(text: str) -> str:
    text = _UNSEEN.sub("", text)
    if text.isascii():
        return text.casefold()
    composed = unicodedata.normalize("NFKC", text)
    folded = composed.casefold()
    if "ー" in folded:
        folded = _LONG_AS_DASH.sub("-", folded)
    # NFKC can bring unseen marks back out of compatibility characters.
    return folded if composed == text else _UNSEEN.sub("", folded)


class _DirectTable(dict[int, "str | None"]):
    """NFKC, case and a table in one, for characters that no neighbour changes; ValueError for all others."""

    def __init__(self, table: _Table) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, code: int) -> str | None:
        if not any(first <= code <= last for first, last in _ALONE):
            raise ValueError(code)
        plain = _widths(chr(code)).translate(self._table)
        self[code] = plain
        return plain


# Latin, kana, Han, their punctuation and full-width forms: each has one form, whatever stands beside it.
_ALONE = (
    (0x00, 0xA7), (0xC0, 0xFF), (0x2010, 0x2027), (0x2030, 0x205E), (0x3000, 0x3029), (0x3041, 0x3096),
    (0x30A1, 0x30FA), (0x30FC, 0x30FE), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xFF01, 0xFF5E),
)  # fmt: skip
_LONG_BY_LATIN = re.compile("ー(?=[0-9A-Za-z０-９Ａ-Ｚａ-ｚ])")


def _through(text: str, table: _Table, direct: _DirectTable) -> str:
    """The text in its widths and then through a table, in one step where all its characters allow it."""
    if "ー" not in text or not _LONG_BY_LATIN.search(text):
        try:
            return text.translate(direct)
        except ValueError:
            pass
    return _widths(text).translate(table)


@lru_cache(maxsize=1)
def _direct_dashes() -> _DirectTable:
    return _DirectTable(_DASH_TABLE)


@lru_cache(maxsize=1)
def _direct_match() -> _DirectTable:
    return _DirectTable(_match_table())


@lru_cache(maxsize=1)
def _match_table() -> _Table:
    """Katakana to hiragana, small kana to large, traditional to simplified, punctuation to a space or a comma."""
    table = _Table(_DASH_TABLE)
    small = dict(zip("ぁぃぅぇぉっゃゅょゎ", "あいうえおつやゆよわ", strict=True))
    for code in range(0x30A1, 0x30F7):
        plain = chr(code - 0x60)
        table[code] = small.get(plain, plain)
    table.update({ord(k): v for k, v in small.items()})
    data = tomli.loads(files("responder.data").joinpath("hanzi.toml").read_text(encoding="utf-8"))
    table.update((ord(a), b) for a, b in zip("".join(data["traditional"]), "".join(data["simplified"]), strict=True))
    table.update(dict.fromkeys(map(ord, _APOSTROPHES), None))
    table.update(dict.fromkeys(map(ord, ',、，;；:：()（）「」『』[]【】<>《》“”"…|/=*+'), ","))
    table.update(dict.fromkeys(map(ord, ".。!！?？~〜～∼〰_^\t\r・#%&@$\\{}"), " "))
    table.update({0x2028: " ", 0x2029: " "})
    return table


_SPACES = re.compile("  +")
_COMMAS = re.compile(" ?,[ ,]*")
# Each begins with what is rare in a text, and looks behind from there.
_LATIN = re.compile("[0-9a-z]")
_LATIN_THEN_CJK = re.compile(f"(?<=[0-9a-z])(?=[{CJK}])")
_CJK_THEN_LATIN = re.compile(f"(?=[0-9a-z])(?<=[{CJK}])")
_CJK_SPACE = re.compile(f" (?<=[{CJK}] )(?=[{CJK}])")
_JA_COMMA = re.compile(f"[ ,](?<=[{CJK}][ ,])[ ,]*(?=[{CJK}])")


def fold(text: str, *, kana: bool = False) -> str:
    """The form in which phrases meet text, with one space on both sides so that Latin words have edges everywhere.

    Latin words stand between spaces and a comma is a word of its own; Japanese and Chinese run together. With `kana`
    (a sentence of Japanese) commas and spaces between characters are dropped, else they count as a comma: in Chinese
    the comma decides what a `不要` speaks of.
    """
    return fold_all((text,), kana=kana)[0]


def fold_all(texts: Sequence[str], *, kana: bool = False) -> list[str]:
    """`fold` of each text, at the price of one call."""
    if not texts:
        return []
    text = _RECORD.join([text.replace(_RECORD, " ") for text in texts])
    text = _through(text, _match_table(), _direct_match())
    is_latin = text.isascii()
    if not is_latin and _LATIN.search(text):
        text = _CJK_THEN_LATIN.sub(" ", _LATIN_THEN_CJK.sub(" ", text))
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if not is_latin:
        text = _JA_COMMA.sub("", text) if kana else _CJK_SPACE.sub(",", text)
    if "," in text:
        text = _COMMAS.sub(" , ", text)
    return [f" {part.strip(' ,')} " for part in text.split(_RECORD)]
