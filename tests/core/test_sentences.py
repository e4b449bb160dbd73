"""Sentences are found in wrapped, unpunctuated and mixed text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.core.sentences import MAX_SENTENCE_CHARS, language_of, speech, split


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("届きました。ありがとう！また買います", ["届きました。", "ありがとう！", "また買います"]),
        ("Order no. 1042 is late. Where is it?", ["Order no. 1042 is late.", "Where is it?"]),
        ("I ordered\nthe wrong size", ["I ordered the wrong size"]),
        ("先日注文した商品ですが\nまだ届いておりません", ["先日注文した商品ですがまだ届いておりません"]),
        ("キャンセルしたいです\n注文番号1042", ["キャンセルしたいです", "注文番号1042"]),
        ("Hi,\n\nplease cancel 1042.\n\nBob", ["Hi,", "please cancel 1042.", "Bob"]),
        ("It costs 12.50 in all.", ["It costs 12.50 in all."]),
        ("Order no. 1042. So, no. Please cancel.", ["Order no. 1042.", "So, no.", "Please cancel."]),
        ("- cancel 1042\n- keep 1043", ["- cancel 1042", "- keep 1043"]),
        ("", []),
        ("---\n***", []),
        ("订单帮我取消，另外发票还没给我", ["订单帮我取消，", "另外发票还没给我"]),
        ("取消这单，另外那单照常发货", ["取消这单，另外那单照常发货"]),
    ],
)
def test_sentences_are_what_a_reader_sees(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


def test_the_language_of_a_sentence_follows_its_script() -> None:
    assert language_of("キャンセル please", "en") == "ja"
    assert language_of("Please issue a 領収書 addressed to my university", "en") == "en"
    assert language_of("返品希望", "ja") == "ja"
    assert language_of("取消订单", "zh") == "zh"
    assert language_of("取消订单", "en") == "zh"
    assert language_of("cancel", "ja") == "en"


def test_a_sentence_of_a_chinese_mail_may_borrow_japanese_words() -> None:
    assert language_of("还没去付，就先キャンセル吧", "zh") == "zh"
    assert language_of("请问是ヤマト还是佐川啊", "zh") == "zh"
    assert language_of("もう発送済みなのは分かっています", "zh") == "ja"
    assert language_of("キャンセルをお願いします", "zh") == "ja"
    assert language_of("先キャンセル吧", "ja") == "ja"


def test_every_act_has_markers_in_each_language_it_names() -> None:
    assert {"request", "negated", "withdrawn", "conditional", "policy_question", "past", "thanks", "threat"} <= {
        act.name for act in speech()
    }
    assert all(act.phrases for act in speech())


@given(st.text(max_size=4000))
def test_no_text_raises_and_no_sentence_is_endless(text: str) -> None:
    assert all(len(sentence) <= MAX_SENTENCE_CHARS for sentence in split(text))


def test_who_writes_no_commas_ends_his_sentences_with_blanks() -> None:
    assert split("家里真的放不下这张桌子 订单取消掉好吗") == ["家里真的放不下这张桌子", "订单取消掉好吗"]
    assert split("不要了 取消") == ["不要了 取消"]
    assert split("家里放不下这张桌子，真的 麻烦取消这个订单") == ["家里放不下这张桌子，真的 麻烦取消这个订单"]
    assert max(map(len, split("取消订单谢谢" * 2000 + " " + "取消订单谢谢" * 2000))) <= MAX_SENTENCE_CHARS
