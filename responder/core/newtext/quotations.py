"""Which lines are quoted: by their prefix, by the line above them, by a header block or a divider."""

from __future__ import annotations

import re
from collections.abc import Sequence

from responder.core.newtext.words import ENDED, HAS_DATE, HAS_MAIL, HAS_TIME, MAIL, bare_label, is_rule, patterns

MAX_BLOCKS = 300  # lines looked at as attributions, and as header blocks, in one mail
MAX_ATTRIBUTION = 400
MAX_LABEL = 60

_QUOTED = re.compile(r"[ \t\u3000]{0,3}(?:[>＞]|≫|》(?!.*《))(?![ \t]?[_.\-]?[ \t]?[<＜])")
_MAY_PREFIX = frozenset(">＞≫》|")
_INITIALS = re.compile(r"[ \t]{0,2}([A-Za-z]{1,8}|\w{1,6})>{1,5}(?:\s|$)")
_PIPED = re.compile(r"[ \t]{0,2}\|(?:[ \t](?!.*\|\s*$)|$)")

_ENDS_IN_MAIL = re.compile(MAIL + r"[ ]?[>＞）)\]][ ]?[:：]$")
_DRAWN = frozenset("-_=－ー─━—―*~＊＝<＜【[|")


def quoted_lines(lines: Sequence[str]) -> list[bool]:
    """For every line, whether it is quoted or announces a quotation."""
    words = patterns()
    quoted = [False] * len(lines)
    at = -1
    last = len(lines) - 1
    announced = blocks = 0
    while at < last:
        at += 1
        raw = lines[at]
        line = raw.strip()
        if not line:
            continue
        first, ends = line[0], line[-1]
        if (first in _MAY_PREFIX or ">" in raw[:12]) and _is_prefixed(lines, at):
            quoted[at] = True
            continue
        begin, end, certain = at, at, False
        may_announce = ends in ":：" or (
            ends in words.last_letters and line.rstrip(" -—").lower().endswith(words.verbs)
        )
        if may_announce and len(line) <= MAX_ATTRIBUTION and announced < MAX_BLOCKS:
            announced += 1
            begin, certain = _attribution(lines, at)
            end = at + 1 if begin >= 0 else at
        may_divide = first in _DRAWN or ":" in line[:MAX_LABEL] or "：" in line[:MAX_LABEL]
        if end == at and may_divide and blocks < MAX_BLOCKS:
            blocks += 1
            begin = at
            end, certain = _divider(lines, at, line)
        if end == at:
            continue
        after = _next_filled(lines, end)
        if after < len(lines) and _is_prefixed(lines, after):
            _mark(quoted, begin, after)
        elif certain:
            _mark(quoted, _rule_above(lines, begin), len(lines))
            break
        at = end - 1
    _bridge(lines, quoted)
    return quoted


def _attribution(lines: Sequence[str], at: int) -> tuple[int, bool]:
    """Where the attribution ending in line `at` begins (-1: it is none), and whether it needs no prefix below."""
    words = patterns()
    joined = ""
    for begin in range(at, max(at - 4, -1), -1):
        line = lines[begin].strip()
        if not line or (begin < at and (ENDED.search(line) or _is_prefixed(lines, begin))):
            break
        joined = f"{line} {joined}".strip()
        if len(joined) > MAX_ATTRIBUTION:
            break
        if _starts_attribution(line) and _is_attribution(joined):
            if not HAS_DATE.search(joined):
                begin = _date_above(lines, begin)
            is_closed = joined[-1] in ":：-—"
            return begin, is_closed or bool(HAS_DATE.search(joined) and HAS_MAIL.search(joined))
    line = lines[at].strip()
    if not words.verb_at_end.search(line):
        return -1, False
    if line[-1] in ":：" and (HAS_DATE.search(line) or HAS_MAIL.search(line)):
        return at, True
    return (at, False) if len(line) <= 80 else (-1, False)


def _starts_attribution(line: str) -> bool:
    """A line an attribution can begin with: an opener, a date, or a name with its address."""
    if patterns().opener.match(line):
        return True
    found = HAS_DATE.search(line)
    if found and found.start() <= 3:
        return True
    mail = HAS_MAIL.search(line)
    return mail is not None and mail.start() <= 80


def _is_attribution(joined: str) -> bool:
    """A whole attribution by its end and what it names."""
    words = patterns()
    if words.verb_at_end.search(joined):
        return bool(HAS_DATE.search(joined) or HAS_MAIL.search(joined))
    if not HAS_DATE.search(joined) or joined[-1] not in ":：":
        return False
    if _ENDS_IN_MAIL.search(joined):  # Gmail in Japanese: date, name, address, colon
        return True
    return bool(words.noun_at_end.search(joined) and (HAS_MAIL.search(joined) or HAS_TIME.search(joined)))


