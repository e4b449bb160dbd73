"""Mails to the people of `alert_to`: what no note can tell. Sent by whichever account's server takes them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from responder.config import AccountSettings, Settings
from responder.core.approval import read_papers
from responder.core.mime import header_block
from responder.core.notes import from_line
from responder.core.outgoing import seven_bit
from responder.edges.journal import Journal, notes
from responder.edges.smtp import submit_batch
from responder.errors import ResponderError
from responder.flows.troubles import open_troubles
from responder.model import Accepted, Outcome, Parcel, Unknown

log = logging.getLogger("responder")

ANSWER_S = 120.0


def mail_alerts(journal: Journal, settings: Settings) -> bool:
    """Send the mails that wait in the journal. False if some still wait; never raises for a server's fault.

    Raises: JournalUnavailable.
    """
    with journal.reading() as tx:
        waiting = notes.to_be_mailed(tx)
        sick = {trouble.account for trouble in open_troubles(tx) if trouble.kind == "sending"} if waiting else set()
    if not waiting:
        return True
    gone = mail_at_once(settings, waiting, last=sick)
    for note_id in gone:
        with journal.durable() as tx:
            notes.mailed(tx, note_id)
    return len(gone) == len(waiting)


def mail_at_once(settings: Settings, letters: Sequence[tuple[int, bytes]], *, last: set[str]) -> set[int]:
    """Offer the letters (number, bytes without From) to one account's server after the other, those of `last` at the
    end; the numbers of those that were taken. What got no answer may have been taken and is not repeated."""
    gone: set[int] = set()
    for account in sorted(settings.accounts, key=lambda account: account.name in last):
        left = [(number, raw) for number, raw in letters if number not in gone]
        if not left:
            break
        if account.smtp is not None:
            gone |= _by(account, left)
    return gone


def _by(account: AccountSettings, letters: Sequence[tuple[int, bytes]]) -> set[int]:
    gone: set[int] = set()
    parcels = [
        Parcel(str(number), account.identity.address, to.mail, from_line(account.identity) + raw)
        for number, raw in letters
        for to in read_papers(header_block(raw)).recipients[:1]
    ]

    def on_outcome(parcel: Parcel, outcome: Outcome) -> None:
        if isinstance(outcome, Accepted | Unknown):
            gone.add(int(parcel.key))

    if account.smtp is None:
        return gone
    try:
        submit_batch(
            account.smtp,
            account.smtp_secret,
            parcels,
            before_body=lambda _: True,
            on_outcome=on_outcome,
            downgrade=seven_bit,
            local_hostname=account.identity.address.rpartition("@")[2],
            answer_timeout_s=ANSWER_S,
        )
    except ResponderError as exc:
        log.warning(
            "alert_not_sent",
            extra={"action": "alert_not_sent", "account": account.name, "error": type(exc).__name__},
        )
    if gone:
        log.info("alerts_sent", extra={"action": "alerts_sent", "account": account.name, "count": len(gone)})
    return gone
