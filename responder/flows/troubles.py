"""What keeps an account or the whole shop from working, and whom that was told.

A trouble begins, is told once, and is told once more when it has been over for a while. It is kept in the journal, so
that a restart neither repeats it nor forgets to say that it is over. Staff read of it in the notes mailbox; where that
cannot be reached, the people of `alert_to` get a mail, and the notes of the shop's other accounts say it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from responder.config import AccountSettings, Settings
from responder.core.notes import note_bytes
from responder.edges.journal import Journal, notes
from responder.model import Reason

NAME = "trouble:"
SHOP = ""
"""Stands for the account where a trouble is the whole shop's: its rules, its order files, its journal."""
SOON = timedelta(0)
LATER = timedelta(minutes=10)
"""Servers are restarted and lines break: only what lasts is told."""
CALM = timedelta(minutes=5)
"""What works and fails by turns is one trouble."""
MOST_MARKS = 500
MAILS_AN_HOUR = 6
MAILS_A_DAY = 30
_OVER = {
    "fetching": "fetching_was_stopped",
    "sending": "sending_works_again",
    "notes": "notes_work_again",
    "orders-asked": "orders_available_again",
    "rules": "rules_taken_over",
    "orders": "orders_in_order_again",
    "wishes": "wishes_in_order_again",
    "journal": "journal_works_again",
}
_OVER_AT_ONCE = frozenset({"rules", "orders", "wishes", "journal", "orders-asked"})
_UNREACHED = frozenset({"fetching", "notes"})
"""Troubles in which the account's own notes mailbox takes nothing."""
_WITHOUT_REASONS_BY_MAIL = frozenset({"orders"})
"""Mistakes in order files may quote a cell, and what buyers are called does not leave by mail."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble as the journal keeps it. `marks` are the things that are wrong, `told` those that were told, `where`
    the accounts whose notes tell of it; `calm_since` is when it first seemed to be over."""

    account: str
    kind: str
    note: Reason
    reasons: tuple[Reason, ...]
    since: datetime
    last: datetime
    tell_after: timedelta
    marks: tuple[str, ...]
    told: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    mailed: bool = False
    calm_since: datetime | None = None

    @property
    def is_told(self) -> bool:
        """Everything that is wrong was told."""
        return set(self.marks) <= set(self.told)


def begins(
    tx: Connection,
    account: str,
    kind: str,
    note: Reason,
    *,
    now: datetime,
    reasons: Sequence[Reason] = (),
    tell_after: timedelta = SOON,
    marks: Sequence[str] = (),
) -> bool:
    """It does not work. True if that was not known, or something else is wrong now than was known."""
    marks = tuple(marks[:MOST_MARKS]) or (":".join((note.code, *(reason.code for reason in reasons))),)
    before = _find(tx, account, kind)
    if before is None:
        fresh = Trouble(account, kind, note, tuple(reasons), now, now, tell_after, marks)
        _save(tx, fresh)
        return True
    same = before.marks == marks and before.calm_since is None
    if same and now - before.last < CALM:
        return False
    _save(
        tx,
        replace(
            before,
            note=note,
            reasons=tuple(reasons),
            last=now,
            tell_after=tell_after,
            marks=marks,
            calm_since=None,
        ),
    )
    return not same


def was_told(tx: Connection, account: str, kind: str, note: Reason, *, since: datetime, where: str) -> None:
    """A trouble that could not be kept here while it lasted, and that was told: in the notes of the account `where`,
    or by mail ("")."""
    places = (where,) if where else ()
    _save(tx, Trouble(account, kind, note, (), since, since, SOON, (kind,), (kind,), where=places, mailed=not where))


def works(tx: Connection, account: str, kind: str, *, now: datetime) -> bool:
    """It works. True if it did not before: `announce` will say so once that has lasted."""
    before = _find(tx, account, kind)
    if before is None:
        return False
    if before.calm_since is None:
        _save(tx, replace(before, calm_since=now))
    return True


def open_troubles(tx: Connection, account: str | None = None) -> list[Trouble]:
    """The troubles that are not over, of one account or of all and of the shop."""
    found = [_read(its_account, name, value) for its_account, name, value in notes.facts_named(tx, NAME)]
    return [trouble for trouble in found if account is None or trouble.account == account]


