"""How a mail client writes a draft or a mail: which header fields it keeps and adds, and how it wraps and encodes text."""

from __future__ import annotations

import base64
import html
import quopri
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import make_msgid

ADDRESSING = ("From", "To", "Cc", "Bcc", "Reply-To", "Subject")
_WIDTH = 72


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing. `keeps` are fields taken over from the draft as they are; `adds` stand before them, `before`
    on top of everything, each a line as on the wire. `text` is flowed, plain, wrapped, html or alternative."""

    keeps: tuple[str, ...] = (*ADDRESSING, "In-Reply-To", "References")
    keeps_message_id: bool = False
    adds: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    from_name: str | None = None
    text: str = "plain"
    charset: str = "utf-8"
    encoding: str = "8bit"
    extra: dict[str, str] = field(default_factory=dict)

    def write(self, draft: bytes, text: str, *, date: str) -> bytes:
        """The mail this form makes of a draft whose text now reads so."""
        fields = dict(_fields(draft))
        message_id = fields.get("message-id", b"") if self.keeps_message_id else b" " + _new_id()
        lines = [line.encode() for line in self.before]
        lines += [line.encode() for line in self.adds]
        lines += [b"Message-ID:" + message_id, b"Date: " + date.encode(), b"MIME-Version: 1.0"]
        for name in self.keeps:
            value = fields.get(name.lower())
            if value is None:
                continue
            if name == "From" and self.from_name is not None:
                value = f" {self.from_name} <".encode() + value.rpartition(b"<")[2]
            lines.append(name.encode() + b":" + value)
        return b"\r\n".join(lines) + b"\r\n" + self._body(text)

    def _body(self, text: str) -> bytes:
        match self.text:
            case "html":
                return self._part("text/html", _page(text))
            case "alternative":
                mark = "=_" + make_msgid(domain="x").strip("<>").replace("@", "_")
                parts = (self._part("text/plain", text), self._part("text/html", _page(text)))
                inner = b"".join(f"--{mark}\r\n".encode() + part for part in parts)
                head = f'Content-Type: multipart/alternative;\r\n boundary="{mark}"\r\n\r\n'.encode()
                return head + inner + f"--{mark}--\r\n".encode()
            case "flowed":
                return self._part("text/plain", _flowed(text), "; format=flowed")
            case "wrapped":
                return self._part("text/plain", "\n".join(_wrapped(text)))
            case _:
                return self._part("text/plain", text)

    def _part(self, content_type: str, text: str, more: str = "") -> bytes:
        raw = text.rstrip("\n").replace("\n", "\r\n").encode(self.charset) + b"\r\n"
        match self.encoding:
            case "base64":
                raw = base64.encodebytes(raw).replace(b"\n", b"\r\n")
            case "quoted-printable":
                raw = quopri.encodestring(raw.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        head = f"Content-Type: {content_type}; charset={self.charset.upper()}{more}\r\n"
        return head.encode() + f"Content-Transfer-Encoding: {self.encoding}\r\n\r\n".encode() + raw


def _fields(raw: bytes) -> Iterator[tuple[str, bytes]]:
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    for line in re.split(rb"\n(?![ \t])", head):
        name, _, value = line.partition(b":")
        yield name.decode("ascii", "replace").strip().lower(), value.replace(b"\n", b"\r\n")


def _new_id() -> bytes:
    return make_msgid(domain="client.example").encode()


def _page(text: str) -> str:
    lines = "<br>\n".join(html.escape(line) for line in text.split("\n"))
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n<body>\n<p>{lines}</p>\n</body></html>'


def _flowed(text: str) -> str:
    """RFC 3676: long lines broken at a blank that stays, lines that could be misread stuffed."""
    lines: list[str] = []
    for line in text.split("\n"):
        line = line.rstrip()
        while len(line) > _WIDTH and not line.startswith(">") and (at := line.rfind(" ", 1, _WIDTH)) > 0:
            lines.append(line[: at + 1])
            line = line[at + 1 :]
        lines.append(line)
    return "\n".join(f" {line}" if line.startswith((" ", "From ")) else line for line in lines)


def _wrapped(text: str) -> Iterator[str]:
    """Hard line ends at the width of a terminal, in the middle of Japanese too."""
    for line in text.split("\n"):
        now, width = "", 0
        for letter in line:
            wide = 2 if unicodedata.east_asian_width(letter) in "WF" else 1
            if width + wide > _WIDTH:
                yield now
                now, width = "", 0
            now, width = now + letter, width + wide
        yield now
