"""A wish and its order become a notice: the same steps for the daemon, the command and a dry run. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from responder.config import AccountSettings, Settings
from responder.core import guards
from responder.core.channels import Channel, channel_of
from responder.core.dates import day_of
from responder.core.owed import Surroundings, Wish, why_not
from responder.core.owed.around import Perk, incident_for, perk_for
from responder.core.owed.letter import Draftable, owed_letter, reader_of
from responder.core.senders import without_tag
from responder.errors import MessageError
from responder.flows.ways import Way, way_to
from responder.model import Address, Message, Order, Reason, order_key


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to one buyer: what is put into Drafts, the channel it goes by, and how it leaves."""

    draftable: Draftable
    channel: Channel
    way: Way
    perk: Perk | None = None


def channel_of_order(order: Order, channels: Sequence[Channel]) -> Channel:
    """The channel the order came by: as its data say, else as the buyer's address tells."""
    name = order.channel or channel_of(order.buyer_mail, channels, written_for="own")
    known = {channel.name: channel for channel in channels}
    return known.get(name) or known.get("own") or Channel("own")


def account_for(order: Order, settings: Settings) -> AccountSettings:
    """The account that writes to the order's buyer: the one with a server of the order's channel, else the first."""
    channel = channel_of_order(order, settings.channels).name
    return next((one for one in settings.accounts if one.relay(channel) is not None), settings.accounts[0])


def party_of_order(order: Order, channel: Channel, way: Way) -> str:
    """Whose matter the order is, in the form in which `senders.party_of` says it of his mails."""
    if way.mode == "admin_only":
        return f"{channel.name}:{order_key(order.order_id)}"[:320]
    mail = order.buyer_mail.casefold()
    return without_tag(mail) if channel.is_marketplace else mail


def notice(
    wish: Wish,
    order: Order | None,
    settings: Settings,
    account: AccountSettings,
    *,
    now: datetime,
    root: str,
    mail: Message | None = None,
    may_have: Callable[[Perk], bool] = lambda _: True,
) -> Notice | Reason:
    """The notice, or why there is none. `may_have` tells whether the buyer still gets what the policy grants."""
    if order is None:
        return Reason.of("owed_no_order", found=wish.order_id)
    channel = channel_of_order(order, settings.channels)
    refusal = why_not(wish, order, channel, now=now, timezone=settings.shop.timezone)
    if refusal is not None:
        return refusal
    recipient = mail.sender.mail if mail is not None and mail.sender is not None else order.buyer_mail
    way = way_to(recipient, channel.name, account, settings.channels)
    # A marketplace that tells no address has a page to write to the buyer.
    is_pasted = way.mode == "admin_only" or (not recipient and bool(channel.admin_page))
    if not is_pasted and (not recipient or guards.is_no_reply(recipient) or account.identity.owns(recipient)):
        return Reason.of("owed_no_address")
    if is_pasted:
        # In a marketplace's own pages the answer stands below what was asked.
        channel = replace(channel, quote_original=False, reply_mode="admin_only")
    around, perk = _around(wish, order, channel, settings, account, mail, now, may_have)
    try:
        draftable = owed_letter(
            wish,
            order,
            channel,
            identity=way.identity,
            shop=settings.shop,
            templates=settings.templates,
            now=now,
            root=root,
            default_language=account.default_language,
            mail=mail,
            around=around,
        )
    except MessageError as exc:
        return Reason.of("cannot_be_written", why=str(exc))
    if is_pasted:
        language = settings.shop.language
        name = settings.wording.text("label.paste_only", language, channel=channel.title_in(language))
        letter = replace(draftable.letter, to=Address(name, channel.paste_address))
        draftable = replace(draftable, letter=letter)
        way = replace(way, mode="admin_only")
    return Notice(draftable, channel, way, perk)


def surroundings_of(wish: Wish, order: Order, settings: Settings, now: datetime) -> Surroundings:
    """What is happening at large, for a page to print; nothing is granted on paper."""
    _, variant = reader_of(wish, order, settings.shop.language)
    today = day_of(now, settings.shop.timezone)
    return Surroundings(incident=incident_for(order, settings.incidents, variant, today))


def _around(
    wish: Wish,
    order: Order,
    channel: Channel,
    settings: Settings,
    account: AccountSettings,
    mail: Message | None,
    now: datetime,
    may_have: Callable[[Perk], bool],
) -> tuple[Surroundings, Perk | None]:
    """What else is true of this order now."""
    _, variant = reader_of(wish, order, account.default_language, mail)
    incident = incident_for(order, settings.incidents, variant, day_of(now, settings.shop.timezone))
    found = perk_for(wish, order, settings.perks, channel=channel.name, forbidden=channel.forbidden, variant=variant)
    if found is None or not may_have(found[0]):
        return Surroundings(incident=incident), None
    return Surroundings(perk=found[1], incident=incident), found[0]
