"""From "staff said yes" to the server's answer.

    Ready -> fetched again -> examined -> re-checked -> journal "approved" -> claim -> DATA, 354
          -> journal "sending" -> body -> answer -> journal "sent"

At most once by machine: the journal says "sending" before the first byte of a body leaves, and whatever happens after
that without an answer is a person's to decide.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from time import sleep

from sqlalchemy import Connection

from responder.core.approval import (
    Circumstances,
    Objection,
    examine,
    is_of_an_older_draft,
    not_told,
    read_papers,
    recheck,
    text_key,
    told_key,
)
from responder.core.compose import blanks_in, facts_now, outgoing, own_words, text_of
from responder.core.guards import is_no_reply
from responder.core.mime import header_block
from responder.core.outgoing import seven_bit
from responder.edges.journal import JournalUnavailable, cases, drafts, mails
from responder.edges.smtp import submit_batch
from responder.errors import (
    CertificateRefused,
    ConfigError,
    LoginRefused,
    MessageError,
    PermanentError,
    TemporaryError,
)
from responder.flows.desk import Desk, log, same_bytes
from responder.flows.drafting import carry_out
from responder.flows.learning import learn
from responder.flows.places import back_to_drafts
from responder.flows.planning import plan_again
from responder.flows.proofreading import proofread
from responder.flows.sent import settle_as_sent
from responder.flows.sightings import MAIL_BYTES
from responder.flows.staff import Ready, remember_used
from responder.flows.tell import tell
from responder.flows.troubles import LATER, SOON, begins, works
from responder.flows.ways import Way, way_to
from responder.model import Accepted, Approval, Draft, Later, Outcome, Parcel, Place, Reason, Refused, Unknown

LEASE = timedelta(minutes=20)
RETRY_MINUTES = (5, 10, 20, 30, 60, 120, 240)
GIVE_UP_AFTER = timedelta(hours=24)
GIVE_UP_TRIES = 8
OWED_TRIES = 60


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of an approved draft as it lies on the server: bytes, all its text, and the shop's own words in it."""

    place: Place
    raw: bytes
    text: str
    own_words: str
    subject: str = ""

    @property
    def key(self) -> str:
        """The hash its text is known by."""
        return text_key(self.text)


def on_approved(desk: Desk, ready: Sequence[Ready], now: datetime) -> None:
    """Check every approved draft once more, claim what may go out, and put it into the outbox for `send`.

    It stays there even if the line breaks over the next draft: what is claimed is nobody else's to send.
    """
    for item in ready:
        try:
            parcel = _prepare(desk, item, now)
        except MessageError as exc:
            _hold_back(desk, item, None, (Objection(Reason.of("unreadable", why=str(exc)), False),), now)
            continue
        if parcel is not None:
            desk.outbox.append(parcel)


def _prepare(desk: Desk, item: Ready, now: datetime) -> Parcel | None:
    draft = item.draft
    copies = [copy for place in item.approved if (copy := fetch_copy(desk, place)) is not None]
    if not copies:
        desk.forget_status(desk.account.approved)
        return None
    if len({copy.key for copy in copies}) > 1:
        _hold_back(desk, item, copies[-1], (Objection(Reason.of("two_texts_approved"), False),), now)
        return None
    copy = copies[0]
    others = [other for place in item.elsewhere if (other := fetch_copy(desk, place)) is not None]
    if any(other.key != copy.key for other in others):
        _wait_for_typing(desk, item, copy, now)
        return None
    papers = read_papers(header_block(copy.raw))
    blanks = (*blanks_in(copy.subject), *blanks_in(copy.text))
    way = way_of(desk, draft)
    objections = examine(papers, copy.own_words, blanks, draft, desk.account.identity, must_be_from=way.must_be_from)
    objections += _recheck(desk, draft, copy, way, now, is_older=is_of_an_older_draft(papers, draft))
    faults, remarks = proofread(desk, draft, copy.raw, copy.subject, copy.own_words)
    objections += not_told(faults, draft, copy.key)
    if objections:
        if _may_be_rewritten(draft, copy, objections):
            _write_afresh(desk, item, copy, objections, now)
        else:
            _hold_back(desk, item, copy, objections, now)
        return None
    if not _within_pace(desk, now):
        return None
    return _approve_and_claim(desk, item, copy, way, remarks, now)


