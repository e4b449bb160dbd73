"""One turn of one account: everything that is due for it now, in order, then back to waiting."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from responder.config import AccountSettings, Settings
from responder.edges.imap import Folder, Session, locate, spell
from responder.edges.journal import Journal, drafts, mails, notes
from responder.edges.orders import OrderBook
from responder.errors import CommandRefused, FolderMissing, OrdersUnavailable
from responder.flows.arrivals import on_arrivals
from responder.flows.auto_replies import look_after as look_after_receipts
from responder.flows.calling import look_for_silence
from responder.flows.clocks import on_clock
from responder.flows.commands import on_commands
from responder.flows.desk import Desk, log
from responder.flows.drafting import resolve_intents
from responder.flows.filing import on_sent
from responder.flows.jumps import notice_jump
from responder.flows.owing import write_owed
from responder.flows.parcels import look_after
from responder.flows.sending import on_approved, settle_owed
from responder.flows.staff import on_staff
from responder.flows.tell import deliver_notes
from responder.flows.troubles import begins, works
from responder.flows.weekly import on_week
from responder.model import Reason

IDLE_MAX_S = 9 * 60
QUIET_ACCOUNT_POLL_S = 300.0
POLL_PER_ACCOUNT_S = 0.3
TROUBLE_PAUSE_S = 30.0
SUBSCRIBED = "subscribed"


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn leaves behind, besides the desk's outbox: after how many seconds to come back at the latest."""

    wake_s: float


def open_desk(
    account: AccountSettings,
    settings: Settings,
    journal: Journal,
    orders: OrderBook,
    clock: Callable[[], datetime],
    before: Desk | None,
    steady: Callable[[], float] | None = None,
) -> Desk:
    """Log in, find the folders, make ours; keeps what `before` remembers of mails in hand.

    Raises: ConnectionLost, LoginRefused, CertificateRefused, FolderMissing, CommandRefused.
    """
    session = Session.connect(account.imap, account.imap_secret)
    try:
        folders = session.folders()
        roles = {"drafts": account.drafts, "sent": account.sent, "trash": account.trash}
        located = locate(folders, {role: name for role, name in roles.items() if name})
        account = replace(
            account,
            watch=tuple(_present(name, folders) for name in account.watch),
            approved=spell(account.approved, folders),
            notes=spell(account.notes, folders),
        )
        listed = {folder.name for folder in folders}
        for name in (account.approved, account.notes):
            if name not in listed:
                session.create(name)
        account = replace(account, commands=_command_folders(session, account, folders))
        _subscribe(session, journal, account)
    except BaseException:  # whatever it is goes on its way; a desk half made must not keep a connection
        session.close()
        raise
    if before is None:
        return Desk(account, settings, journal, orders, session, located, clock, steady)
    before.account, before.settings, before.session, before.located = account, settings, session, located
    before.forget_everything_seen()
    return before


def _command_folders(session: Session, account: AccountSettings, folders: tuple[Folder, ...]) -> dict[str, str]:
    """The command folders as the server spells them, by matter. One it will not make is left out: all else works."""
    listed = {folder.name for folder in folders}
    found: dict[str, str] = {}
    for matter, name in account.commands.items():
        mailbox = spell(name, folders)
        try:
            if mailbox not in listed:
                session.create(mailbox)
        except CommandRefused as exc:
            log.warning(
                "folder_refused",
                extra={"action": "folder_refused", "account": account.name, "matter": matter, "code": exc.code},
            )
            continue
        found[matter] = mailbox
    return found


def _subscribe(session: Session, journal: Journal, account: AccountSettings) -> None:
    """Let mail clients show our mailboxes: once ever, so that staff can hide them. Not only where we just made them: a
    line that breaks in between would leave them hidden."""
    with journal.reading() as tx:
        done = set(notes.find_fact(tx, account.name, SUBSCRIBED) or ())
    missing = [name for name in (account.approved, account.notes, *account.commands.values()) if name not in done]
    for name in missing:
        try:
            session.subscribe(name)
        except CommandRefused as exc:
            extra = {"action": "subscribe_refused", "account": account.name, "code": exc.code}
            log.warning("subscribe_refused", extra=extra)
            continue
        done.add(name)
        with journal.light() as tx:
            notes.save_fact(tx, account.name, SUBSCRIBED, sorted(done))


