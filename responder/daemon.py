"""When things happen: one selector for all waiting connections, a small pool that works on the ready ones, timers,
signals and reload. Decides nothing about mail.

A connection has one owner at a time: the selector while it waits, one worker while it works. Sending has a pool of its
own, so that a slow SMTP server keeps no mailbox waiting.
"""

from __future__ import annotations

import contextlib
import logging
import random
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from types import FrameType
from typing import Literal

from responder.collector import resting
from responder.config import AccountSettings, Settings
from responder.edges.files import FileWatch
from responder.edges.journal import Journal, JournalUnavailable, drafts, notes
from responder.edges.orders import OrderBook
from responder.edges.supervisor import Supervisor
from responder.errors import (
    CertificateRefused,
    CommandRefused,
    ConfigError,
    ConnectionLost,
    FolderMissing,
    LoginRefused,
    Mistake,
    ResponderError,
    TemporaryError,
)
from responder.flows.auto_replies import send_receipts
from responder.flows.bulletin import Bulletin
from responder.flows.desk import Desk
from responder.flows.forgetting import forget_bodies
from responder.flows.owed_file import take_over
from responder.flows.parcels import say
from responder.flows.sending import send, settle_owed
from responder.flows.turn import Turn, open_desk, take_turn
from responder.model import Parcel

log = logging.getLogger("responder")

WORKERS = 8
SENDERS = 4
WAREHOUSE = "[parcel_stop]"
RECEIPTS = "[auto_reply]"
PAUSE_FIRST_S = 1.0
PAUSE_MOST_S = 300.0
PAUSE_REFUSED_S = 1800.0
STOP_WITHIN_S = 60.0
# No turn takes this long: every answer of a server has its own limit. The supervisor is then left to end us.
STUCK_S = 1800.0
ORDERS_EVERY_S = 60.0
ANNOUNCE_EVERY_S = 30.0
FORGET_EVERY_S = 24 * 3600.0

EX_OK, EX_CANTSTART, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 0, 1, 75, 77, 78


@dataclass(slots=True)
class Post:
    """One account in the daemon: its desk (None until logged in), who owns its connection, and when it is next due."""

    name: str
    desk: Desk | None = None
    owner: Literal["selector", "worker", "nobody"] = "nobody"
    due: float = 0.0
    failures: int = 0
    first_failure: Exception | None = None
    ever_connected: bool = False
    poked: bool = False
    at_work_since: float = 0.0


def utc_now() -> datetime:
    """What the clock of this machine says."""
    return datetime.now(UTC)


