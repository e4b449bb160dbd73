"""Which order a dropped mail is about."""

from __future__ import annotations

from responder.core.commanded import order_meant
from tests.builders import make_order

A, B = make_order("1042"), make_order("4980", buyer_mail="ken@mail.example")


def ids(*found: object) -> list[str]:
    return [order.order_id for order in found]


def test_what_is_certainly_an_order_goes_before_what_only_looks_like_one() -> None:
    assert ids(*order_meant((A, B), ("1042",), (), "")) == ["1042"]
    assert ids(*order_meant((B,), (), (), "")) == ["4980"]


def test_among_several_the_one_whose_buyer_is_named_counts() -> None:
    assert ids(*order_meant((A, B), (), (), "お客様: KEN@mail.example")) == ["4980"]
    assert ids(*order_meant((A, B), ("1042", "4980"), (), "")) == ["1042", "4980"]


def test_without_a_number_the_senders_only_open_order_is_meant() -> None:
    gone = make_order("900", status="delivered")
    assert ids(*order_meant((), (), (A, gone), "")) == ["1042"]
    assert ids(*order_meant((), (), (gone,), "")) == ["900"]
    assert order_meant((), (), (), "") == ()
