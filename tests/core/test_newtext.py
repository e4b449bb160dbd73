# ruff: noqa: ERA001 - quoted mails look like code that was commented out
"""What is new in a mail: client styles times languages times posting styles, and the odd ones one by one."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.newtext import split

ANSWER = {
    "ja": "お世話になっております。\nこの注文をキャンセルしてください。\nよろしくお願いいたします。",
    "en": "Hello,\n\nplease cancel this order.",
    "zh": "您好，\n\n请取消这个订单，谢谢。",
}
SHOP_TEXT = {
    "ja": ["田中様", "", "ご注文ありがとうございます。", "キャンセルは発送前のみ承ります。", "", "みなと雑貨店"],
    "en": ["Dear Hanako,", "", "thank you for your order.", "We can cancel it before it ships.", "", "Minato Zakka"],
    "zh": ["尊敬的客户：", "", "感谢您的订购。", "发货之前可以取消订单。", "", "港杂货店"],
}
SIGNATURE = {
    "ja": "━━━━━━━━━━━━━━\n田中 花子\nTEL 090-0000-1234\nhanako@mail.example\n━━━━━━━━━━━━━━",
    "en": "-- \nHanako Tanaka\nTel. +81 90 0000 1234",
    "zh": "--\n王小明\n电话：13800000000",
}


@dataclass(frozen=True)
class Style:
    """How one mail program announces a quotation. `prefix` is what its quoted lines begin with."""

    name: str
    language: str
    intro: str
    prefix: str = "> "


STYLES = [
    Style("gmail", "ja", "2026年11月20日(金) 10:00 みなと雑貨店 <shop@minato-zakka.example>:\n"),
    Style("gmail wrapped", "ja", "2026年11月20日(金) 10:00 みなと雑貨店\n<shop@minato-zakka.example>:\n"),
    Style("gmail unprefixed", "ja", "2026年11月20日(金) 10:00 みなと雑貨店 <shop@minato-zakka.example>:\n", ""),
    Style("apple mail", "ja", "2026/11/20 10:00、みなと雑貨店 <shop@minato-zakka.example>のメール:\n"),
    Style("iphone", "ja", "iPhoneから送信\n\n2026/11/20 10:00、みなと雑貨店 <shop@minato-zakka.example>のメール:\n"),
    Style("apple prefixed", "ja", "> 2026/11/20 10:00、みなと雑貨店 <shop@minato-zakka.example>のメール:\n>"),
    Style("thunderbird", "ja", "On 2026/11/20 10:00, みなと雑貨店 wrote:"),
    Style("thunderbird old", "ja", "(2026/11/20 10:00), みなと雑貨店 wrote:"),
    Style("becky", "ja", "On Fri, 20 Nov 2026 10:00:00 +0900\nみなと雑貨店 <shop@minato-zakka.example> wrote:\n"),
    Style("becky split", "ja", 'On Fri, 20 Nov 2026 10:00:00 +0900\n"みなと雑貨店"\n<shop@minato-zakka.example> wrote:\n'),
    Style("roundcube", "ja", "2026-11-20 10:00 に みなと雑貨店 さんは書きました:"),
    Style("date behind", "ja", "みなと雑貨店 さんは書きました (2026/11/20 10:00):"),
    Style("wrote in japanese", "ja", "みなと雑貨店 <shop@minato-zakka.example> さんは書きました:"),
    Style("al-mail", "ja", "In message <20261120100000.1A2B@minato-zakka.example>\n    みなと雑貨店 wrote:"),
    Style("wide prefix", "ja", "みなと雑貨店 さんは書きました:", "＞"),
    Style(
        "outlook", "ja",
        "差出人: みなと雑貨店 <shop@minato-zakka.example>\n送信日時: 2026年11月20日 10:00\n宛先: 田中 花子 <hanako@mail.example>\n"
        "件名: Re: ご注文について\n", "",
    ),
    Style(
        "outlook rule", "ja",
        "________________________________\n差出人: みなと雑貨店\n送信日時: 2026年11月20日 10:00\n宛先: 田中 花子\nCC: 佐藤\n"
        "件名: Re: ご注文について\n", "",
    ),
    Style(
        "outlook spaced", "ja",
        "差出人: みなと雑貨店 <shop@minato-zakka.example>\n\n送信日時: 2026年11月20日 10:00\n\n宛先: 田中 花子\n\n件名: ご注文\n", "",
    ),
    Style(
        "outlook wide colons", "ja",
        "差出人：みなと雑貨店\n日時：2026年11月20日 10:00\n宛先：田中 花子\n件名：ご注文について\n", "",
    ),
    Style(
        "outlook english labels", "ja",
        "From: みなと雑貨店 <shop@minato-zakka.example>\nSent: Friday, November 20, 2026 10:00 AM\nTo: 田中 花子\n"
        "Subject: Re: ご注文について\n", "",
    ),
    Style(
        "yahoo", "ja",
        "----- Original Message -----\n差出人: みなと雑貨店 <shop@minato-zakka.example>\n宛先: hanako@mail.example\n"
        "日付: 2026/11/20 金 10:00\n件名: Re: ご注文\n", "",
    ),
    Style(
        "yahoo prefixed", "ja",
        "----- Original Message -----\n> 差出人: みなと雑貨店\n> 宛先: hanako@mail.example\n> 件名: Re: ご注文\n>",
    ),
    Style("phone", "ja", "-----元のメッセージ-----\nFrom: shop@minato-zakka.example\nTo: hanako@phone.example\nSubject: ご注文\n", ""),
    Style("phone divider only", "ja", "---元のメール---\n", ""),
    Style("received", "ja", "------ 受信メール ------\n", ""),
    Style("gmail", "en", "On Fri, Nov 20, 2026 at 10:00 AM Minato Zakka <shop@minato-zakka.example> wrote:\n"),
    Style("gmail wrapped", "en", "On Fri, Nov 20, 2026 at 10:00 AM Minato Zakka <\nshop@minato-zakka.example> wrote:\n"),
    Style("gmail thrice", "en", "On Fri, Nov 20, 2026 at 10:00 AM Minato Zakka Online Store\nCustomer Care <shop@minato-zakka.example>\nwrote:\n"),
    Style("apple mail", "en", "On 20 Nov 2026, at 10:00, Minato Zakka <shop@minato-zakka.example> wrote:\n"),
    Style("iphone", "en", "Sent from my iPhone\n\nOn Nov 20, 2026, at 10:00 AM, Minato Zakka <shop@minato-zakka.example> wrote:\n\n> "),
    Style("thunderbird", "en", "On 11/20/26 10:00, Minato Zakka wrote:"),
    Style("proton", "en", "On Friday, November 20th, 2026 at 10:00 AM, Minato Zakka <shop@minato-zakka.example> wrote:\n"),
    Style("roundcube", "en", "On 2026-11-20 10:00, Minato Zakka wrote:"),
    Style("mutt", "en", "On Fri, Nov 20, 2026 at 10:00:00AM +0900, Minato Zakka wrote:"),
    Style("zoho", "en", "---- On Fri, 20 Nov 2026 10:00:00 +0900 shop@minato-zakka.example wrote ----\n", ""),
    Style("yahoo old", "en", "--- On Fri, 11/20/26, Minato Zakka <shop@minato-zakka.example> wrote:\n"),
    Style("aol", "en", "In a message dated 11/20/2026 10:00:00 AM, shop@minato-zakka.example writes:\n"),
    Style("wanderlust", "en", "At Fri, 20 Nov 2026 10:00:00 +0900,\nMinato Zakka wrote:"),
    Style(
        "outlook markdown", "en",
        "**From:** Minato Zakka <shop@minato-zakka.example>**On Behalf Of** Minato\n**Sent:** 20 November 2026 10:00\n**To:** Hanako\n**Subject:** Order\n", "",
    ),
    Style(
        "outlook wrapped sender", "en",
        "From: Minato Zakka Customer Care \n<a-really-long-address-of-the-shop@minato-zakka.example> \nSent: Friday, November 20, 2026 10:00 AM\nTo: Hanako\nSubject: Order\n", "",
    ),
    Style("name only", "en", "Minato Zakka wrote:"),
    Style("yahoo", "en", "On Friday, November 20, 2026 at 10:00:00 AM GMT+9, Minato Zakka <shop@minato-zakka.example> wrote:\n", ""),
    Style(
        "outlook", "en",
        "From: Minato Zakka <shop@minato-zakka.example>\nSent: Friday, November 20, 2026 10:00 AM\nTo: Hanako <hanako@mail.example>\n"
        "Subject: RE: Your order\n", "",
    ),
    Style(
        "outlook mobile", "en",
        "Get Outlook for iOS<https://apps.example/o>\n________________________________\nFrom: Minato Zakka <shop@minato-zakka.example>\n"
        "Sent: Friday, November 20, 2026 10:00:00 AM\nTo: Hanako <hanako@mail.example>\nSubject: Re: Your order\n", "",
    ),
    Style(
        "outlook new", "en",
        "From: Minato Zakka <shop@minato-zakka.example>\nDate: Friday, November 20, 2026 at 10:00 AM\nTo: Hanako\nSubject: Re: Your order\n", "",
    ),
    Style(
        "outlook bold", "en",
        "*From:* Minato Zakka <shop@minato-zakka.example>\n*Sent:* Friday, November 20, 2026 10:00 AM\n*To:* Hanako\n*Subject:* Order\n", "",
    ),
    Style(
        "outlook wrapped recipients", "en",
        "From: Minato Zakka <shop@minato-zakka.example>\nSent: Friday, November 20, 2026 10:00 AM\nTo: Hanako <hanako@mail.example>;\n"
        " Taro <taro@mail.example>; Jiro <jiro@mail.example>\nSubject: RE: Your order\n", "",
    ),
    Style(
        "original message", "en",
        "-----Original Message-----\nFrom: Minato Zakka [mailto:shop@minato-zakka.example]\nSent: Friday, November 20, 2026 10:00 AM\n"
        "To: Hanako\nSubject: Your order\n", "",
    ),
    Style(
        "forwarded", "en",
        "---------- Forwarded message ---------\nFrom: Minato Zakka <shop@minato-zakka.example>\nDate: Fri, Nov 20, 2026 at 10:00 AM\n"
        "Subject: Your order\nTo: <hanako@mail.example>\n", "",
    ),
    Style(
        "apple forward", "en",
        "Begin forwarded message:\n\nFrom: Minato Zakka <shop@minato-zakka.example>\nSubject: Your order\nDate: 20 November 2026\n"
        "To: Hanako <hanako@mail.example>\n", "",
    ),
    Style("gmail", "zh", "Minato Zakka <shop@minato-zakka.example> 于2026年11月20日周五 10:00写道：\n"),
    Style("gmail wrapped", "zh", "Minato Zakka <shop@minato-zakka.example> 于2026年11月20日周五\n10:00写道：\n"),
    Style("gmail taiwan", "zh", "Minato Zakka <shop@minato-zakka.example> 於 2026年11月20日 週五 上午10:00寫道：\n"),
    Style("apple", "zh", "在 2026年11月20日，10:00，Minato Zakka <shop@minato-zakka.example> 写道：\n"),
    Style("apple taiwan", "zh", "從我的 iPhone 傳送\n\nMinato Zakka <shop@minato-zakka.example> 於 2026年11月20日 上午10:00 寫道：\n"),
    Style("iphone", "zh", "发自我的iPhone\n\n> 在 2026年11月20日，10:00，Minato Zakka <shop@minato-zakka.example> 写道：\n>"),
    Style("netease", "zh", '在 2026-11-20 10:00:00，"Minato Zakka" <shop@minato-zakka.example> 写道：\n', ""),
    Style("netease english", "zh", 'At 2026-11-20 10:00:00, "Minato Zakka" <shop@minato-zakka.example> wrote:\n', ""),
    Style(
        "netease table", "zh",
        "---- 回复的原邮件 ----\n| 发件人 | Minato Zakka<shop@minato-zakka.example> |\n| 日期 | 2026年11月20日 10:00 |\n"
        "| 收件人 | <wang@mail.example> |\n| 主题 | 回复：订单 |\n", "",
    ),
    Style(
        "qq", "zh",
        '------------------ 原始邮件 ------------------\n发件人: "Minato Zakka" <shop@minato-zakka.example>;\n'
        '发送时间: 2026年11月20日(星期五) 上午10:00\n收件人: "wang"<wang@mail.example>;\n主题: 回复: 订单\n\n\n', "",
    ),
    Style("qq short", "zh", "---原始邮件---\n发件人：shop@minato-zakka.example\n发送时间：2026年11月20日\n收件人：wang@mail.example\n", ""),
    Style(
        "qq english", "zh",
        '------------------ Original ------------------\nFrom: "Minato Zakka" <shop@minato-zakka.example>;\nDate: Fri, Nov 20, 2026\n', "",
    ),
    Style(
        "foxmail", "zh",
        "发件人： Minato Zakka\n发送时间： 2026-11-20 10:00\n收件人： 王小明\n主题： 回复: 订单\n", "",
    ),
    Style(
        "aliyun", "zh",
        "------------------------------------------------------------------\n发件人：Minato Zakka <shop@minato-zakka.example>\n"
        "发送时间：2026年11月20日(星期五) 10:00\n收件人：王小明 <wang@mail.example>\n主　题：回复：订单\n", "",
    ),
    Style("outlook taiwan", "zh", "寄件者: Minato Zakka\n寄件日期: 2026年11月20日 上午 10:00\n收件者: 王小明\n主旨: RE: 訂單\n", ""),
    Style("roundcube", "zh", "在 2026-11-20 10:00，Minato Zakka 写道："),
    Style("forwarded", "zh", "---------- 转发的邮件 ---------\n发件人：Minato Zakka <shop@minato-zakka.example>\n", ""),
]  # fmt: skip


def quoted(style: Style) -> str:
    """The shop's text as this style quotes it, its introduction included."""
    lines = [f"{style.prefix}{line}".rstrip() for line in SHOP_TEXT[style.language]]
    return "\n".join([style.intro, *lines])