def announce(journal: Journal, settings: Settings, connected: Collection[str], now: datetime) -> frozenset[str]:
    """Say what is due to be said; `connected` are the accounts whose notes can be written now. The accounts for which
    there is a note to write come back.

    Raises: JournalUnavailable.
    """
    with journal.reading() as tx:
        known = open_troubles(tx)
    written: set[str] = set()
    for trouble in known:
        if trouble.account != SHOP and settings.account(trouble.account) is None:
            with journal.light() as tx:
                notes.drop_fact(tx, trouble.account, NAME + trouble.kind)
        elif trouble.calm_since is not None:
            calm = SOON if trouble.kind in _OVER_AT_ONCE else CALM
            if now - trouble.calm_since >= calm:
                with journal.durable() as tx:
                    written |= _say_over(tx, settings, trouble, connected, now)
        elif not trouble.is_told and now - trouble.since >= trouble.tell_after:
            with journal.durable() as tx:
                written |= _say(tx, settings, trouble, connected, now)
    return frozenset(written)


def _say(tx: Connection, settings: Settings, trouble: Trouble, connected: Collection[str], now: datetime) -> set[str]:
    places = _places(settings, trouble, connected)
    by_mail = bool(settings.shop.alert_to) and not places & _own(settings, trouble) and _may_mail(tx, now)
    if by_mail:
        places = set()
    elif not places and settings.shop.alert_to:
        return set()  # there were too many mails: it is told as soon as there have been fewer
    if not places and not by_mail:
        # Nobody can be reached now. What is the account's own is found in its notes once they can be written.
        places = _own(settings, trouble) - _unreached(trouble)
        if not places:
            return set()
    key = f"{NAME}{trouble.account}:{trouble.kind}:{trouble.since.isoformat()}:{len(trouble.told)}:{trouble.marks[0]}"
    _write(tx, settings, key[:190], trouble.note, trouble.reasons, places, by_mail, trouble.kind, now)
    told = tuple(dict.fromkeys((*trouble.told, *trouble.marks)))[-2 * MOST_MARKS :]
    where = tuple(sorted({*trouble.where, *places}))
    _save(tx, replace(trouble, told=told, where=where, mailed=trouble.mailed or by_mail))
    return places


