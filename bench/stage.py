"""The stage of every measurement: a Dovecot with filled mailboxes, a shop's configuration, and the real daemon as a
process of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from bench.corpus import SHOP, orders_csv, write_mails
from tests.servers.dovecot import PASSWORD, Dovecot

TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A temporary directory on the file system Dovecot keeps its mail on, readable by Dovecot's user."""
    with TemporaryDirectory(prefix="bench-", dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@dataclass(frozen=True, slots=True)
class Corpus:
    """Mails as files in the way Dovecot's delivery agent writes them, and the orders they speak of."""

    files: tuple[Path, ...]
    orders: tuple[Mapping[str, str], ...]
    wanting_a_draft: int
    megabytes: float


def write_corpus(directory: Path, count: int, *, seed: int = 1) -> Corpus:
    """Generate `count` mails into a folder; no more than one is in memory at a time."""
    directory.mkdir()
    files: list[Path] = []
    orders: list[Mapping[str, str]] = []
    wanting, size_bytes = 0, 0
    for number, mail in enumerate(write_mails(count, seed=seed)):
        seconds, size = int(mail.arrived_at.timestamp()), len(mail.raw)
        path = directory / f"{seconds}.M{number:06d}P1.bench,S={size},W={size}"
        path.write_bytes(mail.raw)
        if os.getuid() == 0:
            shutil.chown(path, "dovecot", "dovecot")
        os.utime(path, (seconds, seconds))
        files.append(path)
        orders += [mail.order] if mail.order is not None else []
        wanting += mail.wants_draft
        size_bytes += size
    return Corpus(tuple(files), tuple(orders), wanting, size_bytes / 1e6)


def fill_inbox(dovecot: Dovecot, user: str, files: Sequence[Path]) -> None:
    """Give a user who never logged in an INBOX with these mails: links to the files, no copies."""
    home = dovecot.base / "mail" / user
    for folder in (home, *(home / name for name in ("cur", "new", "tmp"))):
        folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(folder, "dovecot", "dovecot")
    for file in files:
        os.link(file, home / "cur" / f"{file.name}:2,")


def write_shop(
    directory: Path,
    user: str,
    orders: Iterable[Mapping[str, str]],
    *,
    imap_port: int,
    smtp_port: int = 1,
    **options: object,
) -> Path:
    """A shop's configuration for one account; `options` are further keys of its `[[account]]` table."""
    directory.mkdir()
    (directory / "orders.csv").write_text(orders_csv(orders), encoding="utf-8")
    login = f'host = "127.0.0.1", tls = "none", username = "{user}", password_env = "BENCH_PASSWORD"'
    account = "\n".join(f"{key} = {_toml(value)}" for key, value in options.items())
    (directory / "responder.toml").write_text(
        f"""\
[shop]
name = "みなと雑貨店"
language = "ja"
timezone = "Asia/Tokyo"

[[account]]
name = "main"
address = "{SHOP}"
imap = {{ {login}, port = {imap_port} }}
smtp = {{ {login}, port = {smtp_port} }}
folders = {{ approved = "Approved" }}
{account}

[[orders]]
type = "csv"
path = "orders.csv"
""",
        encoding="utf-8",
    )
    return directory


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


@dataclass(slots=True)
class Running:
    """The daemon as a process. Its figures are read from the system, its progress from its journal.

    `wrapper` is put before its command line: a profiler, say.
    """

    directory: Path
    wrapper: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; its log goes to a file."""
        program = (sys.executable, "-c", "from responder.cli import main; main()")
        with (self.directory / "log.jsonl").open("ab") as log:
            self.started_at = time.monotonic()
            self.process = subprocess.Popen(
                (*self.wrapper, *program, "run", "--config", str(self.directory)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "BENCH_PASSWORD": PASSWORD},
            )

    def stop(self) -> None:
        """End it as an operator does, at the latest after a minute by force."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process = None

    def wait_until(self, is_done: Callable[[], bool], *, within_s: float, every_s: float = 0.05) -> float:
        """Seconds since the start until `is_done`. Raises RuntimeError with the end of the log."""
        while not is_done():
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"the daemon ended by itself\n{self.log_end()}")
            if time.monotonic() - self.started_at > within_s:
                raise RuntimeError(f"not done within {within_s:.0f} s\n{self.log_end()}")
            time.sleep(every_s)
        return time.monotonic() - self.started_at

    def count(self, query: str) -> int:
        """A number out of its journal; 0 while there is none."""
        path = self.directory / "state" / "responder.db"
        if not path.exists():
            return 0
        try:
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as journal:
                return int(journal.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def log_end(self) -> str:
        """The last lines it logged."""
        return "\n".join((self.directory / "log.jsonl").read_text(errors="replace").splitlines()[-20:])

    @property
    def peak_mb(self) -> float:
        """Its peak resident memory (VmHWM: `ru_maxrss` of a child may show its parent's)."""
        return self._status("VmHWM") / 1024

    @property
    def cpu_s(self) -> float:
        """Processor time of all its threads so far, start-up included."""
        pid = self.process.pid if self.process is not None else 0
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def _status(self, name: str) -> int:
        pid = self.process.pid if self.process is not None else 0
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        return 0
