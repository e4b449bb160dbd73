"""The buyer's own words out of what a marketplace or a contact form wraps around them.

Nothing is lost: `text` stays whole; what a frame told (order id, name, address) stands in `Message.form`. What the
buyer wrote inside the frame never passes for what the marketplace wrote around it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from responder.core import language, newtext
from responder.core.addresses import clean, parse_mailboxes
from responder.core.channels.channel import BODY_CHARS, OWN, Channel
from responder.core.channels.forms import before_message, form_fields
from responder.core.channels.order_ids import ids_of, plain
from responder.model import Address, Message


def unframe(message: Message, channel: Channel) -> Message:
    """The mail as the buyer meant it: his words as `new_text`, for a form also his address as the sender.

    A form whose address cannot be read has no sender: nobody could be answered. Mails without a frame come back as
    they are.
    """
    if channel.kind == "notice" or channel.name == OWN:
        return message
    message = _with_own_subject(message, channel)
    if channel.kind == "form":
        return _unframe_form(message, channel)
    head, words, told = "", None, {}
    if channel.frame is not None:
        head, words = between(message.text, *channel.frame)
        if words is not None:
            told = _told_by_frame(message, head, channel)
    if words is None and channel.kind == "inquiry" and channel.labels:
        fields = form_fields(message.text, channel.labels, channel.form_ends)
        words = fields.pop("message", None)
        told = form_fields(before_message(message.text, channel.labels), channel.labels, channel.form_ends)
        if ids := ids_of(channel.order_ids, plain(told.get("order_id", ""))):
            told["order_id"] = ids[0]
    if words is None:
        return replace(message, form={**message.form, **told}) if told else message
    return _with_words(message, words, told)


def _with_own_subject(message: Message, channel: Channel) -> Message:
    """`Inquiry from Amazon customer ...` is said by nobody; a buyer's own subject stays as it is."""
    if channel.subject_frames is None or not channel.subject_frames.search(message.subject[:998]):
        return message
    return replace(message, own_subject=channel.subject_frames.sub(" ", message.subject[:998]).strip())


def _told_by_frame(message: Message, head: str, channel: Channel) -> dict[str, str]:
    """The order the marketplace names around the buyer's words: above them, else at the end of the subject, behind
    whatever name the buyer gave himself."""
    ids = ids_of(channel.order_ids, plain(head[:BODY_CHARS]))
    if len(ids) == 1:
        return {"order_id": ids[0]}
    ids = [] if ids else ids_of(channel.order_ids, plain(message.subject[:998]))
    return {"order_id": ids[-1]} if ids else {}


def between(text: str, begin: Any, end: Any) -> tuple[str, str | None]:
    """What stands above the first line that `begin` finds, and between it and the last line that `end` finds; None
    for the latter if `begin` finds nothing."""
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if begin.search(line[:200])), None)
    if start is None:
        return "", None
    stop = next((i for i in range(len(lines) - 1, start, -1) if end.search(lines[i][:200])), len(lines))
    return "\n".join(lines[:start]), "\n".join(lines[start + 1 : stop]).strip("\n")


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
