"""What one cell of an order file means: a date, an amount, a state, a text. Pure; nothing raises."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import get_args
from zoneinfo import ZoneInfo

import tomli

from responder.model import Item, OrderLayout, OrderStatus

EMPTY = frozenset({"", "-", "--", "---", "–", "—", "―", "n/a", "na", "null", "none", "nil", "なし", "未定", "無", "无"})
_NO_DATE = re.compile(r"0000[-/]00[-/]00.*|-9{4,}")
_MOST_CELL = 4_000


@dataclass(frozen=True)
class Reading:
    """How one source is to be read. `columns` maps fields to headers; `own_words` are the shop's folded words for
    states, `words` those that come with the product; `layouts` the forms of export that are known."""

    timezone: ZoneInfo
    columns: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, OrderStatus] = field(default_factory=dict)
    own_words: Mapping[str, OrderStatus] = field(default_factory=dict)
    layouts: tuple[OrderLayout, ...] = ()
    channel: str = ""
    currency: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    day_first: bool | None = None


@lru_cache(maxsize=1)
def _shipped_words() -> Mapping[str, OrderStatus]:
    data = tomli.loads(files("responder.data").joinpath("status_words.toml").read_text(encoding="utf-8"))
    return {folded(word): status for status in get_args(OrderStatus) for word in data.get(status, ())}


def status_words(own: Mapping[str, str] | None = None) -> Mapping[str, OrderStatus]:
    """Folded words to states: the shop's own, or the shipped ones where None is given."""
    if own is None:
        return _shipped_words()
    known: Mapping[str, OrderStatus] = {status: status for status in get_args(OrderStatus)}
    return {folded(word): known[status] for word, status in own.items() if status in known}


def folded(word: str) -> str:
    """A word in the form in which headers and states are compared."""
    word = unicodedata.normalize("NFKC", word).casefold()
    return re.sub(r"[\s_\-‐−]+", "", word)


_BREAKS = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
    "\ud800-\udfff\ue000-\uf8ff\U000e0000-\U0010ffff]"
)


def text_of(cell: str) -> str:
    """The cell as one clean line: no line breaks, control or direction marks, nor what keeps a spreadsheet from
    reading a number (`="0012"`, `'0012`)."""
    cell = cell.strip()
    if not cell.isprintable():
        cell = _UNSEEN.sub("", _BREAKS.sub(" ", cell[:_MOST_CELL])).strip()
    if cell and cell[0] in _GUARDS:
        if cell.startswith('="') and cell.endswith('"'):
            return cell[2:-1].strip()
        if cell[0] == "'" and cell[1:2] and (cell[1].isdecimal() or cell[1] in "=+-@"):
            return cell[1:].strip()
    return cell if len(cell) <= _MOST_CELL else cell[:_MOST_CELL]


def is_damaged_number(text: str) -> bool:
    """True for a long number that a spreadsheet has rounded: `4.00012E+11`."""
    return "E+" in text[-6:].upper() and _ROUNDED.fullmatch(text) is not None


_GUARDS = frozenset("='")
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{1,2}")


def is_empty(cell: str) -> bool:
    """True if the cell says nothing."""
    return not cell or (len(cell) <= 4 and cell.casefold() in EMPTY)


# --- dates ----------------------------------------------------------------------------------------------------------

