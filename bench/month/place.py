"""Where a month is played: Dovecot, the shop's SMTP server and the mall's, the daemon's turns in this process, and a clock
that only the play moves."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from imapclient import IMAPClient

from bench.month.letters import MALL, MX
from bench.month.orders import COLUMNS, Order
from responder.config import load
from responder.edges.orders import open_book
from responder.flows.owed_file import take_over
from responder.flows.sending import send
from tests.journeys.by_hand import ByHand, empty_journal
from tests.journeys.shop import Shop
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.sink import Received, Sink

FOLDERS = {"下書き": "\\Drafts", "Sent": "\\Sent", "ゴミ箱": "\\Trash"}
DRAFTS, APPROVED, SENT, TRASH, NOTES = "下書き", "承認", "Sent", "ゴミ箱", "Responder"
POLICY = """
closed_days = [2025-12-29, 2025-12-30, 2025-12-31, 2026-01-02, 2026-01-03]
[[incident]]
kind = "snow"
until = 2026-01-02
region = { ja = "北陸地方", en = "the Hokuriku region", zh = "北陆地区" }
areas = ["石川県", "富山県", "福井県"]
[[perk]]
name = "coupon"
gives = { ja = "お詫びとして、次回のお買い物でお使いいただける500円引きのクーポンを差し上げます。", en = "With our apology, please accept a coupon of 500 yen." }
matters = ["sold_out"]
buyer = "consumer"
most_a_month = 10
"""


class Hand(ByHand):
    """The daemon's work by hand, with the settings of the month's own files."""

    def __post_init__(self) -> None:
        self.settings = load(self.shop.folder, env=os.environ)
        self.orders = open_book(self.settings.orders)
        self.journal = empty_journal(self.settings.state_url)

    def send(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Hand the outbox to the servers, one batch for each, as the daemon does."""
        assert self.desk is not None
        parcels, self.desk.outbox = self.desk.outbox, []
        for by in sorted({parcel.by for parcel in parcels}):
            send(self.desk, [parcel for parcel in parcels if parcel.by == by], is_stopping)

    def until(self, moment: datetime) -> None:
        """It is that moment now, if it was earlier."""
        self.later(max(0.0, (moment - self.now).total_seconds()))


@dataclass
class Place:
    """The servers, the shop's files, the daemon, and a mail client of the staff."""

    dovecot: Dovecot
    sink: Sink
    mall: Sink
    shop: Shop
    hand: Hand
    client: IMAPClient
    orders: dict[str, Order]
    taken: list[tuple[datetime, Received]] = field(default_factory=list)
    """What both SMTP servers accepted, and when that was by the play's clock."""
    turns: int = 0
    _wishes: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.hand.now

    def turn(self) -> None:
        """One turn of the daemon, with what it sends."""
        self.hand.turn(after_s=1)
        self.hand.send()
        self.turns += 1

    def write_orders(self) -> None:
        """Export the shop's orders, as of now; responder reads them."""
        path = self.shop.folder / "orders.csv"
        rows = [order.row() for order in self.orders.values() if order.ordered_at <= self.now]
        path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
        os.utime(path, (self.now.timestamp(), self.now.timestamp()))
        self.hand.orders.refresh()

    def owe(self, *rows: str) -> None:
        """Add rows to owe.csv; responder takes them over as it does when the file changes."""
        self._wishes += rows
        path = self.shop.folder / "owe.csv"
        path.write_text("\n".join(["注文番号,用件,理由,入荷日,発送日,商品", *self._wishes]) + "\n", encoding="utf-8")
        _, mistakes = take_over(self.hand.journal, self.hand.settings, self.hand.orders, [path], clock=lambda: self.now)
        assert not mistakes, mistakes

    def deliver(self, raw: bytes, arrived_at: datetime, mailbox: str = "INBOX") -> None:
        """A mail comes in at that time."""
        self.client.append(mailbox, raw, (), arrived_at.astimezone())

    def keep(self, mail: Received) -> None:
        self.taken.append((self.now, mail))

    def stay_away(self) -> None:
        """The daemon is stopped; the next turn is a start."""
        self.hand.die()


@contextlib.contextmanager
def place(orders: list[Order], begin: datetime) -> Iterator[Place]:
    """Everything up, and down again afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="month-")))
        dovecot = stack.enter_context(Dovecot(folders=FOLDERS))
        sink = stack.enter_context(Sink())
        mall = stack.enter_context(Sink(logins={"rms": "rms-password"}, registered=(MALL,)))
        shop = Shop(dovecot, sink, folder, quiet_s=30.0, shop_extra=POLICY)
        shop.account_extra = f'authserv_id = "{MX}"'
        shop.add_relay("rakuten", mall, username="rms", address=MALL)
        shop.write_files()
        hand = Hand(shop, now=begin.astimezone(UTC))
        stack.callback(hand.close)
        client = IMAPClient("127.0.0.1", dovecot.imap_port, ssl=False)
        client.login(shop.user, PASSWORD)
        stack.callback(client.shutdown)
        made = Place(dovecot, sink, mall, shop, hand, client, {order.order_id: order for order in orders})
        sink.on_mail = mall.on_mail = made.keep
        made.write_orders()
        made.turn()
        yield made
