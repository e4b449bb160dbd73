"""What cost the shop sales: cancels by side, articles that were sold out and why, goods that are left over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from responder.core.goods import Goods, goods_in, named
from responder.core.report.drafts import Ending
from responder.core.report.figures import CancelRow, LeftRow, Standing, StockRow
from responder.model import EventFact, Facts, Reason, order_key

STOCK_MATTERS = frozenset({"sold_out", "restock", "combined"})
APOLOGIES = ("sold_out", "restock", "combined", "delay")
_NOT_KEPT_BACK = frozenset({"double_sale", "stock_error"})
LOOKS_BACK = timedelta(days=90)
"""How far back a stock-out makes the next one of its article a repetition."""
_OFTEN_DAYS = 2
_OFTEN_ORDERS = 3


@dataclass(frozen=True, slots=True)
class Told:
    """A draft that went out, with what was noted when it was written."""

    at: datetime
    order: str
    detail: Mapping[str, object]
    ending: Ending

    @property
    def on(self) -> str:
        """The channel the order was placed on."""
        return str(self.detail.get("on") or (self.ending.draft.channel if self.ending.draft else ""))


def told(facts: Facts, ended: Sequence[Ending], kind: str) -> list[Told]:
    """The drafts of `mail_draft` or `owed_written` that went out, in the order in which they did."""
    ending_of = {one.draft.id: one for one in ended if one.draft is not None and one.went_out}
    details = {event.detail["draft"]: event for event in facts.events if event.kind == kind and "draft" in event.detail}
    found = [
        Told(ending.at, order_key(ending.draft.order_id or ""), details[draft_id].detail, ending)
        for draft_id, ending in ending_of.items()
        if draft_id in details and ending.draft is not None
    ]
    return sorted(found, key=lambda one: (one.at, one.ending.draft.id if one.ending.draft else 0))


def cancels(
    facts: Facts, ended: Sequence[Ending], since: datetime, until: datetime, standings: Sequence[Standing]
) -> tuple[CancelRow, ...]:
    """A row for each channel that had a cancel, or counts them. An order counts once, as the shop's where both told."""
    notices = told(facts, ended, "owed_written")
    noticed: dict[str, datetime] = {}
    for one in notices:
        noticed.setdefault(one.order, one.at)
    buyers: dict[str, Told] = {}
    shops: dict[str, Told] = {}
    for one in notices:
        if one.detail.get("cancels"):
            shops.setdefault(one.order, one)
    for one in told(facts, ended, "mail_draft"):
        if one.detail.get("cancel") == "shop":
            shops.setdefault(one.order, one)
        elif one.detail.get("cancel"):
            buyers.setdefault(one.order, one)
    buyers = {order: one for order, one in buyers.items() if order not in shops}
    of_buyers = Counter(one.on for one in buyers.values() if since <= one.at < until)
    after = Counter(
        one.on
        for order, one in buyers.items()
        if since <= one.at < until and order in noticed and noticed[order] <= one.at
    )
    of_shop = Counter(one.on for one in shops.values() if since <= one.at < until)
    standing_of = {one.channel: one for one in standings}
    names = {*of_buyers, *of_shop, *standing_of}
    rows = [CancelRow(n, of_buyers[n], after[n], of_shop[n], standing_of.get(n)) for n in names]
    return tuple(sorted(rows, key=lambda row: (-row.shop - row.buyer, row.channel)))


def shop_cancels_since(facts: Facts, ended: Sequence[Ending], since: datetime) -> Counter[str]:
    """The shop's own cancels by channel, an order once."""
    rows = cancels(facts, ended, since, datetime.max.replace(tzinfo=since.tzinfo), ())
    return Counter({row.channel: row.shop for row in rows if row.shop})


def apologies(facts: Facts, ended: Sequence[Ending], since: datetime, until: datetime) -> tuple[tuple[str, int], ...]:
    """How many notices with an apology went out, by what they were about."""
    found = Counter(
        str(one.detail.get("matter")) for one in told(facts, ended, "owed_written") if since <= one.at < until
    )
    return tuple((matter, found[matter]) for matter in APOLOGIES if found[matter])


@dataclass(slots=True)
class _Article:
    """What has happened to one article so far."""

    goods: list[Goods] = field(default_factory=list)
    orders: dict[str, tuple[str, int, datetime]] = field(default_factory=dict)
    gone_since: datetime | None = None
    sold_after: set[str] = field(default_factory=set)


