"""What the shop owes: the command, with and without a daemon; and what becomes of the drafts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from responder.cli import cli
from responder.config import bare
from responder.daemon import Daemon
from responder.edges.journal import Journal, owed
from responder.edges.orders import OrderBook
from responder.flows.owed_file import take_over
from tests.journeys.shop import BUYER, Shop, header_of, subject_of, text_of, until


def owe(shop: Shop, *words: str, expect: int = 0) -> list[dict[str, Any]]:
    """`responder owe` with these words; what it says of each order."""
    result = CliRunner().invoke(cli, ["owe", "--config", str(shop.folder), "--json", *words], catch_exceptions=False)
    assert result.exit_code == expect, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def results(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["order_id"]: row["result"] for row in rows}


def test_a_stock_out_is_told_approved_and_answered_in_its_thread(shop: Shop) -> None:
    shop.order("1042", items="波佐見焼マグカップ")
    shop.start()
    rows = owe(shop, "1042", "--matter", "restock", "--restock", "2099-12-10", "--cause", "late_supply")
    assert results(rows) == {"1042": "written"}
    draft = shop.wait_for_draft()
    assert "\\Draft" in draft.flags
    assert "\\Seen" not in draft.flags
    assert "2099年12月10日" in text_of(draft.raw)
    assert header_of(draft.raw, "To").endswith(f"<{BUYER}>")
    assert "商品ページ" in shop.wait_for_note("下書きを1件")
    # Said twice, written once.
    assert results(owe(shop, "1042", "--matter", "restock", "--restock", "2099-12-20")) == {"1042": "again"}
    shop.approve(draft)
    sent = shop.wait_for_mail()
    shop.wait_until_filed()
    # The notice promised: reply with one word.
    shop.buyer_writes(
        "キャンセル",
        subject=f"Re: {subject_of(sent)}",
        headers={"In-Reply-To": header_of(sent, "Message-ID"), "References": header_of(sent, "References")},
    )
    accepted = shop.wait_for_draft()
    assert "キャンセルを承りました" in subject_of(accepted.raw)
    assert len(shop.drafts()) == 1
    assert results(owe(shop, "1042", "--matter", "restock")) == {"1042": "again"}


def test_an_edited_notice_is_found_again_by_its_thread_alone(quick_shop: Shop) -> None:
    """A mail client saves an edit as a new mail: new UID, new Message-ID, no headers of ours."""
    from tests.journeys.test_approval import thunderbird_saves

    shop = quick_shop
    shop.order("1042")
    shop.start()
    owe(shop, "1042", "--matter", "sold_out")
    draft = shop.wait_for_draft()
    assert "【要確認: 品切れの理由】" in text_of(draft.raw)
    edited = thunderbird_saves(shop, draft, "ご注文 1042 の商品をご用意できず、申し訳ございません。")
    until(lambda: [d for d in shop.drafts() if header_of(d.raw, "Message-ID") == edited], "the edited draft is there")
    shop.approve(shop.drafts()[-1])
    assert "ご用意できず" in text_of(shop.wait_for_mail())


def test_without_a_daemon_the_command_writes_the_drafts_and_a_blank_is_not_sent(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.order("1043", status="shipped")
    shop.start()
    shop.stop()
    shown = owe(shop, "1042", "1043", "--matter", "sold_out", "-n", expect=1)
    assert results(shown) == {"1042": "would", "1043": "refused"}
    assert shown[0]["draft"]["blanks"] == ["品切れの理由"]
    assert shop.drafts() == []
    rows = owe(shop, "1042", "1043", "9999", "--matter", "sold_out", expect=1)
    assert results(rows) == {"9999": "refused", "1042": "written", "1043": "refused"}
    (draft,) = shop.drafts()
    note = shop.wait_for_note("下書きを1件")
    assert "発送" in note
    shop.start()
    shop.approve(draft)
    assert "品切れの理由" in shop.wait_for_note("送信していません")
    assert shop.sink.mails == []
    # What was refused may be asked for again once the facts are others.
    shop.order("1043", status="paid")
    assert results(owe(shop, "1043", "--matter", "sold_out")) == {"1043": "written"}


def test_who_changes_the_orders_and_asks_at_once_is_answered_out_of_the_new_ones(
    quick_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.order("1043", status="shipped")
    shop.start()
    monkeypatch.setattr(Daemon, "_refresh_orders", lambda self: None)  # Its own next look is still to come.
    shop.order("1042", status="shipped")
    shop.order("1043", status="paid")
    told = results(owe(shop, "1042", "1043", "--matter", "sold_out", expect=1))
    assert told == {"1042": "refused", "1043": "written"}


def test_one_item_with_many_orders_gives_one_draft_each_however_often_it_is_asked(quick_shop: Shop) -> None:
    shop = quick_shop
    for n in range(60):
        shop.orders[str(2000 + n)] = {
            "order_id": str(2000 + n), "channel": "own", "status": "paid" if n % 10 else "shipped", "buyer_name": f"客 {n}",
            "buyer_mail": f"buyer{n}@mail.example", "payment": "credit_card", "total": "980", "currency": "JPY",
            "items": "青いマグ" if n % 2 else "赤いマグ",
        }  # fmt: skip
    shop.start()
    assert (
        CliRunner()
        .invoke(cli, ["owe", "--config", str(shop.folder), "--matter", "sold_out", "--item", "マグ"])
        .exit_code
        == 1
    )
    rows = owe(shop, "--matter", "sold_out", "--item", "青い", "--cause", "discontinued")
    assert {row["result"] for row in rows} == {"written"}
    assert len(rows) == 30
    until(lambda: len(shop.drafts()) == 30, "30 drafts")
    again = owe(shop, "--matter", "sold_out", "--item", "青いマグ")
    assert {row["result"] for row in again} == {"again"}
    assert len(again) == 30
    assert len({header_of(d.raw, "To") for d in shop.drafts()}) == 30
    assert len([note for note in shop.notes() if "下書きを30件" in note]) == 1


def test_a_buyer_who_writes_while_a_notice_waits_is_held_and_the_notice_stays(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.start()
    owe(shop, "1042", "--matter", "restock", "--restock", "2099-12-10")
    draft = shop.wait_for_draft()
    shop.buyer_writes("注文番号1042はいつ届きますか。")
    shop.wait_for_note("お知らせの下書きがある注文")
    assert [d.raw for d in shop.drafts()] == [draft.raw]
    shop.approve(draft)
    assert "もう一度承認フォルダに" in shop.wait_for_note("送信していません")
    assert shop.sink.mails == []


def test_a_held_mail_is_answered_by_the_notice_and_an_outdated_reply_is_replaced(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042", ship_by="2099-12-01T10:00:00+09:00")
    shop.start()
    asked = shop.buyer_writes("注文番号1042はいつ届きますか。")
    reply = shop.wait_for_draft()
    assert "12月1日" in text_of(reply.raw)
    owe(shop, "1042", "--matter", "sold_out", "--cause", "inspection")
    until(
        lambda: [d for d in shop.drafts() if "検品" in text_of(d.raw)] and len(shop.drafts()) == 1, "the notice alone"
    )
    (notice,) = shop.drafts()
    assert header_of(notice.raw, "In-Reply-To") == asked
    shop.approve(notice)
    shop.wait_for_mail()
    shop.wait_until_filed()
    until(lambda: shop.answered(asked), "the buyer's mail is answered")


def test_who_has_asked_to_cancel_is_not_asked_to_wait(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    accepted = shop.wait_for_draft()
    (row,) = owe(shop, "1042", "--matter", "restock", expect=1)
    assert (row["result"], row["code"]) == ("refused", "owed_buyer_cancels")
    assert [d.raw for d in shop.drafts()] == [accepted.raw]


def test_a_killed_command_is_finished_by_whoever_comes_next(quick_shop: Shop) -> None:
    """The wish is in the journal before any draft: nothing is lost, nothing doubled."""

    shop = quick_shop
    shop.order("1042")
    shop.start()
    shop.stop()
    journal = Journal(f"sqlite:///{Path(shop.folder) / 'state' / 'responder.db'}")
    row = owed.Wished("main", "1042", "checking", "1042", {}, "command", "b1")
    with journal.durable() as tx:
        assert owed.wish(tx, [row], now=datetime.now(UTC)) == ([row], [])
    with journal.durable() as tx:
        assert [one.order_id for one in owed.wish(tx, [row], now=datetime.now(UTC))[1]] == ["1042"]
    journal.close()
    shop.start()
    assert "確認しております" in text_of(shop.wait_for_draft().raw)
    assert results(owe(shop, "1042", "--matter", "checking")) == {"1042": "again"}
    assert len(shop.drafts()) == 1


def test_a_watched_file_is_taken_over_and_its_mistakes_are_told(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.order("1043", buyer_mail="ken@mail.example")
    shop.start()
    path = shop.folder / "owe.csv"
    path.write_text("注文番号,用件,理由,入荷日\n1042,入荷待ち,入荷遅れ,2099-12-10\n1043,火星,,\n", encoding="cp932")
    assert "2099年12月10日" in text_of(shop.wait_for_draft().raw)
    assert "owe.csv:3" in shop.wait_for_note("お知らせのファイル")
    path.write_text(
        "注文番号,用件,理由,入荷日\n1042,入荷待ち,入荷遅れ,2099-12-10\n1043,発送遅延,,\n9999,欠品,,\n", encoding="utf-8"
    )
    until(lambda: len(shop.drafts()) == 2, "the second draft")
    assert "9999" in shop.wait_for_note("注文データにありません")
    # The order that was not known yet comes with the next export.
    shop.order("9999", buyer_mail="mai@mail.example")
    until(lambda: len(shop.drafts()) == 3, "the third draft")
    assert len({header_of(d.raw, "To") for d in shop.drafts()}) == 3


def test_an_empty_file_wishes_nothing_and_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "owe.csv"
    path.touch()
    journal, nobody = Journal(f"sqlite:///{tmp_path / 'journal.db'}"), cast(OrderBook, None)
    try:
        found = take_over(journal, bare(), nobody, [path], clock=lambda: datetime.now(UTC))
    finally:
        journal.close()
    assert found == (frozenset(), ())


def test_who_answers_that_he_waits_needs_no_reply_and_staff_are_reminded(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.start()
    owe(shop, "1042", "--matter", "restock", "--restock", "2099-12-10")
    shop.approve(shop.wait_for_draft())
    sent = shop.wait_for_mail()
    shop.wait_until_filed()
    thread = {"In-Reply-To": header_of(sent, "Message-ID"), "References": header_of(sent, "References")}
    shop.buyer_writes(
        "待つ\n\n> 次の入荷は、12月10日の予定でございます。", subject=f"Re: {subject_of(sent)}", headers=thread
    )
    assert "確保" in shop.wait_for_note("お待ちくださいます（注文 1042）")
    assert shop.drafts() == []
    # Another mind, and another: nobody is told that his order is cancelled who waits after all.
    shop.buyer_writes("キャンセル", subject=f"Re: {subject_of(sent)}", headers=thread)
    shop.wait_for_draft()
    shop.buyer_writes("やっぱり待ちます。", subject=f"Re: {subject_of(sent)}", headers=thread)
    assert "「待つ」と返信されています" in shop.wait_for_note("ご対応をお願いします")
    assert shop.drafts() == []


PERK = """
[[incident]]
kind = "snow"
until = 2099-11-27
region = { ja = "北陸地方" }
[[perk]]
name = "coupon"
gives = { ja = "次回のお買い物でお使いいただける500円引きのクーポンを差し上げます。" }
matters = ["delay"]
causes = ["late_supply"]
most_a_month = 2
"""


def test_what_the_policy_grants_is_given_once_to_a_buyer_and_up_to_its_ceiling(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.shop_extra = PERK
    for n, buyer in enumerate(("hanako", "hanako", "ken", "mai")):
        shop.order(str(1042 + n), buyer_mail=f"{buyer}@mail.example")
    shop.order("2001", channel="rakuten", buyer_mail="x1@pc.fw.rakuten.ne.jp")
    shop.start()
    shop.stop()
    numbers = [*(str(1042 + n) for n in range(4)), "2001"]
    owe(shop, *numbers, "--matter", "delay", "--cause", "late_supply", "--ship", "2099-12-01")
    texts = [text_of(d.raw) for d in shop.drafts()]
    assert len(texts) == 5
    assert all("北陸地方の大雪" in text for text in texts)
    granted = [text for text in texts if "クーポン" in text]
    assert ["1042" in text for text in granted] == [True, False]
    assert "1044" in granted[1]
    assert "規定による特典" in shop.wait_for_note("下書きを5件")


def test_of_two_notices_only_checking_makes_room_and_combined_takes_the_place_of_either(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.start()
    shop.stop()
    for matter, expect, count in (("checking", "written", 1), ("restock", "written", 1), ("delay", "refused", 1)):
        (row,) = owe(shop, "1042", "--matter", matter, expect=int(expect == "refused"))
        assert row["result"] == expect
        assert len(shop.drafts()) == count
    assert row["code"] == "owed_other_notice"
    assert "入荷待ち" in subject_of(shop.drafts()[0].raw)
    assert results(owe(shop, "1042", "--matter", "combined")) == {"1042": "written"}
    (draft,) = shop.drafts()
    assert "欠品と発送の遅れ" in subject_of(draft.raw)
