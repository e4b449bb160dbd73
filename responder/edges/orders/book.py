"""The order book over files: what the newest good data says of each order, found by its id or its buyer.

A file that is broken, half-written, empty or gone never takes an order away; it only yields mistakes. Reading swaps
in a finished index, so questions from other threads always see one whole state.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from responder.edges.orders.cells import Reading
from responder.edges.orders.layouts import DATES, TEXTS
from responder.edges.orders.table import Table, read_table
from responder.errors import ConfigError, Mistake, OrdersUnavailable
from responder.model import Order, order_key

_SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
_MOST_BYTES = 512 * 1024 * 1024
_MOST_FILES = 2_000
_TICK_S = 2.0
_ENDS = frozenset({"shipped", "delivered", "cancelled"})
_BEFORE_SHIPPING = frozenset({"unpaid", "paid", "preparing"})
_FACTS = ("total", *DATES, *TEXTS)


@dataclass
class _File:
    """One file as it was last seen: `table` is the last good data, `mistakes` are those of the last look."""

    seen: tuple[int, int, int] = (0, 0, 0)
    sha256: str = ""
    table: Table | None = None
    mtime_ns: int = 0
    mistakes: tuple[Mistake, ...] = ()
    is_fresh: bool = True


@dataclass(frozen=True)
class _Index:
    """What questions are answered from."""

    orders: Mapping[str, Order] = field(default_factory=dict)
    buyers: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


class FileBook:
    """Orders out of files and folders of files; later sources and newer files go before others."""

    def __init__(self, places: Iterable[tuple[Path, Reading]], *, clock: Callable[[], datetime]) -> None:
        self._places = tuple(places)
        self._clock = clock
        self._files: dict[tuple[int, Path], _File] = {}
        self._index = _Index()
        self._conflicts: tuple[Mistake, ...] = ()
        self._loaded_at: datetime | None = None

    @property
    def loaded_at(self) -> datetime | None:
        """When data was last taken over, or None."""
        return self._loaded_at

    def __len__(self) -> int:
        return len(self._index.orders)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files and folders to watch."""
        return tuple(path for path, _ in self._places)

    def find(self, ids: Sequence[str]) -> tuple[Order, ...]:
        """The known orders of these ids, in the order asked, each once.

        Raises: OrdersUnavailable while there are sources and none could ever be read.
        """
        index = self._ready()
        found = {key: index.orders[key] for key in map(order_key, ids) if key in index.orders}
        return tuple(found.values())

    def of_buyer(self, mail: str) -> tuple[Order, ...]:
        """The orders of a buyer's address, the newest first. Raises: OrdersUnavailable as `find`."""
        index = self._ready()
        keys = index.buyers.get(mail.strip().casefold(), ())
        return tuple(index.orders[key] for key in ((keys,) if isinstance(keys, str) else keys))

    def refresh(self) -> tuple[Mistake, ...]:
        """Takes over what changed; what is wrong with the sources now, until it is put right. Never raises."""
        present: set[tuple[int, Path]] = set()
        mistakes: list[Mistake] = []
        is_changed = False
        now = self._clock()
        for number, (place, reading) in enumerate(self._places):
            paths, found = _files_at(place)
            mistakes += found
            for path in paths:
                present.add((number, path))
                file = self._files.setdefault((number, path), _File())
                is_changed |= _look(file, path, reading, now)
        for key, file in self._files.items():
            if key in present:
                mistakes += file.mistakes
        if is_changed:
            self._rebuild()
        return (*mistakes, *self._conflicts)

    def _ready(self) -> _Index:
        if self._loaded_at is None and self._places:
            raise OrdersUnavailable("no order source could be read yet")
        return self._index

    def _rebuild(self) -> None:
        """A new index: the files from the oldest to the newest, each laid over what is there already."""
        tables = [(file.mtime_ns, str(path), file.table) for (_, path), file in self._files.items() if file.table]
        orders: dict[str, Order] = {}
        told: list[Mistake] = []
        for _, _, table in sorted(tables, key=lambda one: one[:2]):
            if not orders:
                orders = dict(table.orders)
                continue
            for key, order in table.orders.items():
                before = orders.get(key)
                orders[key] = order if before is None else _laid_over(before, order, told)
        self._index = _Index(orders, _by_buyer(orders))
        self._conflicts = tuple(told[:50])
        self._loaded_at = self._clock()


