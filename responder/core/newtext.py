"""What somebody wrote now, apart from what he quotes and how he signs.

Works line by line. A quotation is known by its prefix (`>`), by the line above it ("On ... wrote:", "…は書きました:",
"…写道：") or by a header block or divider, with or without a rule (Outlook, Apple Mail, QQ, Foxmail, Becky!, Japanese
phones). Prefixed lines end where the prefix ends, so answers between and below them stay new; an unprefixed quotation
lasts to the end of the mail. The words stand in `data/quotes.toml`. Linear in the length of the text; nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from responder.core.facts import Words, any_of, load

MAX_LINES = 20_000
MAX_BLOCKS = 300  # lines looked at as attributions, and as header blocks, in one mail
MAX_ATTRIBUTION = 400
MAX_LABEL = 60

_QUOTED = re.compile(r"[ \t\u3000]{0,3}(?:[>＞]|≫|》(?!.*《))(?![ \t]?[_.\-]?[ \t]?[<＜])")
_MAY_PREFIX = frozenset(">＞≫》|")
_INITIALS = re.compile(r"[ \t]{0,2}([A-Za-z]{1,8}|\w{1,6})>{1,5}(?:\s|$)")
_PIPED = re.compile(r"[ \t]{0,2}\|(?:[ \t](?!.*\|\s*$)|$)")

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-zé]{0,7}"
_DATE = (
    r"(?:\d{4}[ ]?[年/.\-][ ]?\d{1,2}[ ]?[月/.\-][ ]?\d{1,2}|\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?[ ,.\-]{{1,3}}{_MONTH}[ ,.\-]{{1,3}}\d{{2,4}}"
    rf"|{_MONTH}[ .]{{1,2}}\d{{1,2}}(?:st|nd|rd|th)?,?[ ](?:at[ ])?\d{{2,4}}"
    r"|\d{1,2}[ ]?月[ ]?\d{1,2}[ ]?日|令和\d{1,2}年\d{1,2}月)"
)
_MAIL = r"[A-Za-z0-9._%+'\-]{1,64}@[A-Za-z0-9.\-]{1,120}"
_HAS_DATE = re.compile(_DATE, re.IGNORECASE)
_HAS_MAIL = re.compile(_MAIL)
_HAS_TIME = re.compile(r"\d{1,2}[:：時时點点]\d{2}")
_ENDS_IN_MAIL = re.compile(_MAIL + r"[ ]?[>＞）)\]][ ]?[:：]$")
_ENDED = re.compile(r"[。！？!?；;]\s*$|[a-z]\.\s*$")
_COLONS = (":", "：")

_DRAWN = frozenset("-_=－ー─━—―*~＊＝<＜【[|")

# A line drawn with signs; at least four of them, not just dots.
_SIGNS = (
    r"\-_=~*+#^|/\\<>:;'\"`.,・。、°◦‥…oO♪\u3000 ＿＝－―ー～〜＊＋｜／＼：；゜ﾟ･"
    r"\u203b\u2010-\u2015\u2500-\u259f\u25a0-\u27bf\u2b1b-\u2b55"
)
_RULE = re.compile(rf"[{_SIGNS}]{{4,}}")
_NO_RULE = re.compile(r"[.。…‥・、,　 oO<>^;:'\"`]*|[ー～〜]{1,5}|[(（]?[>＞^][^A-Za-z]{0,6}[<＜^][)）]?")
_RULED = re.compile(rf"[{_SIGNS}]{{3,}}\S.{{0,40}}?[{_SIGNS}]{{3,}}")
_DASHES = re.compile(r"[ \t>]*(?:--|――|—|--[ \u00a0])[ \t]*")

_SENTENCE_SIGN = re.compile("[。！？!?吗嗎呢吧了的我你您]")
_SENTENCE_END = (
    *("です", "ます", "ました", "ません", "でした", "ください", "下さい", "でしょうか", "たい", "ですか"),
    *("する", "した", "して", "だ", "い"),
)
_SENTENCE_WORDS = Words(
    ("i", "i'm", "we", "you", "it", "is", "are", "was", "can", "could", "do", "did", "not", "the"), whole=True
)
_PHONE = re.compile(r"(?:\+|\b0)\d{1,4}[-( )]{0,2}\d{1,4}[-) ]{1,2}\d{3,4}|\b0\d{9,10}\b")


@dataclass(frozen=True, slots=True)
class Split:
    """A mail's text in three parts, each with its own line order kept."""

    new: str
    quoted: str
    signature: str


