"""A tap on the line between a client and a server: every byte the client sends, as it went over the wire."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Tap:
    """Passes connections on to a port of this machine and keeps what the client says."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._said: list[bytes] = []
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_exc: object) -> None:
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(10)

    @property
    def said(self) -> bytes:
        """What the client has sent so far."""
        return b"".join(self._said)

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to_port), timeout=10)
            except OSError:
                return
            self._open += [client, server]
            self._start(self._pass_on, client, server, self._said)
            self._start(self._pass_on, server, client, [])

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket, kept: list[bytes]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                kept.append(data)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
