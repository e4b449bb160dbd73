"""When cases are to be looked at: one indexed look-up finds the next of them, however many are open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from responder.edges.journal.cases import read_case
from responder.edges.journal.tables import IN_ONE_QUERY, auto_reply, case, draft, mail
from responder.model import Case, CaseFile, DraftLine, MailLine

# Statements of every turn are built once: to build one costs more than to run it.
_IS_DUE = (case.c.account == bindparam("account"), case.c.look_at.is_not(None))
_NEXT = select(case.c.look_at).where(*_IS_DUE).order_by(case.c.look_at).limit(1)
_DUE = (
    select(case)
    .where(*_IS_DUE, case.c.look_at <= bindparam("now", type_=case.c.look_at.type))
    .order_by(case.c.look_at)
    .limit(bindparam("most"))
)
_OPEN = select(case).where(case.c.account == bindparam("account"), case.c.state == "open")
_MAILS = (
    select(
        mail.c.case_id,
        mail.c.id,
        mail.c.action,
        mail.c.situation,
        mail.c.rule,
        mail.c.answered,
        mail.c.arrived_at,
    )
    .where(mail.c.case_id.in_(bindparam("ids", expanding=True)))
    .order_by(mail.c.id)
)
_DRAFTS = (
    select(
        draft.c.case_id,
        draft.c.id,
        draft.c.state,
        draft.c.situation,
        draft.c.template,
        draft.c.order_id,
        draft.c.created_at,
        draft.c.sent_at,
        draft.c.ended_at,
    )
    .where(draft.c.case_id.in_(bindparam("ids", expanding=True)))
    .order_by(draft.c.id)
)
_RECEIPTS = select(auto_reply.c.case_id).where(
    auto_reply.c.case_id.in_(bindparam("ids", expanding=True)), auto_reply.c.state != "failed"
)
_LOOKED = (
    update(case)
    .where(case.c.id == bindparam("its_id"))
    .values(look_at=bindparam("look_at"), looked_at=bindparam("looked_at"))
)


def next_look(tx: Connection, account: str) -> datetime | None:
    """When the clock has to look at a case of the account next, or None."""
    return tx.execute(_NEXT, {"account": account}).scalar_one_or_none()


def due(tx: Connection, account: str, now: datetime, *, most: int) -> list[CaseFile]:
    """The cases that are to be looked at now, the longest due first."""
    return _files(tx, [read_case(row) for row in tx.execute(_DUE, {"account": account, "now": now, "most": most})])


def open_files(tx: Connection, account: str) -> list[CaseFile]:
    """Every open case of the account with its mails and drafts."""
    return _files(tx, [read_case(row) for row in tx.execute(_OPEN, {"account": account})])


def looked(tx: Connection, cases: Sequence[tuple[str, datetime | None]], *, now: datetime) -> None:
    """These cases were looked at; when each is to be looked at again."""
    if cases:
        tx.execute(_LOOKED, [{"its_id": i, "look_at": look_at, "looked_at": now} for i, look_at in cases])


def look_again(tx: Connection, case_id: str, when: datetime) -> None:
    """Something has come into this case that the clock does not know of."""
    tx.execute(update(case).where(case.c.id == case_id).values(look_at=when))


def promised(tx: Connection, case_id: str, deadline_at: datetime, *, look_at: datetime) -> None:
    """The buyer was told by when he has his answer: that is the deadline from now on."""
    tx.execute(
        update(case)
        .where(case.c.id == case_id, case.c.state == "open")
        .values(deadline_at=deadline_at, look_at=look_at)
    )


def wrote_since(tx: Connection, account: str, buyer: str, when: datetime) -> bool:
    """True if mail of this buyer was seen after that time. Reads many rows: not for every turn."""
    query = select(mail.c.id).where(mail.c.account == account, mail.c.sender == buyer, mail.c.seen_at > when)
    return tx.execute(query.limit(1)).first() is not None


def _files(tx: Connection, cases: Sequence[Case]) -> list[CaseFile]:
    mails: dict[str, list[MailLine]] = {}
    drafts: dict[str, list[DraftLine]] = {}
    told: set[str] = set()
    ids = [one.id for one in cases]
    for start in range(0, len(ids), IN_ONE_QUERY):
        some = {"ids": ids[start : start + IN_ONE_QUERY]}
        for case_id, *values in tx.execute(_MAILS, some):
            mails.setdefault(case_id, []).append(MailLine(*values))
        for case_id, *values in tx.execute(_DRAFTS, some):
            drafts.setdefault(case_id, []).append(DraftLine(*values))
        told.update(tx.execute(_RECEIPTS, some).scalars())
    return [CaseFile(one, tuple(mails.get(one.id, ())), tuple(drafts.get(one.id, ())), one.id in told) for one in cases]
