"""The index of order files: what each export says of each order, in one SQLite file. Knows no file and no merging.

An export with the same columns as an earlier one of its source is the same *part*: there its orders take the place
of what it said before; what other parts say stays beside it. Nothing is ever deleted. Readers see whole loads only.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from responder.edges.orders.merge import Said, disagreements
from responder.edges.orders.stored import codes_of, from_text, mistakes_from_rows, mistakes_to_rows, to_text, values_of
from responder.errors import Mistake
from responder.model import Order

VERSION = 2
_BATCH = 500
_MOST_OF_BUYER = 200
_SCHEMA = """
CREATE TABLE meta (version INTEGER NOT NULL);
CREATE TABLE files (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, stat TEXT NOT NULL, sha256 TEXT NOT NULL,
  reading TEXT NOT NULL, layout TEXT NOT NULL, orders INTEGER NOT NULL, mistakes TEXT NOT NULL,
  UNIQUE (source, path));
CREATE TABLE parts (
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, columns TEXT NOT NULL, layout TEXT NOT NULL, is_list INTEGER NOT NULL,
  newest REAL NOT NULL, UNIQUE (source, columns));
CREATE TABLE facts (
  key TEXT NOT NULL, part INTEGER NOT NULL, file INTEGER NOT NULL, load INTEGER NOT NULL, as_of REAL NOT NULL,
  status TEXT NOT NULL, buyer_mail TEXT NOT NULL, channel TEXT NOT NULL, currency TEXT NOT NULL, ordered REAL,
  data TEXT NOT NULL, disagree TEXT, PRIMARY KEY (key, part));
CREATE INDEX facts_mail ON facts (buyer_mail) WHERE buyer_mail <> '';
CREATE INDEX facts_disagree ON facts (key) WHERE disagree IS NOT NULL;
"""
_UPSERT = """
INSERT INTO facts (key, part, file, load, as_of, status, buyer_mail, channel, currency, ordered, data, disagree)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key, part) DO UPDATE SET
  file = excluded.file, load = excluded.load, as_of = excluded.as_of, status = excluded.status,
  buyer_mail = excluded.buyer_mail, channel = excluded.channel, currency = excluded.currency,
  ordered = excluded.ordered, data = excluded.data, disagree = excluded.disagree
"""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it was last taken over. `stat` is its time, size and inode; `reading` how it was read; `layout` the
    title of its layout and `orders` how many it holds, "" and -1 if it never could be taken over."""

    id: int
    stat: tuple[int, int, int]
    sha256: str
    reading: str
    layout: str
    orders: int
    mistakes: tuple[Mistake, ...]


