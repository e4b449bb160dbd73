"""The embedded servers of the demo, seen with bare clients."""

from __future__ import annotations

import selectors
import smtplib
import socket
import ssl
from datetime import UTC, datetime
from typing import Any

import pytest
from imapclient import IMAPClient

from responder.demo.servers import EmbeddedAccount, EmbeddedServers, Outgoing
from responder.edges.imap import Session
from responder.edges.smtp import submit_batch
from responder.model import Outcome, Parcel, Server
from tests.conftest import PASSWORD
from tests.servers.dovecot import Certificate

RAW = b"From: buyer@example.com\r\nTo: shop@example.jp\r\nSubject: x\r\n\r\nhello\r\n"


def test_accounts_are_apart_and_keep_bytes_flags_and_time(embedded: EmbeddedServers) -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    uid = embedded.deliver("shop", RAW, flags=("\\Flagged", "$k"), when=when)
    embedded.deliver("shop", RAW, mailbox="承認")
    (mail,) = embedded.boxes("shop")["INBOX"]
    assert (mail.uid, mail.raw, mail.flags, mail.internaldate) == (uid, RAW, {"\\Flagged", "$k"}, when)
    assert len(embedded.boxes("shop")["承認"]) == 1
    assert embedded.boxes("buyer") == {"INBOX": ()}


def test_a_bare_client_can_do_what_staff_do(embedded: EmbeddedServers) -> None:
    with IMAPClient("127.0.0.1", embedded.imap_port, ssl=False, timeout=20) as client:
        client.login("shop", PASSWORD)
        listed = {name: flags for flags, _, name in client.list_folders()}
        assert b"\\Drafts" in listed["下書き"]
        assert "承認" in {name for _, _, name in client.list_sub_folders()}
        client.append("下書き", RAW, flags=(b"\\Draft",))
        client.select_folder("下書き")
        (uid,) = client.search("ALL")
        client.add_flags([uid], [b"$label1"])
        client.move([uid], "承認")
    (mail,) = embedded.boxes("shop")["承認"]
    assert mail.flags == {"\\Draft", "$label1"}


def test_delivery_wakes_a_waiting_client_at_once(embedded: EmbeddedServers) -> None:
    with Session.connect(embedded.imap("shop"), lambda: PASSWORD) as session, selectors.DefaultSelector() as selector:
        session.select("INBOX")
        session.idle()
        selector.register(session, selectors.EVENT_READ)
        embedded.deliver("shop", RAW)
        assert selector.select(timeout=20)
        assert session.done()


def test_mail_for_others_needs_a_login(embedded: EmbeddedServers) -> None:
    with smtplib.SMTP("127.0.0.1", embedded.smtp_port, local_hostname="test") as client:
        client.sendmail("buyer@example.com", ["SHOP@example.jp"], RAW)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("buyer@example.com", ["away@example.net"], RAW)
        client.login("shop", PASSWORD)
        client.sendmail("shop@example.jp", ["away@example.net"], RAW)
    assert embedded.mails == (
        Outgoing("", "buyer@example.com", ("SHOP@example.jp",), RAW),
        Outgoing("shop", "shop@example.jp", ("away@example.net",), RAW),
    )
    assert [mail.raw for mail in embedded.boxes("shop")["INBOX"]] == [b"Return-Path: <buyer@example.com>\r\n" + RAW]


def test_a_wrong_login_is_answered(embedded: EmbeddedServers) -> None:
    with smtplib.SMTP("127.0.0.1", embedded.smtp_port, local_hostname="test") as client:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("shop", "wrong")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("nobody", PASSWORD)


def test_whoever_asks_is_told_of_each_mail() -> None:
    seen: list[Outgoing] = []
    with EmbeddedServers([EmbeddedAccount("shop", "pw", ("shop@example.jp",))], on_mail=seen.append) as servers:
        with smtplib.SMTP("127.0.0.1", servers.smtp_port, local_hostname="test") as client:
            client.sendmail("", ["shop@example.jp"], RAW)
        assert seen == [Outgoing("", "", ("shop@example.jp",), RAW)]
        assert set(servers.boxes("shop")) == {"INBOX", "Drafts", "Sent", "Trash", "Archive"}


def test_ports_can_be_chosen_and_a_taken_one_is_told() -> None:
    account = EmbeddedAccount("shop", "pw", ("shop@example.jp",))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for ports in ({"imap_port": port}, {"smtp_port": port}):
            with pytest.raises(OSError, match=r"in use|address"):
                EmbeddedServers([account], **ports).start()
    with EmbeddedServers([account], imap_port=port) as servers:
        assert servers.imap("shop") == Server("127.0.0.1", port, "none", "shop")


def test_stopped_servers_say_so_and_free_their_ports() -> None:
    account = EmbeddedAccount("shop", "pw", ("shop@example.jp",))
    with EmbeddedServers([account]) as servers:
        session = Session.connect(servers.imap("shop"), lambda: "pw")
    servers.stop()
    with pytest.raises(RuntimeError):
        servers.boxes("shop")
    session.close()
    with socket.create_server(("127.0.0.1", servers.imap_port)):
        pass


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_both_servers_speak_tls(certificate: Certificate, tls_context: ssl.SSLContext, tls: Any) -> None:
    account = EmbeddedAccount("shop", PASSWORD, ("shop@example.jp",))
    with EmbeddedServers([account], tls=tls, certificate=tls_context) as servers:
        imap = Server("localhost", servers.imap_port, tls, "shop", ca_file=str(certificate.ca))
        smtp = Server("localhost", servers.smtp_port, tls, "shop", ca_file=str(certificate.ca))
        outcomes: list[Outcome] = []
        submit_batch(
            smtp,
            lambda: PASSWORD,
            [Parcel("k", "shop@example.jp", "shop@example.jp", RAW)],
            before_body=lambda _parcel: True,
            on_outcome=lambda _parcel, outcome: outcomes.append(outcome),
        )
        with Session.connect(imap, lambda: PASSWORD) as session:
            session.select("INBOX")
            assert len(session.all_uids()) == 1
        assert [mail.username for mail in servers.mails] == ["shop"]
