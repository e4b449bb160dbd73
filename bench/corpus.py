"""Generates a shop's mail: N buyers' mails and the orders they speak of. The same seed gives the same mails.

Japanese 55 %, English 30 %, Chinese 15 %; 30 % quote an earlier mail, 4 % carry an attachment of 100 KB to 2 MB, half
have an HTML part beside the text; charsets as mail clients use them. 60 % want a draft under the default rules. Every
mail has a sender of its own.
"""

from __future__ import annotations

import base64
import csv
import io
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from functools import cache
from typing import Literal

from bench.phrases import GREETINGS, MACHINES, NAMES, QUOTES, SMALL_TALK, SUBJECTS, WISHES, Wish
from responder.model import Language

SHOP = "shop@example.jp"
WANTING_A_DRAFT: tuple[Wish, ...] = ("cancel", "cancel_shipped", "where")
SHARES: tuple[tuple[Wish, int], ...] = (
    ("cancel", 20),
    ("cancel_shipped", 15),
    ("where", 25),
    ("thanks", 14),
    ("newsletter", 10),
    ("out_of_office", 6),
    ("question", 10),
)
CHARSETS: dict[Language, tuple[tuple[str, int], ...]] = {
    "ja": (("utf-8", 60), ("iso-2022-jp", 30), ("shift_jis", 10)),
    "en": (("us-ascii", 40), ("utf-8", 60)),
    "zh": (("utf-8", 60), ("gb18030", 40)),
}
HEADER = (
    *("order_id", "channel", "status", "buyer_name", "buyer_mail", "payment", "total", "currency", "ordered_at"),
    *("ship_by", "shipped_at", "carrier", "tracking_no", "eta", "items"),
)
ITEMS = ("波佐見焼マグカップ", "今治タオル 5枚セット", "南部鉄器 急須", "琺瑯ポット 1.6L", "竹の箸置き")


@dataclass(frozen=True, slots=True)
class Written:
    """One mail of the corpus: its bytes, who wrote it, when it came, and what its writer wants."""

    raw: bytes
    sender: str
    arrived_at: datetime
    wish: Wish
    order: dict[str, str] | None

    @property
    def wants_draft(self) -> bool:
        """True if the default rules should write a draft for it."""
        return self.wish in WANTING_A_DRAFT


def write_mails(count: int, *, seed: int = 1, first: int = 0, now: datetime | None = None) -> Iterator[Written]:
    """`count` mails, oldest first; the last ones have just come. They are numbered from `first` on, and so are their
    senders and orders."""
    dice = random.Random(seed)
    now = now or datetime.now(UTC)
    wishes, weights = zip(*SHARES, strict=True)
    for number in range(count):
        arrived_at = now - timedelta(minutes=5) - timedelta(days=3) * ((count - number) / count)
        language: Language = dice.choices(("ja", "en", "zh"), (55, 30, 15))[0]
        yield _written(dice, first + number, language, dice.choices(wishes, weights)[0], arrived_at)


def orders_csv(orders: Iterable[Mapping[str, str]]) -> str:
    """These orders as the shop exports them."""
    out = io.StringIO()
    table = csv.DictWriter(out, HEADER, lineterminator="\n")
    table.writeheader()
    table.writerows(orders)
    return out.getvalue()


def _written(dice: random.Random, number: int, language: Language, wish: Wish, arrived_at: datetime) -> Written:
    family, given = dice.choice(NAMES[language])
    sender = f"{dice.choice(('mail', 'home', 'm'))}{number:06d}@buyer{number % 97}.example"
    order_id = f"MN-{104000 + number}"
    order = None
    if wish in ("cancel", "cancel_shipped", "where"):
        order = _order(dice, order_id, f"{family} {given}", sender, wish, arrived_at)
    charset = dice.choices(*zip(*CHARSETS[language], strict=True))[0]
    subject = dice.choice(SUBJECTS[language][wish]).format(order=order_id)
    paragraphs = [
        dice.choice(GREETINGS[language]).format(name=family),
        *dice.sample(SMALL_TALK[language], dice.choice((0, 0, 1, 1, 2))),
        dice.choice(WISHES[language][wish]).format(order=order_id),
        f"{family} {given}",
    ]
    text = "\n\n".join(paragraphs) + "\n"
    quoted = dice.random() < 0.3
    if quoted:
        text += "\n" + _quoted(dice, language, arrived_at)
        subject = f"Re: {subject}"
    headers = [
        f"Return-Path: <{'' if wish == 'out_of_office' else sender}>",
        f"Received: from mx.buyer{number % 97}.example (mx [192.0.2.{number % 250}])\r\n"
        f"\tby mx.example.jp (Postfix) with ESMTPS id {number:010X}\r\n\tfor <{SHOP}>; {format_datetime(arrived_at)}",
        f"Date: {format_datetime(arrived_at)}",
        f"From: {_encoded(f'{family} {given}', charset)} <{sender}>",
        f"To: {_encoded('みなと雑貨店', 'utf-8')} <{SHOP}>",
        f"Subject: {_encoded(subject, charset)}",
        f"Message-ID: <{number:08x}.{dice.getrandbits(64):016x}@buyer{number % 97}.example>",
        "MIME-Version: 1.0",
        *MACHINES.get(wish, ()),
    ]
    if quoted:
        before = f"<order.{number}@example.jp>"
        headers += [f"In-Reply-To: {before}", f"References: {before}"]
    body = _text_part(text, charset)
    if dice.random() < 0.5:
        html_part = _text_part(_html(text), charset, kind="html")
        body = _multipart("alternative", f"alt{number}", (body, html_part))
    if dice.random() < 0.04:
        body = _multipart("mixed", f"mix{number}", (body, _attachment(dice)))
    raw = "\r\n".join(headers).encode("ascii") + b"\r\n" + body
    return Written(raw, sender, arrived_at, wish, order)


