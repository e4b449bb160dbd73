"""One order file: its bytes become orders, with every doubt named by file, line and column.

A file is taken whole or not at all; a doubt about one order only puts that order on hold. Pure: given the bytes.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from responder.edges.orders.cells import Reading, date_of, folded, is_empty, items_of, money_of, text_of
from responder.edges.orders.sheet import Sheet, read_sheet
from responder.errors import Mistake
from responder.model import Item, Order, order_key

DATES = ("ordered_at", "paid_at", "ship_by", "shipped_at", "eta")
TEXTS = ("channel", "buyer_name", "buyer_mail", "payment", "currency", "carrier", "tracking_no")
ITEM_FIELDS = ("items", "sku", "quantity")
FIELDS = ("order_id", "status", "total", *DATES, *TEXTS, *ITEM_FIELDS)
_MOST_SHARED = 20_000
_MOST_MISTAKES = 50
_NO_EXTRA: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Table:
    """The orders of one file by `order_key`; `fields` are the order's fields that the file has columns for."""

    orders: Mapping[str, Order]
    fields: frozenset[str]
    mistakes: tuple[Mistake, ...] = ()


@dataclass(slots=True)
class _Found:
    """What is known of one order while its rows come in."""

    order_id: str
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_table(raw: bytes, reading: Reading, *, name: str, as_of: datetime | None) -> Table:
    """The orders of a file. `name` is the file for mistakes and `Order.source`; `as_of` when it was current.

    Raises: ConfigError if the file as a whole cannot be taken: empty, half-written, unreadable, no order numbers.
    """
    return _Reader(raw, reading, name, as_of).read()


