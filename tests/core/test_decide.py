"""From a mail and the orders found for it to draft, hold or silence."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Any

import pytest

from responder.core.channels import Channel
from responder.core.decide import FoundOrders, decide
from responder.core.rules import Rulebook, compile_pack
from responder.model import Address, Decision, Item, Order
from tests.builders import NOW, SHOP, make_message, make_order

PACK = Path(__file__).parents[2] / "rules.toml"


@functools.cache
def default_pack() -> Rulebook:
    return compile_pack(tomllib.loads(PACK.read_text(encoding="utf-8")))


def judged(
    text: str,
    order: Order | None = None,
    *,
    found: FoundOrders | None = None,
    trusted: bool | None = None,
    channel: str = "own",
    **changes: Any,
) -> Decision:
    if found is None:
        found = FoundOrders(of_buyer=() if order is None else (order,))
    return decide(
        make_message(text, **changes),
        channel=Channel(channel),
        found=found,
        rulebook=default_pack(),
        identity=SHOP,
        now=NOW,
        sender_trusted=trusted,
    )


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "注文をキャンセルしたいです。よろしくお願いします。"),
        ("ja", "ｷｬﾝｾﾙｵﾈｶﾞｲｼﾏｽ"),
        ("ja", "やっぱり要らなくなったので送らないでください"),
        ("ja", "キャンセルできますか？まだ間に合うようでしたらお願いしたいです。"),
        ("en", "Please cancel my order 1042. Thanks!"),
        ("en", "pls cancle my oder, wrong size"),
        ("en", "Is it still possible to cancel order 1042?"),
        ("zh", "麻烦帮我取消订单，谢谢"),
        ("zh", "我不想要了 請取消訂單"),
    ],
)
def test_a_cancel_is_answered_by_the_orders_state(language: str, text: str) -> None:
    before = judged(text, make_order(), language=language)
    assert (before.action, before.situation, before.template) == ("draft", "cancel_before_ship", "cancel_before_ship")
    after = judged(text, make_order(status="shipped"), language=language)
    assert (after.action, after.situation, after.template) == ("draft", "cancel_after_ship", "cancel_after_ship")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "キャンセルはしないでください。"),
        ("ja", "キャンセルではなく、いつ届くか知りたいだけです。"),
        ("ja", "金曜までに発送されないならキャンセルします。"),
        ("ja", "注文後のキャンセルは可能ですか？規約を教えてください。"),
        ("ja", "先日のキャンセルの件、ご対応ありがとうございました。"),
        ("ja", "ホテルの予約をキャンセルしてください。"),
        ("en", "Please do not cancel my order."),
        ("en", "If it has not shipped by Friday, cancel it."),
        ("en", "What is your cancellation policy?"),
        ("en", "Thank you for cancelling so fast."),
        ("en", "Please cancel my newsletter subscription."),
        ("zh", "请不要取消我的订单。"),
        ("zh", "如果周五还不发货就取消。"),
        ("zh", "你们的取消政策是什么？"),
    ],
)
def test_what_only_sounds_like_a_cancel_never_becomes_one(language: str, text: str) -> None:
    decision = judged(text, make_order(), language=language)
    assert not (decision.action == "draft" and "cancel" in decision.situation), decision.reasons


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "注文した商品はいつ届きますか？"),
        ("ja", "まだ届いていないのですが、追跡番号を教えてください。"),
        ("en", "Where is my order? Has it been shipped yet?"),
        ("zh", "请问我的订单什么时候发货？"),
    ],
)
def test_where_is_it_is_answered_by_the_orders_state(language: str, text: str) -> None:
    assert judged(text, make_order(), language=language).template == "where_is_order_unshipped"
    assert judged(text, make_order(status="shipped"), language=language).template == "where_is_order_shipped"


def test_without_one_certain_order_a_person_is_told() -> None:
    text = "注文をキャンセルしてください。"
    two = FoundOrders(of_buyer=(make_order("1042"), make_order("1043")))
    cases = {
        "order_not_found": judged(text),
        "order_ambiguous": judged(text, found=two),
        "several_orders": judged(text, found=FoundOrders(orders=two.of_buyer)),
    }
    for code, decision in cases.items():
        assert decision.action == "hold"
        assert code in {reason.code for reason in decision.reasons}


def test_an_order_named_in_the_quoted_mail_settles_which_of_two() -> None:
    orders = (make_order("1042"), make_order("1043"))
    decision = judged("キャンセルしてください。", found=FoundOrders(of_buyer=orders, quoted=orders[1:]))
    assert decision.order_id == "1043"
    assert decision.action == "draft"


def test_order_data_goes_only_to_its_buyer() -> None:
    stranger = judged(
        "1042をキャンセルしてください。", found=FoundOrders(("1042",), (make_order(buyer_mail="x@y.example"),))
    )
    assert stranger.action == "hold"
    assert stranger.order is None
    forged = judged("キャンセルしてください。", make_order(), trusted=False)
    assert forged.action == "hold"


def test_a_relay_address_speaks_for_its_own_channels_order() -> None:
    order = make_order("249-1234567-1234567", channel="amazon", buyer_mail="")
    sender = Address("", "abc+1@marketplace.amazon.co.jp")
    found = FoundOrders(("249-1234567-1234567",), (order,))
    framed = {"order_id": "249-1234567-1234567"}
    assert judged("いつ届きますか", found=found, channel="amazon", sender=sender, form=framed).action == "draft"
    assert judged("いつ届きますか", found=found, channel="own", sender=sender, form=framed).action == "hold"


GUESSES = [
    "1043をキャンセルしてください。",
    "注文番号 1043 はいつ届きますか？",
    "1043の住所を変更してください。",
    "1043が破損していました。返品したいです。",
    "1043、届きました。ありがとうございました。",
    "249-1234567-1234567をキャンセルしてください。",
]


@pytest.mark.parametrize("text", GUESSES)
@pytest.mark.parametrize("status", ["paid", "shipped", "delivered", "cancelled", "out_of_stock"])
@pytest.mark.parametrize("own", [None, make_order()])
def test_a_guessed_number_is_answered_like_one_that_does_not_exist(text: str, status: str, own: Order | None) -> None:
    """Whether the number is somebody else's order shows in nothing: not in the action, the reasons or the words."""
    asked = ("249-1234567-1234567",) if "249" in text else ()
    number = asked[0] if asked else "1043"
    of_buyer = () if own is None else (own,)
    theirs = make_order(number, status=status, buyer_mail="else@mail.example")
    exists = judged(text, found=FoundOrders(asked, (theirs,), of_buyer))
    unknown = judged(text, found=FoundOrders(asked, (), of_buyer))
    assert exists == unknown


