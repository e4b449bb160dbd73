"""Where a parcel can be followed: carriers by the words order data use for them, with the page per number.

Never asks a carrier: a page is a link for the buyer. A number that does not look like the carrier's gets no link.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from responder.model import Order


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier or service. `words` and `codes` are what order data call it; `days` the usual days, (0, 0)
    where nothing is known. `abroad`: it delivers in other countries; `letter_box`: it is dropped in without meeting
    anyone."""

    key: str
    words: tuple[str, ...]
    codes: tuple[str, ...]
    names: Mapping[str, str]
    number: re.Pattern[str] | None
    pages: Mapping[str, str]
    days: tuple[int, int] = (0, 0)
    days_far: int = 0
    certain: bool = False
    abroad: bool = False
    letter_box: bool = False

    def name(self, language: str) -> str:
        """The carrier's name for a reader of that language."""
        return self.names.get(language) or self.names.get(language[:2]) or self.names.get("en") or self.key

    def page(self, number: str, language: str) -> str:
        """The page that shows where the parcel is, or "" if the number cannot be this carrier's."""
        if self.number is None or not self.number.fullmatch(number):
            return ""
        page = self.pages.get(language) or self.pages.get(language[:2]) or self.pages.get("*", "")
        return page.replace("{number}", number)


@dataclass(frozen=True, slots=True)
class Home:
    """The country the shop ships from: its names, folded, and the columns of order data that hold a country."""

    names: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()

    def is_abroad(self, order: Order) -> bool:
        """True if the order data name another country."""
        for column, value in order.extra.items():
            country = _folded(value)
            if country and _folded(column) in self.columns:
                return country not in self.names
        return False


def home_from(tables: Sequence[Mapping[str, Any]]) -> Home:
    """The home of several files, the shop's first: each of its keys replaces the shipped one."""
    names, columns = (
        next((data["home"][key] for data in tables if key in data.get("home", {})), ()) for key in ("names", "columns")
    )
    return Home(frozenset(map(_folded, names)), frozenset(map(_folded, columns)))


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", normalize("NFKC", text[:100]).casefold()).strip()


def parcel_number(text: str) -> str:
    """The tracking number without spaces, dashes and full-width digits, or "" if it cannot be one."""
    number = re.sub(r"[\s‐-―−ー-]", "", normalize("NFKC", text[:100])).upper()
    return number if re.fullmatch(r"[0-9A-Z]{5,40}", number) else ""


def carrier_of(order: Order, carriers: Mapping[str, Carrier]) -> Carrier | None:
    """The carrier an order names: by code, else by the longest word; without a word only by a number that no other
    carrier has (12 bare digits fit four of them)."""
    word = normalize("NFKC", order.carrier[:200]).casefold().strip()
    if not word:
        number = parcel_number(order.tracking_no)
        certain = [c for c in carriers.values() if c.certain and c.number and c.number.fullmatch(number)]
        return certain[0] if number and len(certain) == 1 else None
    best, length = None, 0
    for carrier in carriers.values():
        if word in carrier.codes:
            return carrier
        for name in carrier.words:
            if len(name) > length and name in word:
                best, length = carrier, len(name)
    return best


def carriers_from(tables: Sequence[Mapping[str, Any]]) -> dict[str, Carrier]:
    """Carriers of several files, the shop's first: what it says of a carrier replaces that line of the shipped file."""
    merged: dict[str, dict[str, Any]] = {}
    for data in reversed(tables):
        for key, entry in data.get("carrier", {}).items():
            merged.setdefault(key, {}).update(entry)
    return {key: _carrier(key, entry) for key, entry in merged.items()}


def _carrier(key: str, entry: Mapping[str, Any]) -> Carrier:
    pages = entry.get("page", {})
    days = [int(n) for n in entry.get("days", [])]
    return Carrier(
        key=key,
        words=tuple(normalize("NFKC", str(word)).casefold() for word in entry.get("words", [])),
        codes=tuple(str(code).casefold() for code in entry.get("codes", [])),
        names={str(language): str(name) for language, name in entry.get("name", {}).items()},
        number=re.compile(entry["number"]) if entry.get("number") else None,
        pages={"*": pages} if isinstance(pages, str) else {str(k): str(v) for k, v in pages.items()},
        days=(days[0], days[1]) if len(days) == 2 else (0, 0),
        days_far=int(entry.get("days_far", 0)),
        certain=bool(entry.get("certain", False)),
        abroad=bool(entry.get("abroad", False)),
        letter_box=bool(entry.get("letter_box", False)),
    )