class Index:
    """One SQLite file, or a private one that is gone with the process. Questions may come from any thread; loads from
    one at a time.

    Raises sqlite3.Error where the file cannot be used.
    """

    def __init__(self, path: Path | None = None, *, copy_of: Path | None = None) -> None:
        """`copy_of`: begin with what that index holds, and leave it alone."""
        self.path = path
        self._lock = threading.RLock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self._writing = self._connect()
        self._prepare(copy_of)
        self._reading = self._writing if path is None else self._connect()
        self._parts: dict[int, tuple[str, bool, float]] = {}
        self._paths: dict[int, str] = {}
        self.reload()

    def close(self) -> None:
        """Gives the file back."""
        with self._lock:
            self._reading.close()
            self._writing.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path or "", timeout=30, check_same_thread=False, isolation_level=None)
        weakref.finalize(self, connection.close)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16000", "temp_store=FILE"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _prepare(self, copy_of: Path | None) -> None:
        if copy_of is not None:
            source = sqlite3.connect(f"file:{copy_of}?mode=ro", uri=True)
            try:
                source.backup(self._writing)
            finally:
                source.close()
        known = self._writing.execute("SELECT name FROM sqlite_master WHERE name = 'meta'").fetchone()
        if known is not None:
            version = self._writing.execute("SELECT version FROM meta").fetchone()
            if version != (VERSION,):
                raise sqlite3.DatabaseError(f"version {version}")
            return
        self._writing.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        self._writing.execute("INSERT INTO meta VALUES (?)", (VERSION,))

    def reload(self) -> None:
        """Takes notice of parts and files as they are now."""
        with self._lock:
            rows = self._writing.execute("SELECT id, source, is_list, newest FROM parts").fetchall()
            self._parts = {part: (source, bool(is_list), newest) for part, source, is_list, newest in rows}
            self._paths = dict(self._writing.execute("SELECT id, path FROM files").fetchall())

    # --- questions --------------------------------------------------------------------------------------------------

    def has_any(self, sources: Sequence[str]) -> bool:
        """True if any export of these sources was ever taken over."""
        return any(source in sources for source, _, _ in self._parts.values())

    def count(self) -> int:
        """How many orders are known."""
        with self._lock:
            return int(self._reading.execute("SELECT count(DISTINCT key) FROM facts").fetchone()[0])

    def said_of(self, keys: Sequence[str], sources: Sequence[str]) -> dict[str, list[Said]]:
        """What the exports of these sources say of each order, the oldest first; unknown orders are absent."""
        found: dict[str, list[Said]] = {}
        for begin in range(0, len(keys), _BATCH):
            some = keys[begin : begin + _BATCH]
            marks = ",".join("?" * len(some))
            sql = (
                "SELECT key, part, file, as_of, data, disagree FROM facts "  # noqa: S608 - only ? marks are put in
                f"WHERE key IN ({marks}) ORDER BY as_of, part"
            )
            with self._lock:
                rows = self._reading.execute(sql, some).fetchall()
            for key, part, file, as_of, data, disagree in rows:
                source, is_list, newest = self._parts.get(part, ("", False, 0.0))
                if source in sources:
                    order = _decoded(data, disagree, self._paths.get(file, ""), as_of)
                    found.setdefault(key, []).append(Said(order, is_list and as_of < newest))
        return found

    def keys_of_buyer(self, mail: str) -> list[str]:
        """The orders of a folded mail address, the newest first."""
        sql = "SELECT key FROM facts WHERE buyer_mail = ? AND buyer_mail <> '' ORDER BY ordered DESC LIMIT ?"
        with self._lock:
            rows = self._reading.execute(sql, (mail, _MOST_OF_BUYER)).fetchall()
        return list(dict.fromkeys(key for (key,) in rows))

    def placed(self, channel: str, since: float, fresh: float) -> tuple[int, list[str]] | None:
        """How many orders the channel has had since then, and the keys of those that any export calls cancelled.

        None unless exports that tell what became of orders cover the whole time: they know an order from before it,
        no order without its day, and are no older than `fresh`. Looks at every order: not for every mail.
        """
        with self._lock:
            rows = self._reading.execute(_BY_PART, (since, channel)).fetchall()
            telling = [part for part, ends, *_ in rows if ends and part in self._parts and not self._parts[part][1]]
            if not telling or max(self._parts[part][2] for part in telling) < fresh:
                return None
            of_those = [row for row in rows if row[0] in telling]
            if any(undated for _, _, undated, _ in of_those) or not any(before for *_, before in of_those):
                return None
            found = self._reading.execute(_SINCE, (channel, since)).fetchall()
        keys = {key for key, part, _ in found if part in telling}
        return len(keys), list(dict.fromkeys(key for key, _, status in found if status == "cancelled"))

    def keys_in(self, states: Sequence[str]) -> list[str]:
        """The orders of which some export says one of these states, by id."""
        marks = ",".join("?" * len(states))
        sql = f"SELECT DISTINCT key FROM facts WHERE status IN ({marks}) ORDER BY key"  # noqa: S608 - only ? marks are put in
        with self._lock:
            return [key for (key,) in self._reading.execute(sql, list(states))]

    def doubtful_keys(self, most: int) -> list[str]:
        """Orders of which two exports say what cannot both be true."""
        with self._lock:
            sql = "SELECT key FROM facts WHERE disagree IS NOT NULL LIMIT ?"
            keys = [key for (key,) in self._reading.execute(sql, (most,))]
            if len(self._parts) > 1:
                keys += [key for (key,) in self._reading.execute(_DISAGREE, {"most": most})]
        return list(dict.fromkeys(keys))[:most]

    def files(self, source: str) -> dict[str, KnownFile]:
        """The files of a source that were taken over or refused, by path."""
        sql = "SELECT id, path, stat, sha256, reading, layout, orders, mistakes FROM files WHERE source = ?"
        with self._lock:
            rows = self._writing.execute(sql, (source,)).fetchall()
        return {
            path: KnownFile(
                id_, tuple(json.loads(stat)), sha256, reading, layout, orders, mistakes_from_rows(json.loads(mistakes))
            )
            for id_, path, stat, sha256, reading, layout, orders, mistakes in rows
        }

    # --- loads ------------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[Load]:
        """One load: all of it or nothing. Raises sqlite3.Error."""
        alone = self._reading is self._writing
        if alone:
            self._lock.acquire()
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            try:
                yield Load(self._writing)
                self._writing.execute("COMMIT")
            except BaseException:  # whatever ended it, an unfinished load must not stay open: readers keep the old one
                if self._writing.in_transaction:  # A full disk has ended it already.
                    self._writing.execute("ROLLBACK")
                raise
            self.reload()
        finally:
            if alone:
                self._lock.release()


