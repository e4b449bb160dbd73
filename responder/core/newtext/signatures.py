"""What closes a mail: signatures, names below a closing, phone footers, legal notices."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from responder.core.facts import Words
from responder.core.newtext.words import COLONS, HAS_MAIL, is_rule, last_filled, patterns

_DASHES = re.compile(r"[ \t>]*(?:--|――|—|--[ \u00a0])[ \t]*")

_SENTENCE_SIGN = re.compile("[。！？!?吗嗎呢吧了的我你您]")
_SENTENCE_END = (
    *("です", "ます", "ました", "ません", "でした", "ください", "下さい", "でしょうか", "たい", "ですか"),
    *("する", "した", "して", "だ", "い"),
)
_SENTENCE_WORDS = Words(
    ("i", "i'm", "we", "you", "it", "is", "are", "was", "can", "could", "do", "did", "not", "the"), whole=True
)
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_ASIDE = re.compile(r"[（(][^()（）]{0,40}[)）]")
_NO_NAME = re.compile(r"[0-9０-９→⇒:：;#*+=/?=@、,]")
_PHONE = re.compile(r"(?:\+|\b0)\d{1,4}[-( )]{0,2}\d{1,4}[-) ]{1,2}\d{3,4}|\b0\d{9,10}\b")


def unsigned(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines without what closes them, and what closes them."""
    near_end = last_filled(lines, 14)
    footers = {at for at in near_end if _is_mobile(lines[at])}
    signed = [lines[at] for at in sorted(footers)]
    if footers:
        lines = [line for at, line in enumerate(lines) if at not in footers]
    cut = _delimited(lines)
    if cut < len(lines):
        lines, signed = lines[:cut], lines[cut:] + signed
    steps: tuple[Callable[[list[str]], int], ...] = (_legal, _boxed, _after_closing, _contact_lines, _last_rule)
    for _ in range(4):
        is_changed = False
        for step in steps:
            while lines and not lines[-1].strip():
                lines.pop()
            cut = step(lines)
            if cut < len(lines):
                lines, signed = lines[:cut], lines[cut:] + signed
                is_changed = True
        if not is_changed:
            break
    return lines, signed


def _is_mobile(line: str) -> bool:
    if not 4 <= len(line) <= 90:
        return False
    words = patterns()
    return words.device.within(line) and words.mobile.fullmatch(line) is not None


def _delimited(lines: Sequence[str]) -> int:
    """Where `-- ` stands on its own line (RFC 3676 4.3); a bare `--` counts only above something short and idle."""
    near_end = last_filled(lines, 41)
    for number, at in enumerate(near_end):
        line = lines[at]
        if line[0] not in "-―—" or len(line) > 8 or not _DASHES.fullmatch(line):
            continue
        if line.startswith("-- "):
            return at
        rest = near_end[number + 1 :]
        if len(rest) <= 12 and not any(_is_matter(lines[below]) for below in rest):
            return at
    return len(lines)


def _legal(lines: Sequence[str]) -> int:
    """Where the legal notice at the end begins: the first of the last paragraphs that speaks like one."""
    words = patterns()
    for begin, end in _last_paragraphs(lines, 8):
        if not words.legal.within(" ".join(line.strip() for line in lines[begin:end])[:4000]):
            continue
        for at in range(begin, end):  # a phrase may go on in the next line
            if words.legal.within(" ".join(line.strip() for line in lines[at : at + 2])):
                return begin if at - begin <= 1 else at
        return begin
    return len(lines)


def _boxed(lines: Sequence[str]) -> int:
    """Where a signature under a drawn line begins."""
    first = max(len(lines) - 22, 1)
    for at in range(first, len(lines)):
        if not is_rule(lines[at]) or not any(line.strip() for line in lines[:at]):
            continue
        inside = [line for line in lines[at:] if line.strip() and not is_rule(line, bare=True)]
        if not 0 < len(inside) <= 14 or any(_is_matter(line) for line in inside):
            continue
        if any(_is_contact(line) for line in inside) or (len(inside) <= 4 and all(_is_name(line) for line in inside)):
            return at
    return len(lines)


