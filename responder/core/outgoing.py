"""What really goes out of a draft as staff left it.

The header block is always written anew from a short list; the body keeps every part, attachment and flowed text as
the client stored it. What cannot be carried over safely raises, so that a person looks: nothing is silently changed.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from responder.core import charsets, headers
from responder.core.addresses import ids_in, parse_mailboxes
from responder.core.entity import Part, read_part, split_fields
from responder.core.html import to_text
from responder.core.texts import decoded, same_text, text_key, text_of
from responder.errors import MessageError
from responder.model import Address, Identity

__all__ = ["outgoing", "same_text", "text_key", "text_of"]

MAX_LINE = 998
_PART_FIELDS = ("content-type", "content-transfer-encoding", "content-disposition", "content-id", "content-description",
                "content-location", "content-language", "content-duration", "content-base")  # fmt: skip
_BODY_FIELDS = ("content-type", "content-transfer-encoding", "content-disposition")
_PARAMETER = re.compile(r"(?:[^;\"]|\"(?:[^\"\\]|\\.)*\"?)+")
_SAFE_VALUE = re.compile(rb"[\t\x20-\x7e]*")


def outgoing(
    draft_raw: bytes,
    *,
    identity: Identity,
    recipients: tuple[Address, ...],
    message_id: str,
    in_reply_to: str | None,
    references: Sequence[str],
    now: datetime,
    ascii_only: bool = False,
) -> bytes:
    """The mail to hand to SMTP: fresh header fields, the body as staff left it, CR LF, no line over 998 octets.

    `recipients` are the case's and become To (Cc for those the draft has there); `in_reply_to` and `references` win
    over the draft's own. `ascii_only`: the server takes no 8-bit bodies (no 8BITMIME), so they are re-encoded.

    Raises: MessageError with a code if the draft cannot be turned into a mail that is safe and says the same.
    """
    draft = read_part(draft_raw)
    body = _with_plain(_kept(draft, _BODY_FIELDS))
    content = _labelled(_carried(body, ascii_only))
    head = _head(draft, identity, recipients, message_id, in_reply_to, references, now)
    raw = b"".join(head) + b"MIME-Version: 1.0\r\n" + _written(content)
    _proved(raw, head, body, content, ascii_only)
    return raw


def seven_bit(raw: bytes) -> bytes:
    """A mail made by `outgoing` for a server without 8BITMIME: its bodies re-encoded, its header fields untouched.

    Raises: MessageError if it cannot be said in seven bits (an attached mail with 8-bit text).
    """
    head, mark, content = raw.partition(b"\r\nMIME-Version: 1.0\r\n")
    body = read_part(content)
    carried = _labelled(_carried(body, ascii_only=True))
    plain = head + mark + _written(carried)
    fields = [field + b"\r\n" for field in re.split(rb"\r\n(?![ \t])", head)]
    _proved(plain, fields, body, carried, ascii_only=True)
    return plain


# --- the header block -----------------------------------------------------------------------------------------------


def _head(
    draft: Part,
    identity: Identity,
    recipients: tuple[Address, ...],
    message_id: str,
    in_reply_to: str | None,
    references: Sequence[str],
    now: datetime,
) -> list[bytes]:
    own_id = headers.ids("Message-ID", (message_id,))
    if not own_id:
        raise MessageError("message_id_unsafe")
    if not recipients:
        raise MessageError("no_recipient")
    copied = {address.key for address in _mailboxes_in(draft, "cc")}
    to = [address for address in recipients if address.key not in copied] or list(recipients)
    cc = [address for address in recipients if address not in to]
    replies = [address for address in _mailboxes_in(draft, "reply-to") if identity.owns(address.mail)]
    parent = in_reply_to or next(iter(ids_in(_unfolded(draft, "in-reply-to"))), None)
    thread = headers.chain(references or ids_in(_unfolded(draft, "references")), parent)
    fields = [
        headers.mailboxes("From", (_sender(draft, identity),)),
        headers.mailboxes("To", to),
        headers.mailboxes("Cc", cc) if cc else b"",
        headers.mailboxes("Reply-To", replies) if replies else b"",
        headers.subject(_subject(draft)),
        headers.date(now),
        own_id,
        headers.ids("In-Reply-To", (parent,) if parent else ()),
        headers.ids("References", thread),
    ]
    return [field for field in fields if field]


def _sender(draft: Part, identity: Identity) -> Address:
    """The draft's From: one of the identity's addresses, with the display name as staff left it."""
    senders = [value for name, value in draft.fields if name.lower() == "from"]
    found, defects = parse_mailboxes(_unfolded(draft, "from"))
    if len(senders) != 1 or defects or len(found) != 1 or not identity.owns(found[0].mail):
        raise MessageError("from_not_ours")
    mail = next(own for own in (identity.address, *identity.aliases) if own.casefold() == found[0].key)
    return Address(found[0].name, mail)


def _mailboxes_in(draft: Part, name: str) -> tuple[Address, ...]:
    return parse_mailboxes(_unfolded(draft, name))[0]


def _subject(draft: Part) -> str:
    return charsets.decode_words(_unfolded(draft, "subject"))


def _unfolded(draft: Part, name: str) -> str:
    return charsets.header_text(draft.raw(name))


# --- the body -------------------------------------------------------------------------------------------------------


def _kept(part: Part, wanted: Sequence[str]) -> Part:
    """The part with only the fields that describe its body; the same for everything inside it."""
    fields = tuple((name, value) for name, value in part.fields if name.lower() in wanted)
    fields = tuple({name.lower(): (name, value) for name, value in reversed(fields)}.values())[::-1]
    children = tuple(_kept(child, _PART_FIELDS) for child in part.children)
    return replace(part, fields=fields, children=children)


def _with_plain(part: Part) -> Part:
    """The body with a plain part beside HTML that has none (an HTML-only mail looks like junk to many filters)."""
    texts = [leaf for leaf in part.leaves() if leaf.content_type.startswith("text/") and not leaf.is_attachment]
    if any(leaf.content_type == "text/plain" for leaf in texts):
        return part
    page = next((leaf for leaf in texts if leaf.content_type == "text/html"), None)
    if page is None or not to_text(decoded(page))[0].strip():
        return part
    return _beside(part, page)


def _beside(part: Part, page: Part) -> Part:
    first = next(part.leaves(), None)
    if part is not page and not (part.content_type == "multipart/related" and first is page):
        if part.content_type == "multipart/alternative" and page in part.children:
            return replace(part, children=(_plain_part(page), *part.children))
        children = tuple(_beside(child, page) if page in tuple(child.leaves()) else child for child in part.children)
        return replace(part, children=children)
    boundary = b"=_" + sha256(page.body).hexdigest()[:32].encode("ascii")
    inner = replace(part, fields=tuple(field for field in part.fields if field[0].lower() in _PART_FIELDS))
    value = b'multipart/alternative; boundary="' + boundary + b'"'
    whole = split_fields(b"Content-Type: " + value + b"\r\n\r\n")[0]
    return Part(whole, b"", (_plain_part(page), inner), boundary)


def _plain_part(page: Part) -> Part:
    text = to_text(decoded(page))[0].rstrip() + "\n"
    fields = (
        ("Content-Type", b'text/plain; charset="utf-8"'),
        ("Content-Transfer-Encoding", b"base64"),
    )
    return Part(fields, _base64(text.encode("utf-8", "replace").replace(b"\n", b"\r\n")))


def _carried(part: Part, ascii_only: bool) -> Part:
    """The part as it may travel: labelled rightly, re-encoded only where its own encoding cannot pass."""
    if part.boundary:
        children = tuple(_carried(child, ascii_only) for child in part.children)
        fields = tuple(field for field in part.fields if field[0].lower() != "content-transfer-encoding")
        if any(not _is_seven_bit(child) for child in children):
            fields = (*fields, ("Content-Transfer-Encoding", b"8bit"))
        return replace(part, fields=fields, children=children)
    coded = part.encoding in ("base64", "quoted-printable")
    ascii_body = part.body.isascii()
    passes = b"\x00" not in part.body and all(len(line) <= MAX_LINE for line in part.body.split(b"\r\n"))
    if passes and ascii_body:
        return part
    if passes and not coded and not ascii_only and part.encoding != "binary":
        return _encoded(part, part.body, b"8bit")
    if part.content_type.startswith("message/"):
        raise MessageError("attached_mail_unsafe")
    return _encoded(part, _base64(part.payload()), b"base64")


def _labelled(part: Part) -> Part:
    """The body with a charset on 8-bit text that has no label: UTF-8 if it is, else nobody can know."""
    if part.boundary or part.content_type != "text/plain" or part.parameter("charset") or part.payload().isascii():
        return part
    try:
        part.payload().decode("utf-8")
    except UnicodeDecodeError:
        raise MessageError("charset_unknown") from None
    rest = part.raw("content-type").partition(b";")[2].strip()
    value = b'text/plain; charset="utf-8"' + (b"; " + rest if rest else b"")
    fields = tuple(field for field in part.fields if field[0].lower() != "content-type")
    return replace(part, fields=(("Content-Type", value), *fields))


def _encoded(part: Part, body: bytes, encoding: bytes) -> Part:
    fields = tuple(field for field in part.fields if field[0].lower() != "content-transfer-encoding")
    return replace(part, fields=(*fields, ("Content-Transfer-Encoding", encoding)), body=body)


def _is_seven_bit(part: Part) -> bool:
    return all(leaf.body.isascii() for leaf in part.leaves())


def _base64(data: bytes) -> bytes:
    return encodebytes(data).replace(b"\n", b"\r\n")


def _written(part: Part) -> bytes:
    """Fields, blank line, body."""
    head = b"".join(_field(name, value) for name, value in part.fields)
    if not part.boundary:
        return head + b"\r\n" + part.body
    mark = b"--" + part.boundary
    inside = b"".join(mark + b"\r\n" + _written(child) + b"\r\n" for child in part.children)
    return head + b"\r\n" + inside + mark + b"--\r\n"


def _field(name: str, value: bytes) -> bytes:
    """One field of a part, folded at its blanks; other letters than ASCII in it (a file name) are encoded."""
    if not _SAFE_VALUE.fullmatch(value):
        value = _ascii_value(value)
    lines, line = [], name.encode("ascii") + b":"
    for word in re.split(rb"(?=[ \t])", b" " + value.strip()):
        if len(line) + len(word) > headers.WIDTH and line.strip() and not line.endswith(b":"):
            lines.append(line)
            line = word
        else:
            line += word
    return b"\r\n".join([*lines, line]) + b"\r\n"


def _ascii_value(value: bytes) -> bytes:
    """A parameterised value with its parameters in RFC 2231 form."""
    text = re.sub(r"[\x00-\x1f\x7f]", " ", charsets.decode(value)[0])
    main, *parameters = _PARAMETER.findall(text[:4000]) or [""]
    written = [re.sub(r"[^\x20-\x7e]", "", main).strip()]
    for parameter in parameters:
        key, _, said = parameter.partition("=")
        key = re.sub(r"[^A-Za-z0-9*_-]", "", key)
        said = said.strip()
        if said.startswith('"') and said.endswith('"') and len(said) > 1:
            said = re.sub(r"\\(.)", r"\1", said[1:-1])
        if not key or not said:
            continue
        if said.isascii():
            escaped = said.replace("\\", "\\\\").replace('"', '\\"')
            written.append(f'{key}="{escaped}"')
        else:
            octets = "".join(f"%{octet:02X}" for octet in said.encode("utf-8", "replace"))
            written.append(f"{key}*=utf-8''{octets}")
    return "; ".join(written).encode("ascii")


# --- the proof ------------------------------------------------------------------------------------------------------


def _proved(raw: bytes, head: Sequence[bytes], body: Part, content: Part, ascii_only: bool) -> None:
    """Reads the mail back.

    Raises: MessageError if its bytes could be taken for something else, or its fields or parts did not survive.
    """
    ends = raw.count(b"\r\n")
    if b"\x00" in raw or raw.count(b"\r") != ends or raw.count(b"\n") != ends or (ascii_only and not raw.isascii()):
        raise MessageError("outgoing_bytes")
    if any(len(line) > MAX_LINE for line in raw.split(b"\r\n")):
        raise MessageError("outgoing_line_too_long")
    back = read_part(raw)
    names = [field.partition(b":")[0].decode("ascii") for field in head]
    names += ["MIME-Version", *(name for name, _ in content.fields)]
    if [name for name, _ in back.fields] != names:
        raise MessageError("outgoing_fields")
    before, after = list(body.leaves()), list(back.leaves())
    if len(before) != len(after) or not all(map(_same_part, before, after)):
        raise MessageError("outgoing_parts")


def _same_part(before: Part, after: Part) -> bool:
    """True if two parts hold the same. Line ends at the very end do not count: closing a multipart may eat them."""
    if before.content_type != after.content_type:
        return False
    if before.body == after.body and before.encoding == after.encoding:
        return True
    return before.payload().rstrip(b"\r\n") == after.payload().rstrip(b"\r\n")