class _Reader:
    def __init__(self, raw: bytes, reading: Reading, name: str, as_of: datetime | None) -> None:
        self.raw = raw
        self.reading = reading
        self.name = name
        self.as_of = as_of
        self.mistakes: list[Mistake] = []
        self.untold = 0
        self.shared: dict[str, str] = {}
        self.items: dict[tuple[str, ...], tuple[Item, ...]] = {}
        self.titles: list[str] = []
        self.places: Mapping[str, int] = {}
        self.facts: tuple[tuple[str, int], ...] = ()
        self.values: dict[str, dict[str, Any]] = {}
        self.item_places: tuple[int, ...] = ()
        self.others: tuple[int, ...] = ()
        self.has_items = False

    def read(self) -> Table:
        wanted = self.reading.columns.get("order_id", "order_id")
        sheet = read_sheet(
            self.raw, wanted, name=self.name, encoding=self.reading.encoding, delimiter=self.reading.delimiter
        )
        self.titles = list(sheet.titles)
        self.places = places = self.columns(self.titles, sheet.line)
        self.facts = tuple((name, at) for name, at in places.items() if name not in (*ITEM_FIELDS, "order_id"))
        self.values = {name: {} for name, _ in self.facts}
        self.item_places = tuple(places.get(name, -1) for name in ITEM_FIELDS)
        self.has_items = "items" in places or "sku" in places
        taken = set(places.values())
        self.others = tuple(at for at, title in enumerate(self.titles) if title and at not in taken)
        orders = self.orders(sheet)
        if self.untold:
            self.mistakes.append(self.mistake(0, "", "more_mistakes", count=str(self.untold)))
        return Table(orders, frozenset(places), tuple(self.mistakes))

    def orders(self, sheet: Sheet) -> dict[str, Order]:
        """The rows grouped by order; a row without an order number belongs to the order above it."""
        at, width = self.places["order_id"], len(self.titles)
        orders: dict[str, Order] = {}
        key, current = "", None
        for line, row, is_last in sheet.rows():
            order_id = text_of(row[at]) if at < len(row) else ""
            if len(row) < width or not order_id:
                filled = sum(1 for cell in row if cell.strip())
                if not filled:
                    continue
                if is_last and len(row) < width and not sheet.is_ended and not (filled == 1 and " " in order_id):
                    raise sheet.refused("orders_file_half_written", line)
                if order_id and filled == 1 and width > 2:
                    continue  # A footer such as "12 record(s) downloaded".
                if not order_id and current is None:
                    self.told(line, self.titles[at], "order_id_missing")
                    continue
            row_key = order_key(order_id) if order_id else key
            if row_key != key or current is None:
                if current is not None:
                    self.close(orders, key, current)
                key = order_id if row_key == order_id else row_key
                current = _Found(order_id, line)
            self.take(row, line, current)
        if current is not None:
            self.close(orders, key, current)
        return orders

    def close(self, orders: dict[str, Order], key: str, found: _Found) -> None:
        order = self.order(found)
        before = orders.get(key)
        orders[key] = order if before is None else self.joined(before, order)

    def header_of(self, name: str) -> str:
        return folded(self.reading.columns.get(name, name))

    def columns(self, header: list[str], line: int) -> dict[str, int]:
        """Where each field of the order stands."""
        places: dict[str, int] = {}
        for index, name in enumerate(header):
            places.setdefault(folded(name), index)
        found = {name: places[self.header_of(name)] for name in FIELDS if self.header_of(name) in places}
        for name, wanted in self.reading.columns.items():
            if name not in found:
                best = difflib.get_close_matches(wanted, header, n=1, cutoff=0.6)
                self.told(line, wanted, "orders_column_missing", suggestion=best[0] if best else None, field=name)
        return found

    # --- from rows to orders ---

    def take(self, row: list[str], line: int, found: _Found) -> None:
        """Adds what a row says to its order; a cell that contradicts an earlier row puts the order on hold."""
        width = len(row)
        cells, values = found.cells, found.values
        for name, index in self.facts:
            if index >= width or not (cell := row[index]):
                continue
            before = cells.get(name)
            if before is not None and before == cell:
                continue
            text = text_of(cell)
            if not text or (len(text) < 5 and is_empty(text)):
                continue
            if before is not None:
                if folded(before) != folded(text):
                    self.doubt(found, line, self.titles[index], "rows_disagree", first=before, found=text)
                continue
            cells[name] = text
            seen = self.values[name]
            value = seen.get(text)
            if value is None:
                value = self.value(found, name, text, line, self.titles[index])
                if value is not None and len(seen) < _MOST_SHARED:
                    seen[text] = value
            if value is not None:
                values[name] = value
        if self.has_items:
            found.items += self.items_in(row, width)
        for index in self.others:
            if index < width and (cell := row[index]) and (text := text_of(cell)):
                found.extra.setdefault(self.titles[index], self.share(text))

    def items_in(self, row: list[str], width: int) -> tuple[Item, ...]:
        cells = tuple(row[index] if 0 <= index < width else "" for index in self.item_places)
        known = self.items.get(cells)
        if known is None:
            known = items_of(cells[0], text_of(cells[1]), cells[2].strip())
            if len(self.items) < _MOST_SHARED:
                self.items[cells] = known
        return known

    def value(self, found: _Found, name: str, text: str, line: int, column: str) -> Any:
        """What the cell means for that field, or None after a doubt."""
        if name in DATES:
            moment = date_of(text, self.reading.timezone, self.reading.day_first)
            if isinstance(moment, str):
                return self.doubt(found, line, column, moment, found=text)
            return moment
        if name == "status":
            status = self.reading.words.get(folded(text))
            if status is None:
                best = difflib.get_close_matches(folded(text), self.reading.words, n=1, cutoff=0.6)
                self.doubt(found, line, column, "unknown_status", suggestion=best[0] if best else None, found=text)
            return status
        if name == "total":
            money = money_of(text, self.reading.currency)
            if isinstance(money, str):
                return self.doubt(found, line, column, money, found=text)
            return money
        if name == "buyer_mail":
            return text.removeprefix("mailto:").strip("<> ")
        return text

    def order(self, found: _Found) -> Order:
        """The finished order."""
        values = found.values
        total, named = values.pop("total", (None, ""))
        currency = values.get("currency", "").upper()
        if named and currency and named != currency:
            self.doubt(found, found.line, "currency", "currency_mixed", first=named, found=currency)
        values["currency"] = self.share(currency or named or (self.reading.currency if total is not None else ""))
        ordered, shipped = values.get("ordered_at"), values.get("shipped_at")
        if ordered is not None and shipped is not None and (ordered - shipped).total_seconds() > 86_400:
            self.doubt(found, found.line, "shipped_at", "shipped_before_ordered", found=shipped.isoformat())
        if "channel" not in values:
            values["channel"] = self.reading.channel
        return Order(
            order_id=found.order_id,
            status_word=self.share(found.cells.get("status", "")),
            total=total,
            items=tuple(found.items),
            extra=found.extra or _NO_EXTRA,
            source=self.name,
            line=found.line,
            as_of=self.as_of,
            problems=tuple(dict.fromkeys(found.problems)),
            **values,
        )

    def joined(self, first: Order, second: Order) -> Order:
        """One order out of two groups of its rows that others stand between."""
        changes: dict[str, Any] = {"items": (*first.items, *second.items), "extra": {**second.extra, **first.extra}}
        problems = [*first.problems, *second.problems]
        for name in ("status", "total", *DATES, *TEXTS):
            old, new = getattr(first, name), getattr(second, name)
            if old in (None, "", "unknown"):
                changes[name] = new
            elif new not in (None, "", "unknown") and folded(str(old)) != folded(str(new)):
                column = self.titles[self.places[name]] if name in self.places else name
                shown = {"order": first.order_id, "first": str(old), "found": str(new)}
                self.told(second.line, column, "rows_disagree", **shown)
                problems.append("rows_disagree")
        changes["status_word"] = first.status_word or second.status_word
        return replace(first, problems=tuple(dict.fromkeys(problems)), **changes)

    def share(self, text: str) -> str:
        """One object for equal texts: exports repeat themselves."""
        known = self.shared.get(text)
        if known is None:
            if len(self.shared) >= _MOST_SHARED:
                return text
            known = self.shared[text] = text
        return known

    # --- mistakes ---

    def doubt(
        self, found: _Found, line: int, column: str, code: str, /, suggestion: str | None = None, **args: str
    ) -> None:
        found.problems.append(code)
        self.told(line, column, code, suggestion=suggestion, order=found.order_id, **args)

    def told(self, line: int, column: str, code: str, /, suggestion: str | None = None, **args: str) -> None:
        if len(self.mistakes) >= _MOST_MISTAKES:
            self.untold += 1
        else:
            self.mistakes.append(self.mistake(line, column, code, suggestion=suggestion, **args))

    def mistake(self, line: int, column: str, code: str, /, suggestion: str | None = None, **args: str) -> Mistake:
        shown = tuple((name, text[:80]) for name, text in args.items())
        return Mistake(self.name, line, column, code, shown, suggestion=suggestion)