_DATE = re.compile(
    r"(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?"
    r"|(?P<y2>\d{4})(?P<m2>\d{2})(?P<d2>\d{2})(?=\d{6}$|(?!\d))"
    r"|(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y3>\d{4})"
    r"|(?P<mon>[a-zäéûç]{3,9})\.?[-\s]\s*(?P<d4>\d{1,2})(?:st|nd|rd|th)?[-,\s]\s*(?P<y4>\d{4}|\d{2})(?!\d)"
    r"|(?P<d5>\d{1,2})\.?[-\s]\s*(?P<mon5>[a-zäéûç]{3,9})\.?[-,\s]\s*(?P<y5>\d{4}|\d{2})(?!\d)",
    re.IGNORECASE,
)
# English, German, French, Italian and Spanish months by their first three letters, as exports of eBay write them.
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            *("jan gen ene", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai mag", "jun giu jui"),
            *("jul lug", "aug aoû aou ago", "sep set", "oct okt ott", "nov", "dec dez déc dic"),
        ),
        start=1,
    )
    for word in words.split()
}
_TIME = re.compile(
    r"[T\s]*(?P<ampm>午前|午後|AM|PM|am|pm)?\s*(?P<h>\d{1,2})\s*[:時时]\s*(?P<min>\d{1,2})\s*分?"
    r"(?:\s*:?\s*(?P<s>\d{1,2})(?:\.\d{1,9})?\s*秒?)?\s*(?P<ampm2>AM|PM|am|pm)?"
    r"\s*(?P<zone>Z|UTC|GMT|JST|[+-]\d{2}:?\d{2})?"
    r"|[T\s]*(?P<h2>\d{1,2})(?P<min2>\d{2})(?P<s2>\d{2})"
)
_WEEKDAY = re.compile(
    r"\s*[(]\s*(?:[月火水木金土日一二三四五六]|mon|tue|wed|thu|fri|sat|sun)[a-z曜日]*\s*[)]\s*", re.IGNORECASE
)
_ZONES = {"Z": timedelta(0), "UTC": timedelta(0), "GMT": timedelta(0), "JST": timedelta(hours=9)}


def date_of(cell: str, zone: ZoneInfo, day_first: bool | None = None) -> datetime | str | None:
    """The moment in UTC; None for an empty cell; `bad_date` or `ambiguous_date` if it cannot be told.

    A date without a time is the start of that day; a time without an offset is in `zone`.
    """
    if is_empty(cell):
        return None
    if cell.isascii() and len(cell) >= 10 and cell[4:5] == "-":
        try:
            return _moment(datetime.fromisoformat(cell), zone)
        except ValueError:
            pass
    text = unicodedata.normalize("NFKC", cell)
    if _NO_DATE.fullmatch(text):
        return None
    text = _WEEKDAY.sub(" ", text).strip()
    match = _DATE.match(text)
    if match is None:
        return "bad_date"
    if match["a"] is not None:
        first, second, year = int(match["a"]), int(match["b"]), int(match["y3"])
        if day_first is None and first <= 12 and second <= 12 and first != second:
            return "ambiguous_date"
        is_day_first = first > 12 if day_first is None else day_first
        month, day = (second, first) if is_day_first else (first, second)
    elif (name := match["mon"] or match["mon5"]) is not None:
        day, year = int(match["d4"] or match["d5"]), int(match["y4"] or match["y5"])
        year += 2000 if year < 100 else 0
        month = _month(name)
    else:
        year, month, day = (int(match[name] or match[f"{name}2"]) for name in "ymd")
    hour = minute = second_of = 0
    offset: timedelta | None = None
    rest = text[match.end() :]
    if rest.strip():
        clock = _TIME.fullmatch(rest.rstrip())
        if clock is None:
            return "bad_date"
        hour, minute = int(clock["h"] or clock["h2"]), int(clock["min"] or clock["min2"])
        second_of = int(clock["s"] or clock["s2"] or 0)
        half = (clock["ampm"] or clock["ampm2"] or "").upper()
        if half in ("午後", "PM") and hour < 12:
            hour += 12
        elif half in ("午前", "AM") and hour == 12:
            hour = 0
        offset = _offset(clock["zone"])
    try:
        moment = datetime(year, month, day, hour, minute, second_of)  # noqa: DTZ001 - the zone is put in below
        return _moment(moment if offset is None else moment.replace(tzinfo=timezone(offset)), zone)
    except (ValueError, OverflowError):
        return "bad_date"


def _month(name: str) -> int:
    """1 to 12, or 0 for a word that is no month."""
    name = name.casefold()
    if name.startswith("juil"):  # French: juin is June, juillet July.
        return 7
    return _MONTHS.get(name[:3], 0)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None or zone in _ZONES:
        return None if zone is None else _ZONES[zone]
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))


def _moment(moment: datetime, zone: ZoneInfo) -> datetime | str:
    if not 2000 <= moment.year <= 2100:
        return "bad_date"
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


# --- amounts --------------------------------------------------------------------------------------------------------

