"""A letter is true, complete or visibly incomplete, and safe to store."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from email.header import decode_header, make_header
from email.utils import parseaddr
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.compose import Templates, blanks_in, compose, draft_bytes, facts_now, own_words, text_of
from responder.core.headers import shortened
from responder.core.templates import VARIANTS
from responder.errors import MessageError
from responder.model import Address, Attachment, Decision, Identity, Item, Language, Letter, Message, Order
from tests.builders import NOW, SHOP, make_message, make_order

TEMPLATES = Templates.load([Path(__file__).resolve().parents[2] / "templates"])
CORE = (
    "cancel_before_ship",
    "cancel_after_ship",
    "where_is_order_unshipped",
    "where_is_order_shipped",
    "where_is_order_overdue",
    "delivered_not_received",
)
SAID = {
    "ja": "キャンセルしたいです。",
    "en": "Please cancel my order.",
    "zh": "请取消我的订单。",
    "zh-hant": "請取消我的訂單。",
}
TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True)
class Channel:
    """What composing looks at of a channel."""

    name: str
    quote_original: bool = True
    allows_links: bool = True
    forbidden: tuple[str, ...] = ()
    title: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Pasted(Channel):
    """A channel with its way of answering."""

    reply_mode: str = "mail"


AMAZON = Channel("amazon", quote_original=False, allows_links=False, forbidden=("mail_addresses", "phone"))


@dataclass(frozen=True)
class Shop:
    name: str = "みなと雑貨店"
    language: Language = "ja"
    timezone: tzinfo = TOKYO
    signature: str = "みなと雑貨店\nshop@minato-zakka.example"
    names: dict[Language, str] = field(default_factory=dict)
    signatures: dict[Language, str] = field(default_factory=dict)
    policy: dict[str, str] = field(default_factory=dict)


def shipped(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "status": "shipped",
        "carrier": "ヤマト運輸",
        "tracking_no": "1234-5678-9012",
        "shipped_at": NOW - timedelta(days=1),
    }
    values.update(changes)
    return make_order(**values)


def write(
    template: str,
    order: Order | None = None,
    variant: str = "ja",
    *,
    channel: Channel | None = None,
    shop: Shop | None = None,
    message: Message | None = None,
    identity: Identity = SHOP,
    now: datetime = NOW,
) -> Letter:
    language: Language = "zh" if variant == "zh-hant" else variant
    name = channel.name if channel else "own"
    decision = Decision("draft", "any", "rule", language, name, order=order, template=template)
    return compose(
        decision,
        message or make_message(SAID[variant], language=language),
        identity=identity,
        shop=shop or Shop(),
        channel=channel,
        templates=TEMPLATES,
        now=now,
    )


def flat(text: str) -> str:
    """The text without its line breaks, as a reader reads it."""
    return text.replace("\n", " ")


# --- what must stand in a reply -------------------------------------------------------------------------------------

BEFORE = {
    "ja": ("キャンセルを承りました", "11月26日（木）まで", "1042", "またお気に召すもの"),
    "en": ("accepted your cancellation", "by Thursday, November 26", "1042", "happy to help you again"),
    "zh": ("已受理您的取消申请", "11月26日（星期四）之前", "1042", "为您服务"),
    "zh-hant": ("已受理您的取消申請", "11月26日（星期四）之前", "1042", "為您服務"),
}
AFTER = {
    "ja": ("すでに配送会社へ引き渡して", "1234-5678-9012", "返品をお受けできるかどうか"),
    "en": ("already with the carrier", "1234-5678-9012", "whether we can accept the return"),
    "zh": ("已经交给物流公司", "1234-5678-9012", "能否退货"),
    "zh-hant": ("已經交給物流公司", "1234-5678-9012", "能否退貨"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cancel_before_shipping_is_accepted_with_the_way_of_the_money(variant: str) -> None:
    letter = write("cancel_before_ship", make_order(), variant)
    for words in BEFORE[variant]:
        assert words in flat(letter.text)
    assert "1042" in letter.subject
    assert letter.blanks == ()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cancel_after_shipping_is_declined_with_the_number_and_the_way_back(variant: str) -> None:
    letter = write("cancel_after_ship", shipped(), variant)
    for words in AFTER[variant]:
        assert words in flat(letter.text)
    assert letter.blanks == ()
    for promise in ("キャンセルを承りました", "accepted", "已受理"):
        assert promise not in letter.text + letter.subject


REFUSING = {"ja": "受け取りません", "en": "refuse the parcel", "zh": "拒收", "zh-hant": "拒收"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_refusing_the_parcel_is_named_only_by_the_shops_policy(variant: str) -> None:
    assert REFUSING[variant] not in write("cancel_after_ship", shipped(), variant).text
    for word in ("off", "no", ""):
        shop = Shop(policy={"refuse_parcel": word})
        assert REFUSING[variant] not in write("cancel_after_ship", shipped(), variant, shop=shop).text
    shop = Shop(policy={"refuse_parcel": "on"})
    assert REFUSING[variant] in write("cancel_after_ship", shipped(), variant, shop=shop).text
    delivered = shipped(status="delivered")
    assert REFUSING[variant] not in write("cancel_after_ship", delivered, variant, shop=shop).text


DONE = {
    "ja": "キャンセルの手続きが完了しております",
    "en": "has been cancelled",
    "zh": "已经取消",
    "zh-hant": "已經取消",
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_cancelled_is_said_only_of_a_cancelled_order(variant: str) -> None:
    assert DONE[variant] not in write("cancel_before_ship", make_order(), variant).text
    letter = write("cancel_before_ship", make_order(status="cancelled"), variant)
    assert DONE[variant] in letter.text
    assert letter.facts["is_cancelled"] == "yes"


def test_the_ship_date_stands_with_its_weekday() -> None:
    order = make_order(ship_by=datetime(2026, 11, 24, 15, 0, tzinfo=UTC), status="preparing")
    assert "11月25日（水）までに発送" in write("where_is_order_unshipped", order).text
    assert "by Wednesday, November 25" in write("where_is_order_unshipped", order, "en").text
    assert "11月25日（星期三）之前" in write("where_is_order_unshipped", order, "zh").text


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_missing_ship_date_is_a_visible_blank_in_the_shops_language(variant: str) -> None:
    letter = write("where_is_order_unshipped", make_order(), variant)
    assert letter.blanks == ("発送予定日",)
    assert "【要確認: 発送予定日】" in letter.text


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_late_order_gets_an_apology_a_new_date_to_fill_in_and_the_choice(variant: str) -> None:
    letter = write("where_is_order_unshipped", make_order(ship_by=NOW - timedelta(days=2)), variant)
    assert letter.blanks == ("新しい発送予定日",)
    words = {"ja": ("申し訳", "キャンセルも承ります"), "en": ("sorry", "cancel"), "zh": ("抱歉", "取消")}
    for word in words.get(variant, ("抱歉", "取消")):
        assert word in letter.text


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_lost_parcel_gets_a_day_of_answer(variant: str) -> None:
    for template in ("where_is_order_overdue", "delivered_not_received"):
        text = flat(write(template, shipped(), variant).text)
        assert {"en": "Wednesday, November 25"}.get(variant, "11月25日") in text
        assert "1234-5678-9012" in text


def test_delivered_is_said_only_where_the_data_say_so() -> None:
    assert "配達済み" not in write("delivered_not_received", shipped()).text
    assert "配達済み" in write("delivered_not_received", shipped(status="delivered")).text


AMAZON_WITH_NAME = replace(AMAZON, title={"ja": "Amazon", "en": "Amazon", "zh": "亚马逊"})


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_steps_of_a_marketplace_cancel_are_numbered(variant: str) -> None:
    text = write("cancel_request_steps", make_order(), variant, channel=AMAZON_WITH_NAME).text
    assert [text.find(f"\n{n}. ") > 0 for n in (1, 2, 3)] == [True] * 3
    assert "要確認" not in text


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_buyer_is_not_asked_to_cancel_what_the_shop_has_run_out_of(variant: str) -> None:
    order = make_order(status="out_of_stock")
    letter = write("cancel_request_steps", order, variant, channel=AMAZON_WITH_NAME)
    assert "1. " not in letter.text
    assert letter.facts["is_out_of_stock"] == "yes"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_new_address_is_for_staff_to_fill_in(variant: str) -> None:
    assert write("address_change_before", make_order(), variant).blanks == ("新しいお届け先",)


def test_damage_with_a_picture_gets_a_day_and_without_one_a_list() -> None:
    order = shipped(status="delivered")
    assert "お写真を、このメールへのご返信で" in write("damaged_wrong", order).text
    picture = make_message("割れていました", attachments=(Attachment("a.jpg", "image/jpeg", 10_000),))
    assert "11月25日（水）までに" in write("damaged_wrong", order, message=picture).text


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_day_of_a_refund_is_told_or_asked_for(variant: str) -> None:
    paid = NOW - timedelta(days=9)
    order = make_order(status="cancelled", paid_at=paid)
    assert write("refund_status", order, variant).blanks == ("返金の手続きをした日",)
    done = replace(order, extra={"返金日": "2026/11/18"})
    assert write("refund_status", done, variant).blanks == ()
    unknown = make_order(status="cancelled", payment="暗号資産")
    assert {"en": "November 25"}.get(variant, "11月25日") in flat(write("refund_status", unknown, variant).text)


def test_paid_is_said_only_where_the_data_say_so() -> None:
    said = "確認しております"
    assert said in write("payment_question", make_order(paid_at=NOW)).text
    assert said in write("payment_question", make_order(status="preparing", payment="PayPay")).text
    assert said not in write("payment_question", make_order(status="preparing", payment="代金引換")).text
    assert said not in write("payment_question", make_order(status="preparing", payment="銀行振込")).text


@pytest.mark.parametrize(("variant", "words"), [("en", "bank transfer"), ("zh", "银行转账"), ("zh-hant", "銀行轉帳")])
def test_a_payment_word_is_told_in_the_readers_language(variant: str, words: str) -> None:
    for payment in ("bank_transfer", "銀行振込（前払い）"):
        assert words in write("payment_unpaid", make_order(status="unpaid", payment=payment), variant).text


# --- what else a reply follows ----------------------------------------------------------------------------------------

NO_ADDRESSES = Channel("ebay", forbidden=("postal_address",))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_way_back_follows_carrier_and_country(variant: str) -> None:
    shop = Shop(policy={"refuse_parcel": "on"})
    refuse = REFUSING[variant]
    assert refuse in write("cancel_after_ship", shipped(), variant, shop=shop).text
    assert refuse not in write("cancel_after_ship", shipped(carrier="クリックポスト"), variant, shop=shop).text
    for abroad in (shipped(carrier="EMS", tracking_no="EE123456785JP"), shipped(extra={"ship-country": "US"})):
        text = flat(write("cancel_after_ship", abroad, variant, shop=shop).text)
        assert refuse not in text
        assert {"ja": "海外から", "en": "from abroad", "zh": "从海外", "zh-hant": "從海外"}[variant] in text
        both = Shop(policy={"refuse_parcel_abroad": "on"})
        assert refuse in flat(write("cancel_after_ship", abroad, variant, shop=both).text)
    at_home = shipped(extra={"ship-country": "JP"})
    assert "海外" not in write("cancel_after_ship", at_home, variant, shop=shop).text


PAID_LATER = ("代金引換", "Paidy", "請求書払い")


@pytest.mark.parametrize("payment", PAID_LATER)
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_paid_later_is_not_asked_for_its_payment(variant: str, payment: str) -> None:
    order = make_order(status="unpaid", payment=payment, ship_by=NOW + timedelta(days=4))
    text = flat(write("where_is_order_unpaid", order, variant).text)
    assert {"en": "November 24"}.get(variant, "11月24日") in text
    for word in ("お支払いの確認ができていない", "confirm your payment", "尚未查到"):
        assert word not in text
        assert word not in write("payment_unpaid", order, variant).text


def test_a_reply_that_is_pasted_speaks_of_a_message() -> None:
    order = make_order(status="cancelled", paid_at=NOW)
    for mode, word in (("mail", "このメールへのご返信"), ("admin_only", "このメッセージへのご返信")):
        channel = Pasted("yahoo", reply_mode=mode)
        assert word in write("refund_status", order, channel=channel).text


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_address_stands_where_the_channel_allows_none(variant: str) -> None:
    assert write("address_change_before", make_order(), variant, channel=NO_ADDRESSES).blanks == ()


@pytest.mark.parametrize(
    "said", ["收到的商品是壞的。", "我的包裹到哪裡了？", "顯示已送達，但是我沒有收到包裹。", "可以換貨嗎"]
)
def test_traditional_chinese_is_answered_in_its_own_characters(said: str) -> None:
    letter = write("damaged_wrong", shipped(), "zh", message=make_message(said, language="zh"))
    assert "處理方式" in letter.text


def test_name_and_signature_follow_the_readers_language() -> None:
    shop = Shop(names={"en": "Minato Zakka"}, signatures={"en": "Minato Zakka\nKobe"})
    letter = write("cancel_before_ship", make_order(), "en", shop=shop)
    assert letter.subject.startswith("Minato Zakka: ")
    assert "Minato Zakka\nKobe" in letter.text
    assert "みなと雑貨店" not in letter.text
    assert "みなと雑貨店" in write("cancel_before_ship", make_order(), shop=shop).text


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_written_policy_goes_out_in_the_buyers_language_only(variant: str) -> None:
    words = {"ja": "発送前まで", "en": "until shipped", "zh": "发货之前", "zh-hant": "出貨之前"}
    policy = {f"cancel_policy_{v.replace('-', '_')}": text for v, text in words.items()}
    text = write("cancel_policy", None, variant, shop=Shop(policy=policy)).text
    assert words[variant] in text


# --- money ----------------------------------------------------------------------------------------------------------

MONEY = [
    ("credit_card", "paid", "クレジットカードのご請求"),
    ("クレジットカード（一括）", "preparing", "クレジットカードのご請求"),
    ("Visa", "paid", "クレジットカードのご請求"),
    ("デビットカード", "paid", "カードの発行会社"),
    ("PayPay", "paid", "PayPayの残高"),
    ("コンビニ決済", "paid", "銀行振込でご返金"),
    ("bank_transfer", "paid", "銀行振込でご返金"),
    ("bank_transfer", "unpaid", "お支払いは不要"),
    ("credit_card", "unpaid", "お支払いは不要"),
    ("Paidy", "unpaid", "後払いのご請求"),
    ("代金引換", "paid", "ご返金などのお手続きは必要ございません"),
    ("コンビニ後払い", "paid", "後払いのご請求"),
    ("ドコモ払い", "paid", "携帯電話のご利用明細"),
    ("全額ポイント", "paid", "ポイントは"),
]
ANY_MONEY = re.compile("請求|返金|支払|残高|ポイント|振込")


@pytest.mark.parametrize(("payment", "status", "words"), MONEY)
def test_the_refund_sentence_follows_the_payment(payment: str, status: str, words: str) -> None:
    assert words in write("cancel_before_ship", make_order(payment=payment, status=status)).text


@pytest.mark.parametrize("payment", ["", "ギフトカード", "PayPal", "暗号資産", "請求書払い"])
def test_the_reply_is_silent_where_nothing_is_known_of_the_money(payment: str) -> None:
    assert not ANY_MONEY.search(own_words(write("cancel_before_ship", make_order(payment=payment)).text))


def test_an_order_in_hand_is_not_taken_for_paid_where_goods_may_leave_before_the_money_comes() -> None:
    in_hand = make_order(payment="bank_transfer", status="preparing")
    assert not ANY_MONEY.search(own_words(write("cancel_before_ship", in_hand).text))
    assert "銀行振込でご返金" in write("cancel_before_ship", replace(in_hand, paid_at=NOW)).text


@pytest.mark.parametrize(
    ("channel", "order", "words"),
    [
        ("amazon", make_order(currency="JPY"), "コンビニなどで先に"),
        ("amazon", make_order(currency="USD"), "代金が請求されることはございません"),
        ("rakuten", make_order(), "楽天市場から行われます"),
    ],
)
def test_a_marketplace_that_pays_back_itself_is_named(channel: str, order: Order, words: str) -> None:
    text = write("cancel_before_ship", order, channel=Channel(channel)).text
    assert words in text
    assert "取り消しの手続き" not in text


def test_who_pays_back_is_asked_of_the_channel_the_order_was_placed_on() -> None:
    assert "楽天市場から行われます" in write("cancel_before_ship", make_order(channel="rakuten")).text
    assert "楽天市場から" not in write("cancel_before_ship", make_order()).text


@pytest.mark.parametrize("channel", ["yahoo", "ebay", "mercari", "aupay"])
def test_other_marketplaces_get_no_word_about_money(channel: str) -> None:
    assert not ANY_MONEY.search(own_words(write("cancel_before_ship", make_order(), channel=Channel(channel)).text))


def test_refunded_is_said_only_with_the_fact() -> None:
    assert "ご返金の手続きは完了" not in write("cancel_before_ship", make_order()).text
    letter = write("cancel_before_ship", make_order(extra={"返金日": "2026-11-19"}))
    assert "ご返金の手続きは完了" in letter.text


def test_without_a_policy_no_day_is_promised() -> None:
    letter = write("cancel_before_ship", make_order(), shop=Shop(policy={"refund_days": ""}))
    assert "月" not in own_words(letter.text)
    assert letter.valid_until is None


# --- days -----------------------------------------------------------------------------------------------------------


def test_promised_days_are_days_the_shop_works() -> None:
    # Friday 20 November; the weekend and Labour Thanksgiving Day (Monday 23) do not count.
    assert "11月25日（水）" in write("where_is_order_overdue", shipped()).text
    shop = Shop(policy={"closed_days": "2026-11-25", "answer_days": "2"})
    assert "11月26日（木）" in write("where_is_order_overdue", shipped(), shop=shop).text
    shop = Shop(policy={"closed_weekdays": "", "public_holidays": "off"})
    assert "11月22日（日）" in write("where_is_order_overdue", shipped(), shop=shop).text


def test_a_letter_knows_when_its_first_day_is_over() -> None:
    letter = write("where_is_order_overdue", shipped())
    assert letter.valid_until == datetime(2026, 11, 26, tzinfo=TOKYO)


def test_the_year_stands_only_where_it_is_another() -> None:
    order = make_order(ship_by=datetime(2027, 1, 5, tzinfo=UTC))
    assert "2027年1月5日（火）" in write("where_is_order_unshipped", order).text


@pytest.mark.parametrize("date", [None, datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
def test_no_date_of_a_mail_stops_the_reply(date: datetime | None) -> None:
    far = timezone(timedelta(hours=-9 if date and date.year == 1 else 9))
    message = replace(make_message("x"), date=date)
    assert "> x" in write("cancel_before_ship", make_order(), message=message, shop=Shop(timezone=far)).text


def test_a_reply_on_a_leap_day_is_written() -> None:
    leap = datetime(2028, 2, 29, 3, 0, tzinfo=UTC)
    assert "2028年2月29日(火)" in write("cancel_before_ship", make_order(), message=make_message("x", date=leap)).text


# --- tracking -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carrier", "number", "page"),
    [
        ("ヤマト運輸", "1234-5678-9012", "detail?pno=123456789012"),
        ("１００１", "１２３４５６７８９０１２", "detail?pno=123456789012"),
        ("佐川急便", "123456789012", "okurijoNo=123456789012"),
        ("ゆうパック", "123456789012", "reqCodeNo1=123456789012"),
        ("", "1Z999AA10123456784", "tracknum=1Z999AA10123456784"),
        ("", "123456789012", None),
        ("ヤマト運輸", "12345", None),
        ("近所の運送屋", "123456789012", None),
        ("ヤマト運輸", "x'; DROP TABLE", None),
    ],
)
def test_the_page_is_the_carriers_or_none(carrier: str, number: str, page: str | None) -> None:
    text = write("where_is_order_shipped", shipped(carrier=carrier, tracking_no=number)).text
    assert ("https://" in text) is (page is not None)
    assert page is None or page in text


def test_no_link_and_no_contact_where_the_channel_forbids_them() -> None:
    text = write("where_is_order_shipped", shipped(), channel=AMAZON).text
    assert "http" not in text
    assert "@" not in text
    assert "1234-5678-9012" in text
    assert ">" not in text


def test_a_shipped_order_without_number_shows_blanks() -> None:
    letter = write("cancel_after_ship", shipped(carrier="", tracking_no=""))
    assert letter.blanks == ("配送会社", "お問い合わせ番号")


# --- facts ----------------------------------------------------------------------------------------------------------


def test_the_facts_are_those_the_text_relies_on() -> None:
    letter = write("cancel_after_ship", shipped())
    assert letter.facts["tracking_no"] == "1234-5678-9012"
    assert letter.facts["is_shipped"] == "yes"
    assert "total" not in letter.facts


@pytest.mark.parametrize("template", CORE)
def test_facts_compare_equal_while_nothing_changes(template: str) -> None:
    for order in (make_order(), shipped(), shipped(status="delivered"), make_order(status="cancelled")):
        letter = write(template, order)
        assert facts_now(order, letter.facts) == letter.facts


def test_shipping_changes_the_facts_of_a_cancel() -> None:
    letter = write("cancel_before_ship", make_order())
    assert facts_now(shipped(), letter.facts) != letter.facts


def test_doing_what_the_letter_announces_does_not_contradict_it() -> None:
    letter = write("cancel_before_ship", make_order())
    done = make_order(status="cancelled", extra={"refunded_at": "2026-11-20"})
    assert facts_now(done, letter.facts) == letter.facts


def test_a_promise_to_ship_falls_with_the_stock_and_with_a_cancel() -> None:
    order = make_order(ship_by=NOW + timedelta(days=3))
    letter = write("where_is_order_unshipped", order)
    for status in ("out_of_stock", "cancelled", "shipped"):
        assert facts_now(replace(order, status=status), letter.facts) != letter.facts


def test_an_order_that_is_gone_has_no_facts() -> None:
    letter = write("cancel_before_ship", make_order())
    assert set(facts_now(None, letter.facts).values()) == {""}


# --- blanks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("発送日は【要確認: 発送予定日】です", ("発送予定日",)),
        ("【要確認：番号】と【要確認】", ("番号", "要確認")),
        ("【要確認: 閉じていない", ("閉じていない",)),
        ("by 【要確認:\n新しい発送予定日】, we", ("新しい発送予定日",)),
        ("折り返し【要確\n認: 番\n号】", ("番号",)),
        ("〇〇様、○○の件", ("〇〇", "○○")),
        ("Dear [Customer Name],", ("[Customer Name]",)),
        ("Hello {{ buyer.name }}", ("{{ buyer.name }}",)),
        ("> 〇〇さんへ【要確認: x】\n>> {{ y }}", ()),
        ("問題ありません。〇が正解です。", ()),
        ("二〇〇五年創業\n○●○●○●○●○●○●", ()),
        ("[Minato Shop] Your order", ()),
        ("[Your Name] / [tracking number]", ("[Your Name]", "[tracking number]")),
        ("ご質問【要確認: 番号】について:\n> いつですか", ("番号",)),
    ],
)
def test_blanks_and_leftovers_are_found_in_our_words_only(text: str, found: tuple[str, ...]) -> None:
    assert blanks_in(text) == found


@pytest.mark.parametrize(("template", "variant"), list(product(CORE, VARIANTS)))
def test_a_letter_without_an_order_is_all_blanks_and_no_failure(template: str, variant: str) -> None:
    letter = write(template, None, variant)
    assert "注文番号" in letter.blanks
    assert letter.blanks == tuple(dict.fromkeys((*blanks_in(letter.subject), *blanks_in(letter.text))))
    assert letter.facts == {}


# --- names, quotes, threads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("in_order", "in_mail", "first"),
    [
        ("田中 花子", "はなこ", "田中 花子 様"),
        ("", "はなこ", "はなこ 様"),
        ("田中 花子様", "", "田中 花子 様"),
        ("", "Jane - Amazon Marketplace", "Jane 様"),
        ("", "jane@mail.example", "お客様"),
        ("", "", "お客様"),
        ("", "https://evil.example/", "お客様"),
        ("", "{{ 7*7 }}", "7*7 様"),
        ("", "【要確認: x】", "要確認: x 様"),
    ],
)
def test_the_buyer_is_addressed_by_the_best_name(in_order: str, in_mail: str, first: str) -> None:
    message = make_message("x", sender=Address(in_mail, "hanako@mail.example"))
    letter = write("cancel_before_ship", make_order(buyer_name=in_order), message=message)
    assert letter.text.split("\n")[0] == first
    assert letter.blanks == ()


def test_the_buyers_words_stand_quoted_below() -> None:
    text = write("cancel_before_ship", make_order(), message=make_message("一行目\n\n二行目")).text
    assert text.endswith("2026年11月20日(金) 12:00 田中 花子 様:\n> 一行目\n>\n> 二行目")


def test_a_long_mail_is_quoted_in_part() -> None:
    for said in ("あ" * 100_000, "行\n" * 5000):
        text = write("cancel_before_ship", make_order(), message=make_message(said)).text
        assert text.endswith("\n> ...")
        assert len(text) < 6000


def test_a_buyers_template_syntax_stays_his_words() -> None:
    said = "{{ order.total }} {% include '_refund.txt' %} {{ ''.__class__ }}"
    text = write("cancel_before_ship", make_order(), message=make_message(said)).text
    assert f"> {said}" in text


def test_traditional_characters_get_a_traditional_reply() -> None:
    assert "訂單編號" in write("cancel_before_ship", make_order(), "zh-hant").text
    assert "订单号" in write("cancel_before_ship", make_order(), "zh").text


def test_the_thread_goes_on() -> None:
    message = make_message("x", references=tuple(f"<r{n}@mail.example>" for n in range(60)))
    letter = write("cancel_before_ship", make_order(), message=message)
    assert letter.in_reply_to == "<buyer-1@mail.example>"
    assert letter.references[0] == "<r0@mail.example>"
    assert letter.references[-1] == "<buyer-1@mail.example>"
    assert len(letter.references) == 20


def test_the_reply_comes_from_the_address_the_buyer_wrote_to() -> None:
    message = make_message("x", to=(Address("", "Support@minato-zakka.example"),))
    assert write("cancel_before_ship", make_order(), message=message).sender.mail == "support@minato-zakka.example"
    assert write("cancel_before_ship", make_order()).sender.mail == "shop@minato-zakka.example"


def test_a_shop_without_a_name_signs_with_its_domain() -> None:
    letter = write(
        "cancel_before_ship", make_order(), shop=Shop(name="", signature=""), identity=Identity("a@b.example")
    )
    assert letter.subject.startswith("【b.example】")
    assert "\nb.exampleでございます。\n" in letter.text


def test_a_mail_without_sender_or_a_decision_without_template_is_a_message_error() -> None:
    with pytest.raises(MessageError, match="no_sender"):
        write("cancel_before_ship", make_order(), message=make_message("x", sender=None))
    with pytest.raises(MessageError, match="template_missing"):
        write("no_such_template", make_order())


# --- the matrix -----------------------------------------------------------------------------------------------------

STATES = ("unpaid", "paid", "preparing", "out_of_stock", "shipped", "delivered", "cancelled", "unknown")
PAYMENTS = ("credit_card", "コンビニ", "代金引換")
CHANNELS = (None, AMAZON, Channel("rakuten"))
OTHER_SCRIPT = {
    "en": re.compile("[\u3040-\u30ff\u3400-\u9fff]"),
    "zh": re.compile("[\u3040-\u30ff]|[們個來對時會過還這說請問單貨訂]"),
    "zh-hant": re.compile("[\u3040-\u30ff]|[们个来对时会过还这说请问单货订]"),
}
SHOP_EN = Shop("Minato Store", "en", signature="Minato Store")


@pytest.mark.parametrize(("variant", "channel"), list(product(VARIANTS, CHANNELS)))
def test_every_text_is_clean_in_every_state(variant: str, channel: Channel | None) -> None:
    """No double blank lines, trailing blanks, foreign script, leftovers, claims without their fact."""
    buyer = Address("Jane Carter", "jane@mail.example")
    language: Language = "zh" if variant == "zh-hant" else variant
    message = make_message(SAID[variant], sender=buyer, language=language)
    for template, status, payment in product(sorted(TEMPLATES.names("ja")), STATES, PAYMENTS):
        order = make_order(
            status=status,
            payment=payment,
            buyer_name="Jane Carter",
            items=(Item("Mug", "M-1", 2), Item("Cup", "C-1", 1)),
            ship_by=NOW + timedelta(days=4),
            shipped_at=NOW if status in ("shipped", "delivered") else None,
            carrier="UPS",
            tracking_no="1Z999AA10123456784",
        )
        letter = write(template, order, variant, channel=channel, shop=SHOP_EN, message=message)
        words = own_words(letter.text)
        at = f"{template} {variant} {status} {payment}\n{letter.text}"
        assert not re.search(r"\n\n\n|[ \t]\n|^\n|\n$|\{|\}|None|Undefined| ,|\.\.(?!\.)", letter.text), at
        if variant in OTHER_SCRIPT:
            plain = re.sub("【要確認: [^】]*】", "", letter.subject + words)
            assert not OTHER_SCRIPT[variant].search(plain), at
        if status != "cancelled":
            assert DONE[variant] not in words, at
        if channel is AMAZON:
            assert "http" not in words, at
        assert "\n" not in letter.subject, at
        assert letter.subject.strip(), at


# --- bytes ----------------------------------------------------------------------------------------------------------


def stored(letter: Letter, **changes: str) -> bytes:
    values = {"message_id": "<d1@minato-zakka.example>", "case_token": "tok-1"}
    values.update(changes)
    return draft_bytes(letter, now=NOW, **values)


def test_the_draft_has_the_fields_of_a_reply_and_one_of_ours() -> None:
    letter = write("cancel_before_ship", make_order())
    mail = email.message_from_bytes(stored(letter))
    assert mail.keys() == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
        "X-Responder-Case",
    ]
    assert str(make_header(decode_header(mail["Subject"]))) == letter.subject
    assert str(make_header(decode_header(mail["To"]))) == "田中 花子 <hanako@mail.example>"
    assert mail["X-Responder-Case"] == "tok-1"
    assert text_of(stored(letter)).rstrip("\n") == letter.text


def test_nothing_internal_and_no_trailing_blank_stands_in_a_draft() -> None:
    raw = stored(write("cancel_after_ship", shipped()))
    assert not re.search(rb"[ \t]\r\n", raw)
    assert b"rule" not in raw
    assert raw.count(b"X-") == 1


def test_a_mail_without_id_gets_no_thread_fields() -> None:
    message = make_message("x", message_id=None)
    mail = email.message_from_bytes(stored(write("cancel_before_ship", make_order(), message=message)))
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None


def test_an_unsafe_id_or_token_is_refused() -> None:
    letter = write("cancel_before_ship", make_order())
    with pytest.raises(MessageError, match="message_id_unsafe"):
        stored(letter, message_id="<a b@c>\r\nBcc: x")
    with pytest.raises(ValueError, match="one word"):
        stored(letter, case_token="a\r\nBcc: x")


@pytest.mark.parametrize(
    "mail", ["a@b.example>, <c@d.example", "日本@mail.example", "a@b.example\r\nBcc: x@y.example", ""]
)
def test_an_address_that_would_not_come_back_is_refused(mail: str) -> None:
    letter = replace(write("cancel_before_ship", make_order()), to=Address("x", mail))
    with pytest.raises(MessageError, match=r"address_(unsafe|not_ascii)"):
        stored(letter)


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "a\r\nBcc: x@y.example",
            "=?utf-8?q?a=0D=0ABcc:_x@y.example?=",
            "\u202egnp.exe",
            "x" * 10_000,
            "あ" * 10_000,
            '"; <x@y.example>',
            "\ud800",
            "a\x00b",
            "\u2028Bcc: x",
            "=?" * 3000,
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(name=HOSTILE, item=HOSTILE, said=HOSTILE, subject=HOSTILE)
def test_hostile_values_come_to_nothing(name: str, item: str, said: str, subject: str) -> None:
    message = replace(make_message(), new_text=said, sender=Address(name, "hanako@mail.example"), subject=subject)
    letter = write("cancel_before_ship", make_order(buyer_name="", items=(Item(item),)), message=message)
    letter = replace(letter, subject=subject, to=Address(name, "hanako@mail.example"))
    raw = stored(letter)
    assert b"\x00" not in raw
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert all(len(line) <= 78 or b"<" in line for line in head.split(b"\r\n"))
    mail = email.message_from_bytes(raw)
    assert len(mail.keys()) == 11
    assert mail["Bcc"] is None
    assert "hanako@mail.example" in mail["To"]
    assert decoded(mail["Subject"]) == shortened(subject, 240)
    shown, address = parseaddr(re.sub(r"\r?\n", "", mail["To"]))
    assert (address, decoded(shown)) == ("hanako@mail.example", shortened(name, 100))


def decoded(value: str) -> str:
    return str(make_header(decode_header(re.sub(r"\r?\n", "", value))))


@settings(max_examples=60, deadline=None)
@given(
    total=st.decimals(allow_nan=True, allow_infinity=True), when=st.datetimes(timezones=st.just(UTC)), word=st.text()
)
def test_no_order_data_break_a_letter(total: Decimal, when: datetime, word: str) -> None:
    order = make_order(total=total, currency=word, carrier=word, tracking_no=word, payment=word)
    order = replace(order, ship_by=when, eta=when, shipped_at=when)
    for template, status in product(CORE, ("paid", "shipped")):
        letter = write(template, replace(order, status=status))
        assert facts_now(replace(order, status=status), letter.facts) == letter.facts
