"""Days as a shop writes them: dates with their weekday in the reader's language, and business days.

Never promises by itself: a date says when something is due, and what is due is the template's matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

import jpholiday

from responder.model import Language

_JA_DAYS = "月火水木金土日"
_ZH_DAYS = "一二三四五六日"
_EN_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EN_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@lru_cache(maxsize=2_000)
def _is_holiday(day: date) -> bool:
    return bool(jpholiday.is_holiday(day))


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the shop works. Weekdays count from Monday = 0.

    `open_days` win over everything, then `closed_days`, then the weekly days off and the Japanese public holidays.
    """

    closed_weekdays: frozenset[int] = frozenset({5, 6})
    public_holidays: bool = True
    closed_days: frozenset[date] = frozenset()
    open_days: frozenset[date] = frozenset()

    def is_open(self, day: date) -> bool:
        """True if the shop works on that day."""
        if day in self.open_days:
            return True
        if day in self.closed_days or day.weekday() in self.closed_weekdays:
            return False
        return not (self.public_holidays and _is_holiday(day))

    def after(self, day: date, business_days: int) -> date:
        """The n-th business day after `day`; `day` itself does not count. A shop that never opens gets plain days."""
        left, at = max(0, business_days), day
        for _ in range(400):
            if left == 0:
                return at
            at += timedelta(days=1)
            left -= self.is_open(at)
        return day + timedelta(days=max(0, business_days))


def calendar_from(words: Iterable[tuple[str, str]]) -> Calendar:
    """A calendar from policy words: `closed_weekdays = "sat, sun"`, `public_holidays = "on"`, `closed_days` and
    `open_days` as ISO dates separated by commas. What cannot be read is left out."""
    given = {key: [part.strip() for part in value.split(",") if part.strip()] for key, value in words}
    known = {name[:3].casefold(): number for number, name in enumerate(_EN_DAYS)}
    known |= {name: number for number, name in enumerate(_JA_DAYS)}
    weekdays = frozenset({5, 6})
    if "closed_weekdays" in given:
        names = (word[:3].casefold() if word.isascii() else word[:1] for word in given["closed_weekdays"])
        weekdays = frozenset(known[name] for name in names if name in known)
    return Calendar(
        closed_weekdays=weekdays,
        public_holidays=given.get("public_holidays", ["on"]) not in (["off"], ["no"], ["false"], []),
        closed_days=frozenset(_days(given.get("closed_days", []))),
        open_days=frozenset(_days(given.get("open_days", []))),
    )


def _days(words: Iterable[str]) -> Iterable[date]:
    for word in words:
        try:
            yield date.fromisoformat(word)
        except ValueError:
            continue


def day_of(moment: datetime, timezone: tzinfo) -> date:
    """The calendar day of a moment where the shop is."""
    return moment.astimezone(timezone).date()


def written(day: date, language: Language, today: date | None = None) -> str:
    """A date with its weekday; the year only where it is not the one of `today`, always where that is None."""
    other_year = today is None or day.year != today.year
    match language:
        case "ja":
            return f"{f'{day.year}年' if other_year else ''}{day.month}月{day.day}日（{_JA_DAYS[day.weekday()]}）"
        case "zh":
            return f"{f'{day.year}年' if other_year else ''}{day.month}月{day.day}日（星期{_ZH_DAYS[day.weekday()]}）"
        case "en":
            text = f"{_EN_DAYS[day.weekday()]}, {_EN_MONTHS[day.month - 1]} {day.day}"
            return f"{text}, {day.year}" if other_year else text
