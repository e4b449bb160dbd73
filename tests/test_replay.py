"""Replay: old mail judged beside what staff answered; nothing on the server or the disk is any other afterwards."""

from __future__ import annotations

import json
import mailbox
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from imapclient import IMAPClient

from responder.cli import cli
from responder.config import default_pack_dir
from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from responder.flows.old_mail import Answers, arrival
from responder.flows.replay import as_it_stood, similarity
from responder.model import Order
from tests.builders import make_order
from tests.conftest import FOLDERS, PASSWORD
from tests.journeys.shop import ADDRESS, BUYER, Shop
from tests.servers.sink import Sink

NOW = datetime.now(UTC).replace(microsecond=0)
KEN = "ken@mail.example"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def responder(*arguments: str, **env: str) -> Done:
    """The command in this process: a new one for each call takes its time."""
    done = CliRunner().invoke(cli, list(arguments), env={"LANG": "en_US.UTF-8", "LC_ALL": "", **env})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def mail(
    number: int, text: str, *, sender: str = BUYER, days_ago: float = 1, replies_to: str = "", to: str = ADDRESS
) -> bytes:
    thread = f"In-Reply-To: {replies_to}\r\nReferences: {replies_to}\r\n" if replies_to else ""
    name = "s" if sender == ADDRESS else "b"
    return (
        f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: mail {number}\r\nDate: {format_datetime(NOW - timedelta(days=days_ago))}\r\n"
        f"Message-ID: <{name}{number}@mail.example>\r\n{thread}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


CANCEL = mail(1, "注文番号1042をキャンセルしてください。", days_ago=3)
WHERE = mail(2, "Where is my order 2001?", sender=KEN, days_ago=2)
THANKS = mail(3, "Thank you so much, everything arrived well.", sender=KEN)
OLD = mail(4, "注文番号1042をキャンセルしてください。", days_ago=90)
REPLY = mail(
    1,
    "田中 花子 様\r\n\r\nご注文1042のキャンセルを承りました。\r\n\r\n2026年11月20日(金) 10:00 <hanako@mail.example>:\r\n> 注文番号1042を"
    "キャンセルしてください。",
    sender=ADDRESS,
    replies_to="<b1@mail.example>",
    to=BUYER,
)
ORDERS = {
    "1042": {"status": "paid"},
    "2001": {"status": "shipped", "buyer_mail": KEN, "shipped_at": (NOW - timedelta(days=1)).isoformat()},
}


def fill(shop: Shop) -> Shop:
    """Old mail in INBOX and Archive, some read, and an answer in Sent; as another client left it."""
    for number, changes in ORDERS.items():
        shop.order(number, **changes)
    shop.write_files()
    shop.order("1042")
    with IMAPClient(shop.server.imap(shop.user).host, shop.server.imap(shop.user).port, ssl=False) as client:
        client.login(shop.user, PASSWORD)
        client.create_folder("Archive")
        for box, raw, flags, days in (
            ("INBOX", OLD, (), 90),
            ("INBOX", CANCEL, ("\\Seen", "\\Answered"), 3),
            ("INBOX", WHERE, (), 2),
            ("Archive", THANKS, ("$label1",), 1),
            ("Archive", CANCEL, (), 3),
            ("Sent", REPLY, ("\\Seen",), 2.5),
        ):
            client.append(box, raw, flags, NOW - timedelta(days=days))
    return shop


@pytest.fixture(params=["embedded", "dovecot"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, sink: Sink) -> Iterator[Shop]:
    if request.param == "dovecot":
        make: Callable[..., Any] = request.getfixturevalue("make_dovecot")
        yield fill(Shop(make(), sink, tmp_path))
    else:
        with EmbeddedServers((EmbeddedAccount("shop", PASSWORD, (ADDRESS,), FOLDERS),)) as server:
            yield fill(Shop(server, sink, tmp_path))


def replayed(*arguments: str, code: int = 0) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    done = responder("replay", *arguments, "--json")
    assert done.returncode == code, done.stderr
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    assert entries[-1]["kind"] == "summary"
    return entries[:-1], entries[-1]


def on_disk(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def recent(shop: Shop) -> dict[str, int]:
    """What STATUS tells of \\Recent and of unread mail, which is what clients go by."""
    with IMAPClient(shop.server.imap(shop.user).host, shop.server.imap(shop.user).port, ssl=False) as client:
        client.login(shop.user, PASSWORD)
        found = {}
        for _, _, name in client.list_folders():
            told = client.folder_status(name, ["RECENT", "UNSEEN", "MESSAGES", "UIDNEXT", "UIDVALIDITY"])
            found |= {f"{name} {key.decode()}": value for key, value in told.items()}
        return found


def test_an_account_is_replayed_and_looks_the_same_afterwards(shop: Shop) -> None:
    boxes, told, files = shop.boxes(), recent(shop), on_disk(shop.folder)
    rows, summary = replayed("--config", str(shop.folder))
    assert [(row["message_id"], row["action"], row["situation"]) for row in rows] == [
        ("<b1@mail.example>", "draft", "cancel_before_ship"),
        ("<b2@mail.example>", "draft", "where_is_order"),
    ]
    cancel, where = rows
    assert cancel["answered"]
    assert cancel["answer"]["message_id"] == "<s1@mail.example>"
    assert cancel["answer"]["text"].endswith("キャンセルを承りました。")
    assert 0 < cancel["similarity"] < 1
    assert (where["answered"], where["answer"], where["similarity"]) == (False, None, None)
    assert where["rule"] == "where-not-shipped"  # it was shipped a day after the mail
    assert (summary["mails"], summary["draft"], summary["answered"], summary["drafts_answered"]) == (2, 2, 1, 1)
    assert "today" in summary["order_facts"]
    assert shop.boxes() == boxes
    assert recent(shop) == told
    assert on_disk(shop.folder) == files
    assert not shop.sink.mails


def test_mailboxes_since_and_limit_choose_the_mails(shop: Shop) -> None:
    config = ("--config", str(shop.folder))
    boxes = shop.boxes()
    both, _ = replayed(*config, "--folder", "INBOX", "--folder", "Archive", "--account", "main")
    # A mail that lies in two mailboxes is one mail.
    assert sorted(row["message_id"][1:3] for row in both) == ["b1", "b2", "b3"]
    assert [row["message_id"][1:3] for row in replayed(*config, "--since", "20w")[0]] == ["b4", "b1", "b2"]
    assert [row["message_id"][1:3] for row in replayed(*config, "--since", "60h")[0]] == ["b2"]
    assert [row["message_id"][1:3] for row in replayed(*config, "--limit", "1")[0]] == ["b2"]
    _, summary = replayed(*config, "--since", "5m", code=1)
    assert summary["mails"] == 0
    today, _ = replayed(*config, "--now", NOW.isoformat())
    assert today[1]["rule"] == "where-shipped"
    assert shop.boxes() == boxes


def test_what_cannot_be_done_says_so_with_the_usual_codes(shop: Shop) -> None:
    config = ("--config", str(shop.folder))
    missing = responder("replay", *config, "--folder", "Bestellungen")
    assert (missing.returncode, "Bestellungen" in missing.stderr) == (78, True)
    account = responder("replay", *config, "--account", "mian")
    assert (account.returncode, "main" in account.stderr) == (2, True)
    for wrong in (
        ["--since", "soon"],
        ["--rules", str(shop.folder / "nowhere")],
        ["--sent", "x"],
        ["x.eml", "--folder", "y"],
    ):
        assert responder("replay", *config, *wrong).returncode == 2
    nothing = responder("replay", *config, "--since", "1m")
    assert (nothing.returncode, "1m" in nothing.stderr) == (1, True)
    (shop.folder / "imap.secret").write_text("wrong\n")
    assert responder("replay", *config).returncode == 77
    assert responder("replay", "--config", str(shop.folder / "nowhere")).returncode == 78


def test_other_rules_are_held_against_the_active_ones(shop: Shop) -> None:
    trial = shop.folder / "trial"
    trial.mkdir()
    rules = (default_pack_dir() / "rules.toml").read_text(encoding="utf-8")
    before = 'reply = "where_is_order_unshipped"\n'
    assert before in rules
    (trial / "rules.toml").write_text(rules.replace(before, 'hold = "for_a_person"\n'), encoding="utf-8")
    shutil.copytree(default_pack_dir() / "templates", trial / "templates")
    template = trial / "templates" / "ja" / "cancel_before_ship.txt"
    template.write_text(
        template.read_text(encoding="utf-8") + "\nまたのご利用をお待ちしております。\n", encoding="utf-8"
    )
    arguments = ("--config", str(shop.folder), "--folder", "INBOX", "--folder", "Archive", "--rules", str(trial))
    rows, summary = replayed(*arguments)
    assert [(row["message_id"][1:3], row["change"]) for row in rows] == [("b1", "text"), ("b2", "action"), ("b3", None)]
    assert (rows[1]["active"]["action"], rows[1]["action"]) == ("draft", "hold")
    assert summary["changes"] == {"differ": 2, "same": 1}
    shown = responder("replay", *arguments)
    assert shown.returncode == 0, shown.stderr
    assert "3 would match a rule; 1 as with the rules now active, 2 differ" in shown.stdout
    assert rows[1]["file"] in shown.stdout
    (trial / "rules.toml").write_text('[[rule]]\nid = "a"\nwhen.askz = "cancel"\n', encoding="utf-8")
    broken = responder("replay", *arguments)
    assert (broken.returncode, "askz" in broken.stderr) == (78, True)


def test_the_page_for_people_counts_by_situation_and_rule(shop: Shop) -> None:
    page = responder("replay", "--config", str(shop.folder)).stdout
    assert "2 mail(s) looked at" in page
    for word in ("cancel-not-shipped", "where-not-shipped", "2 draft(s) would be written", "Order data are today's"):
        assert word in page
    japanese = responder("replay", "--config", str(shop.folder), LANG="ja_JP.UTF-8").stdout
    assert "2 件のメールを確認しました" in japanese


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The same mails as .eml files, as an mbox, and as a Maildir; without any configuration."""
    (tmp_path / "orders.csv").write_text(
        "order_id,status,buyer_name,buyer_mail,payment,total,ordered_at,items\n"
        f"1042,paid,田中 花子,{BUYER},credit_card,4980,2026-01-18T10:00:00+09:00,マグカップ\n",
        encoding="utf-8",
    )
    (tmp_path / "eml").mkdir()
    box = mailbox.mbox(str(tmp_path / "old.mbox"))
    for number, raw in enumerate((CANCEL, THANKS, OLD)):
        (tmp_path / "eml" / f"{number}.eml").write_bytes(raw)
        box.add(raw)
    box.close()
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent" / "1.eml").write_bytes(REPLY)
    for part in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    (tmp_path / "Maildir" / "cur" / "1.a.host:2,RS").write_bytes(CANCEL)
    (tmp_path / "Maildir" / "new" / "2.b.host").write_bytes(THANKS)
    return tmp_path


@pytest.mark.parametrize("source", ["eml", "old.mbox"])
def test_files_need_no_configuration(files: Path, source: str) -> None:
    before = on_disk(files)
    orders = ("--orders", str(files / "orders.csv"))
    rows, summary = replayed(str(files / source), "--sent", str(files / "sent"), *orders)
    assert [(row["message_id"][1:3], row["action"]) for row in rows] == [
        ("b1", "draft"),
        ("b3", "silence"),
        ("b4", "draft"),
    ]
    assert rows[0]["answer"]["message_id"] == "<s1@mail.example>"
    assert summary["answered"] == 1
    assert len(replayed(str(files / source), "--since", "30d", *orders)[0]) == 2
    assert len(replayed(str(files / source), "--limit", "1", *orders)[0]) == 1
    assert on_disk(files) == before


def test_a_maildir_tells_what_was_answered(files: Path) -> None:
    rows, _ = replayed(str(files / "Maildir"))
    assert [(row["message_id"][1:3], row["answered"]) for row in rows] == [("b1", True), ("b3", False)]


def test_no_mail_ends_the_run(tmp_path: Path) -> None:
    shuffled = random.Random(7)
    for number in range(20):
        (tmp_path / f"{number}.eml").write_bytes(shuffled.randbytes(3000))
    (tmp_path / "empty.eml").write_bytes(b"")
    (tmp_path / "odd.eml").write_bytes(
        b"Date: Fri, 99 Foo 99999 77:99:99 +9999\r\nReceived: ;;;\r\nMessage-ID: <\r\n\r\n\xff"
    )
    rows, summary = replayed(str(tmp_path), "--sent", str(tmp_path))
    assert summary["mails"] == len(rows) == 22
    assert summary["draft"] == 0
    assert responder("replay", str(tmp_path)).returncode == 0
    assert responder("replay", str(tmp_path / "nothing")).returncode == 2


def test_the_bar_of_a_terminal_leaves_standard_output_alone(files: Path) -> None:
    ours, theirs = os.openpty()
    shown: list[bytes] = []

    # A terminal is read while it is written to: what nobody reads stops the writer once its few kilobytes are full.
    def read() -> None:
        while not shown or b"\0" not in shown[-1]:
            shown.append(os.read(ours, 65536))

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "responder", "replay", str(files / "eml"), "--json"],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "LANG": "en_US.UTF-8", "LC_ALL": ""},
            timeout=120,
            check=True,
        )
        os.write(theirs, b"\0")
        reader.join(10)
    finally:
        os.close(theirs)
        os.close(ours)
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["mail"] * 3 + ["summary"]
    assert b"Looking at mails" in b"".join(shown)


# --- the parts ------------------------------------------------------------------------------------------------------


def test_a_direct_answer_goes_before_the_thread_and_an_earlier_one_before_a_later() -> None:
    answers: Answers[int] = Answers()
    answers.add({"in-reply-to": ("<b2@x.example>",), "references": ("<b1@x.example> <b2@x.example>",)}, 1)
    answers.add({"in-reply-to": ("<b1@x.example>",), "references": ("<b1@x.example>",)}, 2)
    answers.add({"in-reply-to": ("<b1@x.example>",)}, 3)
    assert [answers.of(f"<b{n}@x.example>") for n in (1, 2, 3)] == [2, 1, None]
    assert answers.of(None) is None


def test_a_mail_arrived_when_the_last_server_took_it() -> None:
    assert arrival({"received": ("from a by b; Fri, 20 Nov 2026 10:00:00 +0900",)}) == datetime(
        2026, 11, 20, 1, tzinfo=UTC
    )
    assert arrival({"received": ("by b",), "date": ("Fri, 20 Nov 2026 10:00:00 +0000",)}) == datetime(
        2026, 11, 20, 10, tzinfo=UTC
    )
    assert arrival({}) is None


def test_an_order_stands_as_its_own_dates_tell() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    later, before = moment + timedelta(days=1), moment - timedelta(days=1)

    def then(**changes: Any) -> Order:
        return as_it_stood(make_order(**changes), moment)

    assert then(status="shipped", shipped_at=later, tracking_no="1234").status == "preparing"
    assert then(status="delivered", shipped_at=later, tracking_no="1234").tracking_no == ""
    assert then(status="shipped", shipped_at=before).status == "shipped"
    assert then(status="paid", paid_at=later).status == "unpaid"
    assert then(status="cancelled", paid_at=later).status == "cancelled"
    assert then(status="paid", as_of=later).as_of == moment


def test_likeness_of_texts() -> None:
    assert similarity("ご注文を承りました。", "ご注文を承りました") == 1
    assert similarity("Thank you for your order.", "完全に別の話です") == 0
    assert similarity("", "") == 1
    assert 0.3 < similarity("ご注文のキャンセルを承りました。", "キャンセルの件、承りました。") < 0.9


@pytest.mark.parametrize("text", ["ab" * 5000, "a b " * 5000, "ああい" * 5000, os.urandom(4000).hex()])
def test_comparing_takes_little_time_whatever_the_text(text: str) -> None:
    start = time.monotonic()
    similarity(text, text[::-1])
    similarity(text, text[1:] + "x")
    assert time.monotonic() - start < 2
