"""The order book over files: what the newest good data says of each order, found by its id or its buyer.

A file that is broken, half-written, empty or gone never takes an order away; it only yields mistakes. What was read is
kept in an index, so a restart forgets nothing either.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from responder.edges.orders.cells import Reading
from responder.edges.orders.index import Index, KnownFile
from responder.edges.orders.merge import Said, merged
from responder.edges.orders.table import OrderReader, open_table
from responder.errors import ConfigError, Mistake, OrdersUnavailable
from responder.model import UNSHIPPED, Order, Placed, order_key

_SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
_SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
_MOST_BYTES = 4 * 1024 * 1024 * 1024
_MOST_FILES = 2_000
_MOST_DISAGREE = 50
_AT_ONCE = 500
# What the shop owes (`flows.owed_file`) may lie among the exports.
_NO_EXPORT = "owe.csv"
_TICK_S = 2.0
_FRESH = timedelta(days=1)
_COUNTED_FOR = timedelta(minutes=5)
_NO_STAT = (0, 0, 0)
# Goes up whenever the same file means something else to the reader: every file is read again then.
_READER = 1


class FileBook:
    """Orders out of files and folders of files; newer files go before others."""

    def __init__(
        self,
        places: Iterable[tuple[Path, Reading]],
        *,
        clock: Callable[[], datetime],
        index: Path | None = None,
        is_kept: bool = True,
    ) -> None:
        """`index` is where the index lies; None or not `is_kept`: it is gone with the process, but begins with what
        lies there."""
        self._places = tuple((path, reading, _mark(reading)) for path, reading in places)
        self._sources = tuple(str(path) for path, _, _ in self._places)
        self._clock = clock
        self._refreshing = threading.Lock()
        self._index, self._index_mistakes = _opened(index, is_kept=is_kept)
        self._conflicts: tuple[Mistake, ...] = ()
        self._is_new = True
        self._placed: dict[tuple[str, int], tuple[datetime, Placed | None]] = {}
        self._loaded_at: datetime | None = None

    @property
    def loaded_at(self) -> datetime | None:
        """When data was last taken over, or None."""
        return self._loaded_at

    def __len__(self) -> int:
        return self._index.count()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files and folders to watch."""
        return tuple(path for path, _, _ in self._places)

    def files(self) -> tuple[tuple[str, str, int], ...]:
        """The files that are there: name, title of the layout each was recognised as, how many orders it holds."""
        found: list[tuple[str, str, int]] = []
        for place in self.paths:
            known = self._index.files(str(place))
            there = [(str(path), known.get(str(path))) for path in _files_at(place)[0]]
            found += [(name, file.layout, file.orders) for name, file in there if file is not None and file.layout]
        return tuple(found)

    def close(self) -> None:
        """Gives the index back."""
        self._index.close()

    def find(self, ids: Sequence[str]) -> tuple[Order, ...]:
        """The known orders of these ids, in the order asked, each once.

        Raises: OrdersUnavailable while there are sources and none could ever be read.
        """
        keys = list(dict.fromkeys(map(order_key, ids)))
        said = self.said_of(keys)
        return tuple(merged(said[key]) for key in keys if key in said)

    def of_buyer(self, mail: str) -> tuple[Order, ...]:
        """The orders of a buyer's address, the newest first. Raises: OrdersUnavailable as `find`."""
        folded = mail.strip().casefold()
        return newest_first(self.find(self.keys_of_buyer(folded)), folded)

    def said_of(self, keys: Sequence[str]) -> dict[str, list[Said]]:
        """What each export says of each of these orders. Raises: OrdersUnavailable as `find`."""
        self._check()
        try:
            return self._index.said_of(keys, self._sources)
        except sqlite3.Error as exc:
            raise OrdersUnavailable(type(exc).__name__) from exc

    def keys_of_buyer(self, mail: str) -> list[str]:
        """The keys of a folded address's orders. Raises: OrdersUnavailable as `find`."""
        self._check()
        try:
            return self._index.keys_of_buyer(mail)
        except sqlite3.Error as exc:
            raise OrdersUnavailable(type(exc).__name__) from exc

    def placed(self, channel: str, since: datetime) -> Placed | None:
        """The orders that were placed on a channel since then; None where the exports do not tell of all of them.
        Never raises."""
        now = self._clock()
        asked = (channel, round((now - since).total_seconds() / 3600))
        until, known = self._placed.get(asked, (now, None))
        if now < until:
            return known
        placed: Placed | None = None
        try:
            found = self._index.placed(channel, since.timestamp(), (now - _FRESH).timestamp())
            if found is not None:
                orders = map(merged, self._index.said_of(found[1], self._sources).values())
                placed = Placed(found[0], tuple(order for order in orders if order.status == "cancelled"))
        except sqlite3.Error:
            return None
        self._placed = {**self._placed, asked: (now + _COUNTED_FOR, placed)}
        return placed

    def open_orders(self) -> Iterator[Order]:
        """Every order whose goods have not left, by its id. Raises: OrdersUnavailable as `find`."""
        self._check()
        try:
            keys = self._index.keys_in((*sorted(UNSHIPPED), "unknown"))
        except sqlite3.Error as exc:
            raise OrdersUnavailable(type(exc).__name__) from exc
        for begin in range(0, len(keys), _AT_ONCE):
            yield from (order for order in self.find(keys[begin : begin + _AT_ONCE]) if order.is_unshipped)

    def _check(self) -> None:
        if self._places and not self._index.has_any(self._sources):
            raise OrdersUnavailable("no order source could be read yet")

    def refresh(self) -> tuple[Mistake, ...]:
        """Takes over what changed; what is wrong with the sources now, until it is put right. Never raises."""
        with self._refreshing:
            mistakes = list(self._index_mistakes)
            try:
                changed = [self._refresh_place(place, reading, mark, mistakes) for place, reading, mark in self._places]
                if any(changed) or self._is_new:
                    self._placed = {}
                    self._conflicts = self._disagreements()
                    self._loaded_at = self._clock() if any(changed) or self._loaded_at is None else self._loaded_at
                    if not self._index.has_any(self._sources):
                        self._loaded_at = None
                    self._is_new = False
            except sqlite3.Error as exc:
                where = str(self._index.path or "")
                mistakes.append(Mistake(where, 0, "", "orders_index_unusable", (("detail", str(exc)),)))
            return (*mistakes, *self._conflicts)

    def _refresh_place(self, place: Path, reading: Reading, mark: str, mistakes: list[Mistake]) -> bool:
        """Takes over what changed at one place; True if anything did."""
        source = str(place)
        paths, found = _files_at(place)
        mistakes += found
        known = self._index.files(source)
        is_changed = False
        # The oldest first, so that of two files dropped at once the newer has the last word.
        for path in sorted(paths, key=lambda path: (_mtime(path), str(path))):
            taken, told = self._take_over(source, path, reading, mark, known.get(str(path)))
            is_changed |= taken
            mistakes += told
        return is_changed

    def _take_over(
        self, source: str, path: Path, reading: Reading, mark: str, known: KnownFile | None
    ) -> tuple[bool, tuple[Mistake, ...]]:
        """Takes over one file if it changed: whether it did, and what is wrong with it.

        A file written within two seconds of this look is read again at the next: its time stamp cannot tell (one tick).
        """
        name = str(path)
        try:
            before = path.stat()
        except OSError as exc:
            return False, (Mistake(name, 0, "", "file_unreadable", (("detail", exc.strerror or ""),)),)
        stat = (before.st_mtime_ns, before.st_size, before.st_ino)
        if known is not None and known.stat == stat and known.reading == mark:
            return False, known.mistakes
        if before.st_size > _MOST_BYTES:
            return False, (Mistake(name, 0, "", "file_too_large", (("most", str(_MOST_BYTES)),)),)
        is_fresh = self._clock().timestamp() - before.st_mtime < _TICK_S
        kept = _NO_STAT if is_fresh else stat
        as_of = before.st_mtime_ns / 1e9
        sha256 = ""
        try:
            reader = open_table(lambda: path.open("rb"), reading, name=name, as_of=datetime.fromtimestamp(as_of, UTC))
            sha256 = reader.sha256
            if known is not None and known.sha256 == sha256 and known.reading == mark:
                with self._index.writing() as load:
                    load.still_says(known.id, as_of)
                    load.file(source, name, stat=kept, sha256=sha256, reading=mark, mistakes=known.mistakes)
                return False, known.mistakes
            mistakes = self._load(source, path, reader, mark, kept, stat, as_of, known)
        except ConfigError as exc:
            with self._index.writing() as load:
                load.file(source, name, stat=kept, reading=mark, mistakes=exc.mistakes)
            return False, exc.mistakes
        except OSError as exc:
            return False, (Mistake(name, 0, "", "file_unreadable", (("detail", exc.strerror or ""),)),)
        return True, mistakes

    def _load(
        self,
        source: str,
        path: Path,
        reader: OrderReader,
        mark: str,
        kept: tuple[int, int, int],
        stat: tuple[int, int, int],
        as_of: float,
        known: KnownFile | None,
    ) -> tuple[Mistake, ...]:
        """Puts the orders of a file into the index, all of them or none.

        Raises: ConfigError if the file is half-written or broken, or changes while it is read.
        """
        layout, name = reader.plan.layout, str(path)
        with self._index.writing() as load:
            file = load.file(source, name, stat=kept, sha256=reader.sha256, reading=mark)
            columns = hashlib.sha256("\x1f".join((layout.name, *reader.plan.titles)).encode()).hexdigest()
            part = load.part(source, columns, layout.name, is_list=layout.is_list, newest=as_of)
            count = load.put(reader, part=part, file=file, as_of=as_of)
            after = path.stat()
            if (after.st_mtime_ns, after.st_size, after.st_ino) != stat:
                raise ConfigError((Mistake(name, 0, "", "orders_file_changing"),))
            mistakes = reader.mistakes
            if known is not None and not layout.is_list and 2 * count < known.orders:
                args = (("before", str(known.orders)), ("now", str(count)))
                mistakes = (*mistakes, Mistake(name, 0, "", "orders_file_shrunken", args))
            load.file(
                source,
                name,
                stat=kept,
                sha256=reader.sha256,
                reading=mark,
                layout=layout.title,
                orders=count,
                mistakes=mistakes,
            )
        return mistakes

    def _disagreements(self) -> tuple[Mistake, ...]:
        """Two exports that cannot both be right about an order, the first fifty."""
        keys = self._index.doubtful_keys(_MOST_DISAGREE)
        orders = map(merged, self._index.said_of(keys, self._sources).values())
        found = [doubt for order in orders for doubt in order.doubts if doubt.code == "orders_disagree"]
        return tuple(dict.fromkeys(found))[:_MOST_DISAGREE]


