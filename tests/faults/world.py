"""Everything around the daemons of a campaign: one Dovecot for many users, an SMTP server that keeps what it accepts,
the proxies, and the nursery."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.board import Board, Script
from tests.faults.letters import ADDRESS, orders_of_buyers
from tests.faults.maildir import Maildir, dovecot_owner
from tests.faults.wires import Line, Proxies
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.nursery import Nursery
from tests.servers.sink import Received, Sink

FOLDERS = {"下書き": "\\Drafts", "Sent": "\\Sent", "ゴミ箱": "\\Trash"}
# Many logins a second: processes serve more than one, and nobody counts them.
_QUICK = """
service imap {
  service_count = 500
  process_limit = 300
}
service imap-login {
  service_count = 0
  process_min_avail = 1
  client_limit = 1000
}
"""
_LEAN = (
    "UIDPLUS",
    "MOVE",
    "LITERAL+",
    "MULTIAPPEND",
    "IDLE",
    "CONDSTORE",
    "QRESYNC",
    "NOTIFY",
    "ESEARCH",
    "LIST-STATUS",
)
SERVERS: dict[str, dict[str, Any]] = {
    "usual": {},
    "lean": {"without": _LEAN},
    "files": {},
}
"""`usual` Dovecot; `lean` without everything that is only speed; `files` puts what was sent into Sent by itself."""


def write_files(folder: Path) -> None:
    """What one shop of the stories is configured with; ports and logins come with each order."""
    (folder / "imap.secret").write_text(PASSWORD + "\n")
    (folder / "imap.secret").chmod(0o600)
    (folder / "orders.csv").write_text(orders_of_buyers(), encoding="utf-8")
    (folder / "responder.toml").write_text(
        f"""
[shop]
name = "みなと雑貨店"
language = "ja"
timezone = "Asia/Tokyo"
[state]
url = "sqlite:///state/responder.db"
[[account]]
name = "main"
address = "{ADDRESS}"
aliases = ["support@minato-zakka.example"]
display_name = "みなと雑貨店"
folders = {{ watch = ["INBOX"], approved = "承認", notes = "Responder" }}
quiet_s = 0.05
staff_poll_s = 0.4
poll_s = 1
imap = {{ host = "127.0.0.1", port = 1, tls = "none", username = "u", password_file = "imap.secret" }}
smtp = {{ host = "127.0.0.1", port = 1, tls = "none", username = "u", password_file = "imap.secret" }}
[[orders]]
type = "csv"
path = "orders.csv"
""",
        encoding="utf-8",
    )


@dataclass
class World:
    """One Dovecot of a kind, the sink, the proxies and the nursery; `users` logins are there."""

    kind: str
    users: int
    folder: Path
    dovecot: Dovecot
    sink: Sink
    proxies: Proxies
    nursery: Nursery | None
    taken: dict[str, list[Received]] = field(default_factory=lambda: defaultdict(list))
    """What the sink accepted, by login."""
    _next: int = 0
    _lanes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def new_user(self) -> str:
        with self._lock:
            self._next += 1
            assert self._next <= self.users, "no user is left"
            return f"u{self._next}"

    def maildir(self, user: str) -> Maildir:
        return Maildir(self.dovecot.base / "mail" / user, dovecot_owner())

    def lane(self) -> Lane:
        """Ports of its own for one story after the other."""
        with self._lock:
            self._lanes += 1
            number = self._lanes
        folder = self.folder / f"lane{number}"
        folder.mkdir()
        line = Line(Script(Board(folder / "board", create=True)))
        imap = self.proxies.listen("imap", ("127.0.0.1", self.dovecot.imap_port), line)
        smtp = self.proxies.listen("smtp", ("127.0.0.1", self.sink.port), line)
        return Lane(self, number, folder, line, imap, smtp)


@dataclass
class Lane:
    """A place where one story after the other is played."""

    world: World
    number: int
    folder: Path
    line: Line
    imap_port: int
    smtp_port: int


@contextlib.contextmanager
def world(kind: str, users: int, *, with_nursery: bool = True) -> Iterator[World]:
    """Everything up, and down again afterwards; nothing stays behind. The model needs no processes that die."""
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"))
    options = SERVERS[kind]
    names = [f"u{n}" for n in range(1, users + 1)]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        dovecot = stack.enter_context(Dovecot(users=names, folders=FOLDERS, extra=_QUICK, **options))
        sink = stack.enter_context(Sink(logins=dict.fromkeys(names, PASSWORD)))
        proxies = Proxies()
        stack.callback(proxies.close)
        write_files(folder)
        nursery = Nursery("tests.faults.nursery", str(folder)) if with_nursery else None
        if nursery is not None:
            stack.callback(nursery.stop)
        made = World(kind, users, folder, dovecot, sink, proxies, nursery)

        def keep(mail: Received) -> None:
            made.taken[mail.username].append(mail)
            if kind == "files":
                made.maildir(mail.username).put("Sent", mail.raw, flags="S")

        sink.on_mail = keep
        yield made
