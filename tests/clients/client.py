"""A mail client of the staff, played from its habits: every act is the list of what it says to the servers."""

from __future__ import annotations

import re
import smtplib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate, getaddresses
from pathlib import Path
from typing import Any

from imapclient.imap_utf7 import encode as encode_utf7

from tests.clients.wire import Line
from tests.clients.writing import Form
from tests.journeys.shop import header_of, text_of

HABITS = Path(__file__).with_name("habits")
MAILBOXES = {"Drafts": "下書き", "Sent": "Sent", "Trash": "ゴミ箱", "Approved": "承認"}


@dataclass(frozen=True, slots=True)
class Habits:
    """What one client does. `forms` are its ways of writing, `acts` what it says on the wire for each act.

    A line of an act is an IMAP command, or
        SMTP {mail}      hand the mail over; `SMTP? {mail}` where it is refused
        HOLD {new}       the window goes on with the mail just stored
        LEAVE {held}     mark it in the client only, the server hears of it when the folder is synced: `{left}`
    with {held} the UID in the window, {new} the UID the server has just named, and the name of a form for what it writes.
    """

    name: str
    tried: bool
    forms: Mapping[str, Form]
    acts: Mapping[str, tuple[str, ...]]


def habits(name: str) -> Habits:
    """The habits in `habits/<name>.toml`."""
    data: dict[str, Any] = tomllib.loads((HABITS / f"{name}.toml").read_text(encoding="utf-8"))
    forms = {
        form: Form(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})
        for form, entry in data["forms"].items()
    }
    acts = {act: tuple(lines) for act, lines in data["acts"].items()}
    return Habits(data["client"], data["tried"], forms, acts)


def everyone(*acts: str, tried_only: bool = False) -> list[str]:
    """The names of all clients that do these acts."""
    found = {path.stem: habits(path.stem) for path in sorted(HABITS.glob("*.toml"))}
    return [name for name, one in found.items() if set(acts) <= set(one.acts) and (one.tried or not tried_only)]


@dataclass
class Client:
    """A client at work in the shop's mailbox. `pause` is called after every line it has said: the daemon may act there.

    `held` is the UID of the draft in its window and `raw` what the window was opened with; `text` is what stands in it.
    """

    habits: Habits
    line: Line
    submit: Callable[[str, tuple[str, ...], bytes], None]
    pause: Callable[[], None] = lambda: None
    held: int = 0
    raw: bytes = b""
    text: str = ""
    left: list[int] = field(default_factory=list)
    boxes: dict[str, str] = field(default_factory=lambda: dict(MAILBOXES))
    """What the mailboxes of an act are called on this server."""
    written: list[bytes] = field(default_factory=list)

    def load(self, uid: int, raw: bytes) -> None:
        """A draft is shown in the window."""
        self.line.say(f"SELECT {self._spelled('Drafts')}")
        self.held, self.raw, self.text, self.left = uid, raw, text_of(raw).replace("\r\n", "\n"), []

    def drop(self, uid: int, folder: str, source: str = "INBOX") -> None:
        """Drag a mail from one folder into another: the same words as for a draft into Approved."""
        self.line.say(f"SELECT {self._spelled(source)}")
        self.held, self.left = uid, []
        self.boxes["Approved"] = folder
        self.do("move")
        self.boxes["Approved"] = MAILBOXES["Approved"]

    def do(self, act: str) -> None:
        """Say everything that belongs to this act, one line after the other."""
        for line in self.habits.acts[act]:
            self._say(line)
            self.pause()

    def _say(self, line: str) -> None:
        if "{left}" in line and not self.left:
            return
        verb = line.partition(" ")[0]
        form = next((name for name in self.habits.forms if f"{{{name}}}" in line), None)
        literal = self.write(form) if form is not None else None
        match verb:
            case "SMTP" | "SMTP?":
                assert literal is not None
                self._hand_over(literal, refused=verb.endswith("?"))
            case "HOLD":
                self.held = self.line.told
                self.raw = self.written[-1] if self.written else self.raw
            case "LEAVE":
                self.left.append(self.held)
            case _:
                command = line.replace(f" {{{form}}}", "")
                values = {"held": self.held, "new": self.line.told, "left": ",".join(str(uid) for uid in self.left)}
                command = re.sub(r"\{(\w+)\}", lambda found: str(values[found[1]]), command)
                for name in MAILBOXES:
                    command = re.sub(rf"\b{name}\b", self._spelled(name), command)
                self.line.say(command, literal)

    def write(self, form: str) -> bytes:
        """What it writes of what stands in its window."""
        written = self.habits.forms[form].write(self.raw, self.text, date=formatdate(localtime=True))
        self.written.append(written)
        return written

    def _spelled(self, mailbox: str) -> str:
        return spelled(self.boxes.get(mailbox, mailbox))

    def _hand_over(self, mail: bytes, *, refused: bool) -> None:
        found = getaddresses([header_of(self.raw, name) for name in ("To", "Cc", "Bcc")])
        sender = getaddresses([header_of(self.raw, "From")])[0][1]
        try:
            self.submit(sender, tuple(address for _, address in found if address), mail)
        except smtplib.SMTPException:
            assert refused
        else:
            assert not refused


def spelled(mailbox: str) -> str:
    """The name as it stands on the wire, quoted."""
    return '"' + encode_utf7(mailbox).decode("ascii") + '"'
