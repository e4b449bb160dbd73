"""`responder demo`: the played day holds, every way in which it could not hold is noticed, and nothing stays behind."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import smtplib
import string
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from responder.demo.clock import DayClock, away_from_midnight
from responder.demo.day import TOKYO, Day, load_day, mail_bytes, orders_csv
from responder.demo.play import play, set_up
from responder.demo.reading import field_of, id_of
from responder.demo.servers import Stored
from responder.demo.staff import Folders, with_paragraph
from responder.demo.teller import Teller
from responder.demo.verify import Evidence, verify

Played = tuple[Day, Evidence, Folders, Teller]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """One play of the day, with what the servers held at its end."""
    day, clock = load_day(), DayClock(away_from_midnight(datetime.now(UTC), TOKYO))
    teller = Teller("en", clock, as_json=False, stream=io.StringIO())
    with set_up(day, clock, teller) as stage:
        stage.story.play()
        yield day, stage.evidence(), stage.shop.folders, teller


# --- the day holds --------------------------------------------------------------------------------------------------


def test_the_servers_hold_what_the_day_says(played: Played) -> None:
    assert verify(*played) == []


def test_the_day_has_mails_in_three_languages_and_every_outcome() -> None:
    mails = load_day().mails
    assert len(mails) >= 14
    assert {mail.becomes for mail in mails} == {"draft", "hold", "silence"}
    assert {mail.charset for mail in mails} == {"utf-8", "iso-2022-jp"}
    text = "".join(mail.text for mail in mails)
    assert all(word in text for word in ("キャンセル", "cancel", "取消"))


def test_everybody_in_the_day_is_invented() -> None:
    day = load_day()
    addresses = [*day.buyers, day.address, *(str(order["buyer_mail"]) for order in day.orders.values())]
    assert all(address.endswith(".example") for address in addresses)


def test_a_run_from_the_command_line_tells_each_step_in_json_and_cleans_up(tmp_path: Path) -> None:
    """With --stay: the servers stay up for a mail client, the daemon goes on, and an interrupt ends it in order."""
    env = {**os.environ, "TMPDIR": str(tmp_path), "RESPONDER_LANG": "ja", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "responder", "demo", "--stay", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True) as process:
        assert process.stdout is not None
        try:
            steps = _until(process.stdout, "stay")
            (closing,) = [step for step in steps if step["step"] == "closing"]
            assert closing["ok"], closing["differences"]
            assert len(closing["table"]) == closing["mails"] == len(load_day().mails)
            assert all(row["ok"] for row in closing["table"])
            told = [step for step in steps if step["step"] not in ("closing", "stay")]
            assert all(step.keys() == {"at", "who", "step", "mail", "text"} for step in told)
            assert {step["who"] for step in told} == {"buyer", "responder", "staff", "shop"}
            assert not [step["text"] for step in told if re.search(r"\{[a-z_]+\}", step["text"])]
            assert (Path(steps[-1]["files"]) / "rules.toml").is_file()
            _plays_along(steps[-1])
            assert _until(process.stdout, "draft")[-1]["who"] == "responder"
        finally:
            # A shell that started the tests in the background has its children ignore an interrupt.
            ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            process.send_signal(signal.SIGTERM if ignored else signal.SIGINT)
            _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors == ""
    assert list(tmp_path.iterdir()) == []


def _until(stream: Any, step: str) -> list[dict[str, Any]]:
    steps = []
    for line in stream:
        steps.append(json.loads(line))
        if steps[-1]["step"] in (step, "failed"):
            break
    assert steps[-1]["step"] == step, steps[-1]
    return steps


def _plays_along(told: dict[str, Any]) -> None:
    """Somebody connects a mail client to both accounts and asks for an order that nobody has asked for yet."""
    client = IMAPClient(told["host"], told["imap_port"], ssl=False)
    client.login(told["shop"]["user"], told["shop"]["password"])
    names = {name for _, _, name in client.list_folders()}
    client.shutdown()
    assert names >= set(told["folders"].values())
    raw = (
        b"From: Naoko <naoko.takahashi@mail.example>\r\nTo: shop@minato-zakka.example\r\nSubject: order 1051\r\n"
        b"Message-ID: <later.1@mail.example>\r\n\r\nPlease cancel order 1051.\r\n"
    )
    with smtplib.SMTP(told["host"], told["smtp_port"], timeout=30) as server:
        server.login(told["buyer"]["user"], told["buyer"]["password"])
        server.sendmail("naoko.takahashi@mail.example", [told["shop"]["address"]], raw)


def test_a_taken_port_is_said_plainly(played: Played) -> None:
    stream = io.StringIO()
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert play(imap_port=taken.getsockname()[1], stream=stream) == 1
    assert "The servers cannot be started" in stream.getvalue()


# --- what would be noticed --------------------------------------------------------------------------------------------


def _out_of(evidence: Evidence, day: Day, key: str) -> int:
    message_id = day.mail(key).message_id
    return next(i for i, out in enumerate(evidence.outs) if field_of(out.raw, "In-Reply-To") == message_id)


def _with_out(evidence: Evidence, day: Day, key: str, **changes: Any) -> Evidence:
    outs = list(evidence.outs)
    at = _out_of(evidence, day, key)
    outs[at] = replace(outs[at], **changes)
    return replace(evidence, outs=outs)


def _with_folder(evidence: Evidence, folder: str, mails: list[Stored]) -> Evidence:
    return replace(evidence, folders={**evidence.folders, folder: mails})


def _differences(played: Played, evidence: Evidence) -> list[str]:
    day, _, folders, teller = played
    return [difference.text for difference in verify(day, evidence, folders, teller)]


def test_a_mail_sent_twice_is_noticed(played: Played) -> None:
    day, evidence, *_ = played
    twice = replace(evidence, outs=[*evidence.outs, evidence.outs[_out_of(evidence, day, "tanaka")]])
    assert any("1 mail(s) should have gone out, 2 did" in text for text in _differences(played, twice))


def test_a_mail_not_sent_is_noticed(played: Played) -> None:
    _, evidence, *_ = played
    assert any("should have gone out, 0 did" in t for t in _differences(played, replace(evidence, outs=[])))


def test_a_wrong_recipient_is_noticed(played: Played) -> None:
    day, evidence, *_ = played
    wrong = _with_out(evidence, day, "sato", recipients=("dan.fox@elsewhere.example",))
    assert any("should have gone to kenichi.sato" in text for text in _differences(played, wrong))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b"References: <", b"References: <x@y.example> <", "References should be"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nX-Responder-Case: abc", "must not go out: x-responder-case"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nUser-Agent: x", "must not go out: user-agent"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.0\r\nMessage-ID: <2@x.example>", "one Message-ID"),
        (b"1042", b"9999", "should say “1042”"),
    ],
)
def test_a_mail_that_is_not_as_it_should_be_is_noticed(played: Played, before: bytes, after: bytes, words: str) -> None:
    day, evidence, *_ = played
    raw = evidence.outs[_out_of(evidence, day, "tanaka")].raw
    assert before in raw
    changed = _with_out(evidence, day, "tanaka", raw=raw.replace(before, after))
    assert any(words in text for text in _differences(played, changed))


def test_a_missing_and_a_second_sent_copy_are_noticed(played: Played) -> None:
    _, evidence, folders, _ = played
    sent = list(evidence.folders[folders.sent])
    assert any("1 copy in Sent, has 0" in t for t in _differences(played, _with_folder(evidence, "Sent", sent[1:])))
    doubled = _with_folder(evidence, "Sent", [*sent, sent[0]])
    assert any("1 copy in Sent, has 2" in text for text in _differences(played, doubled))


def test_a_wrong_answered_mark_is_noticed(played: Played) -> None:
    _, evidence, *_ = played
    bare = [replace(mail, flags=frozenset()) for mail in evidence.folders["INBOX"]]
    marked = [replace(mail, flags=frozenset({"\\Answered"})) for mail in evidence.folders["INBOX"]]
    assert any("should be set, is not set" in t for t in _differences(played, _with_folder(evidence, "INBOX", bare)))
    assert any("should be not set, is set" in t for t in _differences(played, _with_folder(evidence, "INBOX", marked)))


def test_a_read_mark_on_a_buyers_mail_is_noticed(played: Played) -> None:
    _, evidence, *_ = played
    read = [replace(mail, flags=mail.flags | {"\\Seen"}) for mail in evidence.folders["INBOX"]]
    assert any("nobody opened it" in text for text in _differences(played, _with_folder(evidence, "INBOX", read)))


def test_a_draft_in_the_wrong_place_is_noticed(played: Played) -> None:
    _, evidence, folders, _ = played
    moved = _with_folder(evidence, folders.drafts, [])
    moved = _with_folder(moved, folders.approved, list(evidence.folders[folders.drafts]))
    texts = _differences(played, moved)
    assert any(text.startswith("Drafts: should hold 1 draft(s)") for text in texts)
    assert any(text.startswith("Approved: should hold 0 draft(s)") for text in texts)


def test_a_missing_note_and_a_note_on_a_silent_mail_are_noticed(played: Played) -> None:
    day, evidence, folders, _ = played
    notes = list(evidence.folders[folders.notes])
    assert any(
        "at least 1 note(s), has 0" in t for t in _differences(played, _with_folder(evidence, folders.notes, []))
    )
    thanks = day.mail("takahashi").message_id.encode()
    told = replace(notes[0], raw=notes[0].raw.replace(field_of(notes[0].raw, "In-Reply-To").encode(), thanks))
    texts = _differences(played, _with_folder(evidence, folders.notes, [*notes, told]))
    assert any("should have no note, has 1" in text for text in texts)


def test_a_mail_understood_otherwise_is_noticed(played: Played) -> None:
    _, evidence, *_ = played
    swapped = {**evidence.decided, "tanaka": evidence.decided["takahashi"]}
    texts = _differences(played, replace(evidence, decided=swapped))
    assert any("should be draft / cancel_before_ship, is silence / thanks_only" in text for text in texts)


# --- its parts --------------------------------------------------------------------------------------------------------


def test_both_languages_have_the_same_words() -> None:
    words = tomllib.loads((files("responder.demo") / "words.toml").read_text(encoding="utf-8"))
    assert words["ja"].keys() == words["en"].keys()
    for code, text in words["en"].items():
        assert _placeholders(text) == _placeholders(words["ja"][code]), code


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_act_of_the_day_has_words() -> None:
    words = tomllib.loads((files("responder.demo") / "words.toml").read_text(encoding="utf-8"))["en"]
    for mail in load_day().mails:
        assert f"staff_{mail.staff or 'none'}" in words
        assert f"out_{mail.goes_out}" in words
        assert f"cell_{mail.becomes}" in words


def test_no_colour_where_nobody_sees_it(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    teller = Teller("zh", lambda: datetime.now(UTC), as_json=False, stream=stream)
    teller.step("buyer", "arrives", name="Emma", subject="Order")
    assert "\x1b" not in stream.getvalue()
    assert "Emma writes “Order”" in stream.getvalue()


def test_a_japanese_mail_is_iso_2022_jp_on_the_wire() -> None:
    day = load_day()
    raw = mail_bytes(day.mail("sato"), to=day.address, before=["<a@b.example>"], now=datetime.now(UTC))
    assert b"\x1b$B" in raw
    assert all(byte < 128 for byte in raw)
    assert id_of(raw) == day.mail("sato").message_id


def test_orders_are_dated_from_today() -> None:
    now = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    lines = orders_csv([{"order_id": "7", "ordered_day": -2, "ship_by_day": 3, "status": "paid"}], now).splitlines()
    assert "2026-11-18T10:00:00+09:00" in lines[1]
    assert "2026-11-23" in lines[1]


def test_the_clock_runs_faster_stops_and_never_goes_back() -> None:
    clock = DayClock(datetime(2026, 11, 20, tzinfo=UTC))
    clock.run(0)
    stopped = clock()
    assert clock() == stopped
    clock.run(1e6)
    later = clock()
    clock.run(1)
    assert later > stopped
    assert clock() >= later


def test_a_play_near_midnight_begins_a_little_earlier() -> None:
    late = datetime(2026, 11, 20, 23, 55, tzinfo=TOKYO)
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=TOKYO)
    assert away_from_midnight(late, TOKYO) == late - timedelta(minutes=20)
    assert away_from_midnight(noon, TOKYO) == noon


def test_an_edit_goes_before_the_closing_words() -> None:
    text = "Dear A,\n\nIt ships.\n\nBest regards,\nShop\n\nOn Friday A wrote:\n> Hi"
    edited = with_paragraph(text, "Mori", "Best regards")
    assert edited == "Dear A,\n\nIt ships.\n\nMori\n\nBest regards,\nShop\n\nOn Friday A wrote:\n> Hi"
    assert with_paragraph("A\n\nB", "C", "none") == "A\n\nB\n\nC"


def test_the_temporary_folder_goes_even_when_the_play_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("responder.demo.story.LIMIT_S", 0.0)
    stream = io.StringIO()
    assert play(stream=stream) == 1
    assert "did not" in stream.getvalue()
    assert "1 mail(s) should have gone out, 0 did" in stream.getvalue()
    assert list(tmp_path.iterdir()) == []
