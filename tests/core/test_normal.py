"""Text is compared in one form, and order numbers come through unharmed."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.core.normal import fold, normalise


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ｷｬﾝｾﾙ", "キャンセル"),
        ("Ｎｏ．１０４２", "no.1042"),
        ("249−1234567‐1234567", "249-1234567-1234567"),
        ("312045ー20261118ー0412345678", "312045-20261118-0412345678"),
        ("メール", "メール"),
        ("can\u200bcel\u202e", "cancel"),
        ("㈱みなと", "(株)みなと"),
    ],
)
def test_widths_dashes_and_unseen_marks_are_folded(written: str, normal: str) -> None:
    assert normalise(written) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("キャンセル", "きゃんせる"),
        ("キヤンセル", "ｷｬﾝｾﾙ"),
        ("取消訂單", "取消订单"),
        ("キャンセル 、お願い", "キャンセルお願い"),
    ],
)
def test_spellings_of_one_word_meet(one: str, other: str) -> None:
    assert fold(one, kana=True) == fold(other, kana=True)


def test_a_comma_still_parts_chinese_words() -> None:
    assert fold("不要，取消订单") != fold("不要取消订单")
    assert fold("不要 取消订单") == fold("不要，取消订单")


def test_latin_words_stand_between_blanks() -> None:
    assert fold("注文1042をcancelしてください", kana=True) == " 注文 1042 を cancel してください "
    assert fold("I don't want it, thanks!") == " i dont want it , thanks "


@given(st.from_regex(r"[0-9]{1,4}(-[0-9]{4,10}){0,3}", fullmatch=True), st.text(max_size=30))
def test_an_order_number_keeps_its_digits(number: str, around: str) -> None:
    wide = number.translate({ord(c): chr(ord(c) + 0xFEE0) for c in "0123456789"})
    for written in (number, wide):
        assert number in normalise(f"{around}\n{written}\n{around}")


@given(st.text())
def test_nothing_raises_and_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert unicodedata.normalize("NFKC", once).casefold() is not None
    assert re.sub(r"[^0-9]", "", normalise(once)) == re.sub(r"[^0-9]", "", once)
    assert fold(text).startswith(" ")
