"""Where orders come from: files now; a database or a web service takes its place behind the same three questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from responder.edges.orders.book import FileBook
from responder.edges.orders.cells import Reading, status_words
from responder.errors import Mistake
from responder.model import Order, OrderLayout

__all__ = ["FileBook", "OrderBook", "OrderSource", "open_book"]


class OrderBook(Protocol):
    """The shop's orders as its own data tells them. Read-only; may be asked from several threads."""

    def find(self, ids: Sequence[str]) -> tuple[Order, ...]:
        """The known orders of these ids, in the order asked, each once; ids are compared by `order_key`.

        Raises: OrdersUnavailable while no source could ever be read.
        """
        ...

    def of_buyer(self, mail: str) -> tuple[Order, ...]:
        """The orders of a buyer's address, the newest first. Raises: OrdersUnavailable as `find`."""
        ...

    def refresh(self) -> tuple[Mistake, ...]:
        """Takes over what changed. What is wrong with the sources as they are now, the same at every call until it
        is put right; the last good data stays in use. Never raises."""
        ...

    @property
    def loaded_at(self) -> datetime | None:
        """When data was last taken over, or None."""
        ...


class OrderSource(Protocol):
    """What must be known of one source; `responder.config.OrdersSettings` is one."""

    @property
    def type(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def timezone(self) -> ZoneInfo: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def status_words(self) -> Mapping[str, str]: ...
    @property
    def channel(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def encoding(self) -> str | None: ...
    @property
    def delimiter(self) -> str | None: ...
    @property
    def day_first(self) -> bool | None: ...
    @property
    def layouts(self) -> tuple[OrderLayout, ...]: ...


def open_book(
    sources: Iterable[OrderSource],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    index: Path | None = None,
    is_kept: bool = True,
) -> FileBook:
    """The order book over these sources; `refresh` reads them. Without sources it knows no order.

    `index` is the file in which what was read is kept from one run to the next. With `is_kept` False it is looked
    at and left as it is; without one everything is read anew.
    """
    shipped = status_words()
    places = [
        (
            source.path,
            Reading(
                timezone=source.timezone,
                columns=source.columns,
                words=shipped,
                own_words=status_words(source.status_words),
                channel=source.channel,
                currency=source.currency,
                encoding=source.encoding,
                delimiter=source.delimiter,
                day_first=source.day_first,
                layouts=source.layouts,
            ),
        )
        for source in sources
    ]
    return FileBook(places, clock=clock, index=index, is_kept=is_kept)
