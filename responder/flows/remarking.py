"""What the note beside a draft tells: what to do first, what to know, and the draft in the shop's own language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from responder.config import Settings
from responder.core import cancels, remarks
from responder.core.channels import Channel
from responder.core.compose import gloss
from responder.core.notes import Told
from responder.core.order_data import placed_on
from responder.edges.journal import Journal, cases, drafts
from responder.edges.orders import OrderBook
from responder.flows.desk import Desk
from responder.model import Decision, Identity, Letter, Message, Order, Placed, Reason, order_key


def said_of(decision: Decision, spoken_on: Channel, *, settings: Settings, now: datetime) -> tuple[Reason, ...]:
    """What staff have to do before they approve a draft; of a held mail only how to speak with its writer."""
    if decision.action == "silence":
        return ()
    place = remarks.channel_of_order(decision, settings.channels, spoken_on)
    found = remarks.to_do(decision, place, settings.templates.refunds)
    if decision.action == "hold":
        return tuple(remark for remark in found if remark.code in remarks.OF_THE_BUYER)
    old = remarks.old_state(decision.order, place, now)
    return found if old is None else (*found, old)


def cost_of_cancelling(desk: Desk, decision: Decision, spoken_on: Channel, now: datetime) -> tuple[Reason, ...]:
    """What the marketplace makes of it if the shop cancels the order, with the figures as far as they are known."""
    channel = remarks.channel_of_order(decision, desk.settings.channels, spoken_on)
    if not cancels.is_shops(decision, channel):
        return ()
    known = known_cancels(desk.journal, desk.orders, channel, now, desk.settings.shop.timezone)
    title = channel.title_in(desk.settings.shop.language)
    found = cancels.cost(
        decision, channel, title, placed=known.placed, accepted=known.accepted, now=now, buyers=known.buyers
    )
    return () if found is None else (found,)


def cost_of_stock_out(desk: Desk, orders: Sequence[Order], now: datetime) -> tuple[Reason, ...]:
    """What each marketplace makes of it if the shop cancels these orders of its own accord, a line for each."""
    found: list[Reason] = []
    for channel in desk.settings.channels:
        some = [order for order in orders if placed_on(order, "own") == channel.name]
        if some and cancels.is_counting(channel):
            known = known_cancels(desk.journal, desk.orders, channel, now, desk.settings.shop.timezone)
            title = channel.title_in(desk.settings.shop.language)
            line = cancels.cost_of_stock_out(
                some, channel, title, placed=known.placed, accepted=known.accepted, now=now, buyers=known.buyers
            )
            found += [] if line is None else [line]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Cancels:
    """What is known of a channel's cancels within the window that counts: see `core.cancels.cost`."""

    placed: Placed | None = None
    accepted: tuple[Order, ...] = ()
    buyers: frozenset[str] = frozenset()


def known_cancels(journal: Journal, orders: OrderBook, channel: Channel, now: datetime, zone: tzinfo) -> Cancels:
    """The channel's orders of the window that counts, and those whose cancel stands in drafts that were sent or wait:
    in replies to buyers, and in notices. Where each costs points, those of this year. Raises: OrdersUnavailable."""
    since, placed = cancels.window(channel, now), None
    if since is not None:
        placed = orders.placed(channel.name, since)
    elif channel.cancel_points is not None:
        since = cancels.year_of(now, zone)
    else:
        return Cancels()
    with journal.reading() as tx:
        replies = drafts.standing_of(tx, cancels.CANCEL, since)
        formal = cases.formal_cancels(tx, [case_id for case_id, _, _ in replies])
        notices = drafts.standing_cancels_of_shop(tx, since)
    asked = [
        order_id
        for case_id, order_id, template in replies
        if case_id not in formal and cancels.effect_of(cancels.CANCEL, template) == "accepts"
    ]
    found = {order_key(o.order_id): o for o in orders.find([*asked, *notices]) if placed_on(o, "") == channel.name}
    ours = {order_key(one) for one in notices}
    counts = channel.unofficial_cancel_counts
    accepted = tuple(o for key, o in found.items() if key in ours or counts or o.status == "out_of_stock")
    return Cancels(placed, accepted, frozenset(found) - {order_key(o.order_id) for o in accepted})


def told_of(
    decision: Decision,
    letter: Letter | None,
    message: Message,
    spoken_on: Channel,
    *,
    settings: Settings,
    identity: Identity,
    now: datetime,
    more: tuple[Reason, ...] = (),
    warehouse_knows: bool = False,
) -> Told:
    """All that a note tells of a decision. `more` are lines worth knowing that the mail itself does not tell;
    `warehouse_knows`: staff need not see to it that the parcel stays."""
    wording, shop = settings.wording, settings.shop
    asked = said_of(decision, spoken_on, settings=settings, now=now)
    asked = tuple(one for one in asked if not (warehouse_knows and one.code == "stop_goods"))
    first = remarks.lines(asked, wording, shop.language)
    own = None
    if letter is not None:
        own = gloss(
            decision, message, identity=identity, shop=shop, channel=spoken_on, templates=settings.templates, now=now
        )
    known = list(more)
    if letter is not None and (data := remarks.data_line(decision.order, now, shop.timezone)) is not None:
        known.append(data)
    foreign = wording.text(f"label.language_{decision.language}", shop.language)
    return Told(
        to_do=tuple(first),
        to_know=tuple(remarks.lines(known, wording, shop.language)),
        gloss_title=wording.text("note.note_gloss", shop.language, language=foreign),
        gloss="" if own is None else f"{own.subject}\n\n{own.text}",
    )
