"""Bytes of a mail to a Message: headers, the text people see, what of it is new.

An own small reader instead of the standard library's parser: that one recurses per nested part (a thousand levels fit
into the first 64 KiB of a mail and end in RecursionError) and raises on some malformed headers. Here sizes, nesting,
parts and headers are capped from the start: beyond a cap a problem is named and reading stops; nothing is slow, and
nothing raises but MessageError for what is no mail at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from responder.core.addresses import clean
from responder.core.language import guess
from responder.core.mime.fields import (
    addresses,
    date,
    decoded,
    fields_of,
    first,
    message_id,
    references,
    replied_to,
    return_path,
    sender,
)
from responder.core.mime.parts import MAX_TEXT, Reading, part_of
from responder.core.newtext import split
from responder.errors import MessageError
from responder.model import Language, Message

MAX_MAIL = 30_000_000
MAX_SUBJECT = 1_000


def read(raw: bytes, *, size_bytes: int | None = None, default_language: Language = "ja") -> Message:
    """The mail as a value.

    `raw` may be only the first bytes of a mail of `size_bytes`; `truncated` is a problem only if the text itself was
    cut. `form` stays empty. The language is that of the new text, else of the subject, else `default_language`.

    Raises:
        MessageError: there is no header at all.
    """
    size_bytes = len(raw) if size_bytes is None else size_bytes
    problems: list[str] = []
    if len(raw) > MAX_MAIL:
        raw = raw[:MAX_MAIL]
        problems.append("too_big")
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    is_cut = size_bytes > len(raw)
    fields, body_at = fields_of(raw, problems)
    if not fields:
        raise MessageError("no header")
    headers = decoded(fields)
    reading = Reading(raw, problems)
    reading.walk(part_of(fields, body_at, len(raw)), depth=0)
    text, quoted_below = reading.finish(is_cut=is_cut)
    parts = split(text)
    new_text = parts.new
    quoted = "\n\n".join(each for each in (parts.quoted, quoted_below) if each)

    who = sender(fields, problems)
    reply_to = addresses(fields, b"reply-to", problems, "bad_reply_to")
    subject = clean(headers["subject"][0])[:MAX_SUBJECT] if "subject" in headers else ""
    is_reply = subject[:4].casefold().startswith(("re:", "re：", "fw", "回复", "回覆", "答复"))
    worded = new_text if any(map(str.isalpha, new_text)) else ""  # a bare order number is in no language
    shown = worded or ("" if is_reply else subject) or text[:500] or subject
    return Message(
        message_id=message_id(first(fields, b"message-id")),
        in_reply_to=replied_to(first(fields, b"in-reply-to")),
        references=references(first(fields, b"references")),
        sender=who,
        reply_to=reply_to,
        to=addresses(fields, b"to"),
        cc=addresses(fields, b"cc"),
        return_path=return_path(fields),
        subject=subject,
        date=date(headers.get("date", ("",))[0]),
        headers=headers,
        text=text,
        new_text=new_text,
        quoted_text=quoted,
        signature=parts.signature,
        attachments=tuple(reading.attachments),
        content_sha256=_content_hash(headers, text),
        size_bytes=size_bytes,
        language=guess(shown, _where_silent(subject, default_language)),
        problems=tuple(dict.fromkeys(problems)),
    )


def _where_silent(subject: str, default: Language) -> Language:
    """The language of a text that shows none (`如題`): its subject's. An English one says nothing of Chinese."""
    told = guess(subject, default)
    return default if told == "en" else told


def header_block(raw: bytes) -> Mapping[str, tuple[str, ...]]:
    """Only the headers: lower-case names to decoded, unfolded values, topmost first. Cheap; nothing raises."""
    return decoded(fields_of(raw, [])[0])


def combine(messages: Sequence[Message]) -> Message:
    """Several unanswered mails of one case, oldest first, as one: the newest's headers, all new texts.

    Raises:
        ValueError: there is no mail.
    """
    if not messages:
        raise ValueError("nothing to combine")
    newest = messages[-1]
    if len(messages) == 1:
        return newest
    new_text = _paragraphs(message.new_text for message in messages)
    form: dict[str, str] = {}
    for message in messages:
        form.update({label: value for label, value in message.form.items() if value})
    return replace(
        newest,
        new_text=new_text[-MAX_TEXT:],
        text=_paragraphs(message.text for message in messages)[-MAX_TEXT:],
        attachments=tuple(attachment for message in messages for attachment in message.attachments),
        language=newest.language if newest.new_text.strip() else guess(new_text, newest.language),
        problems=tuple(dict.fromkeys(problem for message in messages for problem in message.problems)),
        form=form,
    )


def _paragraphs(texts: Iterable[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())


def _content_hash(headers: Mapping[str, tuple[str, ...]], text: str) -> str:
    """Equal for the same mail delivered twice. Of the text its first 8,192 characters: a mail fetched in part and
    one fetched whole are the same mail."""
    parts = [headers.get(name, ("",))[0] for name in ("from", "date", "subject", "message-id")]
    return hashlib.sha256("\0".join([*parts, text[:8192]]).encode("utf-8", "replace")).hexdigest()
