"""The buyer's own words out of what a marketplace or a contact form wraps around them.

Nothing is lost: `text` stays whole; what a frame told (order id, name, address) stands in `Message.form`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from responder.core import language, newtext
from responder.core.addresses import clean, parse_mailboxes
from responder.core.channels.channel import BODY_CHARS, OWN, Channel
from responder.core.channels.forms import form_fields
from responder.core.channels.order_ids import ids_of, plain
from responder.model import Address, Message


def unframe(message: Message, channel: Channel) -> Message:
    """The mail as the buyer meant it: his words as `new_text`, for a form also his address as the sender.

    A form whose address cannot be read has no sender: nobody could be answered. Mails without a frame come back as
    they are.
    """
    if channel.kind == "notice" or channel.name == OWN:
        return message
    if channel.kind == "form":
        return _unframe_form(message, channel)
    words = None
    told: dict[str, str] = {}
    if channel.frame is not None:
        words = between(message.text, *channel.frame)
    if words is None and channel.kind == "inquiry" and channel.labels:
        told = form_fields(message.text, channel.labels, channel.form_ends)
        words = told.pop("message", None)
    ids = ids_of(channel.order_ids, plain(f"{message.subject}\n{message.text}"[:BODY_CHARS]))
    if ids and "order_id" not in told:
        told["order_id"] = ids[0]
    if words is None:
        return replace(message, form={**message.form, **told}) if told else message
    return _with_words(message, words, told)


def between(text: str, begin: Any, end: Any) -> str | None:
    """What stands between the first line that `begin` finds and the last after it that `end` finds, or None."""
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if begin.search(line[:200])), None)
    if start is None:
        return None
    stop = next((i for i in range(len(lines) - 1, start, -1) if end.search(lines[i][:200])), len(lines))
    return "\n".join(lines[start + 1 : stop]).strip("\n")


def _unframe_form(message: Message, channel: Channel) -> Message:
    told = form_fields(message.text, channel.labels, channel.form_ends)
    words = told.pop("message", "")
    sender = _writer(message, told)
    return replace(_with_words(message, words, told), sender=sender, reply_to=())


def _writer(message: Message, told: dict[str, str]) -> Address | None:
    """Who filled in the form: the address in its field, else the only Reply-To."""
    name = clean(told.get("name", ""))[:100]
    if "mail" in told:
        found, defects = parse_mailboxes(told["mail"].removeprefix("mailto:"))
        if len(found) == 1 and not defects:
            return Address(name or found[0].name, found[0].mail)
        return None
    if len(message.reply_to) == 1:
        return Address(name or message.reply_to[0].name, message.reply_to[0].mail)
    return None


def _with_words(message: Message, words: str, told: dict[str, str]) -> Message:
    parts = newtext.split(words)
    return replace(
        message,
        new_text=parts.new,
        quoted_text=parts.quoted,
        signature=parts.signature,
        language=language.guess(parts.new, message.language),
        form={**message.form, **told},
    )
