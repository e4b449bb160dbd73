"""Tells whoever supervises the process that it is ready, stops, and is alive: the notify protocol of sd_notify(3).

Never fails: where no supervisor listens ($NOTIFY_SOCKET is not set) nothing is said.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Supervisor:
    """The far end of $NOTIFY_SOCKET. `watchdog_s`: how often it must hear that we live; None where it does not ask."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        name = environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the NUL of the abstract namespace.
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self.watchdog_s = self._asked(environ) if self._address else None

    @staticmethod
    def _asked(environ: Mapping[str, str]) -> float | None:
        """$WATCHDOG_USEC, in seconds, if it is meant for this process."""
        pid, usec = environ.get("WATCHDOG_PID", ""), environ.get("WATCHDOG_USEC", "")
        if not usec.isascii() or not usec.isdigit() or int(usec) == 0 or (pid and pid != str(os.getpid())):
            return None
        return int(usec) / 1_000_000

    def ready(self, status: str) -> None:
        """Everything needed stands; `status` is shown to whoever asks for the service."""
        self._say(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """One line on what is going on."""
        self._say(f"STATUS={status}")

    def alive(self) -> None:
        """The watchdog may wait again."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")

    def _say(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.sendto(message.encode(), self._address)
        except OSError:
            # The supervisor went away; it will find out by itself.
            return