_BY_PART = """
    SELECT part, sum(status IN ('shipped', 'delivered', 'cancelled')), sum(ordered IS NULL), sum(ordered < ?)
    FROM facts WHERE channel = ? COLLATE NOCASE GROUP BY part
    """
_SINCE = "SELECT key, part, status FROM facts WHERE channel = ? COLLATE NOCASE AND ordered >= ?"

# Orders of which two parts say what `merge.disagreements` calls a disagreement.
_DISAGREE = """
    SELECT a.key FROM facts a JOIN facts b ON b.key = a.key AND b.part <> a.part
    WHERE a.buyer_mail <> '' AND b.buyer_mail <> '' AND a.buyer_mail <> b.buyer_mail
    UNION
    SELECT a.key FROM facts a JOIN facts b ON b.key = a.key AND b.part <> a.part
    WHERE a.channel <> '' AND b.channel <> '' AND lower(a.channel) <> lower(b.channel)
    UNION
    SELECT a.key FROM facts a JOIN facts b ON b.key = a.key AND b.part <> a.part
    WHERE a.currency <> '' AND b.currency <> '' AND a.currency <> b.currency
    UNION
    SELECT a.key FROM facts a JOIN facts b ON b.key = a.key AND b.part <> a.part
    WHERE a.as_of <= b.as_of AND (
      a.status IN ('shipped', 'delivered', 'cancelled') AND b.status IN ('unpaid', 'paid', 'preparing')
      OR a.status = 'cancelled' AND b.status IN ('shipped', 'delivered'))
    LIMIT :most
    """


class Reader(Protocol):
    """The orders of one file as they are read: the fields of each with its key."""

    @property
    def name(self) -> str: ...
    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]: ...
    def order(self, values: Mapping[str, Any]) -> Order:
        """The order with these fields."""
        ...

    def joined(self, first: Order, second: Order) -> Order:
        """One order out of two groups of its rows."""
        ...


def _joined(reader: Reader, first: Order, second: Mapping[str, Any]) -> dict[str, Any]:
    return values_of(reader.joined(first, reader.order(second)))