def _after_closing(lines: Sequence[str]) -> int:
    """Where the name below "Best regards," or よろしくお願いします begins. A neutral closing goes with the name."""
    words = patterns()
    filled = last_filled(lines, 13)
    for at in reversed(filled[-12:]):
        line = lines[at].strip()
        plain = _EDGES.sub("", line[:200]).lower()
        neutral = plain in words.neutral
        if not neutral and plain not in words.warm and not (len(line) <= 80 and plain.endswith(words.warm_ends)):
            continue
        below = [lines[n].strip() for n in filled if n > at]
        if len(below) > 9 or any(_is_matter(each) for each in below):
            continue
        plain_lines = all(len(each) <= 60 and (_is_name(each) or _is_contact(each) or is_rule(each)) for each in below)
        if not plain_lines and sum(_is_contact(each) for each in below) * 2 < len(below):
            continue
        if any(_is_contact(each) for each in below) and _announced(lines, at + 1):
            return len(lines)
        if neutral and filled[0] < at:
            return at
        if below:
            return next(n for n in filled if n > at)
    return len(lines)


def _contact_lines(lines: Sequence[str]) -> int:
    """Where a last paragraph of nothing but name, address and numbers begins."""
    filled = last_filled(lines, 13)
    if not filled:
        return len(lines)
    begin = filled[-1]
    while begin > 0 and lines[begin - 1].strip() and filled[-1] - begin < 11:
        begin -= 1
    block = [line.strip() for line in lines[begin:]]
    if filled[0] == begin or len(block) > 10 or _announced(lines, begin):
        return len(lines)
    if any(len(line) > 70 or _is_matter(line) for line in block):
        return len(lines)
    strong = sum(_is_contact(line) for line in block)
    return begin if strong >= 2 else len(lines)


def _announced(lines: Sequence[str], begin: int) -> bool:
    """True if the last lines above say that an address or the like follows: then it is text."""
    above = [lines[at].strip() for at in last_filled(lines[:begin], 3)]
    return bool(above) and (above[-1].endswith(COLONS) or patterns().announces.within("\n".join(above)))


def _last_rule(lines: Sequence[str]) -> int:
    """A drawn line at the very end closes nothing any more."""
    if len(lines) > 1 and is_rule(lines[-1], bare=True):
        return len(lines) - 1
    return len(lines)


def _last_paragraphs(lines: Sequence[str], count: int) -> list[tuple[int, int]]:
    """Begin and end of the last paragraphs, in order."""
    found: list[tuple[int, int]] = []
    end = len(lines)
    while end and len(found) < count:
        while end and not lines[end - 1].strip():
            end -= 1
        begin = end
        while begin and lines[begin - 1].strip():
            begin -= 1
        if begin < end:
            found.append((begin, end))
        end = begin
    return found[::-1]


def _is_matter(line: str) -> bool:
    """A line that wants or tells something: never part of a signature."""
    words = patterns()
    if words.content.within(line):
        return True
    return _is_sentence(line) and not words.contact.within(line)


def _is_sentence(line: str) -> bool:
    """A line with a verb or the mark of a sentence; emoji behind it do not count."""
    if _SENTENCE_SIGN.search(line) or _SENTENCE_WORDS.within(line):
        return True
    return _EDGES.sub("", line[-200:]).endswith(_SENTENCE_END)


def _is_contact(line: str) -> bool:
    return (
        patterns().contact.within(line)
        or HAS_MAIL.search(line[:200]) is not None
        or _PHONE.search(line[:200]) is not None
    )


def _is_name(line: str) -> bool:
    """A line short and plain enough for a person, a firm or a post."""
    line = _ASIDE.sub("", line).strip()
    if _NO_NAME.search(line.rstrip(",、")):
        return False
    return len(line) <= 16 or (len(line) <= 40 and line[:16].isascii() and line.count(" ") <= 5)