def label(style: Style) -> str:
    return f"{style.language} {style.name}"


@pytest.mark.parametrize("style", STYLES, ids=label)
def test_top_posting_leaves_the_answer(style: Style) -> None:
    parts = split(f"{ANSWER[style.language]}\n\n{quoted(style)}\n")
    assert parts.new == ANSWER[style.language]
    assert SHOP_TEXT[style.language][2] in parts.quoted


@pytest.mark.parametrize("style", STYLES, ids=label)
def test_a_signature_above_the_quotation_is_no_new_text(style: Style) -> None:
    answer = ANSWER[style.language]
    parts = split(f"{answer}\n\n{SIGNATURE[style.language]}\n\n{quoted(style)}\n")
    assert parts.new == answer
    assert "0000" in parts.signature


@pytest.mark.parametrize("style", [style for style in STYLES if style.prefix], ids=label)
def test_bottom_posting_leaves_the_answer(style: Style) -> None:
    intro_less_footer = quoted(style).split("\n\n", 1)[1] if "iphone" in style.name else quoted(style)
    parts = split(f"{intro_less_footer}\n\n{ANSWER[style.language]}\n\n{SIGNATURE[style.language]}\n")
    assert parts.new == ANSWER[style.language]


@pytest.mark.parametrize("style", [style for style in STYLES if style.prefix], ids=label)
def test_answers_between_quoted_lines_stay_new(style: Style) -> None:
    intro = style.intro.split("\n\n", 1)[1] if "iphone" in style.name else style.intro
    shop = SHOP_TEXT[style.language]
    text = f"{intro}\n{style.prefix}{shop[2]}\nA1\n{style.prefix}{shop[3]}\n\nA2\n\n{style.prefix}{shop[5]}\n"
    assert split(text).new == "A1\n\nA2"


