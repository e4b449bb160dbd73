"""The phrase language, and the matcher that finds thousands of phrases in one pass."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.core.normal import fold
from responder.core.rules.phrases import Matcher, PhraseError, parse
from responder.core.rules.spelling import Spelling
from responder.model import Language

WORDS = {"order": ["注文", "オーダー"], "cancel": ["キャンセル", "取り消し"]}


def found(phrase: str, text: str, language: Language = "ja") -> bool:
    matcher = Matcher()
    matcher.add(parse(phrase, WORDS, language))
    return bool(matcher.ready().scan([fold(text, kana=language == "ja")], [text])[0])


@pytest.mark.parametrize(
    ("phrase", "text", "language"),
    [
        ("キャンセルしたい", "きゃんせるしたいです", "ja"),
        ("いつ ... 届", "いつごろ手元に届きますか", "ja"),
        ("@order ... @cancel", "オーダーの件ですが取り消しで", "ja"),
        ("@cancelして", "キャンセルして", "ja"),
        ("(止め|とめ)て", "とめてください", "ja"),
        ("キャンセル(を|)お願い", "キャンセルお願いします", "ja"),
        ("まだ、届かない", "まだ 届かない", "ja"),
        ("cancel my order", "Please CANCEL my order!", "en"),
        ("cancel* order", "cancelling order 1042", "en"),
        ("1* can go", "1042-77 can go", "en"),
        ("cancel (my|the|) order", "cancel order", "en"),
        ("dont want", "I don't want it", "en"),
        ("^where", "Where is it", "en"),
        ("update$", "any update", "en"),
        ("取消订单", "請取消訂單", "zh"),
        ("不买(了|，)", "那我不買，退款", "zh"),
        ("，那(算|就算)", "太晚了，那就算了", "zh"),
        ("取消(1*|2*)", "取消1042", "zh"),
        ("1*(请|)取消", "把1042取消", "zh"),
        ("re:[0-9]{4}号", "1042号", "zh"),
        ("(a|b)(c|d)* e", "bdx e", "en"),
    ],
)
def test_a_phrase_is_found_however_it_is_written(phrase: str, text: str, language: Language) -> None:
    assert found(phrase, text, language)


@pytest.mark.parametrize(
    ("phrase", "text", "language"),
    [
        ("cancel", "cancellation", "en"),
        ("order", "border", "en"),
        ("^where", "and where", "en"),
        ("update$", "update me please", "en"),
        ("いつ ... 届", "届きました。いつも", "ja"),
        ("cancel* order", "cancel the border order", "en"),
        ("不要取消", "不要，取消", "zh"),
        ("不买(了|，)", "不買單", "zh"),
        ("，那(算|就算)", "那就算了", "zh"),
        ("1*取消", "1042的取消", "zh"),
    ],
)
def test_a_phrase_is_not_found_in_something_else(phrase: str, text: str, language: Language) -> None:
    assert not found(phrase, text, language)


@pytest.mark.parametrize(
    ("phrase", "code"),
    [
        ("", "phrase_empty"),
        ("a ... ", "phrase_empty_part"),
        ("(a|b", "phrase_brackets"),
        ("(a|(b|c))", "phrase_brackets"),
        ("@nothing", "word_list_unknown"),
        ("re:(a", "pattern_wrong"),
        ("re:(?=a)", "pattern_wrong"),
    ],
)
def test_a_phrase_that_cannot_be_read_says_why(phrase: str, code: str) -> None:
    with pytest.raises(PhraseError) as caught:
        parse(phrase, WORDS)
    assert caught.value.code == code


_literals = st.text(alphabet="あいうえabc ", min_size=1, max_size=6).filter(lambda t: bool(t.strip()))


@given(st.lists(_literals, min_size=1, max_size=8), st.text(alphabet="あいうえabc ,", max_size=60))
def test_the_matcher_finds_what_a_plain_search_finds(literals: list[str], text: str) -> None:
    matcher = Matcher()
    numbers = [matcher.add(parse(literal, {}, "ja")) for literal in literals]
    folded = fold(text, kana=True)
    hits = {hit.phrase for hit in matcher.ready().scan([folded], [text])[0]}
    for number, literal in zip(numbers, literals, strict=True):
        (part,) = parse(literal, {}, "ja").parts
        assert (number in hits) == any(each in folded for each in part)


def test_nothing_is_found_inside_a_blocker() -> None:
    matcher = Matcher()
    matcher.add(parse("届", {}, "ja"))
    matcher.block(parse("届け先", {}, "ja"))
    assert matcher.ready().scan([fold("届け先", kana=True), fold("届いた", kana=True)], ["", ""])[0] == []
    assert matcher.scan([fold("届いた", kana=True)], [""])[0] != []


def test_hostile_repetition_is_bounded() -> None:
    matcher = Matcher()
    matcher.add(parse("a ... a ... a ... a ... b", {}, "en"))
    start = time.process_time()
    matcher.ready().scan([fold("a " * 5000)] * 20, ["a " * 5000] * 20)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("cancle", "cancel"),
        ("trackng", "tracking"),
        ("adress", "address"),
        ("recieve", "receive"),
        ("cancell", "cancel"),
        ("oredr", "order"),
        ("ordre", "order"),
    ],
)
def test_one_slip_of_the_finger_is_mended(written: str, meant: str) -> None:
    spelling = Spelling({"cancel", "tracking", "address", "receive", "shipping", "order"}, {"shopping"})
    assert spelling.corrected(f" {written} ") == f" {meant} "


@pytest.mark.parametrize("word", ["shopping", "cart", "order", "dancer", "x"])
def test_other_words_stay(word: str) -> None:
    spelling = Spelling({"cancel", "shipping"}, {"shopping"})
    assert spelling.corrected(f" {word} ") == f" {word} "
