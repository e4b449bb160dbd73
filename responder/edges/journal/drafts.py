"""Drafts and their way out: every state change is one conditional statement, so that two hands cannot both make it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, func, insert, or_, select, update

from responder.edges.journal.tables import IN_ONE_QUERY, case, draft, event
from responder.model import OPEN_DRAFT_STATES, Address, Approval, Decision, Draft, DraftState, Letter, Place

# Statements of every turn are built once: to build one costs more than to run it.
_OF_ACCOUNT = select(draft).where(draft.c.account == bindparam("account")).order_by(draft.c.id)
_WENT_OUT = ("sent", "filed", "sent_by_staff", "uncertain")
_STANDING = (*_WENT_OUT, *sorted(OPEN_DRAFT_STATES - {"uncertain"}))
_IS_OPEN = draft.c.state.in_(OPEN_DRAFT_STATES | {"sent"})
_OPEN = _OF_ACCOUNT.where(_IS_OPEN)
_ANY_OPEN = select(draft.c.id).where(draft.c.account == bindparam("account"), _IS_OPEN).limit(1)
_INTENDED = _OF_ACCOUNT.where(draft.c.state == "drafting")
_LEFTOVER = _OF_ACCOUNT.where(draft.c.state.in_(("withdrawn", "stale", "sent_by_staff")), draft.c.removed.is_(False))
_DRAFTED = update(draft).where(draft.c.id == bindparam("its_id"), draft.c.state == "drafting").values(state="drafted")
_DRAFTED_AT = _DRAFTED.values({name: bindparam(name) for name in ("mailbox", "uidvalidity", "uid")})
_BY_ID = select(draft).where(draft.c.id == bindparam("its_id"))
_OF_CASE = select(draft).where(draft.c.case_id == bindparam("case_id")).order_by(draft.c.id)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_WITH_IDS = select(draft.c.id, draft.c.message_id, draft.c.outgoing_id).where(
    draft.c.account == bindparam("account"), or_(draft.c.message_id.in_(_IDS), draft.c.outgoing_id.in_(_IDS))
)
_WITH_ROW_IDS = select(draft).where(draft.c.id.in_(bindparam("its_ids", expanding=True)))
_NOW = bindparam("now", type_=draft.c.lease_until.type)
_CLAIM = (
    update(draft)
    .where(
        draft.c.id == bindparam("its_id"),
        draft.c.state == "approved",
        or_(draft.c.lease_token.is_(None), draft.c.lease_until < _NOW),
        or_(draft.c.not_before.is_(None), draft.c.not_before <= _NOW),
    )
    .values(
        lease_token=bindparam("lease_token"),
        lease_until=bindparam("lease_until"),
        attempts=draft.c.attempts + 1,
        first_attempt_at=func.coalesce(draft.c.first_attempt_at, _NOW),
    )
)
_BEGIN_BODY = (
    update(draft)
    .where(
        draft.c.id == bindparam("its_id"),
        draft.c.state == "approved",
        draft.c.lease_token == bindparam("its_token"),
        draft.c.lease_until >= _NOW,
    )
    .values(state="sending", uncertain_since=_NOW)
)
_ACCEPTED = (
    update(draft)
    .where(
        draft.c.id == bindparam("its_id"),
        draft.c.state.in_(("sending", "uncertain", "approved", "drafted", "vanished")),
    )
    .values(state="sent", sent_at=bindparam("sent_at"), lease_token=None, uncertain_since=None)
)


@dataclass(frozen=True, slots=True)
class Intent:
    """A draft that is to be put into Drafts: its Message-ID and bytes are fixed."""

    case_id: str
    account: str
    message_id: str
    raw: bytes
    template: str
    situation: str
    order_id: str | None
    channel: str
    facts: Mapping[str, str]
    sender: str
    recipient: Address
    in_reply_to: str | None
    references: Sequence[str]
    answers: Sequence[int]
    valid_until: datetime | None = None

    @classmethod
    def of(
        cls,
        decision: Decision,
        letter: Letter,
        *,
        case_id: str,
        account: str,
        message_id: str,
        raw: bytes,
        answers: Sequence[int],
    ) -> Intent:
        """The draft of a letter, written on a decision; `answers` are the ids of the mails it replies to."""
        return cls(
            case_id=case_id,
            account=account,
            message_id=message_id,
            raw=raw,
            template=letter.template,
            situation=decision.situation,
            order_id=decision.order_id,
            channel=decision.channel,
            facts=letter.facts,
            sender=letter.sender.mail,
            recipient=letter.to,
            in_reply_to=letter.in_reply_to,
            references=letter.references,
            answers=answers,
            valid_until=letter.valid_until,
        )


def begin(tx: Connection, intents: Sequence[Intent], *, now: datetime) -> dict[str, int]:
    """Keep the intent to put these drafts into Drafts; returns Message-ID to row id."""
    if not intents:
        return {}
    rows = tx.execute(
        insert(draft).returning(draft.c.message_id, draft.c.id),
        [
            {
                "case_id": one.case_id,
                "account": one.account,
                "state": "drafting",
                "message_id": one.message_id,
                "raw": one.raw,
                "template": one.template,
                "situation": one.situation,
                "order_id": one.order_id,
                "channel": one.channel,
                "facts": dict(one.facts),
                "sender": one.sender,
                "recipient_name": one.recipient.name,
                "recipient": one.recipient.mail,
                "in_reply_to": one.in_reply_to,
                "references": list(one.references),
                "answers": list(one.answers),
                "valid_until": one.valid_until,
                "told": [],
                "created_at": now,
            }
            for one in intents
        ],
    )
    return {row.message_id: row.id for row in rows}


def drafted(tx: Connection, places: Mapping[int, Place | None]) -> None:
    """These drafts (by row id) lie in Drafts, at their places where the server told them."""
    untold = [{"its_id": draft_id} for draft_id, place in places.items() if place is None]
    told = [{"its_id": draft_id, **_at(place)} for draft_id, place in places.items() if place is not None]
    if untold:
        tx.execute(_DRAFTED, untold)
    if told:
        tx.execute(_DRAFTED_AT, told)


def seen_at(tx: Connection, draft_id: int, place: Place, *, touched: bool | None = None) -> None:
    """The draft was seen at `place`; `touched` is set once staff have opened or changed it and never unset."""
    values: dict[str, Any] = {**_at(place), "gone_since": None}
    if touched:
        values["touched"] = True
    tx.execute(update(draft).where(draft.c.id == draft_id).values(values))
    tx.execute(update(draft).where(draft.c.id == draft_id, draft.c.state == "vanished").values(state="drafted"))


def touch(tx: Connection, draft_id: int) -> None:
    """Staff opened or changed it: from now on it is theirs."""
    tx.execute(update(draft).where(draft.c.id == draft_id).values(touched=True))


def gone(tx: Connection, draft_id: int, since: datetime) -> None:
    """The draft is not where it was; what that means is decided after a while."""
    tx.execute(
        update(draft)
        .where(draft.c.id == draft_id, draft.c.gone_since.is_(None))
        .values(gone_since=since, mailbox=None, uidvalidity=None, uid=None)
    )


def end(tx: Connection, draft_id: int, state: DraftState, *, now: datetime) -> bool:
    """Take an open draft to one of its ends. False if it was no longer open, or its body is on the way."""
    return bool(
        tx.execute(
            update(draft)
            .where(draft.c.id == draft_id, draft.c.state.in_(OPEN_DRAFT_STATES - {"sending"}))
            .values(state=state, ended_at=now, lease_token=None)
        ).rowcount
    )


def vanish(tx: Connection, draft_id: int) -> None:
    """Nowhere to be found for the whole grace time: unknown, never sent, never written again."""
    tx.execute(update(draft).where(draft.c.id == draft_id, draft.c.state == "drafted").values(state="vanished"))


def approve(tx: Connection, draft_id: int, approval: Approval) -> bool:
    """Staff said yes to one text. False if the draft was no longer waiting for that."""
    place = approval.place
    return bool(
        tx.execute(
            update(draft)
            .where(draft.c.id == draft_id, draft.c.state.in_(("drafted", "uncertain", "vanished", "approved")))
            .values(
                state="approved",
                approved_mailbox=place.mailbox,
                approved_uidvalidity=place.uidvalidity,
                approved_uid=place.uid,
                approved_raw_sha256=approval.raw_sha256,
                approved_text_sha256=approval.text_sha256,
                approved_at=approval.approved_at,
                outgoing_id=approval.outgoing_id,
                outgoing_raw=approval.outgoing_raw,
                not_before=None,
                attempts=0,
                first_attempt_at=None,
                uncertain_since=None,
            )
        ).rowcount
    )


def renew(tx: Connection, draft_id: int, approval: Approval) -> bool:
    """The same approval at another attempt: what goes out was built anew from the same text."""
    return bool(
        tx.execute(
            update(draft)
            .where(draft.c.id == draft_id, draft.c.state == "approved")
            .values(
                approved_mailbox=approval.place.mailbox,
                approved_uidvalidity=approval.place.uidvalidity,
                approved_uid=approval.place.uid,
                approved_raw_sha256=approval.raw_sha256,
                approved_text_sha256=approval.text_sha256,
                outgoing_id=approval.outgoing_id,
                outgoing_raw=approval.outgoing_raw,
            )
        ).rowcount
    )


def unapprove(tx: Connection, draft_id: int, place: Place | None) -> bool:
    """Back to a draft: staff took it back, or something changed. The outgoing id stays with its text."""
    values: dict[str, Any] = {"state": "drafted", "lease_token": None, "not_before": None}
    if place is not None:
        values |= _at(place)
    return bool(
        tx.execute(update(draft).where(draft.c.id == draft_id, draft.c.state == "approved").values(values)).rowcount
    )


def tell(tx: Connection, draft_id: int, text_sha256: str, codes: Iterable[str]) -> None:
    """Staff have been told these reasons about this text."""
    row = tx.execute(select(draft.c.told).where(draft.c.id == draft_id)).scalar_one()
    told = {tuple(pair) for pair in row} | {(text_sha256, code) for code in codes}
    tx.execute(update(draft).where(draft.c.id == draft_id).values(told=sorted(list(pair) for pair in told)))


def claim(tx: Connection, draft_id: int, *, token: str, until: datetime, now: datetime) -> bool:
    """Take an approved draft for sending. False if it is not approved, not due, or another hand holds it."""
    values = {"its_id": draft_id, "lease_token": token, "lease_until": until, "now": now}
    return bool(tx.execute(_CLAIM, values).rowcount)


def release_claims(tx: Connection, account: str) -> None:
    """Give back what a dead process had claimed. Only for the one process that holds the journal's lock."""
    tx.execute(
        update(draft)
        .where(draft.c.account == account, draft.c.state == "approved", draft.c.lease_token.is_not(None))
        .values(lease_token=None, lease_until=None)
    )


