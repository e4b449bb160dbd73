"""One page beside the journal for what must be remembered while the journal itself cannot be written.

It is as large as it will ever be from the day there was room for it, and is written over in place: a full disk has
nothing to give for that.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

SIZE_BYTES = 512


class Aside:
    """The page; `file` is the journal's file, None where a database server keeps it (then nothing is remembered)."""

    def __init__(self, file: Path | None) -> None:
        self.path = None if file is None else file.with_suffix(".aside")

    def prepare(self) -> None:
        """Make the page, if there is room."""
        if self.path is None or self.path.exists():
            return
        with contextlib.suppress(OSError):
            descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600)
            with open(descriptor, "wb") as page:
                page.write(b" " * SIZE_BYTES)

    def read(self) -> str:
        """What stands on it, or an empty string."""
        if self.path is None:
            return ""
        try:
            return self.path.read_bytes()[:SIZE_BYTES].decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def write(self, text: str) -> None:
        """Write over it; where that fails, too, there is nothing left to do."""
        if self.path is None or len(text.encode()) > SIZE_BYTES:
            return
        with contextlib.suppress(OSError), self.path.open("r+b") as page:
            page.write(text.encode().ljust(SIZE_BYTES))
            page.flush()
            os.fsync(page.fileno())
