"""The warehouse is told to hold a parcel back while staff decide on a cancel, and what came of it.

    cancel asked, not shipped -> intent "stop" -> said, outcome
    answer sent               -> intent "confirm"       draft deleted, or taken back by the buyer -> intent "release"
    answer sent after all     -> intents "stop" and "confirm", and staff are told: the parcel may have left

Each word is said at most once by machine: `doing` is committed before it leaves, the outcome after. Whatever happens in
between is told to staff, and not said again. Nothing here waits for an approval, and nothing goes anywhere but where
responder.toml says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from secrets import token_hex

from sqlalchemy import Connection

from responder.config import ParcelStopSettings
from responder.core import parcels as words_of
from responder.core.cancels import effect_of
from responder.core.outgoing import seven_bit
from responder.edges import csv_lines, webhook
from responder.edges.journal import cases, parcels
from responder.edges.smtp import submit_batch
from responder.errors import MessageError, PermanentError, TemporaryError
from responder.flows.desk import Desk
from responder.flows.tell import tell
from responder.model import (
    Accepted,
    Draft,
    Later,
    Outcome,
    Parcel,
    ParcelStep,
    ParcelWay,
    ParcelWord,
    Reason,
    Refused,
    Unknown,
)

PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=5))
LEASE = timedelta(minutes=20)
STALE = timedelta(days=1)

# --- what is to be said ---------------------------------------------------------------------------------------------


def stop(desk: Desk, tx: Connection, case_id: str, *, order_id: str, channel: str, now: datetime) -> None:
    """The buyer asks to cancel what has not left: the intent to tell the warehouse, unless it has been told."""
    settings = desk.settings.parcel_stop
    if settings is None:
        return
    begun = parcels.begin(
        tx,
        desk.name,
        case_id,
        order_id=order_id,
        channel=channel,
        token=token_hex(8),
        reason="buyer_cancel",
        ways=settings.ways,
        now=now,
    )
    if begun:
        cases.record(tx, desk.name, "parcel_stop", now=now, case_id=case_id)


def over(
    desk: Desk, tx: Connection, case_id: str, order_id: str | None, step: ParcelStep, reason: str, now: datetime
) -> bool:
    """It is decided what becomes of the parcel, if it is being held back: the intent to tell the warehouse. False if
    it is not."""
    if desk.settings.parcel_stop is None:
        return False
    found = parcels.standing(tx, desk.name, case_id, order_id)
    if found is None:
        return False
    if parcels.end(tx, found, step, reason, now=now):
        cases.record(tx, desk.name, f"parcel_{step}", now=now, case_id=found.case_id)
    return True


def answered(desk: Desk, tx: Connection, draft: Draft, now: datetime) -> None:
    """This reply has reached the buyer: what it says about the cancel decides on the parcel."""
    match effect_of(draft.situation, draft.template):
        case "accepts":
            if not over(desk, tx, draft.case_id, draft.order_id, "confirm", "cancel_answered", now):
                _stop_again(desk, tx, draft, now)
        case "keeps":
            over(desk, tx, draft.case_id, draft.order_id, "release", "asked_to_keep", now)


def _stop_again(desk: Desk, tx: Connection, draft: Draft, now: datetime) -> None:
    """The buyer was told that his order is cancelled, and the warehouse that the parcel may leave: it is stopped again,
    if it may be, and a person has to see to it that it did not leave in between."""
    if desk.settings.parcel_stop is None:
        return
    before = parcels.released(tx, desk.name, draft.case_id, draft.order_id)
    if before is None:
        return
    stop(desk, tx, draft.case_id, order_id=before.order_id, channel=before.channel, now=now)
    again = over(desk, tx, draft.case_id, before.order_id, "confirm", "cancel_answered", now)
    code = "parcel_stopped_again" if again else "parcel_not_stopped_again"
    tell(desk, tx, f"parcel-again:{before.id}", Reason.of(code, order=before.order_id), now=now)


def refused(desk: Desk, tx: Connection, draft: Draft, now: datetime) -> None:
    """Staff deleted this draft. Where it was about the cancel, the parcel may leave; else they have to say."""
    if effect_of(draft.situation, draft.template) is None:
        answered_otherwise(desk, tx, draft.case_id, now)
    else:
        over(desk, tx, draft.case_id, draft.order_id, "release", "refused_by_staff", now)


def answered_otherwise(desk: Desk, tx: Connection, case_id: str, now: datetime) -> None:
    """Staff settled the matter in their own way: only they know what becomes of a parcel that is held back."""
    if desk.settings.parcel_stop is None:
        return
    found = parcels.standing(tx, desk.name, case_id, None)
    if found is not None:
        tell(desk, tx, f"parcel-open:{found.id}", Reason.of("parcel_open", order=found.order_id), now=now)


def answered_after_refusal(desk: Desk, tx: Connection, case_id: str, now: datetime) -> None:
    """The draft was deleted, so that the parcel may leave, and staff answered in words of their own afterwards."""
    if desk.settings.parcel_stop is None:
        return
    found = parcels.released(tx, desk.name, case_id, None)
    if found is not None:
        tell(desk, tx, f"parcel-free:{found.id}", Reason.of("parcel_free", order=found.order_id), now=now)


def stands(desk: Desk, tx: Connection, case_id: str) -> bool:
    """True if a parcel of this case is being held back."""
    return desk.settings.parcel_stop is not None and parcels.standing(tx, desk.name, case_id, None) is not None


_TOLD = {"accepts": "parcel_told", "waits": "parcel_told_waits", "keeps": "parcel_told_keeps"}


def remarks(
    desk: Desk, case_id: str, order_id: str | None, *, stops: bool, taken_back: bool, effect: str | None
) -> tuple[Reason, ...]:
    """What a note about a mail tells of the parcel. `effect` is what its draft, if any, does about the cancel."""
    settings = desk.settings.parcel_stop
    if settings is None:
        return ()
    with desk.journal.reading() as tx:
        found = parcels.standing(tx, desk.name, case_id, order_id)
        may_begin = found is None and stops and order_id is not None and parcels.may_begin(tx, desk.name, order_id)
    if (found is not None and stops) or may_begin:
        label, language = desk.settings.wording.label, desk.settings.shop.language
        ways = ", ".join(label(f"parcel_way_{way}", language) for way in settings.ways)
        code = _TOLD.get(effect or "", "parcel_told_held")
        return (Reason.of(code, order=order_id or "-", ways=ways),)
    if found is None:
        return ()
    return (Reason.of("parcel_released" if taken_back else "parcel_stands", order=found.order_id),)


def bounced(desk: Desk, tx: Connection, message_ids: Sequence[str], now: datetime) -> None:
    """Mails that came back as undeliverable: if one was to the warehouse, staff have to tell it."""
    if desk.settings.parcel_stop is None:
        return
    for token, step in filter(None, map(words_of.token_of, message_ids)):
        for found in parcels.of_token(tx, desk.name, [token]):
            _tell(desk, tx, "parcel_failed", found.id, found.order_id, step, "mail", "undeliverable", now)


# --- saying it ------------------------------------------------------------------------------------------------------


def look_after(desk: Desk, now: datetime) -> None:
    """Put what is to be said now into the desk's words, and ask staff about what nobody knows the end of."""
    if desk.settings.parcel_stop is None:
        return
    with desk.journal.reading() as tx:
        if not parcels.any_under_way(tx, desk.name):
            return
        alone = desk.journal.file is not None
        doubtful = parcels.in_doubt(tx, desk.name, begun_before=None if alone else now - LEASE)
        ready, later = parcels.due(tx, desk.name, now)
    for word in doubtful:
        if word.id not in desk.saying:
            with desk.journal.durable() as tx:
                _settle(desk, tx, word, Unknown("answer", "interrupted"), now)
    for word in ready:
        if now - word.at > STALE and word.id not in desk.saying:
            # We were away for long, or the journal is an older one, put back from a backup.
            with desk.journal.durable() as tx:
                _settle(desk, tx, word, Unknown("answer", "too old"), now)
    waiting = {word.id for word in desk.words} | desk.saying
    desk.words += [word for word in ready if word.id not in waiting and now - word.at <= STALE]
    if later is not None:
        desk.wake_at(later)


