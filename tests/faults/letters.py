"""What the buyers of a story write, and the shop's orders."""

from __future__ import annotations

from collections.abc import Mapping
from email.header import Header
from email.utils import formatdate

ADDRESS = "shop@minato-zakka.example"
BUYERS = {
    "sent": ("1042", "田中 花子", "hanako@mail.example", "注文番号1042をキャンセルしてください。"),
    "left": ("1043", "鈴木 健", "ken@mail.example", "注文番号1043をキャンセルしてください。"),
    "held": ("", "佐藤 葵", "aoi@mail.example", "注文をキャンセルしてください。番号は分かりません。"),
    "late": ("1044", "高橋 蓮", "ren@mail.example", "注文番号1044をキャンセルしてください。"),
}
"""Who writes: order, name, address, text. A draft is due to all but `held`."""


def letter(
    text: str,
    *,
    name: str,
    address: str,
    message_id: str,
    subject: str = "注文について",
    in_reply_to: str | None = None,
) -> bytes:
    """A buyer's mail."""
    thread = f"In-Reply-To: {in_reply_to}\r\nReferences: {in_reply_to}\r\n" if in_reply_to else ""
    head = (
        f"From: {Header(name, 'utf-8').encode()} <{address}>\r\nTo: {ADDRESS}\r\n"
        f"Subject: {Header(subject, 'utf-8').encode()}\r\nDate: {formatdate()}\r\nMessage-ID: {message_id}\r\n{thread}"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return f"{head}{text}\r\n".encode()


def orders(by_id: Mapping[str, tuple[str, str]]) -> str:
    """The shop's orders, paid and not shipped: id to the buyer's name and address."""
    header = "order_id,channel,status,buyer_name,buyer_mail,payment,total,currency,ordered_at,ship_by,shipped_at,carrier,tracking_no,eta,items"
    lines = [
        f"{order_id},own,paid,{name},{mail},credit_card,4980,JPY,2026-11-18T10:00:00+09:00,,,,,,波佐見焼マグカップ"
        for order_id, (name, mail) in by_id.items()
    ]
    return "\n".join([header, *lines]) + "\n"


def orders_of_buyers() -> str:
    return orders({order: (name, mail) for order, name, mail, _ in BUYERS.values() if order})
