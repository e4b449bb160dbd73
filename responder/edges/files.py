"""Telling when watched files changed: rules, templates, orders.

The operating system's events only wake us up; what counts is a comparison of names, times and sizes, made anyway every
second or two, so that network folders and swapped inodes are seen too. A change is told once the files have come to
rest. Never opens a file.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import watchfiles

log = logging.getLogger("responder")

_MOST_FILES = 20_000
_DEPTH = 4
Snapshot = Mapping[str, tuple[int, int, int]]


class FileWatch:
    """A thread that calls `changed` with the paths that are new, gone or different, once they rest for `rest_s`.

    `paths` are files and folders (four levels deep), which need not exist yet. `changed` runs on the watch's own
    thread; what it raises is logged and the watch goes on. `poll_s` is the time between two looks without events.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        changed: Callable[[frozenset[Path]], None],
        *,
        rest_s: float = 0.3,
        poll_s: float = 2.0,
        use_events: bool = True,
    ) -> None:
        self._paths = tuple(dict.fromkeys(Path(path) for path in paths))
        self._changed = changed
        self._rest_s = rest_s
        self._poll_s = poll_s
        self._use_events = use_events
        self._source: Iterator[object] | None = None
        self._watched: tuple[Path, ...] = ()
        self._stop = threading.Event()
        self._seen = snapshot(self._paths)
        self._thread = threading.Thread(target=self._run, name="file-watch", daemon=True)

    def start(self) -> None:
        """Begins to watch; changes since the value was made are told too."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ends the thread; no call of `changed` begins afterwards."""
        self._stop.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wait()
            self._tell()

    def _tell(self) -> None:
        """Compares; when something differs, waits for rest and calls `changed`."""
        before, now = self._seen, snapshot(self._paths)
        if now == before:
            return
        waited = 0.0
        while not self._stop.wait(self._rest_s):
            again = snapshot(self._paths)
            waited += self._rest_s
            if again == now or waited > 20 * self._rest_s:
                break
            now = again
        if self._stop.is_set():
            return
        self._seen = now
        different = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
        if not different:
            return
        try:
            self._changed(frozenset(map(Path, different)))
        except Exception:  # ours: a reload that fails must not end the watching; what was loaded stays in use
            log.exception("reload failed", extra={"action": "reload_failed"})

    def _wait(self) -> None:
        """Until an event, or `poll_s` at the latest."""
        if self._use_events:
            try:
                next(self._events(), None)
                return
            except (OSError, RuntimeError) as exc:
                self._use_events, self._source = False, None
                log.info("no file events, polling", extra={"action": "watch_polls", "detail": type(exc).__name__})
        self._stop.wait(self._poll_s)

    def _events(self) -> Iterator[object]:
        """The system's events of the folders there are now; begun anew when other folders are to be watched."""
        wanted = folders(self._paths)
        if self._source is None or self._watched != wanted:
            self._watched = wanted
            self._source = watchfiles.watch(
                *wanted,
                watch_filter=None,
                debounce=100,
                step=50,
                stop_event=self._stop,
                rust_timeout=max(50, int(self._poll_s * 1000)),
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
            )
        return self._source


def snapshot(paths: Iterable[Path]) -> Snapshot:
    """Time, size and inode of every watched file that is there now."""
    found: dict[str, tuple[int, int, int]] = {}
    for path in paths:
        for entry in _files(path):
            try:
                stat = os.stat(entry)
            except OSError:
                continue
            found[entry] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if len(found) >= _MOST_FILES:
                return found
    return found


def folders(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The folders whose events tell of the watched paths: they themselves, or the nearest that exists above them."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found[path] = None
            for folder, _ in _walk(str(path)):
                found[Path(folder)] = None
        else:
            above = next((one for one in path.absolute().parents if one.is_dir()), None)
            if above is not None:
                found[above] = None
    return tuple(found)


def _files(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return
    for _, files in _walk(str(path)):
        yield from files


def _walk(top: str, depth: int = _DEPTH) -> Iterator[tuple[str, list[str]]]:
    """Each folder with its files; hidden names are left out."""
    try:
        with os.scandir(top) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
            below = [entry.path for entry in visible if entry.is_dir()]
            files = [entry.path for entry in visible if not entry.is_dir()]
    except OSError:
        return
    yield top, files
    if depth > 1:
        for folder in below:
            yield from _walk(folder, depth - 1)
