"""Receipts that leave without an approval, where the owner has switched that on (RFC 3834; `core.auto_reply`).

    the clock looks at a case -> may this mail be answered by machine? -> journal "intent", with the look
    -> a sending thread: MAIL FROM:<>, DATA, 354 -> journal "doing" -> body -> journal "sent" -> a copy in Sent

Each is begun at most once by machine. Without an answer of the server it is `unknown`, for good.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from responder.core import headers
from responder.core.auto_reply import ID_ENDING, receipt_bytes, why_not
from responder.core.compose import compose
from responder.core.outgoing import seven_bit
from responder.edges.journal import auto_replies, cases, clocks, mails, notes
from responder.edges.journal.auto_replies import Receipt
from responder.edges.smtp import submit_batch
from responder.errors import MessageError, PermanentError, TemporaryError
from responder.flows.clock_letters import holding_decision
from responder.flows.desk import Desk
from responder.flows.filing import LEARNED_AFTER
from responder.flows.planning import read_again
from responder.flows.sent import SERVER_FILES
from responder.flows.tell import tell
from responder.model import NULL_PATH, Accepted, Address, CaseFile, Later, Message, Outcome, Parcel, Reason, Refused

MOST_AGE = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=5)


def receipt(desk: Desk, file: CaseFile, now: datetime) -> Receipt | None:
    """The receipt for the newest mail of the case that waits, or None where none may be sent."""
    auto, account, case = desk.settings.clocks.auto, desk.account, file.case
    if auto is None or account.smtp is None:
        return None
    with desk.journal.reading() as tx:
        waiting = [one for one in mails.of_case(tx, case.id) if not one.answered and one.action != "silence"]
        may_begin = auto_replies.may_begin(
            tx,
            desk.name,
            case.id,
            case.buyer,
            since=now - timedelta(days=auto.once_in_days),
            day=now - timedelta(days=1),
            most_a_day=auto.most_a_day,
        )
    found = read_again(desk, waiting[-1:]) if may_begin else []
    if not found:
        return None
    incoming = found[-1]
    refusal = why_not(incoming.message, incoming.channel, account.identity, trusted=incoming.trusted)
    if refusal is not None:
        desk.say("no_auto_reply", case=case.id, why=refusal)
        return None
    try:
        letter = compose(
            holding_decision(incoming, None),
            _nothing_of(incoming.message),
            identity=account.identity,
            shop=desk.settings.shop,
            channel=replace(incoming.channel, quote_original=False),
            templates=desk.settings.templates,
            now=now,
        )
        message_id = f"<{secrets.token_hex(12)}{ID_ENDING}{account.identity.address.rpartition('@')[2]}>"
        raw = receipt_bytes(letter, message_id=message_id, date=headers.date(now))
    except MessageError as exc:
        desk.say("no_auto_reply", case=case.id, why=str(exc))
        return None
    until = letter.valid_until if auto.at == "deadline" else None
    return Receipt(desk.name, waiting[-1].id, case.id, case.buyer, message_id, raw, until)


def _nothing_of(message: Message) -> Message:
    """A mail with the thread and the address of this one, and none of its words."""
    sender = message.sender
    return replace(
        Message.blank(message.language),
        sender=Address("", sender.mail) if sender is not None else None,
        to=message.to,
        cc=message.cc,
        message_id=message.message_id,
        in_reply_to=message.in_reply_to,
        references=message.references,
    )


def look_after(desk: Desk, now: datetime) -> None:
    """Put what is to be sent into the desk's hands, file what was sent, and give up what nobody knows of."""
    if desk.settings.clocks.auto is None:
        return
    with desk.journal.reading() as tx:
        waiting = auto_replies.under_way(tx, desk.name)
    for one in waiting:
        if one.id in desk.replying:
            continue
        if one.state == "sent":
            _file(desk, one, now)
        elif one.state == "doing" and desk.journal.file is not None:
            with desk.journal.durable() as tx:
                auto_replies.end(tx, one.id, "unknown", now=now)
                cases.record(tx, desk.name, "auto_reply_unknown", now=now, case_id=one.case_id)
        elif one.state == "intent" and one.created_at is not None and now - one.created_at > MOST_AGE:
            _failed(desk, one, "too old", now)
        elif one.state == "intent" and desk.receipts_after is not None and now < desk.receipts_after:
            desk.wake_at(desk.receipts_after)
        elif one.state == "intent" and all(one.id != other.id for other in desk.receipts):
            desk.receipts.append(one)


