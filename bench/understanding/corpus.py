"""Labelled mails as the program would meet them: raw bytes, orders, and the label.

A line of `mails/*/*.jsonl` is one mail: `from`, `subject`, `text`, `headers`, `orders` (as in a plain CSV), `expect`
(action and situation) and `also_ok` (other outcomes a careful clerk could choose).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.header import Header
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from responder.core.channels import Channel, recognise, unframe, wanted_order_ids
from responder.core.decide import FoundOrders, decide
from responder.core.mime import read
from responder.core.rules import Rulebook
from responder.edges.orders.cells import items_of
from responder.model import Decision, Identity, Message, Order, order_key

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SHOP = Identity("shop@minato-zakka.example", ("support@minato-zakka.example",), "みなと雑貨店")
FOLDER = Path(__file__).parent / "mails"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled mail. `accepted` are the (action, situation) that count as right, the wanted one first."""

    id: str
    language: str
    sender: str
    subject: str
    text: str
    headers: Mapping[str, str]
    orders: tuple[Order, ...]
    accepted: tuple[tuple[str, str], ...]
    why: str

    @property
    def wants(self) -> str:
        """The wanted action."""
        return self.accepted[0][0]

    @property
    def situation(self) -> str:
        """The wanted situation."""
        return self.accepted[0][1]


def load(part: str) -> list[Labelled]:
    """All labelled mails of `tuning`, `hard` or `heldback`."""
    return [mail for path in sorted((FOLDER / part).glob("*.jsonl")) for mail in labelled(path)]


def labelled(path: Path) -> list[Labelled]:
    """The labelled mails of one file."""
    return [_labelled(json.loads(line)) for line in _lines(path)]


def _lines(path: Path) -> Iterator[str]:
    return (line for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def _labelled(row: Mapping[str, Any]) -> Labelled:
    accepted = [row["expect"], *row.get("also_ok", [])]
    return Labelled(
        row["id"],
        row["language"],
        row["from"],
        row["subject"],
        row["text"],
        row.get("headers", {}),
        tuple(_order(each) for each in row["orders"]),
        tuple((each["action"], each["situation"]) for each in accepted),
        row.get("why", ""),
    )


def _order(row: Mapping[str, str]) -> Order:
    try:
        total = Decimal(row["total"])
    except InvalidOperation:
        total = None
    return Order(
        row["order_id"],
        channel=row["channel"],
        status=row["status"],
        status_word=row["status"],
        buyer_name=row["buyer_name"],
        buyer_mail=row["buyer_mail"],
        payment=row["payment"],
        total=total,
        currency=row["currency"],
        ordered_at=_time(row["ordered_at"]),
        ship_by=_time(row["ship_by"]),
        shipped_at=_time(row["shipped_at"]),
        carrier=row["carrier"],
        tracking_no=row["tracking_no"],
        eta=_time(row["eta"]),
        items=items_of(row["items"], "", ""),
        as_of=NOW,
    )


def _time(value: str) -> datetime | None:
    if not value:
        return None
    found = datetime.fromisoformat(value)
    return (found if found.tzinfo else found.replace(tzinfo=TOKYO)).astimezone(UTC)


def raw(mail: Labelled, *, text: str | None = None, extra: str = "") -> bytes:
    """The mail as it would lie on the server."""
    name, _, address = mail.sender.rpartition("<")
    shown = Header(name.strip(), "utf-8").encode() if name.strip() else ""
    given = {name.lower(): value for name, value in mail.headers.items()}
    lines = [
        f"From: {shown} <{address}" if shown else f"From: {mail.sender}",
        f"To: {SHOP.address}",
        f"Subject: {Header(mail.subject, 'utf-8').encode()}",
        "Date: Fri, 20 Nov 2026 11:58:00 +0900",
        f"Message-ID: <{mail.id}@mail.example>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        *(f"{name}: {value}" for name, value in mail.headers.items()),
    ]
    if "return-path" not in given:
        lines.insert(0, f"Return-Path: <{address.rstrip('> ') or mail.sender}>")
    return ("\r\n".join(lines) + "\r\n\r\n" + (mail.text if text is None else text).replace("\n", "\r\n")).encode()


@dataclass(frozen=True, slots=True)
class Ready:
    """A mail read and its orders found: all that deciding needs."""

    message: Message
    channel: Channel
    found: FoundOrders


def ready(raw_mail: bytes, orders: Sequence[Order], channels: Sequence[Channel]) -> Ready:
    """What the program knows of a mail when it comes to decide."""
    message = read(raw_mail, default_language="ja")
    channel = recognise(message, channels)
    message = unframe(message, channel)
    wanted = wanted_order_ids(message, channel, channels)
    by_id = {order_key(order.order_id): order for order in orders}
    ids = [order_key(each) for each in (*wanted.by_pattern, *wanted.tokens)]
    sender = message.sender.key if message.sender is not None else ""
    found = FoundOrders(
        asked=wanted.by_pattern,
        orders=tuple(by_id[each] for each in dict.fromkeys(ids) if each in by_id),
        of_buyer=tuple(order for order in orders if order.buyer_mail.casefold() == sender),
        quoted=tuple(by_id[k] for k in dict.fromkeys(map(order_key, wanted.quoted)) if k in by_id),
        named=wanted.named,
    )
    return Ready(message, channel, found)


def judge(mail: Ready, rulebook: Rulebook) -> Decision:
    """The decision on a mail that is ready."""
    return decide(
        mail.message,
        channel=mail.channel,
        found=mail.found,
        rulebook=rulebook,
        identity=SHOP,
        now=NOW,
        sender_trusted=None,
    )


def with_text(mail: Labelled, text: str, subject: str | None = None) -> Labelled:
    """The same mail with another text around it."""
    return replace(mail, text=text, subject=mail.subject if subject is None else subject)
