"""Approved drafts on their way out through the real daemon, against bare loops on the same servers.

`sent` looks at SMTP alone: mails per second between the first and the last acceptance, against aiosmtplib on one reused
connection. `filed` looks at the whole way, from the look at which the daemon finds all drafts in Approved until each is
sent, copied to Sent, its mail marked and the draft gone, against the same commands given bare and one by one.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import sqlite3
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import aiosmtplib

from bench.loops import Line
from bench.report import Row
from bench.stage import Running, fill_inbox, workplace, write_corpus, write_shop
from responder.model import Server
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.sink import Sink

FIRST_LOOK_MS = "SELECT CAST((julianday(min(approved_at)) - 2440587.5) * 86400000 AS INTEGER) FROM draft"
OPTIONS: dict[str, Any] = {
    "since": "3650d",
    "quiet_s": 0,
    "staff_poll_s": 2,
    "sends_per_minute": 100_000,
    "sends_per_day": 100_000,
}


def measure(mails: int) -> list[Row]:
    """The rows for about `mails` approved drafts."""
    with workplace() as place, Dovecot(users=["shop", "bare"]) as dovecot, SinkProcess() as sink:
        corpus = write_corpus(place / "mails", mails * 5 // 3)
        for user in ("shop", "bare"):
            fill_inbox(dovecot, user, corpus.files)
        shop = write_shop(
            place / "shop", "shop", corpus.orders, imap_port=dovecot.imap_port, smtp_port=sink.port, **OPTIONS
        )
        with Running(shop) as daemon:
            daemon.wait_until(
                lambda: (
                    daemon.count("SELECT count(*) FROM mail WHERE state != 'seen'") >= len(corpus.files)
                    and not daemon.count("SELECT count(*) FROM draft WHERE state = 'drafting'")
                ),
                within_s=300,
            )
            drafts = daemon.count("SELECT count(*) FROM draft WHERE state = 'drafted'")
            with Line(dovecot.imap("shop"), PASSWORD) as staff:
                staff.ask("SELECT Drafts")
                staff.ask('UID MOVE 1:* "Approved"')
            daemon.wait_until(
                lambda: daemon.count("SELECT count(*) FROM draft WHERE state = 'filed'") >= drafts, within_s=600
            )
            filed_s = time.time() - daemon.count(FIRST_LOOK_MS) / 1000
        times, raws, connections = sink.received()
        sent_s = times[-1] - times[0]
        bare_sent_s = _bare_sends(sink.server("bare"), raws)
        bare_filed_s = _bare_filing(dovecot, sink.server("bare"), place, raws)
    count = len(raws)
    return [
        Row(
            f"{count} approved drafts: sent",
            f"{(count - 1) / sent_s:.0f} /s",
            f"{(count - 1) / bare_sent_s:.0f} /s",
            sent_s / bare_sent_s,
            "",
        ),
        Row(
            "  sent, copied, marked, draft removed",
            f"{filed_s / count * 1e3:.2f} ms each",
            f"{bare_filed_s / count * 1e3:.2f} ms each",
            filed_s / bare_filed_s,
            "<= 1.5 x",
        ),
        Row("  SMTP connections", str(connections), "1", target=f"{-(-count // 100)}"),
    ]


class SinkProcess:
    """An SMTP server in a process of its own that notes when it accepted each mail."""

    def __init__(self) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(target=_sink, args=(theirs,), daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._process.start()
        self.port = self._ours.recv()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.terminate()
        self._process.join(10)

    def server(self, username: str) -> Server:
        """Where and how to submit."""
        return Server("127.0.0.1", self.port, "none", username)

    def received(self) -> tuple[list[float], list[bytes], int]:
        """When each mail was accepted, its bytes, and over how many connections they came."""
        self._ours.send(None)
        found: tuple[list[float], list[bytes], int] = self._ours.recv()
        return found


class _Stamped(list[Any]):
    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def append(self, mail: Any) -> None:
        self.times.append(time.monotonic())
        super().append(mail)


def _sink(asked: Connection) -> None:
    with Sink(logins={"shop": PASSWORD, "bare": PASSWORD}) as sink:
        mails = _Stamped()
        sink.mails = mails
        asked.send(sink.port)
        while True:
            asked.recv()
            asked.send((mails.times, [mail.raw for mail in mails], sink.connections))


def _bare_sends(server: Server, raws: list[bytes]) -> float:
    """Seconds from the first to the last acceptance of these mails by one reused connection."""

    async def run() -> float:
        async with _client(server) as client:
            times = []
            for raw in raws:
                await client.sendmail("shop@example.jp", ["buyer@buyer.example"], raw)
                times.append(time.monotonic())
            return times[-1] - times[0]

    return asyncio.run(run())


def _bare_filing(dovecot: Dovecot, server: Server, place: Path, raws: list[bytes]) -> float:
    r"""Seconds to send each mail, copy it to Sent, set `\Answered`, remove a draft, with two commits each."""

    async def run(line: Line, journal: sqlite3.Connection) -> float:
        began = time.monotonic()
        async with _client(server) as client:
            for number, raw in enumerate(raws, 1):
                _commit(journal, number, "sending")
                await client.sendmail("shop@example.jp", ["buyer@buyer.example"], raw)
                _commit(journal, number, "sent")
                line.ask('APPEND "Sent" (\\Seen)', b" {%d+}\r\n%b" % (len(raw), raw))
                line.ask("SELECT INBOX")
                line.ask(f"UID STORE {number} +FLAGS.SILENT (\\Answered)")
                line.ask("SELECT Drafts")
                line.ask(f"UID STORE {number} +FLAGS.SILENT (\\Deleted)")
                line.ask(f"UID EXPUNGE {number}")
        return time.monotonic() - began

    with (
        Line(dovecot.imap("bare"), PASSWORD) as line,
        contextlib.closing(sqlite3.connect(place / "bare.db")) as journal,
    ):
        for start in range(0, len(raws), 20):
            line.append("Drafts", raws[start : start + 20])
        journal.execute("PRAGMA journal_mode=WAL")
        journal.execute("PRAGMA synchronous=FULL")
        journal.execute("CREATE TABLE draft (id INTEGER, state TEXT)")
        return asyncio.run(run(line, journal))


def _commit(journal: sqlite3.Connection, number: int, state: str) -> None:
    with journal:
        journal.execute("INSERT INTO draft VALUES (?, ?)", (number, state))


def _client(server: Server) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=PASSWORD,
        start_tls=False,
        local_hostname="bench.example",
    )
