"""The day as data: orders and mails from day.toml, and their form on the wire. Opens no connection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.header import Header
from email.message import Message as EmailMessage
from email.utils import format_datetime
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

import tomli

TOKYO = ZoneInfo("Asia/Tokyo")
ORDER_COLUMNS = (
    *("order_id", "channel", "status", "buyer_name", "buyer_mail", "payment", "total", "currency"),
    *("ordered_at", "ship_by", "shipped_at", "carrier", "tracking_no", "eta", "items"),
)

Becomes = Literal["draft", "hold", "silence"]
GoesOut = Literal["", "as_written", "as_edited", "by_staff", "afresh", "with_the_next"]


@dataclass(frozen=True, slots=True)
class DayMail:
    """One mail of the day and what must have become of it in the end.

    `when` is the part of the day it arrives in. `follows` is the mail it comes after in its thread; `answers_ours`
    says that it answers our reply to that mail. `buyer` is who the answer goes to. `reads_as` are the situations it
    may be understood as, `says` and `never_says` words of what goes out, `ends_in` where its draft lies at the end
    ("" nowhere), `notes` how many notes there must be at least.
    """

    key: str
    name: str
    address: str
    buyer: str
    subject: str
    text: str
    becomes: Becomes
    reads_as: tuple[str, ...]
    quotes: str = ""
    charset: str = "utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    null_return_path: bool = False
    follows: str = ""
    answers_ours: bool = False
    order_id: str = ""
    when: Literal["morning", "desk", "evening"] = "morning"
    staff: str = ""
    edit: str = ""
    edit_before: str = ""
    fills: str = ""
    goes_out: GoesOut = ""
    ends_in: str = ""
    answered: bool = False
    notes: int = 0
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    ships: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def message_id(self) -> str:
        """The id the buyer's client gave it."""
        return f"<{self.key}.1@{self.address.rpartition('@')[2]}>"

    @property
    def confirmation_id(self) -> str:
        """The shop's order confirmation that it quotes, or ""."""
        return f"<order-{self.order_id}@minato-zakka.example>" if self.quotes else ""

    @property
    def goes_out_for_itself(self) -> bool:
        """True if a mail of its own answers it."""
        return self.goes_out not in ("", "with_the_next")


@dataclass(frozen=True, slots=True)
class Day:
    """The shop, its orders by number and its mails in the order in which they arrive."""

    address: str
    names: Mapping[str, str]
    signatures: Mapping[str, str]
    approved: Mapping[str, str]
    orders: Mapping[str, Mapping[str, str | int]]
    mails: tuple[DayMail, ...]

    def mail(self, key: str) -> DayMail:
        """The mail of that name."""
        return next(mail for mail in self.mails if mail.key == key)

    def by_id(self, message_id: str) -> DayMail | None:
        """The mail with that Message-ID, or None."""
        return next((mail for mail in self.mails if mail.message_id == message_id), None)

    @property
    def buyers(self) -> tuple[str, ...]:
        """Every address somebody writes from, or is answered at."""
        found = [address for mail in self.mails for address in (mail.address, mail.buyer)]
        return tuple(dict.fromkeys(address for address in found if address != self.address))


def load_day() -> Day:
    """The day of day.toml."""
    data = tomli.loads((files("responder.demo") / "day.toml").read_text(encoding="utf-8"))
    shop = data["shop"]
    return Day(
        address=shop["address"],
        names=shop["name"],
        signatures=shop["signature"],
        approved=shop["approved"],
        orders={order["order_id"]: order for order in data["order"]},
        mails=tuple(_mail(entry) for entry in data["mail"]),
    )


def _mail(entry: Mapping[str, Any]) -> DayMail:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    for key in ("text", "quotes", "edit"):
        values[key] = values.get(key, "").strip("\n")
    values.setdefault("buyer", values["address"])
    return DayMail(**values)


def orders_csv(orders: Iterable[Mapping[str, str | int]], now: datetime) -> str:
    """The orders as the shop's export has them, with dates counted from the day of `now`."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ORDER_COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for order in orders:
        row: dict[str, str | int] = {"channel": "own", "currency": "JPY", **order}
        if "ordered_day" in order:
            row["ordered_at"] = _moment(now, order["ordered_day"], hour=10).isoformat()
        if "shipped_day" in order:
            row["shipped_at"] = min(_moment(now, order["shipped_day"], hour=15), now.astimezone(TOKYO)).isoformat()
        if "ship_by_day" in order:
            row["ship_by"] = _moment(now, order["ship_by_day"], hour=0).date().isoformat()
        writer.writerow(row)
    return out.getvalue()


def _moment(now: datetime, days: str | int, *, hour: int) -> datetime:
    today = now.astimezone(TOKYO).replace(hour=hour, minute=0, second=0, microsecond=0)
    return today + timedelta(days=int(days))


def mail_bytes(mail: DayMail, *, to: str, before: Sequence[str], now: datetime) -> bytes:
    """The mail as the buyer's client sends it. `before` are the ids of its thread, oldest first."""
    head = EmailMessage()
    head["Received"] = f"from {mail.address.rpartition('@')[2]} by mx.minato-zakka.example; {format_datetime(now)}"
    head["From"] = f"{_words(mail.name, mail.charset)} <{mail.address}>"
    if mail.buyer != mail.address:
        head["Reply-To"] = mail.buyer
    head["To"] = to
    head["Subject"] = _words(mail.subject, mail.charset)
    head["Date"] = format_datetime(now.astimezone(TOKYO))
    head["Message-ID"] = mail.message_id
    if before:
        head["In-Reply-To"] = before[-1]
        head["References"] = " ".join(before)
    for name, value in mail.headers.items():
        head[name] = value
    head["MIME-Version"] = "1.0"
    head["Content-Type"] = f"text/plain; charset={mail.charset}"
    head["Content-Transfer-Encoding"] = "7bit" if mail.charset == "iso-2022-jp" else "8bit"
    text = mail.text
    if mail.quotes:
        quoted = "\n".join(f"> {line}".rstrip() for line in mail.quotes.splitlines())
        text += f"\n\n{_attribution(to, now)}\n{quoted}"
    raw = head.as_bytes() + text.encode(mail.charset) + b"\n"
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _attribution(shop: str, now: datetime) -> str:
    written = now.astimezone(TOKYO) - timedelta(days=2)
    weekday = "月火水木金土日"[written.weekday()]
    return f"{written.year}年{written.month}月{written.day}日({weekday}) 10:02 <{shop}>:"


def _words(text: str, charset: str) -> str:
    return text if text.isascii() else Header(text, charset, maxlinelen=200).encode()
