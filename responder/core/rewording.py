"""What staff changed in a draft, sentence by sentence, without whom and what it was about.

Names, numbers, days and addresses become marks before anything is compared, so that the same change made for two
buyers is the same. What one buyer alone could tell is for the report to leave out: it shows what several had.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from responder.core.approval import text_key

Kept = Literal["same", "edited", "own"]
"""What became of our words in what went out: all of them, some, or another text altogether."""

NAME, NUMBER, DAY, LINK, MAIL, FACT = "⟨name⟩", "⟨number⟩", "⟨day⟩", "⟨link⟩", "⟨mail⟩", "⟨fact⟩"
MARKS = (NAME, NUMBER, DAY, LINK, MAIL, FACT)
MOST_CHANGES = 30
MOST_CHARACTERS = 200
_MOST_UNITS = 400
_OWN_BELOW = 0.4
_WRAPPED_FROM = 55
_ENDS = re.compile(r"(?<=[。！？])(?=[^」』）)])|(?<=[.!?])\s+")
_BULLET = re.compile(r"^\s*(?:[-*・■◆◇●○□※→>＞]|\d{1,2}[.)．）]|[(（]\d{1,2}[)）]|[①-⑳])")
_LINK = re.compile(r"https?://[^\s<>\"」）)]+", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>「」（）()、。,]{1,64}@[A-Za-z0-9.-]{1,190}")
_MONTHS = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|"
    "Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?"
)
_TH = r"\d{1,2}(?:st|nd|rd|th)?"
_DAYS = re.compile(
    r"(?:\d{2,4}[年/.-])?\s?\d{1,2}\s?[月/-]\s?\d{1,2}\s?[日号號]?(?:\s?[(（][日月火水木金土一二三四五六][)）])?"
    r"|\d{1,2}\s?月(?:[上中下]旬|末|初旬)?"
    rf"|(?:{_TH}\s(?:of\s)?(?:{_MONTHS})\b\.?|\b(?:{_MONTHS})\.?\s{_TH}\b)(?:,?\s\d{{4}})?"
)
_NUMBER = re.compile(r"[#¥$€£]?[A-Za-z]{0,3}[-–]?\d[\dA-Za-z,.\-–]*(?<![.,\-–])")
_WORD = r"[^\s、。，．,:：!！?？⟨⟩・「」（）()]"
_HONOURED = re.compile(rf"{_WORD}{{1,20}}?\s?{_WORD}{{0,10}}(?=様|殿|さま(?![^\s、。])|先生(?=[，,:：]|$)|女士|小姐)")
_DEAR = re.compile(
    r"(?<=\bDear )[^\s,].{0,60}?(?=,|:|$)|(?<=\bHi )[^\s,].{0,60}?(?=,|:|$)"
    r"|(?<=\bHello )[^\s,].{0,60}?(?=,|:|$)|(?<=尊敬的)[^，,:：\s]{1,20}"
)
_NOBODY = frozenset(
    {
        *("お客", "お客さ", "皆", "皆さ", "みな", "みなさ", "ご家族", "各位", "同", "有", "模", "仕", "多", "一"),
        *("客户", "顾客", "Customer", "customer", "there", "Sir", "Sir or Madam"),
    }
)


@dataclass(frozen=True, slots=True)
class Change:
    """One sentence of ours that went, and what came for it; either may be ""."""

    gone: str
    came: str


def kept(ours: str, theirs: str) -> Kept:
    """What became of our words, both texts being without quotations."""
    if text_key(ours) == text_key(theirs):
        return "same"
    return "own" if _share_kept(units(ours), units(theirs)) < _OWN_BELOW else "edited"


def _share_kept(ours: Sequence[str], theirs: Sequence[str]) -> float:
    there = {_folded(one) for one in theirs}
    known = [_folded(one) for one in ours]
    whole = sum(map(len, known))
    return sum(len(one) for one in known if one in there) / whole if whole else 0.0


def changes(ours: str, theirs: str, about: Iterable[str] = ()) -> tuple[Change, ...]:
    """The changes, in the order of the text; none where hardly a sentence was kept. `about` are words of this one case
    (the buyer's name, goods, numbers), which become marks."""
    before, after = units(ours)[:_MOST_UNITS], units(theirs)[:_MOST_UNITS]
    if _share_kept(before, after) < _OWN_BELOW:
        return ()
    words = sorted({word for one in about if len(word := " ".join(one.split())) > 1}, key=len, reverse=True)
    a, b = ([without_particulars(unit, words) for unit in some] for some in (before, after))
    found: list[Change] = []
    matcher = SequenceMatcher(None, [_folded(one) for one in a], [_folded(one) for one in b], autojunk=False)
    for tag, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if tag != "equal":
            found += _paired(a[a_from:a_to], b[b_from:b_to])
    return tuple(found[:MOST_CHANGES])


def _paired(gone: Sequence[str], came: Sequence[str]) -> list[Change]:
    """Sentences that took each other's place: the most alike ones, in order; what is left stands alone."""
    found: list[Change] = []
    rest = list(came)
    for one in gone:
        likeness = [SequenceMatcher(None, one, other, autojunk=False).ratio() for other in rest]
        best = max(range(len(rest)), key=likeness.__getitem__, default=None)
        if best is not None and (likeness[best] >= 0.3 or len(gone) == len(came) == 1):
            found += [Change("", _short(other)) for other in rest[:best]]
            found.append(Change(_short(one), _short(rest[best])))
            rest = rest[best + 1 :]
        else:
            found.append(Change(_short(one), ""))
    return [*found, *(Change("", _short(one)) for one in rest)]


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def units(text: str) -> list[str]:
    """The sentences and list entries of a text, however a mail client has wrapped its lines."""
    found: list[str] = []
    joined = ""
    for line in [*unicodedata.normalize("NFC", text).splitlines(), ""]:
        stripped = line.strip()
        if joined and (not stripped or _BULLET.match(stripped)):
            found, joined = [*found, joined], ""
        if not stripped:
            continue
        glue = " " if joined and joined[-1].isascii() and stripped[0].isascii() else ""
        joined = f"{joined}{glue}{stripped}"
        if _width(stripped) < _WRAPPED_FROM:
            found, joined = [*found, joined], ""
    pieces = (piece.strip() for one in found for piece in _ENDS.split(one))
    return [piece for piece in pieces if any(char.isalnum() for char in piece)]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def without_particulars(text: str, about: Sequence[str] = ()) -> str:
    """The sentence with marks for names, numbers, days, links and the words it is `about` (the longest first)."""
    said = " ".join(unicodedata.normalize("NFKC", text).split())
    for word in about:
        said = said.replace(unicodedata.normalize("NFKC", word), FACT)
    said = _LINK.sub(LINK, said)
    said = _MAIL.sub(MAIL, said)
    said = _DAYS.sub(DAY, said)
    said = _NUMBER.sub(NUMBER, said)
    for pattern in (_DEAR, _HONOURED):
        said = pattern.sub(lambda m: m[0] if m[0].strip() in _NOBODY or m[0] in MARKS else NAME, said)
    return re.sub(rf"(?:{NAME}|{FACT})(?:\s?(?:{NAME}|{FACT}))*(?=\s?(?:様|殿))", NAME, said)


def key_of(text: str) -> str:
    """What a sentence is known by when its words are forgotten; "" for none."""
    return hashlib.sha256(_folded(text).encode("utf-8", "replace")).hexdigest()[:32] if text else ""


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
