"""Received mails and how far each mailbox has been read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from responder.edges.journal.tables import IN_ONE_QUERY, cursor, mail
from responder.model import Cursor, Decision, Mail, Place

# Statements of every turn are built once: to build one costs more than to run it.
_CURSOR = select(cursor).where(cursor.c.account == bindparam("account"), cursor.c.mailbox == bindparam("mailbox"))
_KEEP_CURSOR = (
    update(cursor)
    .where(cursor.c.account == bindparam("its_account"), cursor.c.mailbox == bindparam("its_mailbox"))
    .values(uidvalidity=bindparam("uidvalidity"), last_uid=bindparam("last_uid"))
)
_AT_UIDS = select(mail).where(
    mail.c.account == bindparam("account"),
    mail.c.mailbox == bindparam("mailbox"),
    mail.c.uidvalidity == bindparam("uidvalidity"),
    mail.c.uid.in_(bindparam("uids", expanding=True)),
)
_KNOWN_CONTENTS = select(mail.c.content_sha256).where(
    mail.c.account == bindparam("account"),
    mail.c.content_sha256.in_(bindparam("contents", expanding=True)),
    mail.c.state == "decided",
)
_OF_CASE = select(mail).where(mail.c.case_id == bindparam("case_id")).order_by(mail.c.id)
_BY_IDS = select(mail).where(mail.c.id.in_(bindparam("ids", expanding=True))).order_by(mail.c.id)
_ANSWERED = update(mail).where(mail.c.id.in_(bindparam("ids", expanding=True))).values(answered=True)


def find_cursor(tx: Connection, account: str, mailbox: str) -> Cursor | None:
    """How far this mailbox was read, or None when it was never looked at."""
    row = tx.execute(_CURSOR, {"account": account, "mailbox": mailbox}).one_or_none()
    if row is None:
        return None
    return Cursor(row.account, row.mailbox, row.uidvalidity, row.last_uid, row.started_at)


def save_cursor(tx: Connection, value: Cursor) -> None:
    """Remember how far a mailbox was read."""
    place = {"its_account": value.account, "its_mailbox": value.mailbox}
    changed = tx.execute(_KEEP_CURSOR, place | {"uidvalidity": value.uidvalidity, "last_uid": value.last_uid})
    if not changed.rowcount:
        tx.execute(
            insert(cursor).values(
                account=value.account,
                mailbox=value.mailbox,
                uidvalidity=value.uidvalidity,
                last_uid=value.last_uid,
                started_at=value.started_at,
            )
        )


def known_uids(tx: Connection, account: str, mailbox: str, uidvalidity: int, uids: Sequence[int]) -> dict[int, Mail]:
    """Those of the uids that the journal has a row for."""
    found: dict[int, Mail] = {}
    for start in range(0, len(uids), IN_ONE_QUERY):
        place = {"account": account, "mailbox": mailbox, "uidvalidity": uidvalidity}
        rows = tx.execute(_AT_UIDS, place | {"uids": list(uids[start : start + IN_ONE_QUERY])})
        found.update((row.uid, _mail(row)) for row in rows)
    return found


def note_seen(
    tx: Connection, account: str, places: Iterable[tuple[Place, datetime]], *, now: datetime
) -> dict[int, int]:
    """A row for each mail before it is read; returns uid to row id. Rows that are there count one more attempt."""
    ids: dict[int, int] = {}
    for place, arrived_at in places:
        where = (
            (mail.c.account == account)
            & (mail.c.mailbox == place.mailbox)
            & (mail.c.uidvalidity == place.uidvalidity)
            & (mail.c.uid == place.uid)
        )
        row_id = tx.execute(
            update(mail).where(where).values(attempts=mail.c.attempts + 1).returning(mail.c.id)
        ).scalar_one_or_none()
        if row_id is None:
            row_id = tx.execute(
                insert(mail)
                .values(
                    account=account,
                    mailbox=place.mailbox,
                    uidvalidity=place.uidvalidity,
                    uid=place.uid,
                    arrived_at=arrived_at,
                    state="seen",
                    attempts=1,
                    content_sha256="",
                    sender="",
                    answered=False,
                    seen_at=now,
                )
                .returning(mail.c.id)
            ).scalar_one()
        ids[place.uid] = row_id
    return ids


def note_new(
    tx: Connection, account: str, places: Sequence[tuple[Place, datetime]], *, now: datetime
) -> dict[int, int]:
    """Like note_seen for uids that surely have no row yet: one statement for the whole batch."""
    if not places:
        return {}
    rows = tx.execute(
        insert(mail).returning(mail.c.uid, mail.c.id),
        [
            {
                "account": account,
                "mailbox": place.mailbox,
                "uidvalidity": place.uidvalidity,
                "uid": place.uid,
                "arrived_at": arrived_at,
                "state": "seen",
                "attempts": 1,
                "content_sha256": "",
                "sender": "",
                "answered": False,
                "seen_at": now,
            }
            for place, arrived_at in places
        ],
    )
    return {row.uid: row.id for row in rows}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who a mail is, once it could be read, and what became of it."""

    mail_id: int
    decision: Decision
    case_id: str | None = None
    message_id: str | None = None
    content_sha256: str = ""
    sender: str = ""


