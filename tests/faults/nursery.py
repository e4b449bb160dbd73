"""Starts daemons quickly: a process that has everything imported and loaded, and forks one for each order on its
standard input (`python -m tests.faults.nursery FOLDER`). A line of JSON in, lines of JSON out: pid, then exit code.

The children run the real `Daemon` with short pauses and time-outs, and die or find the disk full at the journal's
commits where their script says so. The product knows nothing of this.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from responder import daemon, logs
from responder.config import Settings, load
from responder.core.compose import draft_bytes, text_of
from responder.core.proof import Paper, Text
from responder.core.texts import hidden_links
from responder.edges.imap import Session
from responder.edges.journal import Journal, JournalInUse, JournalUnavailable, engine
from responder.edges.orders import OrderBook, open_book
from responder.edges.smtp import submit_batch
from responder.flows import drafting, filing, sending, staff, turn
from responder.flows.explain import explain_mail
from tests.faults.board import Board, Fault, Script
from tests.faults.letters import BUYERS, letter

READ_S = 2.0
"""How long the daemon waits for an answer: what a stall costs. Long enough for a busy machine."""
FULL_DISK_S = 1.5


def short_times(read_s: float = READ_S) -> None:
    """Minutes become parts of a second. What is compared with one another keeps its order."""
    Session.connect.__func__.__kwdefaults__.update(connect_timeout_s=read_s, read_timeout_s=read_s)  # type: ignore[attr-defined]
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

    def install(self) -> None:
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

        engine.Journal._transaction = wrapped  # type: ignore[method-assign]

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
        frame = frame.f_back  # type: ignore[assignment]
    return "?"


def run_daemon(order: dict[str, Any], base: Settings) -> int:
    """In the child: the daemon for one shop."""
    folder = Path(order["folder"])
    (folder / "state").mkdir(exist_ok=True)
    short_times(order.get("read_s", READ_S))
    script = Script(Board(folder / "board"), tuple(Fault.read(name) for name in order["faults"]))
    Commits(script, folder / "commits.txt").install()
    log = (folder / "log.jsonl").open("a", encoding="utf-8")
    os.dup2(log.fileno(), 2)
    logs.set_up(stream=log, as_json=True)
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


def template(folder: Path, base: Settings) -> Path:
    """An empty journal of the newest shape: making one costs more than a story."""
    path = folder / "template.db"
    if not path.exists():
        journal = Journal(f"sqlite:///{path}")
        journal.upgrade()
        journal.close()
        Path(f"{path}-wal").unlink(missing_ok=True)
        Path(f"{path}-shm").unlink(missing_ok=True)
    return path


def main() -> None:
    folder = Path(sys.argv[1])
    base = load(folder, env=os.environ)
    empty = template(folder, base)
    warm_up(base)
    gc.freeze()
    _say({"ready": os.getpid()})
    running: dict[int, int] = {}
    wake_in, wake_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_out, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(wake_in, selectors.EVENT_READ)
    rest = b""
    while True:
        for key, _ in selector.select():
            if key.fd == wake_in:
                os.read(wake_in, 4096)
                continue
            data = os.read(0, 65536)
            if not data:
                for pid in running:
                    os.kill(pid, signal.SIGKILL)
                return
            rest += data
            while b"\n" in rest:
                line, _, rest = rest.partition(b"\n")
                order = json.loads(line)
                pid = _fork(order, base, empty, selector)
                running[pid] = order["lane"]
                _say({"lane": order["lane"], "pid": pid})
        while running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            _say({"lane": running.pop(pid), "pid": pid, "exit": os.waitstatus_to_exitcode(status)})


def _fork(order: dict[str, Any], base: Settings, empty: Path, selector: selectors.BaseSelector) -> int:
    journal = Path(order["folder"]) / "state" / "responder.db"
    if not journal.exists() and order.get("template", True):
        journal.parent.mkdir(exist_ok=True)
        shutil.copy(empty, journal)
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        selector.close()
        devnull = os.open(os.devnull, os.O_RDWR)
        os.dup2(devnull, 0)
        os.dup2(devnull, 1)
        code = run_daemon(order, base)
    except SystemExit as exc:
        code = int(exc.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)
    raise AssertionError


def _say(what: dict[str, Any]) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())


if __name__ == "__main__":
    main()