def way_of(desk: Desk, draft: Draft) -> Way:
    """How this draft leaves, as the channels stand now."""
    return way_to(draft.recipient.mail, draft.channel, desk.account, desk.settings.channels)


def fetch_copy(desk: Desk, place: Place) -> Copy | None:
    """The mail at this place as it lies there now, or None if it is gone. Raises MessageError."""
    selected = desk.session.select(place.mailbox)
    if selected.uidvalidity != place.uidvalidity:
        return None
    for fetched in desk.session.fetch([place.uid], first_bytes=MAIL_BYTES):
        if fetched.size_bytes > len(fetched.raw):
            raise MessageError("too_large")
        text = text_of(fetched.raw)
        subject = " ".join(header_block(fetched.raw).get("subject", ("",))[0].split())
        return Copy(place, fetched.raw, text, own_words(text), subject)
    return None


def _recheck(desk: Desk, draft: Draft, copy: Copy, way: Way, now: datetime, *, is_older: bool) -> tuple[Objection, ...]:
    with desk.journal.reading() as tx:
        newer = [
            m
            for m in mails.of_case(tx, draft.case_id)
            if m.id not in draft.answers and not m.answered and m.action != "silence"
        ]
        case = cases.find(tx, draft.case_id)
    order = desk.find_order(draft.order_id) if draft.order_id is not None else None
    circumstances = Circumstances(
        order=order,
        facts_now=facts_now(order, tuple(draft.facts)) if order is not None else {},
        newer_mails=len(newer) + is_older,
        answered=case is not None and case.outcome == "sent_by_staff",
        reply_mode=way.mode,
        relay_missing=way.is_closed,
        page=_page_of(desk, draft),
        promise_over=draft.valid_until is not None and draft.valid_until < now,
        answerable=_is_answerable(desk, draft.recipient.mail),
    )
    return recheck(draft, circumstances, copy.key)


def _is_answerable(desk: Desk, mail: str) -> bool:
    return bool(mail) and not desk.account.identity.owns(mail) and not is_no_reply(mail)


def _wait_for_typing(desk: Desk, item: Ready, copy: Copy, now: datetime) -> None:
    """Drafts holds another text of the case: somebody may still be typing. Nothing goes out, staff are told once."""
    draft = item.draft
    with desk.journal.durable() as tx:
        note = Reason.of("another_text_in_drafts", order=draft.order_id or "-")
        key = f"typing:{draft.id}:{copy.key[:16]}"
        tell(desk, tx, key, note, now=now, in_reply_to=draft.in_reply_to, references=draft.references)


def _may_be_rewritten(draft: Draft, copy: Copy, objections: Sequence[Objection]) -> bool:
    """A fresh draft takes the place of one that staff left exactly as we wrote it, if only the facts moved on."""
    if all(o.of_words for o in objections) or not all(o.overridable for o in objections):
        return False
    return same_bytes(copy.raw, draft.raw)


def _write_afresh(desk: Desk, item: Ready, copy: Copy, objections: Sequence[Objection], now: datetime) -> None:
    draft = item.draft
    plan = plan_again(desk, draft, now)
    if plan is None or plan.letter is None:
        _hold_back(desk, item, copy, objections, now)
        return
    plan.retire = None
    with desk.journal.durable() as tx:
        drafts.end(tx, draft.id, "stale", now=now)
        note = Reason.of("written_afresh", order=draft.order_id or "-")
        reasons = [o.reason for o in objections]
        tell(
            desk,
            tx,
            f"afresh:{draft.id}",
            note,
            now=now,
            in_reply_to=draft.in_reply_to,
            references=draft.references,
            reasons=reasons,
            told=plan.told,
        )
    carry_out(desk, [plan], now)
    for place in (*item.approved, *item.elsewhere):
        desk.session.select(place.mailbox)
        desk.session.remove(place.uid)
    with desk.journal.light() as tx:
        drafts.finish(tx, draft.id, removed=True)
    desk.forget_status(desk.account.approved, desk.located.drafts)
    desk.say("written_afresh", draft=draft.id)