def decide(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    """Keep who these mails are, what became of them and why (codes only, no words of the buyer)."""
    if verdicts:
        tx.execute(
            _DECIDED,
            [
                {
                    "its_id": one.mail_id,
                    "message_id": one.message_id,
                    "content_sha256": one.content_sha256,
                    "sender": one.sender,
                    "action": one.decision.action,
                    "situation": one.decision.situation,
                    "rule": one.decision.rule,
                    "language": one.decision.language,
                    "channel": one.decision.channel,
                    "order_id": one.decision.order_id,
                    "reasons": [reason.code for reason in one.decision.reasons],
                    "case_id": one.case_id,
                }
                for one in verdicts
            ],
        )


_VERDICT = ("message_id", "content_sha256", "sender", "action", "situation", "rule", "language", "channel", "order_id")
_DECIDED = (
    update(mail)
    .where(mail.c.id == bindparam("its_id"))
    .values({"state": "decided"} | {name: bindparam(name) for name in (*_VERDICT, "reasons", "case_id")})
)


def quarantine(tx: Connection, mail_id: int) -> None:
    """Set a mail aside that could not be read three times."""
    tx.execute(update(mail).where(mail.c.id == mail_id).values(state="quarantined", action="hold", situation="other"))


def unfinished(tx: Connection, account: str) -> list[Mail]:
    """Mails that were seen and never decided: a restart takes them one by one."""
    rows = tx.execute(select(mail).where(mail.c.account == account, mail.c.state == "seen").order_by(mail.c.id))
    return [_mail(row) for row in rows]


def with_content(tx: Connection, account: str, content_sha256: str) -> Mail | None:
    """The first decided mail with the same content, if any: the same mail delivered or moved again."""
    row = tx.execute(
        select(mail)
        .where(mail.c.account == account, mail.c.content_sha256 == content_sha256, mail.c.state == "decided")
        .order_by(mail.c.id)
        .limit(1)
    ).one_or_none()
    return _mail(row) if row is not None else None


def known_contents(tx: Connection, account: str, contents: Sequence[str]) -> set[str]:
    """Those of the contents of which `with_content` would find a mail."""
    found: set[str] = set()
    for start in range(0, len(contents), IN_ONE_QUERY):
        some = list(contents[start : start + IN_ONE_QUERY])
        found.update(tx.execute(_KNOWN_CONTENTS, {"account": account, "contents": some}).scalars())
    return found


def with_message_id(tx: Connection, account: str, message_id: str) -> list[Mail]:
    """Every mail that carries this Message-ID, oldest first."""
    rows = tx.execute(
        select(mail).where(mail.c.account == account, mail.c.message_id == message_id).order_by(mail.c.id)
    )
    return [_mail(row) for row in rows]


def move(tx: Connection, mail_id: int, place: Place) -> None:
    """A mail we know lies somewhere else now. A row already there keeps its place."""
    taken = tx.execute(
        select(mail.c.id).where(
            mail.c.account == select(mail.c.account).where(mail.c.id == mail_id).scalar_subquery(),
            mail.c.mailbox == place.mailbox,
            mail.c.uidvalidity == place.uidvalidity,
            mail.c.uid == place.uid,
        )
    ).scalar_one_or_none()
    if taken is None:
        tx.execute(
            update(mail)
            .where(mail.c.id == mail_id)
            .values(mailbox=place.mailbox, uidvalidity=place.uidvalidity, uid=place.uid)
        )


def of_case(tx: Connection, case_id: str) -> list[Mail]:
    """The mails of a case, oldest first."""
    return [_mail(row) for row in tx.execute(_OF_CASE, {"case_id": case_id})]


def by_ids(tx: Connection, ids: Sequence[int]) -> list[Mail]:
    """The mails with these row ids, oldest first."""
    return [_mail(row) for row in tx.execute(_BY_IDS, {"ids": list(ids)})]


def mark_answered(tx: Connection, ids: Sequence[int]) -> None:
    r"""These mails have been answered (by us or by staff); `\Answered` on the server is a separate step."""
    tx.execute(_ANSWERED, {"ids": list(ids)})


def count_by_action(tx: Connection, account: str) -> dict[str, int]:
    """How many mails ended as draft, hold, silence, or were set aside (`quarantined`)."""
    key = func.coalesce(mail.c.action, mail.c.state)
    return dict(tx.execute(select(key, func.count()).where(mail.c.account == account).group_by(key)).all())


def _mail(row: Row[tuple[object, ...]]) -> Mail:
    values = row._mapping
    return Mail(
        id=values["id"],
        account=values["account"],
        place=Place(values["mailbox"], values["uidvalidity"], values["uid"]),
        message_id=values["message_id"],
        content_sha256=values["content_sha256"],
        sender=values["sender"],
        arrived_at=values["arrived_at"],
        state=values["state"],
        attempts=values["attempts"],
        action=values["action"],
        situation=values["situation"],
        case_id=values["case_id"],
        answered=values["answered"],
    )
