"""A tap in an IMAP line: passes every byte on and notes when commands and answers went by.

Runs as a process of its own, so that measuring takes no time from what is measured. Its clock is the system's monotonic
one and can be compared with other processes'.
"""

from __future__ import annotations

import multiprocessing
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Self

_COMMAND = re.compile(rb"^[A-Za-z0-9]+ ((?:UID )?[A-Za-z]+)(?: \"?([^\" \r\n]*))?", re.MULTILINE)
_EXISTS = re.compile(rb"^\* \d+ EXISTS\r\n", re.MULTILINE)
_DONE = re.compile(rb"^[A-Za-z0-9]+ (OK|NO|BAD) ", re.MULTILINE)
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that went by: `what` is a command's name, EXISTS, or OK/NO/BAD after it; `of` is the mailbox an APPEND
    named, or the command that was answered."""

    at: float
    connection: int
    what: str
    of: str = ""


class Tap:
    """Listens on `port` and passes on to a server, from `__enter__` to `__exit__`."""

    def __init__(self, host: str, port: int) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(host, port, theirs), daemon=True
        )
        self.port = 0

    def __enter__(self) -> Self:
        self._process.start()
        self.port = self._ours.recv()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.terminate()
        self._process.join(10)

    def passed(self) -> list[Passed]:
        """Everything that went by so far, in order."""
        self._ours.send(None)
        found: list[Passed] = self._ours.recv()
        return found


def _serve(host: str, port: int, asked: Connection) -> None:
    seen: list[Passed] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        number = 0
        while True:
            client, _ = listening.accept()
            number += 1
            server = socket.create_connection((host, port))
            _Talk(number, seen).start(client, server)

    threading.Thread(target=accept, daemon=True).start()
    asked.send(listening.getsockname()[1])
    while True:
        asked.recv()
        asked.send(list(seen))


class _Talk:
    def __init__(self, number: int, seen: list[Passed]) -> None:
        self.number = number
        self.seen = seen
        self.last = ""

    def start(self, client: socket.socket, server: socket.socket) -> None:
        for source, target, note in ((client, server, self.said), (server, client, self.answered)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_pump, args=(source, target, note), daemon=True).start()

    def said(self, at: float, data: bytes) -> None:
        found = _COMMAND.match(data)
        if found:
            self.last = f"{found[1].decode()} {(found[2] or b'').decode('ascii', 'replace')}".strip()
            self.seen.append(Passed(at, self.number, self.last))

    def answered(self, at: float, data: bytes) -> None:
        if len(data) < _CHUNK and _EXISTS.search(data[-2000:]):
            self.seen.append(Passed(at, self.number, "EXISTS"))
        done = list(_DONE.finditer(data[-2000:]))
        if done:
            self.seen.append(Passed(at, self.number, done[-1][1].decode(), self.last))


def _pump(source: socket.socket, target: socket.socket, note: Callable[[float, bytes], None]) -> None:
    try:
        while data := source.recv(_CHUNK):
            at = time.monotonic()
            target.sendall(data)
            note(at, data)
    except OSError:
        pass
    finally:
        for sock in (source, target):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
