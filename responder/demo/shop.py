"""The shop of the demo: its files in a temporary folder and the real daemon on a thread, at work on them."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from responder.config import load, load_pack
from responder.config.pack import default_pack_dir
from responder.daemon import Daemon
from responder.demo.clock import DayClock
from responder.demo.day import Day, orders_csv
from responder.demo.servers import EmbeddedServers
from responder.demo.staff import Folders
from responder.edges.journal import JournalUnavailable, mails
from responder.edges.orders import open_book
from responder.logs import HumanLine
from responder.model import Language, Mail, Order

USER, PASSWORD, BUYER = "shop", "demo", "buyer"
ACCOUNT = "main"
LOG_LINES = 80
STOP_S = 60.0


class Shop:
    """Files, daemon and log of the demo's shop, from `__enter__` to `__exit__`."""

    def __init__(
        self,
        folder: Path,
        day: Day,
        servers: EmbeddedServers,
        clock: DayClock,
        language: Language,
        quiet_s: int,
        *,
        own_pack: bool = False,
    ) -> None:
        self.folder = folder
        self.quiet_s = quiet_s
        self.name = day.names[language]
        self.folders = Folders("Drafts", day.approved[language], "Sent", "Trash", "Responder")
        self.orders: dict[str, Mapping[str, str | int]] = dict(day.orders)
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.failure: BaseException | None = None
        self._write_files(day, servers, language, quiet_s)
        self.write_orders(clock())
        if own_pack:
            shutil.copy(default_pack_dir() / "rules.toml", folder)
            shutil.copytree(default_pack_dir() / "templates", folder / "templates")
        settings = load(folder, env=os.environ)
        self._book = open_book(settings.orders, index=settings.orders_index)
        self._book.refresh()
        self.daemon = Daemon(settings, self._book, reload_settings=load_pack, clock=clock)
        self._thread = threading.Thread(target=self._work, name="daemon", daemon=True)
        self._keeper = _Keeper(self.log, clock)

    def __enter__(self) -> Self:
        self._keeper.begin()
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.daemon.stop()
        self._thread.join(STOP_S)
        self._keeper.end()

    def watches(self) -> bool:
        """True once the daemon knows where INBOX and Sent end: what comes now is its to answer."""
        try:
            with self.daemon.journal.reading() as tx:
                return all(mails.find_cursor(tx, ACCOUNT, mailbox) for mailbox in ("INBOX", self.folders.sent))
        except JournalUnavailable:
            return False

    def decided(self, message_id: str) -> Mail | None:
        """What the daemon made of a mail, or None as long as it has not decided."""
        with self.daemon.journal.reading() as tx:
            return next((m for m in mails.with_message_id(tx, ACCOUNT, message_id) if m.action), None)

    def order(self, order_id: str) -> Order | None:
        """The order as the daemon knows it now."""
        return next(iter(self._book.find([order_id])), None)

    def write_orders(self, now: datetime) -> None:
        """Write the order export anew, as the shop's system does."""
        fresh = self.folder / "orders.tmp"
        fresh.write_text(orders_csv(self.orders.values(), now), encoding="utf-8")
        fresh.replace(self.folder / "orders.csv")

    def _write_files(self, day: Day, servers: EmbeddedServers, language: Language, quiet_s: int) -> None:
        secret = self.folder / "password"
        secret.touch(0o600)
        secret.write_text(PASSWORD + "\n", encoding="ascii")
        signature = day.signatures[language].replace("\n", "\\n")
        imap, smtp = servers.imap(USER), servers.smtp(USER)
        (self.folder / "responder.toml").write_text(
            f"""[shop]
name = "{self.name}"
language = "{language}"
timezone = "Asia/Tokyo"
signature = "{signature}"

[[account]]
name = "{ACCOUNT}"
address = "{day.address}"
folders = {{ watch = ["INBOX"], approved = "{self.folders.approved}", notes = "{self.folders.notes}" }}
quiet_s = {quiet_s}
staff_poll_s = 0.2
imap = {{ host = "{imap.host}", port = {imap.port}, tls = "none", username = "{USER}", password_file = "password" }}
smtp = {{ host = "{smtp.host}", port = {smtp.port}, tls = "none", username = "{USER}", password_file = "password" }}

[[orders]]
type = "csv"
path = "orders.csv"
""",
            encoding="utf-8",
        )

    def _work(self) -> None:
        try:
            code = self.daemon.run()
            if code:
                self.failure = next(iter(self.daemon.failures.values()), RuntimeError(f"exit code {code}"))
        except BaseException as exc:  # on a thread: the demo asks for it and shows it
            self.failure = exc


class _Keeper(logging.Handler):
    """Keeps the last lines of the daemon's log in memory instead of printing them, as long as the demo runs."""

    def __init__(self, lines: deque[str], clock: DayClock) -> None:
        super().__init__()
        self._lines = lines
        self._clock = clock
        self._logger = logging.getLogger("responder")
        self._before = (self._logger.handlers[:], self._logger.level, self._logger.propagate)
        self.setFormatter(HumanLine())

    def begin(self) -> None:
        """Take the log over."""
        self._logger.handlers[:] = [self]
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False

    def end(self) -> None:
        """Give the log back as it was."""
        self._logger.handlers[:], self._logger.level, self._logger.propagate = self._before

    def emit(self, record: logging.LogRecord) -> None:
        record.created = self._clock().timestamp()  # the time the steps are told with
        self._lines.append(self.format(record))
        if record.exc_info:
            self._lines.extend(logging.Formatter().formatException(record.exc_info).splitlines()[-6:])
