"""Notes beside a draft: what to do before approving, and what a draft in another language says. One at most, and none
where there is nothing to do or to know."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

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
    shop.write_files = lambda: None
    shop.start()
    shop.buyer_writes("注文番号1042はいつ発送されますか。")
    shop.wait_for_draft()
    (note,) = until(shop.all_notes, "a note")
    assert "50 時間前" in note
    assert "まだ発送されていないこと" in note


def test_what_a_cancel_would_cost_on_amazon_is_counted_from_exports_and_from_what_we_sent(quick_shop: Shop) -> None:
    shop = quick_shop
    now = datetime.now(UTC)

    def order(number: int, days: int, status: str) -> str:
        relay = f"buyer{number}@marketplace.amazon.co.jp"
        at = (now - timedelta(days=days)).isoformat()
        order_id = f"249-0000000-000000{number}"
        shop.order(order_id, channel="amazon", status=status, buyer_mail=relay, ordered_at=at)
        return order_id

    order(1, 30, "shipped")
    for number, status in ((2, "shipped"), (3, "cancelled"), (4, "paid")):
        order(number, 2, status)
    asked = order(5, 1, "paid")
    shop.start()
    shop.buyer_writes(f"注文 {asked} をキャンセルしてください。", sender="buyer5@marketplace.amazon.co.jp")
    shop.wait_for_draft()
    (note,) = until(shop.all_notes, "a note")
    assert "直近 7 日の 4 件のうち 2 件目（50.0%）" in note
    assert "上限の 2.5% を超えます" in note
    assert f"Seller Centralで注文 {asked} をキャンセルしないでください" in note


def test_what_a_stock_out_costs_on_a_marketplace_stands_in_the_note_of_its_notices(quick_shop: Shop) -> None:
    from tests.journeys.test_owe import owe

    shop = quick_shop
    now = datetime.now(UTC)
    for number, days, status in (
        (1, 30, "shipped"),
        (2, 2, "cancelled"),
        (3, 1, "paid"),
        (4, 1, "paid"),
        (5, 1, "paid"),
    ):
        shop.order(
            f"249-0000000-000000{number}",
            channel="amazon",
            status=status,
            buyer_mail=f"buyer{number}@marketplace.amazon.co.jp",
            ordered_at=(now - timedelta(days=days)).isoformat(),
        )
    shop.start()
    owe(shop, "249-0000000-0000003", "249-0000000-0000004", "--matter", "sold_out", "--cause", "late_supply")
    until(lambda: len(shop.drafts()) == 2, "two notices")
    note = until(lambda: next((n for n in shop.all_notes() if "下書きを2件" in n), None), "a note")
    assert "直近 7 日の 4 件のうち 3 件（75.0%）になります" in note
