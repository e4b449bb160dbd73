"""A mail that a doubt holds is weighed once more; what may never be outweighed is not."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from responder.core.facts import load
from responder.core.rules import Case, Rulebook
from responder.core.rules.evidence import Scales, Weights, read_scales
from responder.core.rules.signs import log_odds, signs_of
from responder.core.wording import MESSAGES
from responder.errors import ConfigError
from responder.model import Decision, Order
from tests.builders import NOW, make_message, make_order
from tests.core.test_rules_judge import judged
from tests.core.test_shipped_rules import default_pack

# Doubted: it speaks of a part of the order.
DOUBTED = "Please cancel order 1042. The rest of the order is fine with my sister, she says, whatever that means."
STORY = "If my sister had asked me first I would not have ordered it. We moved in with my mother, who has two of everything."


def weighing(**changes: Any) -> Rulebook:
    """The shipped rules with scales of our own: everything speaks for the topics named."""
    topics = changes.pop("topics", {"cancel": Weights(0.5, 5.0, {})})
    shipped = default_pack().scales
    return replace(default_pack(), scales=replace(Scales(shipped.held, 0.0, 0.0, topics), **changes))


def decided(rules: Rulebook, text: str, order: Order | None) -> Decision:
    message = make_message(language="en", subject="", new_text=text, text=text)
    reading = rules.read(message, [i.name for i in order.items], order.order_id) if order else rules.read(message)
    return judged(rules, message, order, reading=reading)


def order_1042() -> Order:
    return make_order(order_id="1042", status="paid")


def test_what_is_held_is_drafted_if_all_signs_speak_for_it_and_says_so() -> None:
    held = decided(weighing(topics={}), DOUBTED, order_1042())
    assert (held.action, held.reasons[0].code) == ("hold", "cancel_part_only")
    draft = decided(weighing(), DOUBTED, order_1042())
    assert (draft.action, draft.situation) == ("draft", "cancel_before_ship")
    assert draft.template is not None
    codes = [reason.code for reason in draft.reasons]
    assert codes[-2:] == ["weighed_together", "cancel_part_only"]
    assert ("percent", "99") in draft.reasons[-2].args
    # Staff are shown the sentence that looks most like it, not the first one.
    greeted = decided(weighing(), f"Good morning to all of you at the shop. {DOUBTED}", order_1042())
    asks = next(reason for reason in greeted.reasons if reason.code == "asks_like")
    assert dict(asks.args)["sentence"] == "Please cancel order 1042."


def test_the_order_decides_what_is_answered() -> None:
    assert decided(weighing(), DOUBTED, replace(order_1042(), status="shipped")).situation == "cancel_after_ship"


@pytest.mark.parametrize(
    "rules",
    [
        weighing(topics={"cancel": Weights(0.5, -5.0, {})}),
        weighing(topics={"cancel": Weights(0.999, 5.0, {})}),
        # A shop has taken the line `doubt = true` away from its rules.
        replace(weighing(), rules=tuple(replace(rule, doubt=False) for rule in default_pack().rules)),
        weighing(least=1.0, told=1.0),
        # Two matters that are both likely are for a person.
        weighing(topics={"cancel": Weights(0.5, 5.0, {}), "where": Weights(0.5, 5.0, {})}),
        weighing(topics={"no-such-topic": Weights(0.5, 5.0, {})}),
    ],
)
def test_what_does_not_weigh_enough_stays_held(rules: Rulebook) -> None:
    assert decided(rules, DOUBTED, order_1042()).action == "hold"


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("Please cancel 1042, the charger caught fire and my hand is burned.", "delivered", "safety"),
        ("Cancel 1042 now or you will hear from my lawyer and the police.", "paid", "threat"),
        # Who waits for the goods gives nothing up, whatever the sum says.
        ("Should I cancel it, my sister asks. I am looking forward to my bowls.", "paid", "cancel_conditional"),
    ],
)
def test_danger_threats_and_waiting_for_the_goods_are_never_outweighed(text: str, status: str, code: str) -> None:
    decision = decided(weighing(), text, replace(order_1042(), status=status))
    assert (decision.action, decision.reasons[0].code) == ("hold", code)


def test_no_order_no_draft() -> None:
    assert decided(weighing(), DOUBTED, None).action == "hold"
    assert decided(weighing(), DOUBTED, make_order(order_id="1042", status="cancelled")).action == "hold"


def test_who_only_tells_must_speak_of_it_more_than_of_anything_else() -> None:
    rules = weighing(least=0.0, told=1.0)
    assert decided(weighing(), STORY, order_1042()).action == "draft"
    assert decided(rules, STORY, order_1042()).action == "hold"


def test_signs_are_what_the_mail_shows() -> None:
    rules, text = default_pack(), "I do not want it any more. Please cancel order 1042! Where can I see that?"
    message = make_message(language="en", subject="", new_text=text, text=text)
    reading = rules.read(message, ["cup"], "1042")
    leaning = rules.reader.lean(reading)
    assert leaning is not None
    case = Case(message, reading, "own", NOW, order_1042())
    signs = signs_of(case, {"cancel", "unwanted"}, "two_matters", leaning, rules.reader)
    assert signs["said asked"] == 2
    assert signs["said of the order"] == 2
    assert signs["act request"] == 1
    assert signs["held two_matters"] == 1
    assert signs["in en"] == 1
    assert signs["like"] == signs["like (en)"] == pytest.approx(log_odds(leaning.share_of({"cancel", "unwanted"})))
    assert {"shipped", "unpaid", "of a part", "no wish"}.isdisjoint(signs)
    assert log_odds(0.5) == 0
    assert -7 < log_odds(0.0) < log_odds(0.3) < log_odds(1.0) < 7


def test_the_shipped_weights_name_reasons_and_topics_that_exist() -> None:
    scales = read_scales(load("evidence"))
    words = tomllib.loads((MESSAGES / "en.toml").read_text(encoding="utf-8"))["reason"]
    assert {code for code in scales.held if code not in words} == set()
    doubts = {rule.hold for rule in default_pack().rules if rule.doubt}
    assert not {"threat", "safety", "cancel_withdrawn", "b2b_inquiry"} & (scales.held | doubts)
    for topic, weights in scales.topics.items():
        assert topic in default_pack().topics
        assert 0.8 <= weights.needed < 1
        assert weights.signs["like"] > 0
        held = {sign.removeprefix("held ") for sign in weights.signs if sign.startswith("held ")}
        assert held <= set(words)


@pytest.mark.parametrize(
    ("changes", "key", "code"),
    [
        ({"least": "much"}, "least", "type_wrong"),
        ({"held": 3}, "held", "type_wrong"),
        ({"topc": {}}, "topc", "key_unknown"),
        (
            {"topic": {"cancel": {"needed": 0.8, "base": 0, "signs": {"like": "much"}}}},
            "topic.cancel.signs.like",
            "type_wrong",
        ),
        ({"topic": {"cancel": {"needed": 0.8, "signs": {}}}}, "topic.cancel.base", "type_wrong"),
    ],
)
def test_a_wrong_weight_is_told_with_its_key(changes: Mapping[str, Any], key: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_scales({**load("evidence"), **changes})
    assert (key, code) in [(mistake.key, mistake.code) for mistake in caught.value.mistakes]
