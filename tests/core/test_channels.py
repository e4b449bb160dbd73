from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.config.channels import channels_of, read_channels
from responder.config.pack import data_dir
from responder.core.addresses import parse_mailboxes
from responder.core.channels import (
    FORBIDDEN,
    MUST_CONTAIN,
    Channel,
    channel_of,
    recognise,
    reply_mode_of,
    unframe,
    wanted_order_ids,
)
from responder.errors import ConfigError
from responder.model import Address, Message
from tests.builders import SHOP, make_message, make_order

CHANNELS = read_channels()
OWN_SITE = Address("みなと雑貨店", SHOP.address)


def by_name(name: str) -> Channel:
    return next(channel for channel in CHANNELS if channel.name == name)


def mail_from(sender: str, text: str = "", **changes: Any) -> Message:
    return make_message(text, sender=Address("", sender), **changes)


def form_mail(text: str, sender: Address = OWN_SITE, **changes: Any) -> Message:
    return make_message(text, sender=sender, **changes)


# --- recognising ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "subject", "name", "kind", "reply_mode"),
    [
        ("hanako@mail.example", "注文について", "own", "buyer", "mail"),
        ("a1b2c3+A1@marketplace.amazon.co.jp", "x", "amazon", "buyer", "mail"),
        ("A1B2@M.Marketplace.Amazon.com", "x", "amazon", "buyer", "mail"),
        ("seller-notification@amazon.co.jp", "商品を出荷してください", "amazon", "notice", "mail"),
        ("x@marketplace.amazon.co.jp.evil.example", "x", "own", "buyer", "mail"),
        ("x@evil-marketplace.amazon.co.jp", "x", "own", "buyer", "mail"),
        ("abc@pc.fw.rakuten.ne.jp", "x", "rakuten", "buyer", "relay_smtp"),
        ("abc@fw.rakuten.ne.jp", "x", "rakuten", "buyer", "relay_smtp"),
        ("order@rakuten.co.jp", "【楽天市場】注文内容ご確認(自動配信メール)", "rakuten", "notice", "admin_only"),
        ("rms-info@mail.rms.rakuten.co.jp", "【R-Messe】お客様からお問い合わせ", "rakuten", "inquiry", "admin_only"),
        (
            "store-shopping-order-master@mail.yahoo.co.jp",
            "【Yahoo!ショッピング】注文確認",
            "yahoo",
            "notice",
            "admin_only",
        ),
        ("store-inquiry@mail.yahoo.co.jp", "お問い合わせがありました", "yahoo", "inquiry", "admin_only"),
        ("taro@yahoo.co.jp", "お問い合わせ", "own", "buyer", "mail"),
        ("0a1b2c@members.ebay.com", "x", "ebay", "buyer", "mail"),
        ("ebay@ebay.com", "x", "ebay", "notice", "mail"),
        ("no-reply@mercari-shops.com", "購入されました", "mercari", "notice", "admin_only"),
        ("no-reply@mercari-shops.com", "購入者からメッセージが届きました", "mercari", "inquiry", "admin_only"),
        ("o123@wowma.jp", "x", "aupay", "buyer", "mail"),
        ("no-reply@wowma.jp", "x", "aupay", "notice", "mail"),
        ("auto-communicator@amazonpay.amazon.co.jp", "x", "amazonpay", "notice", "mail"),
    ],
)
def test_channels_are_told_by_the_sender(sender: str, subject: str, name: str, kind: str, reply_mode: str) -> None:
    message = mail_from(sender, "x", subject=subject)
    channel = recognise(message, CHANNELS)
    assert (channel.name, channel.kind, channel.reply_mode) == (name, kind, reply_mode)
    assert channel.is_notice is (kind == "notice")