def _file(desk: Desk, one: Receipt, now: datetime) -> None:
    """One copy in Sent, unless the server files by itself; looked for first."""
    sent, server_files = desk.located.sent, desk.account.files_sent
    if server_files is None:
        with desk.journal.reading() as tx:
            server_files = int(notes.find_fact(tx, desk.name, SERVER_FILES) or 0) >= LEARNED_AFTER
    if sent is not None and one.raw and not server_files:
        desk.session.select(sent)
        if not desk.session.find_message_id(one.message_id):
            desk.session.append(sent, one.raw, flags=("\\Seen",))
    with desk.journal.durable() as tx:
        auto_replies.end(tx, one.id, "filed", now=now)


def _failed(desk: Desk, one: Receipt, why: str, now: datetime) -> None:
    with desk.journal.durable() as tx:
        if auto_replies.end(tx, one.id, "failed", now=now):
            cases.record(tx, desk.name, "auto_reply_failed", now=now, case_id=one.case_id)
            if not notes.was_told(tx, desk.name, key := f"auto-reply-failed:{now.date().isoformat()}"):
                tell(desk, tx, key, Reason.of("auto_reply_failed", reply=why), now=now)


# --- on the sending thread ------------------------------------------------------------------------------------------


def send_receipts(desk: Desk, receipts: Sequence[Receipt], is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Send these, and journal what became of each. Uses nothing of the session.

    Raises: JournalUnavailable; what was being sent then is unknown.
    """
    account, pause = desk.account, desk.clock() + AGAIN_AFTER
    later: list[str] = []
    desk.receipts_after = pause  # whatever ends this batch: the next attempt is not made at once
    by_key = {f"receipt:{one.id}": one for one in receipts}

    def before_body(parcel: Parcel) -> bool:
        with desk.journal.durable() as tx:
            return auto_replies.take(tx, by_key[parcel.key].id, now=desk.clock())

    def on_outcome(parcel: Parcel, outcome: Outcome) -> None:
        if isinstance(outcome, Later):
            later.append(parcel.key)
        _settle(desk, by_key[parcel.key], outcome, desk.clock())

    try:
        if account.smtp is not None:
            # The null path: whatever becomes of it, nothing answers it (RFC 3834 3.3).
            parcels = (Parcel(key, NULL_PATH, one.sender, one.raw) for key, one in by_key.items() if not is_stopping())
            submit_batch(
                account.smtp,
                account.smtp_secret,
                parcels,
                before_body=before_body,
                on_outcome=on_outcome,
                downgrade=seven_bit,
                local_hostname=account.identity.address.rpartition("@")[2],
            )
    except (TemporaryError, PermanentError) as exc:
        desk.say("auto_reply_waits", level=30, error=type(exc).__name__)
    else:
        desk.receipts_after = pause if later else None
    finally:
        desk.replying -= {one.id for one in receipts}


def _settle(desk: Desk, one: Receipt, outcome: Outcome, now: datetime) -> None:
    match outcome:
        case Accepted():
            with desk.journal.durable() as tx:
                auto_replies.end(tx, one.id, "sent", now=now)
                cases.add_keys(tx, desk.name, one.case_id, [one.message_id])
                cases.record(tx, desk.name, "auto_reply_sent", now=now, case_id=one.case_id, mail=one.mail_id)
                if one.valid_until is not None:
                    clocks.promised(tx, one.case_id, one.valid_until, look_at=now)
        case Later():
            with desk.journal.durable() as tx:
                auto_replies.back(tx, one.id)
        case Refused(_, reply):
            _failed(desk, one, reply, now)
        case _:
            with desk.journal.durable() as tx:
                auto_replies.end(tx, one.id, "unknown", now=now)
                cases.record(tx, desk.name, "auto_reply_unknown", now=now, case_id=one.case_id)
    desk.say("auto_reply", case=one.case_id, result=type(outcome).__name__.lower())
