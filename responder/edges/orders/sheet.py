"""From the bytes of a CSV or TSV file to its rows: encoding, delimiter, header and ending are found out.

Pure: given the bytes. What the rows mean is `table`'s matter.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from responder.edges.orders.cells import folded, text_of
from responder.errors import ConfigError, Mistake

_HEADER_ROWS = 30
# What Python makes of the bytes A0, FD, FE, FF, which no Shift_JIS file holds.
_NO_SHIFT_JIS = re.compile("[\x80\xa0\uf8f0-\uf8f3]")

csv.field_size_limit(1_000_000)


@dataclass(frozen=True)
class Sheet:
    """A file whose header was found. `line` is the header's last line; `is_ended` is False if the file's last line
    has no line break, as when it is still being written."""

    raw: bytes
    name: str
    encoding: str
    delimiter: str
    titles: tuple[str, ...]
    line: int

    @property
    def is_ended(self) -> bool:
        return self.raw.rstrip(b"\0").endswith((b"\n", b"\r"))

    def rows(self) -> Iterator[tuple[int, list[str], bool]]:
        """Every row below the header with its first line, and whether it is the last.

        Raises: ConfigError if the file ends inside a quoted cell or is no CSV.
        """
        reader = csv.reader(_lines(self.raw, self.encoding), delimiter=self.delimiter, strict=True)
        waiting: tuple[int, list[str]] | None = None
        start = 1
        try:
            for row in reader:
                if start > self.line:
                    if waiting is not None:
                        yield (*waiting, False)
                    waiting = start, row
                start = reader.line_num + 1
        except csv.Error as exc:
            code = "orders_file_half_written" if "unexpected end" in str(exc) else "orders_file_broken"
            raise self.refused(code, start, detail=str(exc)) from exc
        if waiting is not None:
            yield (*waiting, True)

    def refused(self, code: str, line: int, /, **args: str) -> ConfigError:
        """The error that says why this file cannot be taken."""
        return _refused(self.name, code, line, **args)


def read_sheet(raw: bytes, wanted: str, *, name: str, encoding: str | None, delimiter: str | None) -> Sheet:
    """The sheet with a column titled `wanted`; encoding and delimiter are found out where None.

    Raises: ConfigError if the file is empty, in no known encoding, cut inside a character, or has no such column.
    """
    if not raw.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise _refused(name, "orders_file_empty", 0)
    encoding = _encoding(raw, name, encoding)
    seen: list[str] = []
    for mark in [delimiter] if delimiter else [",", "\t", ";"]:
        reader = csv.reader(_lines(raw, encoding), delimiter=mark)
        try:
            for count, row in enumerate(reader):
                if count >= _HEADER_ROWS:
                    break
                titles = [text_of(cell.lstrip("\ufeff")) for cell in row]
                if folded(wanted) in {folded(title) for title in titles}:
                    return Sheet(raw, name, encoding, mark, tuple(titles), reader.line_num)
                if len(titles) > len(seen):
                    seen = titles
        except csv.Error:
            continue
    best = difflib.get_close_matches(folded(wanted), [folded(title) for title in seen], n=1, cutoff=0.6)
    near = next((title for title in seen if best and folded(title) == best[0]), None)
    raise _refused(name, "orders_header_missing", 1, suggestion=near, missing=wanted, found=", ".join(seen)[:80])


def _encoding(raw: bytes, name: str, given: str | None) -> str:
    if given:
        candidates = [given]
    elif raw.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif b"\0" in raw[:4000]:
        candidates = ["utf-16-be" if raw[:1] == b"\0" else "utf-16-le"]
    else:
        candidates = ["utf-8", "cp932"]
    for encoding in candidates:
        match _decodes(raw, encoding):
            case "yes":
                return encoding
            case "cut":
                raise _refused(name, "orders_file_half_written", raw.count(b"\n") + 1)
    raise _refused(name, "orders_file_encoding", 0, expected=", ".join(candidates))


def _lines(raw: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(raw), encoding=encoding, newline="")


def _refused(name: str, code: str, line: int, /, suggestion: str | None = None, **args: str) -> ConfigError:
    return ConfigError((Mistake(name, line, "", code, tuple(args.items()), suggestion=suggestion),))


def _decodes(raw: bytes, encoding: str) -> Literal["yes", "cut", "no"]:
    """Whether the bytes are text in that encoding, or would be if they did not end inside a character."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for at in range(0, len(raw), 1 << 18):
            text = decoder.decode(raw[at : at + (1 << 18)])
            if encoding == "cp932" and _NO_SHIFT_JIS.search(text):
                return "no"
    except (UnicodeError, ValueError):
        return "no"
    try:
        decoder.decode(b"", final=True)
    except (UnicodeError, ValueError):
        return "cut"
    return "yes"
