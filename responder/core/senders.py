"""Who wrote a mail, and whether data of an order may go to him (RFC 8601 is `authentication`'s matter).

Addresses are compared in one form: domain in A-labels, letters folded, never by what they look like.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from responder.core.addresses import ascii_domain
from responder.core.lookalikes import imitates, readable_domain
from responder.model import Message, Order, Reason, order_key


class Channel(Protocol):
    """What is looked at of a channel."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def is_marketplace(self) -> bool: ...


@lru_cache(maxsize=500)
def mailbox_key(mail: str) -> str:
    """The form in which two addresses are the same mailbox; empty for what is no address."""
    local, at, domain = unicodedata.normalize("NFKC", mail).strip().rpartition("@")
    written = ascii_domain(domain)
    return f"{local.casefold()}@{written}" if at and local and written else ""


def without_tag(mail: str) -> str:
    """A relay address without the part behind the plus: Amazon's names the message there, not the buyer."""
    local, _, domain = mail.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def party_of(message: Message, channel: Channel, *, trusted: bool | None) -> str:
    """Whose matter a mail is, as cases are told apart: "" if nobody can be named.

    A buyer's address; a relay's without its tag. What only tells of a buyer's words (`inquiry`) comes from one address
    for all of them: there it is the order, else the single mail. A sender the server does not vouch for is never taken
    for the one he claims to be.
    """
    if message.sender is None:
        return ""
    sender = message.sender.key
    if trusted is False:
        return f"?{sender}"
    if channel.kind == "inquiry":
        told = message.form.get("order_id", "")
        return f"{channel.name}:{order_key(told) if told else message.message_id or message.content_sha256}"[:320]
    return without_tag(sender) if channel.is_marketplace else sender


def sender_problem(message: Message, channel: Channel, *, trusted: bool | None) -> Reason | None:
    """Why the writer of this mail is told nothing and a person looks at it, or None."""
    if message.sender is None:
        return Reason.of("sender_unclear")
    if trusted is False:
        return Reason.of("sender_not_trusted")
    if imitates(message.sender.mail):
        domain = message.sender.mail.rpartition("@")[2]
        return Reason.of("sender_imitates", shown=readable_domain(message.sender.mail), domain=domain)
    if "bad_reply_to" in message.problems:
        return Reason.of("reply_to_elsewhere", address="?")
    for address in message.reply_to:
        if not _answers_the_same(message.sender.mail, address.mail, channel):
            return Reason.of("reply_to_elsewhere", address=address.mail)
    return None


def _answers_the_same(sender: str, reply_to: str, channel: Channel) -> bool:
    """True if Reply-To names the sender, or for a relay another alias of the same relay."""
    if mailbox_key(sender) == mailbox_key(reply_to):
        return True
    home = sender.rpartition("@")[2].casefold()
    return channel.is_marketplace and reply_to.rpartition("@")[2].casefold() == home


def is_buyer(message: Message, order: Order, channel: Channel, *, trusted: bool | None) -> bool:
    """True if data of the order may go to the mail's writer: his address is the order's, or a relay of the order's own
    channel speaks for him.

    A relay speaks for another alias of the same buyer (`alias+case@...`). Where the export knows no address, only an
    order id that the marketplace itself wrote into the frame counts, never one out of the buyer's words; the same
    holds for an inquiry that is answered elsewhere. A contact form's address is a claim, good for that address only.
    """
    if message.sender is None or sender_problem(message, channel, trusted=trusted) is not None:
        return False
    key = mailbox_key(order.buyer_mail)
    sender = mailbox_key(message.sender.mail)
    if channel.kind != "inquiry" and key and key == sender:
        return True
    if not channel.is_marketplace or order.channel not in ("", channel.name):
        return False
    told = message.form.get("order_id", "")
    is_told = bool(told) and order_key(told) == order_key(order.order_id)
    if channel.kind == "inquiry" or not key:
        return is_told
    return without_tag(sender) == without_tag(key)


def failed_lookups(
    by_pattern: Sequence[str], tokens: Sequence[str], found: Sequence[Order], own: Sequence[Order]
) -> int:
    """How many of the numbers a mail names were looked up in vain: no order, or not its writer's.

    `found` are all orders of those numbers, `own` the writer's among his orders, by number or by address. Words that
    only may be a number (`tokens`) and are no order count for somebody who has no order here: a known buyer's sizes
    and prices are no guesses.
    """
    mine = {order_key(order.order_id) for order in own}
    exist = {order_key(order.order_id) for order in found}
    missed = {key for key in map(order_key, by_pattern) if key not in mine}
    for key in map(order_key, tokens):
        if key not in mine and (key in exist or not mine):
            missed.add(key)
    return len(missed)