def since_boot() -> float:
    """Seconds that nobody can set, sleep of the machine included where the system counts it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else monotonic()


class Daemon:
    """The running program. `settings` is replaced whole by a reload; each turn works with one value of it."""

    def __init__(
        self,
        settings: Settings,
        orders: OrderBook,
        *,
        reload_settings: Callable[[Settings], Settings],
        clock: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] | None = None,
        workers: int = WORKERS,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.settings = settings
        self.orders = orders
        self.journal = Journal(settings.state_url)
        self._reload_settings = reload_settings
        self._clock = clock
        # A clock of the caller's own may run as it likes, unless he gives the seconds it is to be compared with.
        self._steady = since_boot if clock is utc_now else steady
        self._posts = {account.name: Post(account.name) for account in settings.accounts}
        self._ready: SimpleQueue[str] = SimpleQueue()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="account")
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="send")
        self._sending: dict[tuple[str, str], Future[None]] = {}
        self._stopping = threading.Event()
        self._supervisor = supervisor or Supervisor({})
        self._shown = ""
        self.reloads = 0
        self.left_sending = False
        """After `run`: a server still owes an answer; whoever ends the process must not wait for it."""
        self._orders_due = monotonic() + ORDERS_EVERY_S
        self._bulletin = Bulletin(self.journal, clock, self._announce_soon)
        self._forget_due = monotonic() + ORDERS_EVERY_S
        self._announce_due = 0.0
        self._announcing: Future[None] | None = None
        self._wishes_read = False

    # --- running ----------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Work until told to stop; returns the exit code. 77 or 78 if no account could ever be opened.

        Raises: JournalInUse.
        """
        alone = self.journal.take()
        self.journal.upgrade()
        if alone:
            # Whoever held a claim is gone. Where others may be at work (PostgreSQL) claims end by themselves.
            with self.journal.durable() as tx:
                for name in self._posts:
                    drafts.release_claims(tx, name)
        self._bulletin.open()
        files = FileWatch(self._watched_paths(), self._on_files_changed)
        files.start()
        log.info("started", extra={"action": "started", "accounts": len(self._posts)})
        self._supervisor.ready(f"{len(self._posts)} account(s)")
        try:
            while not self._stopping.is_set():
                self._show_life()
                self._start_due_turns()
                for key, _ in self._selector.select(self._pause()):
                    if key.data is None:
                        self._drain_wake()
                    else:
                        self._start_turn(self._posts[key.data])
                self._take_back_finished()
                code = self._hopeless()
                if code is not None:
                    self._announce()
                    return code
        finally:
            files.stop()
            self._wind_up()
        return EX_OK

    def stop(self) -> None:
        """Ask for an orderly end; safe from any thread and from a signal."""
        self._stopping.set()
        self._wake()

    def install_signals(self) -> None:
        """TERM and INT stop, HUP reloads, USR1 writes the state to the log. For the main thread only."""

        def on_stop(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        def on_reload(_number: int, _frame: FrameType | None) -> None:
            threading.Thread(target=self.reload, name="reload").start()

        def on_status(_number: int, _frame: FrameType | None) -> None:
            for post in self._posts.values():
                extra = {"action": "status", "account": post.name, "owner": post.owner, "failures": post.failures}
                log.info("status", extra=extra)

        signal.signal(signal.SIGTERM, on_stop)
        signal.signal(signal.SIGINT, on_stop)
        signal.signal(signal.SIGHUP, on_reload)
        signal.signal(signal.SIGUSR1, on_status)

    def poke(self, name: str) -> None:
        """Let an account take a turn now; safe from any thread."""
        self._ready.put(f"poke:{name}")
        self._wake()

    def _show_life(self) -> None:
        """Tell the supervisor how many accounts wait for better times, and that nothing hangs, if nothing does."""
        waiting = sum(post.failures > 0 for post in self._posts.values())
        shown = f"{len(self._posts)} account(s), {waiting} waiting for their server"
        if shown != self._shown:
            self._shown = shown
            self._supervisor.status(shown)
        at_work = [post for post in self._posts.values() if post.owner == "worker"]
        if all(monotonic() - post.at_work_since < STUCK_S for post in at_work):
            self._supervisor.alive()

    # --- turns ------------------------------------------------------------------------------------------------------

    def _start_due_turns(self) -> None:
        now = monotonic()
        for post in self._posts.values():
            if post.owner != "worker" and post.due <= now:
                self._start_turn(post)
        if not self._wishes_read and any(post.ever_connected for post in self._posts.values()):
            self._wishes_read = True
            self._workers.submit(self._read_wishes)
        if self._orders_due <= now:
            self._orders_due = now + ORDERS_EVERY_S
            self._workers.submit(self._refresh_orders)
        if self._forget_due <= now:
            self._forget_due = now + FORGET_EVERY_S
            self._workers.submit(self._forget)
        if self._announce_due <= now and (self._announcing is None or self._announcing.done()):
            self._announce_due = now + ANNOUNCE_EVERY_S
            self._announcing = self._senders.submit(self._announce)

    def _start_turn(self, post: Post) -> None:
        if post.owner == "worker":
            return
        if post.owner == "selector" and post.desk is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(post.desk.session.sock)
        post.owner = "worker"
        post.at_work_since = monotonic()
        post.poked = False
        self._workers.submit(self._work, post)

    def _work(self, post: Post) -> None:
        """One turn on a worker thread: whatever happens, the account comes back with a time at which it is due."""
        try:
            turn = self._turn(post)
            post.failures = 0
            post.first_failure = None
            post.ever_connected = True
            self._bulletin.turn_went_well(post.name)
            post.due = monotonic() + turn.wake_s
        except (LoginRefused, CertificateRefused, FolderMissing, ConfigError) as exc:
            self._failed(post, exc, PAUSE_REFUSED_S)
        except (TemporaryError, CommandRefused, OSError) as exc:
            pause = min(PAUSE_FIRST_S * 2**post.failures, PAUSE_MOST_S)
            self._failed(post, exc, pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
        except Exception as exc:  # ours: one account's fault must not stop the others; it is told and tried again
            last = traceback.extract_tb(exc.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            log.exception("turn_failed", extra={"action": "turn_failed", "account": post.name, "where": where})
            self._failed(post, exc, min(PAUSE_FIRST_S * 2**post.failures, PAUSE_MOST_S))
        finally:
            # Also after a turn whose line broke: what it had claimed by then goes out.
            self._submit(post)
            self._ready.put(post.name)
            self._wake()

    def _turn(self, post: Post) -> Turn:
        settings = self.settings
        account = settings.account(post.name)
        if account is None:
            raise ConfigError((Mistake("responder.toml", 0, "account", "account_gone", (("name", post.name),)),))
        fresh = post.desk is None or post.desk.session.lost
        if fresh:
            post.desk = open_desk(account, settings, self.journal, self.orders, self._clock, post.desk, self._steady)
            with self.journal.light() as tx:
                notes.save_fact(tx, post.name, "state", {"state": "connected", "error": None})
        desk = post.desk
        if desk is None:
            raise TypeError("open_desk gave no desk")
        desk.settings = settings
        return take_turn(desk, self._clock(), after_connect=fresh)

    def _failed(self, post: Post, exc: Exception, pause_s: float) -> None:
        post.failures = min(post.failures + 1, 12)
        post.first_failure = post.first_failure or exc
        self._bulletin.turn_failed(post.name, exc, self.settings, post.desk)
        post.due = monotonic() + pause_s
        if post.desk is not None:
            post.desk.session.close()
            post.desk.forget_everything_seen()
        extra = {
            "action": "account_waits",
            "account": post.name,
            "error": type(exc).__name__,
            "pause_s": round(pause_s, 1),
            "failures": post.failures,
        }
        log.warning("account_waits", extra=extra)
        with contextlib.suppress(JournalUnavailable), self.journal.light() as tx:
            notes.save_fact(tx, post.name, "state", {"state": "waiting", "error": type(exc).__name__})

    def _take_back_finished(self) -> None:
        """Connections whose turn is over go back to the selector; those that were poked are due at once."""
        while True:
            try:
                name = self._ready.get_nowait()
            except Empty:
                return
            if name.startswith("poke:"):
                post = self._posts.get(name.removeprefix("poke:"))
                if post is not None:
                    post.poked = True
                    if post.owner != "worker":
                        post.due = 0.0
                continue
            post = self._posts[name]
            post.owner = "nobody"
            desk = post.desk
            if desk is not None and not desk.session.lost and desk.session.idling:
                self._selector.register(desk.session.sock, selectors.EVENT_READ, name)
                post.owner = "selector"
            if post.poked:
                post.due = 0.0

    # --- sending ----------------------------------------------------------------------------------------------------

    def _submit(self, post: Post) -> None:
        """Hand the outbox to the sending pool, one batch for each server at a time: one login serves many mails, and a
        server that keeps us waiting holds up its own mails only."""
        desk = post.desk
        if desk is None:
            return

        def job(batch: Sequence[Parcel]) -> None:
            try:
                send(desk, batch, self._stopping.is_set)
            except Exception:  # ours: on a thread nobody waits for; the journal knows what was begun
                log.exception("sending_failed", extra={"action": "sending_failed", "account": post.name})

        for by in sorted({parcel.by for parcel in desk.outbox}):
            under_way = self._sending.get((post.name, by))
            if under_way is not None and not under_way.done():
                continue
            batch = [parcel for parcel in desk.outbox if parcel.by == by]
            desk.outbox = [parcel for parcel in desk.outbox if parcel.by != by]
            future = self._sending[post.name, by] = self._senders.submit(job, batch)
            future.add_done_callback(lambda _: self._sent_a_batch(post.name))
        if desk.words:
            self._tell_warehouse(post, desk)
        if desk.receipts:
            self._send_receipts(post, desk)

    def _tell_warehouse(self, post: Post, desk: Desk) -> None:
        """Hand what the warehouse is to be told to the sending pool."""
        under_way = self._sending.get((post.name, WAREHOUSE))
        if under_way is not None and not under_way.done():
            return
        words, desk.words = desk.words, []
        desk.saying |= {word.id for word in words}

        def job() -> None:
            try:
                say(desk, words, self._stopping.is_set)
            except Exception:  # ours: on a thread nobody waits for; what was begun is asked about
                log.exception("parcel_failed", extra={"action": "parcel_failed", "account": post.name})

        future = self._sending[post.name, WAREHOUSE] = self._senders.submit(job)
        future.add_done_callback(lambda _: self.poke(post.name))

    def _send_receipts(self, post: Post, desk: Desk) -> None:
        """Hand the receipts that need no approval to the sending pool."""
        under_way = self._sending.get((post.name, RECEIPTS))
        if under_way is not None and not under_way.done():
            return
        receipts, desk.receipts = desk.receipts, []
        desk.replying |= {receipt.id for receipt in receipts}

        def job() -> None:
            try:
                send_receipts(desk, receipts, self._stopping.is_set)
            except Exception:  # ours: on a thread nobody waits for; what was begun is asked about
                log.exception("auto_reply_failed", extra={"action": "auto_reply_failed", "account": post.name})

        future = self._sending[post.name, RECEIPTS] = self._senders.submit(job)
        future.add_done_callback(lambda _: self.poke(post.name))

    def _sent_a_batch(self, name: str) -> None:
        self.poke(name)
        self._announce_soon()

    def _forget(self) -> None:
        try:
            forget_bodies(self.journal, self.settings.keep_bodies_days, self._clock())
        except JournalUnavailable:
            log.warning("not_forgotten", extra={"action": "not_forgotten"})

    # --- files ------------------------------------------------------------------------------------------------------

    def _watched_paths(self) -> list[Path]:
        """Rules, templates and orders. Of responder.toml only incidents and perks are taken over."""
        own = [self.settings.file] if self.settings.file is not None else []
        return [*own, *self.settings.pack_paths, *self.settings.order_paths, *self.settings.owe_paths]

    def _on_files_changed(self, changed: frozenset[Path]) -> None:
        """Orders and wishes are read again by themselves; anything else is taken over with them."""
        order_paths, owe_paths = self.settings.order_paths, self.settings.owe_paths
        others = changed - set(owe_paths)
        if others and all(any(path == place or place in path.parents for place in order_paths) for path in others):
            self._refresh_orders()
        elif others:
            self.reload()
        self._read_wishes()

    def reload(self) -> None:
        """Take over changed files, whole or not at all; mistakes go to the log and to staff."""
        self._refresh_orders()
        try:
            with resting(again=True):
                self.settings = self._reload_settings(self.settings)
        except ConfigError as exc:
            self._bulletin.mistakes("rules", exc.mistakes, self.settings)
            return
        except ResponderError:
            log.exception("reload_failed", extra={"action": "reload_failed"})
            return
        self._bulletin.in_order("rules")
        self.reloads += 1
        log.info("reloaded", extra={"action": "reloaded", "rules": len(self.settings.rulebook.rules)})

    def _refresh_orders(self) -> None:
        try:
            mistakes = self.orders.refresh()
        except ResponderError:
            log.exception("orders_failed", extra={"action": "orders_failed"})
            return
        if mistakes:
            self._bulletin.mistakes("orders", mistakes, self.settings)
        else:
            self._bulletin.in_order("orders")

    def _read_wishes(self) -> None:
        """Note what the watched file wants buyers to be told."""
        try:
            accounts, mistakes = take_over(
                self.journal, self.settings, self.orders, self.settings.owe_paths, clock=self._clock
            )
        except ResponderError as exc:
            log.warning("wishes_wait", extra={"action": "wishes_wait", "error": type(exc).__name__})
            return
        if mistakes:
            self._bulletin.mistakes("wishes", mistakes, self.settings)
        else:
            self._bulletin.in_order("wishes")
        for name in accounts:
            self.poke(name)

    # --- what staff are told of ourselves ---------------------------------------------------------------------------

    def _announce_soon(self) -> None:
        self._announce_due = 0.0
        self._wake()

    def _announce(self) -> None:
        """Say what is due to be said; on a sending thread, since some of it goes by mail, or at the end."""
        connected = [
            post.name
            for post in self._posts.values()
            if post.failures == 0 and post.desk is not None and not post.desk.session.lost
        ]
        sending = {name for (name, _), future in self._sending.items() if not future.done()}
        for name in self._bulletin.publish(self.settings, connected, sending):
            self.poke(name)

    # --- start and end ----------------------------------------------------------------------------------------------

    def _hopeless(self) -> int | None:
        """An exit code if no account could ever be opened and no waiting will change that."""
        posts = list(self._posts.values())
        if not posts or any(p.ever_connected or p.owner == "worker" or p.first_failure is None for p in posts):
            return None
        failures = [p.first_failure for p in posts]
        if all(isinstance(f, LoginRefused) for f in failures):
            return EX_NOPERM
        if all(isinstance(f, (LoginRefused, CertificateRefused, FolderMissing, ConfigError)) for f in failures):
            return EX_CONFIG
        return None

    @property
    def failures(self) -> dict[str, Exception]:
        """Why accounts could not be opened, by account name."""
        return {p.name: p.first_failure for p in self._posts.values() if p.first_failure is not None}

    def _wind_up(self) -> None:
        """Finish the SMTP transactions in hand, close every connection, give the journal back."""
        log.info("stopping", extra={"action": "stopping"})
        self._supervisor.stopping()
        deadline = monotonic() + STOP_WITHIN_S
        self._workers.shutdown(wait=True, cancel_futures=True)
        for future in self._sending.values():
            with contextlib.suppress(Exception):  # its own end has logged it; here only the time counts
                future.result(timeout=max(0.1, deadline - monotonic()))
        self.left_sending = any(not future.done() for future in self._sending.values())
        self._senders.shutdown(wait=False, cancel_futures=True)
        for post in self._posts.values():
            if post.desk is not None:
                post.desk.session.close()
                post.desk.owed |= {parcel.key: (parcel, None) for parcel in post.desk.outbox}
                if not post.desk.owed_lock.locked():
                    with contextlib.suppress(JournalUnavailable):
                        settle_owed(post.desk, tries=max(1, int(deadline - monotonic())))
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()
        self.journal.close()
        log.info("stopped", extra={"action": "stopped"})

    def _pause(self) -> float:
        now = monotonic()
        waiting = [post.due - now for post in self._posts.values() if post.owner != "worker"]
        watched = self._supervisor.watchdog_s
        longest = 60.0 if watched is None else min(60.0, watched / 3)
        under_way = self._announcing is not None and not self._announcing.done()
        announcing = [] if under_way else [self._announce_due - now]
        return max(0.0, min([*waiting, self._orders_due - now, *announcing, longest]))

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_out.send(b".")

    def _drain_wake(self) -> None:
        with contextlib.suppress(OSError):
            while self._wake_in.recv(4096):
                pass


__all__ = ["AccountSettings", "ConnectionLost", "Daemon"]