def unclaim(tx: Connection, draft_id: int, token: str) -> None:
    """The claim was not used: as if it had never been taken."""
    tx.execute(
        update(draft)
        .where(draft.c.id == draft_id, draft.c.lease_token == token, draft.c.state == "approved")
        .values(lease_token=None, lease_until=None, attempts=draft.c.attempts - 1)
    )


def begin_body(tx: Connection, draft_id: int, token: str, *, now: datetime) -> bool:
    """The window opens: from here on only the server's answer, or a person, says what happened."""
    return bool(tx.execute(_BEGIN_BODY, {"its_id": draft_id, "its_token": token, "now": now}).rowcount)


def accepted(tx: Connection, draft_id: int, *, now: datetime) -> bool:
    """The server accepted it (or the Sent folder proves that it did)."""
    return bool(tx.execute(_ACCEPTED, {"its_id": draft_id, "sent_at": now}).rowcount)


def later(tx: Connection, draft_id: int, token: str, not_before: datetime) -> bool:
    """Not accepted for sure: approved as before, tried again from `not_before` on."""
    return bool(
        tx.execute(
            update(draft)
            .where(draft.c.id == draft_id, draft.c.lease_token == token, draft.c.state.in_(("approved", "sending")))
            .values(state="approved", not_before=not_before, lease_token=None, uncertain_since=None)
        ).rowcount
    )