def _hold_back(desk: Desk, item: Ready, copy: Copy | None, objections: Sequence[Objection], now: datetime) -> None:
    """Not sent: back to Drafts, with a note that says why. Approving the same text again may override it."""
    draft = item.draft
    text_sha256 = copy.key if copy is not None else ""
    with desk.journal.durable() as tx:
        drafts.unapprove(tx, draft.id, None)
        drafts.touch(tx, draft.id)
        remember_used(tx, desk.name, draft, item.approved)
        drafts.tell(tx, draft.id, text_sha256, [told_key(o) for o in objections if o.overridable])
        note = _why_not_sent(desk, draft, objections)
        place = item.approved[-1]
        tell(
            desk,
            tx,
            f"not-sent:{draft.id}:{place.mailbox}:{place.uidvalidity}:{place.uid}",
            note,
            now=now,
            in_reply_to=draft.in_reply_to,
            references=draft.references,
            reasons=[o.reason for o in objections],
        )
        codes = sorted({o.code for o in objections})
        cases.record(tx, desk.name, "not_sent", now=now, case_id=draft.case_id, draft=draft.id, why=codes)
    back_to_drafts(desk, draft, item.approved)
    desk.say("not_sent", draft=draft.id, why=codes)


def _why_not_sent(desk: Desk, draft: Draft, objections: Sequence[Objection]) -> Reason:
    order = draft.order_id or "-"
    if any(o.code == "channel_takes_no_mail" for o in objections):
        page = _page_of(desk, draft) or draft.channel
        return Reason.of("paste_not_mail", order=order, channel=draft.channel, page=page, sent=desk.located.sent or "")
    can_override = all(o.overridable for o in objections)
    return Reason.of("not_sent_can_repeat" if can_override else "not_sent", order=order)


def _page_of(desk: Desk, draft: Draft) -> str:
    """The page in which a reply of this draft's channel is pasted, or an empty string."""
    return next((channel.admin_page for channel in desk.settings.channels if channel.name == draft.channel), "")


def _within_pace(desk: Desk, now: datetime) -> bool:
    """Keep below the provider's limits: so many mails a minute, so many a day."""
    with desk.journal.reading() as tx:
        minute = drafts.sent_between(tx, desk.name, now - timedelta(minutes=1), now) + len(desk.in_flight)
        day = drafts.sent_between(tx, desk.name, now - timedelta(days=1), now) + len(desk.in_flight)
    if minute >= desk.account.sends_per_minute or day >= desk.account.sends_per_day:
        desk.wake_at(now + timedelta(seconds=15))
        return False
    return True


def _approve_and_claim(
    desk: Desk, item: Ready, copy: Copy, way: Way, remarks: Sequence[Reason], now: datetime
) -> Parcel | None:
    """Fix what goes out for this text under one Message-ID, and take it for sending."""
    draft = item.draft
    before = draft.approval
    same_text = before is not None and before.text_sha256 == copy.key
    outgoing_id = before.outgoing_id if before is not None and same_text else desk.mint_id()
    raw = outgoing(
        copy.raw,
        identity=way.identity,
        recipients=(draft.recipient,),
        message_id=outgoing_id,
        in_reply_to=draft.in_reply_to,
        references=draft.references,
        now=now,
    )
    approval = Approval(copy.place, hashlib.sha256(copy.raw).hexdigest(), copy.key, outgoing_id, raw, now)
    is_first = draft.state != "approved"
    with desk.journal.durable() as tx:
        if is_first and not drafts.approve(tx, draft.id, approval):
            return None
        if is_first:
            cases.add_keys(tx, desk.name, draft.case_id, [outgoing_id])
            record = {"draft": draft.id, "kept": learn(tx, draft, copy.own_words, now)}
            cases.record(tx, desk.name, "approved", now=now, case_id=draft.case_id, **record)
        elif not drafts.renew(tx, draft.id, approval):
            return None
        token = f"{draft.id}:{token_hex(8)}"
        if not drafts.claim(tx, draft.id, token=token, until=now + LEASE, now=now):
            return None
        remember_used(tx, desk.name, draft, item.approved)
        if remarks:
            note = Reason.of("sent_with_remarks", order=draft.order_id or "-")
            key = f"remarks:{draft.id}:{copy.key[:16]}"
            tell(
                desk,
                tx,
                key,
                note,
                now=now,
                in_reply_to=draft.in_reply_to,
                references=draft.references,
                reasons=remarks,
            )
    desk.in_flight.add(draft.id)
    desk.sent_here.add(draft.id)
    return Parcel(token, way.envelope_from(draft.sender), draft.recipient.mail, raw, by=way.by)


