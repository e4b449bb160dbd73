"""Puts into words why an account does not work, says so where even the journal fails, and asks a server for sending
whether it lets us in again."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from responder.config import AccountSettings, Settings
from responder.edges.journal import Journal
from responder.edges.journal.aside import Aside
from responder.edges.smtp import try_login
from responder.errors import (
    CertificateRefused,
    CommandRefused,
    ConfigError,
    FolderMissing,
    LoginRefused,
    ResponderError,
    TemporaryError,
)
from responder.flows.alerts import mail_at_once
from responder.flows.desk import Desk
from responder.flows.troubles import (
    LATER,
    SHOP,
    SOON,
    Trouble,
    begins,
    in_words,
    mint_id,
    open_troubles,
    was_told,
    works,
)
from responder.model import Reason

log = logging.getLogger("responder")

PROBE_AFTER = timedelta(minutes=30)
BY_MAIL = "*"
UNWRITABLE_FOR = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Outage:
    """Why an account does not work: the note, its reasons, and how long it must last to be told."""

    note: Reason
    reasons: tuple[Reason, ...] = ()
    tell_after: timedelta = SOON


def outage_of(exc: Exception, account: AccountSettings | None, name: str, settings: Settings) -> Outage:
    """What staff are to know and to do about this failure of a turn or a login."""
    host = account.imap.host if account is not None else ""
    match exc:
        case LoginRefused():
            by_token = account is not None and account.imap.auth == "xoauth2"
            return Outage(Reason.of("token_refused" if by_token else "login_was_refused", account=name, host=host))
        case CertificateRefused():
            return Outage(Reason.of("certificate_was_refused", account=name, host=host))
        case FolderMissing(role=role, candidates=candidates):
            return Outage(Reason.of("folder_is_missing", account=name, role=role, found=", ".join(candidates) or "-"))
        case ConfigError(mistakes=mistakes):
            wording, language = settings.wording, settings.shop.language
            reasons = tuple(Reason.of("plain", text=wording.mistake(mistake, language)) for mistake in mistakes)
            return Outage(Reason.of("secret_is_missing", account=name, host=host), reasons)
        case TemporaryError() | CommandRefused() | OSError():
            return Outage(Reason.of("server_not_reached", account=name, host=host), tell_after=LATER)
    return Outage(Reason.of("turns_fail", account=name, error=type(exc).__name__), tell_after=LATER)


class Unwritable:
    """The time in which the journal cannot be written. Nothing is done meanwhile, and the journal cannot remember
    that this was told: a page beside it does."""

    def __init__(self, journal: Journal) -> None:
        self._file = str(journal.file or "")
        self._page = Aside(journal.file)
        self._since: datetime | None = None
        self._told: str | None = None

    def prepare(self) -> None:
        """At the start: make the page, and read what a former run has told."""
        self._page.prepare()
        with contextlib.suppress(ValueError, TypeError, KeyError):
            kept = json.loads(self._page.read() or "{}")
            self._since, self._told = datetime.fromisoformat(kept["since"]), str(kept["told"])

    def fails(self, settings: Settings, desk: Desk | None, why: str, now: datetime) -> None:
        """A commit failed. What lasts is told once: in the notes where the line still stands, else by mail."""
        self._since = self._since or now
        if self._told is not None or now - self._since < UNWRITABLE_FOR:
            return
        note = Reason.of("journal_unwritable", file=self._file, why=why)
        self._told = self._in_notes(settings, desk, note, now) or self._by_mail(settings, note, now)
        if self._told is not None:
            self._page.write(json.dumps({"since": self._since.isoformat(), "told": self._told}))
            log.error("journal_unwritable", extra={"action": "journal_unwritable", "told": self._told})

    def works(self, journal: Journal, now: datetime) -> bool:
        """Commits succeed. True if there is something to be said about it.

        Raises: JournalUnavailable.
        """
        since, told = self._since, self._told
        if since is None:
            return False
        if told is not None:
            note = Reason.of("journal_unwritable", file=self._file, why="")
            with journal.durable() as tx:
                was_told(tx, SHOP, "journal", note, since=since, where=told.removeprefix(BY_MAIL))
                works(tx, SHOP, "journal", now=now)
            self._page.write("")
        self._since = self._told = None
        return told is not None

    def _in_notes(self, settings: Settings, desk: Desk | None, note: Reason, now: datetime) -> str | None:
        if desk is None or desk.session.lost:
            return None
        raw = in_words(settings, desk.account, note, (), message_id=mint_id(desk.account), now=now)
        try:
            if desk.session.idling:
                desk.session.done()
            desk.session.append(desk.account.notes, raw)
        except ResponderError:
            return None
        return desk.name

    @staticmethod
    def _by_mail(settings: Settings, note: Reason, now: datetime) -> str | None:
        account = settings.accounts[0]
        letters = [
            (number, in_words(settings, account, note, (), message_id=mint_id(account), now=now, to=to))
            for number, to in enumerate(settings.shop.alert_to)
        ]
        return BY_MAIL if letters and mail_at_once(settings, letters, last=set()) else None


def probe_sending(journal: Journal, settings: Settings, busy: Collection[str], now: datetime) -> None:
    """Log in where sending has stopped and nothing waits to be tried: only then does anybody learn that it works again.
    `busy` are the accounts that are sending at this moment.

    Raises: JournalUnavailable.
    """
    with journal.reading() as tx:
        stopped = [t for t in open_troubles(tx) if t.kind.partition(":")[0] == "sending"]
    for trouble in stopped:
        if trouble.calm_since is None and now - trouble.last >= PROBE_AFTER and trouble.account not in busy:
            _probe(journal, settings, trouble, now)


def _probe(journal: Journal, settings: Settings, trouble: Trouble, now: datetime) -> None:
    account, by = settings.account(trouble.account), trouble.kind.partition(":")[2]
    if account is None:
        return
    relay = account.relay(by) if by else None
    server, secret = (account.smtp, account.smtp_secret) if relay is None else (relay.smtp, relay.smtp_secret)
    well = True
    if server is not None:
        try:
            try_login(server, secret, local_hostname=account.identity.address.rpartition("@")[2])
        except ResponderError:
            well = False
    with journal.light() as tx:
        if well:
            works(tx, account.name, trouble.kind, now=now)
        else:
            begins(
                tx,
                account.name,
                trouble.kind,
                trouble.note,
                now=now,
                reasons=trouble.reasons,
                tell_after=trouble.tell_after,
                marks=trouble.marks,
            )
