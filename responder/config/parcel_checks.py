"""What the keys of [parcel_stop] must be: an address a mail can reach, a web address, a file that is no order file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from responder.config.source import Source
from responder.errors import Mistake

_WAYS = ("mail", "webhook", "csv")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_parcel_stop(source: Source) -> Iterator[Mistake]:
    """The mistakes. A web address is never quoted: it may be a secret."""
    table = source.data.get("parcel_stop")
    if not isinstance(table, dict):
        return
    if not any(way in table for way in _WAYS):
        yield source.mistake(("parcel_stop",), "parcel_stop_empty", known=", ".join(_WAYS))
    accounts = source.data.get("account")
    if "mail" in table and isinstance(accounts, list):
        for index, account in enumerate(accounts):
            if isinstance(account, dict) and "smtp" not in account:
                yield source.mistake(("parcel_stop", "mail"), "parcel_stop_no_smtp", account=f"account[{index}]")
    if isinstance(table.get("webhook"), str):
        yield from _webhook(source, table["webhook"])
    if isinstance(table.get("csv"), str):
        yield from _csv(source, table["csv"])


def _webhook(source: Source, url: str) -> Iterator[Mistake]:
    at = ("parcel_stop", "webhook")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = all("!" <= char <= "~" for char in url)
    if parts.scheme not in ("https", "http") or not host or "@" in parts.netloc or not plain:
        yield source.mistake(at, "webhook_wrong")
    elif parts.scheme == "http" and host not in _LOOPBACK:
        yield source.mistake(at, "webhook_not_https", host=host)


def _csv(source: Source, name: str) -> Iterator[Mistake]:
    at, path = ("parcel_stop", "csv"), _place(source, name)
    if path is None or path.is_dir() or not path.parent.is_dir():
        yield source.mistake(at, "parcel_stop_csv_place", found=name)
        return
    orders = source.data.get("orders")
    for table in orders if isinstance(orders, list) else ():
        place = table.get("path") if isinstance(table, dict) else None
        there = _place(source, place) if isinstance(place, str) else None
        if there is not None and (path == there or (there.is_dir() and path.parent == there)):
            yield source.mistake(at, "parcel_stop_csv_orders", found=name, path=str(place))


def _place(source: Source, name: str) -> Path | None:
    """Where that path leads, or None if it cannot be one."""
    try:
        return (source.path.parent / Path(name).expanduser()).resolve()
    except (ValueError, OSError, RuntimeError):
        return None