@dataclass(frozen=True, slots=True)
class _Words:
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
    device: re.Pattern[str]
    legal: Words
    neutral: frozenset[str]
    warm: frozenset[str]
    warm_ends: tuple[str, ...]
    contact: Words
    content: Words
    announces: Words


def split(text: str) -> Split:
    """The parts of a mail's visible text. `new` is empty only where all of it is quoted, forwarded or signature.

    Nobody types more than `MAX_LINES` lines: what lies beyond counts as quoted.
    """
    lines = text.replace("\u00a0", " ").split("\n", MAX_LINES)
    beyond = lines.pop() if len(lines) > MAX_LINES else ""
    kinds = _quoted_lines(lines)
    new: list[list[str]] = []
    signature: list[str] = []
    quoted: list[str] = []
    for is_quoted, begin, end in _runs(lines, kinds):
        if is_quoted:
            quoted.extend(lines[begin:end])
            continue
        kept, signed = _unsigned(lines[begin:end])
        signature.extend(signed)
        if any(kept):
            new.append(kept)
    if beyond:
        quoted.append(beyond)
    return Split("\n\n".join(_joined(part) for part in new), _joined(quoted), _joined(signature))


# --- quotations -----------------------------------------------------------------------------------------------------


def _quoted_lines(lines: Sequence[str]) -> list[bool]:
    """For every line, whether it is quoted or announces a quotation."""
    words = _words()
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
        may_announce = ends in ":：" or (ends in words.last_letters and line.lower().endswith(words.verbs))
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
    words = _words()
    joined = ""
    for begin in range(at, max(at - 4, -1), -1):
        line = lines[begin].strip()
        if not line or (begin < at and (_ENDED.search(line) or _is_prefixed(lines, begin))):
            break
        joined = f"{line} {joined}".strip()
        if len(joined) > MAX_ATTRIBUTION:
            break
        if _starts_attribution(line) and _is_attribution(joined):
            if not _HAS_DATE.search(joined):
                begin = _date_above(lines, begin)
            return begin, joined[-1] in ":：" or bool(_HAS_DATE.search(joined) and _HAS_MAIL.search(joined))
    line = lines[at].strip()
    if not words.verb_at_end.search(line):
        return -1, False
    if line[-1] in ":：" and (_HAS_DATE.search(line) or _HAS_MAIL.search(line)):
        return at, True
    return (at, False) if len(line) <= 80 else (-1, False)


def _starts_attribution(line: str) -> bool:
    """A line an attribution can begin with: an opener, a date, or a name with its address."""
    if _words().opener.match(line):
        return True
    found = _HAS_DATE.search(line)
    if found and found.start() <= 3:
        return True
    mail = _HAS_MAIL.search(line)
    return mail is not None and mail.start() <= 80


def _is_attribution(joined: str) -> bool:
    """A whole attribution by its end and what it names."""
    words = _words()
    if words.verb_at_end.search(joined):
        return bool(_HAS_DATE.search(joined) or _HAS_MAIL.search(joined))
    if not _HAS_DATE.search(joined) or joined[-1] not in ":：":
        return False
    if _ENDS_IN_MAIL.search(joined):  # Gmail in Japanese: date, name, address, colon
        return True
    return bool(words.noun_at_end.search(joined) and (_HAS_MAIL.search(joined) or _HAS_TIME.search(joined)))


def _date_above(lines: Sequence[str], begin: int) -> int:
    """`begin` moved up to a line that is a date and little else, as Becky! puts above the name."""
    for at in range(begin - 1, max(begin - 3, -1), -1):
        line = lines[at].strip()
        if not line or len(line) > 60 or _ENDED.search(line) or _is_prefixed(lines, at):
            break
        if _HAS_DATE.search(line):
            return at
    return begin


