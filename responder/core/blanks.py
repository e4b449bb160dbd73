"""What still has to be filled in before a text may go out, and which words of a text are the shop's own."""

from __future__ import annotations

import re

_BLANK = re.compile(r"【\s*要\s*確\s*認\s*(?:[:：]\s*([^】]{0,120}))?(?:】|$)?")
# Two to four circles stand for a word; more of them are a line of ornament, and between numerals they are zeros.
_LEFTOVER = re.compile(
    r"(?<![〇○◯●一二三四五六七八九十百千\d])[〇○◯●]{2,4}(?![〇○◯●一二三四五六七八九十百千\d])"
    r"|\{\{[^\n]{0,80}\}\}|\{%[^\n]{0,80}%\}"
    r"|\[(?:(?:customer|buyer|your|order|shop|store|item|product|tracking)[ _]?(?:name|number|no\.?|id|date|link|url)"
    r"|name|date|insert [^\]\n]{0,40}|お名前|氏名|店名|日付|注文番号|姓名|订单号|訂單編號)\]",
    re.IGNORECASE,
)


def blanks_in(text: str) -> tuple[str, ...]:
    """What still has to be filled in: blanks by their label, and leftovers of templates as they stand.

    Quoted lines are the buyer's words and are not looked at.
    """
    words = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))
    found = [(match.start(), _label(match[1] or "")) for match in _BLANK.finditer(words)]
    found += [(match.start(), match[0]) for match in _LEFTOVER.finditer(words)]
    return tuple(dict.fromkeys(name for _, name in sorted(found)))


def _label(said: str) -> str:
    """The label of a blank, also where a mail program has broken its line or staff took its end away."""
    first, _, rest = said.strip().partition("\n")
    text = first if "\n\n" in said or len(rest) > 60 else f"{first}{rest}"
    return " ".join(text.split()) or "要確認"


def own_words(text: str) -> str:
    """The text without its quoted lines and the line that announces them."""
    kept: list[str] = []
    in_quote = False
    for line in text.splitlines():
        quoted = line.lstrip().startswith(">")
        if quoted and not in_quote and kept and kept[-1].rstrip().endswith((":", "：")):
            kept.pop()
        if not quoted:
            kept.append(line)
        in_quote = quoted
    return "\n".join(kept)
