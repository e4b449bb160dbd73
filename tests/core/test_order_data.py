"""What is said of an order's data: their age, their doubts, and where they were read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from responder.core.rules import Case, Rulebook, compile_pack
from responder.core.wording import Catalog
from responder.errors import ConfigError, Mistake
from responder.model import Decision, Order, Origin, Reason
from tests.builders import NOW, make_message, make_order

ASKS = "注文をキャンセルしてください。"
HOUR = timedelta(hours=1)


def book(**rule: Any) -> Rulebook:
    common = {"id": "cancel", "situation": "cancel_before_ship", "when": {"asks": "cancel"}, "reply": "a"}
    return compile_pack({"rule": [{**common, **rule}]})


def judged(order: Order, **rule: Any) -> Decision:
    rulebook = book(**rule)
    message = make_message(ASKS)
    return rulebook.judge(Case(message, rulebook.read(message), "own", NOW, order=order))


def found(decision: Decision, code: str) -> list[dict[str, str]]:
    return [dict(reason.args) for reason in decision.reasons if reason.code == code]


@pytest.mark.parametrize(
    ("fresh", "age", "action"),
    [("24h", 24, "draft"), ("24h", 25, "hold"), ("2d", 47, "draft"), (6, 7, "hold"), ("90m", 1, "hold")],
)
def test_a_rule_demands_fresh_data(fresh: str | int, age: int, action: str) -> None:
    if fresh == "90m":
        with pytest.raises(ConfigError) as wrong:
            book(fresh=fresh)
        assert [(m.key, m.code) for m in wrong.value.mistakes] == [("rule[0].fresh", "fresh_wrong")]
        return
    decision = judged(make_order(as_of=NOW - age * HOUR), fresh=fresh)
    assert decision.action == action
    told = found(decision, "order_data_old")
    assert bool(told) is (action == "hold")
    if told:
        assert (told[0]["hours"], told[0]["source"]) == (str(age), "orders.csv")


def test_data_of_no_known_age_are_not_fresh() -> None:
    assert judged(make_order(as_of=None), fresh="24h").action == "hold"
    assert judged(make_order(as_of=None)).action == "draft"


def test_old_data_are_told_even_where_no_rule_minds() -> None:
    assert found(judged(make_order(as_of=NOW - 23 * HOUR)), "order_data_age") == []
    (told,) = found(judged(make_order(as_of=NOW - 49 * HOUR)), "order_data_age")
    assert told == {"hours": "49", "source": "orders.csv"}


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ("<= 24h", True),
        ("24h", True),
        ("< 2h", False),
        (">= 1d", False),
        ({"tracking_no": "<= 1d"}, False),
        ({"tracking_no": "<= 3d", "status": "<= 3h"}, True),
        ({"total": 3}, True),
    ],
)
def test_rules_ask_for_the_age_of_the_state_or_of_a_fact(wanted: object, fits: bool) -> None:
    parcels = Origin("parcels.csv", 4, NOW - 48 * HOUR)
    order = make_order(as_of=NOW - 3 * HOUR, tracking_no="4000", origins={"tracking_no": parcels})
    decision = judged(order, when={"asks": "cancel", "order": {"data_age": wanted}})
    assert (decision.rule == "cancel") is fits


def test_a_wrong_age_is_named() -> None:
    with pytest.raises(ConfigError) as wrong:
        book(when={"order": {"data_age": {"traking_no": "<= 2d", "total": "soon"}}})
    assert [(m.key, m.code, m.suggestion) for m in sorted(wrong.value.mistakes, key=lambda m: m.key)] == [
        ("rule[0].when.order.data_age.total", "comparison_wrong", None),
        ("rule[0].when.order.data_age.traking_no", "order_field_unknown", "tracking_no"),
    ]


def test_doubts_hold_and_are_named_with_file_line_and_column() -> None:
    doubt = Mistake("in/a.csv", 12, "status", "unknown_status", (("order", "1042"), ("found", "検品中")))
    decision = judged(make_order(problems=("unknown_status",), doubts=(doubt,)))
    assert decision.action == "hold"
    assert decision.reasons[0] == Reason.of("order_data_problem", problems="unknown_status")
    assert found(decision, "order_doubt") == [
        {"place": "in/a.csv:12: status", "problems": "unknown_status", "found": "検品中"}
    ]
    wording = Catalog.load()
    for language in ("ja", "en", "zh"):
        text = wording.reason(next(r for r in decision.reasons if r.code == "order_doubt"), language)
        assert "in/a.csv:12: status" in text
        assert "unknown_status" not in text
        assert "検品中" in text


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({"ordered_at": NOW + 24 * HOUR}, False),
        ({"ordered_at": NOW + 48 * HOUR}, True),
        ({"paid_at": NOW + 48 * HOUR}, True),
        ({"ship_by": NOW + 480 * HOUR, "eta": NOW + 480 * HOUR}, False),
        ({"shipped_at": NOW + 48 * HOUR}, False),
        ({"shipped_at": NOW + 48 * HOUR, "status": "shipped"}, True),
        ({"ordered_at": NOW + 48 * HOUR, "as_of": NOW + 24 * HOUR}, False),
    ],
)
def test_what_has_happened_in_the_future_is_doubted(changes: dict[str, Any], held: bool) -> None:
    decision = judged(make_order(**changes))
    problems = [told["problems"] for told in found(decision, "order_data_problem")]
    assert problems == (["date_in_future"] if held else [])
    if held:
        (told,) = found(decision, "order_doubt")
        assert told["place"].startswith("orders.csv:2: ")