def _divider(lines: Sequence[str], at: int, line: str) -> tuple[int, bool]:
    """Where the divider or header block that begins at `at` ends (`at` itself: there is none)."""
    words = _words()
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
    words = _words()
    if line[0] == "|":
        found = words.piped_label.match(line)
    elif ":" in line[:MAX_LABEL] or "：" in line[:MAX_LABEL]:
        found = words.label.match(line)
    else:
        return ""
    return words.kind_of.get(_bare(found.group(1)), "") if found else ""


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
    return above if above >= 0 and _is_rule(lines[above]) else begin


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
        if (
            line
            and len(line) <= 30
            and _width(above) >= 66
            and not _ENDED.search(above)
            and not _ENDED.search(line[:-1])
        ):
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


def _runs(lines: Sequence[str], quoted: Sequence[bool]) -> list[tuple[bool, int, int]]:
    """The stretches of lines of one kind; blank lines belong to what is above them."""
    runs: list[tuple[bool, int, int]] = []
    begin = 0
    for at in range(1, len(lines)):
        if quoted[at] != quoted[begin] and lines[at].strip():
            runs.append((quoted[begin], begin, at))
            begin = at
    runs.append((quoted[begin], begin, len(lines)))
    return runs


# --- signatures -----------------------------------------------------------------------------------------------------


