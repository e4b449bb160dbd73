"""Reads stored mails for the played staff and for the check at the end: with the standard library only, so that the
product's own reading is not asked to vouch for itself."""

from __future__ import annotations

from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import parseaddr


def text_of(raw: bytes) -> str:
    """The plain text of a mail, decoded."""
    for part in message_from_bytes(raw).walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return payload.decode(part.get_content_charset() or "utf-8", "replace").replace("\r\n", "\n")
    return ""


def field_of(raw: bytes, name: str) -> str:
    """A header's first value as it stands, on one line, or ""."""
    return " ".join(str(message_from_bytes(raw).get(name, "")).split())


def fields_of(raw: bytes) -> tuple[str, ...]:
    """The names of all header fields, in lower case, in order."""
    return tuple(name.lower() for name, _ in message_from_bytes(raw).items())


def subject_of(raw: bytes) -> str:
    """The subject, decoded."""
    return _decoded(field_of(raw, "Subject"))


def address_of(raw: bytes, name: str) -> str:
    """The one address in a header, or ""."""
    return parseaddr(field_of(raw, name))[1]


def name_of(raw: bytes, name: str) -> str:
    """The display name beside the one address in a header, decoded, or ""."""
    return _decoded(parseaddr(field_of(raw, name))[0])


def ids_of(raw: bytes, name: str) -> tuple[str, ...]:
    """The message ids in a header."""
    return tuple(field_of(raw, name).split())


def id_of(raw: bytes) -> str:
    """The mail's own id, or ""."""
    return field_of(raw, "Message-ID")


def _decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
