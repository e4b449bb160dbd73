"""By when an answer is due: a clock of so many hours from the arrival, on the days that count."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from responder.core.dates import Calendar

_MOST_DAYS = 400


def due_at(
    arrived_at: datetime, hours: float, *, calendar: Calendar, timezone: tzinfo, every_day_counts: bool
) -> datetime:
    """When `hours` are over, counted from the arrival. Unless every day counts, the clock stands still on days on
    which the shop is closed; a shop that never opens gets plain hours."""
    plain = arrived_at + timedelta(hours=hours)
    if every_day_counts:
        return plain
    left = timedelta(hours=hours)
    at = arrived_at.astimezone(timezone)
    for _ in range(_MOST_DAYS):
        midnight = datetime.combine(at.date() + timedelta(days=1), time(), tzinfo=timezone)
        if calendar.is_open(at.date()):
            # Aware times of one zone are subtracted by the wall clock: what has passed is told in UTC.
            rest_of_day = midnight.astimezone(arrived_at.tzinfo) - at.astimezone(arrived_at.tzinfo)
            if left <= rest_of_day:
                return at.astimezone(arrived_at.tzinfo) + left
            left -= rest_of_day
        at = midnight
    return plain
