"""Which orders a mail speaks of: ids that certainly are some, and words that may be one if the shop knows them.

What is read is the new text, the subject and the form's field; what stands in quoted text is kept apart. At most ten
look-ups come of one mail, however many numbers stand in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

from responder.core.channels.channel import Channel, compiled
from responder.model import Message, order_key

MOST = 10
_MOST_CHARS = 20_000
_MOST_TOKENS = 300
_MOST_CUED = 40

_DASH = re.compile("[‐‑‒–—―−─﹣－﹘⁃]")
_LONG_VOWEL = re.compile(r"(?<=[0-9A-Za-z])ー(?=[0-9A-Za-z])")
_SPACED_DASH = re.compile(r"(?<=\d)(?: -| ?- )(?=\d)")
_DIGIT = re.compile(r"[0-9]")
_TOKEN = re.compile(r"(?<![0-9A-Za-z_-])[A-Za-z_-]{0,30}[0-9][0-9A-Za-z_-]{0,49}(?![0-9A-Za-z_-])")
_AFTER_CUE = (
    r"(?:[\s:=#.\[(「『【<\"'№-]|は|が|の|番号|号|no\b|number\b|id\b|is\b|was\b){0,10}"
    r"([A-Za-z_-]{0,30}[0-9][0-9A-Za-z_-]{0,49})"
)
# Words that name a number ...
_NUMBER_CUE = compiled(
    r"(?:(?:注文|受注|オーダー|購入|取引|伝票|管理|受付|予約)(?:番号|ナンバー|no|id|№)"
    r"|\border[ _-]?(?:number|no|id|code|ref|reference)\b|\bpurchase[ _-]?(?:number|no|id)\b"
    r"|订单(?:编号|号码|号)|訂單(?:編號|號碼|號)|单号|單號|№|\bno[.:#]|#)" + _AFTER_CUE
)
# ... and words that only make one likely.
_CUE = compiled(r"(?:注文|オーダー|订单|訂單|\border|\bpurchase|\bpo\b)" + _AFTER_CUE)
# ... and words after which a number can be nothing but an order's.
_CERTAIN_CUE = compiled(
    r"(?:(?:注文|受注|オーダー|購入)(?:番号|ナンバー|no|id|№)"
    r"|\border[ _-]?(?:number|no|id|code|ref|reference)\b|订单(?:编号|号码|号)|訂單(?:編號|號碼|號))" + _AFTER_CUE
)
_CALLED = compiled(
    r"(?:\b(?:order|purchase)[ :]{0,2}#?|注文[ #]?|订单[ #]?|訂單[ #]?)([0-9]{4,20}|[A-Za-z]{1,8}-[0-9]{4,20})\b"
)
# What makes a bare number something else: an amount, a count, a date, a time, a part of an address.
_UNITS = re.compile(
    r"\s?(?:円|元|圆|圓|ドル|yen\b|jpy\b|usd\b|%|個|个|コ|点|本|枚|名|人|匹|冊|箱|袋|台|足|着|月|日|年|時|时|分|秒|週|周|歳|岁|才|回"
    r"|階|号室|丁目|番地|cm\b|mm\b|kg\b|g\b|ml\b|l\b|m\b|am\b|pm\b|days?\b|weeks?\b|hours?\b|pcs\b|pieces?\b|[/:@]\d|[.,]\d|@)",
    re.IGNORECASE,
)
_BEFORE = "¥$€£@./:,+"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ids as written, in one width and with plain dashes; compare them by `order_key`.

    `by_pattern` certainly are order ids. `tokens` count only if such an order exists. `quoted` are both kinds out of
    quoted text: what the mail may be about if it names no order itself. `named` are the tokens that the mail itself
    calls an order's number. `more` is True if a mail named more than ten.
    """

    by_pattern: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    more: bool = False

    def at_most(self, count: int) -> Wanted:
        """The likeliest `count` of them; quoted ones only if the mail itself leaves room."""
        if len(self.by_pattern) + len(self.tokens) + len(self.quoted) <= count:
            return self
        by_pattern = self.by_pattern[:count]
        tokens = self.tokens[: count - len(by_pattern)]
        return replace(
            self, by_pattern=by_pattern, tokens=tokens, quoted=self.quoted[: count - len(by_pattern) - len(tokens)]
        )


