"""The letters that the clock writes pass the check before sending, on every channel and in every language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from responder.core.clocks import HOLDING, NUDGE
from responder.core.compose import compose, own_words
from responder.core.proof import Paper, Text
from responder.core.templates import VARIANTS
from responder.model import Address, Decision, Language, Letter, Message, Order
from tests.builders import NOW, SHOP
from tests.core.test_owed import ADDRESSES, channel, order_on, settings


def write(template: str, variant: str, by: str, order: Order | None, name: str = "Hana Tanaka") -> Letter:
    language: Language = variant[:2]
    buyer = replace(Message.blank(language), sender=Address(name, ADDRESSES[by][1]), message_id="<1@mail.example>")
    order_id = order.order_id if order is not None else None
    return compose(
        Decision("draft", template, None, language, by, order=order, order_id=order_id, template=template),
        buyer,
        identity=SHOP,
        shop=settings().shop,
        channel=channel(by),
        templates=settings().templates,
        now=NOW,
        variant=variant,
    )


@pytest.mark.parametrize("template", [HOLDING, NUDGE])
@pytest.mark.parametrize("variant", VARIANTS)
def test_they_are_whole_and_allowed_on_every_channel(template: str, variant: str) -> None:
    for by in ADDRESSES:
        for status in ("paid", "shipped", "cancelled"):
            order = order_on(by, variant, status=status)
            letter = write(template, variant, by, order)
            words = own_words(letter.text)
            paper = Paper(channel(by), letter.language, order, order.order_id, settings().shop.name, "", words)
            assert settings().proofreader.read(Text(letter.subject, words), paper) == (), (by, words)
            assert letter.blanks == ()
            assert order.order_id in letter.subject
            assert order.order_id in words


@pytest.mark.parametrize("template", [HOLDING, NUDGE])
@pytest.mark.parametrize("variant", VARIANTS)
def test_without_an_order_they_name_none_and_stay_whole(template: str, variant: str) -> None:
    letter = write(template, variant, "own", None, name="")
    words = own_words(letter.text)
    paper = Paper(channel("own"), letter.language, None, None, settings().shop.name, "", words)
    assert settings().proofreader.read(Text(letter.subject, words), paper) == (), words
    assert letter.blanks == ()
    assert "\n\n\n" not in letter.text
    assert "None" not in letter.subject + letter.text
    assert set(letter.facts) <= {"is_shipped"}


def test_a_holding_reply_names_a_day_that_counts_the_shops_days_off() -> None:
    """NOW is a Friday before a holiday: two business days later is Wednesday."""
    letter = write(HOLDING, "ja", "own", None)
    assert "11月25日（水）までに" in letter.text
    assert letter.valid_until is not None
    assert letter.valid_until.isoformat() == "2026-11-26T00:00:00+09:00"


def test_they_differ_in_each_language() -> None:
    for template in (HOLDING, NUDGE):
        assert len({write(template, variant, "own", None).subject for variant in VARIANTS}) == len(VARIANTS)
