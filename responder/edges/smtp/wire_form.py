"""What may go over an SMTP line, and how it looks there. Pure.

Addresses and bodies from outside are checked here and nowhere else: no CR, LF, NUL, blank or angle bracket reaches a
command, no bare line end or NUL reaches a body (SMTP smuggling).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from responder.model import NULL_PATH, Parcel

LINE_BYTES = 998
"""RFC 5321 4.5.3.1.6, without the line end."""

# Dots may stand anywhere before the @: Japanese carriers gave out addresses such as `mi..ka.@docomo.example`.
_ATOM = r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f-\x9f\u2028\u2029]"
_QUOTED = r'"[!#-;=?-\[\]-~]+"'
_ADDRESS = re.compile(rf"(?:{_ATOM}{{1,64}}|{_QUOTED})@{_ATOM}{{1,255}}")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)
_LONG_LINE = re.compile(rb"[^\n]{%d}" % (LINE_BYTES + 2))


@dataclass(frozen=True, slots=True)
class Ready:
    """A parcel as it goes over the line: the commands' arguments and the dot-stuffed body with its final dot."""

    mail_from: tuple[bytes, ...]
    rcpt_to: tuple[bytes, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a parcel cannot be sent through this server."""

    why: str


def well_formed(address: str) -> bool:
    """True if an addr-spec can stand in a MAIL or RCPT command."""
    return len(address.encode("utf-8", "replace")) <= 320 and bool(_ADDRESS.fullmatch(address)) and _encodable(address)


def prepare(parcel: Parcel, extensions: Mapping[str, str], downgrade: Callable[[bytes], bytes] | None) -> Ready | Unfit:
    """A parcel made ready for a server with these ESMTP extensions (lower case).

    `downgrade` rewrites a mail in 7-bit form with short lines; it is used only where the server or a line needs it.
    """
    envelope_from = "" if parcel.envelope_from == NULL_PATH else parcel.envelope_from
    if not well_formed(parcel.recipient) or (parcel.envelope_from != NULL_PATH and not well_formed(envelope_from)):
        return Unfit("address is not well-formed")
    raw = _lines(parcel.raw)
    eight_bit = "8bitmime" in extensions
    if downgrade is not None and not _passes(raw, eight_bit):
        try:
            raw = _lines(downgrade(parcel.raw))
        except Exception as exc:  # whatever a mail can make of a rewriter: this one mail stays here
            return Unfit(f"the mail cannot be rewritten in 7 bit: {type(exc).__name__}")
    if b"\0" in raw:
        return Unfit("the mail holds NUL")
    if _LONG_LINE.search(raw):
        return Unfit(f"a line is longer than {LINE_BYTES} bytes")
    if not raw.isascii() and not eight_bit:
        return Unfit("the server does not offer 8BITMIME")
    header = raw.partition(b"\r\n\r\n")[0]
    utf8 = not (envelope_from.isascii() and parcel.recipient.isascii() and header.isascii())
    if utf8 and "smtputf8" not in extensions:
        return Unfit("the server does not offer SMTPUTF8")
    options: list[bytes] = []
    if "size" in extensions:
        most = extensions["size"].strip()
        if most.isdigit() and 0 < int(most) < len(raw):
            return Unfit(f"the mail has {len(raw)} bytes, the server takes {most}")
        options.append(b"SIZE=%d" % len(raw))
    if not raw.isascii():
        options.append(b"BODY=8BITMIME")
    if utf8:
        options.append(b"SMTPUTF8")
    return Ready(
        mail_from=(b"FROM:<" + envelope_from.encode() + b">", *options),
        rcpt_to=(b"TO:<" + parcel.recipient.encode() + b">",),
        body=_DOT.sub(b"..", raw) + b".\r\n",
    )


def _lines(raw: bytes) -> bytes:
    raw = _LINE_END.sub(b"\r\n", raw)
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def _passes(raw: bytes, eight_bit: bool) -> bool:
    return (eight_bit or raw.isascii()) and not _LONG_LINE.search(raw)


def _encodable(address: str) -> bool:
    try:
        address.encode()
    except UnicodeEncodeError:
        return False
    return True
