"""The watched file of wishes: `owe.csv`, written by staff or by another program. Read again whenever it changes.

A row is one wish; what was written stays written, so the file may be kept, added to, or replaced. A row that is wrong
is told with its line and column, and the others are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from responder.config import Settings
from responder.core.dates import day_of
from responder.core.owed.table import Line, columns_of, wish_from_cells
from responder.edges.journal import Journal, owed
from responder.edges.orders import OrderBook
from responder.edges.orders.sheet import read_sheet
from responder.errors import ConfigError, Mistake
from responder.flows.wishes import Unclear, new_batch, orders_with, wished
from responder.model import order_key

SOURCE = "file"
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class _Columns:
    """The header of such a file."""

    fields: Mapping[int, str]
    quoted: bool = True


def take_over(
    journal: Journal,
    settings: Settings,
    orders: OrderBook,
    paths: Sequence[Path],
    *,
    clock: Callable[[], datetime],
) -> tuple[frozenset[str], tuple[Mistake, ...]]:
    """Note the wishes of these files: the accounts that have something to write, and all that is wrong.

    Raises: OrdersUnavailable, JournalUnavailable: to be tried again.
    """
    now = clock()
    rows: list[owed.Wished] = []
    mistakes: list[Mistake] = []
    for path in paths:
        if path.is_file():
            rows += _rows_of(path, settings, orders, now, mistakes, told=lambda: _items_told(journal))
    if not rows:
        return frozenset(), tuple(mistakes)
    with journal.durable() as tx:
        new, _ = owed.wish(tx, rows, now=now)
    return frozenset(row.account for row in new), tuple(mistakes)


def _items_told(journal: Journal) -> set[str]:
    """The items of rows that were taken over before."""
    with journal.reading() as tx:
        return owed.items_told(tx, SOURCE)


def _rows_of(
    path: Path,
    settings: Settings,
    orders: OrderBook,
    now: datetime,
    mistakes: list[Mistake],
    *,
    told: Callable[[], set[str]],
) -> list[owed.Wished]:
    today, batch = day_of(now, settings.shop.timezone), new_batch()
    found: list[tuple[int, Line]] = []

    def header(titles: Sequence[str]) -> _Columns | None:
        fields = columns_of(titles)
        return None if fields is None else _Columns(fields)

    try:
        if not path.stat().st_size:
            return []  # Somebody is about to write it, or is done with it.
        sheet, columns = read_sheet(
            lambda: path.open("rb"), header, name=str(path), encoding=None, delimiter=None, wanted="matter"
        )
        for row in sheet.rows():
            cells = {field: row.cells[n] for n, field in columns.fields.items() if n < len(row.cells)}
            if not any(cell.strip() for cell in cells.values()) or len(found) >= MOST_ROWS:
                continue
            line = wish_from_cells(cells, today)
            if isinstance(line, Line):
                found.append((row.line, line))
            else:
                mistakes += (
                    Mistake(str(path), row.line, one.column, one.code, one.args, suggestion=one.suggestion)
                    for one in line
                )
    except ConfigError as exc:
        mistakes += exc.mistakes
    except OSError as exc:
        mistakes.append(Mistake(str(path), 0, "", "file_unreadable", (("detail", exc.strerror or ""),)))
    known = {
        order_key(o.order_id): o for o in orders.find([one.wish.order_id for _, one in found if one.wish.order_id])
    }
    accounts = {account.name for account in settings.accounts}
    rows: list[owed.Wished] = []
    for number, line in found:
        if line.account and line.account not in accounts:
            args = (("found", line.account), ("expected", ", ".join(sorted(accounts))))
            mistakes.append(Mistake(str(path), number, "account", "bad_choice", args))
            continue
        wish, ids = line.wish, [line.wish.order_id]
        if not wish.order_id:
            match = orders_with(orders, wish.items[0])
            if isinstance(match, Unclear):
                if not match.known and wish.items[0] in told():
                    continue  # a row that stays there after its orders are done
                code = "owe_item_unclear" if match.known else "owe_item_unknown"
                args = (("found", wish.items[0]), ("known", ", ".join(match.known)))
                mistakes.append(Mistake(str(path), number, "item", code, args))
                continue
            known |= {order_key(order.order_id): order for order in match[1]}
            ids = [order.order_id for order in match[1]]
        rows += wished(wish, known, ids, settings, source=SOURCE, batch=batch, account=line.account or None)
    return rows
