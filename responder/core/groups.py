"""Mail that the shop's own group passed on (Google Groups and the like): whose it really is.

A group marks what it passes on as list mail, and where the sender's domain forbids passing on it writes itself into
From ("Hanako via Shop"). Neither makes a buyer's mail a newsletter or our own. Only what names one of the shop's own
addresses is looked at; the sender found this way is a claim like any other.
"""

from __future__ import annotations

import re
from dataclasses import replace

from responder.core.addresses import parse_mailboxes
from responder.core.authentication import is_aligned
from responder.model import Address, Identity, Message

_GROUP_SERVER = "mx.google.com"
_LISTS = ("list-post", "mailing-list", "x-beenthere")
_MARKS = ("list-", "precedence", "mailing-list", "x-google-group", "x-beenthere", "x-spam-checked-in-group")
_VIA = re.compile(
    r"^[\"'\s]*(.*?)[\"'\s]*\s(?:via|経由で?|通过|透過)\s.*$|^(.*?)さん?[（(].{0,60}経由[）)]$", re.IGNORECASE
)


def passed_on(message: Message, identity: Identity, *, trusted: bool | None) -> tuple[Message, bool | None]:
    """The mail without the marks of the shop's own group, from the one who wrote to it, and what is known of that
    sender. Any other mail comes back as it is.

    `trusted` is what the receiving server says of From. Where From is the group, that says only that the group wrote
    it; what the group's server said of the writer counts if the former is true.
    """
    writer = _writer(message, identity)
    if writer is None and not _is_own_list(message, identity):
        return message, trusted
    headers = {name: values for name, values in message.headers.items() if not name.startswith(_MARKS)}
    if writer is None:
        return replace(message, headers=headers), trusted
    replies = tuple(a for a in message.reply_to if a.key != writer.key and not identity.owns(a.mail))
    original = replace(message, sender=writer, reply_to=replies, headers=headers)
    if trusted:
        told = message.headers.get("x-original-authentication-results", ())
        asked = replace(original, headers={"authentication-results": told})
        trusted = is_aligned(asked, _GROUP_SERVER) if told else None
    return original, trusted


def _is_own_list(message: Message, identity: Identity) -> bool:
    """True if the list that passed the mail on is one of the shop's addresses."""
    own = {address.casefold() for address in (identity.address, *identity.aliases)}
    if any(address in message.header(name).casefold() for name in _LISTS for address in own if name in message.headers):
        return True
    list_id = message.header("list-id").casefold()
    return any(f"<{address.replace('@', '.')}>" in list_id for address in own)


def _writer(message: Message, identity: Identity) -> Address | None:
    """Who wrote to the group that stands in From, or None where the group wrote nothing into From."""
    if message.sender is None or not identity.owns(message.sender.mail):
        return None
    found, defects = parse_mailboxes(message.header("x-original-sender"))
    if defects or len(found) != 1 or identity.owns(found[0].mail):
        return None
    via = _VIA.match(message.sender.name)
    return Address((via[1] or via[2] or "").strip() if via else "", found[0].mail)