def given_back(tx: Connection, draft_id: int, token: str) -> bool:
    """Refused for good: a draft again, for staff to look at."""
    return bool(
        tx.execute(
            update(draft)
            .where(draft.c.id == draft_id, draft.c.lease_token == token, draft.c.state.in_(("approved", "sending")))
            .values(state="drafted", touched=True, lease_token=None, not_before=None, uncertain_since=None)
        ).rowcount
    )


def doubt(tx: Connection, draft_id: int) -> bool:
    """The body left and no answer came: unknown until Sent or a person tells."""
    return bool(
        tx.execute(
            update(draft)
            .where(draft.c.id == draft_id, draft.c.state == "sending")
            .values(state="uncertain", lease_token=None)
        ).rowcount
    )


def finish(tx: Connection, draft_id: int, *, copied: bool = False, marked: bool = False, removed: bool = False) -> None:
    """Steps of filing that are done: the Sent copy, `\\Answered`, the draft's removal."""
    values = {name: True for name, done in (("copied", copied), ("marked", marked), ("removed", removed)) if done}
    if values:
        tx.execute(update(draft).where(draft.c.id == draft_id).values(values))


def filed(tx: Connection, draft_id: int, *, now: datetime) -> None:
    """All of filing is done. The bytes that went out are kept in Sent, no longer here."""
    tx.execute(
        update(draft)
        .where(draft.c.id == draft_id, draft.c.state == "sent")
        .values(state="filed", ended_at=now, outgoing_raw=None)
    )


