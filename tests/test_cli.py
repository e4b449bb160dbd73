"""The command line as a shop uses it: exit codes, every mistake at once, and no traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from tests.conftest import FOLDERS, PASSWORD
from tests.journeys.shop import ADDRESS, Shop, command, until
from tests.servers.sink import Sink


def responder(*arguments: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in English."""
    with TemporaryDirectory() as folder:
        given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
        given.write_bytes(stdin)
        english = {"LANG": "en_US.UTF-8", "LC_ALL": "", "NO_COLOR": "1", **env}
        code = command(*arguments, stdin=given, stdout=out, stderr=err, env=english).wait(120)
        told, complained = out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
    assert "Traceback" not in complained, complained
    return subprocess.CompletedProcess(arguments, code, told, complained)


def test_it_is_a_program() -> None:
    """What the other tests fork from a process that has begun already, begun by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "responder", "status", "--config", "/nowhere"], capture_output=True, check=False
    )
    assert done.returncode == 78
    assert b"/nowhere" in done.stderr


@pytest.fixture
def shop(tmp_path: Path, sink: Sink) -> Shop:
    accounts = (EmbeddedAccount("shop", PASSWORD, (ADDRESS,), FOLDERS),)
    server = EmbeddedServers(accounts)
    server.start()
    made = Shop(server, sink, tmp_path)
    made.order("1042")
    made.write_files()
    return made


def edit(shop: Shop, before: str, after: str) -> None:
    path = shop.folder / "responder.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


MAIL = (
    "From: =?utf-8?B?55Sw5Lit?= <hanako@mail.example>\r\nTo: shop@minato-zakka.example\r\nSubject: cancel\r\n"
    "Message-ID: <b1@mail.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n注文番号1042をキャンセルしてください。\r\n"
).encode()


def test_check_says_that_all_is_well(shop: Shop) -> None:
    done = responder("check", "--config", str(shop.folder))
    assert done.returncode == 0, done.stderr
    assert "下書き" in done.stdout
    assert "1 account" in done.stdout
    assert re.search(r"orders\.csv: CSV, \d+ orders", done.stdout)


@pytest.mark.parametrize("command", ["check", "run", "status"])
def test_every_mistake_is_told_at_once_with_file_line_key_and_the_right_word(shop: Shop, command: str) -> None:
    edit(shop, "quiet_s", "quiet_sec")
    edit(shop, 'language = "ja"', 'language = "jp"')
    edit(
        shop,
        'tls = "none", username = "shop", password_file = "smtp.secret"',
        'tls = "ssl", username = "shop", password_file = "smtp.secret"',
    )
    done = responder(command, "--config", str(shop.folder))
    assert done.returncode == 78
    for word in ("responder.toml", "quiet_sec", "quiet_s", "language", "jp", "tls", "ssl"):
        assert word in done.stderr
    lines = [line for line in done.stderr.splitlines() if "responder.toml:" in line]
    assert len(lines) >= 3


def test_a_rule_with_a_mistake_is_named_with_its_line_and_the_nearest_word(shop: Shop) -> None:
    (shop.folder / "rules.toml").write_text(
        '[[rule]]\nid = "a"\nsituation = "cancel_before_ship"\nwhen = { askz = "cancel" }\nreply = "cancel_before_shp"\n'
    )
    done = responder("check", "--offline", "--config", str(shop.folder))
    assert done.returncode == 78
    assert "rules.toml:4" in done.stderr
    assert "asks" in done.stderr
    assert "cancel_before_ship" in done.stderr


def test_a_broken_template_is_named_with_its_line(shop: Shop) -> None:
    folder = shop.folder / "templates" / "ja"
    folder.mkdir(parents=True)
    (folder / "cancel_before_ship.txt").write_text("Subject: x\n\n{{ order.id }}\n{% if %}\n", encoding="utf-8")
    done = responder("check", "--offline", "--config", str(shop.folder))
    assert done.returncode == 78
    assert "cancel_before_ship.txt:4" in done.stderr


def test_no_configuration_says_where_it_was_looked_for(tmp_path: Path) -> None:
    done = responder("run", "--config", str(tmp_path))
    assert done.returncode == 78
    assert str(tmp_path) in done.stderr


def test_a_missing_secret_is_told_before_anything_starts(shop: Shop) -> None:
    (shop.folder / "imap.secret").unlink()
    done = responder("run", "--config", str(shop.folder))
    assert done.returncode == 78
    assert "imap.secret" in done.stderr


def test_a_secret_others_may_read_is_refused(shop: Shop) -> None:
    (shop.folder / "imap.secret").chmod(0o644)
    done = responder("check", "--config", str(shop.folder))
    assert done.returncode == 78
    assert "imap.secret" in done.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_refused_login_ends_with_77_and_says_where(shop: Shop, command: str) -> None:
    (shop.folder / "imap.secret").write_text("wrong\n")
    done = responder(command, "--config", str(shop.folder))
    assert done.returncode == 77
    assert "127.0.0.1" in done.stderr
    assert "wrong" not in done.stderr


def test_a_refused_login_for_sending_ends_with_77_and_names_the_channel(shop: Shop) -> None:
    shop.add_relay("rakuten", shop.sink, password="renewed-since")
    shop.write_files()
    done = responder("check", "--config", str(shop.folder))
    assert done.returncode == 77
    assert "main (rakuten)" in done.stderr
    assert "renewed-since" not in done.stderr + done.stdout
    assert shop.sink.logged_in == 1


@pytest.mark.parametrize("command", ["check", "run"])
def test_an_unknown_folder_ends_with_78_and_names_it(shop: Shop, command: str) -> None:
    edit(shop, 'watch = ["INBOX"]', 'watch = ["Bestellungen"]')
    done = responder(command, "--config", str(shop.folder))
    assert done.returncode == 78
    assert "Bestellungen" in done.stderr


def test_a_certificate_that_does_not_verify_ends_with_78(
    make_dovecot: Callable[..., object], certificate: object, tmp_path: Path, sink: Sink
) -> None:
    server = make_dovecot(certificate=certificate)
    made = Shop(server, sink, tmp_path)
    made.write_files()
    edit(made, f'port = {server.imap_port}, tls = "none"', f'port = {server.imaps_port}, tls = "implicit"')
    for verb in ("check", "run"):
        done = responder(verb, "--config", str(tmp_path))
        assert done.returncode == 78
        assert "certificate" in done.stderr.lower()


def test_unreadable_orders_are_told_and_do_not_stop_check_from_the_rest(shop: Shop) -> None:
    (shop.folder / "orders.csv").write_bytes(b"\x00\x01\x02 not a table")
    done = responder("check", "--config", str(shop.folder))
    assert done.returncode == 78
    assert "orders.csv" in done.stderr


def test_explain_needs_no_configuration(tmp_path: Path) -> None:
    mail, orders = tmp_path / "a.eml", tmp_path / "orders.csv"
    mail.write_bytes(MAIL)
    orders.write_text(
        "order_id,channel,status,buyer_name,buyer_mail,payment,total,currency,ordered_at,ship_by,shipped_at,carrier,"
        "tracking_no,eta,items\n1042,own,paid,田中 花子,hanako@mail.example,credit_card,4980,JPY,"
        "2026-11-18T10:00:00+09:00,,,,,,マグカップ\n",
        encoding="utf-8",
    )
    done = responder("explain", str(mail), "--orders", str(orders), "--now", "2026-11-20T12:00:00+09:00", "--json")
    assert done.returncode == 0, done.stderr
    (entry,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert list(entry) == [
        "file", "message_id", "action", "situation", "rule", "language", "channel", "order_id", "reasons", "draft", "note",
    ]  # fmt: skip
    assert (entry["action"], entry["situation"], entry["order_id"]) == ("draft", "cancel_before_ship", "1042")
    assert entry["message_id"] == "<b1@mail.example>"
    assert set(entry["draft"]) == {"from", "to", "subject", "text", "blanks"}
    assert entry["draft"]["to"] == "hanako@mail.example"
    assert entry["reasons"]


def test_explain_takes_files_folders_mboxes_and_standard_input_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    folder.mkdir()
    for name in ("b", "a"):
        (folder / f"{name}.eml").write_bytes(MAIL.replace(b"b1@", f"{name}@".encode()))
    mbox = tmp_path / "old.mbox"
    mbox.write_bytes(b"From x\n" + MAIL.replace(b"b1@", b"m1@") + b"\nFrom x\n" + MAIL.replace(b"b1@", b"m2@"))
    done = responder("explain", str(folder), str(mbox), "-", "--json", stdin=MAIL.replace(b"b1@", b"s1@"))
    ids = [json.loads(line)["message_id"] for line in done.stdout.splitlines()]
    assert ids == [f"<{name}@mail.example>" for name in ("a", "b", "m1", "m2", "s1")]


def test_explain_for_a_person_shows_sentences_rules_and_draft(shop: Shop) -> None:
    done = responder("explain", "-", "--config", str(shop.folder), stdin=MAIL)
    assert done.returncode == 0, done.stderr
    assert "注文番号1042をキャンセルしてください" in done.stdout
    assert "cancel_before_ship" in done.stdout


def test_explain_survives_bytes_that_are_no_mail(tmp_path: Path) -> None:
    done = responder("explain", "-", "--json", stdin=os.urandom(5000) + b"\x00" * 100)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["action"] in ("hold", "silence")


def test_a_missing_file_is_a_usage_error() -> None:
    done = responder("explain", "/nowhere/at/all.eml")
    assert done.returncode == 2
    assert "/nowhere/at/all.eml" in done.stderr


def test_a_dry_run_shows_what_would_be_done_and_writes_nothing(shop: Shop) -> None:
    edit(shop, "quiet_s", 'since = "7d"\nquiet_s')
    shop.server.deliver("shop", MAIL)
    before = shop.boxes()
    done = responder("run", "-n", "--config", str(shop.folder), "--json")
    assert done.returncode == 0, done.stderr
    (entry,) = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert (entry["action"], entry["order_id"]) == ("draft", "1042")
    assert shop.boxes() == before
    assert not (shop.folder / "state").exists()


def test_status_before_and_after(shop: Shop) -> None:
    assert responder("status", "--config", str(shop.folder)).returncode == 0
    shop.start()
    try:
        shop.server.deliver("shop", MAIL)
        shop.wait_for_draft()
        until(
            lambda: '"open_cases": 1' in responder("status", "--config", str(shop.folder), "--json").stdout, "counted"
        )
    finally:
        shop.stop()


def test_a_second_run_on_the_same_journal_is_refused(shop: Shop) -> None:
    shop.start()
    try:
        done = responder("run", "--config", str(shop.folder))
        assert done.returncode == 75
        assert "responder.db" in done.stderr
    finally:
        shop.stop()


def test_schema_is_json() -> None:
    for what in ("rules", "config"):
        assert json.loads(responder("schema", what).stdout)["type"] == "object"


def test_japanese_by_locale(tmp_path: Path) -> None:
    done = responder("check", "--config", str(tmp_path), LANG="ja_JP.UTF-8")
    assert any("ぁ" <= ch <= "ん" for ch in done.stderr)


def test_explain_without_readable_orders_or_template_ends_in_words(shop: Shop) -> None:
    mail = shop.folder / "1.eml"
    mail.write_bytes(MAIL)
    (shop.folder / "orders.csv").unlink()
    done = responder("explain", str(mail), "--config", str(shop.folder))
    assert done.returncode == 75
    assert "order data cannot be read" in done.stderr
    shop.write_orders()
    (shop.folder / "templates" / "en").mkdir(parents=True)
    (shop.folder / "templates" / "en" / "only_here.txt").write_text("Subject: x\n\ny\n", encoding="utf-8")
    shipped = (Path(__file__).parent.parent / "rules.toml").read_text(encoding="utf-8")
    (shop.folder / "rules.toml").write_text(
        shipped.replace('reply = "cancel_before_ship"', 'reply = "only_here"'), encoding="utf-8"
    )
    done = responder("explain", str(mail), "--json", "--config", str(shop.folder))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["action"] == "hold"
