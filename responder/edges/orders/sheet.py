"""From the bytes of a CSV or TSV file to its rows: encoding, delimiter, header and ending are found out.

A file is read in passes and never held in memory. What the rows mean is `table`'s matter.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol, TypeVar

from responder.edges.orders.cells import text_of
from responder.errors import ConfigError, Mistake

_HEADER_ROWS = 30
_CHUNK = 1 << 18
_MOST_BROKEN_ROWS = 20
# What Python makes of the bytes A0, FD, FE, FF, which no Shift_JIS file holds.
_NO_SHIFT_JIS = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
_NOTHING = b"\0 \t\r\n,;\xef\xbb\xbf\xff\xfe"
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"

csv.field_size_limit(1_000_000)

Open = Callable[[], BinaryIO]


class Header(Protocol):
    """What recognises a header: `quoted` False if quotation marks mean nothing in such a file."""

    @property
    def quoted(self) -> bool: ...


H = TypeVar("H", bound=Header)


@dataclass(frozen=True, slots=True)
class Row:
    """One row with its first line. `is_last`: nothing follows it; `is_broken`: it could be read by guessing only."""

    line: int
    cells: list[str]
    is_last: bool
    is_broken: bool = False


@dataclass(frozen=True)
class Sheet:
    """A file whose header was found. `line` is the header's last line; `is_ended` is False if the file's last line
    has no line break, as when it is still being written."""

    open: Open
    name: str
    encoding: str
    delimiter: str
    titles: tuple[str, ...]
    line: int
    is_ended: bool
    sha256: str
    quoted: bool = True

    def rows(self) -> Iterator[Row]:
        """Every row below the header.

        Raises: ConfigError if the file ends inside a quoted cell or is no CSV.
        """
        waiting: Row | None = None
        with _text(self.open, self.encoding) as stream:
            for row in _rows(stream, self.delimiter, self.quoted, self.refused):
                if row.line > self.line:
                    if waiting is not None:
                        yield waiting
                    waiting = row
        if waiting is not None:
            yield Row(waiting.line, waiting.cells, True, waiting.is_broken)

    def refused(self, code: str, line: int, /, **args: str) -> ConfigError:
        """The error that says why this file cannot be taken."""
        return refused(self.name, code, line, **args)


def read_sheet(
    open_: Open,
    recognise: Callable[[Sequence[str]], H | None],
    *,
    name: str,
    encoding: str | None,
    delimiter: str | None,
    wanted: str = "order_id",
) -> tuple[Sheet, H]:
    """The sheet whose header `recognise` knows, and what it said of it; encoding and delimiter are found out where
    None. `wanted` is the title a person would miss.

    Raises: ConfigError if the file is empty, in no known encoding, cut inside a character, or has no such header.
    """
    look = _look(open_, name, encoding)
    seen: list[str] = []
    for mark in [delimiter] if delimiter else [",", "\t", ";"]:
        with _text(open_, look.encoding) as stream:
            reader = csv.reader(stream, delimiter=mark)
            try:
                for count, row in enumerate(reader):
                    if count >= _HEADER_ROWS:
                        break
                    titles = [text_of(cell.lstrip("\ufeff")) for cell in row]
                    header = recognise(titles)
                    if header is not None:
                        return _sheet(open_, name, look, mark, titles, reader.line_num, header), header
                    if len(titles) > len(seen):
                        seen = titles
            except csv.Error:
                continue
    best = difflib.get_close_matches(wanted.casefold(), [title.casefold() for title in seen], n=1, cutoff=0.6)
    near = next((title for title in seen if best and title.casefold() == best[0]), None)
    raise refused(name, "orders_header_missing", 1, suggestion=near, missing=wanted, found=", ".join(seen)[:80])


@dataclass(frozen=True, slots=True)
class _Look:
    encoding: str
    sha256: str
    is_ended: bool


def _sheet(open_: Open, name: str, look: _Look, mark: str, titles: list[str], line: int, header: Header) -> Sheet:
    kept = tuple(titles)
    return Sheet(open_, name, look.encoding, mark, kept, line, look.is_ended, look.sha256, header.quoted)


def _rows(stream: io.TextIOWrapper, delimiter: str, quoted: bool, give_up: Callable[..., ConfigError]) -> Iterator[Row]:
    """Every row of the stream. A row with a stray quotation mark is read by guessing; too many are no CSV at all."""
    lines = _Remembering(stream)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=delimiter, strict=True, quoting=quoting)
    start, broken = 1, 0
    while True:
        try:
            row, is_broken = next(reader), False
        except StopIteration:
            return
        except csv.Error as exc:
            if "unexpected end" in str(exc):
                raise give_up("orders_file_half_written", start, detail=str(exc)) from exc
            broken += 1
            if "expected after" not in str(exc) or broken > _MOST_BROKEN_ROWS:
                raise give_up("orders_file_broken", start, detail=str(exc)) from exc
            row, is_broken = next(csv.reader([lines.last], delimiter=delimiter), []), True
        yield Row(start, row, False, is_broken)
        start = reader.line_num + 1


class _Remembering:
    """The lines of a stream; the last one given is remembered."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._stream:
            self.last = line
            yield line


