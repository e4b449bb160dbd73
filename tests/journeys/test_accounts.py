"""Several accounts in one process: what is wrong with one never stops the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from tests.conftest import FOLDERS, PASSWORD
from tests.journeys.shop import ADDRESS, Shop, header_of, until
from tests.servers.sink import Sink

SECOND = """
[[account]]
name = "second"
address = "{address}"
folders = {{ watch = ["INBOX"], approved = "承認", notes = "Responder" }}
quiet_s = 0.3
staff_poll_s = 0.2
poll_s = 1
imap = {{ host = "127.0.0.1", port = {port}, tls = "none", username = "{user}", password_file = "imap.secret" }}
"""


def add_account(shop: Shop, port: int, user: str, address: str) -> None:
    path = shop.folder / "responder.toml"
    text = path.read_text(encoding="utf-8")
    before, mark, after = text.partition("[[orders]]")
    path.write_text(before + SECOND.format(address=address, port=port, user=user) + mark + after, encoding="utf-8")


@pytest.fixture
def two(tmp_path: Path, sink: Sink) -> Shop:
    accounts = (
        EmbeddedAccount("shop", PASSWORD, (ADDRESS,), FOLDERS),
        EmbeddedAccount("rakuten", PASSWORD, ("rakuten@minato-zakka.example",), FOLDERS),
    )
    server = EmbeddedServers(accounts)
    server.start()
    return Shop(server, sink, tmp_path)


def start_with(shop: Shop, port: int, user: str = "rakuten") -> None:
    write = shop.write_files

    def write_both() -> None:
        write()
        add_account(shop, port, user, "rakuten@minato-zakka.example")

    shop.write_files = write_both
    shop.start()


def test_each_account_gets_its_own_drafts(two: Shop) -> None:
    assert isinstance(two.server, EmbeddedServers)
    two.order("1042")
    start_with(two, two.server.imap_port)
    try:
        message_id = two.buyer_writes("注文番号1042をキャンセルしてください。")
        two.wait_for_draft()
        two.user = "rakuten"
        other = two.buyer_writes("注文番号1042をキャンセルしてください。")
        assert header_of(two.wait_for_draft().raw, "In-Reply-To") == other != message_id
        assert header_of(two.drafts()[0].raw, "From").endswith("<rakuten@minato-zakka.example>")
    finally:
        two.stop()


@pytest.mark.parametrize("trouble", ["nobody listens", "login refused"])
def test_one_account_in_trouble_does_not_stop_the_other(two: Shop, trouble: str) -> None:
    assert isinstance(two.server, EmbeddedServers)
    two.order("1042")
    port = 1 if trouble == "nobody listens" else two.server.imap_port
    start_with(two, port, user="rakuten" if trouble == "nobody listens" else "no-such-user")
    try:
        two.buyer_writes("注文番号1042をキャンセルしてください。")
        two.approve(two.wait_for_draft())
        two.wait_for_mail()
        two.wait_until_filed()
    finally:
        two.stop()


def test_a_server_that_goes_away_is_come_back_to(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.start()
    shop.server.stop(hard=True)
    shop.server.start()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    assert header_of(shop.wait_for_draft().raw, "In-Reply-To") == message_id
    shop.server.stop(hard=True)
    shop.server.start()
    shop.approve(shop.drafts()[0])
    shop.wait_for_mail()
    until(lambda: shop.answered(message_id), "marked answered")
    assert len(shop.sink.mails) == 1
