"""A program in a terminal of its own: keys are pressed, what it shows is read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping
from pathlib import Path

_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x0e\x0f]")
WAIT_S = 120.0


class Terminal:
    """The program runs until `close`. The window is 30 lines of 110."""

    def __init__(self, command: list[str], *, env: Mapping[str, str], cwd: Path) -> None:
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=dict(env), cwd=cwd, start_new_session=True
        )
        os.close(theirs)
        self._fd = ours
        self._shown = bytearray()
        self._seen = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    def press(self, keys: str) -> None:
        """Type these keys."""
        os.write(self._fd, keys.encode())

    def wait_for(self, word: str) -> None:
        """Until the program has shown this word since the last word waited for."""
        end = time.monotonic() + WAIT_S
        with self._changed:
            while (at := self._text().find(word, self._seen)) < 0:
                assert self._process.poll() is None, f"it ended before it showed {word!r}:\n{self.tail()}"
                left = end - time.monotonic()
                assert left > 0, f"it did not show {word!r}:\n{self.tail()}"
                self._changed.wait(min(left, 1.0))
            self._seen = at + len(word)

    def wait_until_ended(self) -> None:
        """Until the program has ended by itself, and well."""
        assert self._process.wait(WAIT_S) == 0, self.tail()

    def tail(self) -> str:
        """The last of what it showed."""
        return self._text()[-3000:]

    def close(self) -> None:
        """End the program if it still runs."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        os.close(self._fd)

    def _text(self) -> str:
        return _ESCAPES.sub(b"", bytes(self._shown)).decode("utf-8", "replace")

    def _read(self) -> None:
        while True:
            try:
                some = os.read(self._fd, 65536)
            except OSError:  # the program has closed its side
                some = b""
            with self._changed:
                self._shown += some
                self._changed.notify_all()
            if not some:
                return
