"""What the keys of one [[orders]] must agree on: each kind of source with its own keys, queries that only read, URLs
that lead to one host.

Opens no connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from responder.config.file import ORDER_FIELDS
from responder.config.source import Source, nearest
from responder.core.positions import Path as KeyPath
from responder.edges.secrets import mode_mistake
from responder.errors import Mistake

PASSWORD_KEYS = ("password_command", "password_env", "password_file", "password")
_COMMON = ("type", "columns", "status_words", "channel", "currency", "timezone", "day_first")
_ASKED = (*_COMMON, "url", "timeout_s", "remember_s", *PASSWORD_KEYS)
KEYS = {
    "csv": (*_COMMON, "path", "encoding", "delimiter"),
    "sql": (*_ASKED, "query", "buyer_query"),
    "http": (*_ASKED, "buyer_url", "orders_at", "username", "header", "ca_file"),
}
NEEDED = {"csv": ("path",), "sql": ("url", "query"), "http": ("url",)}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|\$\$.*?\$\$", re.DOTALL)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)", re.IGNORECASE)
_WRITES = frozenset(
    (
        *("insert", "update", "delete", "merge", "upsert", "drop", "alter", "create", "truncate", "grant", "revoke"),
        *("call", "exec", "execute", "copy", "into", "lock", "attach", "detach", "pragma", "vacuum", "reindex"),
        *("commit", "rollback", "begin", "savepoint", "handler", "load"),
    )
)


def check_orders(source: Source, where: KeyPath, table: Mapping[str, Any]) -> Iterator[Mistake]:
    """The mistakes of one [[orders]]."""
    kind = table.get("type", "csv")
    if kind not in KEYS:
        return
    for key in NEEDED[kind]:
        if key not in table:
            yield source.mistake(where, "missing_key", missing=key)
    strangers = {key for keys in KEYS.values() for key in keys} - {*KEYS[kind]}
    for key in table:
        if key in strangers:
            yield source.mistake((*where, key), "orders_key_of_another", found=key, type=kind)
    yield from _columns(source, where, table)
    yield from _secret(source, where, table)
    match kind:
        case "csv":
            yield from _encoding(source, where, table)
        case "sql":
            yield from _sql(source, where, table)
        case "http":
            yield from _http(source, where, table)


def warnings(source: Source, where: KeyPath, table: Mapping[str, Any]) -> Iterator[Mistake]:
    """What does not stop anything in one [[orders]]."""
    if "password" in table or re.search(r"//[^@/:]*:[^@/]+@", str(table.get("url", ""))):
        yield source.mistake((*where, "password" if "password" in table else "url"), "plain_password")


def sql_url(url: str, directory: Path) -> str:
    """The URL of a database, a relative SQLite file starting at `directory`."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] != "sqlite" or not rest.startswith("/"):
        return f"postgresql+psycopg://{rest}" if scheme == "postgresql" else url
    path, mark, query = rest.removeprefix("/").partition("?")
    return f"{scheme}:///{directory / path}{mark}{query}"


def why_not_reading(query: str) -> str | None:
    """What makes a query more than one that reads, or None: a second statement, another verb, a word that writes."""
    bare = _QUOTED.sub("''", _COMMENT.sub(" ", query)).strip().rstrip("; \n\t")
    words = re.findall(r"[a-z_]+", bare.casefold())
    if ";" in bare:
        return ";"
    if not words or words[0] not in ("select", "with"):
        return words[0] if words else "-"
    return next((word for word in words if word in _WRITES), None)


def _columns(source: Source, where: KeyPath, table: Mapping[str, Any]) -> Iterator[Mistake]:
    columns = table.get("columns")
    for name in columns if isinstance(columns, dict) else ():
        if name not in ORDER_FIELDS:
            best = nearest(name, ORDER_FIELDS)
            known = ", ".join(ORDER_FIELDS)
            at = (*where, "columns", name)
            yield source.mistake(at, "unknown_order_field", suggestion=best, found=name, known=known)


