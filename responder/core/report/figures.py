"""What a report says: plain figures, without words, colours or files. Nobody's name, address or text is among them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

SHARED_BY = 3
"""A change of words is shown, and outlives the drafts' texts, once the drafts of so many buyers had it in common."""
ANSWER_WITHIN_H = 24


@dataclass(frozen=True, slots=True)
class Mails:
    """Mails that came in: how many were drafted, held for a person, left without an answer, could not be read."""

    received: int = 0
    drafted: int = 0
    held: int = 0
    silent: int = 0
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of drafts: sent as written, sent with changes, deleted, answered by staff in their own words, and
    `replaced` by ourselves (newer mail, newer facts) before anybody decided."""

    as_is: int = 0
    edited: int = 0
    refused: int = 0
    own: int = 0
    replaced: int = 0

    @property
    def decided(self) -> int:
        """Those on which staff have decided."""
        return self.as_is + self.edited + self.refused + self.own


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One template; "" stands for mails that were left to a person and answered without a draft. `written` drafts were
    put into Drafts within the time. `complaints`: upset mails that came after it had gone out."""

    template: str
    written: int
    outcomes: Outcomes
    complaints: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """A day, a week or a month from `begins` on."""

    begins: date
    outcomes: Outcomes


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """The matters buyers began on one channel within the time. `median_h` and `p90_h` are hours from the first mail to
    the first answer, None without one. `in_time` of `counted` were answered within 24 hours; `waiting` have none yet,
    `late` of these for longer. `unanswered`: staff wanted no answer."""

    channel: str
    answered: int
    median_h: float | None
    p90_h: float | None
    in_time: int
    counted: int
    waiting: int
    late: int
    unanswered: int

    @property
    def share(self) -> float | None:
        """Of those that are answered or should be: how many were in time."""
        return self.in_time / self.counted if self.counted else None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the shop stands now against a channel's limit: `count` of `orders` within `days`, or `count` cancels of the
    year at `points` each. `orders` None: the order data do not tell of all orders."""

    channel: str
    count: int
    limit: float
    days: int | None = None
    orders: int | None = None
    points: int | None = None

    @property
    def reached(self) -> float | None:
        """Percent, or points; None where nobody knows."""
        if self.points is not None:
            return float(self.count * self.points)
        return None if not self.orders else 100 * self.count / max(self.orders, self.count)

    @property
    def is_over(self) -> bool:
        """The limit is reached."""
        return self.reached is not None and self.reached >= self.limit

    @property
    def is_near(self) -> bool:
        """One more cancel reaches it, or half of it is used up."""
        if self.reached is None:
            return False
        more = self.points if self.points is not None else 100 / max(self.orders or 1, 1)
        return self.reached + more >= self.limit or self.reached >= self.limit / 2


@dataclass(frozen=True, slots=True)
class CancelRow:
    """The cancels on one channel: asked for by buyers (`after_notice`: when we had told them of a stock-out or delay),
    and by the shop, which the channel counts; `standing` None where it counts none."""

    channel: str
    buyer: int
    after_notice: int
    shop: int
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class StockRow:
    """One article that was sold out: `orders` and `pieces`, the orders by cause ("" for none named), on how many days
    it happened. `sold_after` orders of it were placed after its buyers had been told that it is gone (bait
    advertising); `often`: more should be kept back from sale."""

    item: str
    orders: int
    pieces: int
    causes: tuple[tuple[str, int], ...]
    days: int
    sold_after: int = 0
    often: bool = False


@dataclass(frozen=True, slots=True)
class RewordingRow:
    """A change that the drafts of several buyers had. `came` None: the sentence was changed in different ways."""

    template: str
    gone: str
    came: str | None
    buyers: int


@dataclass(frozen=True, slots=True)
class LeftRow:
    """Goods that cancels have left over; `prepared` pieces had been taken out or bought in already."""

    item: str
    orders: int
    pieces: int
    prepared: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One report. `until` is exclusive; `began_at` is when responder first looked, None for an empty journal."""

    since: datetime
    until: datetime
    made_at: datetime
    began_at: datetime | None = None
    mails: Mails = Mails()
    templates: tuple[TemplateRow, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    answers: tuple[AnswerRow, ...] = ()
    cancels: tuple[CancelRow, ...] = ()
    apologies: tuple[tuple[str, int], ...] = ()
    stock_outs: tuple[StockRow, ...] = ()
    rewordings: tuple[RewordingRow, ...] = ()
    left_over: tuple[LeftRow, ...] = ()
    perks: tuple[tuple[str, int], ...] = ()
    drafts_open: int = 0
    overdue: int = 0
    undelivered: int = 0

    @property
    def outcomes(self) -> Outcomes:
        """All templates together."""
        return add([row.outcomes for row in self.templates])

    @property
    def is_empty(self) -> bool:
        """Nothing has happened in this time."""
        return not (self.mails.received or self.templates or self.answers or self.cancels or self.stock_outs)


def add(some: list[Outcomes]) -> Outcomes:
    """The sum."""
    return Outcomes(
        sum(one.as_is for one in some),
        sum(one.edited for one in some),
        sum(one.refused for one in some),
        sum(one.own for one in some),
        sum(one.replaced for one in some),
    )
