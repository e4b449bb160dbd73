"""From the server's EXISTS to the draft on the server, one mail at a time, against the bare sequence of the same steps.

Both go through a tap that notes when EXISTS and the answer to APPEND went by: the server's own delay before it tells
of a mail (Dovecot: up to 500 ms) does not count. The bare sequence is what cannot be left out: DONE, FETCH, the intent
committed to disk, APPEND, the result committed; it reads and decides nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from bench.corpus import WANTING_A_DRAFT, write_mails
from bench.loops import WINDOW_BYTES, Line
from bench.report import Row
from bench.stage import Running, fill_inbox, workplace, write_corpus, write_shop
from bench.tap import Passed, Tap
from responder.model import Server
from tests.servers.dovecot import PASSWORD, Dovecot

SEED = 2
FIRST = 500_000
WITHIN_S = 20.0


def measure(mails: int, open_drafts: int) -> list[Row]:
    """The rows for `mails` that come one by one into a shop where about `open_drafts` drafts wait already."""
    with workplace() as place, Dovecot(users=["shop", "bare"]) as dovecot, Tap("127.0.0.1", dovecot.imap_port) as tap:
        corpus = write_corpus(place / "mails", open_drafts * 5 // 3)
        fill_inbox(dovecot, "shop", corpus.files)
        coming = [m for m in write_mails(mails * 3, seed=SEED, first=FIRST) if m.wish in WANTING_A_DRAFT][:mails]
        orders = [*corpus.orders, *(m.order for m in coming if m.order is not None)]
        shop = write_shop(place / "shop", "shop", orders, imap_port=tap.port, since="3650d")
        with Running(shop) as daemon:
            drafted = "SELECT count(*) FROM draft WHERE state = 'drafted'"
            decided = "SELECT count(*) FROM mail WHERE state != 'seen'"
            daemon.wait_until(lambda: daemon.count(decided) >= len(corpus.files) and _is_idle(tap), within_s=300)
            waiting = daemon.count(drafted)
            bare = threading.Thread(
                target=_bare, args=(Server("127.0.0.1", tap.port, "none", "bare"), place, mails), daemon=True
            )
            bare.start()
            time.sleep(1)
            ours, theirs, commands = [], [], []
            for number, mail in enumerate(coming):
                since = time.monotonic()
                dovecot.deliver("shop", mail.raw, sender=mail.sender)
                daemon.wait_until(
                    lambda n=number: daemon.count(drafted) > waiting + n,
                    within_s=600,
                )
                seen = _until_stored(tap, since)
                daemon.wait_until(lambda: _is_idle(tap), within_s=600)
                ours.append(seen[-1].at - seen[0].at)
                commands.append(sum(p.what not in ("EXISTS", "OK", "NO", "BAD") for p in seen))
                since = time.monotonic()
                dovecot.deliver("bare", mail.raw, sender=mail.sender)
                seen = _until_stored(tap, since)
                theirs.append(seen[-1].at - seen[0].at)
            bare.join(WITHIN_S)
    return [
        Row(
            f"wake-up to draft, {waiting} drafts open: p50",
            f"{median(ours) * 1e3:.1f} ms",
            f"{median(theirs) * 1e3:.1f} ms",
            median(ours) / median(theirs),
            "<= 10 ms, <= 2.5 x",
        ),
        Row("  p99", f"{_p99(ours) * 1e3:.1f} ms", f"{_p99(theirs) * 1e3:.1f} ms", target="<= 30 ms"),
        Row("  commands from EXISTS to APPEND", f"{median(commands):.0f}", "3"),
    ]


def _bare(server: Server, place: Path, mails: int) -> None:
    draft = b"From: shop@example.jp\r\nSubject: Re\r\n\r\n" + (b"x" * 70 + b"\r\n") * 25
    with Line(server, PASSWORD) as line, contextlib.closing(sqlite3.connect(place / "bare.db")) as journal:
        journal.execute("PRAGMA journal_mode=WAL")
        journal.execute("PRAGMA synchronous=FULL")
        journal.execute("CREATE TABLE draft (id INTEGER PRIMARY KEY, raw BLOB, state TEXT)")
        line.ask("SELECT INBOX")
        for number in range(1, mails + 1):
            line.idle()
            line.wait_for(b"EXISTS")
            line.done()
            line.ask(f"UID FETCH {number}:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{WINDOW_BYTES}>)")
            with journal:
                journal.execute("INSERT INTO draft VALUES (?, ?, 'drafting')", (number, draft))
            line.append("Drafts", [draft])
            with journal:
                journal.execute("UPDATE draft SET state = 'drafted' WHERE id = ?", (number,))


def _until_stored(tap: Tap, since: float) -> list[Passed]:
    """What went by from the EXISTS to the OK of the APPEND to Drafts, on that connection."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        passed = [p for p in tap.passed() if p.at >= since]
        stored = _first(passed, lambda p: p.what == "OK" and p.of.startswith("APPEND Drafts"))
        if stored is not None:
            here = [p for p in passed if p.connection == stored.connection and p.at <= stored.at]
            told = _first(here, lambda p: p.what == "EXISTS")
            if told is not None:
                return [p for p in here if p.at >= told.at]
        time.sleep(0.02)
    raise RuntimeError("no draft was stored")


def _is_idle(tap: Tap) -> bool:
    """True if the daemon, the first to connect, waits for mail."""
    said = [p for p in tap.passed() if p.connection == 1 and p.what not in ("EXISTS", "OK", "NO", "BAD")]
    return bool(said) and said[-1].what == "IDLE"


def _first(passed: list[Passed], fits: Callable[[Passed], bool]) -> Passed | None:
    return next((p for p in passed if fits(p)), None)


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]
