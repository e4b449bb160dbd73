"""Servers without extensions, odd folder names, renumbered mailboxes: the outcome is the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from responder.demo.servers import EmbeddedAccount, EmbeddedServers
from tests.conftest import FOLDERS, PASSWORD
from tests.journeys.shop import ADDRESS, Shop, header_of, move, until
from tests.servers.sink import Sink


def whole_story(shop: Shop) -> None:
    """Cancel request, draft, approval, sent, filed, marked; then a second case refused."""
    shop.order("1042")
    shop.order("2001", buyer_mail="ken@mail.example", buyer_name="鈴木 健")
    shop.start()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft())
    shop.wait_for_mail()
    shop.wait_until_filed()
    until(lambda: shop.answered(message_id), "the original is marked answered")
    assert shop.drafts() == []
    shop.buyer_writes("注文2001をキャンセルしてください。", sender="ken@mail.example", name="鈴木 健")
    with shop.staff() as client:
        move(client, shop.wait_for_draft().uid, "ゴミ箱")
    shop.buyer_writes("注文番号1042です。ありがとうございました！")
    until(lambda: len(shop.lies_in("INBOX")) == 3, "three mails in the inbox")
    assert len(shop.sink.mails) == 1
    assert len(shop.lies_in("Sent")) == 1


@pytest.mark.parametrize(
    "without",
    [
        ("UIDPLUS",),
        ("MOVE",),
        ("IDLE",),
        ("SPECIAL-USE", "LIST-EXTENDED"),
        ("MULTIAPPEND", "LITERAL+"),
        ("CONDSTORE", "QRESYNC", "ENABLE"),
        ("UIDPLUS", "MOVE", "IDLE", "SPECIAL-USE", "MULTIAPPEND", "LITERAL+", "CONDSTORE", "QRESYNC", "NAMESPACE", "ESEARCH"),
    ],
    ids="+".join,
)  # fmt: skip
def test_a_server_without(on_dovecot: Callable[..., Shop], without: tuple[str, ...]) -> None:
    shop = on_dovecot(without=without)
    shop.account_extra = ""
    whole_story(shop)


def test_the_embedded_server_without_idle_move_and_uidplus(tmp_path: Path, sink: Sink) -> None:
    accounts = (EmbeddedAccount("shop", PASSWORD, (ADDRESS,), FOLDERS),)
    with EmbeddedServers(accounts, without=("IDLE", "MOVE", "UIDPLUS", "MULTIAPPEND", "SPECIAL-USE")) as server:
        shop = Shop(server, sink, tmp_path)
        try:
            whole_story(shop)
        finally:
            shop.stop()


def test_inbox_renumbered_brings_no_second_draft(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.order("2001", buyer_mail="ken@mail.example", buyer_name="鈴木 健")
    shop.start()
    first = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft()
    shop.stop()
    shop.server.renew_uidvalidity("shop", "INBOX")
    second = shop.buyer_writes("注文2001をキャンセルしてください。", sender="ken@mail.example", name="鈴木 健")
    shop.start()
    until(lambda: len(shop.drafts()) == 2, "the new mail gets its draft")
    assert {header_of(d.raw, "In-Reply-To") for d in shop.drafts()} == {first, second}
    for draft in shop.drafts():
        shop.approve(draft)
    shop.wait_for_mail(2)
    shop.wait_until_filed()
    until(lambda: shop.answered(first) and shop.answered(second), "both are marked under their new numbers")


def test_what_lies_in_approved_after_a_renumbering_is_no_approval(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    draft = shop.wait_for_draft()
    shop.stop()
    shop.approve(draft)
    shop.server.renew_uidvalidity("shop", "承認")
    shop.start()
    until(lambda: not shop.lies_in("承認") and shop.notes(), "it goes back with a note")
    assert len(shop.drafts()) == 1
    assert shop.sink.mails == []
    shop.approve(shop.drafts()[0])
    shop.wait_for_mail()


def test_two_mailboxes_that_could_be_drafts_are_refused_with_both_names(
    on_dovecot: Callable[..., Shop], capfd: pytest.CaptureFixture[str]
) -> None:
    shop = on_dovecot(folders={"Drafts": "", "下書き": "", "Sent": "\\Sent"}, without=("SPECIAL-USE",))
    shop.start_process()
    assert shop.process is not None
    assert shop.process.wait(120) == 78
    shop.process = None
    log = (shop.folder / "log.txt").read_text()
    assert "Drafts" in log
    assert "下書き" in log


def test_a_server_below_inbox_with_dots_works(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot(
        separator=".", prefix="INBOX.", folders={"Drafts": "\\Drafts", "Sent": "\\Sent", "Trash": "\\Trash"}
    )
    shop.order("1042")
    shop.start_process()
    shop.sent = "INBOX.Sent"
    shop.wait_until_watching()
    assert "INBOX.Responder" in shop.boxes()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    draft = until(lambda: shop.lies_in("INBOX.Drafts"), "a draft")[0]
    with shop.staff("INBOX.Drafts") as client:
        move(client, draft.uid, "INBOX.承認")
    shop.wait_for_mail()
    until(lambda: shop.lies_in("INBOX.Sent"), "filed")
