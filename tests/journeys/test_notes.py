"""Notes beside a draft: what to do before approving, and what a draft in another language says. One at most, and none
where there is nothing to do or to know."""

from __future__ import annotations

import os
import time

from tests.journeys.shop import Shop, subject_of, text_of, until


def test_the_note_of_a_cancel_says_where_what_of_the_money_and_what_the_draft_says(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042", status="preparing", buyer_name="James Carter")
    shop.start()
    shop.buyer_writes("Hello, please cancel my order 1042. Thank you.", subject="Order 1042", name="James Carter")
    draft = shop.wait_for_draft()
    assert "cancellation" in subject_of(draft.raw)
    (note,) = until(shop.all_notes, "a note")
    lines = [line for line in note.splitlines() if line.startswith("- ")]
    for word, line in zip(("受注管理の画面", "クレジットカード", "出荷を止めて", "orders.csv"), lines, strict=False):
        assert word in line
    assert "| 【みなと雑貨店】ご注文のキャンセルを承りました（1042）" in note
    assert "> Hello, please cancel my order 1042." in note
    assert "キャンセルを承りました" not in text_of(draft.raw)


def test_an_english_draft_with_nothing_to_do_is_told_in_japanese_and_a_japanese_one_is_not_told(
    quick_shop: Shop,
) -> None:
    shop = quick_shop
    shop.order("1042", status="shipped", carrier="ヤマト運輸", tracking_no="1234-5678-9012")
    shop.start()
    shop.buyer_writes("注文番号1042の荷物は今どこですか。")
    shop.wait_for_draft()
    shop.buyer_writes("Where is my order 1042?", subject="Order", name="Hanako", headers={"X-Other": "1"})
    (note,) = until(shop.all_notes, "a note")
    assert note.startswith("下書きの内容")
    assert "英語" in note
    assert "ヤマト運輸" in note
    until(lambda: len(shop.drafts()) == 1, "one draft answers both")


def test_an_export_of_days_ago_sends_staff_to_the_page_first(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042", status="preparing", ship_by="2099-12-01")
    then = time.time() - 50 * 3600
    shop.write_files()
    os.utime(shop.folder / "orders.csv", (then, then))
    shop.write_files = lambda: None  # type: ignore[method-assign]
    shop.start()
    shop.buyer_writes("注文番号1042はいつ発送されますか。")
    shop.wait_for_draft()
    (note,) = until(shop.all_notes, "a note")
    assert "50 時間前" in note
    assert "まだ発送されていないこと" in note