@pytest.mark.parametrize(
    ("sender", "subject"),
    [
        ("a1b2c3+A1@marketplace.amazon.co.jp", "x"),
        ("seller-notification@amazon.co.jp", "キャンセルリクエスト"),
        ("abc@pc.fw.rakuten.ne.jp", "x"),
        ("rms-info@mail.rms.rakuten.co.jp", "【R-Messe】お客様からお問い合わせ"),
        ("store-inquiry@mail.yahoo.co.jp", "お問い合わせがありました"),
        ("0a1b2c@members.ebay.com", "x"),
        ("no-reply@mercari-shops.com", "購入者からメッセージが届きました"),
        ("o123@wowma.jp", "x"),
    ],
)
def test_an_address_the_server_does_not_vouch_for_stands_for_no_channel(sender: str, subject: str) -> None:
    message = mail_from(sender, "x", subject=subject)
    assert recognise(message, CHANNELS, trusted=False).name == "own"
    assert recognise(message, CHANNELS, trusted=True).name != "own"


@pytest.mark.parametrize(
    ("mail", "reply_mode"),
    [
        ("hanako@mail.example", "mail"),
        ("A1@marketplace.amazon.co.jp", "mail"),
        ("abc@pc.fw.rakuten.ne.jp", "relay_smtp"),
        ("rms-info@mail.rms.rakuten.co.jp", "admin_only"),
        ("no-reply@mercari-shops.com", "admin_only"),
        ("seller-notification@amazon.co.jp", "admin_only"),
        ("ebay@ebay.com", "admin_only"),
        ("no-reply@wowma.jp", "admin_only"),
        ("o123@wowma.jp", "mail"),
        ("paste@rakuten.paste.invalid", "admin_only"),
        ("paste@gone.PASTE.invalid", "admin_only"),
    ],
)
def test_how_an_address_can_be_answered(mail: str, reply_mode: str) -> None:
    assert reply_mode_of(mail, CHANNELS) == reply_mode
    assert reply_mode_of(mail, CHANNELS, written_for="form") == reply_mode


def test_an_address_of_no_channel_is_answered_as_the_channel_it_was_written_for() -> None:
    mall = Channel("mall", reply_mode="admin_only")
    assert reply_mode_of("x@y.example", (*CHANNELS, mall), written_for="mall") == "admin_only"
    assert channel_of("x@y.example", CHANNELS, written_for="mall") == "mall"
    assert channel_of("abc@pc.fw.rakuten.ne.jp", CHANNELS, written_for="form") == "rakuten"


def test_what_is_pasted_is_addressed_to_nowhere() -> None:
    for name in ("rakuten", "My Mall", "マイモール", "", "x" * 300):
        address = Channel(name).paste_address
        assert parse_mailboxes(address)[0][0].mail == address
        assert reply_mode_of(address, ()) == "admin_only"


def test_a_mail_without_sender_or_channels_is_the_shop_s_own() -> None:
    assert recognise(make_message("x", sender=None), CHANNELS).name == "own"
    assert recognise(make_message("x"), ()).name == "own"


def test_what_the_channels_say_of_replies() -> None:
    amazon = by_name("amazon")
    assert (amazon.clock_h, amazon.clock_weekends, amazon.quote_original, amazon.allows_links) == (
        24,
        True,
        False,
        False,
    )
    assert amazon.cancel_limit_percent == 2.5
    assert {"ask_to_cancel", "coupon"} <= set(amazon.forbidden)
    assert by_name("own").allows_links
    assert {channel.name for channel in CHANNELS} == {
        *("own", "amazon", "amazonpay", "rakuten", "yahoo", "ebay", "mercari", "aupay", "shopify", "form")
    }


