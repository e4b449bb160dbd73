"""Asks staff to call a buyer: once for each order and matter, with the number the order data hold and what to say.

    a notice is written, its order is worth a call ─┐
    a notice went out, and no answer came for days ─┴▶ journal: call, note (one transaction)

A call is over when its note lies in Sent, or when the buyer has written.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from responder.core import remarks
from responder.core.channels import Channel
from responder.core.dates import day_of, written
from responder.core.notes import Told
from responder.core.owed import Wish, wish_from_json
from responder.core.owed.answers import ASKED
from responder.core.owed.calls import ANGRY, CALM, may_call, why_call
from responder.core.owed.letter import SITUATION, page_text, reader_of
from responder.core.owed.reader import company_of
from responder.core.values import one_line
from responder.edges.journal import calls, cases, owed
from responder.errors import MessageError
from responder.flows.desk import Desk
from responder.flows.notices import channel_of_order, surroundings_of
from responder.flows.tell import tell
from responder.model import Order, Reason, order_key

LOOK_EVERY = timedelta(hours=1)


def ask_for_call(
    desk: Desk,
    tx: Connection,
    wish: Wish,
    order: Order,
    channel: Channel,
    *,
    case_id: str,
    in_reply_to: str | None,
    now: datetime,
    silent_since: datetime | None = None,
) -> bool:
    """Ask staff to call the buyer about this matter if there is reason to and it was not asked before.

    `silent_since`: the notice went out then, and no answer came.
    """
    policy = desk.settings.calls
    why = [*why_call(wish, order, channel, policy)]
    if silent_since is not None and may_call(wish.matter, channel, policy):
        zone, language = desk.settings.shop.timezone, desk.settings.shop.language
        day = written(day_of(silent_since, zone), language, day_of(now, zone))
        why.append(Reason.of("call_no_answer", day=day, days=(now - silent_since).days))
    if not why:
        return False
    key = order_key(order.order_id)
    call_id = calls.ask(tx, desk.name, key, wish.matter, order_id=order.order_id, case_id=case_id, why=why, now=now)
    if call_id is None:
        return False
    note = _note(desk, wish, order, channel, why)
    told = _scripts(desk, wish, order, now, unanswered=silent_since is not None)
    tell(desk, tx, f"call:{call_id}", note, now=now, in_reply_to=in_reply_to, told=told)
    codes = [one.code for one in why]
    cases.record(tx, desk.name, "call_asked", now=now, case_id=case_id, call=call_id, matter=wish.matter, why=codes)
    return True


def look_for_silence(desk: Desk, now: datetime) -> None:
    """Once an hour: ask for calls where a notice was not answered, and end those whose buyer has written.

    Raises: OrdersUnavailable: looked at again later.
    """
    last = desk.looked_for_silence
    if last is not None and abs(now - last) < LOOK_EVERY:
        return
    _end_answered(desk, now)
    policy = desk.settings.calls
    if policy.enabled and policy.no_answer_days:
        _ask_the_silent(desk, now, timedelta(days=policy.no_answer_days))
    desk.looked_for_silence = now


def call_made(desk: Desk, call_id: int, now: datetime) -> None:
    """Staff moved the note to Sent: they have called."""
    with desk.journal.durable() as tx:
        calls.done(tx, [call_id], now=now)
        cases.record(tx, desk.name, "call_made", now=now, call=call_id)
    desk.say("call_made", call=call_id)


def _end_answered(desk: Desk, now: datetime) -> None:
    with desk.journal.reading() as tx:
        waiting = calls.still_open(tx, desk.name, now - desk.settings.calls.forgotten_after)
        if not waiting:
            return
        said = calls.last_mails(tx, desk.name, [one.buyer for one in waiting], min(one.asked_at for one in waiting))
    over = [one.id for one in waiting if _wrote(said.get(one.buyer, ()), one.order_key, one.asked_at)]
    if over:
        with desk.journal.durable() as tx:
            calls.done(tx, over, now=now)


def _ask_the_silent(desk: Desk, now: datetime, patience: timedelta) -> None:
    with desk.journal.reading() as tx:
        since = now - patience - desk.settings.calls.forgotten_after
        asked = calls.unanswered(tx, desk.name, sorted(ASKED), since=since, until=now - patience)
        if not asked:
            return
        said = calls.last_mails(tx, desk.name, [one.buyer for one in asked], min(one.sent_at for one in asked))
    silent = [one for one in asked if not _wrote(said.get(one.buyer, ()), order_key(one.order_id), one.sent_at)]
    known = {order_key(order.order_id): order for order in desk.orders.find([one.order_id for one in silent])}
    for one in silent:
        order = known.get(order_key(one.order_id))
        if order is None or not order.is_unshipped:
            continue
        with desk.journal.durable() as tx:
            matter = one.template.removeprefix(SITUATION)
            wished = next((row for row in owed.of_case(tx, one.case_id) if row.matter == matter), None)
            wish = wish_from_json(order.order_id, matter, wished.wish if wished is not None else {})
            channel = channel_of_order(order, desk.settings.channels)
            ask_for_call(
                desk, tx, wish, order, channel, case_id=one.case_id, in_reply_to=None, now=now, silent_since=one.sent_at
            )


def _wrote(said: tuple[tuple[str | None, datetime], ...], key: str, since: datetime) -> bool:
    """True if one of these mails came later and may be about that order."""
    return any(when > since and (about is None or order_key(about) == key) for about, when in said)


def _note(desk: Desk, wish: Wish, order: Order, channel: Channel, why: list[Reason]) -> Reason:
    words, language = desk.settings.wording, desk.settings.shop.language
    page = channel.order_page or channel.admin_page or words.text("label.admin_page", language)
    company, name = one_line(company_of(order), 80), one_line(order.buyer_name, 60)
    return Reason.of(
        "call_buyer",
        order=order.order_id,
        name=" ".join(part for part in (company if company not in name else "", name) if part) or "-",
        phone=remarks.phone_of(order) or words.text("label.no_phone", language, page=page),
        channel=channel.name,
        situation=f"{SITUATION}{wish.matter}",
        because="\n".join(f"- {words.reason(one, language)}" for one in why),
        sent=desk.located.sent or "",
    )


def _scripts(desk: Desk, wish: Wish, order: Order, now: datetime, *, unanswered: bool) -> Told:
    """What to say, to a calm buyer and to an angry one, in his language; and the same in the shop's where that is
    another."""
    shop, words = desk.settings.shop, desk.settings.wording
    around = replace(surroundings_of(wish, order, desk.settings, now), unanswered=unanswered)

    def said(spoken: Wish) -> list[str]:
        lines: list[str] = []
        for title, template in (("call_calm", CALM), ("call_angry", ANGRY)):
            try:
                page = page_text(
                    spoken,
                    order,
                    template,
                    identity=desk.account.identity,
                    shop=shop,
                    templates=desk.settings.templates,
                    now=now,
                    around=around,
                )
            except MessageError:
                continue
            lines += ["", words.text(f"note.{title}", shop.language), "", *page.text.strip().splitlines()]
        return lines[1:]

    language, _ = reader_of(wish, order, shop.language)
    if language == shop.language:
        return Told(to_know=tuple(said(wish)))
    foreign = words.text(f"label.language_{language}", shop.language)
    return Told(
        to_know=tuple(said(wish)),
        gloss_title=words.text("note.call_gloss", shop.language, language=foreign),
        gloss="\n".join(said(replace(wish, language=shop.language))),
    )
