"""Gathers what a report is counted from, and makes the page, the tables and the mail of it."""

from __future__ import annotations

from datetime import datetime

from responder.config import Settings
from responder.core import cancels
from responder.core.report import Figures, Standing, count
from responder.core.report.drafts import endings
from responder.core.report.goods import LOOKS_BACK, shop_cancels_since
from responder.core.report.sheets import Words
from responder.edges.journal import Journal
from responder.edges.journal import facts as journal_facts
from responder.edges.orders import OrderBook
from responder.flows.remarking import known_cancels
from responder.model import Facts, Language


def figures_of(
    journal: Journal, orders: OrderBook, settings: Settings, *, since: datetime, until: datetime, now: datetime
) -> Figures:
    """The figures from `since` to before `until`, of all accounts of the configuration.

    Raises: JournalUnavailable, OrdersUnavailable.
    """
    zone = settings.shop.timezone
    year = cancels.year_of(now, zone)
    names = [account.name for account in settings.accounts]
    with journal.reading() as tx:
        facts = journal_facts.read(tx, names, min(since - LOOKS_BACK, year), max(now, until))
    standings = _standings(journal, orders, settings, facts, year, now)
    return count(facts, since=since, until=until, now=now, zone=zone, standings=standings)


def _standings(
    journal: Journal, orders: OrderBook, settings: Settings, facts: Facts, year: datetime, now: datetime
) -> list[Standing]:
    """Where the shop stands against the limits of those channels that it has to do with."""
    of_year = shop_cancels_since(facts, endings(facts), year)
    used = {case.channel for case in facts.cases} | set(of_year)
    found: list[Standing] = []
    for channel in settings.channels:
        if channel.name not in used:
            continue
        if channel.cancel_points is not None and channel.cancel_points_limit is not None:
            points, limit = channel.cancel_points, float(channel.cancel_points_limit)
            found.append(Standing(channel.name, of_year[channel.name], limit, points=points))
        elif channel.cancel_limit_percent is not None:
            since = cancels.window(channel, now)
            known = known_cancels(journal, orders, channel, now, settings.shop.timezone)
            found.append(
                Standing(
                    channel.name,
                    0
                    if since is None
                    else len(cancels.of_shop(known.placed, known.accepted, channel, since, known.buyers)),
                    channel.cancel_limit_percent,
                    days=channel.cancel_limit_days,
                    orders=None if known.placed is None else known.placed.total,
                )
            )
    return found


def words_of(settings: Settings, language: Language) -> Words:
    """The report's words in a language, with the channels called as staff call them."""
    titles = {channel.name: channel.title_in(language) for channel in settings.channels}
    return Words(settings.wording, language, titles)
