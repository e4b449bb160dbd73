"""Cancels of what has not left: what a reply does about one, whose it counts as, and what that costs on the channel.

A figure is told only where it is known: the exports must tell what became of the orders of the whole window, and be of
today. The limits are the channel's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from responder.core.channels import Channel
from responder.core.facts import load
from responder.model import Decision, Order, Placed, Reason, order_key

CANCEL = "cancel_before_ship"
"""The situation in which a buyer asks to cancel what has not left."""
WAITS, KEEPS = (frozenset(load("cancels")[name]) for name in ("waits", "keeps"))
FRESH = timedelta(days=1)


def effect_of(situation: str, template: str | None) -> Literal["accepts", "waits", "keeps"] | None:
    """What a reply of this template does about the buyer's cancel; None where there is no cancel, or no reply."""
    if situation != CANCEL or not template:
        return None
    return "waits" if template in WAITS else "keeps" if template in KEEPS else "accepts"


def is_shops(decision: Decision, channel: Channel) -> bool:
    """True if cancelling the order of this decision counts as the shop's doing on that channel."""
    order = decision.order
    if order is None or decision.situation != CANCEL or decision.is_formal or channel.is_official_cancel(order):
        return False
    return channel.unofficial_cancel_counts or order.status == "out_of_stock"


def is_counting(channel: Channel) -> bool:
    """True if the channel counts the shop's cancels, and it is known how."""
    return channel.cancel_points is not None or bool(channel.cancel_limit_percent and channel.cancel_limit_days)


def year_of(now: datetime, zone: tzinfo) -> datetime:
    """When the calendar year began where the shop is."""
    return now.astimezone(zone).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)


def window(channel: Channel, now: datetime) -> datetime | None:
    """Since when orders count for the channel's limit; None where it has none, or nobody knows of how many days."""
    if channel.cancel_limit_percent is None or not channel.cancel_limit_days:
        return None
    return now - timedelta(days=channel.cancel_limit_days)


def of_shop(
    placed: Placed | None,
    accepted: Iterable[Order],
    channel: Channel,
    since: datetime,
    buyers: frozenset[str] = frozenset(),
) -> frozenset[str]:
    """The orders of the window, by key, whose cancel the channel counts as the shop's. See `cost` for the values."""
    ours = [o for o in accepted if not o.is_shipped and o.ordered_at is not None and o.ordered_at >= since]
    gone = [o for o in (placed.cancelled if placed is not None else ()) if order_key(o.order_id) not in buyers]
    return frozenset(order_key(o.order_id) for o in (*gone, *ours) if not channel.is_official_cancel(o))


def cost(
    decision: Decision,
    channel: Channel,
    title: str,
    *,
    placed: Placed | None,
    accepted: Iterable[Order],
    now: datetime,
    buyers: frozenset[str] = frozenset(),
) -> Reason | None:
    """What staff should know before they cancel: what it costs, and how many it would be. None where it costs nothing.

    `placed` are the channel's orders of the window, None where they are not all known; `accepted` those whose cancel
    counts and stands in a reply or notice of ours since then, sent or waiting, whether the exports know it yet or not
    (where each costs points: of this year);
    `buyers` the keys of those that the buyers asked for and that do not count.
    """
    order = decision.order
    if order is None or not is_shops(decision, channel):
        return None
    return _counted("cancel", (order,), channel, title, placed=placed, accepted=accepted, now=now, buyers=buyers)


def cost_of_stock_out(
    orders: Sequence[Order],
    channel: Channel,
    title: str,
    *,
    placed: Placed | None,
    accepted: Iterable[Order],
    now: datetime,
    buyers: frozenset[str] = frozenset(),
) -> Reason | None:
    """The same for orders that the shop cancels because it has none to send."""
    own = [order for order in orders if not channel.is_official_cancel(order)]
    if not own:
        return None
    return _counted("sold_out", own, channel, title, placed=placed, accepted=accepted, now=now, buyers=buyers)


def _points(
    orders: Sequence[Order], channel: Channel, title: str, accepted: Iterable[Order], points: int, limit: int
) -> Reason:
    """So many points as it would be at least: of what nobody wrote through us, nothing is known."""
    count = len({order_key(o.order_id) for o in (*accepted, *orders) if not channel.is_official_cancel(o)})
    code = "cancel_points_over" if count * points >= limit else "cancel_points"
    return Reason.of(code, channel=title, points=points, limit=limit, count=count, sum=count * points)


def _counted(
    what: str,
    orders: Sequence[Order],
    channel: Channel,
    title: str,
    *,
    placed: Placed | None,
    accepted: Iterable[Order],
    now: datetime,
    buyers: frozenset[str],
) -> Reason | None:
    if channel.cancel_points is not None and channel.cancel_points_limit is not None:
        return _points(orders, channel, title, accepted, channel.cancel_points, channel.cancel_points_limit)
    since, limit = window(channel, now), channel.cancel_limit_percent
    if since is None or limit is None:
        return None
    about = {"channel": title, "limit": f"{limit:g}", "days": channel.cancel_limit_days}
    new = [order for order in orders if order.ordered_at is not None and order.ordered_at >= since]
    if placed is None or not placed.total or len(new) < len(orders):
        return Reason.of(f"{what}_counts", **about)
    before = of_shop(placed, accepted, channel, since, buyers)
    count = len(before | {order_key(order.order_id) for order in new})
    percent = 100 * count / max(placed.total, count)
    code = f"{what}_rate_over" if percent >= limit else f"{what}_rate"
    return Reason.of(code, **about, count=count, orders=placed.total, percent=f"{percent:.1f}")