def stock_outs(
    facts: Facts, ended: Sequence[Ending], since: datetime, until: datetime, zone: tzinfo
) -> tuple[StockRow, ...]:
    """A row for each article that was sold out within the time, the worst first. What happened before is only looked at
    for the warnings. A notice that staff deleted was no stock-out."""
    refused = {one.draft.id for one in ended if one.draft is not None and one.result == "refused"}
    order_of = {draft.id: order_key(draft.order_id or "") for draft in facts.drafts}
    articles: dict[str, _Article] = {}
    for event in facts.events:
        draft_id = int(event.detail.get("draft") or 0)
        if event.kind == "owed_written" and event.detail.get("matter") in STOCK_MATTERS and draft_id not in refused:
            _note(articles, event, order_of.get(draft_id, ""))
    rows = [_stock_row(one, since, until, zone) for one in articles.values()]
    return tuple(sorted((row for row in rows if row.orders), key=lambda row: (-row.orders, row.item)))


def again(events: Sequence[EventFact], wishes: Collection[int], zone: tzinfo) -> list[Reason]:
    """What staff should know of the articles of these wishes: those that ran out on other days, too, or were sold after
    their buyers had been told. `events` are those of the last months, these wishes' own among them."""
    articles: dict[str, _Article] = {}
    some = [one for one in events if one.detail.get("matter") in STOCK_MATTERS]
    for event in some:
        _note(articles, event, str(event.detail.get("owed")))
    ours = [goods.key for one in some if one.detail.get("owed") in wishes for goods in goods_in(one.detail)]
    found: list[Reason] = []
    for key in dict.fromkeys(ours):
        article, name = articles[key], named(articles[key].goods)
        days = {at.astimezone(zone).date() for _, _, at in article.orders.values()}
        late = article.sold_after & {str(wish) for wish in wishes}
        if late:
            found.append(Reason.of("stock_out_bait", item=name, count=len(late)))
        if len(days) >= _OFTEN_DAYS:
            found.append(Reason.of("stock_out_often", item=name, count=len(article.orders), days=len(days)))
    return found


def _note(articles: dict[str, _Article], event: EventFact, order: str) -> None:
    cause = next(iter(event.detail.get("causes") or ()), "")
    ordered = event.detail.get("ordered")
    placed = datetime.fromisoformat(ordered) if isinstance(ordered, str) else None
    for goods in goods_in(event.detail):
        article = articles.setdefault(goods.key, _Article())
        article.goods.append(goods)
        if article.gone_since is not None and placed is not None and placed > article.gone_since:
            article.sold_after.add(order)
        article.orders.setdefault(order or f"?{len(article.orders)}", (str(cause), goods.count, event.at))
        if event.detail.get("matter") == "sold_out" and article.gone_since is None:
            article.gone_since = event.at


def _stock_row(article: _Article, since: datetime, until: datetime, zone: tzinfo) -> StockRow:
    within = {order: one for order, one in article.orders.items() if since <= one[2] < until}
    days: set[date] = {at.astimezone(zone).date() for _, _, at in article.orders.values()}
    ours = sum(cause in _NOT_KEPT_BACK for cause, _, _ in article.orders.values())
    causes = Counter(cause for cause, _, _ in within.values())
    return StockRow(
        item=named(article.goods),
        orders=len(within),
        pieces=sum(count for _, count, _ in within.values()),
        causes=tuple(sorted(causes.items(), key=lambda entry: (-entry[1], entry[0]))),
        days=len({at.astimezone(zone).date() for _, _, at in within.values()}),
        sold_after=len(article.sold_after & within.keys()),
        often=len(days) >= _OFTEN_DAYS or ours >= _OFTEN_ORDERS,
    )


def left_over(facts: Facts, ended: Sequence[Ending], since: datetime, until: datetime) -> tuple[LeftRow, ...]:
    """The goods of orders whose buyers have cancelled them, the most first. What the shop cancels it does not have."""
    orders: dict[str, Told] = {}
    for one in told(facts, ended, "mail_draft"):
        if one.detail.get("cancel") and one.detail.get("status") != "out_of_stock" and since <= one.at < until:
            orders.setdefault(one.order, one)
    gone = {one.order for one in told(facts, ended, "owed_written") if one.detail.get("matter") in STOCK_MATTERS}
    goods: dict[str, list[tuple[Goods, bool]]] = {}
    for order, one in orders.items():
        if order not in gone:
            for some in goods_in(one.detail):
                goods.setdefault(some.key, []).append((some, one.detail.get("status") == "preparing"))
    rows = [
        LeftRow(
            item=named([some for some, _ in found]),
            orders=len(found),
            pieces=sum(some.count for some, _ in found),
            prepared=sum(some.count for some, is_prepared in found if is_prepared),
        )
        for found in goods.values()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.pieces, row.item)))
