"""The real Claws Mail on a screen, with a mouse: a mail dragged into a command folder, a draft edited and dragged to
Approved, another one thrown away. What it says to the server is what its habits say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.client import MAILBOXES, habits, spelled
from tests.clients.screen import Screen, missing
from tests.clients.story import ASKS, ORDER
from tests.conftest import must_have
from tests.journeys.by_hand import settings_of
from tests.journeys.shop import ADDRESS, BUYER, Shop, header_of, subject_of, text_of, until
from tests.journeys.test_command_folders import SOLD_OUT, notification
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.sink import Sink
from tests.servers.tap import Tap

FOLDERS, EDGE, LIST = 90, 6, 850
"""Columns of pixels: among the folders, at their edge where no letter stands, and in the list of mails."""
TYPED = "Sato looks after this."


class Claws:
    """Claws Mail before a member of the staff."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.opened = ""
        self.screen.run(["claws-mail"])
        self.screen.wait_for("Claws Mail")
        self.select("INBOX")
        self.screen.wait_for("Input password")
        self.screen.type(PASSWORD)
        self.screen.press("Return")
        until(lambda: "Input password" not in self.screen.windows(), "the password is taken")

    def select(self, folder: str) -> int:
        """Open this folder; where it stands among the folders comes back."""
        before = self.screen.highlighted(EDGE) if self.opened != folder else []
        self.screen.say("claws-mail", "--select", f"#imap/shop/{folder}")
        (row,) = until(lambda: (at := self.screen.highlighted(EDGE)) != before and at, f"{folder} is selected")
        self.opened = folder
        return row

    def find(self, folder: str) -> int:
        """Where the only mail of the folder stands in the list of mails."""

        def shown() -> list[int]:
            self.select("Sent")  # empty; opening a folder anew shows what has come
            self.select(folder)
            return self.screen.highlighted(LIST)

        (row,) = until(shown, f"a mail is shown in {folder}")
        return row

    def saved(self) -> bool:
        """Whether nothing is left to be saved; else it is told to save: keys are lost on it while it is busy."""
        if not any("Edited" in title for title in self.screen.windows()):
            return True
        self.screen.press("ctrl+s")
        return False

    def drag(self, folder: str, to: str) -> None:
        """The only mail of the folder, with the mouse."""
        row = self.select(to)
        self.screen.drag(LIST, self.find(folder), to=FOLDERS, row=row, eye=EDGE)


