"""The letters that the clock asks for: the holding reply before a deadline, and our question asked once more.

Both become drafts like every other. A holding reply answers nothing: its case stays open, and the day it promises is
the case's deadline from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex

from sqlalchemy import Connection

from responder.core.channels import PASTE_DOMAIN, Channel
from responder.core.clocks import HOLDING, NUDGE
from responder.core.compose import compose, draft_bytes, facts_now
from responder.core.headers import chain
from responder.core.owed.reader import variant_of
from responder.core.senders import is_buyer
from responder.edges.journal import cases, clocks, drafts, mails
from responder.errors import MessageError, OrdersUnavailable
from responder.flows.deadlines import clocked, deadline_of
from responder.flows.desk import Desk
from responder.flows.planning import read_again
from responder.flows.understanding import Unpacked, write
from responder.flows.ways import way_to
from responder.model import Case, Decision, Draft, Letter, Mail, Message, Order


@dataclass(slots=True)
class Written:
    """A letter on its way into Drafts: the case it belongs to, and the one it is `about`, which is another where the
    first is new."""

    case: Case
    about: str
    decision: Decision
    letter: Letter
    message_id: str
    raw: bytes
    answers: tuple[int, ...] = ()
    is_new_case: bool = False
    draft_id: int = 0

    @property
    def state(self) -> str:
        """What staff are told of it: a holding reply to be approved, or to be pasted into a marketplace's page."""
        if self.decision.situation != HOLDING:
            return ""
        return "holding_paste" if self.letter.to.mail.endswith(PASTE_DOMAIN) else "holding"


def holding_reply(desk: Desk, case: Case, now: datetime) -> Written | None:
    """The holding reply to the mails of a case that wait for a person; None where nobody can be answered, the sender
    may not be who he says, or the mail is gone."""
    with desk.journal.reading() as tx:
        waiting = [one for one in mails.of_case(tx, case.id) if not one.answered and one.action != "silence"]
    found = read_again(desk, waiting)
    if not found or found[-1].trusted is False:
        return None
    newest = found[-1]
    decision = holding_decision(newest, _order_of(desk, case, newest))
    identity = way_to(_sender(newest.message), newest.channel.name, desk.account, desk.settings.channels).identity
    decision, letter = write(
        decision, newest.message, newest.channel, settings=desk.settings, identity=identity, now=now
    )
    if letter is None:
        return None
    return _written(desk, case, case.id, decision, letter, _ids(waiting), now)


def holding_decision(incoming: Unpacked, order: Order | None) -> Decision:
    """The decision to say no more than by when there will be an answer."""
    return Decision(
        "draft",
        HOLDING,
        None,
        incoming.message.language,
        incoming.channel.name,
        order=order,
        order_id=order.order_id if order is not None else None,
        template=HOLDING,
    )


def nudge(desk: Desk, case: Case, draft_id: int, now: datetime) -> Written | None:
    """Our question of that draft, asked once more in a case of its own. None where the buyer has written since, another
    matter of his is open, or the order has moved on: then nothing is asked any more.

    Raises: OrdersUnavailable.
    """
    with desk.journal.reading() as tx:
        draft = drafts.find(tx, draft_id)
        asked_at = draft.sent_at or draft.created_at
        if clocks.wrote_since(tx, desk.name, case.buyer, asked_at):
            return None
        if any(one.opened_at > asked_at for one in cases.open_of_buyer(tx, desk.name, case.buyer)):
            return None
        answered = mails.by_ids(tx, list(draft.answers))
    order = desk.find_order(draft.order_id) if draft.order_id else None
    if draft.order_id and (order is None or facts_now(order, tuple(draft.facts)) != dict(draft.facts)):
        return None
    found = read_again(desk, answered)
    if any(one.message.attachments for one in found):
        return None  # what we asked for may have come with the mail itself
    channel = {one.name: one for one in desk.settings.channels}.get(draft.channel) or Channel("own")
    message = found[-1].message if found else replace(Message.blank(case.language), sender=draft.recipient)
    message = replace(message, sender=draft.recipient)
    decision = Decision(
        "draft", NUDGE, None, case.language, channel.name, order=order, order_id=draft.order_id, template=NUDGE
    )
    variant = variant_of(order, case.language) if order is not None and not found else ""
    way = way_to(draft.recipient.mail, channel.name, desk.account, desk.settings.channels)
    try:
        letter = compose(
            decision,
            message,
            identity=way.identity,
            shop=desk.settings.shop,
            channel=replace(channel, quote_original=False),
            templates=desk.settings.templates,
            now=now,
            variant=variant if variant.startswith(case.language) else "",
        )
    except MessageError:
        return None
    ours = _sent_as(draft)
    letter = replace(letter, in_reply_to=ours, references=chain(draft.references, ours))
    fresh = Case(
        id=token_hex(10),
        account=desk.name,
        state="open",
        outcome=None,
        buyer=case.buyer,
        channel=case.channel,
        order_id=draft.order_id,
        language=case.language,
        opened_at=now,
        deadline_at=None,
    )
    written = _written(desk, clocked(fresh, desk.settings), case.id, decision, letter, (), now)
    written.is_new_case = True
    return written