def test_a_guess_beside_an_order_of_ones_own_shows_nothing_either() -> None:
    text = "1042と1043をキャンセルしてください。"
    mine, theirs = make_order("1042"), make_order("1043", buyer_mail="else@mail.example")
    both = judged(text, found=FoundOrders(orders=(mine, theirs), of_buyer=(mine,)))
    assert both == judged(text, found=FoundOrders(orders=(mine,), of_buyer=(mine,)))


def test_answers_to_another_address_go_to_a_person_and_say_why() -> None:
    decision = judged("注文をキャンセルしてください。", make_order(), reply_to=(Address("", "else@mail.example"),))
    assert decision.action == "hold"
    assert decision.reasons[0].code == "reply_to_elsewhere"
    assert decision.order is None


AMAZON_ORDER = "249-1234567-1234567"


def amazon_mail(text: str, *, formal: bool, **order: Any) -> Decision:
    return decide(
        make_message(text, sender=Address("", "abc+1@marketplace.amazon.co.jp"), subject="x"),
        channel=Channel("amazon", is_formal_cancel=formal, official_cancel_columns=("asked",)),
        found=FoundOrders(
            (AMAZON_ORDER,),
            (make_order(AMAZON_ORDER, channel="amazon", buyer_mail="abc@marketplace.amazon.co.jp", **order),),
        ),
        rulebook=default_pack(),
        identity=SHOP,
        now=NOW,
        sender_trusted=True,
    )


def test_a_formal_cancel_request_is_answered_and_a_plain_one_gets_the_steps() -> None:
    """Playbook A5 and A6: only a formal request counts as the buyer's."""
    text = "注文をキャンセルしてください。"
    assert amazon_mail(text, formal=False).template == "cancel_request_steps"
    assert amazon_mail(text, formal=True).template == "cancel_before_ship"
    assert amazon_mail(text, formal=False, extra={"asked": "TRUE"}).template == "cancel_before_ship"
    assert amazon_mail(text, formal=True, status="shipped").template == "cancel_after_ship"


def test_a_formal_request_that_cannot_be_answered_says_what_it_is() -> None:
    decision = amazon_mail("間違えました。", formal=True)
    assert (decision.action, decision.situation) == ("hold", "cancel_before_ship")
    assert decision.reasons[0].code == "official_cancel"


@pytest.mark.parametrize("status", ["cancelled", "unknown"])
def test_an_order_in_an_unsure_state_is_for_a_person(status: str) -> None:
    assert judged("キャンセルしてください。", make_order(status=status)).action == "hold"


