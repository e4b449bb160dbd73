"""A mail and the orders found for it become a Decision: draft, hold or silence, with the reasons.

The gates for machines' mail go first, then the order is settled, then the rules are asked. Order data goes only to
the order's buyer, and an order that is not his gets the same answer as none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from responder.core.guards import gate
from responder.core.rules.conditions import Case
from responder.core.rules.rulebook import Rulebook
from responder.model import Decision, Identity, Message, Order, Reason, order_key

OWN_CHANNEL = "own"


class Channel(Protocol):
    """What deciding looks at of a channel."""

    @property
    def name(self) -> str:
        """The channel's name; `own` for the shop's own mail."""
        ...

    @property
    def is_marketplace(self) -> bool:
        """True for mail that goes through somebody else's system."""
        ...

    def is_notice(self, message: Message) -> bool:
        """True for a mail that the channel's system wrote by itself."""
        ...

    def is_official_cancel(self, message: Message) -> bool:
        """True if the mail is the channel's formal cancel request."""
        ...


@dataclass(frozen=True, slots=True)
class FoundOrders:
    """What the order source gave for a mail: `orders` by the ids in it, `of_buyer` by the sender's address.

    `asked` are the ids that certainly are order ids by the channel's pattern, whether known or not. `quoted` are
    orders named in quoted text only: they count where the mail itself names none.
    """

    asked: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    of_buyer: tuple[Order, ...] = ()
    quoted: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """The one order a mail is about, or the code of the reason why there is none to rely on."""

    order: Order | None
    problem: str | None
    by_number: bool = False
    named: tuple[str, ...] = ()


def decide(
    message: Message,
    *,
    channel: Channel,
    found: FoundOrders,
    rulebook: Rulebook,
    identity: Identity,
    now: datetime,
    sender_trusted: bool | None,
) -> Decision:
    """What becomes of a mail. Never raises for anything a buyer can write."""
    barred = gate(message, identity, is_channel=channel.name != OWN_CHANNEL)
    if barred is not None:
        return Decision("silence", barred.situation, None, message.language, channel.name, reasons=(barred.reason,))
    settled = settle(message, channel=channel, found=found, sender_trusted=sender_trusted)
    case = Case(
        message=message,
        reading=rulebook.read(message),
        channel=channel.name,
        now=now,
        order=settled.order,
        order_problem=settled.problem,
        ids_named=settled.named,
        by_number=settled.by_number,
        trusted=sender_trusted,
        timezone=rulebook.timezone,
        official_cancel=channel.is_official_cancel(message),
    )
    return rulebook.judge(case)


def _silent(message: Message, channel: Channel, identity: Identity) -> tuple[str, Reason] | None:
    if channel.is_notice(message):
        return "auto_reply", Reason.of("channel_notice", channel=channel.name)
    barred = gate(message, identity, is_channel=channel.name != OWN_CHANNEL)
    return None if barred is None else (barred.situation, barred.reason)


def settle(message: Message, *, channel: Channel, found: FoundOrders, sender_trusted: bool | None) -> Settled:
    """Which order the mail is about: the one it names, else the only one of its sender."""
    by_id = {order.order_id: order for order in found.orders}
    named = tuple({order_key(each): each for each in (*found.asked, *by_id)}.values())
    if len(by_id) > 1:
        return Settled(None, "several_orders", True, named)
    if by_id:
        order = next(iter(by_id.values()))
        if len(named) > 1:
            return Settled(order, "several_orders", True, named)
        problem = None if is_buyer(message, order, channel, sender_trusted=sender_trusted) else "not_the_buyer"
        return Settled(order, problem, True, named)
    if named:
        return Settled(None, "order_not_found", True, named)
    own = {order.order_id: order for order in found.of_buyer}
    answered = [order for order in found.quoted if order.order_id in own]
    if len(own) > 1 and len(answered) == 1:
        own = {answered[0].order_id: answered[0]}
    if not own:
        return Settled(None, "order_not_found")
    if len(own) > 1:
        return Settled(None, "order_ambiguous")
    order = next(iter(own.values()))
    problem = None if is_buyer(message, order, channel, sender_trusted=sender_trusted) else "not_the_buyer"
    return Settled(order, problem)


def is_buyer(message: Message, order: Order, channel: Channel, *, sender_trusted: bool | None) -> bool:
    """True if order data may go to this sender: his address is the order's, or a relay of the order's own channel.

    A marketplace's relay address speaks for its buyer where the export knows no address, or another alias of the same
    buyer (`alias+case@...`). Where the server says that the sender is not who he claims, nobody is the buyer.
    """
    if message.sender is None or sender_trusted is False:
        return False
    sender = message.sender.key
    if order.buyer_mail and sender == order.buyer_mail.casefold():
        return True
    if channel.name == OWN_CHANNEL or (order.channel and order.channel != channel.name):
        return False
    return not order.buyer_mail or _without_tag(sender) == _without_tag(order.buyer_mail.casefold())


def _without_tag(mail: str) -> str:
    local, _, domain = mail.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