@pytest.fixture
def shop(mail_server: tuple[Dovecot, Iterator[str]], sink: Sink, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose daemon is at work; Claws Mail can be run beside it."""
    if "ON_SCREEN" not in os.environ:
        pytest.skip("a screen and a mouse need a machine with nothing else to do: make bench-clients")
    must_have("the real Claws Mail", missing())
    running, users = mail_server
    shop = Shop(running, sink, tmp_path, user=next(users))
    shop.order(ORDER)
    shop.order("1043")
    shop.write_files()
    shop.start(settings_of(shop))
    yield shop
    shop.stop()


@pytest.fixture
def wire(shop: Shop) -> Iterator[Tap]:
    """The line between Claws Mail and the server."""
    with Tap(shop.server.imap(shop.user).port) as tap:
        yield tap


@pytest.fixture
def claws(shop: Shop, wire: Tap, tmp_path: Path) -> Iterator[Claws]:
    shop.buyer_writes("", sender=ADDRESS, raw=notification("1043"))
    home = tmp_path / "home"
    home.mkdir()
    write_profile(shop, wire.port, home)
    screen = Screen(home)
    try:
        yield Claws(screen)
    finally:
        screen.close()


def test_a_day_before_claws_mail(shop: Shop, claws: Claws, wire: Tap) -> None:
    # An order notification is dragged into a command folder: the draft comes, the mail is back.
    claws.drag("INBOX", SOLD_OUT)
    notice = shop.wait_for_draft()
    assert "1043" in text_of(notice.raw)
    until(lambda: not shop.lies_in(SOLD_OUT), "the command folder is empty")
    assert ["新しい注文" in subject_of(one.raw) for one in shop.lies_in("INBOX")] == [True]
    # That draft is thrown away.
    claws.find("下書き")
    claws.screen.press("ctrl+d")
    until(lambda: "discarded" in shop.kinds(), "the refusal is noticed")
    # A draft is edited, saved and dragged to Approved.
    asked = shop.buyer_writes(ASKS)
    shop.wait_for_draft()
    claws.screen.double_click(LIST, claws.find("下書き"))
    claws.screen.wait_for("Compose message")
    claws.screen.press("ctrl+Home")
    claws.screen.type(TYPED)
    claws.screen.press("Return")
    claws.screen.wait_for("Edited")
    until(claws.saved, "the window says that it is saved")
    until(lambda: [one for one in shop.drafts() if TYPED in text_of(one.raw)], "the edit is stored")
    claws.screen.press("ctrl+w")
    until(lambda: not any("Compose" in title for title in claws.screen.windows()), "the window is closed")
    claws.screen.wait_for("Claws Mail")
    claws.drag("下書き", "承認")
    mail = shop.wait_for_mail()
    shop.wait_until_filed()
    until(lambda: shop.answered(asked), "the original is marked")
    (accepted,) = shop.sink.mails
    assert accepted.recipients == (BUYER,)
    assert TYPED in text_of(mail)
    assert header_of(mail, "In-Reply-To") == asked
    assert b"X-Claws" not in mail
    assert shop.drafts() == []
    rest = after("move", wire.said, Approved=SOLD_OUT)
    for act in ("delete", "read", "save", "move"):
        rest = after(act, rest)


def after(act: str, said: bytes, **instead: str) -> bytes:
    """What was said after this act of the habits. It must have been done; other commands may stand between its own."""
    for line in habits("claws").acts[act]:
        command, *words = line.partition(" {")[0].split() if line.startswith("APPEND") else line.split()
        if command == "HOLD":
            continue
        names = [re.escape(spelled({**MAILBOXES, **instead}[word]) if word in MAILBOXES else word) for word in words]
        pattern = " ".join([command, *(name.replace('"', '"?') for name in names)])
        pattern = re.sub(r"\\\{\w+\\\}", r"\\d+", pattern).replace("FLAGS", r"FLAGS(?:\.SILENT)?")
        found = re.search(pattern.encode(), said)
        assert found, f"{act}: {line} was not said after what came before it"
        said = said[found.end() :]
    return said


def write_profile(shop: Shop, imap_port: int, home: Path) -> None:
    """Account and folders, so that no wizard comes."""
    smtp = shop.sink.server()
    folder = home / ".claws-mail"
    folder.mkdir()
    (home / "Mail").mkdir()
    (folder / "clawsrc").write_text(
        "[Common]\nconfig_version=3\nmainwin_x=0\nmainwin_y=0\nmainwin_width=990\nmainwin_height=660\n"
        "folderview_width=260\nenable_aspell=0\nautosave=0\nsession_passwords=1\n",
        encoding="utf-8",
    )
    (folder / "accountrc").write_text(
        f"""\
[Account: 1]
account_name=shop
is_default=1
name=Shop
address={ADDRESS}
protocol=1
receive_server=127.0.0.1
set_imapport=1
imap_port={imap_port}
user_id={shop.user}
ssl_imap=0
smtp_server={smtp.host}
set_smtpport=1
smtp_port={smtp.port}
ssl_smtp=0
imap_use_trash=1
set_sent_folder=1
sent_folder=#imap/shop/Sent
set_draft_folder=1
draft_folder=#imap/shop/下書き
set_trash_folder=1
trash_folder=#imap/shop/ゴミ箱
""",
        encoding="utf-8",
    )
    (folder / "folderlist.xml").write_text(
        """\
<?xml version="1.0" encoding="UTF-8"?>
<folderlist>
 <folder type="imap" collapsed="0" name="shop" account_id="1" sort="0">
  <folderitem type="inbox" name="INBOX" path="INBOX" />
  <folderitem type="outbox" name="Sent" path="Sent" />
  <folderitem type="draft" name="下書き" path="下書き" />
  <folderitem type="trash" name="ゴミ箱" path="ゴミ箱" />
  <folderitem type="normal" name="Responder" path="Responder">
   <folderitem type="normal" name="在庫切れ" path="Responder/在庫切れ" />
  </folderitem>
  <folderitem type="normal" name="承認" path="承認" />
 </folder>
 <folder type="mh" collapsed="1" name="Mailbox" path="Mail" sort="0" />
</folderlist>
""",
        encoding="utf-8",
    )