def _date_above(lines: Sequence[str], begin: int) -> int:
    """`begin` moved up to a line that is a date and little else, as Becky! puts above the name."""
    for at in range(begin - 1, max(begin - 3, -1), -1):
        line = lines[at].strip()
        if not line or len(line) > 60 or ENDED.search(line) or _is_prefixed(lines, at):
            break
        found = HAS_DATE.search(line)
        if found:
            return at if found.start() <= 12 else begin
    return begin


def _divider(lines: Sequence[str], at: int, line: str) -> tuple[int, bool]:
    """Where the divider or header block that begins at `at` ends (`at` itself: there is none)."""
    words = patterns()
    if words.divider.fullmatch(line) if line[0] in "-_=－ー─━—―*~＊＝_<＜【[" else words.lead.fullmatch(line):
        end, _ = _header_block(lines, _next_filled(lines, at + 1), announced=True)
        return max(end, at + 1), True
    if _label_kind(line):
        end, certain = _header_block(lines, at, announced=False)
        if certain:
            return end, True
    return at, False


def _label_kind(line: str) -> str:
    """sender, date, recipient, subject, other, form or an empty string."""
    words = patterns()
    if line[0] == "|":
        found = words.piped_label.match(line)
    elif ":" in line[:MAX_LABEL] or "：" in line[:MAX_LABEL]:
        found = words.label.match(line)
    else:
        return ""
    return words.kind_of.get(bare_label(found.group(1)), "") if found else ""


def _header_block(lines: Sequence[str], at: int, *, announced: bool) -> tuple[int, bool]:
    """The end of a header block that begins at `at`, and whether it is one.

    Blank lines may stand between its lines and a value may go on for three lines.
    """
    kinds: list[str] = []
    end = position = at
    idle = 0
    while position < len(lines) and idle <= 3 and len(kinds) < 20:
        line = lines[position].strip()
        kind = _label_kind(line) if line else ""
        if kind == "form":
            if not announced and _next_filled(lines, 0) == at:
                return at, False
            break
        if kind and (kind == "other" or kind not in kinds):
            kinds.append(kind)
            end, idle = position + 1, 0
        elif not kinds:
            return at, False
        else:
            idle += 1
        position += 1
    found = set(kinds)
    if announced:
        return end, len(found) >= 2
    known = {"sender", "date"} <= found or {"sender", "recipient", "subject"} <= found
    return end, known and bool(found & {"recipient", "subject"})


def _rule_above(lines: Sequence[str], begin: int) -> int:
    """`begin` moved up over a rule that belongs to the quotation below."""
    above = begin - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and is_rule(lines[above]) else begin


def _is_prefixed(lines: Sequence[str], at: int) -> bool:
    """True for a line with a quotation prefix. Initials and bars count only where a neighbour has the same."""
    line = lines[at]
    if _QUOTED.match(line):
        return True
    if "|" in line[:3] and _PIPED.match(line):
        return any(_PIPED.match(lines[near]) for near in (at - 1, at + 1) if 0 <= near < len(lines))
    if ">" in line[:12]:
        found = _INITIALS.match(line)
        if found:
            near = (lines[n] for n in (at - 1, at + 1) if 0 <= n < len(lines))
            return any((other := _INITIALS.match(n)) and other.group(1) == found.group(1) for n in near)
    return False


def _bridge(lines: Sequence[str], quoted: list[bool]) -> None:
    """Marks what a program broke off a long quoted line and left without its prefix."""
    for at in range(1, len(lines) - 1):
        if quoted[at] or not (quoted[at - 1] and quoted[at + 1]):
            continue
        line, above = lines[at].strip(), lines[at - 1].rstrip()
        if line and len(line) <= 30 and _width(above) >= 66 and not ENDED.search(above) and not ENDED.search(line[:-1]):
            begins_inside = line[0].islower() or (ord(line[0]) > 0x2E80 and _width(above) >= 70)
            quoted[at] = begins_inside and not line.startswith(("→", "はい", "いいえ", "ok", "yes", "no"))


def _width(line: str) -> int:
    return sum(2 if ord(character) > 0x2E80 else 1 for character in line[:200])


def _next_filled(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _mark(quoted: list[bool], begin: int, end: int) -> None:
    quoted[begin:end] = [True] * (end - begin)