@pytest.mark.parametrize("style", STYLES, ids=label)
def test_a_forward_without_words_has_no_new_text(style: Style) -> None:
    parts = split(quoted(style))
    assert parts.new == ""
    assert SHOP_TEXT[style.language][3] in parts.quoted


# --- one by one ------------------------------------------------------------------------------------------------------

WHOLE = [
    # Mails without any quotation stay as they are.
    "キャンセルしてください。",
    "Please cancel my order 1042.",
    "请取消订单。",
    "注文番号：1042\n氏名：田中花子\n電話：090-0000-1234\n\n上記の注文をキャンセルしてください。",
    "From: Osaka\nTo: Tokyo\n\nHow much is shipping?",
    "件名のとおりです。\n差出人の名前を変えてもらえますか。",
    "＞＜ すみません、間違えました。",
    ">_< sorry, wrong item",
    "昨日メールで送信した件です。",
    "倉庫から送信",
    "Sent via DHL?",
    "以下の内容で領収書をお願いします。\n\n宛名：株式会社みどり\n日付：2026年11月20日\n但し書き：雑貨代として",
    "変更後の住所は下記です。\n\n〒150-0000\n東京都渋谷区架空町1-2-3\nTEL 090-0000-1234",
    "New address below:\n\nHanako Tanaka\n1-2-3 Kakuu-cho, Shibuya\nTel +81 90 0000 1234",
    "新地址如下：\n\n王小明\n北京市朝阳区某路1号\n电话 13800000000",
    "Thanks,\nHanako\nOrder #1042",
    "よろしくお願いします。\n\n注文番号 1042",
    "謝謝！\n訂單 1042",
    "As you wrote on 20 Nov 2026:\nit should have shipped by now.",
    "------\n注文番号 1042\n商品 マグカップ\n------\nキャンセルしてください",
    "お名前: 田中\nメール: hanako@mail.example\n----------\nお問い合わせ内容:\nまだ届きません",
    "差出人: 田中 花子 <hanako@mail.example>\n題名: 問い合わせ\n\nメッセージ本文:\nキャンセルしたい",
    "From: Hanako <hanako@mail.example>\nSubject: Question\n\nMessage Body:\nWhere is my order?",
    "在庫はありますか",
    "届いた商品\n・マグ 1個\n・皿 2枚\n\n皿が割れていました",
    "1) cancel\n2) refund",
    "色の変更をお願いします。\n\n赤 → 青",
    "On the other hand, we should wait.\nOn average it takes a week.\n\nOn a separate note, is it in stock?",
    "The parcel comes From: Osaka, not From: Tokyo.\n\nIs that right?",
    "I tried on these days:\n\n2026-11-15 14:30\n15.11.2026 14:30\nNov 15, 2026 at 14:30\n\nNobody answered.",
    "The notification was sent from my iPhone app.\n\nNothing came back.",
    "My list:\n\n----\n\n1. mug, broken\n2. plate, fine\n\n----\n\nPlease replace the first.",
    "昨日 shop@minato-zakka.example に書きました。\n返事がまだです。",
    "商品名：マグカップ\n日付：11月20日\n\n在庫はありますか。",
    "送信日時の件ですが、まだ届きません。",
    "ありがとうございました",
    "Thank you!",
    "谢谢",
    "...",
    "1042",
]


