"""By when an answer is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from responder.config import bare
from responder.core.channels import Channel
from responder.core.dates import Calendar
from responder.core.deadlines import due_at
from responder.flows.deadlines import deadline_of

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


@pytest.fixture(scope="module")
def channels() -> dict[str, Channel]:
    return {channel.name: channel for channel in bare().channels}


@pytest.mark.parametrize(
    ("channel", "arrived", "due"),
    [
        # Golden Week 2026: Showa Day on Wednesday, then Sunday the third to Wednesday the sixth.
        ("own", "2026-04-28 18:00", "2026-04-30 18:00"),
        ("own", "2026-05-01 18:00", "2026-05-07 18:00"),
        ("own", "2026-05-04 09:00", "2026-05-08 00:00"),
        ("rakuten", "2026-05-01 18:00", "2026-05-07 18:00"),
        ("yahoo", "2026-05-01 18:00", "2026-05-07 06:00"),
        ("mercari", "2026-05-01 18:00", "2026-05-07 18:00"),
        ("amazon", "2026-05-01 18:00", "2026-05-02 18:00"),
        ("ebay", "2026-05-05 23:30", "2026-05-06 23:30"),
        # New Year, closed from the 29th to the 3rd by the shop's own calendar.
        ("own", "2026-12-28 15:00", "2027-01-04 15:00"),
        ("rakuten", "2026-12-31 23:59", "2027-01-05 00:00"),
        ("yahoo", "2026-12-28 15:00", "2027-01-04 03:00"),
        ("amazon", "2026-12-31 15:00", "2027-01-01 15:00"),
        # A weekday like any other.
        ("yahoo", "2026-06-10 09:00", "2026-06-10 21:00"),
        ("own", "2026-06-12 17:00", "2026-06-15 17:00"),
    ],
)
def test_each_channel_counts_the_days_in_its_own_way(
    channels: dict[str, Channel], channel: str, arrived: str, due: str
) -> None:
    plain = bare()
    closed = ", ".join(f"{day}" for day in ("2026-12-29", "2026-12-30", "2026-12-31", "2027-01-02", "2027-01-03"))
    settings = replace(plain, shop=replace(plain.shop, policy={"closed_days": closed}))
    at = datetime.fromisoformat(arrived).replace(tzinfo=TOKYO).astimezone(UTC)
    found = deadline_of(settings, channels[channel], at)
    assert found.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M") == due


def test_a_rule_may_be_quicker_than_its_channel(channels: dict[str, Channel]) -> None:
    at = datetime(2026, 6, 10, 1, tzinfo=UTC)
    assert deadline_of(bare(), channels["own"], at, 4) == datetime(2026, 6, 10, 5, tzinfo=UTC)
