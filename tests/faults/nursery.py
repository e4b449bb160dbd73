"""Daemons that start at once (`python -m tests.faults.nursery FOLDER`): they run the real `Daemon` with short pauses and
time-outs, and die or find the disk full at the journal's commits where their script says so. The product knows nothing
of this.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from responder import daemon, logs
from responder.config import Settings, load
from responder.core.compose import draft_bytes, text_of
from responder.core.proof import Paper, Text
from responder.core.texts import hidden_links
from responder.edges.imap import Session
from responder.edges.journal import Journal, JournalInUse, JournalUnavailable
from responder.edges.orders import OrderBook, open_book
from responder.edges.smtp import submit_batch
from responder.flows import drafting, filing, sending, staff, turn
from responder.flows.explain import explain_mail
from tests.faults.board import Board, Fault, Script
from tests.faults.letters import BUYERS, letter
from tests.servers.nursery import serve
from tests.servers.once import once

READ_S = 2.0
"""How long the daemon waits for an answer: what a stall costs. Long enough for a busy machine."""
FULL_DISK_S = 1.5


def short_times(read_s: float = READ_S) -> None:
    """Minutes become parts of a second. What is compared with one another keeps its order."""
    Session.connect.__func__.__kwdefaults__.update(connect_timeout_s=read_s, read_timeout_s=read_s)
    Session.done.__kwdefaults__.update(answer_s=read_s)
    submit_batch.__kwdefaults__.update(connect_timeout_s=read_s, command_timeout_s=read_s, answer_timeout_s=read_s)
    daemon.PAUSE_FIRST_S, daemon.PAUSE_MOST_S, daemon.PAUSE_REFUSED_S, daemon.STOP_WITHIN_S = 0.03, 0.2, 0.3, 4.0
    sending.RETRY_MINUTES = (0.002, 0.004, 0.01)
    sending.sleep = lambda _s: time.sleep(0.01)
    filing.ASK_AFTER, filing.ASK_LATE_AFTER = timedelta(seconds=0.3), timedelta(seconds=0.5)
    filing.SERVER_FILES_WITHIN = timedelta(seconds=0.4)
    turn.TROUBLE_PAUSE_S = 0.1
    drafting.REFUSED_PAUSE = timedelta(seconds=0.2)
    staff.VANISHED_AFTER = timedelta(seconds=1)


class Commits:
    """Names every writing transaction by who makes it, and does there what is planned."""

    def __init__(self, script: Script, trace: Path) -> None:
        self.script, self.trace, self.full_until = script, trace, 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within the block."""
        real = Journal._transaction

        @contextmanager
        def wrapped(journal: Journal, database: Any) -> Iterator[Any]:
            if database is journal._reading:
                with real(journal, database) as connection:
                    yield connection
                return
            mark = f"commit {_who()}"
            with real(journal, database) as connection:
                yield connection
                act = self.at(mark)
            if act == "kill_after":
                os.kill(os.getpid(), signal.SIGKILL)

        with patch.object(Journal, "_transaction", wrapped):
            yield

    def at(self, mark: str) -> str | None:
        act = self.script.passes(mark)
        with self.trace.open("a", encoding="utf-8") as file:
            file.write(self.script.trace[-1] + "\n")
        match act:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "term":
                os.kill(os.getpid(), signal.SIGTERM)
            case "full":
                raise sqlite3.OperationalError("database or disk is full")
            case "full_long":
                self.full_until = time.monotonic() + FULL_DISK_S
        if time.monotonic() < self.full_until:
            raise sqlite3.OperationalError("database or disk is full")
        return act


def _who() -> str:
    """The innermost function of the flows or the daemon on the stack."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("responder.") and not name.endswith("journal.engine"):
            return f"{name.removeprefix('responder.').removeprefix('flows.')}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "?"


def run_daemon(order: dict[str, Any], base: Settings) -> int:
    """The daemon for one shop."""
    folder = Path(order["folder"])
    (folder / "state").mkdir(exist_ok=True)
    short_times(order.get("read_s", READ_S))
    script = Script(Board(folder / "board"), tuple(Fault.read(name) for name in order["faults"]))
    log = (folder / "log.jsonl").open("a", encoding="utf-8")
    if not order["here"]:
        os.dup2(log.fileno(), 2)
    logs.set_up(stream=log, as_json=True)
    faulthandler.register(signal.SIGUSR2, file=log, all_threads=True)
    account = base.accounts[0]
    assert account.smtp is not None
    account = replace(
        account,
        imap=replace(account.imap, port=order["imap_port"], username=order["user"]),
        smtp=replace(account.smtp, port=order["smtp_port"], username=order["user"]),
        poll_s=0.5,
        **order.get("account", {}),
    )
    settings = replace(
        base,
        directory=folder,
        state_url=f"sqlite:///{folder / 'state' / 'responder.db'}",
        accounts=(account,),
        orders=tuple(replace(one, path=folder / "orders.csv") for one in base.orders),
    )
    book = open_book(settings.orders)
    book.refresh()
    offset = folder / "clock"

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(offset.read_text()) if offset.exists() else 0.0)

    try:
        with Commits(script, folder / "commits.txt").watched():
            return _run(settings, book, clock)
    except (JournalInUse, JournalUnavailable):
        return 75  # as `responder run`


def _run(settings: Settings, book: OrderBook, clock: Callable[[], datetime]) -> int:
    running = daemon.Daemon(settings, book, reload_settings=lambda now: now, clock=clock, steady=daemon.since_boot)
    running.install_signals()
    return running.run()


def warm_up(base: Settings) -> None:
    """Read, decide, write and proofread once, so that no child has to build what all of them share."""
    book = open_book(base.orders)
    book.refresh()
    for _, name, address, text in BUYERS.values():
        raw = letter(text, name=name, address=address, message_id="<warm@mail.example>")
        explained = explain_mail(raw, file="", settings=base, orders=book, now=datetime.now(UTC))
        if explained.letter is not None:
            draft = draft_bytes(
                explained.letter, message_id="<warm@x.example>", case_token="warm", now=datetime.now(UTC)
            )
            paper = Paper(
                channel=base.channels[0],
                language="ja",
                order=None,
                order_id=None,
                shop_name=base.shop.name,
                signature=base.shop.signature,
                ours=text_of(draft),
            )
            base.proofreader.read(Text(explained.letter.subject, text_of(draft), hidden_links(draft)), paper)


def main() -> None:
    folder = Path(sys.argv[1])
    with once():
        base = load(folder, env=os.environ)
        warm_up(base)
        serve(partial(run_daemon, base=base))


if __name__ == "__main__":
    main()
