"""The month itself: two spells of a shop's year, New Year with a snow week and Golden Week, by a clock that only this moves."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import jpholiday

from bench.month.letters import ANSWERS, OWED, THANKS, Mail, letter, matter_of, notification
from bench.month.orders import MUG, POT, RUNS_OUT, SNOWED_IN, ZONE, Order, make_orders
from bench.month.place import NOTES, Place, place
from bench.month.staff import Staff
from tests.journeys.shop import header_of, subject_of, text_of

SPELLS = [
    (datetime(2025, 12, 18, tzinfo=ZONE), datetime(2026, 1, 9, tzinfo=ZONE)),
    (datetime(2026, 4, 26, tzinfo=ZONE), datetime(2026, 5, 12, tzinfo=ZONE)),
]
CLOSED = {date(2025, 12, day) for day in (29, 30, 31)} | {date(2026, 1, day) for day in (2, 3)}
AWAY = (date(2025, 12, 31), date(2026, 1, 2))
"""The computer is switched off from the first day to the end of the last."""
CLOCKS = {"own": (24, False), "amazon": (24, True), "rakuten": (24, False), "yahoo": (12, False), "ebay": (24, True)}
NO_CARE = frozenset({"amazon", "rakuten", "yahoo", "ebay"})


@dataclass(frozen=True)
class Wish:
    """What the shop owes a buyer: a notice about this order and matter, known since then."""

    order: Order
    matter: str
    wished_at: datetime
    forbidden: bool = False


@dataclass
class Played:
    """What happened, as those who made it happen know it."""

    orders: list[Order]
    mails: list[Mail] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    dropped: int = 0


@dataclass
class Month:
    """The play: what is to happen when, and what has happened."""

    stage: Place
    staff: Staff
    played: Played
    chance: random.Random
    _plan: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _seen_out: int = 0

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._plan, (moment, next(self._number), act))

    def run(self, hours: tuple[int, ...]) -> None:
        """Every spell, day for day, with the daemon's turns at these hours and whenever something happens."""
        for order in self.played.orders:
            self._buyer_of(order)
        self._troubles()
        for begin, end in SPELLS:
            self.stage.stay_away()
            day = begin
            while day < end:
                self._day(day, hours)
                day += timedelta(days=1)
        self.stage.turn()

    # --- a day --------------------------------------------------------------------------------------------------------

    def _day(self, day: datetime, hours: tuple[int, ...]) -> None:
        is_off = AWAY[0] <= day.date() <= AWAY[1]
        if day.date() == AWAY[0]:
            self.stage.stay_away()
        for hour in hours:
            moment = day + timedelta(hours=hour)
            self._happen(moment)
            self.stage.hand.until(moment)
            gone_on = [order for order in self.played.orders if order.goes_on(self.stage.now)]
            if gone_on or hour == hours[0]:
                self.stage.write_orders()
            if is_off:
                continue
            self.stage.turn()
            self._look_what_went_out()
            if hour in (10, 15) and is_open(day.date()):
                self.staff.session()
                self.stage.turn()
                self.stage.hand.later(40)
                self.stage.turn()
                self.stage.turn()
                self._look_what_went_out()

    def _happen(self, moment: datetime) -> None:
        while self._plan and self._plan[0][0] <= moment:
            when, _, act = heapq.heappop(self._plan)
            self.stage.hand.until(when)
            act()

    # --- the buyers ---------------------------------------------------------------------------------------------------

    def _buyer_of(self, order: Order) -> None:
        """What this buyer will write of himself, if anything."""
        dice = self.chance.random()
        kinds = (
            ("cancel", 0.12),
            ("where", 0.30),
            ("receipt", 0.35),
            ("unclear", 0.40),
            ("thanks", 0.48),
            ("away", 0.50),
        )
        kind = next((name for name, limit in kinds if dice < limit), "")
        if not kind:
            return
        days = 8 if kind == "thanks" else 1 + 4 * self.chance.random()
        self.at(order.ordered_at + timedelta(days=days), lambda: self.write(order, kind))

    def write(self, order: Order, kind: str, *, answers: str = "", thread: str = "") -> None:
        """This buyer's mail comes in now."""
        now = self.stage.now.astimezone(ZONE)
        words = {**OWED, **ANSWERS}.get(kind, THANKS)[order.language].format(n=order.order_id)
        owed = kind in OWED or kind in ("give_up", "other")
        mail = Mail(f"<m{next(self._number)}@mail.example>", order, kind, owed, now, answers=answers)
        mail.due_at = due(now, *CLOCKS[order.channel]) if owed else None
        headers = "Auto-Submitted: auto-replied" if kind == "away" else ""
        self.stage.deliver(letter(order, words, mail, thread=thread, headers=headers), now)
        self.played.mails.append(mail)

    def _look_what_went_out(self) -> None:
        """Buyers read what they were sent, and those who are asked answer; staff do in the shop's pages what they have
        promised."""
        new, self._seen_out = self.stage.taken[self._seen_out :], len(self.stage.taken)
        for _, taken in new:
            subject, text = subject_of(taken.raw), text_of(taken.raw)
            order = next((o for o in self.played.orders if o.order_id in subject or o.order_id in text), None)
            if order is None:
                continue
            if "キャンセルを承りました" in subject and order.is_open:
                order.status = "cancelled"
            if matter_of(subject) in ("restock", "combined", "delay") and not subject.startswith("Re:"):
                self._answer(order, taken.raw)

    def _answer(self, order: Order, raw: bytes) -> None:
        kind = self.chance.choices(("wait", "give_up", "other", ""), (35, 25, 10, 30))[0]
        if kind:
            when = self.stage.now + timedelta(hours=2 + 40 * self.chance.random())
            subject, thread = subject_of(raw), header_of(raw, "Message-ID")
            self.at(when, lambda: self.write(order, kind, answers=subject, thread=thread))

    # --- the shop's troubles ------------------------------------------------------------------------------------------

    def _troubles(self) -> None:
        winter, spring = SPELLS[0][0], SPELLS[1][0]
        self.at(RUNS_OUT[POT], lambda: self._runs_out(POT, "restock", "入荷遅れ", "2026-01-20"))
        self.at(winter + timedelta(days=8, hours=6), self._snow)
        self.at(winter + timedelta(days=11, hours=13), self._drop_notifications)
        self.at(RUNS_OUT[MUG], lambda: self._runs_out(MUG, "sold_out", "生産終了", ""))
        self.at(spring + timedelta(days=11, hours=9), self._care)

    def _open_now(self) -> list[Order]:
        return [o for o in self.played.orders if o.is_open and o.ordered_at <= self.stage.now]

    def _wish(self, order: Order, matter: str, *, forbidden: bool = False) -> None:
        self.played.wishes.append(Wish(order, matter, self.stage.now, forbidden))

    def _runs_out(self, item: str, matter: str, cause: str, restock: str) -> None:
        """One row for an item: all open orders with it; and the same row again, by mistake."""
        self.stage.write_orders()
        for order in self._open_now():
            if order.item == item:
                order.held_up = True
                self._wish(order, matter)
        if not any(order.item == item for order in self._open_now()):
            return
        word = {"restock": "入荷待ち", "sold_out": "在庫切れ"}[matter]
        self.stage.owe(f",{word},{cause},{restock},,{item}", f",{word},{cause},{restock},,{item}")
        self.stage.turn()
        if matter == "sold_out":
            for order in self._open_now():
                if order.item == item:
                    order.status = "cancelled"
            self.stage.write_orders()

    def _snow(self) -> None:
        """A week of snow: what goes there is late; what is sold out besides gets both in one mail."""
        self.stage.write_orders()
        rows = []
        for order in self._open_now():
            if order.area in SNOWED_IN:
                matter, word = ("combined", "欠品と遅延") if order.held_up else ("delay", "遅延")
                order.held_up = True
                self._wish(order, matter)
                restock = "2026-01-20" if matter == "combined" else ""
                rows.append(f"{order.order_id},{word},天候,{restock},2026-01-08,")
                self.at(datetime(2026, 1, 8, 12, tzinfo=ZONE), lambda order=order: setattr(order, "held_up", False))
        self.stage.owe(*rows)
        self.stage.turn()

    def _drop_notifications(self) -> None:
        """Staff drop the notifications of a few orders into the folder for what is still being checked."""
        self.stage.write_orders()
        told = {one.order.order_id for one in self.played.wishes}
        some = [order for order in self._open_now() if order.order_id not in told][:5]
        for order in some:
            self.played.dropped += 1
            raw = notification(order, f"<n{next(self._number)}@minato-zakka.example>", self.stage.now)
            self.stage.deliver(raw, self.stage.now, f"{NOTES}/確認中")
            self._wish(order, "checking")
        self.stage.turn()

    def _care(self) -> None:
        """A week after, staff want to ask all whose order was cancelled. Where the marketplace forbids it, nobody is; of the
        others the clock has asked, or will, and nobody is asked twice."""
        rows = []
        for order in [wish.order for wish in self.played.wishes if wish.matter == "sold_out"]:
            if order.status == "cancelled":
                if order.channel in NO_CARE:
                    self._wish(order, "care", forbidden=True)
                rows.append(f"{order.order_id},フォロー,,,,")
        self.stage.owe(*rows)
        self.stage.turn()


def is_open(day: date) -> bool:
    """True if somebody is in the shop."""
    return day.weekday() < 5 and day not in CLOSED and not jpholiday.is_holiday(day)


def due(arrived_at: datetime, hours: int, every_day_counts: bool) -> datetime:
    """When an answer is due: so many hours on days that count, counted here once more."""
    if every_day_counts:
        return arrived_at + timedelta(hours=hours)
    at, left = arrived_at, timedelta(hours=hours)
    while True:
        midnight = datetime.combine(at.date() + timedelta(days=1), time(), tzinfo=ZONE)
        if is_open(at.date()):
            if left <= midnight - at:
                return at + left
            left -= midnight - at
        at = midnight


def play(count: int, seed: int, hours: tuple[int, ...]) -> Iterator[Month]:
    """The month with so many orders, played to its end; the servers are up until the generator is closed."""
    chance = random.Random(seed)
    orders = list(make_orders(count, SPELLS, chance))
    with place(orders, SPELLS[0][0] - timedelta(days=4)) as stage:
        month = Month(stage, Staff(stage, random.Random(seed + 1)), Played(orders), chance)
        month.run(hours)
        yield month
