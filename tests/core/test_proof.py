"""The last reading finds what must not leave, with its sentence, and leaves true words alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.core.blanks import own_words
from responder.core.channels import FORBIDDEN
from responder.core.proof import FINDINGS, Paper, Text, load_proofreader
from responder.core.templates import Templates
from responder.core.wording import Catalog
from responder.errors import ConfigError
from responder.model import LANGUAGES, Item, Language, Order
from tests.builders import make_order

TEMPLATES = Templates.load([Path(__file__).resolve().parents[2] / "templates"])
PROOF = load_proofreader(refunds=TEMPLATES.refunds, carriers=TEMPLATES.carriers)
NO_ORDER = "no order"


@dataclass(frozen=True)
class Channel:
    name: str = "own"
    forbidden: tuple[str, ...] = ()
    must_contain: tuple[str, ...] = ()
    link_hosts: tuple[str, ...] = ()


EVERYTHING = Channel("amazon", FORBIDDEN, (), ("amazon.co.jp", "@carriers"))


def kinds(
    words: str,
    *,
    language: Language = "ja",
    order: Order | None = None,
    channel: Channel = EVERYTHING,
    subject: str = "【みなと雑貨店】ご注文について（1042）",
    **paper: Any,
) -> set[str]:
    """What is found in a text."""
    given_ = Paper(channel, language, order, order.order_id if order else None, "みなと雑貨店", **paper)
    return {finding.kind for finding in PROOF.read(Text(subject, words), given_)}


FOUND: list[tuple[str, Language, str]] = [
    ("link", "ja", "詳しくは https://minato.example/item/12 をご覧ください。"),
    ("link", "ja", "当店のサイト（minato-zakka.jp）をご覧ください。"),
    ("link", "en", "See www.minato.example/returns for details."),
    ("link", "ja", "http://www.amazon.co.jp/gp/help をご覧ください。"),
    ("link", "ja", "https://www.amazon.co.jp.evil.example/gp をご覧ください。"),
    ("mail_addresses", "ja", "shop@minato.example までご連絡ください。"),
    ("mail_addresses", "ja", "ｓｈｏｐ＠ｍｉｎａｔｏ．ｅｘａｍｐｌｅ までご連絡ください。"),
    ("mail_addresses", "en", "Write to shop (at) minato (dot) example please."),
    ("mail_addresses", "zh", "请发邮件至 shop★minato.example 。"),
    ("phone", "ja", "お電話（078-123-4567）でも承ります。"),
    ("phone", "ja", "お電話（０７８－１２３－４５６７）でも承ります。"),
    ("phone", "ja", "携帯は09012345678です。"),
    ("phone", "ja", "フリーダイヤル0120-123-456へどうぞ。"),
    ("phone", "en", "Please call us on +81 78 123 4567."),
    ("phone", "en", "Our number is (212) 555-0123."),
    ("phone", "zh", "请拨打电话 021 6123 4567。"),
    ("postal_address", "ja", "〒650-0000までお送りください。"),
    ("postal_address", "ja", "兵庫県神戸市中央区1丁目までお送りください。"),
    ("postal_address", "en", "Please send it to 12 Harbour View Road."),
    ("social_id", "ja", "LINE公式アカウントからもお問い合わせいただけます。"),
    ("social_id", "en", "You can also reach us on WhatsApp."),
    ("social_id", "zh", "可以加我的微信。"),
    ("social_id", "zh", "可以加我們的微信。"),
    ("coupon", "ja", "お詫びに500円のクーポンをお送りします。"),
    ("coupon", "ja", "次回のお買い物で10%割引いたします。"),
    ("coupon", "en", "Here is a coupon for you: SORRY10."),
    ("coupon", "en", "You will get 10% off your next order."),
    ("coupon", "zh", "我们送您一张优惠券。"),
    ("coupon", "zh", "我們送您一張折價券、優惠券。"),
    ("advertising", "ja", "ただいま春のキャンペーンを実施しております。"),
    ("advertising", "en", "Please check out our new arrivals."),
    ("advertising", "zh", "欢迎关注我们，新品上市。"),
    ("review_request", "ja", "よろしければレビューのご記入をお願いいたします。"),
    ("review_request", "en", "Would you please leave us a positive review?"),
    ("review_request", "zh", "请给我们五星好评。"),
    ("review_bait", "ja", "レビューをお書きいただいた方に粗品を差し上げます。"),
    ("review_bait", "ja", "低い評価を削除していただけますでしょうか。"),
    ("review_bait", "en", "Once you remove the review we will send you a gift."),
    ("review_bait", "zh", "写好评返现5元。"),
    ("other_shop", "ja", "自社サイトではさらにお安くご購入いただけます。"),
    ("other_shop", "ja", "楽天市場店にも在庫がございます。"),
    ("other_shop", "en", "It is cheaper on our own website."),
    ("other_shop", "zh", "在官网购买更便宜。"),
    ("unsolicited_offer", "en", "We can also offer you the larger one at a special price."),
    ("unsolicited_offer", "ja", "別の商品を特別価格でご案内いたします。"),
    ("emoji", "ja", "ありがとうございます😊"),
    ("emoji", "en", "Thank you! \U0001f389"),
    ("ask_to_cancel", "ja", "在庫切れのため、お客様のほうでキャンセルのリクエストをお送りいただけますでしょうか。"),
    ("ask_to_cancel", "ja", "申し訳ございません、欠品しております。お手数ですがキャンセルの申請をお願いいたします。"),
    ("ask_to_cancel", "en", "The item is out of stock. Please request a cancellation from your account."),
    ("ask_to_cancel", "zh", "该商品缺货，请您申请取消订单。"),
    ("claim_cancelled", "ja", "ご注文はキャンセルいたしました。"),
    ("claim_cancelled", "ja", "下記のご注文は、キャンセルの手続きが完了しております。"),
    ("claim_cancelled", "en", "Your order has been cancelled."),
    ("claim_cancelled", "en", "We've already canceled it."),
    ("claim_cancelled", "zh", "您的订单已取消。"),
    ("claim_cancelled", "zh", "您的以下訂單已經取消，不會再出貨。"),
    ("claim_refunded", "ja", "代金は昨日返金いたしました。"),
    ("claim_refunded", "ja", "ご返金の手続きは完了しております。"),
    ("claim_refunded", "en", "We have refunded the full amount."),
    ("claim_refunded", "en", "The refund was issued yesterday."),
    ("claim_refunded", "zh", "我们已经为您退款。"),
    ("claim_refunded", "zh", "退款手續已經完成。"),
    ("claim_shipped", "ja", "商品は本日発送いたしました。"),
    ("claim_shipped", "ja", "すでに発送済みでございます。"),
    ("claim_shipped", "ja", "商品はすでに配送会社へ引き渡しております。"),
    ("claim_shipped", "en", "Your order was shipped this morning."),
    ("claim_shipped", "en", "It is already on its way."),
    ("claim_shipped", "zh", "商品今天已经发货。"),
    ("claim_shipped", "zh", "商品已於今日出貨。"),
    ("claim_delivered", "ja", "配送会社の記録では配達済みとなっております。"),
    ("claim_delivered", "en", "The carrier's records show it as delivered."),
    ("claim_delivered", "zh", "包裹已经送达。"),
    ("claim_paid", "ja", "ご入金を確認いたしました。"),
    ("claim_paid", "en", "We have received your payment."),
    ("claim_paid", "zh", "我们已收到您的付款。"),
    ("language", "ja", "ご連絡ありがとうございます。We are sorry for the wait and will ship it soon."),
    ("language", "ja", "感谢您的来信，我们会尽快给您发货。"),
    ("language", "en", "Thank you. 商品は明日お送りする予定でございます。"),
    ("language", "en", "感谢您的来信，我们会尽快给您答复。"),
    ("language", "zh", "感谢您的来信。よろしくお願いいたします。"),
    ("language", "zh", "We are sorry for the wait and will write to you soon."),
]


@pytest.mark.parametrize(("kind", "language", "words"), FOUND)
def test_what_must_not_leave_is_found(kind: str, language: Language, words: str) -> None:
    order = make_order(status="unpaid", payment="")
    assert kind in kinds(words, language=language, order=order)


FINE: list[tuple[Language, str]] = [
    ("ja", "ご注文番号: 249-1234567-1234567"),
    ("ja", "お問い合わせ番号: 4912-3456-7890"),
    ("ja", "お問い合わせ番号: 491234567890"),
    ("ja", "配送状況のご確認: https://member.kms.kuronekoyamato.co.jp/parcel/detail?pno=491234567890"),
    ("ja", "https://www.amazon.co.jp/gp/css/order-history をご覧ください。"),
    ("ja", "発送予定日: 2026-11-25、金額: 1,234,567円"),
    ("ja", "発送いたしましたら、あらためてご連絡いたします。"),
    ("ja", "商品はまだ発送しておりませんので、このままキャンセルの手続きをいたします。"),
    ("ja", "発送完了のメールをお送りします。"),
    ("ja", "下記のご注文のキャンセルを承りました。"),
    ("ja", "キャンセルの手続きが完了しましたら、ご連絡いたします。"),
    ("ja", "返金が完了次第、お知らせいたします。"),
    ("ja", "お支払いはまだ確認できておりません。"),
    ("ja", "お支払いを確認できましたら、発送の準備に入ります。"),
    ("ja", "やはりキャンセルをご希望の場合は、このメールへのご返信でお知らせください。"),
    ("ja", "配達済みの場合は、ご連絡ください。"),
    ("ja", "ご利用いただいたクーポンは、キャンセルの後に戻ります。"),
    ("ja", "レビューをいただき、ありがとうございました。"),
    ("ja", "写真を先ほどのメールでお送りしました。"),
    ("en", "Once it has been shipped, we will send you the tracking number."),
    ("en", "The order has not been shipped, and we will cancel it."),
    ("en", "We will cancel the order, as long as it has not been shipped."),
    ("en", "If the order has already been cancelled, please ignore this message."),
    ("en", "We have not received your payment yet."),
    ("en", "We have not been able to confirm your payment."),
    ("en", "When the refund has been issued, we will write again."),
    ("en", "It may be refunded later. Arrives in 1 to 3 days."),
    ("en", "Order: 12-34567-89012, item: MUG-01, total: USD 1,234.50"),
    ("en", "You may also refuse the parcel when it is delivered."),
    ("zh", "以下订单尚未发货，我们将为您取消该订单。"),
    ("zh", "发货后，您可以凭运单号查询物流进度。"),
    ("zh", "我们尚未收到该订单的付款。"),
    ("zh", "我们已受理您的取消申请。"),
    ("zh", "確認付款後，我們會開始準備出貨。"),
    ("zh", "如果包裹没有送达，商品退回本店后，我们会再与您联系。"),
    ("zh", "新的收货地址：東京都港区芝公園4-2-8 みなとビル"),
]


@pytest.mark.parametrize(("language", "words"), FINE)
def test_true_and_harmless_words_are_left_alone(language: Language, words: str) -> None:
    channel = replace(EVERYTHING, forbidden=tuple(k for k in FORBIDDEN if k != "postal_address"))
    order = make_order(status="unpaid", payment="")
    assert kinds(words, language=language, order=order, channel=channel) == set()


CLAIMS: list[tuple[str, Order | None, set[str]]] = [
    ("商品は発送いたしました。", make_order(status="shipped"), set()),
    ("商品は発送いたしました。", make_order(status="preparing"), {"claim_shipped"}),
    ("商品は発送いたしました。", None, {"claim_shipped"}),
    ("キャンセルいたしました。", make_order(status="cancelled"), set()),
    ("キャンセルいたしました。", make_order(status="shipped"), {"claim_cancelled"}),
    ("返金いたしました。", make_order(extra={"返金日": "2026-11-19"}), set()),
    ("返金いたしました。", make_order(status="cancelled"), {"claim_refunded"}),
    ("返金いたしました。", make_order(status_word="返金済み"), set()),
    ("配達済みでございます。", make_order(status="delivered"), set()),
    ("配達済みでございます。", make_order(status="shipped"), {"claim_delivered"}),
    ("ご入金を確認いたしました。", make_order(status="paid"), set()),
    ("ご入金を確認いたしました。", make_order(status="unpaid"), {"claim_paid"}),
    ("当店より3営業日以内に返金いたします。", make_order(status="paid"), set()),
    ("当店より3営業日以内に返金いたします。", make_order(status="unpaid"), {"claim_refund_promised"}),
    ("当店より3営業日以内に返金いたします。", make_order(payment="代金引換"), {"claim_refund_promised"}),
]


@pytest.mark.parametrize(("words", "order", "expected"), CLAIMS)
def test_a_claim_needs_its_fact(words: str, order: Order | None, expected: set[str]) -> None:
    assert kinds(words, order=order, channel=Channel()) == expected


@pytest.mark.parametrize(
    ("language", "words"),
    [("ja", "当店から返金いたします。"), ("en", "We will refund you."), ("zh", "我们会为您退款。")],
)
@pytest.mark.parametrize("channel", ["rakuten", "amazon"])
def test_a_refund_by_the_shop_is_not_promised_where_the_mall_pays(channel: str, language: Language, words: str) -> None:
    found = kinds(words, language=language, order=make_order(), channel=Channel(channel))
    assert found == {"claim_refund_promised"}


def test_a_claim_in_the_subject_counts_too() -> None:
    assert kinds("本文です。", subject="商品を発送いたしました（1042）", channel=Channel()) == {"claim_shipped"}


def test_what_staff_filled_into_our_blank_is_their_own_knowledge() -> None:
    ours = "下記のご注文のご返金の手続きは、【要確認: 返金の手続きをした日】に行っております。\n\nご注文番号: 1042"
    order = make_order(status="cancelled")
    filled = ours.replace("【要確認: 返金の手続きをした日】", "11月18日（水）")
    assert kinds(filled, order=order, channel=Channel(), ours=ours) == set()
    assert kinds(filled, order=order, channel=Channel()) == {"claim_refunded"}
    more = filled + "\n\n昨日返金いたしました。"
    assert kinds(more, order=order, channel=Channel(), ours=ours) == {"claim_refunded"}


def test_what_the_buyer_wrote_is_not_looked_at() -> None:
    text = "確認いたします。\n\n2026年11月20日(金) 10:02 田中 花子 様:\n> 発送いたしましたとありました。\n> https://x.example/ 😊"
    assert kinds(own_words(text), order=make_order()) == set()


def test_names_in_the_order_are_no_findings() -> None:
    names = ("クーポンケース", "発送済みスタンプ", "Cancelled Order Stamp coupon", "レビューをお願いしますカード")
    order = make_order(items=tuple(Item(name, "X") for name in names), buyer_name="完売 太郎")
    words = "\n".join(f"商品: {name}" for name in names) + "\n完売 太郎 様"
    assert kinds(words, order=order) == set()


def test_asking_to_cancel_is_fine_where_the_buyer_wishes_it() -> None:
    words = "お手数ですが、次の手順でキャンセルのリクエストをお送りください。"
    assert kinds(words, order=make_order()) == set()
    assert kinds(words, order=make_order(status="out_of_stock")) == {"ask_to_cancel"}


def test_links_only_html_shows_are_looked_at() -> None:
    text = Text("件名 1042", "こちらをご覧ください。", ("https://minato.example/", "mailto:shop@minato.example"))
    found = PROOF.read(text, Paper(EVERYTHING, "ja", make_order(), "1042"))
    assert [f.kind for f in found] == ["link", "mail_addresses"]


def test_the_order_number_must_stand_where_the_channel_wants_it() -> None:
    amazon = Channel("amazon", (), ("order_id",))
    order = make_order("249-1234567-1234567")
    assert kinds("本文です。", order=order, channel=amazon) == {"order_id"}
    for words in ("注文 249-1234567-1234567", "注文 ２４９－１２３４５６７－１２３４５６７", "249-1234567-\n1234567"):
        assert kinds(words, order=order, channel=amazon) == set()
    assert kinds("本文です。", order=order, channel=amazon, subject="注文 249-1234567-1234567") == set()


@pytest.mark.parametrize(
    "subject",
    ["", "Re:", "重要", "【重要】", "Re: 【みなと雑貨店】", "在庫切れ", "Important", "Out of stock", "缺货", "缺貨",
     "件名: 【要確認: 件名】", "【みなと雑貨店】お知らせ"],
)  # fmt: skip
def test_a_subject_that_says_nothing_is_found(subject: str) -> None:
    assert kinds("本文です。", subject=subject, channel=Channel()) == {"subject"}


@pytest.mark.parametrize(
    "subject", ["Re: 注文について", "【重要】ご注文1042の発送日", "Your order 1042", "关于订单 1042"]
)
def test_a_subject_that_says_something_is_left_alone(subject: str) -> None:
    assert kinds("本文です。", subject=subject, channel=Channel()) == set()


def test_chinese_scripts_are_not_mixed() -> None:
    ours = "感謝您的來信。以下訂單尚未出貨，我們已受理您的取消申請。"
    assert kinds(ours + "我们还会给您发邮件。", language="zh", channel=Channel(), ours=ours) == {"language"}
    assert kinds(ours, language="zh", channel=Channel(), ours=ours) == set()


def test_the_signature_is_in_the_shops_own_language() -> None:
    signature = "みなと雑貨店\nお問い合わせはお気軽にどうぞ"
    words = f"Thank you for your message.\n\n{signature}"
    assert kinds(words, language="en", channel=Channel(), signature=signature) == set()
    assert kinds(words, language="en", channel=Channel()) == {"language"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_has_its_words(language: Language) -> None:
    catalog = Catalog.load()
    for kind in FINDINGS:
        said = catalog.text(f"wording_{kind}", language, channel="Amazon", sentence="X-1")
        assert "X-1" in said
        assert "wording_" not in said


def test_a_shop_adds_phrases_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "proof.toml").write_text('[advertising.ja]\nsays = ["福袋"]\n', encoding="utf-8")
    proof = load_proofreader([tmp_path])
    found = proof.read(Text("件名 1042", "福袋のご案内です。"), Paper(EVERYTHING, "ja", make_order()))
    assert [f.kind for f in found] == ["advertising"]


@pytest.mark.parametrize(
    ("text", "key", "code"),
    [
        ("[advertisng.ja]\nsays = []\n", "advertisng", "unknown_key"),
        ("[coupon.fr]\nsays = []\n", "coupon.fr", "unknown_key"),
        ("[coupon.ja]\nsay = []\n", "coupon.ja.say", "unknown_key"),
        ('[coupon.ja]\nsays = "x"\n', "coupon.ja.says", "wrong_type_list"),
        ('[coupon.ja]\nsays = ["(a"]\n', "coupon.ja.says", "phrase_brackets"),
    ],
)
def test_a_mistake_in_the_shops_phrases_is_named(tmp_path: Path, text: str, key: str, code: str) -> None:
    (tmp_path / "proof.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_proofreader([tmp_path])
    assert [(m.key, m.code) for m in caught.value.mistakes] == [(key, code)]


@given(st.text(max_size=400), st.sampled_from(LANGUAGES))
def test_no_text_raises(words: str, language: Language) -> None:
    order = make_order(shipped_at=datetime(2026, 11, 19, tzinfo=UTC))
    PROOF.read(Text(words[:80], words, (words[:40],)), Paper(EVERYTHING, language, order, "1042", ours=words[::-1]))
