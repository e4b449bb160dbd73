"""Where orders come from: files that are read, databases and web services that are asked, behind the same questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from responder.edges.orders.book import FileBook
from responder.edges.orders.cells import Reading, status_words
from responder.edges.orders.joined import JoinedBook
from responder.edges.orders.lookup import Asked, LookUp
from responder.errors import Mistake
from responder.model import Order, OrderLayout, Placed

__all__ = ["FileBook", "HttpSource", "JoinedBook", "OrderBook", "OrderSource", "SqlSource", "open_book"]


class OrderBook(Protocol):
    """The shop's orders as its own data tells them. Read-only; may be asked from several threads."""

    def find(self, ids: Sequence[str]) -> tuple[Order, ...]:
        """The known orders of these ids, in the order asked, each once; ids are compared by `order_key`.

        Raises: OrdersUnavailable while no file could ever be read, or a database or service gives no answer.
        """
        ...

    def of_buyer(self, mail: str) -> tuple[Order, ...]:
        """The orders of a buyer's address, the newest first. Raises: OrdersUnavailable as `find`."""
        ...

    def placed(self, channel: str, since: datetime) -> Placed | None:
        """The orders that were placed on a channel since then, None where they are not all known. Never raises."""
        ...

    def open_orders(self) -> Iterator[Order] | None:
        """Every order whose goods have not left; None where the sources cannot be listed. Raises: OrdersUnavailable as
        `find`."""
        ...

    def refresh(self) -> tuple[Mistake, ...]:
        """Takes over what changed. What is wrong with the sources as they are now, the same at every call until it
        is put right; the last good data stays in use. Never raises."""
        ...

    @property
    def loaded_at(self) -> datetime | None:
        """When data was last taken over, or None."""
        ...


class Source(Protocol):
    """What must be known of every source; `responder.config` has one settings class for each kind."""

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
    def day_first(self) -> bool | None: ...


class OrderSource(Source, Protocol):
    """A file or a folder of exports."""

    @property
    def type(self) -> Literal["csv"]: ...
    @property
    def path(self) -> Path: ...
    @property
    def encoding(self) -> str | None: ...
    @property
    def delimiter(self) -> str | None: ...
    @property
    def layouts(self) -> tuple[OrderLayout, ...]: ...


class AskedSource(Source, Protocol):
    """A source that is asked for each order."""

    @property
    def url(self) -> str: ...
    @property
    def secret(self) -> Callable[[], str]: ...
    @property
    def timeout_s(self) -> float: ...
    @property
    def remember_s(self) -> float: ...


class SqlSource(AskedSource, Protocol):
    """A database."""

    @property
    def type(self) -> Literal["sql"]: ...
    @property
    def query(self) -> str: ...
    @property
    def buyer_query(self) -> str | None: ...


class HttpSource(AskedSource, Protocol):
    """A web service."""

    @property
    def type(self) -> Literal["http"]: ...
    @property
    def buyer_url(self) -> str | None: ...
    @property
    def orders_at(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def header(self) -> str: ...
    @property
    def ca_file(self) -> str | None: ...


def open_book(
    sources: Iterable[OrderSource | SqlSource | HttpSource],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    index: Path | None = None,
    is_kept: bool = True,
) -> FileBook | JoinedBook:
    """The order book over these sources; `refresh` reads files. Without sources it knows no order.

    `index` is the file in which what was read of files is kept from one run to the next. With `is_kept` False it is
    looked at and left as it is; without one everything is read anew.
    """
    places: list[tuple[Path, Reading]] = []
    asked: list[LookUp] = []
    for source in sources:
        if source.type == "csv":
            places.append((source.path, _reading(source, source.encoding, source.delimiter, source.layouts)))
        else:
            asked.append(LookUp(_asked(source, clock), source.remember_s, source.timeout_s))
    files = FileBook(places, clock=clock, index=index, is_kept=is_kept)
    return JoinedBook(files, asked) if asked else files


def _asked(source: SqlSource | HttpSource, clock: Callable[[], datetime]) -> Asked:
    """The database or the service itself; its libraries are loaded when it is used."""
    reading = _reading(source)
    if source.type == "sql":
        from responder.edges.orders.sql import SqlOrders

        return SqlOrders(
            source.url,
            reading,
            query=source.query,
            buyer_query=source.buyer_query,
            secret=source.secret,
            timeout_s=source.timeout_s,
            clock=clock,
        )
    from responder.edges.orders.http import HttpOrders

    return HttpOrders(
        source.url,
        reading,
        buyer_url=source.buyer_url,
        orders_at=source.orders_at,
        secret=source.secret,
        username=source.username,
        header=source.header,
        ca_file=source.ca_file,
        timeout_s=source.timeout_s,
        clock=clock,
    )


def _reading(
    source: Source,
    encoding: str | None = None,
    delimiter: str | None = None,
    layouts: tuple[OrderLayout, ...] = (),
) -> Reading:
    return Reading(
        timezone=source.timezone,
        columns=source.columns,
        words=status_words(),
        own_words=status_words(source.status_words),
        channel=source.channel,
        currency=source.currency,
        encoding=encoding,
        delimiter=delimiter,
        day_first=source.day_first,
        layouts=layouts,
    )