def _say_over(
    tx: Connection, settings: Settings, trouble: Trouble, connected: Collection[str], now: datetime
) -> set[str]:
    notes.drop_fact(tx, trouble.account, NAME + trouble.kind)
    if not trouble.told or trouble.calm_since is None:
        return set()
    minutes = max(1, int((trouble.calm_since - trouble.since).total_seconds() // 60))
    kind, _, channel = trouble.kind.partition(":")
    code = "relay_works_again" if channel else _OVER[kind]
    note = Reason.of(code, account=trouble.account, minutes=minutes, channel=channel)
    places = {name for name in trouble.where if settings.account(name) is not None}
    if kind in _UNREACHED:
        places |= _own(settings, trouble)  # what could not be told there then is told now
    key = f"{NAME}{trouble.account}:{trouble.kind}:{trouble.since.isoformat()}:over"
    _write(tx, settings, key[:190], note, (), places, trouble.mailed, trouble.kind, now)
    return places & set(connected)


def _own(settings: Settings, trouble: Trouble) -> set[str]:
    if trouble.account != SHOP:
        return {trouble.account}
    return {account.name for account in settings.accounts}


def _unreached(trouble: Trouble) -> set[str]:
    return {trouble.account} if trouble.kind in _UNREACHED else set()


def _places(settings: Settings, trouble: Trouble, connected: Collection[str]) -> set[str]:
    """The accounts whose notes can tell of it now: its own, else the shop's others."""
    reached = {account.name for account in settings.accounts if account.name in connected} - _unreached(trouble)
    return reached & _own(settings, trouble) or reached


def _may_mail(tx: Connection, now: datetime) -> bool:
    hour, day = notes.count_mailed(tx, now - timedelta(hours=1)), notes.count_mailed(tx, now - timedelta(days=1))
    return hour < MAILS_AN_HOUR and day < MAILS_A_DAY


def _write(
    tx: Connection,
    settings: Settings,
    key: str,
    note: Reason,
    reasons: Sequence[Reason],
    places: Collection[str],
    by_mail: bool,
    kind: str,
    now: datetime,
) -> None:
    for name in places:
        account = settings.account(name)
        if account is not None:
            message_id = mint_id(account)
            raw = in_words(settings, account, note, reasons, message_id=message_id, now=now)
            notes.intend(tx, name, key, message_id=message_id, raw=raw, now=now)
    if by_mail:
        said = () if kind in _WITHOUT_REASONS_BY_MAIL else reasons
        for number, to in enumerate(settings.shop.alert_to):
            account = settings.accounts[0]
            message_id = mint_id(account)
            raw = in_words(settings, account, note, said, message_id=message_id, now=now, to=to)
            notes.intend(tx, SHOP, f"{key}:{number}", message_id=message_id, raw=raw, now=now, by_mail=True)


def in_words(
    settings: Settings,
    account: AccountSettings,
    note: Reason,
    reasons: Sequence[Reason],
    *,
    message_id: str,
    now: datetime,
    to: str | None = None,
) -> bytes:
    """The note, or the mail `to` somebody, in the shop's language. It is about servers and files, never about a
    buyer."""
    language = settings.shop.language
    titles: Mapping[str, str] = {channel.name: channel.title_in(language) for channel in settings.channels}

    def titled(reason: Reason) -> Reason:
        args = ((name, titles.get(value, value) if name == "channel" else value) for name, value in reason.args)
        return replace(reason, args=tuple(args))

    return note_bytes(
        titled(note),
        identity=account.identity,
        language=language,
        wording=settings.wording,
        message_id=message_id,
        in_reply_to=None,
        references=(),
        reasons=tuple(titled(reason) for reason in reasons),
        excerpt="",
        now=now,
        to=to,
    )


def mint_id(account: AccountSettings) -> str:
    """A Message-ID for a note of this account."""
    return f"<{secrets.token_hex(12)}{note_ending(account)}"


def note_ending(account: AccountSettings) -> str:
    """How the Message-IDs of this account's notes end."""
    return f".n@{account.identity.address.rpartition('@')[2]}>"


# --- in the journal -------------------------------------------------------------------------------------------------


def _find(tx: Connection, account: str, kind: str) -> Trouble | None:
    value = notes.find_fact(tx, account, NAME + kind)
    return None if value is None else _read(account, NAME + kind, value)


def _read(account: str, name: str, value: Mapping[str, Any]) -> Trouble:
    return Trouble(
        account=account,
        kind=name.removeprefix(NAME),
        note=_reason(value["note"]),
        reasons=tuple(_reason(reason) for reason in value["reasons"]),
        since=datetime.fromisoformat(value["since"]),
        last=datetime.fromisoformat(value["last"]),
        tell_after=timedelta(seconds=value["tell_after_s"]),
        marks=tuple(value["marks"]),
        told=tuple(value["told"]),
        where=tuple(value["where"]),
        mailed=value["mailed"],
        calm_since=None if value["calm_since"] is None else datetime.fromisoformat(value["calm_since"]),
    )


def _reason(value: Sequence[Any]) -> Reason:
    code, args = value
    return Reason(code, tuple((name, text) for name, text in args))


def _save(tx: Connection, trouble: Trouble) -> None:
    value = {
        "note": [trouble.note.code, trouble.note.args],
        "reasons": [[reason.code, reason.args] for reason in trouble.reasons[:50]],
        "since": trouble.since.isoformat(),
        "last": trouble.last.isoformat(),
        "tell_after_s": trouble.tell_after.total_seconds(),
        "marks": trouble.marks,
        "told": trouble.told,
        "where": trouble.where,
        "mailed": trouble.mailed,
        "calm_since": None if trouble.calm_since is None else trouble.calm_since.isoformat(),
    }
    notes.save_fact(tx, trouble.account, NAME + trouble.kind, value)
