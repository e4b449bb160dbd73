"""A screen nobody sees, with a keyboard and a mouse: programs run on it, and what they highlight is read from its pixels."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.journeys.shop import until

NEEDED = ("Xvfb", "openbox", "xdotool", "claws-mail")
_WIDTH, _HEIGHT = 1000, 700


def missing() -> str | None:
    """Why no program can be driven on a screen here, or None."""
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    return f"no {', '.join(lacking)} on this machine: run scripts/screen-install" if lacking else None


class Screen:
    """Xvfb with a window manager. `home` is the user's own directory for everything that runs there."""

    def __init__(self, home: Path) -> None:
        self._runtime = Path(tempfile.mkdtemp(prefix="screen-", dir="/tmp"))  # socket paths have 108 bytes
        self._started: list[subprocess.Popen[bytes]] = []
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{_WIDTH}x{_HEIGHT}x24", "-nolisten", "tcp"]
        server = subprocess.Popen(
            [*command, "-fbdir", str(self._runtime)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._started.append(server)
        assert server.stdout is not None
        number = server.stdout.readline().decode().strip()
        server.stdout.close()
        assert number, "Xvfb did not start"
        self.env: Mapping[str, str] = {
            "PATH": os.environ["PATH"], "HOME": str(home), "DISPLAY": f":{number}", "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(self._runtime), "NO_AT_BRIDGE": "1", "GTK_THEME": "Adwaita",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:", "GSETTINGS_BACKEND": "memory",
        }  # fmt: skip
        self.run(["openbox"])

    def close(self) -> None:
        """End what was started here, the screen last."""
        for process in reversed(self._started):
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
            process.wait(30)
        shutil.rmtree(self._runtime, ignore_errors=True)

    def run(self, command: list[str]) -> None:
        """A program, until `close`."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._started.append(subprocess.Popen(command, env=dict(self.env), **quiet))

    def say(self, *command: str) -> str:
        """A program that ends by itself, and what it writes."""
        done = subprocess.run(command, env=dict(self.env), capture_output=True, text=True, timeout=60, check=False)
        return done.stdout

    # --- keyboard and mouse -----------------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        self.say("xdotool", "key", *keys)

    def type(self, words: str) -> None:
        """Latin letters only."""
        self.say("xdotool", "type", "--delay", "15", words)

    def double_click(self, x: int, y: int) -> None:
        self.say("xdotool", "mousemove", str(x), str(y), "click", "--repeat", "2", "--delay", "60", "1")

    def windows(self) -> list[str]:
        """The titles of what is shown."""
        return self.say("xdotool", "search", "--onlyvisible", "--name", ".", "getwindowname", "%@").splitlines()

    def wait_for(self, title: str) -> None:
        """A window with these words in its title is shown, and has the keyboard."""
        until(lambda: [one for one in self.windows() if title in one], f"a window says {title}")
        self.say("xdotool", "search", "--onlyvisible", "--name", title, "windowactivate", "--sync")

    def drag(self, x: int, y: int, *, to: int, row: int, eye: int) -> None:
        """Take what is at x, y to a row of a list around column `to`. Where it is let go is told by what the program
        highlights in the column `eye`, as for a person, and not by where the pointer stands. A program that is busy may
        not feel the button: then it is taken up again."""

        at_first = self.highlighted(eye)

        def is_over() -> bool:
            self._point(x, y, "mousedown", "1")
            for part in range(1, 6):
                self._point(x + (to - x) * part // 5, y + (row - y) * part // 5)
            for up in range(0, 40, 3):
                self._point(to + 1, row - up, "mousemove", str(to), str(row - up))
                lit = self.highlighted(eye)
                if row in lit and (row not in at_first or len(lit) == 1):
                    return True
            self.say("xdotool", "key", "Escape", "mouseup", "1")
            return False

        until(is_over, "the target is highlighted")
        self.say("xdotool", "mouseup", "1")

    def _point(self, x: int, y: int, *then: str) -> None:
        self.say("xdotool", "mousemove", str(x), str(y), *then)

    # --- the eye ----------------------------------------------------------------------------------------------------

    def highlighted(self, column: int) -> list[int]:
        """The middles of the highlighted rows that this column of pixels meets, from above."""
        raw = (self._runtime / "Xvfb_screen0").read_bytes()
        head = struct.unpack(">25I", raw[:100])
        start, line = head[0] + head[19] * 12, head[12]
        lit = [y for y in range(_HEIGHT) if _is_selection(*raw[(at := start + y * line + column * 4) : at + 3])]
        firsts = [y for y in lit if y - 1 not in lit]
        lasts = [y for y in lit if y + 1 not in lit]
        return [(first + last) // 2 for first, last in zip(firsts, lasts, strict=True)]


def _is_selection(blue: int, green: int, red: int) -> bool:
    """The theme's colour of what is selected, in any of its shades."""
    return blue > 180 and red < 90 and 90 < green < 170
