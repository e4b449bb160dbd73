"""Rows that a database or a web service gives become orders, by the same reading as the rows of a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from responder.edges.orders.cells import Reading
from responder.edges.orders.layouts import PLAIN, recognise
from responder.edges.orders.sheet import Row, refused
from responder.edges.orders.table import OrderReader
from responder.errors import ConfigError, Mistake
from responder.model import Order, OrderLayout, order_key


@dataclass(frozen=True)
class Answer:
    """What a source said when it was asked, by `order_key`; `mistakes` is what is wrong in it."""

    orders: dict[str, Order]
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows under their titles, as a file would hold them."""

    name: str
    titles: tuple[str, ...]
    cells: Sequence[Sequence[str]]
    line: int = 0
    is_ended: bool = True

    def rows(self) -> Iterator[Row]:
        """The rows with their numbers, from 1."""
        for number, cells in enumerate(self.cells, start=1):
            yield Row(number, list(cells), number == len(self.cells))

    def refused(self, code: str, line: int, /, **args: str) -> ConfigError:
        """The error that says why this answer cannot be taken."""
        return refused(self.name, code, line, **args)


def read_rows(rows: Rows, reading: Reading, *, as_of: datetime, plain: OrderLayout = PLAIN) -> Answer:
    """The orders of these rows.

    Raises: ConfigError if no column is the order number.
    """
    plan = recognise(rows.titles, reading, plain)
    if plan is None:
        wanted = reading.columns.get("order_id", "order_id")
        near = next(iter(difflib.get_close_matches(wanted, rows.titles, n=1, cutoff=0.6)), None)
        found = ", ".join(rows.titles)[:80]
        raise refused(rows.name, "orders_no_order_id", 0, suggestion=near, missing=wanted, found=found)
    reader = OrderReader(rows, plan, reading, rows.name, as_of)
    orders: dict[str, Order] = {}
    for key, values in reader:
        order = reader.order(values)
        before = orders.get(key)
        orders[key] = order if before is None else reader.joined(before, order)
    return Answer(orders, reader.mistakes)


def as_cell(value: object) -> str:
    """A value of a database or of JSON as a file would write it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).decode("utf-8", "replace")
        case list() | tuple() | set():
            return "; ".join(as_cell(one) for one in value if not isinstance(one, dict | list))
        case dict():
            return ""
    return str(value)


def spellings(order_id: str) -> tuple[str, ...]:
    """The ways one order number is written: as asked, folded, in small letters, with and without its `#`."""
    plain = order_id.strip().lstrip("#").strip()
    key = order_key(order_id)
    ways = (plain, key, key.lower())
    return tuple(dict.fromkeys(way for one in ways if one for way in (one, f"#{one}")))
