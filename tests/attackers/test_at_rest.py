"""What lies on the disk and what is written to the log: nobody else can read the journal, old texts leave it, and no
secret or word of a buyer is in any log, report, status or crash trace."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from responder import logs
from responder.cli import cli
from responder.config import ParcelStopSettings, checks, source
from responder.daemon import Daemon
from responder.edges.journal import Journal, JournalUnavailable
from responder.errors import ConnectionLost
from responder.flows import arrivals, sending
from responder.flows.bulletin import Bulletin
from responder.flows.forgetting import forget_bodies
from responder.flows.parcels import say
from tests.journeys.by_hand import ByHand
from tests.journeys.conftest import quick_shop  # noqa: F401 - the shop of the stories, a fixture
from tests.journeys.shop import ADDRESS, Shop, text_of

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
        Bulletin(journal, lambda: None, lambda: None).open()
        with journal.durable():
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
        journal.close()
    finally:
        os.umask(before)
    assert set(modes) >= {"responder.db", "responder.db-wal", "responder.lock", "responder.aside"}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


# --- a shop with planted secrets ------------------------------------------------------------------------------------

CREDENTIALS = {
    "imap password": "Perlhuhn-imap-6610",
    "smtp password": "Perlhuhn-smtp-6611",
    "marketplace server's password": "Perlhuhn-relay-6620",
    "access token": "ya29.Perlhuhn-6621",
    "refresh token": "1//Perlhuhn-6622",
    "client secret": "GOCSPX-Perlhuhn-6623",
    "token command's argument": "--assertion=Perlhuhn-6624",
    "order database's password": "Perlhuhn-db-6625",
    "order service's token": "Bearer-Perlhuhn-6626",
    "journal server's password": "Perlhuhn-journal-6627",
    "path of the webhook": "hook-Perlhuhn-6628",
}
OF_THE_BUYER = {
    "name": "ZAUNKOENIG TARO",
    "address": "zaunkoenig.6612@mail.example",
    "words": "GEHEIMWORT-6613",
    "subject": "BETREFF-6614",
    "telephone number": "090-6616-6616",
    "card": "4111-6617-1111-1111",
    "second address": "andere.6629@mail.example",
    "street": "STERNGASSE-6630",
    "postal code": "663-1663",
    "bank account": "KONTO-6632",
    "birthday": "1966-06-33",
    "link with a token": "https://bild.example/?t=6634",
    "signature": "GRUSS-6635",
    "quoted line": "ZITAT-6636",
    "text in HTML": "FETT-6637",
    "hidden text in HTML": "VERSTECKT-6638",
    "name of the attachment": "ANHANG-6615",
    "attachment": "INHALT-6639",
    "computer": "laptop-6640",
    "mail program": "Brieftaube-6641",
    "company": "GESELLSCHAFT-6642",
}
OF_THE_ORDER = {
    "item": "WARE-6618",
    "payer": "ZAHLER-6643",
    "gift message": "GRUSSKARTE-6644",
    "coupon": "GUTSCHEIN-6645",
}
OF_STAFF = {
    "words added to a draft": "ZUSATZ-6646",
    "own reply": "EIGENES-6647",
    "subject of it": "EIGENBETREFF-6648",
    "signature": "TEAM-6649",
}
PLANTED = {
    f"{whose}: {what}": secret
    for whose, group in (("", CREDENTIALS), ("buyer", OF_THE_BUYER), ("order", OF_THE_ORDER), ("staff", OF_STAFF))
    for what, secret in group.items()
}
assert len(PLANTED) == len(set(PLANTED.values())) == 40
QUOTED = " ".join(PLANTED.values())


@pytest.fixture
def hand(quick_shop: Shop) -> Iterator[ByHand]:  # noqa: F811 - that fixture, by its name
    shop = quick_shop
    shop.order("1042", buyer_mail=OF_THE_BUYER["address"], buyer_name=OF_THE_BUYER["name"], items=OF_THE_ORDER["item"])
    made = ByHand(shop)
    # Columns nobody knows are kept with the order.
    file = shop.folder / "orders.csv"
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    more = ",".join(OF_THE_ORDER[name] for name in ("payer", "gift message", "coupon"))
    file.write_text(
        "\n".join([f"{head},payer,gift,coupon", *(f"{line},{more}" for line in lines)]) + "\n", encoding="utf-8"
    )
    made.orders.refresh()
    yield made
    made.close()


def buyer_writes(hand: ByHand) -> None:
    """A mail with everything in it that a mail may hold."""
    told = OF_THE_BUYER
    text = "\n".join((
        "注文番号1042をキャンセルしてください。", told["words"], told["link with a token"],
        "-- ", told["signature"], told["telephone number"], told["card"], told["street"], told["postal code"],
        told["bank account"], told["birthday"], told["second address"], f"> {told['quoted line']}",
    ))  # fmt: skip
    mail = EmailMessage()
    mail["From"] = f"{told['name']} <{told['address']}>"
    mail["To"], mail["Subject"], mail["Date"] = ADDRESS, told["subject"], formatdate()
    mail["Message-ID"] = f"<6650@{told['computer']}.mail.example>"
    mail["X-Mailer"], mail["Organization"] = told["mail program"], told["company"]
    mail.set_content(text, cte="base64")
    hidden = f'<p style="display:none">{told["hidden text in HTML"]}</p>'
    html = text.replace("\n", "<br>")
    mail.add_alternative(f"<html><body>{html}<b>{told['text in HTML']}</b>{hidden}</body></html>", subtype="html")
    mail.add_attachment(
        told["attachment"].encode(), maintype="image", subtype="png", filename=f"{told['name of the attachment']}.png"
    )
    hand.shop.buyer_writes("", sender=told["address"], raw=mail.as_bytes(policy=SMTP))


def test_what_is_kept_after_the_purge_tells_nothing_but_who_wrote_about_what(hand: ByHand) -> None:
    """Draft edited and sent, draft deleted, mail held, answered by staff: forty days later the journal knows addresses and
    ids and none of the words."""
    buyer_writes(hand)
    hand.turn()
    draft = hand.shop.wait_for_draft()
    added = f"{OF_STAFF['words added to a draft']}\r\n{OF_STAFF['signature']}\r\n".encode()
    edited = draft.raw.replace(b"\r\n\r\n", b"\r\n\r\n" + added, 1)
    edited = re.sub(rb"(?i)content-transfer-encoding: [^\r]*", b"Content-Transfer-Encoding: 8bit", edited, count=1)
    body = draft.raw.partition(b"\r\n\r\n")[2]
    if b"base64" in draft.raw:
        edited = edited.replace(body, base64.b64decode(body))
    with hand.shop.staff() as client:
        client.append("下書き", edited, [b"\\Draft"])
        client.delete_messages([draft.uid])
        client.expunge()
    hand.turn()
    hand.shop.approve(hand.shop.wait_for_draft())
    hand.turn_and_send(8)
    assert hand.states() == {"filed": 1}
    assert OF_STAFF["words added to a draft"] in text_of(hand.shop.sink.mails[-1].raw)
    words = f"{OF_THE_BUYER['words']}。弁護士に相談します。"
    for number, text in (("1043", f"注文番号1043をキャンセルしてください。\n{OF_THE_BUYER['words']}"), ("1044", words)):
        hand.shop.order(number, buyer_mail=f"b{number}@mail.example", items=OF_THE_ORDER["item"])
        hand.orders.refresh()
        asked = hand.shop.buyer_writes(text, sender=f"b{number}@mail.example", subject=OF_THE_BUYER["subject"])
        hand.turn()
        if number == "1043":
            with hand.shop.staff() as client:
                client.move([hand.shop.wait_for_draft().uid], "ゴミ箱")
        else:
            own = (
                f"From: {ADDRESS}\r\nTo: b1044@mail.example\r\nSubject: {OF_STAFF['subject of it']}\r\n"
                f"Message-ID: <own@x.example>\r\nIn-Reply-To: {asked}\r\n\r\n{OF_STAFF['own reply']}\r\n"
            )
            with hand.shop.staff() as client:
                client.append("Sent", own.encode(), [b"\\Seen"])
        hand.turn()
        hand.turn_and_send(2)
    on_disk = b"".join(path.read_bytes() for path in (hand.shop.folder / "state").iterdir() if path.is_file())
    assert OF_THE_BUYER["address"].encode() in on_disk
    assert forget_bodies(hand.journal, 30, hand.now + timedelta(days=40)) >= 2
    on_disk = b"".join(path.read_bytes() for path in (hand.shop.folder / "state").iterdir() if path.is_file())
    kept = {name for name, secret in PLANTED.items() if found_in(secret, on_disk)}
    # Who wrote, the mail's id, and what was sold, which the report counts.
    assert kept <= {"buyer: address", "buyer: computer", "order: item"}, kept


def found_in(secret: str, data: bytes) -> bool:
    """As it stands, or in base64 at any of the three offsets."""
    raw = secret.encode()
    forms = [raw, *(base64.b64encode(b"\0" * n + raw)[4 if n else 0 : -4] for n in range(3))]
    joined = data.replace(b"\r", b"").replace(b"\n", b"")
    return any(form in data or form in joined for form in forms)


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
        with patch("responder.cli.reporting.load_settings", lambda *_args, **_more: hand.settings):
            out_to = hand.shop.folder / "report"
            for words in (["report", "--csv", "--out", str(out_to)], ["report", "--json"]):
                done = CliRunner().invoke(cli, words)
                assert done.exit_code == 0, done.output
                heard.append(done.output)
            heard += [file.read_text(encoding="utf-8-sig") for file in out_to.iterdir()]
            assert len(heard) > 5
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
        # The report counts what was sold and cancelled; nothing else is said anywhere.
        for text in (log, *alerts, *(heard if name != "order: item" else ())):
            assert secret not in text, (name, text)
    # Staff read in notes what a buyer wrote; but nobody's key.
    notes = "".join(hand.shop.all_notes())
    assert "連絡できませんでした" in notes
    assert not any(secret in notes for secret in CREDENTIALS.values())


def life(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    (account,) = hand.settings.accounts
    owner = replace(hand.settings.shop, alert_to=("owner@elsewhere.example",))
    nobody_there = ParcelStopSettings(webhook=f"http://127.0.0.1:1/{CREDENTIALS['path of the webhook']}")
    hand.settings = replace(hand.settings, shop=owner, parcel_stop=nobody_there)
    assert hand.desk is not None
    hand.desk.settings = hand.settings
    wrong = replace(
        account,
        imap_secret=lambda: CREDENTIALS["imap password"],
        smtp_secret=lambda: CREDENTIALS["smtp password"],
    )
    # A whole life, with a refused login for sending in between.
    buyer_writes(hand)
    for _ in range(6):
        say(hand.turn(after_s=600), hand.desk.words)
        hand.desk.words.clear()
    hand.shop.approve(hand.shop.wait_for_draft())
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