def newest_first(orders: Iterable[Order], mail: str) -> tuple[Order, ...]:
    """Those orders that are of this folded address, the newest first."""
    own = [order for order in orders if order.buyer_mail.casefold() == mail]
    oldest = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(own, key=lambda order: order.ordered_at or oldest, reverse=True))


def _opened(path: Path | None, *, is_kept: bool) -> tuple[Index, tuple[Mistake, ...]]:
    """The index. One that cannot be used is put aside, and what lies in the files is read anew."""
    if path is None:
        return Index(), ()
    if not is_kept:
        try:
            return Index(copy_of=path if path.exists() else None), ()
        except sqlite3.Error:
            return Index(), ()
    try:
        return Index(path), ()
    except (sqlite3.Error, OSError) as exc:
        args = (("detail", str(exc)), ("name", path.name))
        mistake = Mistake(str(path), 0, "", "orders_index_set_aside", args)
        if not isinstance(exc, sqlite3.DatabaseError) or isinstance(exc, sqlite3.OperationalError):
            return Index(), (Mistake(str(path), 0, "", "orders_index_unusable", args),)
        for suffix in ("", "-wal", "-shm"):
            aside = Path(f"{path}{suffix}")
            if aside.exists():
                aside.replace(f"{path}.broken{suffix}")
        return Index(path), (mistake,)


def _mark(reading: Reading) -> str:
    """Changes whenever the same file would be read in another way."""
    return hashlib.sha256(f"{_READER} {reading!r}".encode()).hexdigest()[:16]


def _mtime(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _files_at(place: Path) -> tuple[list[Path], list[Mistake]]:
    """The order files of a place; a place that is not there and a spreadsheet are mistakes."""
    try:
        if place.is_dir():
            with os.scandir(place) as entries:
                names = [one.name for one in entries if one.is_file() and one.name[0] not in ".~"]
            wanted = [name for name in names if name.lower().endswith(_SUFFIXES) and name.lower() != _NO_EXPORT]
            sheets = [name for name in names if name.lower().endswith(_SPREADSHEETS)]
            told = [Mistake(str(place / name), 0, "", "orders_file_excel") for name in sorted(sheets)[:10]]
            return [place / name for name in sorted(wanted)[-_MOST_FILES:]], told
        if place.exists():
            return [place], []
    except OSError as exc:
        args = (("detail", exc.strerror or ""),)
        return [], [Mistake(str(place), 0, "", "file_unreadable", args)]
    return [], [Mistake(str(place), 0, "", "orders_path_missing")]
