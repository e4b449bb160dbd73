"""The bare loops everything is measured against: what any program that reads the mails and stores the drafts must ask
of the server, and nothing else. Nothing is parsed, decided or remembered.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from responder.model import Server

WINDOW_BYTES = 65536
BATCH = 250
MULTIAPPEND = 20
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


class Line:
    """A raw IMAP connection: a command goes out, its answer comes back as bytes."""

    def __init__(self, server: Server, password: str) -> None:
        self._sock = socket.create_connection((server.host, server.port), timeout=60)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._sock.makefile("rb", buffering=1 << 18)
        self._file.readline()
        self._count = 0
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        self.ask(f'LOGIN "{server.username}" "{quoted}"')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._file.close()
        self._sock.close()

    def ask(self, command: str, *pieces: bytes) -> bytes:
        """Send one command (with what follows it, already as it goes over the line) and read its whole answer."""
        self._count += 1
        tag = b"a%d" % self._count
        self._sock.sendall(b"".join((tag, b" ", command.encode("ascii"), *pieces, b"\r\n")))
        return self._until(tag)

    def idle(self) -> None:
        """Enter IDLE; `wait_for` and `done` belong to it."""
        self._count += 1
        self._sock.sendall(b"a%d IDLE\r\n" % self._count)
        self.wait_for(b"+")

    def wait_for(self, mark: bytes) -> bytes:
        """The next line that holds `mark`."""
        while True:
            line = self._file.readline()
            if not line:
                raise ConnectionError("the server closed the line")
            if mark in line:
                return line

    def done(self) -> None:
        """Leave IDLE."""
        self._sock.sendall(b"DONE\r\n")
        self._until(b"a%d" % self._count)

    def uids(self, criteria: str = "ALL") -> list[int]:
        """The uids a search finds."""
        found = re.search(rb"^\* SEARCH([ \d]*)", self.ask(f"UID SEARCH {criteria}"), re.MULTILINE)
        return [int(uid) for uid in found[1].split()] if found else []

    def append(self, mailbox: str, raws: Sequence[bytes]) -> bytes:
        r"""Store mails in one command, with `\Draft`."""
        letters = [b" (\\Draft) {%d+}\r\n%b" % (len(raw), raw) for raw in raws]
        return self.ask(f'APPEND "{mailbox}"', *letters)

    def count(self, mailbox: str) -> int:
        """How many mails lie in a mailbox."""
        found = re.search(rb"MESSAGES (\d+)", self.ask(f'STATUS "{mailbox}" (MESSAGES)'))
        return int(found[1]) if found else 0

    def _until(self, tag: bytes) -> bytes:
        parts: list[bytes] = []
        while True:
            line = self._file.readline()
            if not line:
                raise ConnectionError("the server closed the line")
            parts.append(line)
            literal = _LITERAL.search(line)
            if literal:
                parts.append(self._file.read(int(literal[1])))
            elif line.startswith(tag + b" "):
                if not line.startswith(tag + b" OK"):
                    raise ConnectionError(line.decode("ascii", "replace"))
                return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Bare:
    """What a bare loop took."""

    wall_s: float
    cpu_s: float
    mails: int
    drafts: int


def read_and_append(server: Server, password: str, draft: bytes, drafts: int, *, at_once: int) -> Bare:
    """Read the first 64 KiB of every mail in INBOX, store `drafts` copies of one draft evenly between, `at_once` in one
    command (1: single APPENDs), and set a flag on every mail, a batch at a time.
    """
    started, cpu = time.monotonic(), time.thread_time()
    stored = 0
    with Line(server, password) as line:
        line.ask("SELECT INBOX")
        uids = line.uids()
        for start in range(0, len(uids), BATCH):
            batch = uids[start : start + BATCH]
            chosen = f"{batch[0]}:{batch[-1]}"
            line.ask(f"UID FETCH {chosen} (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{WINDOW_BYTES}>)")
            due = drafts * (start + len(batch)) // len(uids)
            while stored < due:
                many = min(at_once, due - stored)
                line.append("Drafts", [draft] * many)
                stored += many
            line.ask(f"UID STORE {chosen} +FLAGS.SILENT ($Looked)")
    return Bare(time.monotonic() - started, time.thread_time() - cpu, len(uids), stored)
