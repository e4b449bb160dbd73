"""The one mail that leaves without an approval: that a mail has come in, and by when it is answered (RFC 3834).

Off unless the owner switches it on. It says nothing of an order and repeats nothing that came in; whoever might not be
a person who wrote to the shop himself gets none.
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol

from responder.core import headers
from responder.core.blanks import blanks_in
from responder.core.guards import gate, is_no_reply
from responder.core.senders import mailbox_key, sender_problem
from responder.errors import MessageError
from responder.model import Identity, Letter, Message

EVERY_RULE = "*"
ID_ENDING = ".a@"
"""What the local part of a receipt's Message-ID ends with: in Sent it is nobody's answer."""
_OF_LISTS = ("-request", "-owner", "-bounces", "-subscribe", "-unsubscribe", "-confirm")


class Channel(Protocol):
    """What is looked at of a channel."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def is_marketplace(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class AutoReply:
    """What the owner has switched on. `rules` are the rules whose mails get it (`*`: every mail that wants an answer).

    `at`: when the mail comes in, or only a while before the deadline if nobody has approved an answer by then. One
    sender gets it once in `once_in_days`, and no more than `most_a_day` leave in a day.
    """

    rules: frozenset[str]
    at: Literal["arrival", "deadline"] = "deadline"
    once_in_days: int = 7
    most_a_day: int = 50

    def is_for(self, rule: str | None) -> bool:
        """True if mails of this rule get it."""
        return EVERY_RULE in self.rules or rule in self.rules


def why_not(message: Message, channel: Channel, identity: Identity, *, trusted: bool | None) -> str | None:
    """Why this mail is not answered by machine, as a code; None if it may be.

    Beside all that RFC 3834 forbids: only a person's own mail to the shop's own site, vouched for by the receiving
    server, and with the writer's address as its return path, so that nothing goes to somebody whose name was borrowed.
    """
    sender = message.sender
    if sender is None or message.message_id is None:
        return "no_sender"
    if channel.name != "own" or channel.kind != "buyer" or channel.is_marketplace:
        return "channel"
    if gate(message, identity, is_channel=False) is not None:
        return "machine"
    local = sender.mail.partition("@")[0].casefold()
    if is_no_reply(sender.mail) or local.startswith("owner-") or local.endswith(_OF_LISTS):
        return "list"
    if trusted is not True or sender_problem(message, channel, trusted=trusted) is not None:
        return "not_vouched_for"
    if not message.return_path or mailbox_key(message.return_path) != mailbox_key(sender.mail):
        return "return_path"
    if not any(identity.owns(address.mail) for address in (*message.to, *message.cc)):
        return "not_to_us"
    return None


def is_receipt(message_id: str | None, identity: Identity) -> bool:
    """True for the Message-ID of a receipt: what lies in Sent under it is nobody's answer."""
    domain = identity.address.rpartition("@")[2]
    return message_id is not None and message_id.endswith(f"{ID_ENDING}{domain}>")


def receipt_bytes(letter: Letter, *, message_id: str, date: bytes) -> bytes:
    """The receipt as it goes out: `Auto-Submitted: auto-replied`, threaded, and nothing of the mail it answers.

    Raises: MessageError if it has a blank or cannot be written safely.
    """
    own_id = headers.ids("Message-ID", (message_id,))
    if not own_id or blanks_in(letter.subject) or blanks_in(letter.text):
        raise MessageError("blank_left")
    body = base64.encodebytes((letter.text.strip() + "\n").encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    head = [
        headers.mailboxes("From", (letter.sender,)),
        headers.mailboxes("To", (letter.to,)),
        headers.subject(letter.subject),
        date,
        own_id,
        headers.ids("In-Reply-To", (letter.in_reply_to,) if letter.in_reply_to else ()),
        headers.ids("References", letter.references),
        b"Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    ]
    return b"".join(head) + body


def unknown_rules(auto: AutoReply, known: Collection[str]) -> list[str]:
    """The rules it names that do not exist."""
    return sorted(auto.rules - {EVERY_RULE} - set(known))
