"""By when an answer is due."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from responder.core.dates import Calendar
from responder.core.deadlines import due_at

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("arrived", "hours", "due"),
    [
        ("2026-11-19 10:00", 24, "2026-11-20 10:00"),  # Thursday to Friday
        ("2026-11-20 10:00", 24, "2026-11-24 10:00"),  # over the weekend and Labour Thanksgiving Day
        ("2026-11-21 15:00", 24, "2026-11-25 00:00"),  # the clock begins on Tuesday
        ("2026-11-20 20:00", 12, "2026-11-24 08:00"),
        ("2026-11-18 23:59", 0.5, "2026-11-19 00:29"),
        ("2026-11-20 00:00", 24, "2026-11-21 00:00"),
    ],
)
def test_days_off_do_not_count_where_the_channel_does_not_count_them(arrived: str, hours: float, due: str) -> None:
    at = datetime.fromisoformat(arrived).replace(tzinfo=TOKYO).astimezone(UTC)
    found = due_at(at, hours, calendar=Calendar(), timezone=TOKYO, every_day_counts=False)
    assert found.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M") == due
    assert found.tzinfo is UTC


def test_where_every_day_counts_the_clock_never_stands_still() -> None:
    at = datetime(2026, 11, 20, 1, tzinfo=UTC)
    found = due_at(at, 24, calendar=Calendar(), timezone=TOKYO, every_day_counts=True)
    assert found == datetime(2026, 11, 21, 1, tzinfo=UTC)


def test_a_shop_that_never_opens_has_plain_hours() -> None:
    never = Calendar(closed_weekdays=frozenset(range(7)))
    at = datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert due_at(at, 24, calendar=never, timezone=TOKYO, every_day_counts=False) == datetime(
        2026, 11, 21, 1, tzinfo=UTC
    )


def test_hours_are_real_hours_over_a_change_of_the_clocks() -> None:
    """Clocks in Berlin went back on 2026-10-25, a Sunday the shop works on."""
    always = Calendar(closed_weekdays=frozenset(), public_holidays=False)
    at = datetime(2026, 10, 24, 12, tzinfo=UTC)
    found = due_at(at, 24, calendar=always, timezone=ZoneInfo("Europe/Berlin"), every_day_counts=False)
    assert found == datetime(2026, 10, 25, 12, tzinfo=UTC)
