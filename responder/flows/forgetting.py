"""What the journal forgets: the texts of drafts that came to their end long ago, and what staff changed in only a few
of them. Who wrote when, and what became of it, stays; texts lie in Sent, where staff and the law know them."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from responder.core.report.figures import SHARED_BY
from responder.edges.journal import Journal, drafts, rewordings

log = logging.getLogger("responder")

AT_ONCE = 200


def forget_bodies(journal: Journal, keep_days: int, now: datetime) -> int:
    """Take old texts out of the journal, a few in each transaction; how many there were.

    Raises: JournalUnavailable.
    """
    before, count, some = now - timedelta(days=keep_days), 0, AT_ONCE
    while some == AT_ONCE:
        with journal.light() as tx:
            some = drafts.forget_bodies(tx, before, most=AT_ONCE)
        count += some
    with journal.light() as tx:
        # What several buyers' drafts had in common is nobody's; the rest may tell of one.
        count += rewordings.forget_words(tx, before, shared_by=SHARED_BY)
    if count:
        journal.empty_log()
        log.info("bodies_forgotten", extra={"action": "bodies_forgotten", "count": count})
    return count
