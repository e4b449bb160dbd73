"""Encodings of text inside ASCII: RFC 2047 words in headers, base64. Broken ones are read as far as they go."""

from __future__ import annotations

import binascii
import re
import string

from responder.core.charsets.labels import decode

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?")
_NOT_BASE64 = bytes(set(range(256)) - set((string.ascii_letters + string.digits + "+/").encode("ascii")))
_Q_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")


def decode_words(text: str) -> str:
    """A header value with its encoded words (RFC 2047) read, also broken ones.

    Words of one charset that follow each other are joined as bytes first: many programs cut inside a character.
    Broken ones are taken as far as they go: blanks inside, no closing `?=`, wrong padding, quotes around.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    position = 0
    pending, charset = b"", ""
    while True:
        found = _ENCODED_WORD.search(text, position)
        between = text[position : found.start()] if found else text[position:]
        if pending and (found is None or between.strip() or found.group(1).lower() != charset):
            out.append(decode(pending, charset)[0])
            pending = b""
            out.append("" if found and not between.strip() else between)
        elif not pending:
            out.append(between)
        if found is None:
            return "".join(out)
        end = text.find("?=", found.end())
        if end == -1:  # cut off, or no encoded word at all: nothing further can be closed either
            body, position = text[found.end() :], len(text)
        else:
            body, position = text[found.end() : end], end + 2
        charset = found.group(1).lower()
        pending += _word_bytes(body, found.group(2))


def _word_bytes(body: str, encoding: str) -> bytes:
    raw = body.encode("utf-8", "replace")
    if encoding in "bB":
        return unbase64(raw)
    return _Q_ESCAPE.sub(lambda m: bytes((int(m.group(1), 16),)), raw.replace(b"_", b" "))


def unbase64(data: bytes) -> bytes:
    """Base64 read as far as it goes: foreign characters, missing padding and a cut end are no reason to give up."""
    out = []
    inner = data.rstrip(b"=\r\n \t").count(b"=")  # padding inside: several encoded pieces one after the other
    for piece in data.split(b"=") if 0 < inner < 1000 else (data,):
        letters = piece.translate(None, _NOT_BASE64)
        rest = len(letters) % 4
        letters = letters[:-1] if rest == 1 else letters + b"=" * (-rest % 4)
        try:
            out.append(binascii.a2b_base64(letters))
        except binascii.Error:  # cannot be: only the alphabet is left and the length fits
            continue
    return b"".join(out)


def header_text(raw: bytes) -> str:
    """A raw header value as text: unfolded, raw 8-bit and escaped Japanese read, encoded words still in place."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    return decode(raw)[0]