def intend(desk: Desk, tx: Connection, letters: Sequence[Written], now: datetime) -> None:
    """Keep the intent to put these letters into Drafts."""
    cases.open_cases(tx, [one.case for one in letters if one.is_new_case])
    for one in letters:
        keys = (one.message_id, *(one.letter.references if one.is_new_case else ()))
        cases.tie(tx, desk.name, dict.fromkeys(keys, one.case.id))
        cases.record(tx, desk.name, f"{one.decision.situation}_written", now=now, case_id=one.case.id)
    ids = drafts.begin(tx, [_intent(desk, one) for one in letters], now=now)
    for one in letters:
        one.draft_id = ids[one.message_id]


def holding_went_out(desk: Desk, tx: Connection, draft: Draft, now: datetime, *, kept: str | None = None) -> None:
    """The buyer has been told by when he has his answer: the case waits for that day, and for a person."""
    channel = {one.name: one for one in desk.settings.channels}.get(draft.channel) or Channel("own")
    until = draft.valid_until or deadline_of(desk.settings, channel, now)
    clocks.promised(tx, draft.case_id, until, look_at=now)
    detail = {"draft": draft.id} if kept is None else {"draft": draft.id, "kept": kept}
    cases.record(tx, desk.name, "holding_sent", now=now, case_id=draft.case_id, **detail)


def still_owed(desk: Desk, tx: Connection, case_id: str, channel: str, now: datetime) -> bool:
    """True if a mail of the case still waits, after another of it was answered: its own deadline counts from now on."""
    waiting = [one for one in mails.of_case(tx, case_id) if not one.answered and one.action != "silence"]
    if not waiting:
        return False
    case = cases.find(tx, case_id)
    name = channel or (case.channel if case is not None else "")
    known = {one.name: one for one in desk.settings.channels}.get(name) or Channel("own")
    due = deadline_of(desk.settings, known, min(one.arrived_at for one in waiting))
    clocks.promised(tx, case_id, due, look_at=now)
    return True


def _order_of(desk: Desk, case: Case, incoming: Unpacked) -> Order | None:
    """The order of the case, if it is its writer's."""
    try:
        order = desk.find_order(case.order_id) if case.order_id else None
    except OrdersUnavailable:
        return None  # the reply is owed all the same
    if order is None or not is_buyer(incoming.message, order, incoming.channel, trusted=incoming.trusted):
        return None
    return order


def _written(
    desk: Desk,
    case: Case,
    about: str,
    decision: Decision,
    letter: Letter,
    answers: tuple[int, ...],
    now: datetime,
) -> Written:
    message_id = desk.mint_id()
    raw = draft_bytes(letter, message_id=message_id, case_token=case.id, now=now)
    return Written(case, about, decision, letter, message_id, raw, answers)


def _intent(desk: Desk, one: Written) -> drafts.Intent:
    return drafts.Intent.of(
        one.decision,
        one.letter,
        case_id=one.case.id,
        account=desk.name,
        message_id=one.message_id,
        raw=one.raw,
        answers=one.answers,
    )


def _sent_as(draft: Draft) -> str:
    """The Message-ID under which the draft went out."""
    return draft.approval.outgoing_id if draft.approval is not None else draft.message_id


def _sender(message: Message) -> str:
    return message.sender.mail if message.sender is not None else ""


def _ids(waiting: Sequence[Mail]) -> tuple[int, ...]:
    return tuple(one.id for one in waiting)