_AMOUNT = re.compile(r"(?P<minus>[-−▲△])?\s*(?P<number>\d[\d,.\s']*)")
_CODE = re.compile(r"\b(JPY|USD|EUR|GBP|CNY|RMB|TWD|HKD|AUD|CAD|KRW|SGD|CHF|NZD|THB)\b", re.IGNORECASE)
_SIGNS = (
    *(("AU $", "AUD"), ("A$", "AUD"), ("C $", "CAD"), ("CA$", "CAD"), ("US $", "USD"), ("US$", "USD"), ("NT$", "TWD")),
    *(("HK$", "HKD"), ("円", "JPY"), ("€", "EUR"), ("£", "GBP"), ("元", "CNY"), ("$", "USD")),
)
_WHOLE = frozenset({"JPY", "KRW"})


def money_of(cell: str, currency: str) -> tuple[Decimal, str] | str | None:
    """The amount and the currency the cell names ("" if none); None if it is empty; `bad_amount` if it is no amount.

    `currency` is what the amount is in if the cell does not say: it settles whether 4.980 are thousands.
    """
    if is_empty(cell):
        return None
    if cell.isascii() and cell.isdigit():
        return (Decimal(cell), "") if len(cell) <= 15 else "bad_amount"
    text = unicodedata.normalize("NFKC", cell)
    named = _currency_in(text)
    match = _AMOUNT.search(text)
    if match is None or any(char.isdigit() for char in text[match.end() :]):
        return "bad_amount"
    letters = _CODE.sub("", text[: match.start()] + text[match.end() :])
    if (
        sum(
            char.isalpha() for char in letters.replace("円", "").replace("元", "").replace("税込", "").replace("JP", "")
        )
        > 2
    ):
        return "bad_amount"
    amount = _decimal(re.sub(r"[\s']", "", match["number"]), named or currency)
    if amount is None:
        return "bad_amount"
    if match["minus"]:
        return None if set(match["number"]) == {"9"} and len(match["number"]) >= 4 else "bad_amount"
    return amount, named


def _currency_in(text: str) -> str:
    code = _CODE.search(text)
    if code is not None:
        return {"RMB": "CNY"}.get(code.group(1).upper(), code.group(1).upper())
    return next((name for sign, name in _SIGNS if sign in text), "")


def _decimal(number: str, currency: str) -> Decimal | None:
    number = number.rstrip(".,")
    comma, dot = number.rfind(","), number.rfind(".")
    if comma >= 0 and dot >= 0:
        point = "," if comma > dot else "."
        number = number.replace("." if point == "," else ",", "")
        if number.count(point) > 1:
            return None
        number = number.replace(point, ".")
    elif comma >= 0 or dot >= 0:
        mark = "," if comma >= 0 else "."
        parts = number.split(mark)
        thousands = all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3
        if len(parts) > 2 and not thousands:
            return None
        grouped = thousands and (mark == "," or len(parts) > 2 or currency in _WHOLE)
        number = "".join(parts) if grouped else ".".join(parts)
    return Decimal(number) if re.fullmatch(r"\d{1,15}(\.\d{1,4})?", number) else None


# --- items ----------------------------------------------------------------------------------------------------------

_QUANTITY = re.compile(
    r"\s*[x×✕*]\s*(\d{1,4})\s*(?:個|点|枚|本|pcs)?$|\s*[(（]\s*(\d{1,4})\s*(?:個|点)?\s*[)）]$", re.IGNORECASE
)


def item_of(cell: str, sku: str, quantity: str) -> tuple[Item, ...]:
    """The item of a row that holds one at most, its name as it is written."""
    name = text_of(cell)
    if is_empty(name) and not sku:
        return ()
    return (Item(name, sku, int(quantity) if quantity.isdecimal() and len(quantity) <= 6 else 1),)


def items_of(cell: str, sku: str, quantity: str) -> tuple[Item, ...]:
    """The items of one row: several in one cell are parted by `;`, `|` or line breaks; `x2` at the end counts."""
    found = []
    for part in re.split(r"[;|\n]", cell) if cell else ([""] if sku else []):
        name = text_of(part)
        if is_empty(name) and not sku:
            continue
        count = 1
        match = _QUANTITY.search(name)
        if match is not None and match.start() > 0:
            name, count = name[: match.start()], int(match[1] or match[2])
        if quantity.isdecimal() and len(quantity) <= 6:
            count = int(quantity)
        found.append(Item(name, sku, count))
    return tuple(found)
