"""What a text looks like by examples: odds that add up, and certainty that grows with what was read."""

from __future__ import annotations

import pytest

from responder.core.rules.examples import Proposer

EXAMPLES = [
    ("where", "where is my parcel"),
    ("where", "has my parcel been sent"),
    ("where", "when will my parcel be here"),
    ("receipt", "please send a receipt with the parcel"),
    ("receipt", "a receipt for the tax office please"),
    ("thanks", "it came today and is lovely"),
]


def shares(text: str) -> dict[str, float]:
    leaning = Proposer(EXAMPLES, "en").lean(text)
    assert leaning is not None
    return dict(leaning.shares)


def test_the_shares_of_all_topics_add_up() -> None:
    assert sum(shares("where is the receipt").values()) == pytest.approx(1)


def test_a_piece_speaks_for_the_topic_that_has_it_more_often() -> None:
    found = shares("parcel")
    assert found["where"] > found["receipt"] > found["thanks"]


def test_who_says_the_same_at_length_is_surer_to_mean_it() -> None:
    few, many = shares("the receipt")["receipt"], shares("please send a receipt for the tax office")["receipt"]
    assert 1 / 3 < few < many


def test_a_text_without_a_known_piece_looks_like_nothing() -> None:
    assert Proposer(EXAMPLES, "en").lean("zzzzz") is None


def test_one_topic_alone_is_no_choice() -> None:
    assert Proposer(EXAMPLES[:3], "en").lean("where is my parcel") is None


def test_the_nearest_example_is_told_as_written() -> None:
    leaning = Proposer(EXAMPLES, "en").lean("the receipt for the tax office")
    assert leaning is not None
    assert leaning.nearest("receipt") == "a receipt for the tax office please"
