"""The Dovecot of the tests: it runs as root, as an ordinary user, and can be stopped, started and read."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from responder.edges.imap import Session
from tests.conftest import PASSWORD
from tests.servers.dovecot import Dovecot, missing

RAW = b"From: buyer@example.com\r\nTo: shop@example.jp\r\nSubject: x\r\n\r\nhello\r\n"
SCRIPT = Path(__file__).parents[2] / "scripts" / "dovecot-install"


@pytest.fixture(params=["this user", "nobody"])
def server(request: pytest.FixtureRequest, make_dovecot: Callable[..., Dovecot]) -> Dovecot:
    """As root both ways can be tried; an ordinary user is one of them already."""
    if request.param == "nobody" and os.getuid() != 0:
        pytest.skip("only root can become another user")
    return make_dovecot(as_user=None if request.param == "this user" else "nobody")


def test_mail_arrives_by_lmtp_and_is_kept_over_a_restart(server: Dovecot) -> None:
    server.deliver_all("shop", [RAW, RAW.replace(b"x", b"y")], sender="buyer@example.com")
    server.stop()
    server.start()
    with Session.connect(server.imap(), lambda: PASSWORD) as session:
        session.append("承認", RAW, flags=("\\Draft", "$k"))
        session.create("Responder/在庫切れ")
    boxes = server.boxes()
    assert len(boxes["INBOX"]) == 2
    assert boxes["INBOX"][0].raw.startswith(b"Return-Path: <buyer@example.com>\r\n")
    (draft,) = boxes["承認"]
    assert (draft.raw, draft.flags) == (RAW, {"\\Draft", "$k"})
    assert boxes["Responder/在庫切れ"] == ()


def test_its_processes_run_as_the_wanted_user(make_dovecot: Callable[..., Dovecot]) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    server = make_dovecot(as_user="nobody")
    assert server._process is not None
    assert Path(f"/proc/{server._process.pid}").stat().st_uid == 65534


def test_nothing_stays_behind() -> None:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with Dovecot() as server:
        process, base = server._process, server.base
        assert process is not None
        assert base.exists()
    assert process.poll() is not None
    assert not base.exists()


def test_an_error_in_the_configuration_is_told(make_dovecot: Callable[..., Dovecot]) -> None:
    with pytest.raises(RuntimeError, match="dovecot ended"):
        make_dovecot(extra="nonsense = yes\n")


def test_prefix_and_separator_can_be_those_of_other_servers(make_dovecot: Callable[..., Dovecot]) -> None:
    server = make_dovecot(prefix="INBOX.", separator=".")
    assert set(server.boxes()) == {"INBOX", "INBOX.下書き", "INBOX.Sent", "INBOX.ゴミ箱", "INBOX.承認"}


def test_installing_again_does_nothing_and_says_nothing(dovecot: Dovecot) -> None:
    done = subprocess.run([SCRIPT], capture_output=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == (b"", b"")
