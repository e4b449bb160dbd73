"""The demo's clock: true time, run faster or stopped, so that nobody waits out the quiet time of an approval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from threading import Lock
from time import monotonic


class DayClock:
    """Tells the time to the daemon and to the play. Never runs backwards; safe from any thread."""

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = Lock()
        self._speed = 1.0
        self._then = start or datetime.now(UTC)
        self._since = monotonic()

    def __call__(self) -> datetime:
        """The present time of the day, in UTC."""
        with self._lock:
            return self._now(monotonic())

    def run(self, speed: float) -> None:
        """From now on `speed` seconds pass in one; 0 stops the clock, 1 is true time."""
        with self._lock:
            at = monotonic()
            self._then, self._since, self._speed = self._now(at), at, speed

    def _now(self, at: float) -> datetime:
        return self._then + timedelta(seconds=(at - self._since) * self._speed)


def away_from_midnight(now: datetime, zone: tzinfo) -> datetime:
    """`now`, or a little earlier where the play would see midnight: "today" must stay true until it is over."""
    margin = timedelta(minutes=10)
    return now if (now + margin).astimezone(zone).date() == now.astimezone(zone).date() else now - 2 * margin