def say(desk: Desk, words: Sequence[ParcelWord], is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Say these words, and journal what became of each. Runs on a sending thread, and uses nothing of the session.

    Raises: JournalUnavailable; what was being said then is in doubt.
    """
    try:
        for word in words:
            settings = desk.settings.parcel_stop
            if settings is None or is_stopping():
                return
            match word.way:
                case "mail":
                    outcome, begun = _mail(desk, settings, word)
                case "webhook":
                    outcome, begun = _taken(desk, word, partial(_post, settings, word))
                case "csv":
                    outcome, begun = _taken(desk, word, partial(_append, settings, word))
            if outcome is not None:
                with desk.journal.durable() as tx:
                    _settle(desk, tx, word, outcome, desk.clock(), begun=begun)
            desk.say("parcel_word", step=word.step, way=word.way, result=type(outcome).__name__.lower(), word=word.id)
    finally:
        desk.saying -= {word.id for word in words}


def _take(desk: Desk, word: ParcelWord) -> bool:
    with desk.journal.durable() as tx:
        return parcels.take(tx, word.id, now=desk.clock())


def _taken(desk: Desk, word: ParcelWord, act: Callable[[], Outcome]) -> tuple[Outcome | None, bool]:
    """What became of `act`, once the word is ours; None where it is not to be said any more."""
    return (act(), True) if _take(desk, word) else (None, False)


def _post(settings: ParcelStopSettings, word: ParcelWord) -> Outcome:
    if settings.webhook is None:
        return Refused("check", "not configured")
    return webhook.post(settings.webhook, words_of.json_body(word))


def _append(settings: ParcelStopSettings, word: ParcelWord) -> Outcome:
    if settings.csv is None:
        return Refused("check", "not configured")
    return csv_lines.append(settings.csv, words_of.CSV_HEADER, words_of.csv_cells(word))


def _mail(desk: Desk, settings: ParcelStopSettings, word: ParcelWord) -> tuple[Outcome | None, bool]:
    """The mail over the account's own server, to the configured address and to nobody else."""
    account, shop = desk.account, desk.settings.shop
    if settings.mail is None or account.smtp is None:
        return Refused("check", "not configured"), False
    titles = {channel.name: channel.title_in(shop.language) for channel in desk.settings.channels}
    taken: list[bool] = []
    outcomes: list[Outcome] = []

    def before_body(_: Parcel) -> bool:
        taken.append(_take(desk, word))
        return taken[-1]

    try:
        raw = words_of.mail_bytes(
            word,
            identity=account.identity,
            to=settings.mail,
            language=shop.language,
            channel=titles.get(word.channel, word.channel),
            wording=desk.settings.wording,
            zone=shop.timezone,
            now=desk.clock(),
        )
        submit_batch(
            account.smtp,
            account.smtp_secret,
            [Parcel(f"parcel:{word.id}", account.identity.address, settings.mail, raw)],
            before_body=before_body,
            on_outcome=lambda _, outcome: outcomes.append(outcome),
            downgrade=seven_bit,
            local_hostname=account.identity.address.rpartition("@")[2],
        )
    except MessageError as exc:
        return Refused("check", str(exc)), False
    except (TemporaryError, PermanentError) as exc:
        if not outcomes:
            return Later("connect", type(exc).__name__), bool(taken)
    if taken == [False]:
        return None, False
    return (outcomes[0] if outcomes else Unknown("answer", "no outcome")), bool(taken)


def _settle(
    desk: Desk, tx: Connection, word: ParcelWord, outcome: Outcome, now: datetime, *, begun: bool = True
) -> None:
    """Journal what became of a word; staff are told where the warehouse may not have heard it."""
    match outcome:
        case Accepted():
            parcels.settle(tx, word, "done", now=now)
        case Later(_, reply) if word.attempts < len(PAUSES):
            parcels.put_off(tx, word.id, now + PAUSES[word.attempts], begun=begun)
            desk.say("parcel_word_later", level=30, way=word.way, word=word.id, why=reply)
        case Later(_, reply) | Refused(_, reply):
            if parcels.settle(tx, word, "failed", now=now):
                _tell(desk, tx, "parcel_failed", word.id, word.order_id, word.step, word.way, reply, now)
        case Unknown(_, reply):
            if parcels.settle(tx, word, "unknown", now=now):
                _tell(desk, tx, "parcel_unknown", word.id, word.order_id, word.step, word.way, reply, now)


def _tell(
    desk: Desk,
    tx: Connection,
    code: str,
    number: int,
    order_id: str,
    step: str,
    way: ParcelWay,
    reply: str,
    now: datetime,
) -> None:
    label, language = desk.settings.wording.label, desk.settings.shop.language
    file = desk.settings.file
    note = Reason.of(
        code,
        order=order_id,
        word=label(f"parcel_step_{step}", language),
        way=label(f"parcel_way_{way}", language),
        reply=reply,
        where=f"{file.name if file is not None else 'responder.toml'}: parcel_stop.{way}",
    )
    tell(desk, tx, f"{code}:{number}:{step}:{way}", note, now=now)
