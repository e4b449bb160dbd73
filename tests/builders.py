"""Builders for the values tests talk about: say what matters, the rest is an ordinary shop's."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from responder.model import Address, Identity, Item, Message, Order

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SHOP = Identity("shop@minato-zakka.example", ("support@minato-zakka.example",), "みなと雑貨店")


def make_message(new_text: str = "", **changes: Any) -> Message:
    """A received mail from an ordinary buyer; `changes` replace single fields."""
    values: dict[str, Any] = {
        "message_id": "<buyer-1@mail.example>",
        "in_reply_to": (),
        "references": (),
        "sender": Address("田中 花子", "hanako@mail.example"),
        "reply_to": (),
        "to": (Address("", SHOP.address),),
        "cc": (),
        "return_path": "hanako@mail.example",
        "subject": "注文について",
        "date": NOW,
        "headers": {},
        "text": new_text,
        "new_text": new_text,
        "quoted_text": "",
        "signature": "",
        "attachments": (),
        "content_sha256": hashlib.sha256(new_text.encode()).hexdigest(),
        "size_bytes": len(new_text.encode()) + 500,
        "language": "ja",
    }
    values.update(changes)
    return Message(**values)


def make_order(order_id: str = "1042", **changes: Any) -> Order:
    """A paid, unshipped order of the ordinary buyer; `changes` replace single fields."""
    values: dict[str, Any] = {
        "order_id": order_id,
        "channel": "own",
        "status": "paid",
        "status_word": "paid",
        "buyer_name": "田中 花子",
        "buyer_mail": "hanako@mail.example",
        "payment": "credit_card",
        "total": Decimal("4980"),
        "currency": "JPY",
        "ordered_at": datetime(2026, 11, 18, 1, 0, tzinfo=UTC),
        "items": (Item("波佐見焼マグカップ", "MUG-01", 1),),
        "source": "orders.csv",
        "line": 2,
        "as_of": NOW,
    }
    values.update(changes)
    return Order(**values)