@pytest.mark.parametrize("text", WHOLE)
def test_a_mail_without_quotation_or_signature_stays_whole(text: str) -> None:
    assert split(text).new == text.rstrip("-").rstrip("\n")


SIGNED = [
    # (text, what is new)
    ("キャンセルお願いします。\n\n-- \n田中 花子\nhanako@mail.example", "キャンセルお願いします。"),
    ("キャンセルお願いします。\n-- \n田中", "キャンセルお願いします。"),
    ("まだ届きません。\n\n**********************\n田中 花子\n東京都渋谷区\n**********************", "まだ届きません。"),
    ("まだ届きません。\n\n=====================\n株式会社みどり\n購買部 佐藤\nTEL：03-0000-1234\nFAX：03-0000-1235\n=====================", "まだ届きません。"),
    ("まだ届きません。\n\n┏━━━━━━━━┓\n  田中 花子\n  E-mail: hanako@mail.example\n┗━━━━━━━━┛", "まだ届きません。"),
    ("まだ届きません。\n\n:*:..。o○☆゜・:,。*:..。o○☆\n田中 花子\n:*:..。o○☆゜・:,。*:..。o○☆", "まだ届きません。"),
    ("まだ届きません。\n\n---------------------------\n田中 花子 (Hanako Tanaka)\n---------------------------", "まだ届きません。"),
    ("まだ届きません。\n\n----- 田中 花子 -----\nhanako@mail.example", "まだ届きません。"),
    ("確認をお願いします。\n\n田中", "確認をお願いします。"),
    ("確認をお願いいたします。\n\n株式会社みどり\n佐藤 一郎\n〒530-0000 大阪市北区架空1-1\nTEL 06-0000-1234", "確認をお願いいたします。"),
    ("以上、よろしくお願いいたします。\n\n田中花子\n携帯 090-0000-1234", "以上、よろしくお願いいたします。"),
    ("届きました。\n\n敬具\n\n田中 花子", "届きました。"),
    ("返品したいです。\n\niPhoneから送信", "返品したいです。"),
    ("返品したいです。\n\nAndroidスマートフォンから送信", "返品したいです。"),
    ("返品したいです。\n\nYahoo!メールアプリから送信", "返品したいです。"),
    ("返品したいです。\n\nWindows 版のメールから送信", "返品したいです。"),
    ("返品したいです。\n\nOutlook for iOSを入手", "返品したいです。"),
    ("返品したいです。\n\n私のGalaxyから送信されました", "返品したいです。"),
    ("返品したいです。\n\nこのメールには機密情報が含まれている場合があります。\n誤って受信された場合は破棄してください。", "返品したいです。"),
    ("返品したいです。\n\n--\nこの E メールはアバスト アンチウイルスによりウイルススキャンされています。\nhttps://www.avast.example", "返品したいです。"),
    ("I want a refund.\n\nBest regards,\nJohn Smith", "I want a refund."),
    ("I want a refund.\n\nKind regards\n\nJohn Smith\nHead of Purchasing\nAcme Ltd.\nTel: +44 20 0000 1234\nwww.acme.example", "I want a refund."),
    ("I want a refund.\n\nSincerely,\n\nJohn", "I want a refund."),
    ("I want a refund.\n\nCheers\nJohn", "I want a refund."),
    ("I want a refund.\n\nThanks,\nJohn", "I want a refund.\n\nThanks,"),
    ("Thank you!\n\nJohn", "Thank you!"),
    ("I want a refund.\n\nCheers 🎉\nSarah\n\n—————\nSarah Johnson\nProduct Manager\n📧 sarah@mail.example\n📱 +1 555-0123", "I want a refund."),
    ("Where is it?\n\nGet Outlook for iOS<https://apps.example/o0ukef?x=1&y=2>", "Where is it?"),
    ("返品したいです。\n\niOS 版 Outlook を入手する<https://apps.example/o0ukef>", "返品したいです。"),
    ("我要退貨。\n\n從 Yahoo奇摩電子信箱 iPhone 版傳送", "我要退貨。"),
    ("我要退货。\n\n签名由 网易邮箱大师 定制", "我要退货。"),
    ("Where is it?\n\nSent from my iPhone", "Where is it?"),
    ("Where is it?\n\nSent from Yahoo Mail for iPhone", "Where is it?"),
    ("Where is it?\n\nSent from Mail for Windows", "Where is it?"),
    ("Where is it?\n\nGet Outlook for Android", "Where is it?"),
    ("Where is it?\n\nSent from my Samsung Galaxy smartphone.", "Where is it?"),
    ("Where is it?\n\nCONFIDENTIALITY NOTICE: This e-mail is intended only for the person named.\nIf you are not the intended recipient, delete it.", "Where is it?"),
    ("Where is it?\n\nJohn Smith\nAcme Ltd.\nTel. 020 0000 1234\n\nThis email and any attachments are confidential.\n\nAcme Ltd. Registered office: 1 Example Street.", "Where is it?"),
    ("Where is it?\n\n-- \nJohn\n\nVirus-free.www.avast.example", "Where is it?"),
    ("我要退货。\n\n此致\n敬礼\n\n王小明", "我要退货。"),
    ("我要退货。\n\n祝好，\n王小明", "我要退货。"),
    ("我要退貨。\n\n順頌商祺\n王小明 敬上", "我要退貨。"),
    ("我要退货。谢谢！\n\n王小明\n手机：13800000000", "我要退货。谢谢！"),
    ("我要退货。\n\n发自我的华为手机", "我要退货。"),
    ("我要退货。\n\n发自我的iPhone", "我要退货。"),
    ("我要退貨。\n\n從我的 iPhone 傳送", "我要退貨。"),
    ("我要退货。\n\n来自我的QQ邮箱手机版", "我要退货。"),
    ("我要退货。\n\n--------------\n王小明\n某某有限公司\n电话：010-00001234", "我要退货。"),
    ("我要退货。\n\n本邮件及其附件含有保密信息，仅供收件人使用。", "我要退货。"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "new"), SIGNED)
