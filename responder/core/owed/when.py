"""Days as a shop knows them before goods arrive: a day, a part of a month, or a month.

"2026-12-10", "12/10", "12月10日", "2026-12 early", "12月上旬", "2026-12": one value, written for each reader.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Literal

from responder.core.dates import written
from responder.model import Language

Part = Literal["early", "mid", "late"]

_PARTS: dict[str, Part] = {
    **dict.fromkeys(("early", "beginning", "上旬", "初旬", "初め", "はじめ", "初", "begin"), "early"),
    **dict.fromkeys(("mid", "middle", "中旬", "半ば", "中ごろ", "中頃"), "mid"),
    **dict.fromkeys(("late", "end", "下旬", "末", "底"), "late"),
}
_LAST_DAY: dict[Part, int] = {"early": 10, "mid": 20, "late": 31}
_JA: dict[Part, str] = {"early": "上旬", "mid": "中旬", "late": "下旬"}
_EN: dict[Part, str] = {"early": "early ", "mid": "mid-", "late": "late "}
_MONTHS = calendar.month_name
_FULL = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})(?:\s*[-/.月]\s*(\d{1,2})\s*日?|\s*月?)?\s*[-/]?\s*([^\d\s()]*)")
_SHORT = re.compile(r"(\d{1,2})\s*(?:[-/.]\s*(\d{1,2})|月\s*(?:(\d{1,2})\s*日?)?)\s*([^\d\s()]*)")


@dataclass(frozen=True, slots=True)
class Day:
    """One day."""

    day: date

    @property
    def last(self) -> date:
        """The last day it may mean."""
        return self.day

    @property
    def text(self) -> str:
        """The form it is kept in; `when_from` reads it."""
        return self.day.isoformat()

    def written(self, language: Language, today: date) -> str:
        """As the reader writes it."""
        return written(self.day, language, today)


@dataclass(frozen=True, slots=True)
class Month:
    """A month, or a third of it where `part` says which."""

    year: int
    month: int
    part: Part | None = None

    @property
    def last(self) -> date:
        """The last day it may mean."""
        end = calendar.monthrange(self.year, self.month)[1]
        return date(self.year, self.month, min(end, _LAST_DAY[self.part] if self.part else end))

    @property
    def text(self) -> str:
        """The form it is kept in; `when_from` reads it."""
        return f"{self.year:04}-{self.month:02}" + (f" {self.part}" if self.part else "")

    def written(self, language: Language, today: date) -> str:
        """As the reader writes it."""
        other = self.year != today.year
        if language == "en":
            year = f" {self.year}" if other else ""
            return f"{_EN[self.part] if self.part else ''}{_MONTHS[self.month]}{year}"
        year = f"{self.year}年" if other else ""
        return f"{year}{self.month}月{_JA[self.part] if self.part else ''}"


When = Day | Month


def when_from(text: str, today: date) -> When | None:
    """The day or the part of a month that a text names, None where it names none. Without a year it is the next one."""
    said = unicodedata.normalize("NFKC", text).strip().casefold()
    said = re.sub(r"\((?:[月火水木金土日]|mon|tue|wed|thu|fri|sat|sun)[^)]*\)|頃$|ごろ$|予定$", "", said).strip()
    found = _FULL.fullmatch(said)
    if found is not None:
        return _made(int(found[1]), found[2], found[3], found[4])
    found = _SHORT.fullmatch(said)
    if found is None:
        return None
    for year in (today.year, today.year + 1):
        when = _made(year, found[1], found[2] or found[3], found[4])
        if when is None or when.last >= today:
            return when
    return None


def day_from(text: str, today: date) -> Day | None:
    """The single day that a text names, or None."""
    found = when_from(text, today)
    return found if isinstance(found, Day) else None


def _made(year: int, month: str, day: str | None, part: str) -> When | None:
    try:
        if day:
            return None if part else Day(date(year, int(month), int(day)))
        if part and part not in _PARTS:
            return None
        date(year, int(month), 1)
        return Month(year, int(month), _PARTS.get(part))
    except ValueError:
        return None
