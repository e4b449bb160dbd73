"""The header fields of a mail or a part: raw ones for what must be parsed, decoded ones for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from responder.core.addresses import clean, ids_in, parse_mailboxes
from responder.core.charsets import decode_words, header_text
from responder.model import Address

MAX_HEADERS = 1_000
MAX_HEADER_BYTES = 256_000
MAX_IDS = 100

# One field: its name, and its value over all folded lines. A line that starts with an encoded word continues the one
# above, though the program forgot to indent it.
_FIELD = re.compile(rb"([A-Za-z0-9][!-9;-~]{0,200})[ \t]*:[ \t]*([^\n]*(?:\n(?:[ \t]|=\?)[^\n]*)*)(?:\n|\Z)")
_JUNK_LINE = re.compile(rb"[^\n]*(?:\n|\Z)")
_BLANK = re.compile(rb"[\r\n \t]*")
_MBOX_LINE = re.compile(rb">?From [^\n]*\n")
_FOLD = re.compile(r"\r?\n[ \t]*")

Fields = list[tuple[bytes, bytes]]  # lower-case name, raw value with its folds


def fields_of(raw: bytes, problems: list[str], begin: int = 0, end: int | None = None) -> tuple[Fields, int]:
    """The header fields from `begin` on and where the body begins."""
    end = len(raw) if end is None else end
    at = begin
    if begin == 0:
        at += 3 if raw.startswith(b"\xef\xbb\xbf") else 0
        if blank := _BLANK.match(raw, at):
            at = blank.end()
        if found := _MBOX_LINE.match(raw, at):
            at = found.end()
    limit = min(end, at + MAX_HEADER_BYTES)
    fields: Fields = []
    junk = 0
    while at < limit:
        found = _FIELD.match(raw, at, limit)
        if found:
            if len(fields) < MAX_HEADERS:
                fields.append((found.group(1).lower(), found.group(2)))
            else:
                problems.append("too_many_headers")
            at = found.end()
            continue
        line = _JUNK_LINE.match(raw, at, limit)
        line_end = line.end() if line else limit
        if not raw[at:line_end].strip(b"\r\n"):
            return fields, line_end
        junk += 1
        is_word = b" " not in raw[at:line_end] and raw[at:line_end].isascii()
        if junk > 20 or not (is_word or _FIELD.match(raw, line_end, limit)):  # no blank line: this is the body
            problems.append("broken_header")
            return fields, at
        at = line_end
    if limit < end:
        problems.append("too_many_headers")
        after = raw.find(b"\n\n", limit, end)
        after = raw.find(b"\r\n\r\n", limit, end) + 2 if after == -1 else after
        return fields, after + 2 if after > limit else end
    return fields, end


def decoded(fields: Fields) -> dict[str, tuple[str, ...]]:
    """Names to values as people read them."""
    headers: dict[str, tuple[str, ...]] = {}
    for name, raw in fields:
        key = name.decode("ascii")
        value = raw.strip().decode("ascii") if raw.isascii() and b"\x1b" not in raw else header_text(raw.strip())
        if "\n" in value:
            value = _FOLD.sub(" ", value)
        if "=?" in value and key != "authentication-results":  # What it means must not depend on a sender's encoding.
            value = decode_words(value)
        if not (value.isascii() and value.isprintable()):
            value = clean(value)
        headers[key] = (*headers[key], value) if key in headers else (value,)
    return headers


def _unfolded(raw: bytes) -> str:
    text = header_text(raw.strip())
    return _FOLD.sub(" ", text) if "\n" in text else text


def _values(fields: Fields, name: bytes) -> list[str]:
    """The values of a field, unfolded, their encoded words still in place."""
    return [_unfolded(raw) for key, raw in fields if key == name]


def first(fields: Fields, name: bytes) -> str:
    """The topmost value of a field, unfolded, or an empty string."""
    for key, raw in fields:
        if key == name:
            return _unfolded(raw)
    return ""


def sender(fields: Fields, problems: list[str]) -> Address | None:
    """Who the mail says it is from, or None with a problem unless that is exactly one mailbox without defects."""
    values = _values(fields, b"from")
    if len(values) != 1:
        problems.append("two_from" if values else "no_from")
    found = {}
    for value in values[:5]:
        mailboxes, defects = parse_mailboxes(value)
        if defects or len(mailboxes) != 1:
            problems.append("bad_from")
            return None
        found[mailboxes[0].key] = mailboxes[0]
    return next(iter(found.values())) if len(found) == 1 else None


def addresses(fields: Fields, name: bytes, problems: list[str] | None = None, code: str = "") -> tuple[Address, ...]:
    found: list[Address] = []
    for value in _values(fields, name)[:20]:
        mailboxes, defects = parse_mailboxes(value)
        found.extend(mailboxes)
        if defects and problems is not None:
            problems.append(code)
    return tuple(found)


def return_path(fields: Fields) -> str | None:
    """The topmost Return-Path: "" for the null path, None where there is none."""
    values = _values(fields, b"return-path")
    if not values:
        return None
    mailboxes, _ = parse_mailboxes(values[0])
    return mailboxes[0].mail if mailboxes else clean(values[0]).strip("<> ")


def message_id(value: str) -> str | None:
    ids = ids_in(value)
    return ids[0] if len(ids) == 1 and ids[0] == value.strip() else None


def replied_to(value: str) -> tuple[str, ...]:
    """The ids of an In-Reply-To field."""
    return ids_in(value)[:MAX_IDS]


def references(value: str) -> tuple[str, ...]:
    """The first and the newest ids of a thread."""
    ids = ids_in(value)
    return ids if len(ids) <= MAX_IDS else (ids[0], *ids[1 - MAX_IDS :])


def date(value: str) -> datetime | None:
    if not value or len(value) > 200:
        return None
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
