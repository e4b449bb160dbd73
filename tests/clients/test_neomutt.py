"""The real NeoMutt in a terminal, as a member of the staff uses it, with the daemon at work beside it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.story import ASKS, ORDER, TYPED
from tests.clients.terminal import Terminal
from tests.conftest import must_have
from tests.journeys.by_hand import settings_of
from tests.journeys.shop import ADDRESS, BUYER, Shop, header_of, text_of, until
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.sink import Sink

# What the editor does: a paragraph on top, once.
EDITOR = f"""\
import sys
from pathlib import Path
letter = Path(sys.argv[-1])
text = letter.read_text(encoding="utf-8")
if {TYPED!r} not in text:
    letter.write_text({TYPED!r} + "\\n\\n" + text, encoding="utf-8")
"""


@dataclass
class Seat:
    """A member of the staff before a terminal."""

    shop: Shop
    folder: Path
    asked: str
    terminal: Terminal | None = None

    def open_drafts(self) -> Terminal:
        """Start NeoMutt in Drafts and wait until it shows the draft."""
        env = {"HOME": str(self.folder), "TERM": "xterm", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        env |= {"PATH": os.environ["PATH"], "TMPDIR": str(self.folder)}
        command = ["neomutt", "-n", "-F", str(self.folder / "neomuttrc"), "-f", "=下書き"]
        self.terminal = Terminal(command, env=env, cwd=self.folder)
        self.terminal.wait_for("Msgs:1")
        return self.terminal

    def edit(self) -> None:
        """Recall the draft; the editor writes its paragraph and the compose screen comes."""
        assert self.terminal is not None
        self.terminal.press("R")
        self.terminal.wait_for("Security:")

    def quit(self) -> None:
        """Leave the program; what was marked is removed."""
        assert self.terminal is not None
        self.terminal.press("q")
        self.terminal.wait_until_ended()


@pytest.fixture
def seat(mail_server: tuple[Dovecot, Iterator[str]], sink: Sink, tmp_path: Path) -> Iterator[Seat]:
    """A draft in Drafts, the daemon at work, and a configured NeoMutt."""
    missing = None if shutil.which("neomutt") else "no neomutt on this machine: run scripts/neomutt-install"
    must_have("the real NeoMutt", missing)
    running, users = mail_server
    shop = Shop(running, sink, tmp_path, user=next(users))
    shop.order(ORDER)
    shop.write_files()
    shop.start(settings_of(shop))
    asked = shop.buyer_writes(ASKS)
    shop.wait_for_draft()
    one = Seat(shop, tmp_path, asked)
    (tmp_path / "editor.py").write_text(EDITOR, encoding="utf-8")
    (tmp_path / "neomuttrc").write_text(configuration(shop, tmp_path), encoding="utf-8")
    yield one
    if one.terminal is not None:
        one.terminal.close()
    shop.stop()


def configuration(shop: Shop, folder: Path) -> str:
    """A neomuttrc as staff would have it."""
    imap, smtp = shop.server.imap(shop.user), shop.sink.server()
    password = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    return f"""
set folder = "imap://{shop.user}@{imap.host}:{imap.port}/"
set imap_user = "{shop.user}"
set imap_pass = "{password}"
set smtp_url = "smtp://{smtp.username}@{smtp.host}:{smtp.port}/"
set smtp_pass = "{shop.sink.password}"
set smtp_authenticators = "login:plain"
set ssl_starttls = no
set ssl_force_tls = no
set spoolfile = "=INBOX"
set postponed = "=下書き"
set record = "=Sent"
set trash = "=ゴミ箱"
set from = "{ADDRESS}"
set realname = "みなと雑貨店"
set use_envelope_from = yes
set hostname = "minato-zakka.example"
set editor = "{sys.executable} {folder}/editor.py"
set tmpdir = "{folder}"
set charset = "utf-8"
set send_charset = "us-ascii:utf-8"
set confirmappend = no
set delete = yes
set move = no
set recall = yes
set postpone = ask-yes
set wait_key = no
set sleep_time = 0
set mail_check = 1
set timeout = 1
set fast_reply = yes
set crypt_use_gpgme = no
set help = yes
mailboxes "=INBOX" "=下書き" "=承認"
"""


def test_recalled_edited_and_saved_to_approved(seat: Seat) -> None:
    shop, terminal = seat.shop, seat.open_drafts()
    seat.edit()
    terminal.press("P")
    until(lambda: any(TYPED in text_of(d.raw) for d in shop.drafts()), "the edited draft is stored")
    terminal.press("$")
    until(lambda: len(shop.drafts()) == 1, "the old one is removed")
    assert shop.sink.mails == []
    terminal.press("s=承認\r")
    until(lambda: shop.lies_in("承認") or shop.sink.mails, "it lies in Approved")
    terminal.press("$")
    mail = shop.wait_for_mail()
    shop.wait_until_filed()
    until(lambda: shop.answered(seat.asked), "the original is marked")
    seat.quit()
    until(lambda: not shop.drafts(), "nothing is left in Drafts")
    (accepted,) = shop.sink.mails
    assert accepted.recipients == (BUYER,)
    assert TYPED in text_of(mail)
    assert header_of(mail, "In-Reply-To") == seat.asked
    for private in (b"X-Responder", b"X-Mutt", b"User-Agent", b"Fcc", b"Bcc"):
        assert private not in mail
    (copy,) = shop.lies_in("Sent")
    assert header_of(copy.raw, "Message-ID") == header_of(mail, "Message-ID")
    assert shop.notes() == []


def test_sent_from_neomutt_itself(seat: Seat) -> None:
    shop, terminal = seat.shop, seat.open_drafts()
    seat.edit()
    terminal.press("y")
    mail = shop.wait_for_mail()
    assert TYPED in text_of(mail)
    until(lambda: shop.answered(seat.asked), "the original is marked")
    seat.quit()
    until(lambda: not shop.drafts(), "the draft is gone")
    assert len(shop.sink.mails) == 1
    assert len(shop.lies_in("Sent")) == 1
    assert "sent_by_staff" in shop.kinds()


def test_deleted_in_neomutt(seat: Seat) -> None:
    shop, terminal = seat.shop, seat.open_drafts()
    terminal.press("d$")
    until(lambda: shop.lies_in("ゴミ箱"), "it lies in Trash")
    until(lambda: "discarded" in shop.kinds(), "the refusal is noticed")
    seat.quit()
    assert shop.drafts() == []
    assert shop.sink.mails == []
    assert not shop.answered(seat.asked)