def forget_bodies(tx: Connection, before: datetime, *, most: int) -> int:
    """Take the texts of drafts that ended before then out of the journal, and what of the order and the buyer they were
    made from, of so many at once; how many there were."""
    ended = func.coalesce(draft.c.ended_at, draft.c.sent_at, draft.c.created_at)
    is_done = draft.c.state.in_(("filed", "discarded")) | (draft.c.state.in_(_ENDED) & draft.c.removed.is_(True))
    old = select(draft.c.id).where(is_done, ended < before, func.length(draft.c.raw) > 0).limit(most)
    ids = list(tx.execute(old).scalars())
    if ids:
        nothing: dict[str, object] = {"raw": b"", "outgoing_raw": None, "facts": {}, "recipient_name": ""}
        tx.execute(update(draft).where(draft.c.id.in_(ids)).values(nothing))
    return len(ids)


_ENDED = ("withdrawn", "stale", "sent_by_staff")


def move_times(tx: Connection, account: str, jump: timedelta) -> None:
    """The clock was set: what is not at an end waits as long as it had to, by the new time."""
    for row in tx.execute(_OPEN, {"account": account}).all():
        moved = {name: value + jump for name in _WAITS if (value := row._mapping[name]) is not None}
        if moved:
            tx.execute(update(draft).where(draft.c.id == row.id).values(moved))


def not_in_the_future(tx: Connection, account: str, now: datetime) -> None:
    """Times that a clock which went wrong has left behind: nothing has begun later than now, and no pause or claim is
    longer than a day."""
    for row in tx.execute(_OPEN, {"account": account}).all():
        values = {name: row._mapping[name] for name in _WAITS if row._mapping[name] is not None}
        wrong = {name: now for name in _BEGUN if name in values and values[name] > now}
        wrong |= {n: now for n in ("not_before", "lease_until") if n in values and values[n] > now + timedelta(days=1)}
        if wrong:
            tx.execute(update(draft).where(draft.c.id == row.id).values(wrong))


