"""Who is to be called: told by the order's data alone, never where the channel forbids it; and what is said then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from responder.core.owed import MATTERS, Wish
from responder.core.owed.calls import ANGRY, CALM, Calls, why_call
from responder.core.owed.letter import page_text
from responder.core.owed.values import Surroundings
from responder.core.templates import VARIANTS
from responder.model import LANGUAGES, Item, Order
from tests.builders import NOW, SHOP, make_order
from tests.core.test_owed import ADDRESSES, BOTH, FACTS, channel, order_on, settings

GIFT = {"ギフト": "のし: 御祝", "お届け希望日": "2026-12-24"}


def codes(order: Order, by: str = "own", matter: Any = "restock", calls: Calls | None = None) -> list[str]:
    return [one.code for one in why_call(Wish(order.order_id, matter), order, channel(by), calls or Calls())]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"total": Decimal(4980)}, []),
        ({"total": Decimal(30000)}, ["call_high_value"]),
        ({"total": Decimal(29999)}, []),
        ({"total": Decimal("250.00"), "currency": "usd"}, ["call_high_value"]),
        ({"total": Decimal(9_000_000), "currency": "XXX"}, []),
        ({"total": None}, []),
        ({"extra": GIFT}, ["call_dated_gift"]),
        ({"extra": {"Gift-Wrap": "yes", "delivery_date": "12/24"}}, ["call_dated_gift"]),
        ({"extra": {"ギフト": "なし", "お届け希望日": "2026-12-24"}}, []),
        ({"extra": {"ギフト": "あり", "お届け希望日": "指定なし"}}, []),
        ({"extra": {"お届け希望日": "2026-12-24"}}, []),
        ({"buyer_name": "山田商事株式会社"}, ["call_business"]),
        (
            {"total": Decimal(50000), "extra": GIFT | {"会社名": "山田商事"}},
            ["call_high_value", "call_dated_gift", "call_business"],
        ),
    ],
)
def test_value_gift_and_business_are_reasons_to_call(changes: dict[str, Any], wanted: list[str]) -> None:
    assert codes(make_order(**changes)) == wanted


@pytest.mark.parametrize("by", ADDRESSES)
def test_nobody_is_called_where_the_channel_forbids_it(by: str) -> None:
    dear = order_on(by, total=Decimal(99000), buyer_name="山田商事株式会社", extra=GIFT)
    assert bool(codes(dear, by)) == (by not in ("amazon", "ebay", "mercari"))


def test_a_shop_has_its_own_figures_and_can_switch_it_off() -> None:
    order = make_order(total=Decimal(8000))
    assert codes(order, calls=Calls(high_value={"JPY": Decimal(8000)})) == ["call_high_value"]
    assert codes(make_order(total=Decimal(99000)), calls=Calls(high_value={})) == []
    assert codes(make_order(total=Decimal(99000)), calls=Calls(enabled=False)) == []
    assert [matter for matter in MATTERS if codes(make_order(total=Decimal(99000)), matter=matter)] == [
        *("sold_out", "restock", "delay", "combined")
    ]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("template", [CALM, ANGRY])
def test_the_scripts_say_what_is_known_and_leave_the_rest_blank(template: str, variant: str) -> None:
    """Every matter, cause and kind of buyer, in every language: nothing of a template is left, no cause is invented."""
    for n, matter in enumerate(("sold_out", "restock", "delay", "combined") * 4):
        facts = FACTS[n % len(FACTS)]
        items = BOTH if "items" in facts else (Item("Mug", "MUG-01"),)
        order = order_on("own", variant, items=items, payment=("credit_card", "bank_transfer", "")[n % 3])
        wish = Wish("1042", matter, language=variant[:2], business=n % 2 == 0, **facts)
        around = Surroundings(unanswered=n % 3 == 0)
        page = page_text(
            wish,
            order,
            template,
            identity=SHOP,
            shop=settings().shop,
            templates=settings().templates,
            now=NOW,
            around=around,
        )
        assert "お電話する担当者の名前" in page.blanks
        assert "Mug" in page.text
        assert "\n\n\n" not in page.text
        assert not {"{", "}", "%}", "None"} & set(page.text.split())
        if matter in ("restock", "combined") and "restock" not in facts:
            assert "再入荷の予定日" in page.blanks
        if matter == "delay" and not facts.get("causes") and template == CALM:
            assert "遅れている理由と現在の状況" in page.blanks


def test_the_notes_words_hold_in_every_language() -> None:
    words = settings().wording
    for language in LANGUAGES:
        text = words.text("note.call_buyer", language, order="1042", because="- x")
        assert "1042" in text
        assert "- x" in text
        for code in ("call_high_value", "call_dated_gift", "call_business", "call_no_answer"):
            assert words.has(f"reason.{code}")
    assert replace(Calls(), no_answer_days=0).no_answer_days == 0
