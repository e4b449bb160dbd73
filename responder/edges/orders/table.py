"""One order file: its rows become orders, with every doubt named by file, line and column.

A file is taken whole or not at all; a doubt about one order only puts that order on hold. Reads the file it is given
and nothing else.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from responder.edges.orders.cells import (
    Reading,
    date_of,
    folded,
    is_damaged_number,
    is_empty,
    item_of,
    items_of,
    money_of,
    text_of,
)
from responder.edges.orders.layouts import DATES, TEXTS, Alternatives, Plan, StateLook, recognise, state_of
from responder.edges.orders.never_kept import is_never_kept
from responder.edges.orders.sheet import Open, Row, read_sheet
from responder.edges.orders.stored import codes_of
from responder.errors import ConfigError, Mistake
from responder.model import Item, Order, order_key

_MOST_SHARED = 20_000
_MOST_MISTAKES = 50
_MOST_ITEMS = 500
# Facts that are taken as they are written.
_WORDS = frozenset({"buyer_name", "payment", "channel"})
_ODD_ENDS = frozenset(" ='-")
# A later date of another row is news, not a contradiction: parts of an order are paid and shipped one by one.
_LATEST = frozenset({"paid_at", "ship_by", "shipped_at", "eta"})
_SEVERAL = frozenset({"carrier", "tracking_no"})
_PLAIN_ID = re.compile(r"[!-~]*\d[!-~]*")
_FOOTER = re.compile(
    r"record\(?s?\)? downloaded|^seller id\b|^\d+\s*件$"
    r"|^(?:合計|総計|件数|小計|total|totals|grand total|end of file)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Found:
    """What is known of one order while its rows come in."""

    order_id: str
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    doubts: list[Mistake] = field(default_factory=list)
    sums: list[Decimal] = field(default_factory=list)
    has_no_sum: bool = False
    cancel_asked: bool = False


@dataclass(frozen=True)
class Table:
    """The orders of one file by `order_key`."""

    orders: Mapping[str, Order]
    layout: str
    mistakes: tuple[Mistake, ...] = ()


def read_table(open_: Open, reading: Reading, *, name: str, as_of: datetime | None) -> Table:
    """The orders of a file. Raises: ConfigError as `open_table`."""
    reader = open_table(open_, reading, name=name, as_of=as_of)
    orders: dict[str, Order] = {}
    for key, values in reader:
        order = reader.order(values)
        before = orders.get(key)
        orders[key] = order if before is None else reader.joined(before, order)
    return Table(orders, reader.plan.layout.name, reader.mistakes)


def open_table(open_: Open, reading: Reading, *, name: str, as_of: datetime | None) -> OrderReader:
    """The reader of a file whose header was recognised. `name` is the file for mistakes and `Order.source`; `as_of`
    when it was current.

    Raises: ConfigError if the file as a whole cannot be taken: empty, half-written, unreadable, no order numbers.
    """
    sheet, plan = read_sheet(
        open_,
        lambda titles: recognise(titles, reading),
        name=name,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        wanted=reading.columns.get("order_id", "order_id"),
    )
    return OrderReader(sheet, plan, reading, name, as_of, sheet.sha256)


class Rows(Protocol):
    """What holds the rows of orders: a file, or the answer of a database or a web service."""

    @property
    def line(self) -> int: ...
    @property
    def is_ended(self) -> bool: ...
    def rows(self) -> Iterator[Row]:
        """Every row, the last one marked."""
        ...

    def refused(self, code: str, line: int, /, **args: str) -> ConfigError:
        """The error that says why these rows cannot be taken."""
        ...


class OrderReader:
    """The orders of one file in the order of their first rows. Rows that others stand between give the order twice;
    `joined` makes one of them. Iterate once; `mistakes` is whole afterwards."""

    def __init__(
        self, sheet: Rows, plan: Plan, reading: Reading, name: str, as_of: datetime | None, sha256: str = ""
    ) -> None:
        self.sha256 = sha256
        self.sheet = sheet
        self.plan = plan
        self.reading = reading
        self.name = name
        self.as_of = as_of
        layout = plan.layout
        self.timezone = ZoneInfo(layout.timezone) if layout.timezone else reading.timezone
        self.currency = layout.currency or reading.currency
        self.day_first = layout.day_first if reading.day_first is None else reading.day_first
        self._told: list[Mistake] = []
        self._untold = 0
        self._clean: dict[str, str] = {}
        self._items: dict[tuple[str, ...], tuple[Item, ...]] = {}
        # What each cell of a fact means, by the cell as written: exports repeat themselves.
        self._facts = tuple((fact, at, dict[str, Any](), fact in _WORDS) for fact, at in plan.facts)
        self._states: dict[tuple[str, ...], tuple[str, str, int, str | None]] = {}
        self._channel = layout.channel or reading.channel
        self._others = tuple((at, plan.titles[at]) for at in plan.others if not is_never_kept(plan.titles[at]))
        self._has_items = bool(plan.items[0] or plan.items[1])
        self._id_title = plan.titles[plan.order_id[0][0]]
        self._per_row = frozenset(layout.per_row)
        self._not_items = tuple(map(str.casefold, layout.not_items))
        for fact, title in plan.missing:
            best = difflib.get_close_matches(title, plan.titles, n=1, cutoff=0.6)
            self.tell(sheet.line, title, "orders_column_missing", suggestion=best[0] if best else None, field=fact)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What is wrong in this file, the first fifty and how many more."""
        more = () if not self._untold else (self.mistake(0, "", "more_mistakes", count=str(self._untold)),)
        return (*self._told, *more)

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The fields of each order with its key. Rows are grouped by order; one without an order number belongs to the
        order above it.

        Raises: ConfigError if the file turns out to be half-written or broken.
        """
        current: _Found | None = None
        key = ""
        for row in self.sheet.rows():
            order_id = self._id_of(row, current)
            if order_id is None:
                continue
            row_key = order_key(order_id) if order_id else key
            if current is None or row_key != key:
                if current is not None:
                    yield key, self._finished(current)
                key, current = row_key, _Found(order_id, row.line, states=[""] * len(self.plan.looks))
            if row.is_broken:
                self._doubt(current, row.line, "", "row_broken")
            self._take(row.cells, row.line, current)
        if current is not None:
            yield key, self._finished(current)

    def _id_of(self, row: Row, current: _Found | None) -> str | None:
        """The row's order number, "" for a row that belongs to the order above it, None for one that is none."""
        cells, width = row.cells, self.plan.width
        order_id = _joined(cells, self.plan.order_id, " ")
        if (
            len(cells) >= width
            and _PLAIN_ID.fullmatch(order_id)
            and "E+" not in order_id
            and order_id != self._id_title
        ):
            return order_id
        filled = [text for cell in cells if (text := text_of(cell))]
        if not filled:
            return None
        if any(_FOOTER.search(text) for text in filled[:2]) and len(filled) <= 3:
            return None
        if (
            row.is_last
            and len(cells) < width
            and not self.sheet.is_ended
            and not (len(filled) == 1 and " " in order_id)
        ):
            raise self.sheet.refused("orders_file_half_written", row.line)
        if order_id and len(filled) == 1 and width > 2:
            return None  # A footer nobody has described.
        if is_damaged_number(order_id):
            self.tell(row.line, self._id_title, "order_number_rounded", found=order_id)
            return None
        if order_id == self._id_title:
            return None  # The header again, where several exports were put together.
        if not order_id and current is None:
            self.tell(row.line, self._id_title, "order_id_missing")
            return None
        return order_id

    # --- from rows to orders ---

    def _take(self, row: list[str], line: int, found: _Found) -> None:
        """Adds what a row says to its order; a cell that contradicts an earlier row puts the order on hold."""
        width, plan = len(row), self.plan
        cells, values = found.cells, found.values
        for name, at, known, is_words in self._facts:
            if at >= width or not (cell := row[at]):
                continue
            before = cells.get(name)
            if before is None:
                seen = known.get(cell)
                # Nine cells in ten need no more than this look.
                is_plain = is_words and 4 < len(cell) < 200 and cell.isprintable()
                if seen is None and is_plain and cell[0] not in _ODD_ENDS and cell[-1] != " ":
                    seen = cell
                if seen is not None:
                    cells[name] = cell
                    values[name] = seen
                    continue
            elif before == cell:
                continue
            self._fact(found, name, cell, line, plan.titles[at], known)
        for name, alternatives in plan.joined:
            text = _joined(row, alternatives, ", " if name == "tracking_no" else " ")
            if text and cells.get(name) != text:
                self._fact(found, name, text, line, plan.titles[alternatives[0][0]], {})
        for index, look in enumerate(plan.looks):
            if look.at < width and (cell := row[look.at]):
                self._state(found, index, self._cleaned(cell), line)
        if self._has_items and len(found.items) < _MOST_ITEMS:
            found.items += self._items_in(row)
        for at, marks in plan.cancel_asked.items():
            if at < width and row[at] and folded(row[at]) in marks:
                found.cancel_asked = True
        if plan.total_of:
            self._add_up(found, row, line)
        extra = found.extra
        for at, title in self._others:
            if at < width and (cell := row[at]) and title not in extra and (text := self._cleaned(cell)):
                extra[title] = text

    def _fact(self, found: _Found, name: str, cell: str, line: int, title: str, known: dict[str, Any]) -> None:
        """One cell of a fact, after those of the order's earlier rows."""
        text = text_of(cell)
        if not text or (len(text) < 5 and is_empty(text)):
            return
        before = found.cells.get(name)
        value = self._value(found, name, text, line, title)
        if value is None:
            found.cells.setdefault(name, text)
            return
        if len(known) < _MOST_SHARED:
            known[cell] = value
        if before is None:
            found.cells[name] = text
            found.values[name] = value
            return
        old = found.values.get(name)
        if old is None or value == old or folded(before) == folded(text):
            found.values.setdefault(name, value)
        elif name in _SEVERAL:
            if value not in old.split(", "):
                found.values[name] = f"{old}, {value}"
        elif name in _LATEST:
            found.values[name] = max(old, value)
        elif name in self._per_row:
            found.values[name] = None
        else:
            self._doubt(found, line, title, "rows_disagree", first=before, found=text)

    def _state(self, found: _Found, index: int, text: str, line: int) -> None:
        before = found.states[index]
        if before == text or is_empty(text):
            return
        if not before:
            found.states[index] = text
        elif folded(before) != folded(text):
            look = self.plan.looks[index]
            if not look.filled and self._meaning(look, before) != self._meaning(look, text):
                self._doubt(found, line, self.plan.titles[look.at], "rows_disagree", first=before, found=text)

    def _meaning(self, look: StateLook, text: str) -> str:
        word = folded(text)
        own, common = self.reading.own_words.get(word), self.reading.words.get(word)
        return own or look.words.get(word) or common or word

    def _items_in(self, row: list[str]) -> tuple[Item, ...]:
        plan = self.plan
        for at, marks in plan.item_rows.items():
            if at < len(row) and row[at].strip() and folded(row[at]) not in marks:
                return ()
        items, skus, counts = plan.items
        cells = (name, sku, count) = (_raw(row, items), _raw(row, skus), _raw(row, counts))
        known = self._items.get(cells)
        if known is None:
            if any(fnmatch.fnmatchcase(name.strip().casefold(), pattern) for pattern in self._not_items):
                known = ()
            elif plan.layout.one_item_a_row:
                known = item_of(name, text_of(sku), text_of(count))
            else:
                known = items_of(name, text_of(sku), text_of(count))
            if len(self._items) < _MOST_SHARED:
                self._items[cells] = known
        return known

    def _add_up(self, found: _Found, row: list[str], line: int) -> None:
        for at in self.plan.total_of:
            if at < len(row) and (text := text_of(row[at])):
                money = money_of(text, found.values.get("currency") or self.currency)
                if isinstance(money, tuple):
                    found.sums.append(money[0])
                elif money is not None:
                    found.has_no_sum = True
                    self._doubt(found, line, self.plan.titles[at], money, found=text)
        for at in self.plan.total_unless:
            if at < len(row) and row[at].strip(" 0.-"):
                found.has_no_sum = True

    def _value(self, found: _Found, name: str, text: str, line: int, column: str) -> Any:
        """What the cell means for that field, or None after a doubt."""
        if name in DATES:
            moment = date_of(text, self.timezone, self.day_first)
            if isinstance(moment, str):
                return self._doubt(found, line, column, moment, found=text)
            return moment
        match name:
            case "total":
                money = money_of(text, self.currency)
                if isinstance(money, str):
                    return self._doubt(found, line, column, money, found=text)
                return money
            case "buyer_mail":
                return text.removeprefix("mailto:").strip("<> ")
            case "carrier":
                return None if text.isdecimal() and len(text) < 3 else text
            case "tracking_no" if is_damaged_number(text):
                return self._doubt(found, line, column, "number_rounded", found=text)
        return text

    def _finished(self, found: _Found) -> dict[str, Any]:
        """The fields of the finished order."""
        values, plan = found.values, self.plan
        total, named = values.pop("total", None) or (None, "")
        if found.sums:
            total = None if found.has_no_sum else sum(found.sums, Decimal(0))
        currency = values.get("currency")
        currency = currency.upper() if currency else ""
        wanted = currency or plan.layout.currency
        if named and wanted and named != wanted:
            column = plan.title("currency" if currency else "total")
            self._doubt(found, found.line, column, "currency_mixed", first=named, found=wanted)
        values["order_id"] = found.order_id
        values["total"] = total
        values["currency"] = currency or named or (self.currency if total is not None else "")
        values["status"], values["status_word"] = self._state_of(found)
        self._check_dates(found)
        values["channel"] = values.get("channel") or self._channel
        values["items"] = found.items
        values["extra"] = found.extra
        values["line"] = found.line
        values["cancel_asked"] = found.cancel_asked
        values["doubts"] = found.doubts
        return values

    def order(self, values: Mapping[str, Any]) -> Order:
        """The order with these fields."""
        # What was joined from two lines before carries these already.
        made_here = ("problems", "source", "as_of")
        said = {name: value for name, value in values.items() if value is not None and name not in made_here}
        said["items"], said["doubts"] = tuple(values["items"]), tuple(values["doubts"])
        return Order(**said, problems=codes_of(said["doubts"]), source=self.name, as_of=self.as_of)

    def _state_of(self, found: _Found) -> tuple[Any, str]:
        cells = tuple(found.states)
        known = self._states.get(cells)
        if known is None:
            plan, own, common = self.plan, self.reading.own_words, self.reading.words
            status, word, unknown = state_of(cells, plan, own, common)
            near: str | None = None
            if unknown >= 0:
                words = (*plan.looks[unknown].words, *own, *common)
                near = next(iter(difflib.get_close_matches(folded(word), words, n=1, cutoff=0.6)), None)
            known = status, word, unknown, near
            if len(self._states) < _MOST_SHARED:
                self._states[cells] = known
        status, word, unknown, near = known
        if unknown >= 0:
            title = self.plan.titles[self.plan.looks[unknown].at]
            self._doubt(found, found.line, title, "unknown_status", suggestion=near, found=word)
        return status, word

    def _check_dates(self, found: _Found) -> None:
        """Dates that cannot be: goods that left before they were ordered."""
        ordered, shipped = found.values.get("ordered_at"), found.values.get("shipped_at")
        if ordered is not None and shipped is not None and (ordered - shipped).total_seconds() > 86_400:
            title = self.plan.title("shipped_at")
            self._doubt(found, found.line, title, "shipped_before_ordered", found=shipped.isoformat())

    def _cleaned(self, cell: str) -> str:
        """`text_of` the cell, remembered: exports repeat themselves."""
        known = self._clean.get(cell)
        if known is None:
            known = text_of(cell)
            if len(self._clean) < _MOST_SHARED:
                self._clean[cell] = known
        return known

    # --- mistakes ---

    def _doubt(
        self, found: _Found, line: int, column: str, code: str, /, suggestion: str | None = None, **args: str
    ) -> None:
        args = {"order": found.order_id, **args}
        if len(found.doubts) < _MOST_MISTAKES:
            found.doubts.append(self.mistake(line, column, code, suggestion=suggestion, **args))
        self.tell(line, column, code, suggestion=suggestion, **args)

    def tell(self, line: int, column: str, code: str, /, suggestion: str | None = None, **args: str) -> None:
        """Remembers a mistake in this file."""
        if len(self._told) >= _MOST_MISTAKES:
            self._untold += 1
        else:
            self._told.append(self.mistake(line, column, code, suggestion=suggestion, **args))

    def mistake(self, line: int, column: str, code: str, /, suggestion: str | None = None, **args: str) -> Mistake:
        """A mistake in this file; what stands in it is cut short."""
        shown = tuple((name, text[:80]) for name, text in args.items())
        return Mistake(self.name, line, column, code, shown, suggestion=suggestion)

    def joined(self, first: Order, second: Order) -> Order:
        """One order out of two groups of its rows that others stand between."""
        changes: dict[str, Any] = {
            "items": (*first.items, *second.items)[:_MOST_ITEMS],
            "extra": {**second.extra, **first.extra},
            "cancel_asked": first.cancel_asked or second.cancel_asked,
        }
        doubts = [*first.doubts, *second.doubts]
        for name in ("status", "total", *DATES, *TEXTS):
            old, new = getattr(first, name), getattr(second, name)
            if old in (None, "", "unknown"):
                changes[name] = new
            elif new in (None, "", "unknown") or folded(str(old)) == folded(str(new)):
                continue
            elif name == "total" and self.plan.total_of:
                changes[name] = old + new
            elif name in _LATEST:
                changes[name] = max(old, new)
            elif name in _SEVERAL:
                changes[name] = ", ".join(dict.fromkeys((*old.split(", "), *new.split(", "))))
            elif name in self._per_row:
                changes[name] = None
            else:
                shown = {"order": first.order_id, "first": str(old), "found": str(new)}
                column = self.plan.title(name)
                if name == "status" and self.plan.looks:
                    column = self.plan.titles[self.plan.looks[0].at]
                    shown |= {"first": first.status_word, "found": second.status_word}
                self.tell(second.line, column, "rows_disagree", **shown)
                doubts.append(self.mistake(second.line, column, "rows_disagree", **shown))
        changes["status_word"] = first.status_word or second.status_word
        return replace(first, doubts=tuple(doubts), problems=codes_of(doubts), **changes)


def _joined(row: Sequence[str], alternatives: Alternatives, joint: str) -> str:
    """The first alternative that says something, its cells joined."""
    for one in alternatives:
        if len(one) == 1:
            text = text_of(row[one[0]]) if one[0] < len(row) else ""
        else:
            parts = [text_of(row[at]) for at in one if at < len(row)]
            text = joint.join(part for part in parts if part and not is_empty(part))
        if text:
            return text
    return ""


def _raw(row: Sequence[str], alternatives: Alternatives) -> str:
    """As `_joined`, with the line breaks a single cell holds."""
    if len(alternatives) == 1 and len(alternatives[0]) == 1:
        at = alternatives[0][0]
        return row[at] if at < len(row) else ""
    return _joined(row, alternatives, " ")