# --- on the sending thread ------------------------------------------------------------------------------------------


def send(desk: Desk, parcels: Sequence[Parcel], is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Submit parcels that all leave by the same server, over one connection, and journal each answer as it comes. Never
    raises for a server's fault.

    Runs beside the account's own thread and uses nothing of its session. Once `is_stopping`, no further transaction
    begins.

    Raises: JournalUnavailable; what could not be journalled is owed, see `settle_owed`.
    """
    by = parcels[0].by
    relay = desk.account.relay(by) if by else None
    server = desk.account.smtp if relay is None else relay.smtp
    secret = desk.account.smtp_secret if relay is None else relay.smtp_secret
    tried: set[str] = set()

    def before_body(parcel: Parcel) -> bool:
        with desk.journal.durable() as tx:
            return drafts.begin_body(tx, _draft_id(parcel), parcel.key, now=desk.clock())

    def on_outcome(parcel: Parcel, outcome: Outcome) -> None:
        tried.add(parcel.key)
        desk.owed[parcel.key] = (parcel, outcome)
        settle_owed(desk, tries=OWED_TRIES)

    failure: Reason | None = None
    tell_after = SOON
    try:
        if server is None:
            failure = Reason.of("no_smtp")
        else:
            submit_batch(
                server,
                secret,
                itertools.takewhile(lambda _: not is_stopping(), parcels),
                before_body=before_body,
                on_outcome=on_outcome,
                downgrade=seven_bit,
                local_hostname=desk.account.identity.address.rpartition("@")[2],
            )
    except LoginRefused:
        host = server.host if server is not None else ""
        code = "smtp_token" if server is not None and server.auth == "xoauth2" else "smtp_login"
        failure = Reason.of("relay_login_refused", channel=by, host=host) if by else Reason.of(code, host=host)
        desk.say("smtp_failed", level=40, error="LoginRefused", by=by)
    except ConfigError as exc:
        wording, language = desk.settings.wording, desk.settings.shop.language
        failure = Reason.of("plain", text="; ".join(wording.mistake(mistake, language) for mistake in exc.mistakes))
        desk.say("smtp_failed", level=40, error="ConfigError", by=by)
    except CertificateRefused:
        failure = Reason.of("smtp_certificate", host=server.host if server is not None else "")
        desk.say("smtp_failed", level=40, error="CertificateRefused", by=by)
    except (TemporaryError, PermanentError) as exc:
        tell_after = LATER
        failure = Reason.of("smtp_failed", error=type(exc).__name__)
        desk.say("smtp_failed", level=40, error=type(exc).__name__, by=by)
    except Exception as exc:  # ours: whatever it is, what was claimed must not stay claimed
        failure = Reason.of("smtp_failed", error=type(exc).__name__)
        log.exception("sending_failed", extra={"action": "sending_failed", "account": desk.name})
    put_off = Later("connect", failure.code) if failure is not None else None
    desk.owed |= {p.key: (p, put_off) for p in parcels if p.key not in tried}
    settle_owed(desk, tries=OWED_TRIES)
    kind, now = sending_kind(by), desk.clock()
    with desk.journal.light() as tx:
        if failure is not None:
            note = Reason.of("relay_stopped", channel=by) if by else Reason.of("sending_stopped", account=desk.name)
            begins(tx, desk.name, kind, note, now=now, reasons=[failure], tell_after=tell_after)
        elif tried:
            works(tx, desk.name, kind, now=now)


def sending_kind(by: str) -> str:
    """The name of the trouble that a server does not let us send."""
    return f"sending:{by}" if by else "sending"


def _draft_id(parcel: Parcel) -> int:
    return int(parcel.key.partition(":")[0])


def settle_owed(desk: Desk, *, tries: int = 1) -> None:
    """Journal the answers of the server that are not in the journal yet: a full disk is waited out, a second a try.

    What fails then is tried again at every turn. If the process ends before, the journal still says "sending", and a
    person decides after the restart.

    Raises: JournalUnavailable.
    """
    with desk.owed_lock:
        for key, (parcel, outcome) in list(desk.owed.items()):
            for attempt in range(tries):
                try:
                    _journal_outcome(desk, parcel, outcome)
                    break
                except JournalUnavailable:
                    if attempt == tries - 1:
                        raise
                    sleep(1)
            del desk.owed[key]
            desk.in_flight.discard(_draft_id(parcel))


def _journal_outcome(desk: Desk, parcel: Parcel, outcome: Outcome | None) -> None:
    """What became of a parcel; None: it was not tried."""
    draft_id, now = _draft_id(parcel), desk.clock()
    if outcome is None:
        with desk.journal.durable() as tx:
            drafts.unclaim(tx, draft_id, parcel.key)
        return
    with desk.journal.durable() as tx:
        draft = drafts.find(tx, draft_id)
        match outcome:
            case Accepted():
                settle_as_sent(desk, tx, draft, now)
            case Later(_, reply):
                _journal_later(desk, tx, draft, parcel, reply, now)
            case Refused(_, reply):
                drafts.given_back(tx, draft_id, parcel.key)
                note = Reason.of("refused_by_server", order=draft.order_id or "-", reply=reply)
                key = f"refused:{draft_id}:{draft.attempts}:{parcel.key}"
                tell(
                    desk,
                    tx,
                    key,
                    note,
                    now=now,
                    in_reply_to=draft.in_reply_to,
                    references=draft.references,
                    reasons=_why_refused(desk, parcel),
                )
            case Unknown():
                drafts.doubt(tx, draft_id)
        kind = type(outcome).__name__.lower()
        cases.record(tx, desk.name, f"smtp_{kind}", now=now, case_id=draft.case_id, draft=draft_id)
    desk.say(f"smtp_{kind}", draft=draft_id)


def _why_refused(desk: Desk, parcel: Parcel) -> tuple[Reason, ...]:
    """What a marketplace's server most often has against a mail: it is not from the addresses registered there."""
    relay = desk.account.relay(parcel.by) if parcel.by else None
    if relay is None:
        return ()
    registered = {"address": relay.identity.address, "envelope_from": relay.envelope_from}
    return (Reason.of("relay_refused", channel=parcel.by, **registered),)


def _journal_later(desk: Desk, tx: Connection, draft: Draft, parcel: Parcel, reply: str, now: datetime) -> None:
    """Not accepted for sure: again after a growing pause, and a person's after a day."""
    # Tried often enough, too: a machine that slept for a day has not been trying.
    if now - (draft.first_attempt_at or now) >= GIVE_UP_AFTER and draft.attempts >= GIVE_UP_TRIES:
        drafts.given_back(tx, draft.id, parcel.key)
        note = Reason.of("given_up", order=draft.order_id or "-", reply=reply)
        tell(desk, tx, f"given-up:{parcel.key}", note, now=now, in_reply_to=draft.in_reply_to)
        return
    pause = RETRY_MINUTES[max(0, min(draft.attempts, len(RETRY_MINUTES)) - 1)]
    drafts.later(tx, draft.id, parcel.key, now + timedelta(minutes=pause))
