"""The short word that a buyer waits."""

from __future__ import annotations

import pytest

from responder.core.owed.answers import says_wait


@pytest.mark.parametrize(
    "text",
    ["待つ", "「待つ」", "待ちます。よろしくお願いします。", "了解です", "入荷を待ちたいと思います。", "wait", "I'll wait, thank you.", "OK", "Happy to wait!", "等", "我愿意等，谢谢。", "好的", "願意等"],
)  # fmt: skip
def test_who_waits_is_known(text: str) -> None:
    assert says_wait(text)


@pytest.mark.parametrize(
    "text",
    ["", "待てません。", "待つのは難しいのでキャンセルで", "いつまで待てばいいですか", "12月5日までなら待ちます", "もう待ちません", "I can't wait.", "I will wait until Friday.", "wait, what about a refund?", "不等了", "最多等到周五", "ご連絡ありがとうございます。", "キャンセル", "x" * 300],
)  # fmt: skip
def test_whatever_else_is_said_is_for_the_rules_or_a_person(text: str) -> None:
    assert not says_wait(text)