def test_signatures_footers_and_notices_are_no_new_text(text: str, new: str) -> None:
    parts = split(text)
    assert parts.new == new
    assert parts.signature


ODD = [
    # Two quotations, ours in theirs.
    ("はい。\n\n2026年11月20日(金) 10:00 みなと雑貨店 <shop@minato-zakka.example>:\n\n> 承知しました。\n>\n> > 返品したい\n", "はい。"),
    # A disclaimer below the quotation.
    ("OK, thanks.\n\nOn 11/20/26 10:00, Minato Zakka wrote:\n> Dear Hanako\n\nThis email and any attachments are confidential.", "OK, thanks."),
    # Answer above and below.
    ("See below.\n\nOn 11/20/26 10:00, Minato Zakka wrote:\n> Which size?\n\nMedium, please.", "See below.\n\nMedium, please."),
    # A program broke the quoted lines and lost the prefix of the rest.
    ("Yes.\n\nOn 11/20/26 10:00, Minato Zakka wrote:\n> thank you for your order which we will send you as soon as it is\nready for dispatch\n> from our store", "Yes."),
    # The shop's mail below an unprefixed block quotes the buyer's own.
    ("届きません。\n\n差出人: みなと雑貨店\n送信日時: 2026年11月20日\n宛先: 田中\n件名: Re: 注文\n\n発送しました。\n\n> キャンセルしたい\n\nみなと雑貨店", "届きません。"),
    # Initials before the mark.
    ("TN> いつ届きますか\nTN> 教えてください\n\n明日です。", "明日です。"),
    # Bars instead of marks.
    ("はい。\n\n| いつ届きますか\n| 教えてください", "はい。"),
    # Attribution without colon.
    ("ok\n\nOn Fri, 20 Nov 2026, Minato Zakka <shop@minato-zakka.example> wrote\n> hello", "ok"),
    # Text directly above the attribution.
    ("キャンセルします\n2026年11月20日(金) 10:00 みなと雑貨店 <shop@minato-zakka.example>:\n> はい", "キャンセルします"),
    ("注文は11月20日です。\n2026年11月21日(土) 10:00 みなと雑貨店 <shop@minato-zakka.example>:\n> はい", "注文は11月20日です。"),
    # A header block in the middle of a word wrap.
    ("取り消してください\n\n差出人: みなと雑貨店 <shop@minato-zakka.example>\n送信日時: 2026年11月20日金曜日 10:00\n宛先: 'hanako@mail.example'\n<hanako@mail.example>\n件名: RE: ご注文\n\n本文", "取り消してください"),
    # Non-breaking spaces in the divider.
    ("取消\n\n------------------\u00a0原始邮件\u00a0------------------\n您好", "取消"),
    # Thanks over a cancel.
    ("ありがとうございます！\n\n2026/11/20 10:00、みなと雑貨店 <shop@minato-zakka.example>のメール:\n\n> キャンセルを承りました。", "ありがとうございます！"),
    # Only a quotation and a footer.
    ("iPhoneから送信\n\n> キャンセルを承りました。", ""),
    ("-- \n田中 花子", ""),
    ("", ""),
    ("\n\n\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "new"), ODD)
def test_odd_mails_are_told_apart(text: str, new: str) -> None:
    assert split(text).new == new


def test_nothing_is_lost() -> None:
    text = f"{ANSWER['ja']}\n\n{SIGNATURE['ja']}\n\n{quoted(STYLES[0])}"
    parts = split(text)
    together = f"{parts.new}\n{parts.quoted}\n{parts.signature}"
    assert sorted(line for line in together.split("\n") if line) == sorted(line for line in text.split("\n") if line)


NASTY = {
    "colons": "x:\n" * 60_000,
    "labels": "From:\n" * 60_000,
    "header halves": "From: a\n\nDate: b\n" * 30_000,
    "wrote": "On 2026/11/20 wrote\n" * 20_000,
    "addresses": ("a@b.example " * 30 + ":\n") * 2_000,
    "dots": ("a." * 199 + "@:\n") * 2_500,
    "marks": ">\n" * 300_000,
    "one line of marks": ">" * 1_000_000,
    "dashes": "--\n" * 200_000,
    "rules": ("-" * 390 + "\n") * 2_500,
    "closings": "Thanks\n" * 100_000,
    "legal": "x\n\n" + "virus-free " * 50_000,
    "blank lines": "\n" * 1_000_000,
    "one line": "キャンセル" * 200_000,
    "spaces": " " * 1_000_000,
    "bars": "| x\n" * 100_000,
    "initials": "AB> x\n" * 100_000,
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
def test_hostile_text_is_split_in_bounded_time(text: str) -> None:
    begin = time.process_time()
    split(text)
    assert time.process_time() - begin < 2


LINES = st.sampled_from([
    "", "> ", ">", "> x", "--", "-- ", "From: a", "Date: 2026/11/20", "To: b", "Subject: c", "差出人: a", "送信日時: b", "件名: c",
    "On 2026/11/20 wrote:", "a@b.example:", "さんは書きました:", "写道：", "━━━━━", "-----Original Message-----", "よろしくお願いします。", "田中",
    "TEL 03-0000-0000", "Best regards,", "iPhoneから送信", "キャンセル", "| x", "AB> y",
])  # fmt: skip


@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=40))
@settings(max_examples=300, deadline=None)
def test_every_line_lands_in_one_part(lines: list[str]) -> None:
    text = "\n".join(lines)
    parts = split(text)
    together = "\n".join((parts.new, parts.quoted, parts.signature)).split("\n")
    expected = sorted(line.rstrip() for line in text.replace("\u00a0", " ").split("\n") if line.strip())
    assert sorted(line for line in together if line.strip()) == expected
