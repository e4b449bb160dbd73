"""Which reply the default rules choose where the playbook makes a difference: too slow, formal, answered before, dear."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from responder.core.channels import Channel
from responder.core.decide import FoundOrders, decide
from responder.core.refunds import Refunds
from responder.core.remarks import lines, to_do
from responder.core.wording import Catalog
from responder.model import LANGUAGES, Address, Decision, Language, Order
from tests.builders import NOW, SHOP, make_message, make_order
from tests.core.test_decide import default_pack

SOON = NOW + timedelta(days=4)
READY = make_order(status="preparing", ship_by=SOON)
RELAY = "abc123@marketplace.amazon.co.jp"


def judged(
    text: str,
    order: Order | None = None,
    *,
    language: Language = "ja",
    channel: str = "own",
    sent_before: Mapping[str, frozenset[str]] | None = None,
    policy: Mapping[str, str] | None = None,
    columns: tuple[str, ...] = (),
    **changes: Any,
) -> Decision:
    return decide(
        make_message(text, language=language, **changes),
        channel=Channel(channel, official_cancel_columns=columns),
        found=FoundOrders(of_buyer=() if order is None else (order,)),
        rulebook=default_pack(),
        identity=SHOP,
        now=NOW,
        sender_trusted=None,
        sent_before=sent_before or {},
        policy=policy or {},
    )


TOO_SLOW: list[tuple[Language, str]] = [
    ("ja", "発送が遅すぎるので、注文をキャンセルしてください。"),
    ("ja", "いつまで待っても発送されないのでキャンセルしたいです。"),
    ("en", "Shipping is taking too long. Please cancel my order."),
    ("zh", "发货太慢了，请取消我的订单。"),
    ("zh", "出貨太慢了，請取消我的訂單。"),
]


@pytest.mark.parametrize(("language", "text"), TOO_SLOW)
def test_too_slow_with_goods_on_hand_is_asked_once_to_keep_the_order(language: Language, text: str) -> None:
    first = judged(text, READY, language=language)
    assert (first.action, first.situation, first.template) == ("draft", "cancel_before_ship", "cancel_offer_to_keep")
    assert first.note == "offer_to_keep"
    again = judged(text, READY, language=language, sent_before={"cancel_offer_to_keep": frozenset({"1042"})})
    assert again.template == "cancel_before_ship"
    of_another = judged(text, READY, language=language, sent_before={"cancel_offer_to_keep": frozenset({"999"})})
    assert of_another.template == "cancel_offer_to_keep"


@pytest.mark.parametrize(("language", "text"), TOO_SLOW)
@pytest.mark.parametrize("status", ["paid", "out_of_stock", "unpaid"])
def test_without_goods_on_hand_the_cancel_is_accepted(language: Language, text: str, status: str) -> None:
    assert judged(text, make_order(status=status), language=language).template == "cancel_before_ship"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "発送が遅く、誕生日に間に合わないのでキャンセルしてください。"),
        ("ja", "遅いので別の店で買いました。キャンセルしてください。"),
        ("ja", "発送も遅いですし、間違えて注文したのでキャンセルしてください。"),
        ("ja", "遅すぎます。ありえない対応です。キャンセルしてください。"),
        ("en", "It is taking too long and will not arrive in time for the wedding. Please cancel my order."),
        ("en", "It took too long, so I bought it elsewhere. Please cancel my order."),
        ("zh", "发货太慢了，来不及过生日，请取消我的订单。"),
        ("zh", "太慢了，我已经在别家买了，请取消订单。"),
    ],
)
def test_other_reasons_are_not_argued_with(language: Language, text: str) -> None:
    decision = judged(text, READY, language=language)
    assert decision.template in ("cancel_before_ship", None)


def amazon(text: str, order: Order, **changes: Any) -> Decision:
    sender = Address("Hanako", RELAY)
    return judged(text, order, channel="amazon", sender=sender, **changes)


def amazon_order(**changes: Any) -> Order:
    return make_order("249-1234567-1234567", channel="amazon", buyer_mail=RELAY, **changes)


def test_a_plain_request_on_amazon_gets_the_steps_and_a_flagged_one_is_accepted() -> None:
    plain = amazon("注文をキャンセルしてください。", amazon_order())
    assert (plain.template, plain.is_formal) == ("cancel_request_steps", False)
    flagged = amazon_order(extra={"is-buyer-requested-cancellation": "TRUE"})
    columns = ("is-buyer-requested-cancellation",)
    formal = amazon("注文をキャンセルしてください。", flagged, columns=columns)
    assert (formal.template, formal.is_formal) == ("cancel_before_ship", True)
    unflagged = amazon_order(extra={"is-buyer-requested-cancellation": "FALSE"})
    assert amazon("注文をキャンセルしてください。", unflagged, columns=columns).template == "cancel_request_steps"


def test_what_is_no_longer_wanted_gets_the_steps_on_amazon_too() -> None:
    assert amazon("もう要らなくなったので送らないでください。", amazon_order()).template == "cancel_request_steps"


def test_an_answer_to_our_notice_is_accepted_at_once() -> None:
    before = {"owe_restock": frozenset({"249-1234567-1234567"})}
    assert amazon("キャンセルでお願いします。", amazon_order(), sent_before=before).template == "cancel_before_ship"


POLICY = {"cancel_policy": "発送前まで承ります。", "cancel_policy_en": "Until shipped."}


def test_a_question_about_the_policy_gets_the_shops_own_words_or_a_person() -> None:
    question = "キャンセルポリシーを教えてください。"
    assert judged(question).action == "hold"
    assert judged(question, policy=POLICY).template == "cancel_policy"
    assert judged("Do you accept cancellations?", language="en", policy=POLICY).template == "cancel_policy"
    # Written in Japanese and English only.
    assert judged("请问下单后可以取消吗？", language="zh", policy=POLICY).action == "hold"
    # A request is no question.
    assert judged("まだキャンセルできますか？お願いします。", READY, policy=POLICY).template == "cancel_before_ship"


@pytest.mark.parametrize(
    ("amount", "currency", "action"),
    [("49999", "JPY", "draft"), ("50000", "JPY", "hold"), ("399", "USD", "draft"), ("400", "USD", "hold"), ("9", "", "draft")],
)  # fmt: skip
def test_a_dear_parcel_that_is_missing_goes_to_a_person(amount: str, currency: str, action: str) -> None:
    order = make_order(status="delivered", total=Decimal(amount), currency=currency)
    assert judged("配達済みになっていますが、届いていません。", order).action == action


def test_a_receipt_beside_another_matter_is_one_reply() -> None:
    both = judged("領収書をお願いします。また、商品はいつ届きますか。", make_order())
    assert (both.action, both.template) == ("draft", "invoice_receipt")
    assert {"receipt", "where"} <= set(both.asks)
    late = make_order(status="preparing", ship_by=NOW - timedelta(days=3))
    assert judged("発送が遅れています。いつですか。領収書もお願いします。", late).template == "invoice_receipt"


ANGRY: list[tuple[Language, str]] = [
    ("ja", "いつ届くのですか。対応がひどすぎます。"),
    ("en", "Where is my order? This is ridiculous."),
    ("zh", "我的包裹到哪里了？太过分了。"),
]


@pytest.mark.parametrize(("language", "text"), ANGRY)
def test_a_buyer_who_is_upset_is_told_to_staff_with_a_script(language: Language, text: str) -> None:
    decision = judged(text, make_order(ship_by=SOON), language=language)
    assert (decision.action, decision.is_angry) == ("draft", True)
    assert decision.note == "angry_buyer"
    cancel = judged("対応がひどすぎます。注文をキャンセルしてください。", make_order())
    assert cancel.note == "cancel_in_admin\nangry_buyer"
    for shown in LANGUAGES:
        told = to_do(cancel, Channel("own"), Refunds())
        words = "\n".join(lines(told, Catalog.load(), shown))
        assert "_admin" not in words
        assert "angry_buyer" not in words
        assert "{" not in words
    assert "angry_buyer" in {reason.code for reason in judged("ありえない。最悪です。").reasons}


@pytest.mark.parametrize("status", ["paid", "preparing", "unpaid", "shipped", "delivered"])
def test_broken_goods_are_never_taken_for_thanks(status: str) -> None:
    assert judged("The item arrived broken.", make_order(status=status), language="en").action != "silence"