def _encoding(source: Source, where: KeyPath, table: Mapping[str, Any]) -> Iterator[Mistake]:
    encoding = table.get("encoding")
    if not isinstance(encoding, str):
        return
    try:
        "x".encode(encoding)
    except (LookupError, ValueError):
        known = ("utf-8", "cp932", "shift_jis", "utf-16", "euc_jp", "gb18030", "big5", "latin-1")
        best = nearest(encoding, known)
        yield source.mistake((*where, "encoding"), "unknown_encoding", suggestion=best, found=encoding)


def _secret(source: Source, where: KeyPath, table: Mapping[str, Any]) -> Iterator[Mistake]:
    given = [key for key in PASSWORD_KEYS if key in table]
    if len(given) > 1:
        yield source.mistake((*where, given[1]), "secret_twice", found=", ".join(given))
    for key in ("username", "header"):
        if key in table and not given:
            yield source.mistake(where, "secret_missing", known=", ".join(PASSWORD_KEYS[:3]))
            break
    if isinstance(table.get("password"), str) and (mode := mode_mistake(source.path)):
        yield source.mistake((*where, "password"), "secret_file_mode", name=str(source.path), mode=mode)


def _sql(source: Source, where: KeyPath, table: Mapping[str, Any]) -> Iterator[Mistake]:
    for key, wanted in (("query", ("order_ids", "order_id")), ("buyer_query", ("buyer_mail",))):
        query = table.get(key)
        if not isinstance(query, str):
            continue
        at = (*where, key)
        word = why_not_reading(query)
        if word is not None:
            yield source.mistake(at, "orders_query_writes", found=word)
        names = set(_PARAMETER.findall(_QUOTED.sub("''", _COMMENT.sub(" ", query))))
        unknown = sorted(names - {*wanted})
        for name in unknown:
            best = nearest(name, wanted)
            known = ", ".join(f":{one}" for one in wanted)
            yield source.mistake(at, "orders_query_parameter_unknown", suggestion=best, found=name, known=known)
        if not names & {*wanted} and not unknown:
            yield source.mistake(at, "orders_query_parameter_missing", missing=f":{wanted[0]}")
    url = table.get("url")
    if isinstance(url, str):
        yield from _driver(source, (*where, "url"), url)


def _driver(source: Source, at: KeyPath, url: str) -> Iterator[Mistake]:
    """A URL that SQLAlchemy cannot read, or whose driver is not installed."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        parsed = make_url(sql_url(url, source.path.parent))
        dialect = parsed.get_dialect()
        dialect.import_dbapi()
    except ImportError as exc:
        yield source.mistake(at, "orders_driver_missing", found=url.partition(":")[0], detail=str(exc))
    except (SQLAlchemyError, ValueError) as exc:
        yield source.mistake(at, "orders_url_wrong", detail=str(exc).partition("\n")[0].replace(url, "..."))


def _http(source: Source, where: KeyPath, table: Mapping[str, Any]) -> Iterator[Mistake]:
    hosts = []
    for key, wanted in (("url", "{order_id}"), ("buyer_url", "{buyer_mail}")):
        url = table.get(key)
        if not isinstance(url, str):
            continue
        at = (*where, key)
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError as exc:
            yield source.mistake(at, "orders_url_wrong", detail=str(exc))
            continue
        hosts.append(parts.netloc.rpartition("@")[2])
        if parts.scheme not in ("https", "http") or not host or "{" in parts.netloc or "@" in parts.netloc:
            yield source.mistake(at, "orders_url_wrong", detail="https://host/path")
        elif parts.scheme == "http" and host not in _LOOPBACK:
            yield source.mistake(at, "orders_url_not_https", host=host)
        if any(not "!" <= char <= "~" for char in url):
            yield source.mistake(at, "orders_url_wrong", detail="%-encoding")
        if wanted not in f"{parts.path}?{parts.query}":
            yield source.mistake(at, "orders_url_placeholder", missing=wanted)
    if len(set(hosts)) > 1:
        yield source.mistake((*where, "buyer_url"), "orders_url_other_host", found=hosts[1], host=hosts[0])
    ca_file = table.get("ca_file")
    if isinstance(ca_file, str) and not (source.path.parent / Path(ca_file).expanduser()).is_file():
        yield source.mistake((*where, "ca_file"), "file_missing", found=ca_file)
