"""Notes to staff: one mail in the notes mailbox for each thing a person should know, written once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from responder.core.notes import Told, note_bytes
from responder.edges.imap import PartlyAppended
from responder.edges.journal import notes
from responder.errors import CommandRefused
from responder.flows.desk import Desk
from responder.flows.troubles import begins, mint_id, works
from responder.model import Reason

NOTES_AT_ONCE = 40
_NOTHING_MORE = Told()


def tell(
    desk: Desk,
    tx: Connection,
    key: str,
    note: Reason,
    *,
    now: datetime,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    reasons: Sequence[Reason] = (),
    excerpt: str = "",
    told: Told = _NOTHING_MORE,
) -> bool:
    """Intend a note; it is put into the notes mailbox at the end of the turn. False if this key was told before."""
    message_id = mint_id(desk.account)
    raw = note_bytes(
        _with_titles(note, desk),
        identity=desk.account.identity,
        language=desk.settings.shop.language,
        wording=desk.settings.wording,
        message_id=message_id,
        in_reply_to=in_reply_to,
        references=tuple(references),
        reasons=tuple(_with_titles(reason, desk) for reason in reasons),
        excerpt=excerpt,
        now=now,
        told=told,
    )
    return notes.intend(tx, desk.name, key, message_id=message_id, raw=raw, now=now)


def _with_titles(reason: Reason, desk: Desk) -> Reason:
    """The reason with channels called as staff call them."""
    if all(name != "channel" for name, _ in reason.args):
        return reason
    titles = {channel.name: channel.title_in(desk.settings.shop.language) for channel in desk.settings.channels}
    args = ((name, titles.get(value, value) if name == "channel" else value) for name, value in reason.args)
    return replace(reason, args=tuple(args))


def deliver_notes(desk: Desk, *, after_restart: bool = False) -> None:
    """Put every intended note into the notes mailbox. After a restart one may lie there already: looked for first."""
    with desk.journal.reading() as tx:
        waiting = notes.waiting(tx, desk.name)
    if not waiting:
        return
    mailbox = desk.account.notes
    if after_restart:
        desk.session.select(mailbox)
    there = {row_id for row_id, message_id, _ in waiting if after_restart and desk.session.find_message_id(message_id)}
    if there:
        _delivered(desk, sorted(there))
    missing = [(row_id, raw) for row_id, _, raw in waiting if row_id not in there]
    for start in range(0, len(missing), NOTES_AT_ONCE):
        some = missing[start : start + NOTES_AT_ONCE]
        refused: set[int] = set()
        try:
            desk.session.append_many(mailbox, [raw for _, raw in some], flags=())
        except PartlyAppended as exc:
            refused = {n for n, result in enumerate(exc.results) if isinstance(result, CommandRefused)}
            desk.say("note_refused", level=40, code=exc.code)
            _not_written(desk, mailbox, exc)
        _delivered(desk, [row_id for n, (row_id, _) in enumerate(some) if n not in refused])
        if refused:
            return
    if desk.notes_are_refused:
        desk.notes_are_refused = False
        with desk.journal.light() as tx:
            works(tx, desk.name, "notes", now=desk.clock())


def _not_written(desk: Desk, mailbox: str, exc: CommandRefused) -> None:
    """The server takes no notes: said by mail, since no note can."""
    desk.notes_are_refused = True
    note = Reason.of("notes_refused", account=desk.name, folder=mailbox, text=exc.text or exc.code)
    with desk.journal.light() as tx:
        begins(tx, desk.name, "notes", note, now=desk.clock(), marks=("notes_refused",))


def _delivered(desk: Desk, note_ids: Sequence[int]) -> None:
    with desk.journal.light() as tx:
        notes.delivered(tx, list(note_ids))
    desk.say("notes_delivered", count=len(note_ids))
