"""What staff are told of responder itself: gathers what fails and what works again, and says it once.

The threads of the daemon report here; `publish` writes the notes and sends the mails.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from threading import Lock
from time import monotonic

from responder.config import Settings
from responder.edges.journal import Journal, JournalUnavailable
from responder.errors import Mistake
from responder.flows.alerts import mail_alerts
from responder.flows.desk import Desk
from responder.flows.outages import Unwritable, outage_of, probe_sending
from responder.flows.troubles import SHOP, announce, begins, works
from responder.model import Reason

log = logging.getLogger("responder")

ALERT_AGAIN_S = 600.0
_NOTES = {"rules": "reload_refused", "orders": "orders_refused", "wishes": "owe_refused"}


class Bulletin:
    """One for the whole program. `changed` is called when `publish` has something new to say."""

    def __init__(self, journal: Journal, clock: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._changed = changed
        self._well: set[str] = set()
        """Accounts, rules and orders of which the journal holds no trouble; of a former run's nobody knows at first."""
        self._logged: set[str] = set()
        self._unwritable = Unwritable(journal)
        self._unwritable_lock = Lock()
        self._alerts_due = 0.0
        self._alert_failures = 0
        self._publishing = Lock()

    def open(self) -> None:
        """At the start. The rules are well, or we would not have started."""
        self._unwritable.prepare()
        self.in_order("rules")

    def turn_went_well(self, account: str) -> None:
        """Raises: JournalUnavailable."""
        now = self._clock()
        has_news = self._unwritable.works(self._journal, now)
        if account not in self._well:
            with self._journal.light() as tx:
                has_news |= works(tx, account, "fetching", now=now)
            self._well.add(account)
        if has_news:
            self._changed()

    def turn_failed(self, account: str, exc: Exception, settings: Settings, desk: Desk | None) -> None:
        """Never raises. `desk` may still be connected; it is the calling thread's."""
        self._well.discard(account)
        if isinstance(exc, JournalUnavailable):
            # One account says it for all.
            if self._unwritable_lock.acquire(blocking=False):
                try:
                    self._unwritable.fails(settings, desk, str(exc), self._clock())
                finally:
                    self._unwritable_lock.release()
            return
        outage = outage_of(exc, settings.account(account), account, settings)
        with contextlib.suppress(JournalUnavailable), self._journal.light() as tx:
            begins(
                tx,
                account,
                "fetching",
                outage.note,
                now=self._clock(),
                reasons=outage.reasons,
                tell_after=outage.tell_after,
            )
        self._changed()

    def mistakes(self, kind: str, mistakes: Sequence[Mistake], settings: Settings) -> None:
        """Files of this kind (rules, orders, wishes) hold mistakes: each is told once until all are put right."""
        self._well.discard(kind)
        note = _NOTES[kind]
        marks = [f"{kind}:{_digest(mistake)}" for mistake in mistakes]
        for mark, mistake in zip(marks, mistakes, strict=True):
            if mark not in self._logged:
                self._logged.add(mark)
                extra = {
                    "action": note,
                    "file": mistake.file,
                    "line": mistake.line,
                    "key": mistake.key,
                    "rule": mistake.rule,
                    "code": mistake.code,
                    "suggestion": mistake.suggestion,
                }
                log.error(note, extra=extra)
        wording, language = settings.wording, settings.shop.language
        reasons = [Reason.of("plain", text=wording.mistake(mistake, language)) for mistake in mistakes[:50]]
        with contextlib.suppress(JournalUnavailable), self._journal.durable() as tx:
            begins(tx, SHOP, kind, Reason.of(note), now=self._clock(), reasons=reasons, marks=marks)
        self._changed()

    def in_order(self, kind: str) -> None:
        """Files of this kind are without mistakes."""
        if kind in self._well:
            return
        with contextlib.suppress(JournalUnavailable):
            with self._journal.light() as tx:
                has_news = works(tx, SHOP, kind, now=self._clock())
            self._well.add(kind)
            self._logged = {mark for mark in self._logged if not mark.startswith(kind)}
            if has_news:
                self._changed()

    def publish(self, settings: Settings, connected: Collection[str], sending: Collection[str]) -> frozenset[str]:
        """Say what is due; the accounts that have notes to write come back. Never raises.

        `connected` are the accounts whose notes can be written now, `sending` those that are sending.
        """
        with self._publishing:  # or two threads would send the same mail
            try:
                now = self._clock()
                probe_sending(self._journal, settings, sending, now)
                to_write = announce(self._journal, settings, connected, now)
                self._mail(settings)
            except JournalUnavailable:
                return frozenset()  # the accounts' turns fail as well, and say so
            except Exception:  # ours: who tells of troubles must not become one; the turns go on
                log.exception("publishing_failed", extra={"action": "publishing_failed"})
                return frozenset()
        return to_write

    def _mail(self, settings: Settings) -> None:
        if self._alerts_due > monotonic():
            return
        is_done = mail_alerts(self._journal, settings)
        self._alert_failures = 0 if is_done else self._alert_failures + 1
        pause_s = 0.0 if is_done else ALERT_AGAIN_S * min(2 ** (self._alert_failures - 1), 24)
        self._alerts_due = monotonic() + pause_s


def _digest(mistake: Mistake) -> str:
    text = f"{mistake.file}:{mistake.line}:{mistake.key}:{mistake.code}:{mistake.args}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
