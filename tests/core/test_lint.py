"""Rules that can never decide are told with proof only: a rule that may fire on some mail is never named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from responder.config import default_pack_dir
from responder.core.mime import read
from responder.core.rules import compile_pack
from responder.core.rules.lint import lint
from responder.core.rules.too_common import too_common
from responder.model import Message

CHANNELS = {"own", "amazon", "rakuten"}
HEAD = 'id = "{id}"\nsituation = "gift_wrapping"\nhold = "for_a_person"\n'


def warned(*whens: str, extra: str = "") -> list[tuple[str, str]]:
    """The rule and code of each warning, for rules with these `when` (and `unless`) lines."""
    rules = "\n".join(f"[[rule]]\n{HEAD.format(id=f'r{i}')}{when}\n" for i, when in enumerate(whens))
    data = tomllib.loads(rules + extra)
    return [(w.rule or w.key, w.code) for w in lint(compile_pack(data), data, CHANNELS)]


def test_the_shipped_rules_have_nothing_to_tell() -> None:
    data = tomllib.loads((default_pack_dir() / "rules.toml").read_text(encoding="utf-8"))
    channels = {path.stem for path in Path("responder/data/channels").glob("*.toml")} | CHANNELS
    assert lint(compile_pack(data), data, channels) == ()


SHADOWED = [
    ('when.asks = "cancel"', 'when.asks = "cancel"'),
    ('when.asks = ["cancel", "return"]', 'when.asks = "return"\nwhen.order.found = true'),
    ('when.mentions = "cancel"', 'when.asks = "cancel"'),
    ('when.mentions = "cancel"', 'when.acts = "cancel negated"'),
    ('when.asks = "cancel"\nwhen.order.before_shipping = true', 'when.asks = "cancel"\nwhen.order.status = ["paid", "unpaid"]'),
    ('when.order.age_days = ">= 3"', 'when.order.age_days = ">= 7"'),
    ('when.order.days_since_promised = ">= 0"', 'when.order.overdue = true'),
    ('when.says = ["ギフト", "gift"]', 'when.says = "gift"'),
    ('when.any = [{ asks = "cancel" }, { asks = "return" }]', 'when.asks = "cancel"'),
    ('when.asks = "cancel"', 'when.any = [{ asks = "cancel", language = "ja" }, { asks = "cancel", language = "en" }]'),
    ('when.asks = "cancel"\nunless.language = "zh"', 'when.asks = "cancel"\nwhen.language = ["ja", "en"]'),
    ('when.asks = "cancel"\nunless.asks = "return"', 'when.asks = "cancel"\nunless.asks = ["return", "damage"]'),
    ('when.none = [{ asks = "return" }]', 'when.none = [{ asks = ["return", "damage"] }]'),
]  # fmt: skip


@pytest.mark.parametrize(("first", "later"), SHADOWED)
def test_a_rule_behind_one_that_takes_all_its_mails_is_told(first: str, later: str) -> None:
    assert warned(first, later) == [("r1", "rule_never_shadowed")]


NOT_SHADOWED = [
    ('when.asks = "return"', 'when.asks = ["cancel", "return"]'),
    ('when.asks = "cancel"\nwhen.order.found = true', 'when.asks = "cancel"'),
    ('when.asks = "cancel"', 'when.mentions = "cancel"'),
    ('when.asks = "cancel"\nunless.asks = "return"', 'when.asks = "cancel"'),
    ('when.asks = "cancel"\nunless.asks = ["return", "damage"]', 'when.asks = "cancel"\nunless.asks = "return"'),
    ('when.order.age_days = ">= 7"', 'when.order.age_days = ">= 3"'),
    ('when.order.age_days = "> 3"', 'when.order.age_days = ">= 3"'),
    ('when.says = "gift"', 'when.says = ["ギフト", "gift"]'),
    ('when.says = "gift"', 'when.says = "gift"\nwhen.scope = "whole"'),
    ('when.order.status = "paid"', 'when.order.before_shipping = true'),
    ('when.order.found = true', 'when.order.status = "paid"'),
    ('when.order.has = ["eta", "carrier"]', 'when.order.has = "eta"'),
    ('when.acts = "negated"', 'when.acts = "cancel negated"'),
]  # fmt: skip


@pytest.mark.parametrize(("first", "later"), NOT_SHADOWED)
def test_a_rule_that_may_still_decide_is_not_told(first: str, later: str) -> None:
    assert warned(first, later) == []


def test_priority_counts_not_the_place_in_the_file() -> None:
    assert warned('when.asks = "cancel"', 'when.asks = "cancel"\npriority = 5') == [("r0", "rule_never_shadowed")]


@pytest.mark.parametrize(
    "when",
    [
        'when.order.status = "paid"\nwhen.order.after_shipping = true',
        "when.order.found = true\nwhen.all = [{ order.found = false }]",
        'when.order.age_days = "> 7"\nwhen.all = [{ order.age_days = "< 3" }]',
        'when.order.overdue = true\nwhen.order.days_since_promised = "<= 0"',
        'when.language = "ja"\nwhen.any = [{ language = "en" }, { language = "zh" }]',
        'when.asks = "cancel"\nwhen.none = [{ mentions = "cancel" }]',
        'when.order.has = "eta"\nwhen.order.lacks = "eta"',
    ],
)
def test_conditions_that_exclude_each_other_are_told(when: str) -> None:
    assert warned(when) == [("r0", "rule_never_contradiction")]


@pytest.mark.parametrize(
    "when",
    [
        'when.order.status = "unpaid"\nwhen.order.before_shipping = true',
        'when.asks = "cancel"\nwhen.acts = "cancel negated"',
        'when.order.age_days = ">= 3"\nwhen.all = [{ order.age_days = "<= 3" }]',
        'when.language = "ja"\nwhen.any = [{ language = "ja" }, { language = "zh" }]',
        'when.order.paid = false\nwhen.order.status = "paid"',
    ],
)
def test_conditions_that_may_hold_together_are_not_told(when: str) -> None:
    assert warned(when) == []


def test_an_unless_that_takes_everything_away_is_told() -> None:
    assert warned('when.asks = "cancel"\nunless.mentions = ["cancel", "return"]') == [("r0", "rule_never_vetoed")]


def test_words_that_name_nothing_are_told_with_the_nearest_word() -> None:
    data = tomllib.loads(f'[[rule]]\n{HEAD.format(id="a")}when.channel = "amazn"\n')
    (told,) = lint(compile_pack(data), data, CHANNELS)
    assert (told.code, told.suggestion, dict(told.args)["name"]) == ("rule_channel_unknown", "amazon", "amazn")
    assert warned('when.acts = "cancel thanks"') == [("r0", "rule_act_never")]
    assert warned('when.asks = "gift"', extra="[topic.gift]\nkind = 'request'") == [("topic.gift", "rule_topic_empty")]
    assert warned('when.asks = "gift"', extra="[topic.gift.ja]\nasks = ['ギフト包装']") == []


def mail(text: str) -> Message:
    head = "From: <a@mail.example>\r\nTo: <shop@example.jp>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    return read(f"{head}{text}\r\n".encode())


COMMON = """
[words]
wrap = ["ラッピング", "のし"]
[topic.gift.ja]
asks = ["注文", "@wrap ... お願い"]
[topic.gift.en]
asks = ["my order"]
[[rule]]
id = "a"
situation = "gift_wrapping"
hold = "for_a_person"
when.any = [{ says = ["返品", "領収書"] }, { asks = "gift" }]
"""


def test_phrases_in_too_many_mails_of_their_language_are_told() -> None:
    mails = [mail("注文した商品が届きません。")] * 4 + [mail("領収書をお願いします。")] * 6
    mails += [mail("Where is my order?")] * 2 + [mail("ラッピングをお願いします。")]
    told = too_common(tomllib.loads(COMMON), mails)
    assert [(w.key, dict(w.args)["phrase"], dict(w.args)["hits"], w.rule) for w in told] == [
        ("topic.gift.ja.asks[0]", "注文", "4", None),
        ("rule[0].when.any[0].says", "領収書", "6", "a"),
    ]


def test_no_mails_prove_nothing() -> None:
    assert too_common(tomllib.loads(COMMON), []) == ()
    assert too_common({}, [mail("注文")] * 5) == ()
