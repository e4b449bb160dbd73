"""Notes to staff and small facts about an account. A note's key is written once ever, so nobody is told twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from responder.edges.journal.tables import fact, note


def intend(tx: Connection, account: str, key: str, *, message_id: str, raw: bytes, now: datetime) -> bool:
    """The intent to leave a note. False if a note with this key was written before."""
    if was_told(tx, account, key):
        return False
    values = {"account": account, "key": key, "message_id": message_id, "raw": raw, "state": "intent"}
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
