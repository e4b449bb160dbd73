"""A proxy on loopback between the daemon and a server, which knows enough of IMAP and SMTP to name every place of a
conversation, and does there what was planned.

Marks (what is about to pass): `imap C SELECT INBOX` a command, `imap L APPEND Sent` the second half of the client's
literal, `imap P IDLE` a continuation, `imap M UID FETCH body` the second half of a literal of the server, `imap A SELECT INBOX` the
tagged answer; `smtp A connect` the greeting, `smtp C MAIL`, `smtp A MAIL`, `smtp L body` the second half of a body, `smtp D body` its
final dot, `smtp A dot` the answer to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from imapclient.imap_utf7 import decode as decode_utf7

from tests.faults.board import Script

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")
_NAMES_A_MAILBOX = frozenset({"SELECT", "EXAMINE", "STATUS", "APPEND", "CREATE", "SUBSCRIBE"})
_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that pass together; `mark` names the place before them, or is empty. `ends` is True for the last piece of
    a command."""

    data: bytes
    mark: str = ""
    ends: bool = True


class Talk(Protocol):
    """One connection's conversation, cut into pieces."""

    def client(self, data: bytes) -> Iterator[Piece]: ...
    def server(self, data: bytes) -> Iterator[Piece]: ...
    def refusal(self, act: str, mark: str) -> bytes: ...


class ImapTalk:
    def __init__(self) -> None:
        self._tags: dict[bytes, str] = {}
        self._name, self._tag = "", b"*"
        self._from_client, self._from_server = b"", b""
        self._client_literal = self._server_literal = 0
        self._inside = False
        self._greeted = False

    def client(self, data: bytes) -> Iterator[Piece]:
        self._from_client += data
        while self._from_client:
            if self._client_literal:
                if len(self._from_client) < self._client_literal:
                    return
                literal, self._from_client = _split(self._from_client, self._client_literal)
                self._client_literal = 0
                half = len(literal) // 2
                yield Piece(literal[:half], ends=False)
                yield Piece(literal[half:], f"imap L {self._name}", ends=False)
                continue
            if b"\r\n" not in self._from_client:
                return
            line, self._from_client = _split(self._from_client, self._from_client.index(b"\r\n") + 2)
            opened = _LITERAL.search(line)
            self._client_literal = int(opened[1]) if opened else 0
            mark = ""
            if not self._inside:
                if line.upper() == b"DONE\r\n":
                    mark = "imap C DONE"
                elif b" " in line:
                    self._tag, _, rest = line.partition(b" ")
                    self._name = _name_of(rest)
                    self._tags[self._tag] = self._name
                    mark = f"imap C {self._name}"
            self._inside = opened is not None
            yield Piece(line, mark, ends=not self._inside)

    def server(self, data: bytes) -> Iterator[Piece]:
        self._from_server += data
        while self._from_server:
            if self._server_literal:
                if len(self._from_server) < self._server_literal:
                    return
                literal, self._from_server = _split(self._from_server, self._server_literal)
                self._server_literal = 0
                half = len(literal) // 2
                yield Piece(literal[:half])
                yield Piece(literal[half:], f"imap M {self._name}")
                continue
            if b"\r\n" not in self._from_server:
                return
            line, self._from_server = _split(self._from_server, self._from_server.index(b"\r\n") + 2)
            opened = _LITERAL.search(line)
            self._server_literal = int(opened[1]) if opened else 0
            word = line.partition(b" ")[0]
            mark = ""
            if not self._greeted:
                self._greeted, mark = True, "imap A connect"
            elif word == b"+":
                mark = f"imap P {self._name}"
            elif word in self._tags:
                mark = f"imap A {self._tags.pop(word)}"
            yield Piece(line, mark)

    def refusal(self, act: str, mark: str) -> bytes:
        if act == "bye":
            return b"* BYE [UNAVAILABLE] down for maintenance\r\n"
        code = b"[OVERQUOTA]" if act == "overquota" else b"[UNAVAILABLE]"
        return self._tag + b" NO " + code + b" not now\r\n"


