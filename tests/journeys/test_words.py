"""The words of an approved text are read once more: what the channel forbids, and claims without a fact, wait."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.shop import Shop, text_of, until
from tests.journeys.test_approval import thunderbird_saves

AMAZON_ORDER = "249-1234567-1234567"
RELAY = "abc123def456@marketplace.amazon.co.jp"


def edit(shop: Shop, add: str) -> None:
    """Staff add words to the draft and approve it."""
    draft = shop.wait_for_draft()
    thunderbird_saves(shop, draft, f"{add}\n\n{text_of(draft.raw)}")
    until(lambda: [d for d in shop.drafts() if add in text_of(d.raw)], "the edited draft is there")
    shop.approve(next(d for d in shop.drafts() if add in text_of(d.raw)))


def test_a_claim_staff_typed_waits_for_its_fact_or_a_second_yes(shop: Shop) -> None:
    shop.order("1042", status="preparing")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    edit(shop, "なお、商品は本日発送いたしました。")
    note = shop.wait_for_note("まだ発送されていません")
    assert "「なお、商品は本日発送いたしました。」" in note
    assert shop.sink.mails == []
    until(shop.drafts, "the draft is back")
    shop.approve(shop.drafts()[-1])
    assert "本日発送いたしました" in text_of(shop.wait_for_mail())


def test_what_amazon_forbids_is_held_and_the_note_names_each_sentence(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.order(AMAZON_ORDER, channel="amazon", status="shipped", carrier="ヤマト運輸", tracking_no="1234-5678-9012",
               buyer_mail=RELAY)  # fmt: skip
    shop.start()
    shop.buyer_writes(
        f"注文番号 {AMAZON_ORDER} の荷物はいつ届きますか。", sender=RELAY, name="花子 - Amazon Marketplace"
    )
    edit(shop, "お急ぎの際は078-123-4567へお電話ください。お詫びにクーポンをお送りします。")
    note = shop.wait_for_note("電話番号")
    assert "クーポン" in note
    assert "078-123-4567" in note
    assert shop.sink.mails == []


def test_a_shop_lets_a_finding_pass_with_a_remark(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot(shop={"shop_extra": '[wording]\nwarn_only = ["claim_shipped", "subject"]'})
    shop.order("1042", status="preparing")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    edit(shop, "なお、商品は本日発送いたしました。")
    shop.wait_for_mail()
    note = shop.wait_for_note("送信しました")
    assert "「なお、商品は本日発送いたしました。」" in note


def test_a_buyer_is_asked_only_once_to_keep_his_order(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.order("1042", status="preparing", ship_by="2099-12-01")
    shop.start()
    shop.buyer_writes("発送が遅すぎるので、注文番号1042をキャンセルしてください。")
    offer = shop.wait_for_draft()
    assert "このままお届けしてもよろしいでしょうか" in text_of(offer.raw)
    shop.approve(offer)
    shop.wait_for_mail()
    shop.wait_until_filed()
    shop.buyer_writes("やはり遅すぎるので、注文番号1042をキャンセルしてください。")
    until(lambda: [d for d in shop.drafts() if "キャンセルを承りました" in text_of(d.raw)], "the cancel is accepted")
