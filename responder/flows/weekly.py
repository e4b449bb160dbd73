"""The report that comes into the notes mailbox by itself: once a week, ever, also where nobody was there on its day."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from sqlalchemy import Connection

from responder.config import AccountSettings, Settings
from responder.core.report import Figures
from responder.edges.journal import notes
from responder.errors import ResponderError
from responder.flows.desk import Desk
from responder.flows.report import figures_of, words_of
from responder.flows.troubles import mint_id

log = logging.getLogger("responder")

WEEK = timedelta(days=7)
AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A week's report: when it is made, and the seven days it is about, whose end is exclusive."""

    at: datetime
    since: datetime
    until: datetime

    @property
    def key(self) -> str:
        """What it is told once for."""
        return f"report:{self.at.date()}"


def last_due(weekday: int, at: time, now: datetime, zone: tzinfo) -> Due:
    """The newest report that is due by now: of the seven days before its own."""
    here = now.astimezone(zone)
    day = here.date() - timedelta(days=(here.weekday() - weekday) % 7)
    if datetime.combine(day, at, zone) > here:
        day -= WEEK
    until, since = (datetime.combine(one, time(), zone).astimezone(UTC) for one in (day, day - WEEK))
    return Due(datetime.combine(day, at, zone), since, until)


def on_week(desk: Desk, now: datetime) -> None:
    """Write last week's report into the notes if it is due and was not written yet. What fails is tried again later and
    keeps nothing else waiting."""
    when = desk.settings.report_weekly
    if when is None or desk.name != desk.settings.accounts[0].name:
        return
    due = last_due(when.weekday, when.at, now, desk.settings.shop.timezone)
    desk.wake_at((due.at + WEEK).astimezone(UTC))
    if desk.reported == due.key or (desk.report_not_before is not None and now < desk.report_not_before):
        return
    desk.report_not_before = now + AGAIN_AFTER
    try:
        with desk.journal.reading() as tx:
            is_told = notes.was_told(tx, desk.name, due.key)
        if not is_told:
            figures = figures_of(desk.journal, desk.orders, desk.settings, since=due.since, until=due.until, now=now)
            # A shop that has just begun has no week to be told of.
            if figures.began_at is not None and figures.began_at < due.until:
                with desk.journal.durable() as tx:
                    intend(tx, desk.settings, desk.account, figures, due.key, now)
                desk.say("report_written")
    except ResponderError as exc:
        desk.say("report_waits", level=logging.WARNING, error=type(exc).__name__)
        return
    except Exception:  # ours: whatever it is, the mails of the day go first
        log.exception("report_failed", extra={"action": "report_failed", "account": desk.name})
        return
    desk.reported = due.key


def intend(
    tx: Connection, settings: Settings, account: AccountSettings, figures: Figures, key: str, now: datetime
) -> bool:
    """The report as a note that is put into the notes mailbox. False if one of this key was written before."""
    # Loaded by the week, not by every start.
    from responder.core.report.letter import report_mail
    from responder.core.report.page import page_html, to_do

    shop = settings.shop
    words = words_of(settings, shop.language)
    message_id = mint_id(account)
    raw = report_mail(
        page_html(figures, words, shop=shop.name, zone=shop.timezone),
        to_do(figures, words),
        words,
        shop=shop.name,
        first=figures.since.astimezone(shop.timezone).date(),
        last=(figures.until - timedelta(seconds=1)).astimezone(shop.timezone).date(),
        identity=account.identity,
        message_id=message_id,
        now=now,
    )
    return notes.intend(tx, account.name, key, message_id=message_id, raw=raw, now=now)
