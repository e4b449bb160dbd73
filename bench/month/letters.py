"""What the buyers of a played month write, and what the shop owes each of these mails."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import cache

from bench.month.orders import Order
from responder.config.pack import default_pack_dir
from responder.core.owed import MATTERS

SHOP, MALL, MX = "shop@minato-zakka.example", "mall@minato-zakka.example", "mx.minato-zakka.example"


@dataclass
class Mail:
    """A buyer's mail. `owed`: a reply or a person; else silence."""

    message_id: str
    order: Order | None
    kind: str
    owed: bool
    arrived_at: datetime
    due_at: datetime | None = None
    answers: str = ""
    """The subject of the shop's mail it answers."""


OWED = {
    "cancel": {
        "ja": "注文番号{n}をキャンセルしてください。",
        "en": "Please cancel my order {n}. Thank you.",
        "zh": "请取消订单{n}，谢谢。",
    },
    "where": {
        "ja": "注文番号{n}はいつ届きますか。",
        "en": "When will my order {n} arrive?",
        "zh": "订单{n}什么时候能到？",
    },
    "receipt": {
        "ja": "注文番号{n}の領収書をお願いします。",
        "en": "Please send me a receipt for order {n}.",
        "zh": "请给我订单{n}的收据。",
    },
    "unclear": {
        "ja": "注文番号{n}の件です。先日お伝えした柄について、あらためてご相談がございます。",
        "en": "About order {n}: I would like to come back to the pattern we talked about.",
        "zh": "关于订单{n}：上次说的花纹，我想再商量一下。",
    },
}
THANKS = {
    "ja": "商品を受け取りました。ありがとうございました。",
    "en": "The parcel is here. Thank you very much!",
    "zh": "包裹收到了，谢谢！",
}
ANSWERS = {
    "wait": {"ja": "待ちます。", "en": "I will wait.", "zh": "我愿意等。"},
    "give_up": {"ja": "キャンセル", "en": "cancel", "zh": "取消"},
    "other": {"ja": "ほかの色はありますか。", "en": "Do you have another colour?", "zh": "有别的颜色吗？"},
}
_FRAMED = """\
注文番号: {order}
1 of {item} [ASIN: B000000000]
------------- Begin message -------------
{text}
------------- End message -------------
"""
_FORM = "注文ID：{order}\nお客様名：{name}\nお問い合わせ内容：\n{text}\n"
_SUBJECTS = {"ja": "注文について", "en": "My order", "zh": "关于订单"}


def letter(order: Order, text: str, mail: Mail, *, thread: str = "", headers: str = "") -> bytes:
    """The buyer's mail as it comes in by his channel."""
    subject = f"Re: {mail.answers}" if mail.answers else _SUBJECTS[order.language]
    match order.channel:
        case "amazon":
            text = _FRAMED.format(order=order.order_id, item=order.item, text=text)
            subject, thread = f"注文に関するお問い合わせ（{order.order_id}）", ""
        case "yahoo":
            text = _FORM.format(order=order.order_id, name=order.name, text=text)
            subject, thread = "お問い合わせがありました", ""
        case "ebay" | "rakuten" if mail.answers:
            text = f"{text}\n\n{order.order_id}"
    sender = order.writes_from
    lines = [
        f"Return-Path: <{sender}>",
        f"Authentication-Results: {MX}; dmarc=pass header.from={sender.rpartition('@')[2]}",
        f"From: {Header(order.name, 'utf-8').encode()} <{sender}>",
        f"To: {SHOP}",
        f"Subject: {Header(subject, 'utf-8', maxlinelen=70).encode(linesep=chr(13) + chr(10))}",
        f"Date: {format_datetime(mail.arrived_at)}",
        f"Message-ID: {mail.message_id}",
        *([f"In-Reply-To: {thread}", f"References: {thread}"] if thread else []),
        *([headers] if headers else []),
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        text,
        "",
    ]
    return "\r\n".join(line.replace("\r\n", "\n").replace("\n", "\r\n") for line in lines).encode()


def notification(order: Order, message_id: str, now: datetime) -> bytes:
    """What the shop's own system writes to the shop when an order comes in."""
    lines = [
        f"From: {SHOP}",
        f"To: {SHOP}",
        f"Subject: {Header(f'新しい注文 {order.order_id}', 'utf-8').encode()}",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {message_id}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        f"注文番号: {order.order_id}\r\n商品: {order.item}\r\n合計: {order.total}円",
        "",
    ]
    return "\r\n".join(lines).encode()


def matter_of(subject: str) -> str:
    """Which notice this is, told by the words of its subject; "" for another mail."""
    return next((matter for piece, matter in _pieces() if piece in subject), "")


OF_THE_CLOCK = ("holding", "nudge")
_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")


@cache
def _pieces() -> tuple[tuple[str, str], ...]:
    """Words of the notices' subjects that stand in those of one matter only, the longest first."""
    subjects: dict[str, set[str]] = {}
    for folder in (default_pack_dir() / "templates").iterdir():
        for matter in (*MATTERS, *OF_THE_CLOCK):
            first = (
                (folder / f"{matter if matter in OF_THE_CLOCK else f'owe_{matter}'}.txt")
                .read_text(encoding="utf-8")
                .splitlines()[0]
            )
            subjects.setdefault(matter, set()).add(first.removeprefix("Subject: "))
    found: list[tuple[str, str]] = []
    for matter, own in subjects.items():
        others = [
            part for name, some in subjects.items() if name != matter for one in some for part in _TAGS.split(one)
        ]
        for piece in (part.strip() for one in own for part in _TAGS.split(one)):
            # "our apology - order" goes on as a delay or as a stock-out.
            if (
                len(piece) > 5
                and not piece.endswith("apology - order")
                and not any(piece == part.strip() for part in others)
            ):
                found.append((piece, matter))
    return tuple(sorted(found, key=lambda one: -len(one[0])))
