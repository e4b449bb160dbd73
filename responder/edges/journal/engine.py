"""Opens the journal's database and gives transactions of two strengths.

`durable` survives a power cut once it has returned (SQLite: WAL with synchronous=FULL); `light` survives a killed
process and is for what the mail server can tell again. Never decides anything.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from responder.errors import PermanentError, TemporaryError

HEAD = "0008"
WAL_TRIES = 100
LOCK_TRIES = 5


class JournalUnavailable(TemporaryError):
    """The journal could not be read or written: the act that needs it does not begin."""


class JournalInUse(PermanentError):
    """Another process works with this journal."""


class Journal:
    """The journal's database. Safe to share between threads; each transaction belongs to one."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        """`create` False: a journal that is not there yet is unavailable instead of being made.

        Raises: JournalUnavailable if its file cannot be made.
        """
        self.url = url
        parsed = make_url(url)
        self._is_sqlite = parsed.get_backend_name() == "sqlite"
        self.file = Path(parsed.database) if self._is_sqlite and parsed.database else None
        """The database file, or None for a server."""
        self._lock: int | None = None
        if create:
            self._prepare_file()
        self._full = self._engine("FULL")
        self._normal = self._engine("NORMAL") if self._is_sqlite else self._full
        self._reading = self._normal.execution_options(reading=True)

    def _prepare_file(self) -> None:
        """The file exists with mode 0600 before anything is written to it: it holds buyers' addresses."""
        if self.file is None:
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.file.exists():
                os.close(os.open(self.file, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as exc:
            raise JournalUnavailable(exc.strerror or type(exc).__name__) from exc

    def _engine(self, synchronous: str) -> Engine:
        if not self._is_sqlite:
            return create_engine(self.url, pool_pre_ping=True)
        engine = create_engine(self.url, connect_args={"timeout": 30, "check_same_thread": False})

        @event.listens_for(engine, "connect")
        def _settings(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            for pragma in ("busy_timeout=30000", f"synchronous={synchronous}", "foreign_keys=ON", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
            _write_ahead(connection)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            # A transaction that will write says so at once: no upgrade of a read lock, no SQLITE_BUSY half-way.
            immediate = not connection.get_execution_options().get("reading")
            raw: Any = connection.connection.dbapi_connection  # asking SQLAlchemy costs ten times the statement itself
            raw.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")

        return engine

    @contextmanager
    def durable(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block ends. Raises JournalUnavailable."""
        with self._transaction(self._full) as connection:
            yield connection

    @contextmanager
    def light(self) -> Iterator[Connection]:
        """A transaction for what can be rebuilt from the mail server. Raises JournalUnavailable."""
        with self._transaction(self._normal) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises JournalUnavailable."""
        with self._transaction(self._reading) as connection:
            yield connection

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        if self.file is not None and not self.file.exists():
            raise JournalUnavailable("missing")
        try:
            with engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as exc:
            raise JournalUnavailable(type(exc).__name__) from exc

    def upgrade(self) -> None:
        """Bring the tables to the newest shape; a journal newer than this program is refused by Alembic."""
        with self.reading() as connection:
            known = inspect(connection).has_table("alembic_version")
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
        if version == HEAD:
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
        try:
            with self._full.connect() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.commit()
        except (SQLAlchemyError, sqlite3.Error) as exc:
            raise JournalUnavailable(type(exc).__name__) from exc

    def empty_log(self) -> None:
        """Bring what was written since into the database file and empty the write-ahead log: what was taken out of
        the tables stands there no longer. Where a reader is in the way it stays until the next time.

        Raises: JournalUnavailable.
        """
        if self._is_sqlite:
            try:
                with contextlib.closing(self._normal.raw_connection()) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except (SQLAlchemyError, sqlite3.Error) as exc:
                raise JournalUnavailable(type(exc).__name__) from exc

    def take(self) -> bool:
        """Make this process the only one that works with the journal, until `close`: two would both see an approval.

        False where the database cannot tell (PostgreSQL): there claims in the tables keep two apart.
        Raises: JournalInUse, JournalUnavailable.
        """
        if self.file is None:
            return False
        try:
            lock = os.open(self.file.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise JournalUnavailable(exc.strerror or type(exc).__name__) from exc
        for attempt in range(LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                if attempt == LOCK_TRIES - 1:
                    os.close(lock)
                    raise JournalInUse(str(self.file)) from exc
                sleep(0.05)  # somebody may only be asking `is_taken`
            else:
                break
        self._lock = lock
        return True

    def is_taken(self) -> bool | None:
        """True if a process works with the journal now; None where the database cannot tell."""
        if self.file is None:
            return None
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(self.file.with_suffix(".lock"), os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(lock)
        return False

    def close(self) -> None:
        """Give all database connections back, and the journal to whoever wants it next."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._full.dispose()
        self._normal.dispose()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL. SQLite does not wait where another process opens it at this moment, so we do."""
    for attempt in range(WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if attempt == WAL_TRIES - 1:
                raise
            sleep(0.05)
