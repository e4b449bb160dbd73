"""Machines get no answer, people do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.guards import bounced_ids, gate, is_bounce, is_no_reply
from responder.core.mime import read
from responder.model import Address, Message
from tests.builders import SHOP, make_message


def with_headers(
    new_text: str = "キャンセルしてください。", *, subject: str = "注文について", **headers: str
) -> Message:
    return make_message(
        new_text, subject=subject, headers={name.replace("_", "-").lower(): (value,) for name, value in headers.items()}
    )


def from_(mail: str, new_text: str = "こんにちは", **changes: object) -> Message:
    return make_message(new_text, sender=Address("", mail), **changes)


def situation(message: Message, *, is_channel: bool = False) -> str | None:
    found = gate(message, SHOP, is_channel=is_channel)
    return found.situation if found else None


MACHINES = [
    with_headers(Auto_Submitted="auto-replied"),
    with_headers(Auto_Submitted="auto-generated"),
    with_headers(Auto_Submitted="Auto-Replied (vacation); owner-email=x"),
    with_headers(Auto_Submitted="auto-notified"),
    with_headers(Auto_Submitted="yes"),
    with_headers(X_Autoreply="yes"),
    with_headers(X_Autorespond="Out of office"),
    with_headers(X_Auto_Response_Suppress="All"),
    with_headers(X_Auto_Response_Suppress="DR, OOF, AutoReply"),
    with_headers(Precedence="auto_reply"),
    with_headers(X_Vacation="1"),
    with_headers(Content_Type="multipart/report; report-type=disposition-notification"),
    with_headers(X_Mailer="vacation 1.2.7.0"),
    make_message("x", return_path=""),
    from_("no-reply@service.example"),
    from_("noreply@service.example"),
    from_("do_not_reply@service.example"),
    from_("DoNotReply+123@service.example"),
    from_("shop-noreply@service.example"),
    from_("noreply-jp@service.example"),
    from_("notifications@service.example"),
    from_("no-reply@service.example", reply_to=(Address("", "no-reply@other.example"),)),
    from_("no-reply@service.example", reply_to=(Address("", "info@service.example"),)),
    make_message("x", subject="自動返信：お問い合わせありがとうございます"),
    make_message("x", subject="【自動返信】ご連絡ありがとうございます"),
    make_message("x", subject="[Auto-Reply] Re: Your order"),
    make_message("x", subject="Automatic reply: Your order has shipped"),
    make_message("x", subject="Out of Office Re: Your order"),
    make_message("x", subject="自動応答: Re: ご注文"),
    make_message("x", subject="不在通知"),
    make_message("x", subject="自动回复：您的订单"),
    make_message("x", subject="自動回覆: 訂單"),
    make_message("x", subject="开封済み:".replace("开", "開")),
    make_message("", subject="Read: Your order"),
    make_message("11月20日から25日まで出張のため不在にしております。返信が遅れますことご了承ください。", subject="Re: ご注文"),
    make_message("ただいま夏季休暇をいただいております。休み明けに順次ご連絡いたします。", subject="Re: ご注文"),
    make_message("現在、育休をいただいております。お急ぎの場合は下記までご連絡ください。", subject="Re: ご注文"),
    make_message("このメールは自動返信です。担当者より改めてご連絡します。", subject="Re: ご注文"),
    make_message("※本メールは自動返信メールです。送信専用のためご返信いただけません。"),
    make_message("I am currently out of the office and will return on Monday.", subject="Re: Your order"),
    make_message("I'm on vacation until 25 November. For urgent matters please contact my colleague Bob.", subject="Re: Your order"),
    make_message("Thank you for your message. I am on leave until Monday with limited access to email.", subject="Re: Your order"),
    make_message("This is an automated response. Your request has been received.", subject="Re: Your order"),
    make_message("您好，我正在休假，回来后会尽快回复您。", subject="Re: 订单"),
    make_message("您好！我目前出差中，如有急事请联系我的同事。", subject="回复：订单"),
    make_message("這是自動回覆，我已收到您的來信。", subject="回覆：訂單"),
    make_message("此邮件为自动回复，请勿直接回复。", subject="回复：订单"),
    make_message("（自動返信）ただいま会議中のため返信できません。", subject="Re: 発送"),
    make_message("您好，您的邮件我已经收到，会尽快查阅。（QQ邮箱自动回复）", subject="Re: 订单"),
    make_message("Auto-response: the owner is away until December.", subject="Re: Your item"),
    make_message("I'm on maternity leave until March. This mailbox is not read.", subject="Automatic answer"),
    make_message("お問い合わせありがとうございます。当院は11月23日まで休診とさせていただきます。お返事は24日以降になります。", subject="休診のお知らせ"),
    make_message("Thank you for contacting Desk. A member of our team will respond within one business day.", subject="[Ticket #1]"),
    make_message("お問い合わせを受け付けました。担当者より順次ご連絡いたします。", subject="受付完了"),
]  # fmt: skip


@pytest.mark.parametrize("message", MACHINES, ids=range(len(MACHINES)))
def test_a_machine_gets_no_answer(message: Message) -> None:
    assert situation(message) == "auto_reply"


BULK = [
    with_headers(List_Id="<news.shop.example>"),
    with_headers(List_Unsubscribe="<https://news.example/u>"),
    with_headers(Precedence="bulk"),
    with_headers(Precedence="list"),
    with_headers(Precedence="Junk"),
    with_headers(X_Spam_Flag="YES"),
    with_headers(X_Campaign="1234"),
    make_message("秋の大セール開催中！\nhttps://sale.example/\n\n配信停止はこちら https://sale.example/stop", subject="セール"),
    make_message("Grow your shop! https://seo.example\nTo unsubscribe click here: https://seo.example/u", subject="SEO"),
    make_message("限时优惠 https://ad.example\n退订请点击 https://ad.example/t", subject="优惠"),
]  # fmt: skip


@pytest.mark.parametrize("message", BULK, ids=range(len(BULK)))
def test_bulk_mail_is_spam(message: Message) -> None:
    assert situation(message) == "spam"


PEOPLE = [
    make_message("キャンセルしてください。"),
    with_headers(Auto_Submitted="no"),
    with_headers(Auto_Submitted="No"),
    with_headers(Precedence="normal"),
    with_headers(X_Auto_Response_Suppress="None"),
    with_headers(X_Spam_Flag="NO"),
    make_message("いつ届きますか", subject="Re: 【自動返信】ご注文ありがとうございます"),
    make_message("いつ届きますか", subject="RE: 自動返信: ご注文"),
    make_message("When?", subject="Re: Automatic reply: order"),
    make_message("什么时候发货？", subject="回复：自动回复"),
    make_message("不在のため受け取れませんでした。再配達をお願いします。"),
    make_message("平日は不在にしておりますので、土曜日に届けてください。ご連絡お待ちしています。"),
    make_message("出張中なので、荷物は来週以降に配達してください。返信はメールでお願いします。"),
    make_message("休暇中に届くと困るので、発送を遅らせてください。折り返しご連絡ください。"),
    make_message("I will be on vacation until Monday. Please hold my order until I return."),
    make_message("I'm out of town and on vacation; can you ship the parcel when I return?"),
    make_message("I was travelling for weeks and thought it would wait for me on my return. It's one umbrella. Is it here?"),
    make_message("我下周出差中，包裹请晚点发货，尽快回复我。"),
    make_message("自動送信メールが届きません。注文できていますか？"),
    make_message("自動返信メールが来ないのですが。"),
    make_message("The automatic confirmation mail did not arrive."),
    make_message("没有收到系统自动回复，订单成功了吗？"),
    make_message("Please unsubscribe me from your newsletter."),
    make_message("「自動返信メール」というのが届きましたが、注文はできていますか？"),
    make_message("Did you get my mail? I need an answer within 24 hours about my order."),
    make_message("お返事はメールでお願いします。日曜は配達できますか。"),
    make_message("返信できますか？在庫を知りたいです。"),
    make_message("メルマガの配信停止をお願いします。"),
    make_message("Unsubscribe me. https://shop.example/news", in_reply_to=("<n@shop.example>",)),
    make_message("Delivery failed! Where is my parcel?", subject="Delivery failed"),
    make_message("配送不能と言われました。", subject="配送エラー？"),
    make_message("Read this please", subject="Ready to cancel"),
    from_("root@hanako.example"),
    from_("postmaster@hanako.example", "届きません"),
    from_("alert.jones@mail.example"),
    from_("notifyme@mail.example"),
    from_("no-reply@forms.example", reply_to=(Address("", "hanako@mail.example"),)),
    make_message("x", return_path=None),
    make_message("x", sender=None),
]  # fmt: skip


@pytest.mark.parametrize("message", PEOPLE, ids=range(len(PEOPLE)))
def test_a_person_goes_on_to_the_rules(message: Message) -> None:
    assert situation(message) is None


@pytest.mark.parametrize("message", [*MACHINES[:23], *BULK], ids=range(23 + len(BULK)))
def test_a_channel_may_carry_a_machines_headers(message: Message) -> None:
    assert situation(message, is_channel=True) is None


def test_our_own_mail_is_never_answered_not_even_through_a_channel() -> None:
    for mail in (SHOP.address, SHOP.aliases[0], SHOP.address.upper()):
        assert situation(from_(mail)) == "auto_reply"
        assert situation(from_(mail), is_channel=True) == "auto_reply"


BOUNCES = [
    from_("MAILER-DAEMON@mx.example"),
    from_("mailer.daemon@mx.example"),
    from_("bounce@mx.example"),
    from_("bounces+123@mx.example"),
    from_("bounce-77-abc=mail.example@mx.example"),
    make_message("x", sender=Address("Mail Delivery System", "mds@mx.example"), subject="Returned mail: User unknown"),
    make_message("x", sender=Address("System Administrator", "admin@mx.example"), subject="[x] Undeliverable: order"),
    make_message("Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver.", subject="failure"),
    make_message("Delivery to the following recipient failed permanently:\n\n  x@mail.example"),
    make_message("很抱歉您发送的邮件被退回，以下是该邮件的相关信息：", subject="系统退信"),
    from_("postmaster@mx.example", return_path=""),
    from_("postmaster@mx.example", subject="Undeliverable: Your order"),
    from_("hanako@mail.example", subject="Undelivered Mail Returned to Sender", return_path=""),
    with_headers(X_Failed_Recipients="hanako@mail.example"),
    with_headers(Content_Type='multipart/report; report-type="delivery-status"; boundary=x'),
    make_message("x", sender=None, headers={"from": ("Mail Delivery Subsystem <MAILER-DAEMON>",)}),
]  # fmt: skip


@pytest.mark.parametrize("message", BOUNCES, ids=range(len(BOUNCES)))
def test_a_bounce_is_known_through_any_channel(message: Message) -> None:
    assert is_bounce(message)
    assert situation(message) == "auto_reply"
    assert situation(message, is_channel=True) == "auto_reply"


@pytest.mark.parametrize("message", PEOPLE, ids=range(len(PEOPLE)))
def test_a_person_is_no_bounce(message: Message) -> None:
    assert not is_bounce(message)
    assert bounced_ids(message) == ()


REPORT = b"""Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example>
To: shop@minato-zakka.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <report-1@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="r"

