"""The word lists of `data/quotes.toml` as patterns, and the signs of dates, addresses and drawn lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from responder.core.facts import Words, any_of, load

COLONS = (":", "：")

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-zé]{0,7}"
_DATE = (
    r"(?:\d{4}[ ]?[年/.\-][ ]?\d{1,2}[ ]?[月/.\-][ ]?\d{1,2}|\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?[ ,.\-]{{1,3}}{_MONTH}[ ,.\-]{{1,3}}\d{{2,4}}"
    rf"|{_MONTH}[ .]{{1,2}}\d{{1,2}}(?:st|nd|rd|th)?,?[ ](?:at[ ])?\d{{2,4}}"
    r"|\d{1,2}[ ]?月[ ]?\d{1,2}[ ]?日|令和\d{1,2}年\d{1,2}月)"
)
MAIL = r"[A-Za-z0-9._%+'\-]{1,64}@[A-Za-z0-9.\-]{1,120}"
HAS_DATE = re.compile(_DATE, re.IGNORECASE)
HAS_MAIL = re.compile(MAIL)
HAS_TIME = re.compile(r"\d{1,2}[:：時时點点]\d{2}")
ENDED = re.compile(r"[。！？!?；;]\s*$|[a-z]\.\s*$")

# A line drawn with signs; at least four of them, not just dots.
_SIGNS = (
    r"\-_=~*+#^|/\\<>:;'\"`.,・。、°◦‥…oO♪\u3000 ＿＝－―ー～〜＊＋｜／＼：；゜ﾟ･"
    r"\u203b\u2010-\u2015\u2500-\u259f\u25a0-\u27bf\u2b1b-\u2b55"
)
_RULE = re.compile(rf"[{_SIGNS}]{{4,}}")
_NO_RULE = re.compile(r"[.。…‥・、,　 oO<>^;:'\"`]*|[ー～〜]{1,5}|[(（]?[>＞^][^A-Za-z]{0,6}[<＜^][)）]?")
_RULED = re.compile(rf"[{_SIGNS}]{{3,}}\S.{{0,40}}?[{_SIGNS}]{{3,}}")


@dataclass(frozen=True, slots=True)
class Patterns:
    """The compiled lists of `data/quotes.toml`."""

    verb_at_end: re.Pattern[str]
    verbs: tuple[str, ...]
    last_letters: frozenset[str]
    noun_at_end: re.Pattern[str]
    opener: re.Pattern[str]
    divider: re.Pattern[str]
    lead: re.Pattern[str]
    label: re.Pattern[str]
    piped_label: re.Pattern[str]
    kind_of: dict[str, str]
    mobile: re.Pattern[str]
    device: Words
    legal: Words
    neutral: frozenset[str]
    warm: frozenset[str]
    warm_ends: tuple[str, ...]
    contact: Words
    content: Words
    announces: Words


def last_filled(lines: Sequence[str], count: int) -> list[int]:
    """The numbers of the last lines that are not blank, in order."""
    found: list[int] = []
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].strip():
            found.append(at)
            if len(found) == count:
                break
    return found[::-1]


def is_rule(line: str, *, bare: bool = False) -> bool:
    """A drawn line; with `bare`, one without words in it."""
    line = line.strip()
    if not 4 <= len(line) <= 120:
        return False
    if _RULE.fullmatch(line):
        return not _NO_RULE.fullmatch(line)
    return not bare and _RULED.fullmatch(line) is not None and not patterns().divider.fullmatch(line)


def bare_label(label: str) -> str:
    return re.sub(r"[\s\u3000]+", "", label).casefold()


@cache
def patterns() -> Patterns:
    """The word lists as patterns, compiled at first use."""
    data = load("quotes")
    verbs, header = data["attribution"]["verbs"], data["header"]
    kind_of = {bare_label(word): kind for kind, words in header.items() for word in words}
    labels = "|".join(
        sorted((r"[ \u3000]{0,3}".join(map(re.escape, bare_label(w))) for w in kind_of), key=len, reverse=True)
    )
    sides = r"[ \t\-_=－ー─━—―*~＊＝<>＜＞【】\[\]|]"
    insensitive = re.IGNORECASE
    return Patterns(
        verb_at_end=re.compile(
            rf"(?:{any_of(verbs)})[ ]?(?:[（(][^()（）]{{0,60}}[)）])?[ ]?[:：,，.。…]{{0,3}}(?:[ ][-—]{{2,8}})?$",
            insensitive,
        ),
        verbs=tuple(verb.lower() for verb in verbs),
        last_letters=frozenset(":：-—") | {letter for verb in verbs for letter in (verb[-1], verb[-1].upper())},
        noun_at_end=re.compile(rf"(?:{any_of(data['attribution']['nouns'])})[ ]?[:：]$", insensitive),
        opener=re.compile(rf"\W{{0,8}}(?:{any_of(data['attribution']['openers'])})(?:[ ,:]|(?=[^\x00-\x7f])|(?=\d))"),
        divider=re.compile(
            rf"{sides}{{2,80}}{any_of(data['divider']['ruled'])}(?:[ ]?[（(][^()（）]{{0,60}}[)）])?[ ]?[:：]?"
            rf"{sides}{{2,80}}",
            insensitive,
        ),
        lead=re.compile(any_of(data["divider"]["plain"]), insensitive),
        label=re.compile(rf"[\s*＊・|■●]{{0,6}}({labels})\s{{0,5}}\*?\s{{0,5}}[:：]", insensitive),
        piped_label=re.compile(rf"\|\s{{0,5}}({labels})\s{{0,5}}\|", insensitive),
        kind_of=kind_of,
        mobile=re.compile(
            rf"[\s\-–—―_~*＊「(（<]{{0,6}}{any_of(data['mobile']['lines'])}"
            r"(?:[ ]?[<\[(]https?://[^\s<>]{1,400}[>\])])?[\s\-–—―.。_~*＊」)）>]{0,6}",
            insensitive,
        ),
        device=Words(data["mobile"]["devices"]),
        legal=Words(data["legal"]["phrases"]),
        neutral=frozenset(data["closing"]["neutral"]),
        warm=frozenset(data["closing"]["warm"]),
        warm_ends=tuple(word.lower() for word in data["closing"]["warm_ends"]),
        contact=Words(data["signature"]["contact"], whole=True),
        content=Words(data["signature"]["content"]),
        announces=Words(data["signature"]["announces"]),
    )
