"""All that a report is counted from: who, what and when, never a word of a mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from responder.edges.journal import rewordings
from responder.edges.journal.tables import IN_ONE_QUERY, case, cursor, draft, event, mail, perk
from responder.model import CaseFact, DraftFact, EventFact, Facts, MailFact

_COUNTED = (
    *("mail_draft", "owed_written", "approved", "sent_by_staff", "pasted_by_staff", "settled_by_staff"),
    *("mail_hold", "undelivered", "holding_sent"),
)
_DRAFT = (
    *(draft.c.id, draft.c.case_id, draft.c.state, draft.c.template, draft.c.situation, draft.c.order_id),
    *(draft.c.channel, draft.c.answers, draft.c.created_at, draft.c.sent_at, draft.c.ended_at),
)


def read(tx: Connection, accounts: Sequence[str], since: datetime, until: datetime) -> Facts:
    """What these accounts' journal knows of that time: mails that came, drafts that were written or came to their end,
    what else happened, and the cases of all these with what is still open."""
    names = list(accounts)
    mails = tx.execute(
        select(
            mail.c.id,
            mail.c.case_id,
            mail.c.arrived_at,
            mail.c.action,
            mail.c.situation,
            mail.c.channel,
            mail.c.answered,
        )
        .where(mail.c.account.in_(names), mail.c.arrived_at < until)
        .where(or_(mail.c.arrived_at >= since, mail.c.answered.is_(False) & (mail.c.action != "silence")))
        .order_by(mail.c.id)
    ).all()
    last = func.coalesce(draft.c.ended_at, draft.c.sent_at)
    drafts = tx.execute(
        select(*_DRAFT)
        .where(draft.c.account.in_(names), draft.c.created_at < until, or_(last.is_(None), last >= since))
        .order_by(draft.c.id)
    ).all()
    events = tx.execute(
        select(event.c.at, event.c.kind, event.c.case_id, event.c.detail)
        .where(event.c.account.in_(names), event.c.kind.in_(_COUNTED), event.c.at >= since, event.c.at < until)
        .order_by(event.c.id)
    ).all()
    some = {row.case_id for rows in (mails, drafts, events) for row in rows if row.case_id is not None}
    return Facts(
        began_at=tx.execute(select(func.min(cursor.c.started_at)).where(cursor.c.account.in_(names))).scalar(),
        mails=tuple(
            MailFact(r.id, r.case_id, r.arrived_at, r.action or "", r.situation or "", r.channel or "", r.answered)
            for r in mails
        ),
        cases=tuple(_cases(tx, sorted(some))),
        drafts=tuple(
            DraftFact(
                id=r.id,
                case_id=r.case_id,
                state=r.state,
                template=r.template,
                situation=r.situation,
                order_id=r.order_id,
                channel=r.channel,
                answers=tuple(r.answers),
                created_at=r.created_at,
                sent_at=r.sent_at,
                ended_at=r.ended_at,
            )
            for r in drafts
        ),
        events=tuple(EventFact(r.at, r.kind, r.case_id, r.detail) for r in events),
        rewordings=tuple(rewordings.between(tx, [r.id for r in drafts], since, until)),
        perks=tuple(
            (r.name, r.at)
            for r in tx.execute(
                select(perk.c.name, perk.c.at)
                .where(perk.c.account.in_(names), perk.c.at >= since, perk.c.at < until)
                .order_by(perk.c.id)
            )
        ),
    )


def notices(tx: Connection, account: str, since: datetime) -> list[EventFact]:
    """What was noted of the account's notices since then, in order."""
    rows = tx.execute(
        select(event.c.at, event.c.kind, event.c.case_id, event.c.detail)
        .where(event.c.account == account, event.c.kind == "owed_written", event.c.at >= since)
        .order_by(event.c.id)
    )
    return [EventFact(row.at, row.kind, row.case_id, row.detail) for row in rows]


def _cases(tx: Connection, ids: Sequence[str]) -> list[CaseFact]:
    found: list[CaseFact] = []
    for start in range(0, len(ids), IN_ONE_QUERY):
        rows = tx.execute(select(case).where(case.c.id.in_(list(ids[start : start + IN_ONE_QUERY]))))
        found += [CaseFact(r.id, r.buyer, r.channel, r.order_id, r.state == "open", r.deadline_at) for r in rows]
    return found