def _by_buyer(orders: Mapping[str, Order]) -> dict[str, str | tuple[str, ...]]:
    """Keys of orders by the buyer's address; one key alone is no tuple, to save a third of the memory."""
    found: dict[str, str | tuple[str, ...]] = {}
    for key, order in orders.items():
        mail = order.buyer_mail
        if mail:
            folded = mail.casefold()
            before = found.get(folded)
            if before is None:
                found[mail if folded == mail else folded] = key
            else:
                found[folded] = (before, key) if isinstance(before, str) else (*before[-199:], key)
    oldest = datetime.min.replace(tzinfo=UTC)
    for mail, keys in found.items():
        if not isinstance(keys, str):
            found[mail] = tuple(sorted(keys, key=lambda key: orders[key].ordered_at or oldest, reverse=True))
    return found


def _files_at(place: Path) -> tuple[list[Path], list[Mistake]]:
    """The order files of a place, in a steady order; a place that is not there is a mistake."""
    try:
        if place.is_dir():
            with os.scandir(place) as entries:
                names = [one.name for one in entries if one.is_file()]
            wanted = [name for name in names if name.lower().endswith(_SUFFIXES) and name[0] not in ".~"]
            return [place / name for name in sorted(wanted)[-_MOST_FILES:]], []
        if place.exists():
            return [place], []
    except OSError as exc:
        args = (("detail", exc.strerror or ""),)
        return [], [Mistake(str(place), 0, "", "file_unreadable", args)]
    return [], [Mistake(str(place), 0, "", "orders_path_missing")]


def _look(file: _File, path: Path, reading: Reading, now: datetime) -> bool:
    """Reads the file if it changed; True if its table is new.

    A file written within two seconds of this look is read again at the next: its time stamp cannot tell (one tick).
    """
    try:
        before = path.stat()
        seen = (before.st_mtime_ns, before.st_size, before.st_ino)
        if file.seen == seen and not file.is_fresh:
            return False
        if before.st_size > _MOST_BYTES:
            file.mistakes = (Mistake(str(path), 0, "", "file_too_large", (("most", str(_MOST_BYTES)),)),)
            return False
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as exc:
        file.seen = (0, 0, 0)
        file.mistakes = (Mistake(str(path), 0, "", "file_unreadable", (("detail", exc.strerror or ""),)),)
        return False
    is_same = sha256 == file.sha256 and seen[0] == file.seen[0]
    file.seen, file.sha256 = seen, sha256
    file.is_fresh = now.timestamp() - before.st_mtime < _TICK_S
    if is_same:
        return False
    as_of = datetime.fromtimestamp(before.st_mtime, UTC)
    try:
        table = read_table(lambda: path.open("rb"), reading, name=str(path), as_of=as_of)
    except ConfigError as exc:
        file.mistakes = exc.mistakes
        return False
    file.mistakes = table.mistakes
    if file.table is not None:
        if 2 * len(table.orders) < len(file.table.orders):
            args = (("before", str(len(file.table.orders))), ("now", str(len(table.orders))))
            file.mistakes += (Mistake(str(path), 0, "", "orders_file_shrunken", args),)
        table = replace(table, orders={**file.table.orders, **table.orders})
    file.table, file.mtime_ns = table, before.st_mtime_ns
    return True


def _laid_over(before: Order, after: Order, told: list[Mistake]) -> Order:
    """What a newer file says, on top of an older one; what the newer file does not say stays as it was.

    Facts that cannot both be true of one order are a conflict: the newer wins, and the order is on hold.
    """
    conflicts = _conflicts(before, after)
    for column, first, found in conflicts:
        args = (
            ("order", after.order_id),
            ("first", first),
            ("found", found),
            ("other", f"{before.source}:{before.line}"),
        )
        told.append(Mistake(after.source, after.line, column, "orders_disagree", args))
    has_status = bool(after.status_word)
    problems = after.problems if has_status else (*before.problems, *after.problems)
    changes: dict[str, object] = {name: getattr(before, name) for name in _FACTS if not getattr(after, name)}
    if not has_status:
        changes |= {"status": before.status, "status_word": before.status_word, "as_of": before.as_of}
    if not after.items:
        changes["items"] = before.items
    if before.extra:
        changes["extra"] = {**before.extra, **after.extra}
    if conflicts:
        problems = (*problems, "orders_disagree")
    changes["problems"] = tuple(dict.fromkeys(problems))
    return replace(after, **changes)  # type: ignore[arg-type]


def _conflicts(before: Order, after: Order) -> list[tuple[str, str, str]]:
    """Column, older and newer value of each fact that cannot have changed that way."""
    found = [
        (name, getattr(before, name), getattr(after, name))
        for name in ("buyer_mail", "channel", "currency")
        if getattr(before, name) and getattr(after, name)
        if getattr(before, name).casefold() != getattr(after, name).casefold()
    ]
    went_back = before.status in _ENDS and after.status in _BEFORE_SHIPPING
    if went_back or (before.status == "cancelled" and after.status in ("shipped", "delivered")):
        found.append(("status", before.status_word, after.status_word))
    return found
