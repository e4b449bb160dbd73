"""Which orders a mail speaks of: ids that certainly are some, and words that may be one if the shop knows them.

What is read is the new text, the subject and the form's field; what stands in quoted text is kept apart. At most ten
look-ups come of one mail, however many numbers stand in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from responder.core.channels.channel import Channel
from responder.model import Message, order_key

MOST = 10
_MOST_CHARS = 20_000
_ID_CHARS = 50

_DASHES = {ord(char): "-" for char in "‐‑‒–—―−─﹣－﹘⁃"}
_LONG_VOWEL = re.compile(r"(?<=[0-9A-Za-z])ー(?=[0-9A-Za-z])")
_SPACED_DASH = re.compile(r"(?<=\d) ?- ?(?=\d)")
_TOKEN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_CUE = re.compile(
    r"(?:ご?(?:注文|受注|オーダー|ご購入|取引|伝票|管理)(?:番号|ナンバー|no|id|№)?|(?:受付|予約)番号"
    r"|order(?:[ _-]?(?:number|no|id|code|ref|reference))?|purchase(?:[ _-]?(?:number|no|id))?|ordernr|po\b"
    r"|订单(?:编号|号码|号)?|訂單(?:編號|號碼|號)?|单号|單號|注文書|№|\bno\b|#)"
    r"(?:[\s:=#.\[(「『【<\"'№-]|は|が|の|番号|号|no\b|number\b|id\b|is\b|was\b){0,10}$",
    re.IGNORECASE,
)
_NAMES_A_NUMBER = re.compile(r"番号|ナンバー|編號|编号|号|號|№|#|\b(?:no|number|id|ref)", re.IGNORECASE)
_CUE_CHARS = 40
_MOST_TOKENS = 500
_GLUED = re.compile(r"(?:order|no|po|id|ref)[_-]?(\d{1,30})", re.IGNORECASE)
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
    quoted text: what the mail may be about if it names no order itself. `more` is True if a mail named more than ten.
    """

    by_pattern: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    more: bool = False


def wanted_order_ids(message: Message, channel: Channel, channels: Sequence[Channel]) -> Wanted:
    """The order ids a mail speaks of; `by_pattern` and `tokens` together are at most ten."""
    told = message.form.get("order_id", "")
    text = plain("\n".join((told and f"#{told}", message.subject[:998], message.new_text[:_MOST_CHARS])))
    certain = _by_pattern(text, channel, channels)
    tokens = _tokens(text, certain)
    quoted: list[str] = []
    if message.quoted_text:
        old = plain(message.quoted_text[:_MOST_CHARS])
        quoted = _by_pattern(old, channel, channels)
        quoted += _tokens(old, quoted, cued=True)
        known = {order_key(one) for one in (*certain, *tokens)}
        quoted = [one for one in quoted if order_key(one) not in known]
    by_pattern = certain[:MOST]
    return Wanted(
        by_pattern=tuple(by_pattern),
        tokens=tuple(tokens[: MOST - len(by_pattern)]),
        quoted=tuple(quoted[:MOST]),
        more=len(certain) > MOST,
    )


def plain(text: str) -> str:
    """The text in one width, with plain dashes between digits and letters; case stays."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_DASHES)
        text = _LONG_VOWEL.sub("-", text)
    return _SPACED_DASH.sub("-", text)


def ids_of(pattern: Any, text: str) -> list[str]:
    """What the pattern finds in the text, each id once, in order."""
    if pattern is None:
        return []
    found: dict[str, str] = {}
    for match in pattern.finditer(plain(text[:_MOST_CHARS])):
        found.setdefault(order_key(match.group()), match.group().lstrip("#"))
        if len(found) > 1_000:
            break
    return list(found.values())


def _by_pattern(text: str, channel: Channel, channels: Sequence[Channel]) -> list[str]:
    found: dict[str, str] = {}
    for pattern in (channel.order_ids, *(one.certain_ids for one in channels)):
        for one in ids_of(pattern, text):
            found.setdefault(order_key(one), one)
    return list(found.values())


def _tokens(text: str, taken: Sequence[str], *, cued: bool = False) -> list[str]:
    """Words with a digit that may be ids, the likeliest first: behind a word like "order", mixed, long, short."""
    keys = {order_key(one) for one in taken}
    ranked: dict[str, tuple[int, int, str]] = {}
    looked_at = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if end - start > _ID_CHARS:
            continue
        token = match.group().rstrip("-_")
        if not any(char.isdigit() for char in token):
            continue
        rank = _rank(text, start, start + len(token), token)
        key = order_key(token)
        if rank is None or (cued and rank > 0) or key in keys:
            continue
        if key not in ranked or rank < ranked[key][0]:
            ranked[key] = (rank, start, token)
        looked_at += 1
        if glued := _GLUED.fullmatch(token):
            ranked.setdefault(order_key(glued[1]), (0, start, glued[1]))
        if looked_at >= _MOST_TOKENS:
            break
    return [token for _, _, token in sorted(ranked.values())]


def _rank(text: str, start: int, end: int, token: str) -> int | None:
    before = text[max(0, start - _CUE_CHARS) : start]
    cue = _CUE.search(before)
    if cue and _NAMES_A_NUMBER.search(cue.group()):
        return 0
    if (before and before[-1] in _BEFORE) or _UNITS.match(text, end):
        return None
    if cue and len(token) >= 3:
        return 0
    if not token.isdigit():
        return 1 if any(char.isalpha() for char in token) and len(token) >= 4 else 3
    if len(token) < 3:
        return None
    return 2 if len(token) >= 5 else 3
