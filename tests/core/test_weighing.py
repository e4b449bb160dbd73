"""The numbers by which likeness is judged are checked before anything is judged by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from responder.core.facts import load
from responder.core.rules.weighing import read_weighing
from responder.errors import ConfigError


def test_the_shipped_numbers_keep_their_order() -> None:
    weighing = read_weighing(load("weighing"))
    assert weighing.clear < weighing.sure < weighing.certain < weighing.proposal.unasked
    assert weighing.few_pieces < weighing.proposal.at_length.pieces
    assert (
        weighing.proposal.dear.hardly
        < weighing.proposal.dear.wish
        < weighing.proposal.dear.share
        < weighing.proposal.dear.surely
    )
    assert weighing.doubt.own < weighing.doubt.other


@pytest.mark.parametrize(
    ("changes", "key", "code"),
    [
        ({"sure": 1.5}, "sure", "type_wrong"),
        ({"sure": "much"}, "sure", "type_wrong"),
        ({"few_pieces": 1.5}, "few_pieces", "type_wrong"),
        ({"proposal": {"lead": 0.5}}, "proposal.lead", "type_wrong"),
        ({"thanks": 3}, "thanks", "type_wrong"),
        ({"sur": 0.8}, "sur", "key_unknown"),
        ({"doubt": {"begged": {"pieces": 60, "share": 0.4}}}, "doubt.begged.of_mail", "missing_key"),
    ],
)
def test_a_wrong_number_is_told_with_its_key(changes: Mapping[str, Any], key: str, code: str) -> None:
    tables: dict[str, Any] = dict(load("weighing"))
    for name, value in changes.items():
        tables[name] = {**tables[name], **value} if isinstance(value, dict) else value
    with pytest.raises(ConfigError) as caught:
        read_weighing(tables)
    assert (key, code) in [(mistake.key, mistake.code) for mistake in caught.value.mistakes]
