"""The language of a mail, above all of short ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.core.language import guess
from responder.model import LANGUAGES, Language

SURE: list[tuple[Language, str]] = [
    ("ja", "返品希望"),
    ("ja", "注文取消希望"),
    ("ja", "領収書希望"),
    ("ja", "注文取消"),
    ("ja", "至急連絡希望"),
    ("ja", "住所変更依頼"),
    ("ja", "商品未着"),
    ("ja", "配達日変更希望 十二月一日"),
    ("ja", "会社名義 領収書 宛名 山田商事"),
    ("ja", "在庫確認"),
    ("ja", "東京都渋谷区"),
    ("ja", "キャンセル"),
    ("ja", "ｷｬﾝｾﾙ"),
    ("ja", "きゃんせるで"),
    ("ja", "iPhone caseの注文をcancelしたい"),
    ("ja", "MUG-01はまだですか"),
    ("ja", "https://shop.example/item/1042 これの在庫は？"),
    ("ja", "kyanseru shitai desu"),
    ("ja", "注文番号 1042 返金希望"),
    ("zh", "取消订单"),
    ("zh", "取消訂單"),
    ("zh", "我想取消「みなと雑貨店」的订单"),
    ("zh", "請問什麼時候發貨"),
    ("zh", "请问什么时候发货"),
    ("zh", "退款"),
    ("zh", "你好"),
    ("zh", "谢谢"),
    ("zh", "謝謝"),
    ("zh", "尽快发货"),
    ("zh", "缺貨"),
    ("zh", "我要退貨，商品壞了"),
    ("zh", "订单 1042 还没收到"),
    ("zh", "催货"),
    ("zh", "iPhone 手机壳有货吗"),
    ("en", "Cancel order 1042 pls"),
    ("en", "tracking?"),
    ("en", "Hello"),
    ("en", "Where is it"),
    ("en", "My order of 波佐見焼のマグカップ has not arrived yet"),
    ("en", "Thank you みなと雑貨店!"),
    ("en", "refund please, order 注文 1042"),
    ("en", "I don't want it any more"),
]


@pytest.mark.parametrize("default", LANGUAGES)
@pytest.mark.parametrize(("language", "text"), SURE)
def test_the_text_decides(language: Language, text: str, default: Language) -> None:
    assert guess(text, default) == language


@pytest.mark.parametrize("default", LANGUAGES)
@pytest.mark.parametrize("text", ["", "1042", "OK", "#1042", "https://shop.example/x", "a@mail.example", "!!", "ok"])
def test_the_default_decides_where_the_text_is_silent(text: str, default: Language) -> None:
    assert guess(text, default) == default


def test_undecided_kanji_are_chinese_for_an_english_shop() -> None:
    assert guess("天地人", "en") == "zh"
    assert guess("天地人", "ja") == "ja"


@given(st.text(max_size=200))
def test_any_text_has_a_language(text: str) -> None:
    assert guess(text, "ja") in LANGUAGES