def _present(name: str, folders: tuple[Folder, ...]) -> str:
    spelled = spell(name, folders)
    if spelled.upper() != "INBOX" and spelled not in {folder.name for folder in folders}:
        raise FolderMissing(name, ())
    return spelled


def take_turn(desk: Desk, now: datetime, *, after_connect: bool) -> Turn:
    """Do what is due: what came in, what staff did, what was accepted. Leaves the watched mailbox open, in IDLE
    where the server has it.

    Raises: ConnectionLost; a command refused for good is logged and tried again at a later turn.
    """
    desk.next_wake = None
    desk.troubled = False
    if desk.session.idling:
        desk.session.done()
    notice_jump(desk, now)
    if desk.owed and not desk.owed_lock.locked():
        settle_owed(desk)
    with _refusals_logged(desk):
        resolve_intents(desk, now)
        for mailbox in desk.account.watch:
            on_arrivals(desk, mailbox, now)
    with _refusals_logged(desk):
        on_commands(desk, now)
    with _refusals_logged(desk):
        write_owed(desk, now)
        look_for_silence(desk, now)
    with _refusals_logged(desk):
        ready = on_staff(desk, now)
        on_approved(desk, ready, now)
    with _refusals_logged(desk):
        on_sent(desk, now)
    with _refusals_logged(desk):
        on_clock(desk, now)
    look_after(desk, now)
    on_week(desk, now)
    with _refusals_logged(desk):
        look_after_receipts(desk, now)
    with _refusals_logged(desk):
        deliver_notes(desk, after_restart=after_connect)
    if desk.orders_are_silent and not desk.troubled:
        desk.orders_are_silent = False
        with desk.journal.light() as tx:
            works(tx, desk.name, "orders-asked", now=now)
    return Turn(_wait(desk, now))


@contextlib.contextmanager
def _refusals_logged(desk: Desk) -> Iterator[None]:
    """One command the server refuses must not keep the rest of the turn from happening."""
    try:
        yield
    except CommandRefused as exc:
        desk.say("command_refused", level=40, command=exc.command, code=exc.code)
        desk.forget_everything_seen()
        desk.troubled = True
    except OrdersUnavailable:
        desk.say("orders_unavailable", level=40)
        with desk.journal.light() as tx:
            begins(tx, desk.name, "orders-asked", Reason.of("orders_unavailable"), now=desk.clock())
        desk.troubled = desk.orders_are_silent = True


def _wait(desk: Desk, now: datetime) -> float:
    """Seconds until this account must be looked at again even if its server says nothing; begins IDLE."""
    with desk.journal.reading() as tx:
        at_work = drafts.any_open(tx, desk.name)
    idle = desk.session.has("IDLE")
    # Staff act in folders that IDLE does not watch. A few accounts are looked at often; of a thousand only those with
    # an open draft are.
    often = desk.account.staff_poll_s
    accounts = len(desk.settings.accounts)
    longest = often if at_work else min(max(often, accounts * POLL_PER_ACCOUNT_S), QUIET_ACCOUNT_POLL_S)
    if not idle:
        longest = min(longest, desk.account.poll_s)
    wait_s = min(longest, IDLE_MAX_S)
    if desk.troubled:
        wait_s = TROUBLE_PAUSE_S
    if desk.next_wake is not None:
        wait_s = min(wait_s, max((desk.next_wake - now).total_seconds(), 0.05))
    if idle:
        selected = desk.session.select(desk.account.watch[0])
        with desk.journal.reading() as tx:
            missed = _is_behind(desk, tx, selected.uidvalidity, selected.uidnext)
        if missed and not desk.troubled:
            return 0.0
        desk.session.idle()
        if desk.session.pending():
            return 0.0
    return wait_s


def _is_behind(desk: Desk, tx: Connection, uidvalidity: int, uidnext: int) -> bool:
    cursor = mails.find_cursor(tx, desk.name, desk.account.watch[0])
    return cursor is None or cursor.uidvalidity != uidvalidity or cursor.last_uid + 1 < uidnext
