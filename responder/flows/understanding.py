"""What a mail is and what it asks for: the same steps for the daemon, `explain` and a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from responder.config import Settings
from responder.core import guards
from responder.core.authentication import is_aligned
from responder.core.channels import MOST, Channel, recognise, unframe, wanted_order_ids
from responder.core.compose import compose
from responder.core.dates import day_of
from responder.core.decide import FoundOrders, answer
from responder.core.groups import passed_on
from responder.core.offer import variant_of
from responder.core.owed import Surroundings
from responder.core.owed.around import incident_for
from responder.core.senders import failed_lookups, is_buyer, party_of
from responder.edges.orders import OrderBook
from responder.errors import MessageError
from responder.model import Address, Decision, Identity, Letter, Message, Reason


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A mail without the frame of the channel it came by. `trusted` is what the receiving server says of the sender
    (RFC 8601), None where nobody can say; `party` tells whose matter it is ("" if nobody can be named)."""

    message: Message
    channel: Channel
    trusted: bool | None
    party: str


def unpack(
    message: Message, settings: Settings, identity: Identity | None = None, authserv_id: str | None = None
) -> Unpacked:
    """The mail as its writer meant it, and who that is.

    The address in a contact form is a claim that no server has checked: the reply goes to that address alone, and
    order data only if it is the order's.
    """
    trusted = None if authserv_id is None else is_aligned(message, authserv_id)
    if identity is not None:
        message, trusted = passed_on(message, identity, trusted=trusted)
    channel = recognise(message, settings.channels, trusted=trusted)
    if channel.kind == "form":
        trusted = None
    message = unframe(message, channel)
    return Unpacked(message, channel, trusted, party_of(message, channel, trusted=trusted))


def why_silent(message: Message, channel: Channel, identity: Identity) -> Decision | None:
    """The decision for mail that a machine wrote, None for a person's."""
    gate = guards.gate(message, identity, is_channel=channel.name != "own")
    if gate is not None:
        return _silent(message, channel, gate.situation, gate.reason)
    if channel.is_notice:
        return _silent(message, channel, "auto_reply", Reason.of("channel_notice", channel=channel.name))
    return None


def _silent(message: Message, channel: Channel, situation: str, reason: Reason) -> Decision:
    return Decision("silence", situation, None, message.language, channel.name, reasons=(reason,))


def judge(
    message: Message,
    channel: Channel,
    *,
    settings: Settings,
    orders: OrderBook,
    trusted: bool | None,
    now: datetime,
    most_lookups: int = MOST,
    sent_before: Mapping[str, frozenset[str]] = MappingProxyType({}),
) -> Decision:
    """The decision on a mail that `why_silent` has nothing to say of, with the orders it names and those of its sender.
    At most `most_lookups` of the numbers it names are looked up.

    `sent_before` are the templates that went to this buyer before, each with its orders.

    Raises: OrdersUnavailable.
    """
    wanted = wanted_order_ids(message, channel, settings.channels).at_most(most_lookups)
    sender = message.sender.mail if message.sender is not None else ""
    of_buyer = tuple(orders.of_buyer(sender)) if sender else ()
    named = tuple(orders.find((*wanted.by_pattern, *wanted.tokens)))
    found = FoundOrders(
        asked=wanted.by_pattern,
        orders=named,
        of_buyer=of_buyer,
        quoted=tuple(orders.find(wanted.quoted)) if len(of_buyer) > 1 else (),
        named=wanted.named,
    )
    decision = answer(
        message,
        channel=channel,
        found=found,
        rulebook=settings.rulebook,
        now=now,
        sender_trusted=trusted,
        sent_before=sent_before,
        policy=settings.shop.policy,
        shop_language=settings.shop.language,
    )
    own = [order for order in (*named, *of_buyer) if is_buyer(message, order, channel, trusted=trusted)]
    failed = failed_lookups(wanted.by_pattern, wanted.tokens, named, own)
    return replace(decision, failed_lookups=failed) if failed else decision


def write(
    decision: Decision, message: Message, channel: Channel, *, settings: Settings, identity: Identity, now: datetime
) -> tuple[Decision, Letter | None]:
    """The reply to a decision that wants one. Where none can be written (no template in the mail's language, one that
    cannot be filled in, nobody who could be answered) the decision becomes a hold and says so.

    A reply that must be pasted quotes nothing and is addressed to nowhere.
    """
    if decision.action != "draft":
        return decision, None
    is_pasted = channel.reply_mode == "admin_only"
    unreachable = None if is_pasted else _unreachable(message, channel)
    if unreachable is not None:
        return replace(decision, action="hold", template=None, reasons=(unreachable, *decision.reasons)), None
    try:
        letter = compose(
            decision,
            message,
            identity=identity,
            shop=settings.shop,
            channel=replace(channel, quote_original=False) if is_pasted else channel,
            templates=settings.templates,
            now=now,
            around=_around(decision, message, settings, now),
        )
    except MessageError as exc:
        reasons = (Reason.of("cannot_be_written", why=str(exc)), *decision.reasons)
        return replace(decision, action="hold", template=None, reasons=reasons), None
    if is_pasted:
        language = settings.shop.language
        title = channel.title_in(language)
        name = settings.wording.text("label.paste_only", language, channel=title)
        letter = replace(letter, to=Address(name, channel.paste_address))
    return decision, letter


def _around(decision: Decision, message: Message, settings: Settings, now: datetime) -> Surroundings:
    """What is happening at large that concerns the order."""
    if decision.order is None or not settings.incidents:
        return Surroundings()
    today = day_of(now, settings.shop.timezone)
    return Surroundings(incident=incident_for(decision.order, settings.incidents, variant_of(decision, message), today))


def _unreachable(message: Message, channel: Channel) -> Reason | None:
    """Why no mail can answer this one: it only tells of a buyer, or nobody reads what its sender is sent."""
    if channel.kind == "inquiry":
        return Reason.of("no_address_to_answer", channel=channel.name)
    if message.sender is not None and guards.is_no_reply(message.sender.mail):
        return Reason.of("no_reply_sender", address=message.sender.mail)
    return None
