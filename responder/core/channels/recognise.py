"""By which channel a mail came: the sender's address first, then what the text looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from responder.core.channels.channel import BODY_CHARS, OWN, PASTE_DOMAIN, Channel, ReplyMode, Route, compiled_set
from responder.core.channels.forms import form_fields
from responder.model import Message


def recognise(message: Message, channels: Sequence[Channel], *, trusted: bool | None = None) -> Channel:
    """The channel the mail came by, with what it is for this mail; the own channel if no other.

    With `trusted` False, where the receiving server does not vouch for the sender, no address stands for a channel: a
    relay's or a notice's is easily forged. A contact form is known by its fields; its address is a claim in any case.
    """
    found = _route(message, channels, trusted=trusted)
    if found is None:
        return next((channel for channel in channels if channel.name == OWN), Channel(OWN))
    channel, route = found
    mode = route.reply_mode or channel.reply_mode
    return replace(channel, kind=route.kind, reply_mode=mode, is_formal_cancel=route.official_cancel)


def reply_mode_of(mail: str, channels: Sequence[Channel], *, written_for: str = "") -> ReplyMode:
    """How an address can be answered: what the channel it belongs to says, whatever the mail was about.

    Addresses that only tell of something take no mail at all. An address that belongs to no channel is answered as
    the one says that the reply was `written_for`.
    """
    if mail.lower().endswith(PASTE_DOMAIN):
        return "admin_only"
    found = _at_home(mail, channels)
    if found is not None:
        channel, route = found
        return "admin_only" if route.kind in ("notice", "inquiry") else route.reply_mode or channel.reply_mode
    return next((channel.reply_mode for channel in channels if channel.name == written_for), "mail")


def channel_of(mail: str, channels: Sequence[Channel], *, written_for: str) -> str:
    """The name of the channel whose address this is; what the reply was `written_for` if it is none's."""
    found = _at_home(mail, channels)
    return written_for if found is None else found[0].name


def _at_home(mail: str, channels: Sequence[Channel]) -> tuple[Channel, Route] | None:
    """The first channel and route whose senders hold this address, those that ask for nothing else before others."""
    ways, senders = _ways(tuple(channels))
    hits: Sequence[int] = senders.Match(mail.lower()) or ()
    found = [ways[place] for place in sorted(hits)]
    return min(found, key=lambda one: one[1].subjects is not None or one[1].bodies is not None, default=None)


def _route(message: Message, channels: Sequence[Channel], *, trusted: bool | None) -> tuple[Channel, Route] | None:
    """The route that fits: told by the sender, else by subject or text, else by the form's fields alone."""
    ways, senders = _ways(tuple(channels))
    by_sender = set(senders.Match(message.sender.mail.lower() if message.sender else "") or ())
    for place, (channel, route) in enumerate(ways):
        if route.senders is not None and place not in by_sender:
            continue
        if trusted is False and route.kind != "form":
            continue
        if route.fits(message) and (route.kind != "form" or is_form(message, channel)):
            return channel, route
    return None


@lru_cache(maxsize=4)
def _ways(channels: tuple[Channel, ...]) -> tuple[tuple[tuple[Channel, Route], ...], Any]:
    """All routes, those that say most first, and one set of the senders' patterns: those of the first routes."""
    routes = [(channel, route) for channel in channels for route in channel.routes]
    routes.sort(key=lambda way: _vagueness(way[1]))
    return tuple(routes), compiled_set(route.senders.pattern for _, route in routes if route.senders is not None)


def _vagueness(route: Route) -> int:
    if route.senders is not None:
        return 0
    return 1 if route.subjects is not None or route.bodies is not None else 2


def is_form(message: Message, channel: Channel) -> bool:
    """True if the mail is a filled-in contact form: sent by the site, with an address and a message in its fields.

    Somebody who writes such fields in a mail of his own cannot name another's address that way.
    """
    sender = message.sender.key if message.sender else ""
    replies = {address.key for address in message.reply_to}
    by_site = _is_site(sender, {address.key for address in message.to}, channel)
    text = message.text[:BODY_CHARS]
    if not by_site and not any(mail and mail in text.casefold() for mail in (sender, *replies)):
        return False
    found = form_fields(text, channel.labels, channel.form_ends)
    if "message" not in found:
        return False
    mail = found.get("mail", "").casefold()
    if mail and mail in {sender, *replies}:
        return True
    return by_site and bool(mail or (len(replies) == 1 and sender not in replies))


def _is_site(sender: str, receivers: set[str], channel: Channel) -> bool:
    """True for an address that forms are sent from: the shop's own, or one of a web server or form service."""
    if sender in receivers:
        return True
    if channel.form_senders is not None and channel.form_senders.search(sender):
        return True
    is_home = sender.rpartition("@")[2] in {receiver.rpartition("@")[2] for receiver in receivers}
    return is_home and channel.form_senders_at_home is not None and bool(channel.form_senders_at_home.search(sender))