def wanted_order_ids(message: Message, channel: Channel, channels: Sequence[Channel]) -> Wanted:
    """The order ids a mail speaks of; `by_pattern` and `tokens` together are at most ten."""
    told = message.form.get("order_id", "")
    text = plain("\n".join((told and f"#{told}", message.subject[:998], message.new_text[:_MOST_CHARS])))
    patterns = _patterns(channel, channels)
    certain = [one for pattern in patterns for one in ids_of(pattern, text)]
    certain = list({order_key(one): one for one in reversed(certain)}.values())[::-1]
    tokens = [*_cued(text), *_bare(text)]
    quoted: list[str] = []
    if message.quoted_text and _DIGIT.search(message.quoted_text):
        old = plain(message.quoted_text[:_MOST_CHARS])
        quoted = [one for pattern in patterns for one in ids_of(pattern, old)] + _cued(old)
    by_pattern = certain[:MOST]
    seen = {order_key(one) for one in certain}
    tokens = _unseen(tokens, seen)
    return Wanted(
        by_pattern=tuple(by_pattern),
        tokens=tuple(tokens[: MOST - len(by_pattern)]),
        quoted=tuple(_unseen(quoted, seen)[:MOST]),
        named=tuple(_unseen(_called(text), set())[:MOST]),
        more=len(certain) > MOST,
    )


def plain(text: str) -> str:
    """The text in one width, with plain dashes between digits and letters; case stays."""
    if not text.isascii():
        text = _DASH.sub("-", unicodedata.normalize("NFKC", text))
        if "ー" in text:
            text = _LONG_VOWEL.sub("-", text)
    return _SPACED_DASH.sub("-", text) if "-" in text else text


def ids_of(pattern: Any, text: str) -> list[str]:
    """What the pattern finds in a plain text, each id once, in order."""
    if pattern is None or not _DIGIT.search(text):
        return []
    found: dict[str, str] = {}
    for match in pattern.finditer(text[:_MOST_CHARS]):
        found.setdefault(order_key(match.group()), match.group().lstrip("#"))
        if len(found) > 2 * MOST:
            break
    return list(found.values())


def _patterns(channel: Channel, channels: Sequence[Channel]) -> tuple[Any, ...]:
    anywhere = tuple(one.certain_ids.pattern for one in channels if one.certain_ids is not None)
    return (channel.order_ids, _any_of(anywhere))


@lru_cache(maxsize=16)
def _any_of(patterns: tuple[str, ...]) -> Any:
    return compiled("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


def _unseen(found: Sequence[str], seen: set[str]) -> list[str]:
    """Each id that is not in `seen` yet, once; `seen` grows."""
    kept = []
    for one in found:
        key = order_key(one)
        if key not in seen:
            seen.add(key)
            kept.append(one)
    return kept


def _cued(text: str) -> list[str]:
    """What stands behind a word like "order number", then what stands behind "order" and is no amount or count."""
    if not _DIGIT.search(text):
        return []
    found = [match.group(1) for match in islice(_NUMBER_CUE.finditer(text), _MOST_CUED)]
    for match in islice(_CUE.finditer(text), _MOST_CUED):
        token = match.group(1)
        if len(token) >= 3 and not _is_measured(text, match.start(1), match.end(1)):
            found.append(token)
    return [token.strip("-_") for token in found]


def _called(text: str) -> list[str]:
    """The numbers that are called an order's, of three digits or more."""
    if not _DIGIT.search(text):
        return []
    found = (m for cue in (_CERTAIN_CUE, _CALLED) for m in islice(cue.finditer(text), _MOST_CUED))
    return [
        m.group(1).strip("-_")
        for m in found
        if len(_DIGIT.findall(m.group(1))) >= 3 and not _UNITS.match(text, m.end(1))
    ]


def _bare(text: str) -> list[str]:
    """Words with a digit that no cue stands before, the likeliest first: mixed with letters, long, short."""
    ranked: list[tuple[int, int, str]] = []
    for match in islice(_TOKEN.finditer(text), _MOST_TOKENS):
        token = match.group().strip("-_")
        if len(token) >= 3 and not _is_measured(text, match.start(), match.end()):
            rank = 0 if len(token) >= 4 and not token.isdigit() else 1 if len(token) >= 5 else 2
            ranked.append((rank, match.start(), token))
    return [token for _, _, token in sorted(ranked)]


def _is_measured(text: str, start: int, end: int) -> bool:
    """True if the number counts something: an amount, a date, a part of an address."""
    # A comma before it makes it a part of an amount only behind another digit (1,234), not in a sentence.
    before = start > 0 and text[start - 1] in _BEFORE
    if before and text[start - 1] == ",":
        before = start > 1 and text[start - 2].isdigit()
    return before or _UNITS.match(text, end) is not None
