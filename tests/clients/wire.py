"""A bare line to an IMAP server: says commands as they stand in a client's habits, literals included."""

from __future__ import annotations

import re
import socket

_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


class Refused(AssertionError):
    """The server did not say OK."""


class Line:
    """One logged-in connection. `told` is the last UID the server named as the place of a new mail (UIDPLUS)."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self._socket = socket.create_connection((host, port), timeout=60)
        self._file = self._socket.makefile("rb")
        self._count = 0
        self.told = 0
        self._file.readline()
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        self.say(f'LOGIN {user} "{quoted}"')

    def say(self, command: str, literal: bytes | None = None) -> list[bytes]:
        """Say it, with a literal at its end if there is one; the untagged answers come back."""
        self._count += 1
        tag = b"c%d" % self._count
        line = tag + b" " + command.encode("ascii")
        if literal is None:
            self._socket.sendall(line + b"\r\n")
        else:
            self._socket.sendall(line + b" {%d}\r\n" % len(literal))
            self._go_ahead(command)
            self._socket.sendall(literal + b"\r\n")
        answers: list[bytes] = []
        while True:
            answer = self._read()
            if not answer.startswith(tag + b" "):
                answers.append(answer)
                self._notice(answer)
                continue
            self._notice(answer)
            if not answer.startswith(tag + b" OK"):
                raise Refused(f"{command!r}: {answer!r}")
            return answers

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def _go_ahead(self, command: str) -> None:
        while not (answer := self._read()).startswith(b"+"):
            if not answer.startswith(b"*"):
                raise Refused(f"{command!r}: {answer!r}")

    def _read(self) -> bytes:
        """One answer, with the literals in it."""
        answer = self._file.readline()
        assert answer, "the server hung up"
        while found := _LITERAL.search(answer):
            answer += self._file.read(int(found[1])) + self._file.readline()
        return answer

    def _notice(self, answer: bytes) -> None:
        found = re.search(rb"\[(?:APPENDUID \d+|COPYUID \d+ [\d:,]+) (\d+)\]", answer)
        if found:
            self.told = int(found[1])