def test_two_matters_are_for_a_person() -> None:
    decision = judged("注文をキャンセルしてください。領収書も送ってください。", make_order())
    assert decision.action == "hold"
    assert decision.reasons[0].code == "two_matters"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "届きました。ありがとうございました。"),
        ("en", "It arrived, thank you so much!"),
        ("zh", "东西收到了，谢谢！"),
    ],
)
def test_thanks_want_no_answer(language: str, text: str) -> None:
    decision = judged(text, make_order(status="delivered"), language=language)
    assert (decision.action, decision.situation) == ("silence", "thanks_only")


def test_the_decision_says_why() -> None:
    decision = judged("ホテルではありません。注文をキャンセルしたいです。", make_order())
    assert [(s.text, s.topics) for s in decision.sentences][-1] == ("注文をキャンセルしたいです。", ("cancel",))
    fired = [trace.rule for trace in decision.trace if trace.outcome == "fired"]
    assert fired == [decision.rule]
    assert decision.reasons[0].code == "rule"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "注文番号 9999 をキャンセルしてください。"),
        ("ja", "注文9999をキャンセルしてください。"),
        ("en", "Please cancel order 9999."),
        ("en", "Please cancel my order number 9999, my other order 1042 stays."),
        ("zh", "请取消订单号 9999。"),
        ("zh", "订单9999请取消。"),
    ],
)
def test_an_order_number_nobody_knows_is_not_taken_for_the_buyers_only_order(language: str, text: str) -> None:
    named = tuple(number for number in ("9999", "1042") if number in text)
    by_id = (make_order("1042"),) if "1042" in text else ()
    found = FoundOrders(orders=by_id, of_buyer=(make_order("1042"),), named=named)
    decision = judged(text, found=found, language=language)
    assert decision.action == "hold"
    assert decision.template is None


def test_a_number_of_the_order_itself_is_no_other_order() -> None:
    order = make_order("1042", status="shipped", tracking_no="470128158216", extra={"受注番号": "88001"})
    found = FoundOrders(of_buyer=(order,), named=("470128158216", "88001"))
    assert judged("注文番号88001、いつ届きますか？", found=found).action == "draft"


TWO_ITEMS = (Item("Tetsubin teapot"), Item("Yunomi cup"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Please cancel the teapot."),
        ("en", "Please don't send the teapot from order 1042."),
        ("en", "Please keep the teapot but cancel the two cups."),
    ],
)
def test_a_cancel_of_some_items_is_for_a_person(language: str, text: str) -> None:
    decision = judged(text, make_order(items=TWO_ITEMS), language=language)
    assert decision.action == "hold"
    assert "cancel_part_only" in {reason.code for reason in decision.reasons}


@pytest.mark.parametrize(
    "text", ["Please cancel order 1042.", "Please cancel the teapot and the cup.", "Cancel both please."]
)
def test_a_cancel_of_all_items_is_answered(text: str) -> None:
    assert judged(text, make_order(items=TWO_ITEMS), language="en").action == "draft"


@pytest.mark.parametrize(
    "text",
    [
        "Wrong card by accident, please drop the second charge so I can pay with the other one.",
        "Please reverse the shipping fee.",
        "How do I undo my PayPal payment?",
        "I no longer need the payment slip for 1042.",
        "I will not be able to pay before my salary comes on the 25th.",
        "You mailed me a payment slip twice. I don't need it anymore, I paid at the counter yesterday.",
        "I chose cash on delivery but I don't want this anymore. Can I pay with paypal instead?",
        "There is a duplicate capture on my card, would you kindly void one of the two.",
        "The money for 1042 will come under my husband's name, as I closed my own account. Is the transfer fine like this?",
        "Not needed any longer: the bank details you sent. Needed very much: the teapot.",
    ],
)
def test_what_is_done_to_a_payment_is_no_cancel(text: str) -> None:
    decision = judged(text, make_order(status="unpaid"), language="en")
    assert not (decision.action == "draft" and decision.situation.startswith("cancel"))


@pytest.mark.parametrize(
    "text",
    [
        "You have sent 1042 already I think. Can it be stopped at the post office and go to our next hotel, Aoi in Hakata?",
        "Please recall 1042 from the route to Milan and have it delivered to my sister in Turin.",
    ],
)
def test_what_is_stopped_to_go_elsewhere_is_no_cancel(text: str) -> None:
    decision = judged(text, make_order(status="shipped"), language="en")
    assert not (decision.action == "draft" and decision.situation.startswith("cancel"))