class SmtpTalk:
    def __init__(self) -> None:
        self._verb = "connect"
        self._from_client, self._from_server = b"", b""
        self._body = False

    def client(self, data: bytes) -> Iterator[Piece]:
        self._from_client += data
        while self._from_client:
            if self._body:
                end = 0 if self._from_client.startswith(b".\r\n") else self._from_client.find(b"\r\n.\r\n") + 2
                if end == 1:
                    return
                body, self._from_client = _split(self._from_client, end)
                self._body, self._verb = False, "dot"
                yield Piece(body[: end // 2], ends=False)
                yield Piece(body[end // 2 :], "smtp L body", ends=False)
                dot, self._from_client = _split(self._from_client, 3)
                yield Piece(dot, "smtp D body")
                continue
            if b"\r\n" not in self._from_client:
                return
            line, self._from_client = _split(self._from_client, self._from_client.index(b"\r\n") + 2)
            self._verb = line.split()[0].decode("ascii", "replace").upper() if line.split() else "-"
            yield Piece(line, f"smtp C {self._verb}")

    def server(self, data: bytes) -> Iterator[Piece]:
        self._from_server += data
        while b"\r\n" in self._from_server:
            line, self._from_server = _split(self._from_server, self._from_server.index(b"\r\n") + 2)
            last = line[3:4] != b"-"
            if last and self._verb == "DATA" and line.startswith(b"354"):
                self._body = True
            yield Piece(line, f"smtp A {self._verb}" if last else "")

    def refusal(self, act: str, mark: str) -> bytes:
        return {
            "later": b"451 4.7.1 try again later\r\n",
            "never": b"550 5.7.1 not this one\r\n",
            "closing": b"421 4.3.2 closing down\r\n",
        }[act]


def _split(data: bytes, at: int) -> tuple[bytes, bytes]:
    return data[:at], data[at:]


def _name_of(command: bytes) -> str:
    """A command as a short name that is the same in every run: its verb, its mailbox, what it asks for."""
    text = command.decode("utf-8", "replace").strip()
    words = text.split()
    verb = words[0].upper()
    if verb == "UID" and len(words) > 1:
        verb = f"UID {words[1].upper()}"
    if verb in _NAMES_A_MAILBOX:
        return f"{verb} {_mailbox(text)}"
    if verb in ("UID MOVE", "UID COPY"):
        return f"{verb} {_mailbox(text)}"
    if verb == "UID SEARCH":
        asked = words[2].upper() if len(words) > 2 else ""
        return f"{verb} {'new' if asked == 'UID' else ' '.join([asked, *words[3:4]]) if asked == 'HEADER' else asked}"
    if verb == "UID FETCH":
        kind = "header fields" if "HEADER.FIELDS" in text else "body" if "BODY.PEEK" in text else "flags"
        return f"{verb} {kind}"
    if verb == "UID STORE":
        return f"{verb} {' '.join(words[3:])}"
    return verb


def _mailbox(text: str) -> str:
    found = re.search(r'"((?:[^"\\]|\\.)*)"', text)
    return str(decode_utf7(found[1].encode("ascii"))) if found else text.split()[-1]


class _Over(Exception):
    """The connection ends here, in this way."""

    def __init__(self, how: str) -> None:
        self.how = how


@dataclass
class Line:
    """What belongs to one lane: its script, and whom a `kill` kills. `down` refuses every connection."""

    script: Script
    pid: int = 0
    down: bool = False
    on_pass: Callable[[str], None] | None = None
    """Called on the proxy's thread before a marked piece passes: staff or a server that act at this very moment."""
    links: set[asyncio.Task[None]] = field(default_factory=set)

    def signal(self, number: int) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Proxies:
    """All proxies of a campaign, on one loop in one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._servers: list[asyncio.Server] = []
        self._thread.start()

    def listen(self, kind: str, upstream: tuple[str, int], line: Line) -> int:
        """Open a port that leads to `upstream`; its number."""
        return asyncio.run_coroutine_threadsafe(self._listen(kind, upstream, line), self._loop).result(30)

    def drop(self, line: Line) -> None:
        """Cut every connection of a lane."""
        asyncio.run_coroutine_threadsafe(self._drop(line), self._loop).result(30)

    def close(self) -> None:
        async def end() -> None:
            for server in self._servers:
                server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _drop(self, line: Line) -> None:
        tasks = list(line.links)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, kind: str, upstream: tuple[str, int], line: Line) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            line.links.add(task)
            try:
                await _serve(ImapTalk() if kind == "imap" else SmtpTalk(), reader, writer, upstream, line)
            except asyncio.CancelledError:
                writer.transport.abort()
            finally:
                line.links.discard(task)

        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 24)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])


async def _serve(
    talk: Talk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: tuple[str, int], line: Line
) -> None:
    if line.down:
        _reset(writer)
        return
    try:
        up_reader, up_writer = await asyncio.open_connection(*upstream, limit=1 << 24)
    except OSError:
        _reset(writer)
        return
    link = _Link(talk, reader, writer, up_reader, up_writer, line)
    try:
        await link.run()
    finally:
        up_writer.transport.abort()


@dataclass
class _Link:
    """One connection through the proxy."""

    talk: Talk
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    up_reader: asyncio.StreamReader
    up_writer: asyncio.StreamWriter
    line: Line
    swallowing: bool = False

    async def run(self) -> None:
        pumps = [
            asyncio.create_task(self._pump(self.reader, self.talk.client, self.up_writer, from_client=True)),
            asyncio.create_task(self._pump(self.up_reader, self.talk.server, self.writer, from_client=False)),
        ]
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        how = next((task.exception().how for task in done if isinstance(task.exception(), _Over)), "cut")
        if how == "reset":
            _reset(self.up_writer)
            _reset(self.writer)
        elif how == "stall":
            with contextlib.suppress(OSError):
                while await self.reader.read(65536):
                    pass
            self.writer.transport.abort()
        elif how == "alone":
            await self._alone()
        else:
            self.writer.close()

    async def _pump(
        self,
        source: asyncio.StreamReader,
        cut: Callable[[bytes], Iterator[Piece]],
        target: asyncio.StreamWriter,
        *,
        from_client: bool,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                for piece in cut(data):
                    await self._pass(piece, target, from_client=from_client)

    async def _pass(self, piece: Piece, target: asyncio.StreamWriter, *, from_client: bool) -> None:
        if self.swallowing and from_client:
            self.swallowing = not piece.ends
            return
        if piece.mark and self.line.on_pass is not None:
            await asyncio.get_running_loop().run_in_executor(None, self.line.on_pass, piece.mark)
        act = self.line.script.passes(piece.mark) if piece.mark else None
        if act is None:
            await self._write(target, piece.data)
            return
        match act:
            case "cut" | "reset" | "stall":
                raise _Over(act)
            case "cut_after" | "reset_after" | "stall_after":
                await self._write(target, piece.data)
                raise _Over(act.removesuffix("_after"))
            case "kill":
                self.line.signal(signal.SIGKILL)
                raise _Over("cut")
            case "kill_after":
                await self._write(target, piece.data)
                self.line.signal(signal.SIGKILL)
                raise _Over("cut")
            case "term":
                self.line.signal(signal.SIGTERM)
                await asyncio.sleep(0.02)  # let it be in the middle of things
                await self._write(target, piece.data)
            case "lie":  # taken by the server, refused to the client
                await self._write(self.writer, self.talk.refusal("closing", piece.mark))
                raise _Over("cut")
            case _:
                await self._refuse(act, piece, from_client=from_client)

    async def _refuse(self, act: str, piece: Piece, *, from_client: bool) -> None:
        await self._write(self.writer, self.talk.refusal(act, piece.mark))
        if act in ("bye", "closing"):
            raise _Over("cut")
        if piece.mark.startswith("smtp D"):
            raise _Over("alone")
        if from_client:
            self.swallowing = not piece.ends

    async def _alone(self) -> None:
        """The server has gone without a word about the mail; the client is answered as one that lives on would."""
        with contextlib.suppress(OSError):
            while line := await self.reader.readline():
                reply = {b"RSET": b"250 ok\r\n", b"QUIT": b"221 bye\r\n"}.get(line.strip().upper())
                await self._write(self.writer, reply or b"421 4.3.2 closing down\r\n")
                if reply is None or line.strip().upper() == b"QUIT":
                    break
        self.writer.close()

    @staticmethod
    async def _write(target: asyncio.StreamWriter, data: bytes) -> None:
        with contextlib.suppress(OSError):
            target.write(data)
            await target.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    writer.transport.abort()
