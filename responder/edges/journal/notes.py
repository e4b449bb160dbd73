"""Notes to staff and small facts about an account. A note's key is written once ever, so nobody is told twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from responder.edges.journal.tables import fact, note


def intend(
    tx: Connection, account: str, key: str, *, message_id: str, raw: bytes, now: datetime, by_mail: bool = False
) -> bool:
    """The intent to leave a note, or to send it. False if a note with this key was written before."""
    if was_told(tx, account, key):
        return False
    state = "mail" if by_mail else "intent"
    values = {"account": account, "key": key, "message_id": message_id, "raw": raw, "state": state}
    tx.execute(insert(note), values | {"created_at": now})
    return True


def is_ours(tx: Connection, account: str, message_id: str) -> bool:
    """True if a note of ours bears this Message-ID."""
    query = select(note.c.id).where(note.c.account == account, note.c.message_id == message_id).limit(1)
    return tx.execute(query).first() is not None


def waiting(tx: Connection, account: str) -> list[tuple[int, str, bytes]]:
    """Notes not yet in the notes mailbox: (row id, Message-ID, bytes), oldest first."""
    rows = tx.execute(_WAITING, {"account": account})
    return [(row.id, row.message_id, row.raw) for row in rows]


_WAITING = (
    select(note.c.id, note.c.message_id, note.c.raw)
    .where(note.c.account == bindparam("account"), note.c.state == "intent")
    .order_by(note.c.id)
)


def delivered(tx: Connection, note_ids: list[int]) -> None:
    """These notes lie in the notes mailbox; their words are no longer kept here."""
    tx.execute(update(note).where(note.c.id.in_(note_ids)).values(state="appended", raw=b""))


def to_be_mailed(tx: Connection) -> list[tuple[int, bytes]]:
    """Notes that wait to be sent to the person outside: (row id, bytes), oldest first."""
    rows = tx.execute(select(note.c.id, note.c.raw).where(note.c.state == "mail").order_by(note.c.id))
    return [(row.id, row.raw) for row in rows]


def mailed(tx: Connection, note_id: int) -> None:
    """This note was sent; its words are no longer kept here."""
    tx.execute(update(note).where(note.c.id == note_id).values(state="mailed", raw=b""))


def count_mailed(tx: Connection, since: datetime) -> int:
    """How many notes were sent, or wait to be, since then."""
    mine = note.c.state.in_(("mail", "mailed")) & (note.c.created_at >= since)
    return tx.execute(select(func.count()).select_from(note).where(mine)).scalar_one()


def forget(tx: Connection, account: str, key: str) -> None:
    """The matter of this note is over: should it happen again, staff are told again."""
    tx.execute(_FORGET, {"its_account": account, "its_key": key})


_FORGET = (
    update(note)
    .where(note.c.account == bindparam("its_account"), note.c.key == bindparam("its_key"))
    .values(key=note.c.key + ":" + note.c.message_id)
)


def was_told(tx: Connection, account: str, key: str) -> bool:
    """True if a note with this key has been written."""
    return tx.execute(_WITH_KEY, {"account": account, "key": key}).first() is not None


_WITH_KEY = select(note.c.id).where(note.c.account == bindparam("account"), note.c.key == bindparam("key"))


def keys_of(tx: Connection, account: str, message_ids: Sequence[str]) -> dict[str, str]:
    """Message-ID to key, for those that are notes."""
    rows = tx.execute(
        select(note.c.message_id, note.c.key).where(note.c.account == account, note.c.message_id.in_(list(message_ids)))
    )
    return {row.message_id: row.key for row in rows}


def find_fact(tx: Connection, account: str, name: str) -> Any:
    """A remembered fact about the account (JSON), or None."""
    return tx.execute(select(fact.c.value).where(fact.c.account == account, fact.c.name == name)).scalar_one_or_none()


def save_fact(tx: Connection, account: str, name: str, value: Any) -> None:
    """Remember a fact about the account."""
    changed = tx.execute(
        update(fact).where(fact.c.account == account, fact.c.name == name).values(value=value)
    ).rowcount
    if not changed:
        tx.execute(insert(fact).values(account=account, name=name, value=value))


def facts_named(tx: Connection, beginning: str) -> list[tuple[str, str, Any]]:
    """The facts of all accounts whose name begins so: (account, name, value)."""
    rows = tx.execute(
        select(fact).where(fact.c.name.startswith(beginning, autoescape=True)).order_by(fact.c.account, fact.c.name)
    )
    return [(row.account, row.name, row.value) for row in rows]


def drop_fact(tx: Connection, account: str, name: str) -> None:
    """The fact is true no longer."""
    tx.execute(delete(fact).where(fact.c.account == account, fact.c.name == name))