def _unsigned(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines without what closes them, and what closes them."""
    near_end = _last_filled(lines, 14)
    footers = {at for at in near_end if _is_mobile(lines[at])}
    signed = [lines[at] for at in sorted(footers)]
    if footers:
        lines = [line for at, line in enumerate(lines) if at not in footers]
    cut = _delimited(lines)
    if cut < len(lines):
        lines, signed = lines[:cut], lines[cut:] + signed
    steps: tuple[Callable[[list[str]], int], ...] = (_legal, _boxed, _after_closing, _contact_lines, _last_rule)
    for _ in range(4):
        before = len(lines)
        for step in steps:
            while lines and not lines[-1].strip():
                lines.pop()
            cut = step(lines)
            if cut < len(lines):
                lines, signed = lines[:cut], lines[cut:] + signed
        if len(lines) == before:
            break
    return lines, signed


def _is_mobile(line: str) -> bool:
    if not 4 <= len(line) <= 90:
        return False
    words = _words()
    return words.mobile.fullmatch(line) is not None and words.device.search(line) is not None


def _delimited(lines: Sequence[str]) -> int:
    """Where `-- ` stands on its own line (RFC 3676 4.3); a bare `--` counts only above something short and idle."""
    near_end = _last_filled(lines, 41)
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
    words = _words()
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
        if not _is_rule(lines[at]) or not any(line.strip() for line in lines[:at]):
            continue
        inside = [line for line in lines[at:] if line.strip() and not _is_rule(line, bare=True)]
        if not 0 < len(inside) <= 14 or any(_is_matter(line) for line in inside):
            continue
        if any(_is_contact(line) for line in inside) or (len(inside) <= 4 and all(_is_name(line) for line in inside)):
            return at
    return len(lines)


def _after_closing(lines: Sequence[str]) -> int:
    """Where the name below "Best regards," or よろしくお願いします begins. A neutral closing goes with the name."""
    words = _words()
    filled = _last_filled(lines, 13)
    for at in reversed(filled[-12:]):
        line = lines[at].strip()
        plain = line.strip("，,。.!！~～、 \u3000-—*").lower()
        neutral = plain in words.neutral
        if not neutral and plain not in words.warm and not (len(line) <= 80 and plain.endswith(words.warm_ends)):
            continue
        below = [lines[n].strip() for n in filled if n > at]
        if len(below) > 9 or any(_is_matter(each) for each in below):
            continue
        plain_lines = all(len(each) <= 60 and (_is_name(each) or _is_contact(each) or _is_rule(each)) for each in below)
        if not plain_lines and sum(_is_contact(each) for each in below) * 2 < len(below):
            continue
        if neutral and filled[0] < at:
            return at
        if below:
            return next(n for n in filled if n > at)
    return len(lines)


def _contact_lines(lines: Sequence[str]) -> int:
    """Where a last paragraph of nothing but name, address and numbers begins."""
    filled = _last_filled(lines, 12)
    if not filled:
        return len(lines)
    begin = filled[-1]
    while begin > 0 and lines[begin - 1].strip() and filled[-1] - begin < 11:
        begin -= 1
    block = [line.strip() for line in lines[begin:]]
    above = next((lines[at].strip() for at in range(begin - 1, -1, -1) if lines[at].strip()), "")
    if not above or len(block) > 10 or above.endswith(_COLONS) or _words().announces.within(above):
        return len(lines)
    if any(len(line) > 70 or _is_matter(line) for line in block):
        return len(lines)
    strong = sum(_is_contact(line) for line in block)
    return begin if strong >= 2 else len(lines)


def _last_rule(lines: Sequence[str]) -> int:
    """A drawn line at the very end closes nothing any more."""
    if len(lines) > 1 and _is_rule(lines[-1], bare=True):
        return len(lines) - 1
    return len(lines)


def _last_filled(lines: Sequence[str], count: int) -> list[int]:
    """The numbers of the last lines that are not blank, in order."""
    found: list[int] = []
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].strip():
            found.append(at)
            if len(found) == count:
                break
    return found[::-1]


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


def _is_rule(line: str, *, bare: bool = False) -> bool:
    """A drawn line; with `bare`, one without words in it."""
    line = line.strip()
    if not 4 <= len(line) <= 120:
        return False
    if _RULE.fullmatch(line):
        return not _NO_RULE.fullmatch(line)
    return not bare and _RULED.fullmatch(line) is not None and not _words().divider.fullmatch(line)


def _is_matter(line: str) -> bool:
    """A line that wants or tells something: never part of a signature."""
    words = _words()
    if words.content.within(line):
        return True
    if not _is_sentence(line.strip()):
        return False
    return not words.contact.within(line)


def _is_sentence(line: str) -> bool:
    return _SENTENCE_SIGN.search(line) is not None or line.endswith(_SENTENCE_END) or _SENTENCE_WORDS.within(line)


def _is_contact(line: str) -> bool:
    return (
        _words().contact.within(line)
        or _HAS_MAIL.search(line[:200]) is not None
        or _PHONE.search(line[:200]) is not None
    )


def _is_name(line: str) -> bool:
    line = line.strip()
    return len(line) <= 30 and not any(c.isdigit() for c in line) and not line.endswith(_COLONS)


# --- text and words -------------------------------------------------------------------------------------------------


def _joined(lines: Sequence[str]) -> str:
    """Lines as a text without blank edges, never more than one blank line in a row."""
    out: list[str] = []
    for line in lines:
        line = line.rstrip()
        if line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip("\n")


def _bare(label: str) -> str:
    return re.sub(r"[\s\u3000]+", "", label).casefold()


@cache
def _words() -> _Words:
    """The word lists as patterns, compiled at first use."""
    data = load("quotes")
    verbs, header = data["attribution"]["verbs"], data["header"]
    kind_of = {_bare(word): kind for kind, words in header.items() for word in words}
    labels = "|".join(
        sorted((r"[ \u3000]{0,3}".join(map(re.escape, _bare(w))) for w in kind_of), key=len, reverse=True)
    )
    sides = r"[ \t\-_=－ー─━—―*~＊＝<>＜＞【】\[\]|]"
    insensitive = re.IGNORECASE
    return _Words(
        verb_at_end=re.compile(
            rf"(?:{any_of(verbs)})[ ]?(?:[（(][^()（）]{{0,60}}[)）])?[ ]?[:：,，.。…]{{0,3}}$", insensitive
        ),
        verbs=tuple(verb.lower() for verb in verbs),
        last_letters=frozenset(":：") | {letter for verb in verbs for letter in (verb[-1], verb[-1].upper())},
        noun_at_end=re.compile(rf"(?:{any_of(data['attribution']['nouns'])})[ ]?[:：]$", insensitive),
        opener=re.compile(rf"\W{{0,3}}(?:{any_of(data['attribution']['openers'])})(?:[ ,:]|(?=[^\x00-\x7f])|(?=\d))"),
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
            rf"[\s\-–—―_~*＊「(（<]{{0,6}}{any_of(data['mobile']['lines'])}[\s\-–—―.。_~*＊」)）>]{{0,6}}", insensitive
        ),
        device=re.compile(any_of(data["mobile"]["devices"])),
        legal=Words(data["legal"]["phrases"]),
        neutral=frozenset(data["closing"]["neutral"]),
        warm=frozenset(data["closing"]["warm"]),
        warm_ends=tuple(word.lower() for word in data["closing"]["warm_ends"]),
        contact=Words(data["signature"]["contact"], whole=True),
        content=Words(data["signature"]["content"]),
        announces=Words(data["signature"]["announces"]),
    )
