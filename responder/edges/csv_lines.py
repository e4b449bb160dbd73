"""Appends one line to a CSV file that other programs read. Never changes what stands in it."""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Sequence
from pathlib import Path

from responder.model import Accepted, Later, Outcome, Unknown


def append(path: Path, header: Sequence[str], cells: Sequence[str]) -> Outcome:
    """What became of one line at the end of the file; a new or empty file gets the header first.

    Later if the file cannot be opened, so that nothing was written; unknown if writing failed half-way.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as exc:
        return Later("open", exc.strerror or type(exc).__name__)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file).st_size
        ends = not size or os.pread(file, 1, size - 1) == b"\n"
        lines = [cells] if size else [header, cells]
        raw = (b"" if ends else b"\r\n") + _bytes(lines)
        written = os.write(file, raw)
        os.fsync(file)
    except OSError as exc:
        return Unknown("write", exc.strerror or type(exc).__name__)
    finally:
        os.close(file)
    return Accepted("written") if written == len(raw) else Unknown("write", "only a part was written")


def _bytes(lines: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue().encode("utf-8", "replace")
