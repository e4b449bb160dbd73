"""A mail as nested parts of bytes, cut and put together again without touching what the parts hold.

Unlike a parsed message, a part's body stays byte for byte what the sender's program wrote; only line ends are made
CR LF. Limits on depth and number of parts bound the work on hostile nesting.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message as Params

from responder.core.charsets import unbase64
from responder.errors import MessageError

MAX_DEPTH = 12
MAX_PARTS = 500
MAX_HEAD = 256 * 1024
MAX_TYPE = 8 * 1024

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_BREAK = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Part:
    """One MIME entity. `fields` keep their order and raw, unfolded values without the line end; a multipart has
    `children` and no body, every other entity has `body`."""

    fields: tuple[tuple[str, bytes], ...]
    body: bytes = b""
    children: tuple[Part, ...] = ()
    boundary: bytes = b""
    params: Params = field(default_factory=Params, compare=False)

    def raw(self, name: str) -> bytes:
        """The first value of a field, or b""."""
        return next((value for key, value in self.fields if key.lower() == name), b"")

    @property
    def content_type(self) -> str:
        """The media type in lower case; text/plain where there is none or a broken one."""
        return self.params.get_content_type()

    @property
    def encoding(self) -> str:
        """The Content-Transfer-Encoding in lower case; 7bit where there is none."""
        value = re.sub(rb"\([^)]*\)", b"", self.raw("content-transfer-encoding"))
        return value.decode("ascii", "replace").strip().lower() or "7bit"

    @property
    def is_attachment(self) -> bool:
        """True if the part is not text of the letter itself: named, or sent as an attachment."""
        disposition = self.raw("content-disposition").split(b";")[0].strip().lower()
        try:
            return disposition == b"attachment" or bool(self.params.get_filename())
        except (ValueError, LookupError):
            return True

    def parameter(self, name: str) -> str:
        """A parameter of the Content-Type, or ""."""
        try:
            value = self.params.get_param(name)
        except (ValueError, LookupError):
            return ""
        return value.strip() if isinstance(value, str) else ""

    def leaves(self) -> Iterator[Part]:
        """Every entity that holds a body, in order."""
        if self.boundary:
            for child in self.children:
                yield from child.leaves()
        else:
            yield self

    def payload(self) -> bytes:
        """The body without its transfer encoding; broken base64 gives what can be read of it."""
        match self.encoding:
            case "base64":
                return unbase64(self.body)
            case "quoted-printable":
                return quopri.decodestring(self.body)
            case _:
                return self.body


def read_part(raw: bytes) -> Part:
    """The mail as parts.

    Raises: MessageError if it is nested too deep, has too many parts or a multipart without a boundary, or its fields
    are longer than any mail program writes them.
    """
    if not raw.count(b"\r\n") == raw.count(b"\r") == raw.count(b"\n"):
        raw = _BREAK.sub(b"\r\n", raw)
    return _read(raw, 0, [0])


def _read(raw: bytes, depth: int, count: list[int]) -> Part:
    count[0] += 1
    if depth > MAX_DEPTH or count[0] > MAX_PARTS:
        raise MessageError("too_many_parts")
    fields, body = split_fields(raw)
    params = Params()
    for wanted in ("Content-Type", "Content-Disposition"):
        value = next((value for name, value in fields if name.lower() == wanted.lower()), b"")
        if len(value) > MAX_TYPE:
            raise MessageError("fields_too_long")
        if value:
            params[wanted] = value.decode("ascii", "replace")
    if params.get_content_maintype() != "multipart":
        return Part(fields, body, params=params)
    boundary = _boundary(params)
    if not boundary:
        raise MessageError("multipart_without_boundary")
    children = tuple(_read(piece, depth + 1, count) for piece in _pieces(body, boundary))
    if not children:
        raise MessageError("multipart_without_parts")
    return Part(fields, b"", children, boundary, params)


def _boundary(params: Params) -> bytes:
    try:
        return (params.get_boundary() or "").encode("ascii", "replace")
    except (ValueError, LookupError):
        return b""


def split_fields(raw: bytes) -> tuple[tuple[tuple[str, bytes], ...], bytes]:
    """The header fields, unfolded, and the body. Lines that are no field (mbox's `From `, leftovers) are passed over;
    clients write pseudo fields such as `S:` without a blank after the colon.

    Raises: MessageError if the fields take too much room.
    """
    if raw.startswith(b"\r\n"):
        return (), raw[2:]
    end = raw.find(b"\r\n\r\n")
    head, body = (raw, b"") if end < 0 else (raw[:end], raw[end + 4 :])
    if len(head) > MAX_HEAD:
        raise MessageError("fields_too_long")
    fields: list[tuple[str, bytes]] = []
    pieces: list[bytes] = []
    name = ""
    for line in [*head.split(b"\r\n"), None]:
        if line is not None and line[:1] in (b" ", b"\t"):
            pieces.append(line)
            continue
        if name:
            fields.append((name, b"".join(pieces).strip()))
        name, pieces = "", []
        if line is not None and (match := _FIELD.fullmatch(line)):
            name, pieces = match[1].decode("ascii"), [match[2]]
    return tuple(fields), body


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between the boundaries. Preamble and epilogue are nobody's text and are left out; a missing last
    boundary ends at the end."""
    pattern = re.compile(rb"(?:\A|\r\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    start = None
    for match in pattern.finditer(body):
        if start is not None:
            yield body[start : match.start()].removeprefix(b"\r\n")
        if match[1]:
            return
        start = match.end()
    if start is not None:
        yield body[start:].removeprefix(b"\r\n")
