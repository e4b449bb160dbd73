"""The walk of the manual, done as it stands there: every file is saved, every command is run, every output is compared.

A comment above a block says what a reader does with it: `walk: save FILE`, `walk: paste FILE` (above the line that the
text names), `walk: run`, `walk: arrives FILE` (the mail comes in), `walk: draft` (what then lies in Drafts).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from imapclient import IMAPClient

from responder.config import default_pack_dir
from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from tests.conftest import FOLDERS, PASSWORD
from tests.journeys.shop import ADDRESS, BUYER, Shop, subject_of, text_of, until
from tests.servers.sink import Sink

ROOT = Path(__file__).parents[2]
KEN = "ken@mail.example"
PASTE_ABOVE = "# Named, but for a person."
_STEP = re.compile(r"<!-- walk: (.+?) -->\s*```[a-z]*\n(.*?)```", re.DOTALL)
_CHANGES = (
    (r"/\S+/(rules\.toml|orders\.csv)", r"\1"),
    (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"INBOX/\d+", "INBOX/N"),
    (r":\d+:", ":N:"),
    (r"rule\[\d+\]", "rule[N]"),
)

OLD = (
    (20, BUYER, "b1", "注文番号1017ですが、プレゼント用にラッピングをお願いできますか。"),
    (12, KEN, "b2", "Could you gift wrap my order 1023, please? It is for my sister."),
    (9, KEN, "b3", "Where is my order 1023?"),
    (6, BUYER, "b4", "注文番号1030をキャンセルしてください。"),
    (4, KEN, "b5", "Thank you so much, it arrived today and looks lovely."),
)
ANSWERS = (
    (
        19,
        BUYER,
        "b1",
        "田中様\r\n\r\nかしこまりました。無料でお包みします。カードをお付けする場合は文面をお知らせください。",
    ),
    (11, KEN, "b2", "Hello Ken,\r\n\r\nof course, we wrap it for free. Tell us if you would like a card with it."),
)


def raw(number: str, sender: str, to: str, text: str, days_ago: float, reply_to: str = "") -> bytes:
    thread = f"In-Reply-To: <{reply_to}@mail.example>\r\n" if reply_to else ""
    when = format_datetime(datetime.now(UTC) - timedelta(days=days_ago))
    return (
        f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: Mail\r\nDate: {when}\r\nMessage-ID: <{number}@mail.example>\r\n"
        f"{thread}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


@pytest.fixture
def shop(tmp_path: Path, sink: Sink) -> Iterator[Shop]:
    """A shop at work, with its own rules, a month of mail and what staff answered."""
    with EmbeddedServers((EmbeddedAccount("shop", PASSWORD, (ADDRESS,), FOLDERS),)) as server:
        made = Shop(server, sink, tmp_path)
        shutil.copy(default_pack_dir() / "rules.toml", made.folder / "rules.toml")
        shutil.copytree(default_pack_dir() / "templates", made.folder / "templates")
        long_ago = (datetime.now(UTC) - timedelta(days=1)).isoformat()
        made.order("1042")
        made.order("1017", status="shipped", shipped_at=long_ago)
        made.order("1023", status="shipped", shipped_at=long_ago, buyer_mail=KEN, buyer_name="Ken Sato", items="Mug")
        made.order("1030", status="paid")
        made.order("2001", status="paid", buyer_mail=KEN, buyer_name="Ken Sato", items="Mug")
        with IMAPClient(server.imap("shop").host, server.imap("shop").port, ssl=False) as client:
            client.login("shop", PASSWORD)
            for days, sender, number, text in OLD:
                when = datetime.now(UTC) - timedelta(days=days)
                client.append("INBOX", raw(number, sender, ADDRESS, text, days), ("\\Seen",), when)
            for days, to, number, text in ANSWERS:
                when = datetime.now(UTC) - timedelta(days=days)
                client.append("Sent", raw(f"s{number}", ADDRESS, to, text, days, number), ("\\Seen",), when)
        made.start()
        yield made
        made.stop()


class Walk:
    """A reader in the shop's folder."""

    def __init__(self, shop: Shop, locale: str) -> None:
        self.shop = shop
        self.env = {
            **os.environ,
            "LANG": locale,
            "LC_ALL": "",
            "NO_COLOR": "1",
            "PY": sys.executable,
            "PYTHONPATH": str(ROOT),
        }

    def step(self, what: str, block: str) -> None:
        """Do what the page says with one block."""
        verb, _, name = what.partition(" ")
        match verb:
            case "save":
                path = self.shop.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block, encoding="utf-8")
            case "paste":
                path = self.shop.folder / name
                text = path.read_text(encoding="utf-8")
                assert text.count(f"\n{PASTE_ABOVE}") == 1
                path.write_text(text.replace(f"\n{PASTE_ABOVE}", f"\n{block}\n{PASTE_ABOVE}"), encoding="utf-8")
            case "run":
                for command, output in commands(block):
                    compare(output, self.run(command), command)
            case "arrives":
                until(lambda: "gift-wrapping" in self.rules(), "the new rules are taken over", within_s=20)
                self.shop.server.deliver("shop", (self.shop.folder / name).read_bytes().replace(b"\n", b"\r\n"))
                compare(block, "\n".join(self.drafts()), what)
            case _:
                raise AssertionError(f"unknown step: {what}")

    def run(self, command: str) -> str:
        script = f'responder() {{ "$PY" -m responder "$@"; }}\n{command}'
        done = subprocess.run(
            ["bash", "-ec", script], cwd=self.shop.folder, env=self.env, timeout=120, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        told = done.stdout.decode()
        assert done.returncode == 0, f"{command}\n{told}"
        return told

    def rules(self) -> set[str]:
        assert self.shop.daemon is not None
        return {rule.id for rule in self.shop.daemon.settings.rulebook.rules}

    def drafts(self) -> list[str]:
        draft = self.shop.wait_for_draft()
        return [f"Subject: {subject_of(draft.raw)}", "", *text_of(draft.raw).splitlines()]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each `$ command` of a block with the output below it."""
    for part in ("\n" + block).split("\n$ ")[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def compare(page: str, told: str, what: str) -> None:
    """Every line of the page stands in what was told, in this order; `...` stands for lines left out."""
    lines = [alike(line) for line in told.splitlines()]
    at, may_skip = 0, False
    for line in map(alike, page.splitlines()):
        if line == "...":
            may_skip = True
            continue
        if not line:
            continue
        while at < len(lines) and (not lines[at] or (may_skip and lines[at] != line)):
            at += 1
        assert at < len(lines), f"{what}: not told: {line}\n{told}"
        assert lines[at] == line, f"{what}: {line}\n{told}"
        at, may_skip = at + 1, False
    rest = [line for line in lines[at:] if line]
    assert may_skip or not rest, f"{what}: the page leaves out: {rest}\n{told}"


def alike(line: str) -> str:
    """A line without what is another on every day."""
    for pattern, name in _CHANGES:
        line = re.sub(pattern, name, line)
    return " ".join(line.split())


@pytest.mark.parametrize(("page", "locale"), [("en", "en_US.UTF-8"), ("ja", "ja_JP.UTF-8")])
def test_the_walk_goes_as_the_page_says(shop: Shop, page: str, locale: str) -> None:
    text = (ROOT / "docs" / page / "walk-gift-wrapping.md").read_text(encoding="utf-8")
    steps = _STEP.findall(text)
    assert len(steps) == text.count("```") // 2 >= 8, "every block of the page is walked"
    before = shop.boxes()["INBOX"]
    walk = Walk(shop, locale)
    for what, block in steps:
        if what.startswith("arrives"):
            assert shop.boxes()["INBOX"] == before
            assert not shop.drafts()
        walk.step(what, block)
    told = re.search(r'^note = "(.+)"$', text, re.MULTILINE)
    assert told is not None
    until(lambda: any(told[1] in note for note in shop.all_notes()), "the rule's note lies in Responder")
    assert not [note for note in shop.notes() if "rules.toml" in note]
