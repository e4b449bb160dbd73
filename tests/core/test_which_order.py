"""A mail that names several orders of its buyer is about one of them only where it says that the others stay."""

from __future__ import annotations

import pytest

from responder.core.decide import FoundOrders
from tests.builders import make_order
from tests.core.test_decide import judged

FIRST = make_order(order_id="4501")
SECOND = make_order(order_id="4502")
BOTH = FoundOrders(orders=(FIRST, SECOND), of_buyer=(FIRST, SECOND))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I pressed the button twice. 4501 is the right one, so please cancel 4502."),
        ("en", "Could you cancel order 4502 please, keep the other 4501"),
        ("en", "The page hung, so now there are 4501 and 4502, identical. Please cancel 4502."),
        ("en", "Do not cancel 4501. Please cancel 4502."),
        ("ja", "二重に注文してしまいました。4502をキャンセルしてください。4501はそのままで大丈夫です。"),
        ("zh", "卡了一下下了两单。4502请取消,4501照常发货。"),
        ("en", "It froze and I have two orders now. Would you kindly cancel 4502 and leave 4501 as it stands?"),
        (
            "ja",
            "4501と4502、まったく同じ注文が二回通りました。4502の注文を取り消していただき、最初のほうはそのまま送ってください。",
        ),
        (
            "ja",
            "二回押してしまい、4501と4502は同じものです。後ろの番号(4502)だけ消してもらえますか。4501は予定どおりで。",
        ),
        ("zh", "卡了又点了一次,生成了4501和4502两个单子。4501照常发就好,4502麻烦取消一下"),
    ],
)
def test_the_order_that_is_not_kept_is_meant(language: str, text: str) -> None:
    decision = judged(text, found=BOTH, language=language)
    assert decision.order_id == "4502"
    assert (decision.action, decision.situation) == ("draft", "cancel_before_ship")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Please cancel 4501 and 4502."),
        ("en", "Please cancel 4501 or 4502, whichever is not packed yet, and keep the rest."),
        ("en", "I ordered twice. Please do not keep 4501. Cancel 4502."),
        ("en", "Please cancel 4502. And where is 4501?"),
        ("en", "4501 arrived yesterday and burned my son. Please cancel 4502."),
        ("en", "4501 arrived with a crack. Please cancel 4502."),
        ("en", "Please cancel 4502. If 4501 has not been sent by Friday, keep it."),
        ("en", "Please cancel 4502 and leave 4501 as it is, but could you send 4501 to my office?"),
        ("en", "I ordered twice, 4501 and 4502. Please cancel one."),
        ("ja", "4502をキャンセルしてください。4501はいつ届きますか。"),
        ("ja", "二回押してしまい、4501と4502があります。4502だけ取り消すか、最初のほうを取り消すかお任せします。"),
        ("en", "The card was charged twice, for 4501 and 4502. Please check."),
        ("zh", "4502请取消,4501请改寄到公司。"),
    ],
)
def test_anything_less_plain_is_for_a_person(language: str, text: str) -> None:
    assert judged(text, found=BOTH, language=language).action == "hold"


def test_an_order_of_somebody_else_beside_his_own_is_for_a_person() -> None:
    strange = FoundOrders(asked=("4501", "4502"), orders=(SECOND,), of_buyer=(SECOND,))
    assert judged("4501 is the right one, please cancel 4502.", found=strange, language="en").action == "hold"
