"""A mail and the orders found for it become a Decision: draft, hold or silence, with the reasons.

The gates for machines' mail go first, then the order is settled, then the rules are asked. Order data goes only to
the order's buyer, and an order that is not his gets the same answer as none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from responder.core.guards import gate
from responder.core.language import foreign
from responder.core.rules.conditions import Case
from responder.core.rules.rulebook import Rulebook
from responder.core.senders import is_buyer, sender_problem
from responder.core.which_order import only_one_meant
from responder.model import Decision, Identity, Language, Message, Order, Reason, order_key

OWN_CHANNEL = "own"
MACHINES = ("auto_reply", "spam")


class Channel(Protocol):
    """What deciding looks at of a channel."""

    @property
    def name(self) -> str:
        """The channel's name; `own` for the shop's own mail."""
        ...

    @property
    def kind(self) -> str:
        """What this mail of the channel is: buyer, inquiry, notice, form."""
        ...

    @property
    def is_marketplace(self) -> bool:
        """True for mail that goes through somebody else's system."""
        ...

    def is_official_cancel(self, order: Order | None) -> bool:
        """True if the mail is the channel's formal cancel request, or the order data tell of one."""
        ...


@dataclass(frozen=True, slots=True)
class FoundOrders:
    """What the order source gave for a mail: `orders` by the ids in it, `of_buyer` by the sender's address.

    `asked` are the ids that certainly are order ids by the channel's pattern, whether known or not. `quoted` are
    orders named in quoted text only: they count where the mail itself names none. `named` are the numbers that the mail
    calls an order's, known or not.
    """

    asked: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    of_buyer: tuple[Order, ...] = ()
    quoted: tuple[Order, ...] = ()
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """The one order a mail is about, or the code of the reason why there is none to rely on. It may be `among` several
    of its buyer's, where the mail names no others."""

    order: Order | None
    problem: str | None
    by_number: bool = False
    named: tuple[str, ...] = ()
    among: tuple[Order, ...] = ()


def decide(
    message: Message,
    *,
    channel: Channel,
    found: FoundOrders,
    rulebook: Rulebook,
    identity: Identity,
    now: datetime,
    sender_trusted: bool | None,
    sent_before: Mapping[str, frozenset[str]] = MappingProxyType({}),
    policy: Mapping[str, str] = MappingProxyType({}),
    shop_language: Language = "ja",
) -> Decision:
    """What becomes of a mail. Never raises for anything a buyer can write."""
    barred = gate(message, identity, is_channel=channel.name != OWN_CHANNEL)
    if barred is not None:
        return Decision("silence", barred.situation, None, message.language, channel.name, reasons=(barred.reason,))
    return answer(
        message,
        channel=channel,
        found=found,
        rulebook=rulebook,
        now=now,
        sender_trusted=sender_trusted,
        sent_before=sent_before,
        policy=policy,
        shop_language=shop_language,
    )


def answer(
    message: Message,
    *,
    channel: Channel,
    found: FoundOrders,
    rulebook: Rulebook,
    now: datetime,
    sender_trusted: bool | None,
    sent_before: Mapping[str, frozenset[str]] = MappingProxyType({}),
    policy: Mapping[str, str] = MappingProxyType({}),
    shop_language: Language = "ja",
) -> Decision:
    """What becomes of a mail that has passed the gates for machines' mail. `sent_before` and `policy` are those of
    `Case`."""
    settled = settle(message, channel=channel, found=found, sender_trusted=sender_trusted)
    read = message
    if settled.among and (meant := only_one_meant(message, [one.order_id for one in settled.among], rulebook)):
        order_id, read = meant
        settled = Settled(next(one for one in settled.among if one.order_id == order_id), None, True, (order_id,))
    items = tuple(item.name for item in settled.order.items) if settled.order is not None else ()
    case = Case(
        message=message,
        reading=rulebook.read(read, items, settled.order.order_id if settled.order is not None else ""),
        channel=channel.name,
        now=now,
        order=settled.order,
        order_problem=settled.problem,
        ids_named=settled.named,
        by_number=settled.by_number,
        trusted=sender_trusted,
        timezone=rulebook.timezone,
        official_cancel=channel.is_official_cancel(settled.order if settled.problem is None else None),
        sent_before=sent_before,
        policy=policy,
        shop_language=shop_language,
    )
    decision = rulebook.judge(case)
    if decision.situation not in MACHINES and (written_in := foreign(message.new_text or message.subject)) is not None:
        # A word understood here and there ("merci") says nothing about the rest.
        why = Reason.of("foreign_language", language=written_in)
        decision = replace(decision, action="hold", situation="other", rule=None, template=None, reasons=(why,))
    if decision.action == "hold" and channel.is_official_cancel(None):
        formal = Reason.of("official_cancel", channel=channel.name)
        situation = decision.situation if "cancel" in decision.situation else "cancel_before_ship"
        decision = replace(decision, situation=situation, reasons=(formal, *decision.reasons))
    problem = sender_problem(message, channel, trusted=sender_trusted)
    if problem is None or decision.action == "silence":
        return decision
    reasons = tuple(dict.fromkeys((problem, *decision.reasons)))
    return replace(decision, action="hold", template=None, reasons=reasons)


def settle(message: Message, *, channel: Channel, found: FoundOrders, sender_trusted: bool | None) -> Settled:
    """Which order the mail is about: the one it names, else the only one of its sender.

    Orders of others are as good as unknown here: whoever guesses numbers learns nothing from what becomes of his mail.
    """

    def own(orders: tuple[Order, ...]) -> dict[str, Order]:
        return {o.order_id: o for o in orders if is_buyer(message, o, channel, trusted=sender_trusted)}

    by_id = own(found.orders)
    named = tuple({order_key(each): each for each in (*found.asked, *by_id)}.values())
    if by_id:
        order = next(iter(by_id.values()))
        if len(by_id) > 1 or len(named) > 1 or _strange(found.named, by_id):
            only_these = len(by_id) == len(named) and not _strange(found.named, by_id)
            among = tuple(by_id.values()) if only_these else ()
            return Settled(order if len(by_id) == 1 else None, "several_orders", True, named, among)
        return Settled(order, None, True, named)
    of_buyer = own(found.of_buyer)
    strange = _strange(found.named, of_buyer)
    if named or strange:
        return Settled(None, "order_not_found", True, (*named, *strange))
    answered = [order for order in found.quoted if order.order_id in of_buyer]
    if len(of_buyer) > 1 and len(answered) == 1:
        of_buyer = {answered[0].order_id: answered[0]}
    if len(of_buyer) == 1:
        return Settled(next(iter(of_buyer.values())), None)
    return Settled(None, "order_ambiguous" if of_buyer else "order_not_found")


def _strange(named: tuple[str, ...], orders: dict[str, Order]) -> tuple[str, ...]:
    """The numbers called an order's that stand nowhere in these orders: somebody else's, mistyped, or made up."""
    if not named:
        return ()
    known = {order_key(o.order_id) for o in orders.values()}
    known |= {order_key(value) for o in orders.values() for value in (o.tracking_no, *o.extra.values()) if value}
    return tuple(each for each in named if not any(order_key(each) in one for one in known))