class Load:
    """The statements of one load."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._number = self._one("SELECT coalesce(max(load), 0) + 1 FROM facts")

    def part(self, source: str, columns: str, layout: str, *, is_list: bool, newest: float) -> int:
        """The part these columns are, made if it is new."""
        self._connection.execute(
            "INSERT INTO parts (source, columns, layout, is_list, newest) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (source, columns) DO UPDATE SET newest = max(newest, excluded.newest)",
            (source, columns, layout, is_list, newest),
        )
        return self._one("SELECT id FROM parts WHERE source = ? AND columns = ?", source, columns)

    def file(
        self,
        source: str,
        path: str,
        *,
        stat: tuple[int, int, int],
        sha256: str = "",
        reading: str = "",
        layout: str = "",
        orders: int = -1,
        mistakes: Iterable[Mistake] = (),
    ) -> int:
        """Remembers how a file was found; returns its id. `orders` -1: of the same layout and as many as before."""
        told = json.dumps(mistakes_to_rows(mistakes))
        self._connection.execute(
            "INSERT INTO files (source, path, stat, sha256, reading, layout, orders, mistakes) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (source, path) DO UPDATE SET stat = excluded.stat, sha256 = excluded.sha256, "
            "reading = excluded.reading, mistakes = excluded.mistakes, "
            "layout = CASE WHEN excluded.orders < 0 THEN layout ELSE excluded.layout END, "
            "orders = CASE WHEN excluded.orders < 0 THEN orders ELSE excluded.orders END",
            (source, path, json.dumps(stat), sha256, reading, layout, orders, told),
        )
        return self._one("SELECT id FROM files WHERE source = ? AND path = ?", source, path)

    def still_says(self, file: int, as_of: float) -> None:
        """The same bytes under a new date: all that the file says is as new as that."""
        self._connection.execute("UPDATE facts SET as_of = ? WHERE file = ? AND as_of < ?", (as_of, file, as_of))
        self._connection.execute(
            "UPDATE parts SET newest = max(newest, ?) WHERE id IN (SELECT DISTINCT part FROM facts WHERE file = ?)",
            (as_of, file),
        )

    def put(self, reader: Reader, *, part: int, file: int, as_of: float) -> int:
        """Puts the orders of a file into a part; returns how many they are. What a newer export says stays."""
        count = 0
        batch: dict[str, Mapping[str, Any]] = {}
        for key, values in reader:
            before = batch.get(key)
            batch[key] = values if before is None else _joined(reader, reader.order(before), values)
            if len(batch) >= _BATCH:
                count += self._put(batch, reader, part, file, as_of)
                batch = {}
        return count + (self._put(batch, reader, part, file, as_of) if batch else 0)

    def _put(self, batch: Mapping[str, Mapping[str, Any]], reader: Reader, part: int, file: int, as_of: float) -> int:
        marks = ",".join("?" * len(batch))
        sql = (
            "SELECT key, file, load, as_of, status, buyer_mail, "  # noqa: S608 - only ? marks are put in
            f"channel, currency, data, disagree FROM facts WHERE part = ? AND key IN ({marks})"
        )
        known = {row[0]: row[1:] for row in self._connection.execute(sql, (part, *batch))}
        rows, count = [], 0
        for key, values in batch.items():
            disagree = None
            mail = values.get("buyer_mail", "")
            said = (values["status"], mail.casefold() if mail else "", values["channel"], values["currency"])
            if (row := known.get(key)) is not None:
                old_file, load, old_as_of, *old_said, data, old_disagree = row
                if load == self._number:
                    values = _joined(reader, from_text(data, reader.name, as_of), values)
                    said = (values["status"], values["buyer_mail"].casefold(), values["channel"], values["currency"])
                    count -= 1
                elif old_as_of > as_of:
                    count += 1
                    continue
                elif old_file == file:
                    disagree = old_disagree if old_as_of == as_of else None
                elif tuple(old_said) != said:
                    old = from_text(data, self._path(old_file), old_as_of)
                    found = disagreements(old, reader.order(values))
                    disagree = json.dumps(mistakes_to_rows(found)) if found else None
            count += 1
            ordered = values.get("ordered_at")
            seconds = None if ordered is None else ordered.timestamp()
            rows.append((key, part, file, self._number, as_of, *said, seconds, to_text(values), disagree))
        self._connection.executemany(_UPSERT, rows)
        return count

    def _path(self, file: int) -> str:
        row = self._connection.execute("SELECT path FROM files WHERE id = ?", (file,)).fetchone()
        return "" if row is None else str(row[0])

    def _one(self, sql: str, *values: object) -> int:
        return int(self._connection.execute(sql, values).fetchone()[0])


def _decoded(data: str, disagree: str | None, path: str, as_of: float) -> Order:
    order = from_text(data, path, as_of)
    if disagree is None:
        return order
    doubts = (*order.doubts, *mistakes_from_rows(json.loads(disagree)))
    return replace(order, doubts=doubts, problems=codes_of(doubts))
