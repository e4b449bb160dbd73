"""What a cancel costs on a marketplace: whose it is, and how many it would be. A figure nobody knows is not told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responder.config import bare
from responder.core.cancels import cost, cost_of_stock_out, effect_of, is_shops, window
from responder.model import Decision, Order, Placed, Reason
from tests.builders import NOW, make_order

CHANNELS = {channel.name: channel for channel in bare().channels}
AMAZON = make_order("249-0000000-0000001", channel="amazon", status="preparing", ordered_at=NOW - timedelta(days=1))
OFFICIAL = {"is-buyer-requested-cancellation": "TRUE"}


def asked(order: Order, *, channel: str = "amazon", **changes: Any) -> Decision:
    return Decision("draft", "cancel_before_ship", "r", "ja", channel, order=order, order_id=order.order_id, **changes)


def placed(count: int, *cancelled: Order) -> Placed:
    return Placed(count, cancelled)


def told(placed: Placed | None, *accepted: Order, order: Order = AMAZON, channel: str = "amazon") -> Reason | None:
    return cost(asked(order, channel=channel), CHANNELS[channel], "Amazon", placed=placed, accepted=accepted, now=NOW)


def other(number: int, **changes: Any) -> Order:
    return replace(AMAZON, order_id=f"249-0000000-00000{number}", **changes)


@pytest.mark.parametrize(
    ("channel", "status", "formal", "extra", "shops"),
    [
        ("amazon", "preparing", False, {}, True),
        ("amazon", "preparing", True, {}, False),
        ("amazon", "preparing", False, OFFICIAL, False),
        ("rakuten", "preparing", False, {}, False),
        ("rakuten", "out_of_stock", False, {}, True),
        ("own", "preparing", False, {}, False),
    ],
)
def test_whose_cancel_it_is(channel: str, status: str, formal: bool, extra: dict[str, str], shops: bool) -> None:
    order = replace(AMAZON, channel=channel, status=status, extra=extra)
    assert is_shops(asked(order, channel=channel, is_formal=formal), CHANNELS[channel]) is shops


def test_only_a_cancel_of_what_has_not_left_counts() -> None:
    assert not is_shops(replace(asked(AMAZON), situation="where_is_order"), CHANNELS["amazon"])
    assert effect_of("where_is_order", "cancel_before_ship") is None
    assert effect_of("cancel_before_ship", None) is None
    found = [effect_of("cancel_before_ship", t) for t in ("cancel_request_steps", "cancel_offer_to_keep", "my_own")]
    assert found == ["waits", "keeps", "accepts"]


@pytest.mark.parametrize(
    ("orders", "cancelled", "accepted", "code", "count", "percent"),
    [
        (100, 1, 0, "cancel_rate", "2", "2.0"),
        (100, 2, 0, "cancel_rate_over", "3", "3.0"),
        (100, 0, 1, "cancel_rate", "2", "2.0"),
        (40, 0, 0, "cancel_rate_over", "1", "2.5"),
        (41, 0, 0, "cancel_rate", "1", "2.4"),
    ],
)
def test_it_would_be_so_many(orders: int, cancelled: int, accepted: int, code: str, count: str, percent: str) -> None:
    gone = [other(50 + n, status="cancelled") for n in range(cancelled)]
    found = told(placed(orders, *gone), *[other(70 + n) for n in range(accepted)])
    assert found is not None
    args = dict(found.args)
    assert (found.code, args["count"], args["percent"]) == (code, count, percent)
    assert (args["orders"], args["days"], args["limit"]) == (str(orders), "7", "2.5")


def test_no_order_counts_twice_and_a_buyer_s_own_cancel_not_at_all() -> None:
    gone = other(50, status="cancelled")
    asked_formally = other(51, status="cancelled", extra=OFFICIAL)
    long_ago = other(52, ordered_at=NOW - timedelta(days=8))
    sent_after_all = other(53, status="shipped")
    found = told(placed(100, gone, asked_formally), gone, AMAZON, long_ago, sent_after_all)
    assert found is not None
    assert dict(found.args)["count"] == "2"


@pytest.mark.parametrize(
    ("known", "order"),
    [
        (None, AMAZON),
        (placed(0), AMAZON),
        (placed(100), replace(AMAZON, ordered_at=None)),
        (placed(100), replace(AMAZON, ordered_at=NOW - timedelta(days=8))),
    ],
)
def test_figures_nobody_knows_are_not_told(known: Placed | None, order: Order) -> None:
    found = told(known, order=order)
    assert found == Reason.of("cancel_counts", channel="Amazon", limit="2.5", days=7)


def test_orders_the_shop_cancels_together_count_together() -> None:
    gone, own = other(50, status="cancelled"), [AMAZON, other(60), other(61)]

    def told_of(orders: list[Order], known: Placed | None) -> Reason | None:
        return cost_of_stock_out(orders, CHANNELS["amazon"], "Amazon", placed=known, accepted=(), now=NOW)

    found = told_of(own, placed(100, gone))
    assert found is not None
    assert (found.code, dict(found.args)["count"]) == ("sold_out_rate_over", "4")
    assert told_of(own, None) == Reason.of("sold_out_counts", channel="Amazon", limit="2.5", days=7)
    assert told_of([replace(AMAZON, extra=OFFICIAL)], placed(100)) is None


def test_points_are_told_where_the_marketplace_counts_those() -> None:
    sold_out = replace(AMAZON, channel="rakuten", status="out_of_stock")
    found = told(None, order=sold_out, channel="rakuten")
    assert found == Reason.of("cancel_points", channel="Amazon", points=15, limit=35, count=1, sum=15)
    before = [replace(sold_out, order_id=f"R{n}") for n in range(2)]
    over = told(None, *before, order=sold_out, channel="rakuten")
    assert over == Reason.of("cancel_points_over", channel="Amazon", points=15, limit=35, count=3, sum=45)
    assert told(None, order=replace(sold_out, status="paid"), channel="rakuten") is None
    assert told(None, order=replace(sold_out, channel="own"), channel="own") is None
    assert window(CHANNELS["ebay"], NOW) is None, "of how many days eBay counts is not known"