@pytest.mark.parametrize(
    ("sender", "subject", "kind", "formal"),
    [
        (
            "a@marketplace.amazon.co.jp",
            "Order cancellation request from Amazon customer Hanako (Order: 249-1234567-1234567)",
            "buyer",
            True,
        ),
        ("a@marketplace.amazon.co.jp", "Inquiry from Amazon customer Hanako", "buyer", False),
        ("seller-notification@amazon.co.jp", "注文のキャンセルリクエスト", "inquiry", True),
        ("seller-notification@amazon.com", "Buyer requested to cancel order 249-1234567-1234567", "inquiry", True),
        ("seller-notification@amazon.co.jp", "商品を出荷してください", "notice", False),
        ("order-cancel@rakuten.co.jp", "【楽天市場】キャンセル申請のお知らせ", "inquiry", True),
        ("abc@pc.fw.rakuten.ne.jp", "キャンセル申請", "buyer", False),
        ("ebay@ebay.com", "Your buyer wants to cancel an order", "inquiry", True),
        ("no-reply@mercari-shops.com", "キャンセル申請が届きました", "inquiry", True),
        ("hanako@mail.example", "Order cancellation request from Amazon customer Hanako", "buyer", False),
    ],
)
def test_formal_requests_to_cancel_are_told_by_who_sends_them(
    sender: str, subject: str, kind: str, formal: bool
) -> None:
    channel = recognise(mail_from(sender, subject=subject), CHANNELS)
    assert (channel.kind, channel.is_official_cancel(None)) == (kind, formal)


@pytest.mark.parametrize(
    ("name", "order", "formal"),
    [
        ("amazon", {"extra": {"Is-Buyer-Requested-Cancellation": "TRUE"}}, True),
        ("amazon", {"extra": {"is-buyer-requested-cancellation": "FALSE"}}, False),
        ("amazon", {"extra": {"is-buyer-requested-cancellation": ""}}, False),
        ("amazon", {}, False),
        ("own", {"extra": {"is-buyer-requested-cancellation": "TRUE"}}, False),
        ("rakuten", {"status_word": "キャンセル確定待ち"}, True),
        ("rakuten", {"status_word": "８００"}, True),
        ("rakuten", {"status_word": "300"}, False),
        ("rakuten", {"status_word": "キャンセル確定待ち", "channel": "own"}, False),
    ],
)
def test_order_data_tell_of_a_formal_request_too(name: str, order: dict[str, Any], formal: bool) -> None:
    assert by_name(name).is_official_cancel(make_order(**{"channel": name, **order})) is formal


# --- frames ---------------------------------------------------------------------------------------------------------

AMAZON = """\
Order ID: 249-1234567-1234567
1 of Mug [ASIN: B000000000]
------------- Begin message -------------
I would like to cancel this order.

Thanks
------------- End message -------------
For your information: mark as no response needed https://x.example
[commMgrTok:abc]"""


def test_amazon_s_frame_is_taken_off_and_its_order_kept() -> None:
    message = mail_from("a1+x@marketplace.amazon.com", AMAZON, subject="Inquiry from Amazon customer Hanako")
    channel = recognise(message, CHANNELS)
    bare = unframe(message, channel)
    assert bare.new_text.startswith("I would like to cancel this order.")
    assert "Order ID" not in bare.new_text
    assert "commMgrTok" not in bare.new_text
    assert bare.text == message.text
    assert bare.sender == message.sender
    assert bare.form["order_id"] == "249-1234567-1234567"
    assert wanted_order_ids(bare, channel, CHANNELS).by_pattern == ("249-1234567-1234567",)


def test_a_buyer_cannot_end_amazon_s_frame_himself() -> None:
    text = AMAZON.replace("Thanks", "--- End message ---\nand send it to me")
    bare = unframe(mail_from("a@marketplace.amazon.com", text), by_name("amazon"))
    assert "and send it to me" in bare.text
    assert "and send it to me" in bare.new_text + bare.signature


@pytest.mark.parametrize(
    ("sender", "subject", "own"),
    [
        ("a@marketplace.amazon.com", "Inquiry from Amazon customer Diane (Order: 250-3390174-8820156)", ""),
        (
            "a@marketplace.amazon.com",
            "Order delivery inquiry from Amazon customer Ben (Order: 250-3)",
            "Order delivery inquiry",
        ),
        ("a@marketplace.amazon.co.jp", "umbrella not here", "umbrella not here"),
        ("0a1b@members.ebay.com", "kofi_b sent a message about cancel culture, the book #1234", ""),
        ("b@buyer.example", "Inquiry from Amazon customer Diane", "Inquiry from Amazon customer Diane"),
    ],
)
def test_what_a_marketplace_writes_into_a_subject_is_not_said_by_the_buyer(sender: str, subject: str, own: str) -> None:
    message = mail_from(sender, "Where is it?", subject=subject)
    bare = unframe(message, recognise(message, CHANNELS))
    assert bare.said_above == own
    assert bare.subject == subject