@pytest.mark.parametrize(
    "text",
    [
        "The plates are here and not one broken. Thank you, thank you!",
        "About the refund you offered for the chipped cup: no need, honestly. Keep your money and have a good weekend.",
    ],
)
def test_what_is_whole_or_forgiven_is_no_damage(text: str) -> None:
    assert judged(text, make_order(status="delivered"), language="en").action != "draft"


@pytest.mark.parametrize(
    "text",
    [
        "I think I was a bit silly. Subject: stop payment 1042. Could you stop the order please?",
        "My order went out yesterday I think, but I leave for some weeks. Better if you cancel it. Order 1042.",
        "My bank had a fraud alert on my card this week. Please cancel order 1042, I use another shop.",
    ],
)
def test_what_only_sounds_like_a_threat_or_the_past_is_answered(text: str) -> None:
    decision = judged(text, make_order(status="shipped"), language="en")
    assert (decision.action, decision.situation) == ("draft", "cancel_after_ship")


@pytest.mark.parametrize(
    "text",
    [
        "Dear customer, your parcel could not be delivered due to an unpaid fee of 1.99. Confirm your payment within 24 hours"
        " at the link below or your parcel will be sent back and your order cancelled.",
        "The pickup you requested for 20 November between 9:00 and 12:00 has been cancelled. This mailbox is not monitored.",
    ],
)
def test_what_a_program_or_a_cheat_writes_of_parcels_is_nobody_s_to_read(text: str) -> None:
    assert judged(text, language="en").action == "silence"


def test_a_buyer_who_asks_without_an_order_is_for_a_person() -> None:
    assert judged("Where is my parcel? I ordered a vase two weeks ago.", language="en").action == "hold"


def test_a_threat_that_speaks_of_stars_is_no_sales_pitch() -> None:
    text = "Where's my stuff. If I don't hear back today I'm leaving 1 star reviews everywhere I can find you."
    decision = judged(text, make_order(), language="en")
    assert (decision.action, decision.reasons[0].code) == ("hold", "threat")


def test_a_number_in_the_subject_makes_the_short_request_below_plain() -> None:
    text = "cancel it. dont want it. u guys said 3 days its been 6"
    decision = judged(text, make_order(status="shipped"), subject="1042 CANCEL", language="en")
    assert (decision.action, decision.situation) == ("draft", "cancel_after_ship")


def test_a_payment_undone_with_its_order_is_a_cancel() -> None:
    decision = judged("Please cancel my order and reverse the charge.", make_order(), language="en")
    assert (decision.action, decision.situation) == ("draft", "cancel_before_ship")


@pytest.mark.parametrize(
    "text",
    [
        "I'm not cancelling or anything daft like that, I just need a rough day for 1042 so I can ask next door to listen.",
        "Don't worry, I'm not cancelling! Order 1042 - which date approx. will it be at Cluj?",
    ],
)
def test_who_only_says_that_he_does_not_cancel_is_answered(text: str) -> None:
    assert judged(text, make_order(), language="en").situation == "where_is_order"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "AoA, I had placed order on 17 November."),
        ("en", "Excuse me for my English. I have ordered a vase."),
        ("en", "Dear Sir, I have made an order on 15th inst."),
        ("en", "My grandson helped me to order the vase."),
        ("ja", "先週、娘の引っ越し祝いに花瓶を注文した者です。"),
        ("ja", "お名前：山本 注文番号：1042"),
        ("zh", "你好，我上周给我妈妈买了一个花瓶。"),
        ("zh", "姓名：陳小姐 訂單編號：1042"),
    ],
)
def test_who_only_tells_that_he_ordered_gets_no_reply_on_cancelling(language: str, text: str) -> None:
    decision = judged(text, make_order(), language=language)
    assert not (decision.action == "draft" and decision.situation.startswith("cancel"))


def test_a_question_among_lines_of_a_form_is_not_answered_as_a_cancel() -> None:
    text = "我买的靠垫到哪里了呀\n姓名：郭子涵\n訂單編號：1042"
    decision = judged(text, make_order(status="shipped"), language="zh")
    assert not (decision.action == "draft" and decision.situation.startswith("cancel"))


@pytest.mark.parametrize(
    "text",
    [
        "Ok, I will wait for the refund then. Thanks.",
        "Thank you for confirming the cancellation. I look forward to the refund.",
        "Thanks for letting me know when it will ship.",
    ],
)
def test_an_acknowledgement_is_not_answered(text: str) -> None:
    assert judged(text, make_order(status="cancelled"), language="en").action != "draft"


def test_a_refund_that_is_waited_for_is_answered() -> None:
    decision = judged("I am still waiting for the refund. Thanks", make_order(status="cancelled"), language="en")
    assert decision.action == "draft"
