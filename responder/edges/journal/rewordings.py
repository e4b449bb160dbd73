"""What staff changed in the words of drafts. What only few buyers' drafts had is forgotten with the drafts' texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select, tuple_, update

from responder.edges.journal.tables import rewording
from responder.model import Rewording

_PAIR = (rewording.c.template, rewording.c.gone_key, rewording.c.came_key)


def keep(tx: Connection, draft_id: int, found: Sequence[Rewording]) -> None:
    """The changes in a draft as it goes out; what was kept of an earlier approval of it is replaced."""
    tx.execute(delete(rewording).where(rewording.c.draft_id == draft_id))
    if found:
        tx.execute(
            insert(rewording),
            [
                {
                    "draft_id": draft_id,
                    "template": one.template,
                    "buyer": one.buyer,
                    "at": one.at,
                    "gone_key": one.gone_key,
                    "came_key": one.came_key,
                    "gone": one.gone,
                    "came": one.came,
                }
                for one in found
            ],
        )


def between(tx: Connection, draft_ids: Iterable[int], since: datetime, until: datetime) -> list[Rewording]:
    """The changes of that time, in order, of these drafts."""
    wanted = set(draft_ids)
    rows = tx.execute(select(rewording).where(rewording.c.at >= since, rewording.c.at < until).order_by(rewording.c.id))
    return [
        Rewording(
            template=row.template,
            buyer=row.buyer,
            at=row.at,
            gone_key=row.gone_key,
            came_key=row.came_key,
            gone=row.gone,
            came=row.came,
        )
        for row in rows
        if row.draft_id in wanted
    ]


def forget_words(tx: Connection, before: datetime, *, shared_by: int) -> int:
    """Take the words of changes from before then out of the journal, but for those that so many buyers' drafts had in
    common; how many there were. Their keys stay and are counted on."""
    usual = select(*_PAIR).group_by(*_PAIR).having(func.count(rewording.c.buyer.distinct()) >= shared_by)
    return tx.execute(
        update(rewording)
        .where(
            rewording.c.at < before,
            or_(rewording.c.gone != "", rewording.c.came != ""),
            tuple_(*_PAIR).not_in(usual),
        )
        .values(gone="", came="")
    ).rowcount
