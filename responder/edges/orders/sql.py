"""Orders of a database, asked by a query of the shop's that only reads.

The query runs in a transaction that is never committed, on a connection told to be read-only where the database can
be told so. What no client can promise is the server's to enforce: give responder a user who may only read.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any
from urllib.parse import quote

from responder.edges.orders.cells import Reading
from responder.edges.orders.lookup import describe
from responder.edges.orders.records import Answer, Rows, as_cell, read_rows, spellings
from responder.errors import Mistake, OrdersUnavailable
from responder.model import Order

_MOST_ROWS = 2_000


class SqlOrders:
    """The shop's queries against its database."""

    def __init__(
        self,
        url: str,
        reading: Reading,
        *,
        query: str,
        buyer_query: str | None,
        secret: Callable[[], str],
        timeout_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        from sqlalchemy.engine import make_url

        self._url = make_url(url)
        self.name = self._url.set(password=None, query={}).render_as_string()
        self._reading = reading
        self._query = query
        self._buyer_query = buyer_query
        self._secret = secret
        self._timeout_s = timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._engine: Any = None

    def by_ids(self, ids: Sequence[str]) -> Answer:
        """The orders of these ids. Raises: OrdersUnavailable, ConfigError."""
        if re.search(r":order_ids\b", self._query):
            return self._rows(self._query, {"order_ids": [way for one in ids for way in spellings(one)]})
        orders: dict[str, Order] = {}
        mistakes: list[Mistake] = []
        for one in ids:
            for way in spellings(one):
                answer = self._rows(self._query, {"order_id": way})
                mistakes += answer.mistakes
                orders |= answer.orders
                if answer.orders:
                    break
        return Answer(orders, tuple(mistakes))

    def by_mail(self, mail: str) -> Answer:
        """The orders of an address, none where the shop gave no query for that. Raises: as `by_ids`."""
        return Answer({}) if self._buyer_query is None else self._rows(self._buyer_query, {"buyer_mail": mail})

    def _rows(self, query: str, values: dict[str, Any]) -> Answer:
        from sqlalchemy import bindparam, text
        from sqlalchemy.exc import SQLAlchemyError

        statement = text(query)
        if "order_ids" in values:
            statement = statement.bindparams(bindparam("order_ids", expanding=True))
        try:
            with self._connected().connect() as connection:
                found = connection.execute(statement, values)
                titles = tuple(map(str, found.keys()))
                cells = [[as_cell(value) for value in row] for row in found.fetchmany(_MOST_ROWS)]
                connection.rollback()
        except (SQLAlchemyError, OSError, ValueError, ImportError) as exc:
            # The driver's own error is the useful one; SQLAlchemy's repeats the statement with its values.
            raise OrdersUnavailable(describe(getattr(exc, "orig", None) or exc)) from exc
        return read_rows(Rows(self.name, titles, cells), self._reading, as_of=self._clock())

    def _connected(self) -> Any:
        with self._lock:
            if self._engine is None:
                self._engine = self._make_engine()
            return self._engine

    def _make_engine(self) -> Any:
        from sqlalchemy import create_engine, event

        url, kind, timeout_s = self._url, self._url.get_backend_name(), self._timeout_s
        secret = self._secret()
        if secret:
            url = url.set(password=secret)
        options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 2, "hide_parameters": True}
        if kind == "sqlite":
            url = url.set(database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"})
            options["connect_args"] = {"timeout": timeout_s}
        elif kind in ("postgresql", "mysql", "mariadb"):
            options["connect_args"] = {"connect_timeout": max(1, int(timeout_s))}
        engine = create_engine(url, **options)

        @event.listens_for(engine, "connect")
        def _only_reads(raw: Any, _record: Any) -> None:
            _tell_to_read(raw, kind, timeout_s)

        return engine


def _tell_to_read(raw: Any, kind: str, timeout_s: float) -> None:
    """Makes a new connection read-only and impatient, as far as the database knows such words."""
    if kind == "sqlite":
        raw.execute("PRAGMA query_only = ON")
        begun = [monotonic()]
        raw.set_trace_callback(lambda _: begun.__setitem__(0, monotonic()))
        raw.set_progress_handler(lambda: monotonic() - begun[0] > timeout_s, 10_000)
        return
    for statement in _READ_ONLY.get(kind, ()):
        cursor = raw.cursor()
        try:
            cursor.execute(statement.format(ms=int(timeout_s * 1000), s=timeout_s))
        except Exception:  # every driver has its own, and some versions lack a word
            raw.rollback()
        else:
            raw.commit()
        finally:
            cursor.close()


_READ_ONLY = {
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET statement_timeout = {ms}",
        "SET idle_in_transaction_session_timeout = 60000",
    ),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION MAX_EXECUTION_TIME = {ms}"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "SET SESSION max_statement_time = {s}"),
    "mssql": ("SET LOCK_TIMEOUT {ms}",),
}
