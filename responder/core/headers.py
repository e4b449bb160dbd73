"""Writes header fields that survive the way: cleaned, encoded (RFC 2047), folded, one field per call.

Everything that comes from outside is decoded text here and is encoded anew; nothing is ever copied as bytes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from responder.core.addresses import clean, parse_mailboxes, well_formed_id
from responder.errors import MessageError
from responder.model import Address

MAX_SUBJECT = 240
MAX_NAME = 100
MAX_IDS = 20
WIDTH = 76

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,80}")


def subject(text: str) -> bytes:
    """The Subject field."""
    return _unstructured("Subject", shortened(text, MAX_SUBJECT))


def mailboxes(name: str, addresses: Sequence[Address]) -> bytes:
    """An address field (From, To, Cc, Reply-To), one mailbox a line.

    Raises: MessageError if an address would not come back from the field as it went in.
    """
    written = []
    for address in addresses:
        shown = shortened(address.name, MAX_NAME)
        if not address.mail.isascii():
            raise MessageError("address_not_ascii")
        written.append(f"{_phrase(shown)} <{address.mail}>" if shown else f"<{address.mail}>")
    field = f"{name}: " + ",\r\n ".join(written) + "\r\n"
    value = field.removeprefix(f"{name}: ").replace("\r\n", "")
    back, defects = parse_mailboxes(value)
    if defects or [a.mail for a in back] != [a.mail for a in addresses]:
        raise MessageError("address_unsafe")
    return field.encode("ascii")


def ids(name: str, values: Sequence[str]) -> bytes:
    """A Message-ID, In-Reply-To or References field, one id a line; b"" where no id is well-formed."""
    good = [value for value in values if well_formed_id(value)]
    return f"{name}: {f'{chr(13)}{chr(10)} '.join(good)}\r\n".encode("ascii") if good else b""


def chain(references: Sequence[str], last: str | None) -> tuple[str, ...]:
    """The References of an answer: the mail's own chain and its id, each once; a long one keeps its first and newest
    ids (RFC 5322 3.6.4)."""
    found = [value for value in dict.fromkeys(references) if well_formed_id(value) and value != last]
    if last and well_formed_id(last):
        found.append(last)
    return tuple(found if len(found) <= MAX_IDS else [found[0], *found[-(MAX_IDS - 1) :]])


def date(moment: datetime) -> bytes:
    """The Date field."""
    return f"Date: {format_datetime(moment)}\r\n".encode("ascii")


def token(name: str, value: str) -> bytes:
    """A field that holds one word of ours.

    Raises: ValueError if the word is not one.
    """
    if not _TOKEN.fullmatch(value):
        raise ValueError(f"{name} takes one word")
    return f"{name}: {value}\r\n".encode("ascii")


def shortened(text: str, limit: int) -> str:
    """Text from outside as one clean line of at most `limit` characters, fit for UTF-8."""
    line = re.sub(r" {2,}", " ", clean(text[: limit * 8]).replace("\t", " ")).strip()
    line = line.encode("utf-8", "ignore").decode("utf-8")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _unstructured(name: str, text: str) -> bytes:
    if _PLAIN.fullmatch(text) and "=?" not in text and len(name) + 2 + len(text) <= WIDTH:
        return f"{name}: {text}\r\n".encode("ascii")
    if _PLAIN.fullmatch(text) and "=?" not in text and max(map(len, text.split(" "))) < WIDTH - len(name) - 2:
        return f"{name}: {_folded(text, len(name) + 2)}\r\n".encode("ascii")
    return f"{name}: {encoded_words(text, len(name) + 2)}\r\n".encode("ascii")


def _folded(text: str, used: int) -> str:
    """Plain text folded at its blanks; `used` columns of the first line are taken."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and used + len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def _phrase(name: str) -> str:
    if _ATOMS.fullmatch(name) and "=?" not in name and len(name) < 60:
        return name
    if _PLAIN.fullmatch(name) and "=?" not in name and len(name) < 60:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return encoded_words(name, 10)


def encoded_words(text: str, used: int) -> str:
    """Text as encoded words in UTF-8 and base64, folded; `used` columns of the first line are taken. No character is
    cut in two (RFC 2047 5)."""
    words: list[str] = []
    chunk = b""
    room = _room(used)
    for character in text:
        octets = character.encode("utf-8")
        if len(chunk) + len(octets) > room:
            words.append(_word(chunk))
            chunk, room = b"", _room(1)
        chunk += octets
    words.append(_word(chunk))
    return "\r\n ".join(words)


def _room(used: int) -> int:
    """How many octets fit into one encoded word after `used` columns: base64 makes 4 of 3, the frame takes 12."""
    return max(9, (min(75, WIDTH - used) - 12) // 4 * 3)


def _word(octets: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?="