def _look(open_: Open, name: str, given: str | None) -> _Look:
    """One pass over the bytes: what they are, whether they are text, and how they end."""
    with open_() as stream:
        head = stream.read(4096)
    if head.startswith((_ZIP, _OLE)):
        raise refused(name, "orders_file_excel", 0)
    for encoding in (candidates := _candidates(head, given)):
        with open_() as stream:
            found = _decodes(stream, encoding)
        if found.is_empty:
            raise refused(name, "orders_file_empty", 0)
        if found.verdict == "yes":
            return _Look(encoding, found.sha256, found.is_ended)
        if found.verdict == "cut":
            raise refused(name, "orders_file_half_written", found.lines + 1)
    raise refused(name, "orders_file_encoding", 0, expected=", ".join(candidates))


def _candidates(head: bytes, given: str | None) -> list[str]:
    if given:
        return [given]
    if head.startswith(codecs.BOM_UTF8):
        return ["utf-8-sig"]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    if b"\0" in head:
        return ["utf-16-be" if head[:1] == b"\0" else "utf-16-le"]
    return ["utf-8", "cp932"]


@dataclass(frozen=True, slots=True)
class _Decoded:
    """`verdict` is `cut` for bytes that would be text if they did not end inside a character."""

    verdict: Literal["yes", "cut", "no"]
    is_empty: bool
    is_ended: bool
    lines: int
    sha256: str


def _decodes(stream: BinaryIO, encoding: str) -> _Decoded:
    decoder = codecs.getincrementaldecoder(encoding)()
    digest, lines, is_empty, tail = hashlib.sha256(), 0, True, b""
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        lines += chunk.count(b"\n")
        is_empty = is_empty and not chunk.strip(_NOTHING)
        tail = (tail + chunk)[-64:]
        try:
            text = decoder.decode(chunk)
        except (UnicodeError, ValueError):
            return _Decoded("no", False, False, lines, "")
        if encoding == "cp932" and _NO_SHIFT_JIS.search(text):
            return _Decoded("no", False, False, lines, "")
    is_ended = tail.rstrip(b"\0").endswith((b"\n", b"\r"))
    try:
        decoder.decode(b"", final=True)
    except (UnicodeError, ValueError):
        return _Decoded("cut", is_empty, is_ended, lines, "")
    return _Decoded("yes", is_empty, is_ended, lines, digest.hexdigest())


def _text(open_: Open, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_(), encoding=encoding, newline="")


def refused(name: str, code: str, line: int, /, suggestion: str | None = None, **args: str) -> ConfigError:
    """The error that says why a source cannot be taken."""
    return ConfigError((Mistake(name, line, "", code, tuple(args.items()), suggestion=suggestion),))
