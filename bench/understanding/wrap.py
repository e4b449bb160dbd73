"""A labelled mail as it looks when it is an answer: signed, with the shop's last mail quoted below in a client's style.

What the buyer wants does not change by that, and neither may the decision. The quoted texts speak of everything a
rule could fall for: cancelling, refusing a parcel, damage, receipts, delivery dates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.understanding.corpus import Labelled, with_text

SHOP_MAIL = {
    "ja": (
        "田中 様\n\nこのたびはご注文いただき誠にありがとうございます。\nご注文のキャンセルをご希望の場合は、このメールにご返信ください。\n"
        "発送後のキャンセルはお受けできません。受取拒否もご遠慮ください。\n商品が破損していた場合は写真を添えてご連絡ください。\n"
        "領収書はマイページから発行できます。お届け先の変更は発送前に限り承ります。\nお届け予定日: 11月22日\n\nみなと雑貨店"
    ),
    "en": (
        "Dear customer,\n\nThank you for your order. If you would like to cancel your order, please reply to this mail.\n"
        "Orders that have been shipped cannot be cancelled. If the item arrives broken, please send us photos.\n"
        "Your receipt can be downloaded from your account. Where is my order? See the tracking page.\n"
        "To change the delivery address, write to us before dispatch.\n\nMinato Zakka"
    ),
    "zh": (
        "尊敬的客户：您好！\n\n感谢您的订购。如需取消订单，请直接回复本邮件。\n发货后无法取消，请勿拒收。\n"
        "如商品破损，请附照片联系我们。发票可在会员页面下载。\n如需修改收货地址，请在发货前告知。\n\nMinato Zakka"
    ),
}
SIGNATURES = {
    "ja": (
        "\n\n--\n田中 花子\n〒150-0001 東京都渋谷区神宮前1-1-1\nTEL 03-0000-0000",
        "\n\niPhoneから送信",
        "\n\n＝＝＝＝＝＝＝＝＝＝＝＝＝＝＝＝\n株式会社みどり 総務部\n田中花子\nhanako@midori.example\n＝＝＝＝＝＝＝＝＝＝＝＝＝＝＝＝",
        "\n\nAndroid 版 Yahoo!メールから送信",
    ),
    "en": (
        "\n\n-- \nHannah Tanner\n12 Elm Street, Leeds\n+44 113 000 0000",
        "\n\nSent from my iPhone",
        "\n\nGet Outlook for Android",
        "\n\n-- \nThis email and any attachments are confidential. If you are not the intended recipient, please delete it "
        "and notify the sender. Cancelled or delayed delivery of this message creates no liability.",
    ),
    "zh": (
        "\n\n--\n陈嘉欣\n深圳市南山区科技路1号",
        "\n\n发自我的iPhone",
        "\n\n来自QQ邮箱手机版",
        "\n\n從我的 iPhone 傳送",
    ),
}
_SHOP = "Minato Zakka <shop@minato-zakka.example>"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _gmail(text: str, old: str, language: str) -> str:
    lead = {
        "ja": f"2026年11月19日(木) 17:05 {_SHOP}:",
        "en": f"On Thu, Nov 19, 2026 at 5:05 PM {_SHOP} wrote:",
        "zh": f"{_SHOP} 于2026年11月19日周四 17:05写道：",
    }[language]
    return f"{text}\n\n{lead}\n\n{_quoted(old)}\n"


def _outlook(text: str, old: str, language: str) -> str:
    lead = {
        "ja": f"-----Original Message-----\nFrom: {_SHOP}\nSent: Thursday, November 19, 2026 5:05 PM\nTo: buyer\n"
        "Subject: ご注文のキャンセルについて",
        "en": f"-----Original Message-----\nFrom: {_SHOP}\nSent: Thursday, November 19, 2026 5:05 PM\nTo: buyer\n"
        "Subject: Cancelling your order",
        "zh": f"-----邮件原件-----\n发件人: {_SHOP}\n发送时间: 2026年11月19日 17:05\n收件人: buyer\n主题: 关于取消订单",
    }[language]
    return f"{text}\n\n{lead}\n\n{old}\n"


def _outlook_plain(text: str, old: str, language: str) -> str:
    """Outlook's block of headers with neither a rule nor marks before the old text."""
    lead = {
        "ja": f"差出人: {_SHOP}\n送信日時: 2026年11月19日 17:05\n宛先: 田中 花子\n件名: ご注文ありがとうございます",
        "en": f"From: {_SHOP}\nSent: Thursday, November 19, 2026 5:05 PM\nTo: buyer\nSubject: Your order",
        "zh": f"寄件者: {_SHOP}\n寄件日期: 2026年11月19日 下午 05:05\n收件者: buyer\n主旨: 訂單確認",
    }[language]
    return f"{text}\n\n{lead}\n\n{old}\n"


def _apple(text: str, old: str, language: str) -> str:
    lead = {
        "ja": f"2026/11/19 17:05、{_SHOP}のメール:",
        "en": f"On Nov 19, 2026, at 17:05, {_SHOP} wrote:",
        "zh": f"在 2026年11月19日，17:05，{_SHOP} 写道：",
    }[language]
    return f"{text}\n\n{_quoted(lead)}\n> \n{_quoted(old)}\n"


def _roundcube(text: str, old: str, language: str) -> str:
    lead = {
        "ja": "2026-11-19 17:05 に Minato Zakka さんは書きました:",
        "en": "On 2026-11-19 17:05, Minato Zakka wrote:",
        "zh": "在 2026-11-19 17:05，Minato Zakka 写道：",
    }[language]
    return f"{text}\n\n{lead}\n{_quoted(old)}\n"


def _qq(text: str, old: str, language: str) -> str:
    lead = f"------------------ 原始邮件 ------------------\n发件人: {_SHOP}\n发送时间: 2026年11月19日(星期四) 17:05\n主题: 订单确认"
    if language == "ja":
        lead = f"On Thu, 19 Nov 2026 17:05:00 +0900\n{_SHOP} wrote:"
        return f"{text}\n\n{lead}\n\n{_quoted(old)}\n"
    return f"{text}\n\n{lead}\n\n{old}\n"


STYLES: tuple[tuple[str, Callable[[str, str, str], str]], ...] = (
    ("gmail", _gmail),
    ("outlook", _outlook),
    ("outlook-plain", _outlook_plain),
    ("apple", _apple),
    ("roundcube", _roundcube),
    ("qq-becky", _qq),
    ("signed", lambda text, old, language: text),
)

# A form or a marketplace's frame is never quoted under: the words in it come to the shop only once.
_FRAMES = ("Begin message", "开始消息", "Body:", "お問い合わせ内容", "【内容】", "Message:", "留言")


@dataclass(frozen=True, slots=True)
class Twin:
    """A labelled mail in one style of wrapping."""

    mail: Labelled
    style: str


def twins(mail: Labelled, number: int) -> Iterator[Twin]:
    """Two wrapped twins of a mail; which styles depends on its number, so that all styles come up alike."""
    if any(mark in mail.text for mark in _FRAMES):
        return
    for turn in range(2):
        name, style = STYLES[(2 * number + turn) % len(STYLES)]
        signatures = SIGNATURES[mail.language]
        signature = signatures[(number + turn) % len(signatures)]
        old = SHOP_MAIL[mail.language]
        yield Twin(with_text(mail, style(mail.text + signature, old, mail.language)), name)
