"""What lies on the disk and what is written to the log: nobody else can read the journal, old texts leave it, and no
secret or word of a buyer is in any log, report, status or crash trace."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from responder import logs
from responder.cli import cli
from responder.config import checks, source
from responder.daemon import Daemon
from responder.edges.journal import Journal, JournalUnavailable
from responder.errors import ConnectionLost
from responder.flows import arrivals, sending
from responder.flows.bulletin import Bulletin
from responder.flows.forgetting import forget_bodies
from tests.journeys.by_hand import ByHand
from tests.journeys.conftest import quick_shop  # noqa: F401  the shop of the stories
from tests.journeys.shop import Shop

# --- who may read ---------------------------------------------------------------------------------------------------

CONFIG = '[state]\nurl = "sqlite:///state/responder.db"\n'


def mistakes(folder: Path) -> list[tuple[str, str]]:
    (folder / "responder.toml").write_text(CONFIG)
    found, _ = checks.check(source.read(folder / "responder.toml"))
    return [(m.code, dict(m.args).get("mode", "")) for m in found if m.code.startswith("journal")]


@pytest.mark.parametrize(
    ("name", "mode", "refused"),
    [("responder.db", 0o600, False), ("responder.db", 0o640, True), ("responder.db", 0o604, True),
     ("responder.db", 0o602, True), ("responder.db-wal", 0o644, True), ("responder.db-shm", 0o660, True)],
)  # fmt: skip
def test_a_journal_others_may_use_is_refused(tmp_path: Path, name: str, mode: int, refused: bool) -> None:
    file = tmp_path / "state" / name
    file.parent.mkdir()
    file.touch()
    file.chmod(mode)
    assert mistakes(tmp_path) == ([("journal_mode", f"{mode:04o}")] if refused else [])


@pytest.mark.parametrize(("mode", "refused"), [(0o700, False), (0o775, False), (0o777, True), (0o1777, False)])
def test_a_folder_everybody_may_write_to_is_refused(tmp_path: Path, mode: int, refused: bool) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(mode)
    assert mistakes(tmp_path) == ([("journal_folder_mode", f"{mode:04o}")] if refused else [])


def test_what_we_make_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        journal = Journal(f"sqlite:///{tmp_path / 'state' / 'responder.db'}")
        journal.take()
        journal.upgrade()
        Bulletin(journal, lambda: None, lambda: None).open()  # type: ignore[arg-type, return-value]
        with journal.durable():
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
        journal.close()
    finally:
        os.umask(before)
    assert set(modes) >= {"responder.db", "responder.db-wal", "responder.lock", "responder.aside"}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


# --- a shop with planted secrets ------------------------------------------------------------------------------------

PLANTED = {
    "imap password": "Perlhuhn-imap-6610",
    "smtp password": "Perlhuhn-smtp-6611",
    "buyer's name": "ZAUNKOENIG TARO",
    "buyer's address": "zaunkoenig.6612@mail.example",
    "his words": "GEHEIMWORT-6613",
    "the subject": "BETREFF-6614",
    "an attachment's name": "ANHANG-6615",
    "a telephone number": "090-6616-6616",
    "a card": "4111-6617-1111-1111",
    "the order's item": "WARE-6618",
}
QUOTED = " ".join(PLANTED.values())


@pytest.fixture
def hand(quick_shop: Shop) -> Iterator[ByHand]:  # noqa: F811
    shop = quick_shop
    shop.order("1042", buyer_mail=PLANTED["buyer's address"], buyer_name=PLANTED["buyer's name"],
               items=PLANTED["the order's item"])  # fmt: skip
    made = ByHand(shop)
    yield made
    made.close()


def buyer_writes(hand: ByHand) -> None:
    words = " ".join(PLANTED[name] for name in ("his words", "a telephone number", "a card"))
    hand.shop.buyer_writes(
        f"注文番号1042をキャンセルしてください。\n{words}",
        sender=PLANTED["buyer's address"],
        name=PLANTED["buyer's name"],
        subject=PLANTED["the subject"],
        headers={"X-Attachment": PLANTED["an attachment's name"]},
    )


def test_texts_leave_the_journal_once_they_are_old(hand: ByHand) -> None:
    def on_disk() -> bytes:
        return b"".join(path.read_bytes() for path in (hand.shop.folder / "state").iterdir() if path.is_file())

    def words() -> list[bytes]:
        """Recognisable pieces of our draft as it stands in the journal."""
        return [line for line in raw.splitlines() if len(line) > 60]

    buyer_writes(hand)
    hand.turn()
    (draft,) = hand.shop.drafts()
    raw = draft.raw.replace(b"\r\n", b"\n")
    hand.shop.approve(draft)
    hand.turn_and_send(3)
    assert hand.states() == {"filed": 1}
    assert any(line in on_disk() for line in words())
    assert forget_bodies(hand.journal, 30, hand.now + timedelta(days=29)) == 0
    assert forget_bodies(hand.journal, 30, hand.now + timedelta(days=31)) == 1
    assert forget_bodies(hand.journal, 30, hand.now + timedelta(days=31)) == 0
    assert not any(line in on_disk() for line in words())
    hand.turn_and_send(2)
    assert hand.states() == {"filed": 1}
    assert len(hand.shop.sink.mails) == 1


def test_open_drafts_keep_their_texts_however_old(hand: ByHand) -> None:
    buyer_writes(hand)
    hand.turn()
    assert forget_bodies(hand.journal, 30, hand.now + timedelta(days=4000)) == 0


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "human"])
def test_no_log_report_or_trace_tells_a_secret(hand: ByHand, as_json: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """At debug level, with every library's own logger as loud as it gets, over a whole life and all kinds of failures
    whose messages quote everything there is."""
    out = io.StringIO()
    heard: list[str] = []
    loggers = [logging.getLogger(name) for name in ("", "imapclient", "aiosmtplib", "sqlalchemy.engine", "asyncio")]
    levels = [one.level for one in loggers]
    handlers = list(logging.getLogger("responder").handlers)
    logs.set_up(stream=out, as_json=as_json, verbose=True)
    logging.getLogger("responder").setLevel(logging.DEBUG)
    for one in loggers[1:]:
        one.setLevel(logging.DEBUG)
    try:
        life(hand, monkeypatch)
        with patch("responder.cli.showing.load_settings", lambda *_args, **_more: hand.settings):
            for words in (["status"], ["status", "--json", "--health"]):
                heard.append(CliRunner().invoke(cli, words).output)
    finally:
        logging.getLogger("responder").handlers[:] = handlers
        logging.getLogger("responder").propagate = True
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
    log = out.getvalue()
    for action in ("turn_failed", "smtp_failed", "drafts_appended", "filed", "account_waits", "sending_failed"):
        assert (action if as_json else action.replace("_", " ")) in log, action
    if as_json:
        assert all(json.loads(line)["action"] for line in log.splitlines())
    alerts = [mail.raw.decode() for mail in hand.shop.sink.mails if mail.recipients == ("owner@elsewhere.example",)]
    assert alerts
    for name, secret in PLANTED.items():
        for text in (log, *heard, *alerts):
            assert secret not in text, (name, text)


def life(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    (account,) = hand.settings.accounts
    owner = replace(hand.settings.shop, alert_to=("owner@elsewhere.example",))
    hand.settings = replace(hand.settings, shop=owner)
    wrong = replace(
        account,
        imap_secret=lambda: PLANTED["imap password"],
        smtp_secret=lambda: PLANTED["smtp password"],
    )
    # A whole life, with a refused login for sending in between.
    buyer_writes(hand)
    hand.turn()
    hand.shop.approve(hand.shop.wait_for_draft())
    assert hand.desk is not None
    right, hand.desk.account = hand.desk.account, replace(hand.desk.account, smtp_secret=wrong.smtp_secret)
    hand.turn_and_send(2)
    hand.later(3600)
    hand.desk.account = right
    hand.turn_and_send(2)
    # A crash on the sending thread, and the program itself: a login refused, then crashes of every kind in its turns.
    with monkeypatch.context() as context:
        context.setattr(sending, "submit_batch", crash(ValueError))
        hand.shop.order("1043", buyer_mail="b@mail.example")
        hand.orders.refresh()
        hand.shop.buyer_writes("注文番号1043をキャンセルしてください。", sender="b@mail.example")
        hand.turn()
        hand.shop.approve(hand.shop.wait_for_draft())
        hand.turn_and_send(2)
    settings = replace(hand.settings, accounts=(wrong,))
    assert Daemon(settings, hand.orders, reload_settings=lambda old: old, clock=lambda: hand.now).run() == 77
    for kind in (ValueError, RuntimeError, KeyError, ConnectionLost, JournalUnavailable, UnicodeDecodeError):
        with monkeypatch.context() as context:
            context.setattr(arrivals, "on_arrivals", crash(kind))
            context.setattr("responder.flows.turn.on_arrivals", crash(kind))
            daemon = Daemon(hand.settings, hand.orders, reload_settings=lambda old: old, clock=lambda: hand.now)
            post = daemon._posts["main"]
            daemon._work(post)
            daemon._bulletin.publish(hand.settings, (), ())
            daemon._wind_up()


def crash(kind: type[Exception]) -> Callable[..., Any]:
    """A function whose error quotes everything."""

    def fails(*_args: object, **_more: object) -> None:
        if kind is UnicodeDecodeError:
            raise UnicodeDecodeError("utf-8", QUOTED.encode(), 0, 1, QUOTED)
        try:
            raise OSError(QUOTED)
        except OSError as exc:
            raise kind(QUOTED) from exc

    return fails


@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_crash_nobody_caught_shows_where_and_not_what(where: str) -> None:
    program = f"""
import threading
from responder import logs
logs.install_traces()
def fails():
    try:
        raise OSError({QUOTED!r})
    except OSError as exc:
        raise ValueError({QUOTED!r}) from exc
if {where == "thread"}:
    thread = threading.Thread(target=fails); thread.start(); thread.join()
else:
    fails()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ValueError <- <string>:" in done.stderr
    assert "OSError" in done.stderr
    for secret in PLANTED.values():
        assert secret not in done.stderr + done.stdout