_BEGUN = ("first_attempt_at", "uncertain_since", "gone_since")
_WAITS = (*_BEGUN, "not_before", "lease_until")


def postpone(tx: Connection, draft_id: int, not_before: datetime) -> None:
    """Try the next step of this draft later."""
    tx.execute(update(draft).where(draft.c.id == draft_id).values(not_before=not_before))


def find(tx: Connection, draft_id: int) -> Draft:
    """The draft with this row id."""
    return _draft(tx.execute(_BY_ID, {"its_id": draft_id}).one())


def open_drafts(tx: Connection, account: str) -> list[Draft]:
    """Every draft of the account that is not at an end, and those sent that are not filed."""
    return [_draft(row) for row in tx.execute(_OPEN, {"account": account})]


def any_open(tx: Connection, account: str) -> bool:
    """True if `open_drafts` would find any."""
    return tx.execute(_ANY_OPEN, {"account": account}).first() is not None


def on_the_way(tx: Connection, account: str) -> list[Draft]:
    """Drafts that left or may have left and are not filed yet: sending, uncertain, sent."""
    states = ("sending", "uncertain", "sent")
    rows = tx.execute(select(draft).where(draft.c.account == account, draft.c.state.in_(states)).order_by(draft.c.id))
    return [_draft(row) for row in rows]


def intended(tx: Connection, account: str) -> list[Draft]:
    """Drafts that were to be put into Drafts and of which it is not known whether they were, oldest first."""
    return [_draft(row) for row in tx.execute(_INTENDED, {"account": account})]


def of_case(tx: Connection, case_id: str) -> list[Draft]:
    """Every draft of a case, oldest first."""
    return [_draft(row) for row in tx.execute(_OF_CASE, {"case_id": case_id})]


def by_message_ids(
    tx: Connection, account: str, ids: Sequence[str], *, loaded: Mapping[int, Draft] | None = None
) -> dict[str, Draft]:
    """Message-ID to draft, for ids that we minted for a draft or for what went out.

    Drafts that are `loaded` already (by row id) are not read again: with their bytes they are the costly part.
    """
    if not ids:
        return {}
    wanted, drafts = set(ids), dict(loaded or {})
    rows = tx.execute(_WITH_IDS, {"account": account, "ids": list(ids)}).all()
    missing = [row.id for row in rows if row.id not in drafts]
    if missing:
        drafts |= {row.id: _draft(row) for row in tx.execute(_WITH_ROW_IDS, {"its_ids": missing})}
    return {key: drafts[row.id] for row in rows for key in (row.message_id, row.outgoing_id) if key in wanted}


def leftover(tx: Connection, account: str) -> list[Draft]:
    """Ended drafts of which a copy of ours may still lie in Drafts."""
    return [_draft(row) for row in tx.execute(_LEFTOVER, {"account": account})]


def count_recent(tx: Connection, account: str, buyer: str, since: datetime, until: datetime) -> int:
    """How many drafts were written to this buyer's address (case-folded) between these times."""
    return tx.execute(
        select(func.count())
        .select_from(draft.join(case, draft.c.case_id == case.c.id))
        .where(case.c.account == account, case.c.buyer == buyer, draft.c.created_at.between(since, until))
    ).scalar_one()


def sent_to(tx: Connection, account: str, buyer: str) -> dict[str, frozenset[str]]:
    """The templates of what went to this buyer's address (case-folded), by machine or by staff, each with the orders
    it was about ("" for none)."""
    rows = tx.execute(
        select(draft.c.template, draft.c.order_id)
        .select_from(draft.join(case, draft.c.case_id == case.c.id))
        .where(case.c.account == account, case.c.buyer == buyer, draft.c.state.in_(_WENT_OUT))
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.template, set()).add(row.order_id or "")
    return {template: frozenset(orders) for template, orders in found.items()}