def _order(
    dice: random.Random, order_id: str, buyer: str, mail: str, wish: Wish, arrived_at: datetime
) -> dict[str, str]:
    shipped = wish == "cancel_shipped" or (wish == "where" and dice.random() < 0.7)
    ordered_at = arrived_at - timedelta(days=dice.randint(2, 4))
    row = dict.fromkeys(HEADER, "")
    row |= {
        "order_id": order_id,
        "channel": "own",
        "status": "shipped" if shipped else dice.choice(("paid", "preparing")),
        "buyer_name": buyer,
        "buyer_mail": mail,
        "payment": dice.choice(("credit_card", "paypay", "bank_transfer")),
        "total": str(dice.randint(8, 300) * 100),
        "currency": "JPY",
        "ordered_at": ordered_at.isoformat(timespec="seconds"),
        "ship_by": (arrived_at + timedelta(days=6)).isoformat(timespec="seconds"),
        "items": dice.choice(ITEMS),
    }
    if shipped:
        row |= {
            "shipped_at": (ordered_at + timedelta(days=1)).isoformat(timespec="seconds"),
            "carrier": "yamato",
            "tracking_no": str(dice.randint(10**11, 10**12 - 1)),
            "eta": (arrived_at + timedelta(days=5)).isoformat(timespec="seconds"),
        }
    return row


def _quoted(dice: random.Random, language: Language, arrived_at: datetime) -> str:
    intro, lines = dice.choice(QUOTES[language])
    before = arrived_at - timedelta(days=1)
    return (
        "\n".join((intro.format(when=f"{before:%Y/%m/%d %H:%M}", shop=SHOP), *(f"> {line}" for line in lines))) + "\n"
    )


def _html(text: str) -> str:
    style = "font-family:Meiryo,sans-serif;font-size:14px;line-height:1.7;margin:0 0 1em 0;color:#222222"
    lines = "".join(f'<div dir="auto" style="{style}">{line or "<br>"}</div>\r\n' for line in text.splitlines())
    return f'<html><head><meta http-equiv="Content-Type" content="text/html"></head><body>{lines}</body></html>\n'


def _text_part(text: str, charset: str, *, kind: Literal["plain", "html"] = "plain") -> bytes:
    data = text.replace("\n", "\r\n").encode(charset, "replace")
    if charset in ("iso-2022-jp", "us-ascii"):
        encoding = "7bit"
    else:
        encoding, data = "base64", base64.encodebytes(data).replace(b"\n", b"\r\n")
    head = f'Content-Type: text/{kind}; charset="{charset}"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode("ascii") + data


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    line = f"--{boundary}".encode("ascii")
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    return head + b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _attachment(dice: random.Random) -> bytes:
    size = dice.randint(100_000, 2_000_000)
    head = (
        "Content-Type: image/jpeg; name=photo.jpg\r\nContent-Disposition: attachment; filename=photo.jpg\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + _noise()[: size * 78 // 57 // 78 * 78]


@cache
def _noise() -> bytes:
    """Base64 lines no compression helps with, from which every attachment takes its beginning."""
    return base64.encodebytes(random.Random(7).randbytes(2_000_000)).replace(b"\n", b"\r\n")


def _encoded(text: str, charset: str) -> str:
    if text.isascii():
        return text
    return Header(text, charset, maxlinelen=200).encode(linesep="\r\n")
