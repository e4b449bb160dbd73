"""How far an order's data can be relied on: their age, what is doubtful in them, and where that was read."""

from __future__ import annotations

from datetime import datetime, timedelta

from responder.model import Message, Order, Reason

# Time zones left out of an export, and clocks that are wrong.
_LEEWAY = timedelta(hours=36)
_TOLD = 5
WORTH_TELLING_H = 24.0
"""From this age on staff are told how old the data are."""


def placed_on(order: Order | None, spoken_on: str) -> str:
    """The channel the order was placed on: that is where it is cancelled and paid back, wherever its buyer writes.
    Where the data name no marketplace, the one he writes through is it."""
    return spoken_on if order is None or order.channel in ("", "own") else order.channel


def age_h(order: Order, now: datetime, name: str = "status") -> float | None:
    """Hours since a fact's source was known to be current; None where nobody knows."""
    as_of = order.origin(name).as_of
    return None if as_of is None else (now - as_of).total_seconds() / 3600


def too_old(order: Order, now: datetime, fresh_h: float) -> Reason | None:
    """The reason not to rely on the order's state if it must be no older than that, or None."""
    age = age_h(order, now)
    if age is not None and age <= fresh_h:
        return None
    hours = "?" if age is None else str(round(age))
    return Reason.of("order_data_old", hours=hours, fresh=f"{fresh_h:g}", source=order.source)


def problems(order: Order, message: Message, now: datetime) -> tuple[str, ...]:
    """The codes of everything doubtful in an order's data."""
    found = order.problems
    return (*found, "date_in_future") if in_future(order, message, now) else found


def in_future(order: Order, message: Message, now: datetime) -> tuple[str, ...]:
    """The fields that say something has happened which lies in the future, by the latest clock that is known."""
    clocks = (now, order.as_of or now, message.date or now)
    latest = max(clocks) + _LEEWAY
    happened = ("ordered_at", "paid_at", "shipped_at") if order.is_shipped else ("ordered_at", "paid_at")
    return tuple(name for name in happened if (moment := getattr(order, name)) is not None and moment > latest)


def reasons_about(order: Order, message: Message, now: datetime) -> tuple[Reason, ...]:
    """What staff should know of the data: each doubt with where it was read, and their age from one day on."""
    found = [
        Reason.of(
            "order_doubt",
            place=_place(doubt.file, doubt.line, doubt.key),
            problems=doubt.code,
            found=next((text for name, text in doubt.args if name == "found"), "-"),
        )
        for doubt in order.doubts[:_TOLD]
    ]
    for name in in_future(order, message, now):
        origin = order.origin(name)
        moment = getattr(order, name).isoformat()
        place = _place(origin.source, origin.line, name)
        found.append(Reason.of("order_doubt", place=place, problems="date_in_future", found=moment))
    age = age_h(order, now)
    if age is not None and age >= WORTH_TELLING_H:
        found.append(Reason.of("order_data_age", hours=str(round(age)), source=order.source))
    return tuple(found)


def _place(file: str, line: int, column: str) -> str:
    where = f"{file}:{line}" if line else file
    return f"{where}: {column}" if column else where
