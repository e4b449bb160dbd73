"""A user's mail as it lies on Dovecot's disk: read without a login and without the server noticing."""

from __future__ import annotations

import contextlib
import email
import itertools
import os
import pwd
import secrets
import time
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from pathlib import Path

from imapclient.imap_utf7 import encode as encode_utf7

_RENEWED = itertools.count(1000, 1000)
_FLAGS = {"R": "\\Answered", "S": "\\Seen", "D": "\\Draft", "F": "\\Flagged", "T": "\\Deleted"}


@dataclass(frozen=True, slots=True)
class Lying:
    """One mail in a mailbox. `key` is its file's name without flags: it stays while the mail does."""

    key: str
    flags: frozenset[str]
    letter: Letter

    @property
    def raw(self) -> bytes:
        return self.letter.raw

    @property
    def message_id(self) -> str:
        return self.letter.message_id

    @property
    def in_reply_to(self) -> str:
        return self.letter.in_reply_to


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's bytes and who it is."""

    raw: bytes
    message_id: str
    in_reply_to: str
    subject: str

    @classmethod
    def of(cls, raw: bytes) -> Letter:
        head = email.message_from_bytes(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        values = (" ".join(str(head[name] or "").split()) for name in ("Message-ID", "In-Reply-To", "Subject"))
        message_id, in_reply_to, subject = values
        return cls(raw, message_id, in_reply_to, str(make_header(decode_header(subject))))


@dataclass
class Maildir:
    """The mailboxes of one user below `root` (LAYOUT=fs)."""

    root: Path
    owner: tuple[int, int] | None = None
    _read: dict[Path, Letter] = field(default_factory=dict)

    def folder(self, mailbox: str) -> Path:
        return self.root if mailbox == "INBOX" else self.root / encode_utf7(mailbox).decode("ascii")

    def make_inbox(self) -> None:
        for path in (self.root, *(self.root / name for name in ("cur", "new", "tmp"))):
            path.mkdir(exist_ok=True)
            self._own(path)

    def box(self, mailbox: str) -> list[Lying]:
        """What lies in a mailbox and is not marked as deleted, oldest first."""
        return [mail for mail in self.all_in(mailbox) if "\\Deleted" not in mail.flags]

    def all_in(self, mailbox: str) -> list[Lying]:
        found: dict[str, Lying] = {}
        for name in ("new", "cur"):
            place = self.folder(mailbox) / name
            with contextlib.suppress(FileNotFoundError):
                for entry in os.listdir(place):
                    key, _, flags = entry.partition(":2,")
                    letter = self._letter(place / entry, key)
                    if letter is not None:
                        found[key] = Lying(key, frozenset(_FLAGS[f] for f in flags if f in _FLAGS), letter)
        return [found[key] for key in sorted(found)]

    def _letter(self, path: Path, key: str) -> Letter | None:
        where = path.parent.parent / key
        if where not in self._read:
            for _ in range(3):
                with contextlib.suppress(FileNotFoundError):
                    self._read[where] = Letter.of(path.read_bytes())
                    return self._read[where]
                # Renamed meanwhile: its flags changed, or it went from new to cur, or it is gone.
                path = next(iter(path.parent.parent.glob(f"*/{key}:2,*")), path)
            return None
        return self._read[where]

    def put(self, mailbox: str, raw: bytes, *, flags: str = "") -> None:
        """Deliver a mail as a server does by itself: whole, and at once."""
        folder = self.folder(mailbox)
        for path in (folder, *(folder / name for name in ("cur", "new", "tmp"))):
            if not path.exists():
                path.mkdir()
                self._own(path)
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        name = f"{int(time.time())}.M{time.time_ns() % 10**9:09d}P{os.getpid()}R{secrets.token_hex(4)}.here,S={len(raw)},W={len(raw)}"
        temporary = folder / "tmp" / name
        temporary.write_bytes(raw)
        self._own(temporary)
        temporary.rename(folder / "cur" / f"{name}:2,{flags}" if flags else folder / "new" / name)

    def renew_uidvalidity(self, mailbox: str) -> None:
        """Void all uids of a mailbox, as a restored backup does. Nobody may have it open."""
        folder = self.folder(mailbox)
        if not folder.is_dir():
            return
        for name in ("dovecot.index", "dovecot.index.log", "dovecot.index.cache"):
            (folder / name).unlink(missing_ok=True)
        (folder / "dovecot-uidlist").write_text(f"3 V{int(time.time()) + next(_RENEWED)} N1\n", encoding="ascii")
        self._own(folder / "dovecot-uidlist")

    def subscribed(self) -> set[str]:
        """The names in the subscription file, as the server spells them."""
        try:
            lines = (self.root / "subscriptions").read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return set()
        return {line.replace("\t", "/") for line in lines if line and not line.startswith("V\t")}

    def _own(self, path: Path) -> None:
        if self.owner is not None:
            os.chown(path, *self.owner)


def dovecot_owner() -> tuple[int, int] | None:
    """Whom the files must belong to where Dovecot runs as root."""
    if os.getuid() != 0:
        return None
    user = pwd.getpwnam("dovecot")
    return user.pw_uid, user.pw_gid
