"""An IMAP server that says exactly what a test tells it to, for answers no real server gives on demand."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from typing import Self

from responder.model import Server

_WAIT_S = 30.0


class Line:
    """The server's end of one connection, used by the script in its own thread."""

    def __init__(self, sock: socket.socket, heard: list[bytes]) -> None:
        self.sock = sock
        self._heard = heard
        self._buffer = b""

    def send(self, data: bytes | str) -> None:
        """Write as it is; a `\\n` alone becomes CRLF."""
        raw = data.encode() if isinstance(data, str) else data
        self.sock.sendall(re.sub(rb"(?<!\r)\n", b"\r\n", raw))

    def read_line(self) -> bytes:
        """One line of the client without its end, or b"" when it has gone."""
        while b"\r\n" not in self._buffer:
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        self._heard.append(line)
        return line

    def read_bytes(self, count: int) -> bytes:
        """So many bytes of a literal."""
        while len(self._buffer) < count:
            piece = self.sock.recv(65536)
            if not piece:
                break
            self._buffer += piece
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        self._heard.append(data)
        return data

    def expect(self, command: str) -> str:
        """Read a command that starts so (after its tag); its tag comes back."""
        line = self.read_line().decode("ascii", "replace")
        tag, _, rest = line.partition(" ")
        assert rest.upper().startswith(command.upper()), f"expected {command}, heard {line!r}"
        return tag

    def answer(self, command: str, untagged: str | bytes = b"", end: str = "OK done") -> None:
        """Expect a command and answer it."""
        tag = self.expect(command)
        self.send(untagged)
        self.send(f"{tag} {end}\n")

    def greet(self, capabilities: str = "", *, first: str = "OK ready") -> None:
        """Greeting, the client's first CAPABILITY, LOGIN, and what it may do afterwards."""
        self.send(f"* {first}\n")
        self.answer("CAPABILITY", "* CAPABILITY IMAP4rev1\n")
        self.answer("LOGIN", end=f"OK [CAPABILITY IMAP4rev1 {capabilities}] in")

    def select(self, *, exists: int = 0, uidvalidity: int = 7, uidnext: int = 1) -> None:
        """Answer a SELECT."""
        self.answer(
            "SELECT",
            f"* {exists} EXISTS\n* 0 RECENT\n* FLAGS (\\Seen)\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\n"
            f"* OK [UIDVALIDITY {uidvalidity}] x\n* OK [UIDNEXT {uidnext}] x\n",
            end="OK [READ-WRITE] open",
        )

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def wait_for_end(self) -> None:
        """Read until the client goes away, politely or not."""
        while line := self.read_line():
            tag, _, rest = line.partition(b" ")
            if rest.upper() == b"LOGOUT":
                self.send(b"* BYE\n" + tag + b" OK bye\n")


class ScriptedImap:
    """Runs one script per connection, in the order given; `failures` holds what went wrong in them."""

    def __init__(self, *scripts: Callable[[Line], None]) -> None:
        self.heard: list[bytes] = []
        self.failures: list[BaseException] = []
        self._scripts = list(scripts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_WAIT_S)
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, name="scripted-imap", daemon=True)
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_exc: object) -> None:
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_WAIT_S)
        if kind is None and self.failures:
            raise self.failures[0]

    def server(self, username: str = "shop") -> Server:
        """Where and how to log in."""
        return Server("127.0.0.1", self.port, "none", username)

    def _serve(self) -> None:
        for script in self._scripts:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(_WAIT_S)
            self._open.append(sock)
            line = Line(sock, self.heard)
            try:
                script(line)
            except OSError:
                pass  # the client hung up first
            except AssertionError as exc:
                self.failures.append(exc)
            finally:
                line.close()
                sock.close()