--r

I'm sorry to have to inform you that your message could not be delivered.
--r
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; hanako@mail.example
Action: failed
Status: 5.1.1
--r
Content-Type: message/rfc822

From: shop@minato-zakka.example
To: hanako@mail.example
Subject: Re: order
Message-ID: <ours-1@minato-zakka.example>
In-Reply-To: <buyer-1@mail.example>

text
--r--
"""

INLINE = b"""Return-Path: <>
From: MAILER-DAEMON@mx.example
Subject: failure notice
Message-ID: <report-2@mx.example>

Hi. This is the qmail-send program at mx.example.

<hanako@mail.example>:
Sorry, no mailbox here by that name.

--- Below this line is a copy of the message.

Received: from x
From: shop@minato-zakka.example
Message-ID: <ours-2@minato-zakka.example>
Subject: Re: order

text
"""

HEADERS_ONLY = REPORT.replace(b"Content-Type: message/rfc822", b"Content-Type: text/rfc822-headers")


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        (REPORT, "<ours-1@minato-zakka.example>"),
        (HEADERS_ONLY, "<ours-1@minato-zakka.example>"),
        (INLINE, "<ours-2@minato-zakka.example>"),
    ],
)
def test_a_bounce_tells_which_mail_of_ours_came_back(raw: bytes, ours: str) -> None:
    message = read(raw)
    assert is_bounce(message)
    assert bounced_ids(message)[0] == ours
    assert message.message_id not in bounced_ids(message)


def test_addresses_nobody_reads_are_known() -> None:
    assert is_no_reply("no.reply@x.example")
    assert not is_no_reply("hanako@x.example")
    assert not is_no_reply("norepy@x.example")


@given(
    st.text(max_size=200),
    st.text(max_size=80),
    st.dictionaries(
        st.sampled_from(["auto-submitted", "precedence", "content-type", "from", "x-mailer"]),
        st.tuples(st.text(max_size=40)),
        max_size=4,
    ),
)
@settings(max_examples=300, deadline=None)
def test_no_mail_raises(text: str, subject: str, headers: dict[str, tuple[str]]) -> None:
    message = make_message(text, subject=subject, headers=headers)
    gate(message, SHOP, is_channel=False)
    bounced_ids(message)