def test_a_mail_without_its_frame_stays_as_it_is() -> None:
    message = mail_from("a@marketplace.amazon.co.jp", "キャンセルしてください")
    assert unframe(message, by_name("amazon")) == message
    own = make_message("お名前：田中")
    assert unframe(own, by_name("own")) == own


def test_an_inquiry_that_is_answered_elsewhere_shows_the_buyer_s_words() -> None:
    text = "店舗様\n■注文番号：123456-20260101-0123456789\n■お客様名：田中\n■お問い合わせ内容\nまだ届きません。\n"
    message = mail_from("rms-info@mail.rms.rakuten.co.jp", text, subject="R-Messe お問い合わせ")
    channel = recognise(message, CHANNELS)
    bare = unframe(message, channel)
    assert bare.new_text.strip() == "まだ届きません。"
    assert wanted_order_ids(bare, channel, CHANNELS).by_pattern == ("123456-20260101-0123456789",)


# --- contact forms --------------------------------------------------------------------------------------------------

JAPANESE = """\
サイトのフォームから送信がありました。

お名前：田中 花子
メールアドレス：hanako@mail.example
電話番号：03-0000-0000
ご注文番号：1042
お問い合わせ内容：キャンセルしたいです。
まだ発送されていませんよね？

--
このメールはみなと雑貨店のお問い合わせフォームから送信されました
"""
BRACKETS = """\
【お名前】 田中 花子
【メールアドレス】 hanako@mail.example
【ご注文番号】 1042
【お問い合わせ内容】
キャンセルしたいです。
メール：これは本文です
まだ発送されていませんよね？
【電話番号】 03-0000-0000
送信日時：2026/11/20
"""
ENGLISH = """\
Your Name*
Hanako Tanaka

E-mail (required):
hanako@mail.example

Message:
Please cancel order 1042.

This e-mail was sent from a contact form on https://minato-zakka.example
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (JAPANESE, "キャンセルしたいです。\nまだ発送されていませんよね？"),
        (BRACKETS, "キャンセルしたいです。\nメール：これは本文です\nまだ発送されていませんよね？"),
        (ENGLISH, "Please cancel order 1042."),
    ],
)
def test_a_form_becomes_the_buyer_s_mail(text: str, words: str) -> None:
    message = form_mail(text)
    channel = recognise(message, CHANNELS)
    assert (channel.name, channel.kind) == ("form", "form")
    bare = unframe(message, channel)
    assert bare.new_text.strip() == words
    assert bare.sender is not None
    assert bare.sender.mail == "hanako@mail.example"
    assert bare.sender.name in ("田中 花子", "Hanako Tanaka")
    assert bare.reply_to == ()
    wanted = wanted_order_ids(bare, channel, CHANNELS)
    assert wanted.tokens == ("1042",)


def test_shopify_s_form() -> None:
    text = (
        "You received a new message from your online store's contact form.\n\nCountry Code:\n\nJP\n\n"
        "Name:\n\nHanako\n\nEmail:\n\nhanako@mail.example\n\nPhone:\n\n+81000\n\nBody:\n\nWhere is my order #1001?\n"
    )
    message = form_mail(text, Address("Shop", "mailer@shopify.com"), subject="New customer message on November 20")
    channel = recognise(message, CHANNELS)
    assert (channel.name, channel.kind) == ("shopify", "form")
    bare = unframe(message, channel)
    assert bare.new_text.strip() == "Where is my order #1001?"
    assert bare.sender == Address("Hanako", "hanako@mail.example")
    assert wanted_order_ids(bare, channel, CHANNELS).by_pattern == ("1001",)


AMAZON_PAY = """\
購入者様に代わりまして、下記のお問い合わせをお送りします。
購入者のメールアドレス: hanako@mail.example
Amazon Pay注文番号: P03-1234567-1234567
メッセージ:
キャンセルしたいです。
"""


def test_amazon_pay_writes_for_a_buyer_whose_address_stands_in_the_text() -> None:
    message = mail_from("auto-communicator@amazonpay.amazon.co.jp", AMAZON_PAY, subject="お問い合わせ")
    channel = recognise(message, CHANNELS)
    assert (channel.name, channel.kind) == ("amazonpay", "form")
    bare = unframe(message, channel)
    assert bare.sender is not None
    assert (bare.sender.mail, bare.new_text.strip()) == ("hanako@mail.example", "キャンセルしたいです。")
    unread = mail_from("auto-communicator@amazonpay.amazon.co.jp", "購入者様に代わりまして\nキャンセルしたいです。")
    assert recognise(unread, CHANNELS).kind == "inquiry"


def test_a_stranger_s_mail_that_looks_like_a_form_answers_nobody_else() -> None:
    stranger = Address("", "evil@other.example")
    message = form_mail(JAPANESE, stranger)
    channel = recognise(message, CHANNELS)
    assert channel.name == "own"
    assert unframe(message, channel).sender == stranger


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("wordpress@www.other.example", "form"),
        ("no-reply@form-service.example", "form"),
        ("info@minato-zakka.example", "form"),
        ("info@other.example", "own"),
        ("taro@minato-zakka.example", "own"),
    ],
)
def test_who_may_send_a_form(sender: str, name: str) -> None:
    assert recognise(form_mail(JAPANESE, Address("", sender)), CHANNELS).name == name


def test_a_form_by_the_buyer_s_own_address_is_a_form() -> None:
    message = form_mail(JAPANESE, Address("", "Hanako@mail.example"))
    assert recognise(message, CHANNELS).name == "form"


def test_a_form_without_an_address_is_answered_by_reply_to() -> None:
    text = "お名前：田中\n内容：まだですか\n"
    replied = Address("", "hanako@mail.example")
    message = form_mail(text, reply_to=(replied,))
    bare = unframe(message, recognise(message, CHANNELS))
    assert bare.sender == Address("田中", "hanako@mail.example")


@pytest.mark.parametrize("mail", ["hanako", "a@x.example, b@y.example", "a@x.example <b@y.example>", "a@x.example\x00"])
def test_a_form_whose_address_cannot_be_read_has_no_sender(mail: str) -> None:
    message = form_mail(f"お名前：田中\nメール：{mail}\n内容：まだですか\n")
    channel = recognise(message, CHANNELS)
    assert channel.kind == "form"
    assert unframe(message, channel).sender is None


def test_an_ordinary_mail_with_a_colon_is_no_form() -> None:
    message = form_mail("お世話になります。\n件名：見積もり\n内容：以下の通り\n", Address("", "taro@mail.example"))
    assert recognise(message, CHANNELS).name == "own"


# --- order ids ------------------------------------------------------------------------------------------------------


def wanted(text: str, channel: str = "own", **changes: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = wanted_order_ids(
        make_message(text, subject=changes.pop("subject", ""), **changes), by_name(channel), CHANNELS
    )
    return found.by_pattern, found.tokens


@pytest.mark.parametrize(
    ("text", "channel", "expected"),
    [
        ("注文249-1234567-1234567の件", "own", "249-1234567-1234567"),
        ("注文２４９－１２３４５６７－１２３４５６７の件", "amazon", "249-1234567-1234567"),
        ("249ー1234567ー1234567", "own", "249-1234567-1234567"),
        ("249 - 1234567 - 1234567", "own", "249-1234567-1234567"),
        ("Order S01-1234567-1234567.", "own", "S01-1234567-1234567"),
        ("123456-20260101-0123456789です", "own", "123456-20260101-0123456789"),
        ("12-34567-89012", "own", "12-34567-89012"),
        ("myshop-10000001", "yahoo", "myshop-10000001"),
        ("#1001", "shopify", "1001"),
        ("P123456789012345678", "own", "P123456789012345678"),
    ],
)
def test_ids_that_certainly_are_order_ids(text: str, channel: str, expected: str) -> None:
    assert wanted(text, channel) == ((expected,), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("注文番号：1042 です", "1042"),
        ("注文番号は１０４２です", "1042"),
        ("ご注文番号【AB-1042】について", "AB-1042"),
        ("order #1042", "1042"),
        ("Order No. 1042, please", "1042"),
        ("my order number is AB_1042!", "AB_1042"),
        ("order1042", "1042"),
        ("订单号：20261042", "20261042"),
        ("訂單編號 A1042", "A1042"),
        ("No.7をキャンセル", "7"),
        ("＃１０４２", "1042"),
        ("1042をキャンセルしてください", "1042"),
    ],
)
def test_words_that_may_be_order_ids(text: str, expected: str) -> None:
    by_pattern, tokens = wanted(text)
    assert by_pattern == ()
    assert tokens[0] == expected


@pytest.mark.parametrize(
    "text",
    [
        "1042円でした",
        "¥1042",
        "$1,042",
        "10時42分",
        "2026年",
        "1042個ください",
        "10/42",
        "a1042@mail.example",
        "2 mugs",
        "注文は1042円",
    ],
)
def test_numbers_that_are_something_else(text: str) -> None:
    assert "1042" not in wanted(text)[1]
    assert "2" not in wanted(text)[1]


def test_the_likeliest_words_come_first_and_ten_are_enough() -> None:
    text = " ".join(f"{n}" for n in range(50_000, 50_040)) + " 注文番号 1042"
    by_pattern, tokens = wanted(text)
    assert (by_pattern, tokens[0], len(tokens)) == ((), "1042", 10)


def test_a_mail_full_of_ids_asks_for_ten() -> None:
    text = " ".join(f"249-1234567-{n:07d}" for n in range(5_000))
    found = wanted_order_ids(make_message(text), by_name("own"), CHANNELS)
    assert len(found.by_pattern) == 10
    assert found.tokens == ()
    assert found.more


def test_the_subject_counts_and_quoted_ids_stay_apart() -> None:
    message = make_message(
        "これをキャンセルしてください",
        subject="Re: 注文番号 1042",
        quoted_text="注文番号: 1042\n注文番号: 999\n合計 5555 7777",
    )
    found = wanted_order_ids(message, by_name("own"), CHANNELS)
    assert (found.by_pattern, found.tokens, found.quoted) == ((), ("1042",), ("999",))


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=200), st.sampled_from([channel.name for channel in CHANNELS]))
def test_no_text_raises(text: str, name: str) -> None:
    message = form_mail(text + "\nメール：" + text + "\n内容：" + text, subject=text[:50])
    channel = recognise(message, CHANNELS)
    bare = unframe(message, by_name(name) if channel.name == "own" else channel)
    found = wanted_order_ids(bare, channel, CHANNELS)
    assert len(found.by_pattern) + len(found.tokens) <= 10


@pytest.mark.parametrize(
    "piece", ["注文番号", "1 ", "- ", "a1-", "order no ", "--- Begin message ---\n", "名前：\n", "【", "1ー"]
)
def test_long_hostile_texts_cost_little(piece: str) -> None:
    message = form_mail(piece * (100_000 // len(piece)))
    began = time.process_time()
    channel = recognise(message, CHANNELS)
    wanted_order_ids(unframe(message, by_name("amazon")), channel, CHANNELS)
    assert time.process_time() - began < 1.0


# --- data files -----------------------------------------------------------------------------------------------------


def test_a_shop_s_file_is_laid_over_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "amazon.toml").write_text('name = "amazon"\nclock_h = 12\n')
    (tmp_path / "mall.toml").write_text('[[route]]\nsenders = ["@mall.example$"]\nreply_mode = "admin_only"\n')
    channels = channels_of([data_dir() / "channels" / "amazon.toml", *sorted(tmp_path.glob("*.toml"))])
    assert [channel.name for channel in channels] == ["amazon", "mall"]
    assert (channels[0].clock_h, channels[0].allows_links) == (12, False)
    assert recognise(mail_from("x@mall.example"), channels).reply_mode == "admin_only"


def test_every_mistake_in_channel_files_is_told(tmp_path: Path) -> None:
    text = (
        'reply_mode = "post"\nclock = 1\nclock_h = "1"\norder_ids = ["("]\nforbidden = ["coupn"]\n'
        'title = { jp = "x" }\nframe = ["x"]\nlabels = { massage = ["x"] }\ncancel_limit_percent = 0\n'
        '[[route]]\nkind = "x"\nsender = []\n'
    )
    (tmp_path / "a.toml").write_text(text)
    (tmp_path / "b.toml").write_text("x = \n")
    (tmp_path / "c.toml").write_text('route = "x"\nlabels = 1\n')
    with pytest.raises(ConfigError) as caught:
        channels_of(sorted(tmp_path.glob("*.toml")))
    found = {(Path(one.file).name, one.line, one.key, one.code, one.suggestion) for one in caught.value.mistakes}
    assert found == {
        ("a.toml", 1, "reply_mode", "bad_choice", None),
        ("a.toml", 2, "clock", "unknown_key", "clock_h"),
        ("a.toml", 3, "clock_h", "wrong_type_number", None),
        ("a.toml", 4, "order_ids[0]", "bad_pattern", None),
        ("a.toml", 5, "forbidden[0]", "bad_choice", "coupon"),
        ("a.toml", 6, "title.jp", "bad_choice", None),
        ("a.toml", 7, "frame", "wrong_type_table", None),
        ("a.toml", 8, "labels.massage", "bad_choice", "message"),
        ("a.toml", 9, "cancel_limit_percent", "too_small", None),
        ("a.toml", 11, "route[0].kind", "bad_choice", None),
        ("a.toml", 12, "route[0].sender", "unknown_key", "senders"),
        ("b.toml", 1, "", "toml_syntax", None),
        ("c.toml", 1, "route", "needs_double_brackets", None),
        ("c.toml", 2, "labels", "wrong_type_table", None),
    }


def test_a_mistake_is_told_in_the_file_that_made_it(tmp_path: Path) -> None:
    (tmp_path / "amazon.toml").write_text("# ours\nclock_h = -1\n")
    with pytest.raises(ConfigError) as caught:
        channels_of([data_dir() / "channels" / "amazon.toml", tmp_path / "amazon.toml"])
    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line, mistake.key) == (str(tmp_path / "amazon.toml"), 2, "clock_h")


def test_the_words_of_the_shipped_channels_are_all_known() -> None:
    for channel in CHANNELS:
        assert set(channel.forbidden) <= set(FORBIDDEN)
        assert set(channel.must_contain) <= set(MUST_CONTAIN)
        assert {"ja", "en", "zh"} <= set(channel.title)
        assert channel.clock_h, channel.name
        if any((route.reply_mode or channel.reply_mode) == "admin_only" for route in channel.routes):
            assert channel.admin_page, channel.name
        if not channel.allows_links:
            assert "link" in channel.forbidden


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("注文番号：1042 をキャンセル", ("1042",)),
        ("order #1042 please", ("1042",)),
        ("Order number is 1042-A", ("1042-A",)),
        ("订单号1042", ("1042",)),
        ("注文 10423 の件", ("10423",)),
        ("please cancel my order KX-55102", ("KX-55102",)),
        ("注文KX-55102をキャンセル", ("KX-55102",)),
        ("I order A-4 paper", ()),
        ("I ordered 12 cups in 2026", ()),
        ("order 3 more", ()),
        ("お問い合わせ番号 470128158216", ()),
        ("运单号 SF1234567890", ()),
        ("order 4980円", ()),
    ],
)
def test_a_number_that_the_mail_itself_calls_an_orders(text: str, named: tuple[str, ...]) -> None:
    message = make_message(text, subject="")
    assert wanted_order_ids(message, by_name("own"), CHANNELS).named == named