def standing_of(tx: Connection, situation: str, since: datetime) -> list[tuple[str, str, str]]:
    """Case, order and template of every reply in this situation that was written since then and went out, or still
    waits for staff; of all accounts."""
    rows = tx.execute(
        select(draft.c.case_id, draft.c.order_id, draft.c.template).where(
            draft.c.situation == situation,
            draft.c.created_at >= since,
            draft.c.order_id.is_not(None),
            draft.c.state.in_(_STANDING),
        )
    )
    return [(row.case_id, row.order_id, row.template) for row in rows]


def standing_cancels_of_shop(tx: Connection, since: datetime) -> list[str]:
    """The orders of every notice written since then that tells of a cancel by the shop, and went out or still waits."""
    rows = tx.execute(select(event.c.detail).where(event.c.kind == "owed_written", event.c.at >= since)).scalars()
    ids = [detail["draft"] for detail in rows if detail.get("cancels")]
    found: list[str] = []
    for start in range(0, len(ids), IN_ONE_QUERY):
        some = select(draft.c.order_id).where(
            draft.c.id.in_(ids[start : start + IN_ONE_QUERY]),
            draft.c.order_id.is_not(None),
            draft.c.state.in_(_STANDING),
        )
        found += tx.execute(some).scalars()
    return found


def sent_between(tx: Connection, account: str, since: datetime, until: datetime) -> int:
    """How many mails went out by our hand between these times."""
    return tx.execute(
        select(func.count()).select_from(draft).where(draft.c.account == account, draft.c.sent_at.between(since, until))
    ).scalar_one()


def count_by_state(tx: Connection, account: str) -> dict[str, int]:
    """How many drafts are in each state."""
    return dict(
        tx.execute(select(draft.c.state, func.count()).where(draft.c.account == account).group_by(draft.c.state)).all()
    )


def _at(place: Place) -> dict[str, Any]:
    return {"mailbox": place.mailbox, "uidvalidity": place.uidvalidity, "uid": place.uid}


def _draft(row: Row[Any]) -> Draft:
    value = row._mapping
    place = Place(value["mailbox"], value["uidvalidity"], value["uid"]) if value["uid"] is not None else None
    approval = None
    if value["outgoing_id"] is not None and value["approved_uid"] is not None:
        approval = Approval(
            place=Place(value["approved_mailbox"], value["approved_uidvalidity"], value["approved_uid"]),
            raw_sha256=value["approved_raw_sha256"],
            text_sha256=value["approved_text_sha256"],
            outgoing_id=value["outgoing_id"],
            outgoing_raw=value["outgoing_raw"] or b"",
            approved_at=value["approved_at"],
        )
    return Draft(
        id=value["id"],
        case_id=value["case_id"],
        account=value["account"],
        state=value["state"],
        message_id=value["message_id"],
        raw=value["raw"],
        place=place,
        touched=value["touched"],
        template=value["template"],
        situation=value["situation"],
        order_id=value["order_id"],
        channel=value["channel"],
        facts=value["facts"],
        sender=value["sender"],
        recipient=Address(value["recipient_name"], value["recipient"]),
        in_reply_to=value["in_reply_to"],
        references=tuple(value["references"]),
        answers=tuple(value["answers"]),
        approval=approval,
        told=frozenset((pair[0], pair[1]) for pair in value["told"]),
        attempts=value["attempts"],
        not_before=value["not_before"],
        first_attempt_at=value["first_attempt_at"],
        uncertain_since=value["uncertain_since"],
        gone_since=value["gone_since"],
        created_at=value["created_at"],
        sent_at=value["sent_at"],
        copied=value["copied"],
        marked=value["marked"],
        removed=value["removed"],
        valid_until=value["valid_until"],
    )
