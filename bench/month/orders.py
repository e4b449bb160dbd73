"""The shop's orders of a played month: who ordered what, where and when, and what becomes of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Tokyo")
POT, MUG = "南部鉄器の急須", "波佐見焼マグカップ"
OTHERS = ("今治タオル", "竹の箸", "ガラスの風鈴", "藍染めの手ぬぐい", "木曽ひのきのまな板")
RUNS_OUT = {POT: datetime(2025, 12, 22, 9, tzinfo=ZONE), MUG: datetime(2026, 4, 29, 9, tzinfo=ZONE)}
BACK = {POT: datetime(2026, 1, 20, tzinfo=ZONE), MUG: datetime(2026, 6, 1, tzinfo=ZONE)}
SNOWED_IN = ("石川県", "富山県", "福井県")
ELSEWHERE = ("東京都", "大阪府", "福岡県", "愛知県", "北海道", "沖縄県")
CHANNELS = (("own", 50), ("amazon", 15), ("rakuten", 15), ("yahoo", 10), ("ebay", 10))
COLUMNS = (
    *("order_id", "channel", "status", "buyer_name", "buyer_mail", "payment", "total", "currency", "ordered_at"),
    *(
        "ship_by",
        "shipped_at",
        "carrier",
        "tracking_no",
        "eta",
        "items",
        "お届け先住所",
        "電話番号",
        "ギフト",
        "お届け希望日",
    ),
)


@dataclass
class Order:
    """One order as the shop's own books have it, and who its buyer is. `party` is what he writes from."""

    order_id: str
    channel: str
    language: str
    name: str
    mail: str
    item: str
    area: str
    total: int
    ordered_at: datetime
    ships_at: datetime
    status: str = "paid"
    shipped_at: datetime | None = None
    phone: str = ""
    gift: str = ""
    wished: str = ""
    held_up: bool = False
    """Sold out or snowed in: it does not leave by itself."""
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status in ("paid", "unpaid")

    @property
    def writes_from(self) -> str:
        """The address his mails come from."""
        return {"yahoo": "store-inquiry@mail.yahoo.co.jp"}.get(self.channel, self.mail)

    def goes_on(self, now: datetime) -> bool:
        """What the warehouse and the carrier do by themselves; True if something has changed."""
        if self.status == "paid" and not self.held_up and now >= self.ships_at:
            self.status, self.shipped_at = "shipped", self.ships_at
        elif self.status == "shipped" and self.shipped_at and now >= self.shipped_at + timedelta(days=2):
            self.status = "delivered"
        else:
            return False
        return True

    def row(self) -> str:
        shipped = self.shipped_at.isoformat() if self.shipped_at else ""
        values = {
            "order_id": self.order_id,
            "channel": self.channel,
            "status": self.status,
            "buyer_name": self.name,
            "buyer_mail": "" if self.channel == "yahoo" else self.mail,
            "payment": "credit_card" if int(self.phone[-1]) % 3 else "bank_transfer",
            "total": str(self.total),
            "currency": "USD" if self.channel == "ebay" else "JPY",
            "ordered_at": self.ordered_at.isoformat(),
            "ship_by": (self.ordered_at + timedelta(days=6)).isoformat(),
            "shipped_at": shipped,
            "carrier": "yamato" if shipped else "",
            "tracking_no": f"4012{self.phone[-8:].replace('-', '')}" if shipped else "",
            "items": self.item,
            "お届け先住所": f"{self.area}1-2-3",
            "電話番号": self.phone,
            "ギフト": self.gift,
            "お届け希望日": self.wished,
        }
        return ",".join(values.get(name, "") for name in COLUMNS)


_NAMES = {
    "ja": ("田中 花子", "鈴木 健", "佐藤 葵", "高橋 蓮", "伊藤 結衣", "渡辺 翔", "山本 凛", "中村 湊"),
    "en": ("James Carter", "Emily Stone", "Robert Hale", "Grace Turner"),
    "zh": ("王小明", "李娜", "陈静", "赵磊"),
}


def make_orders(count: int, spells: list[tuple[datetime, datetime]], chance: random.Random) -> Iterator[Order]:
    """So many orders, spread over the spells; about one in six for each of the two things that will run out."""
    names, weights = [name for name, _ in CHANNELS], [weight for _, weight in CHANNELS]
    for number in range(count):
        begin, end = spells[number % len(spells)]
        # People order before the trouble begins as well: three days earlier, and not on the last ones.
        ordered = begin - timedelta(days=2) + (end - begin) * chance.random() * 0.8
        channel = chance.choices(names, weights)[0]
        language = (
            "en"
            if channel == "ebay"
            else "ja"
            if channel != "own"
            else chance.choices(("ja", "en", "zh"), (8, 1, 1))[0]
        )
        order_id, mail = _who(channel, number, ordered)
        item = chance.choices((POT, MUG, chance.choice(OTHERS)), (2, 2, 3))[0]
        if ordered >= RUNS_OUT.get(item, ordered) and ordered < BACK.get(item, ordered):
            item = OTHERS[0]  # its page is hidden
        total = chance.choice((980, 4980, 4980, 12800)) if number % 25 else 64000
        name = chance.choice(_NAMES[language])
        if number % 40 == 7 and channel in ("own", "rakuten", "yahoo"):
            name = "山田商事株式会社"
        area = chance.choice(SNOWED_IN) if chance.random() < 0.2 else chance.choice(ELSEWHERE)
        is_gift = number % 30 == 3
        yield Order(
            order_id,
            channel,
            language,
            name,
            mail,
            item,
            area,
            total // 100 if channel == "ebay" else total,
            ordered,
            (ordered + timedelta(days=3)).replace(hour=15, minute=0, second=0),
            phone=f"03-00{number // 100:02}-{number:04}",
            gift="のし: 御祝" if is_gift else "",
            wished=f"{(ordered + timedelta(days=7)).date()}" if is_gift else "",
        )


def _who(channel: str, number: int, day: datetime) -> tuple[str, str]:
    match channel:
        case "amazon":
            return f"249-{number:07}-{number * 7 % 9_999_999:07}", f"a{number}b@marketplace.amazon.co.jp"
        case "rakuten":
            return f"123456-{day:%Y%m%d}-{number:010}", f"r{number}k@pc.fw.rakuten.ne.jp"
        case "yahoo":
            return f"minato-{10_000_000 + number}", f"yahoo{number}@mail.example"
        case "ebay":
            return f"12-{number:05}-{number * 3:05}", f"e{number}f@members.ebay.com"
        case _:
            return f"{50_000 + number}", f"buyer{number}@mail.example"
