"""What a rule can ask, which rule wins, and why the others do not."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from responder.core.rules import Case, Rulebook, compile_pack
from responder.model import Attachment, Decision, Item, Message, Order
from tests.builders import NOW, make_message, make_order

DAY = timedelta(days=1)


def pack(when: str, more: str = "", outcome: str = 'reply = "t"') -> Rulebook:
    return compile_pack(
        tomllib.loads(f'{more}\n[[rule]]\nid = "r"\nsituation = "other"\nwhen = {{ {when} }}\n{outcome}\n'),
        timezone=ZoneInfo("Asia/Tokyo"),
    )


def judged(rulebook: Rulebook, message: Message, order: Order | None = None, **changes: Any) -> Decision:
    case = Case(
        message=message,
        reading=rulebook.read(message),
        channel="own",
        now=NOW,
        order=order,
        order_problem=None if order is not None else "order_not_found",
        timezone=rulebook.timezone,
    )
    return rulebook.judge(replace(case, **changes))


CANCEL = "注文をキャンセルしてください。"


@pytest.mark.parametrize(
    ("when", "order"),
    [
        ('asks = "cancel"', {}),
        ('mentions = "cancel"', {}),
        ('says = "注文 ... キャンセル"', {}),
        ('says = { ja = ["注文 ... キャンセル"] }', {}),
        ('subject = "注文について"', {}),
        ('says = "注文について", scope = "subject"', {}),
        ('acts = "request"', {}),
        ('language = ["ja", "zh"]', {}),
        ('channel = "own"', {}),
        ('sender = "*@mail.example"', {}),
        ('sender = "@mail.example"', {}),
        ("attachments = false", {}),
        ("orders_named = 0", {}),
        ('length = "< 100"', {}),
        ('time = "11:00-13:00"', {}),
        ('weekday = ["fri", "土"]', {}),
        ("order.found = true", {}),
        ('order = "before_shipping"', {}),
        ('order.status = ["paid", "unpaid"]', {}),
        ("order.paid = true", {}),
        ("order.overdue = true", {"ship_by": NOW - 2 * DAY}),
        ('order.days_since_promised = ">= 2"', {"ship_by": NOW - 2 * DAY}),
        ('order.age_days = "> 1"', {}),
        ('order.amount = ">= 4980"', {"total": Decimal("4980")}),
        ("order.items = 3", {"items": (Item("a", quantity=2), Item("b"))}),
        ('order.payment = "credit"', {}),
        ('order.currency = ["usd", "jpy"]', {}),
        ('order.has = "buyer_name", order.lacks = ["tracking_no"]', {}),
        ('order.columns = { "ギフト" = "あり*" }', {"extra": {"ギフト": "あり（のし）"}}),
        ('order.columns = { "重さ" = ">= 3" }', {"extra": {"重さ": "4.5"}}),
        ('any = [{ language = "en" }, { asks = "cancel" }]', {}),
        ('all = [{ language = "ja" }, { none = [{ asks = "where" }] }]', {}),
    ],
)
def test_a_condition_that_holds_lets_the_rule_fire(when: str, order: dict[str, Any]) -> None:
    rulebook = pack(when, outcome='hold = "why"')
    assert judged(rulebook, make_message(CANCEL), make_order(**order)).rule == "r"


@pytest.mark.parametrize(
    "when",
    [
        'asks = "where"',
        'says = "返品"',
        'subject = "キャンセル"',
        'language = "en"',
        'sender = "*@other.example"',
        "attachments = true",
        'time = "18:00-09:00"',
        'weekday = "mon"',
        'order = "after_shipping"',
        "order.overdue = true",
        'order.amount = "< 100"',
        'order.columns = { "none" = "x" }',
        'none = [{ asks = "cancel" }]',
        'asks = "cancel", order.status = "shipped"',
    ],
)
def test_a_condition_that_does_not_hold_keeps_it_quiet(when: str) -> None:
    rulebook = pack(when, outcome='hold = "why"')
    assert judged(rulebook, make_message(CANCEL), make_order()).rule is None


def test_photos_and_attachments_are_conditions() -> None:
    photo = Attachment("a.jpg", "image/jpeg", 1000)
    assert judged(pack("photos = true", outcome='hold = "x"'), make_message(attachments=(photo,)), make_order()).rule


def test_examples_of_a_shop_match_what_is_like_them() -> None:
    more = '[examples]\ngift = ["プレゼント用に包んでいただけますか", "リボンを付けてほしいです"]'
    rulebook = pack('like = "gift"', more, 'hold = "x"')
    assert judged(rulebook, make_message("プレゼント用に包んでいただけませんか"), make_order()).rule == "r"
    assert judged(rulebook, make_message("いつ届きますか"), make_order()).rule is None


def test_the_first_rule_wins_and_the_trace_tells_of_the_others() -> None:
    rulebook = compile_pack(
        tomllib.loads(
            """
            [[rule]]
            id = "shipped"
            situation = "other"
            when.asks = "cancel"
            when.order = "after_shipping"
            hold = "a"
            [[rule]]
            id = "angry"
            situation = "other"
            when.asks = "cancel"
            unless.acts = "request"
            hold = "b"
            [[rule]]
            id = "first"
            situation = "other"
            when.asks = "cancel"
            hold = "c"
            [[rule]]
            id = "second"
            situation = "other"
            when.asks = "cancel"
            hold = "d"
            """
        )
    )
    decision = judged(rulebook, make_message("キャンセルをお願いします。お願いします。"), make_order())
    assert decision.rule == "first"
    assert [(t.rule, t.outcome) for t in decision.trace] == [
        ("shipped", "missed"),
        ("angry", "vetoed"),
        ("first", "fired"),
        ("second", "shadowed"),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"order": None, "order_problem": "order_ambiguous"}, "order_ambiguous"),
        ({"order": make_order(status="cancelled")}, "order_state_unsure"),
        ({"order": make_order(status="unknown")}, "order_state_unsure"),
        ({"order": make_order(problems=("total_wrong",))}, "order_data_problem"),
        ({"trusted": False}, "sender_not_trusted"),
    ],
)
def test_no_rule_can_switch_the_safeguards_off(changes: dict[str, Any], code: str) -> None:
    given = {"order": make_order(), "order_problem": None} | changes
    decision = judged(pack('asks = "cancel"'), make_message(CANCEL), **given)
    assert decision.action == "hold"
    assert decision.reasons[0].code == code


def test_a_reply_may_do_without_an_order() -> None:
    rulebook = pack('asks = "stock"', outcome='reply = "t"\nneeds_order = false')
    assert judged(rulebook, make_message("在庫はありますか？")).action == "draft"


def test_other_scopes_are_looked_at_only_where_a_rule_asks() -> None:
    rulebook = pack('says = "キャンセル", scope = "quoted"', outcome='hold = "x"')
    quoted = make_message("わかりました", quoted_text="キャンセルをご希望の場合は")
    assert judged(rulebook, quoted, make_order()).rule == "r"
    assert judged(rulebook, make_message("キャンセル"), make_order()).rule is None


# --- for any input ---------------------------------------------------------------------------------------------------
