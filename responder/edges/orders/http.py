"""Orders of a web service that answers with JSON, one request for each order number or address.

Only the configured host is ever asked: no redirect is followed, and what a buyer wrote stands percent-encoded in the
path or the query. What comes back is data, cut at a size, and never more than text in an order's fields.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from responder.edges.orders.cells import Reading
from responder.edges.orders.layouts import FIELDS, ITEM_FIELDS, RECORD
from responder.edges.orders.lookup import describe
from responder.edges.orders.records import Answer, Rows, as_cell, read_rows
from responder.edges.tls import verifying_context
from responder.errors import CertificateRefused, ConfigError, Mistake, OrdersUnavailable
from responder.model import Order, order_key

MOST_BYTES = 2 * 1024 * 1024
_MOST_ORDERS = 200
_MOST_ROWS = 2_000
_MOST_DEPTH = 3
_ID = re.compile(r"[^\x00-\x20\x7f]{1,64}")
# A refusal that is not about the number that was asked for.
_TROUBLE = frozenset({401, 402, 403, 407, 408, 421, 425, 426, 429})


class HttpOrders:
    """The shop's web service."""

    def __init__(
        self,
        url: str,
        reading: Reading,
        *,
        buyer_url: str | None,
        orders_at: str,
        secret: Callable[[], str],
        username: str,
        header: str,
        ca_file: str | None,
        timeout_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        parts = urlsplit(url)
        self.name = f"{parts.scheme}://{parts.hostname}{'' if parts.port is None else f':{parts.port}'}{parts.path}"
        self._url = url
        self._buyer_url = buyer_url
        self._reading = reading
        self._orders_at = orders_at
        self._secret = secret
        self._username = username
        self._header = header
        self._ca_file = ca_file
        self._timeout_s = timeout_s
        self._clock = clock

    def by_ids(self, ids: Sequence[str]) -> Answer:
        """The orders of these ids. Raises: OrdersUnavailable, ConfigError."""
        orders: dict[str, Order] = {}
        mistakes: list[Mistake] = []
        for one in ids:
            plain = one.strip().lstrip("#").strip()
            if not _ID.fullmatch(plain) or not plain.strip("."):
                continue
            answer = self._asked(self._url.replace("{order_id}", quote(plain, safe="")))
            key = order_key(one)
            if key in answer.orders:
                orders[key] = answer.orders[key]
                mistakes += answer.mistakes
        return Answer(orders, tuple(mistakes))

    def by_mail(self, mail: str) -> Answer:
        """The orders of an address, none where the shop gave no URL for that. Raises: as `by_ids`."""
        if self._buyer_url is None or not _ID.fullmatch(mail):
            return Answer({})
        return self._asked(self._buyer_url.replace("{buyer_mail}", quote(mail, safe="")))

    def _asked(self, url: str) -> Answer:
        try:
            status, body = self._get(url)
        except (OSError, HTTPException, ValueError, CertificateRefused, ConfigError) as exc:
            raise OrdersUnavailable(describe(exc)) from exc
        if status == 204 or (400 <= status < 500 and status not in _TROUBLE):
            return Answer({})
        if not 200 <= status < 300:
            raise OrdersUnavailable(f"HTTP {status}")
        try:
            # Numbers stay as they are written: 25.00 is no 25.0, and an order number no float.
            data = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError) as exc:
            raise OrdersUnavailable("the answer is no JSON") from exc
        found = _at(data, self._orders_at) if self._orders_at else data
        listed = [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]
        if not listed:
            return Answer({})
        titles, cells = _table(listed[:_MOST_ORDERS], self._reading.columns)
        return read_rows(Rows(self.name, titles, cells), self._reading, as_of=self._clock(), plain=RECORD)

    def _get(self, url: str) -> tuple[int, bytes]:
        """Status and body of one GET. A redirect is a status like any other."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection: HTTPConnection
        if parts.scheme == "https":
            context = verifying_context(self._ca_file)
            connection = HTTPSConnection(host, parts.port, timeout=self._timeout_s, context=context)
        else:
            connection = HTTPConnection(host, parts.port, timeout=self._timeout_s)
        try:
            target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            connection.request("GET", target, headers=self._headers())
            response = connection.getresponse()
            body = response.read(MOST_BYTES + 1)
        finally:
            connection.close()
        if len(body) > MOST_BYTES:
            raise OrdersUnavailable(f"the answer is larger than {MOST_BYTES} bytes")
        return response.status, body

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "responder"}
        secret = self._secret()
        if not secret:
            return headers
        if self._header:
            return {**headers, self._header: secret}
        if self._username:
            login = base64.b64encode(f"{self._username}:{secret}".encode()).decode("ascii")
            return {**headers, "Authorization": f"Basic {login}"}
        return {**headers, "Authorization": f"Bearer {secret}"}


def _at(data: object, path: str) -> object:
    """What stands at `a.b.c`. In a list every member is looked into, so a path through a list gives a list."""
    for number, name in enumerate(path.split(".")):
        if isinstance(data, list):
            rest = ".".join(path.split(".")[number:])
            return [_at(one, rest) for one in data]
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _table(orders: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> tuple[tuple[str, ...], list[list[str]]]:
    """The orders as rows: mapped fields first, one row for each item, then what is left under its own name."""
    paths = {**{name: name for name in FIELDS if name not in columns}, **columns}
    mapped = {path for path in paths.values() if any(_has(order, path) for order in orders)}
    rows: list[dict[str, str]] = []
    for order in orders:
        facts = {path: _at(order, path) for path in mapped}
        lists = {path: found for name in ITEM_FIELDS if isinstance(found := facts.get(path := paths[name]), list)}
        count = max((len(one) for one in lists.values()), default=1) or 1
        extra = {title: text for title, text in _leaves(order) if title not in mapped and text}
        for number in range(min(count, _MOST_ROWS)):
            row = {**{path: as_cell(value) for path, value in facts.items() if path not in lists}, **extra}
            for path, values in lists.items():
                row[path] = as_cell(values[number]) if number < len(values) else ""
            rows.append(row)
    titles = tuple(dict.fromkeys(title for row in rows for title in row))
    return titles, [[row.get(title, "") for title in titles] for row in rows[:_MOST_ROWS]]


def _has(data: object, path: str) -> bool:
    """True if something stands at that path, be it nothing."""
    name, _, rest = path.partition(".")
    if isinstance(data, list):
        return not data or any(_has(one, path) for one in data)
    if not isinstance(data, dict) or name not in data:
        return False
    return not rest or data[name] is None or _has(data[name], rest)


def _leaves(value: Mapping[str, Any], before: str = "", depth: int = 1) -> list[tuple[str, str]]:
    """Every plain value of an object under its dotted name; lists only of plain values."""
    found: list[tuple[str, str]] = []
    for name, inner in list(value.items())[:200]:
        title = f"{before}{name}"
        if isinstance(inner, dict):
            found += _leaves(inner, f"{title}.", depth + 1) if depth < _MOST_DEPTH else []
        elif not (isinstance(inner, list) and any(isinstance(one, dict | list) for one in inner)):
            found.append((title, as_cell(inner)))
    return found
