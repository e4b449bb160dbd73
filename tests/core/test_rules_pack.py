"""A rule pack is taken whole, or every mistake in it is told with its place and the nearest right word."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from responder.core.rules import compile_pack, json_schema
from responder.core.rules.pack import SITUATIONS
from responder.core.rules.shipped import examples, shipped
from responder.core.wording import Catalog
from responder.errors import ConfigError, Mistake
from responder.model import LANGUAGES

PACK = Path(__file__).parents[2] / "rules.toml"


def mistakes(toml: str) -> list[Mistake]:
    with pytest.raises(ConfigError) as caught:
        compile_pack(tomllib.loads(toml), where=lambda key: ("rules.toml", len(key)))
    return list(caught.value.mistakes)


def rule(**changes: Any) -> str:
    lines = {"id": '"a"', "situation": '"other"', "when.asks": '"cancel"', "hold": '"x"'} | changes
    return "[[rule]]\n" + "\n".join(f"{key} = {value}" for key, value in lines.items() if value is not None)


@pytest.mark.parametrize(
    ("toml", "key", "code", "suggestion"),
    [
        (rule(**{"when.asks": '"cancle"'}), "rule[0].when.asks", "topic_unknown", "cancel"),
        (rule(**{"when.acts": '"thraet"'}), "rule[0].when.acts", "act_unknown", "threat"),
        (rule(**{"when.acts": '"cancel conditionel"'}), "rule[0].when.acts", "act_unknown", "conditional"),
        (rule(**{"when.order.status": '"shiped"'}), "rule[0].when.order.status", "status_unknown", "shipped"),
        (rule(**{"when.order.age_day": '">= 7"'}), "rule[0].when.order.age_day", "key_unknown", "age_days"),
        (rule(**{"when.order.age_days": '"seven"'}), "rule[0].when.order.age_days", "comparison_wrong", None),
        (rule(**{"when.time": '"9-18"'}), "rule[0].when.time", "time_wrong", None),
        (rule(**{"when.weekday": '"someday"'}), "rule[0].when.weekday", "weekday_unknown", None),
        (rule(**{"when.says": '"@nothing"'}), "rule[0].when.says", "word_list_unknown", None),
        (rule(**{"when.says": '"(a"'}), "rule[0].when.says", "phrase_brackets", None),
        (rule(**{"when.language": '"jp"'}), "rule[0].when.language", "language_unknown", None),
        (rule(situation='"cancel_befor_ship"'), "rule[0].situation", "situation_wrong", "cancel_before_ship"),
        (rule(situation='"Gift Wrapping"'), "rule[0].situation", "situation_wrong", None),
        (rule(reply='"x"'), "rule[0]", "outcome_not_one", None),
        (rule(hold=None), "rule[0]", "outcome_not_one", None),
        (rule(hold=None, silence="false"), "rule[0].silence", "silence_false", None),
        (rule(priority='"high"'), "rule[0].priority", "type_wrong", None),
        (rule(deadline='"soon"'), "rule[0].deadline", "deadline_wrong", None),
        (rule(covers='["wher"]'), "rule[0].covers", "topic_unknown", "where"),
        (rule(id=None), "rule[0]", "rule_without_id", None),
        (rule(repy='"x"'), "rule[0].repy", "key_unknown", "reply"),
        ("[[rules]]\nid = 'a'", "rules", "key_unknown", "rule"),
        ("[topic.gift.jp]\nasks = ['x']", "topic.gift.jp", "key_unknown", None),
        ("[topic.gift]\nkind = 'wish'", "topic.gift.kind", "topic_kind_unknown", None),
        ("[topic.gift]\nproposed = 40", "topic.gift.proposed", "share_wrong", None),
        ("[words]\na = 3", "words.a", "type_wrong", None),
    ],
)
def test_a_mistake_is_told_in_words_with_its_place(toml: str, key: str, code: str, suggestion: str | None) -> None:
    (only,) = mistakes(toml)
    assert (only.key, only.code) == (key, code)
    assert only.line == len(key)
    assert Catalog.load().has(code)
    if suggestion is not None:
        assert only.suggestion == suggestion


def test_all_mistakes_are_told_at_once_and_name_their_rule() -> None:
    toml = rule(**{"when.asks": '"cancle"'}) + "\n" + rule(**{"when.asks": '"wher"'})
    codes = [(m.code, m.rule) for m in mistakes(toml)]
    assert ("topic_unknown", "a") in codes
    assert ("rule_id_twice", "a") in codes
    assert len(codes) == 3


def test_the_default_pack_names_every_situation_and_its_templates() -> None:
    rulebook = compile_pack(tomllib.loads(PACK.read_text(encoding="utf-8")))
    assert set(rulebook.situations()) == set(SITUATIONS)
    assert "cancel_before_ship" in rulebook.template_names()
    assert all(rule.id and rule.situation for rule in rulebook.rules)


def test_a_shop_adds_words_topics_and_situations() -> None:
    rulebook = compile_pack(
        tomllib.loads(
            """
            [words]
            gift = ["のし", "リボン"]
            [topic.gift.ja]
            asks = ["@gift ... (付け|つけ)"]
            [topic.cancel.ja]
            asks = ["ナシゴレン"]
            [[rule]]
            id = "gift"
            situation = "gift_wrapping"
            when.asks = "gift"
            reply = "gift"
            """
        )
    )
    assert rulebook.situations() == ("gift_wrapping",)
    assert "gift" in rulebook.topics


def test_rules_are_asked_by_priority_then_in_file_order() -> None:
    toml = rule() + "\n" + rule(id='"b"', priority="5") + "\n" + rule(id='"c"', priority="5")
    assert [r.id for r in compile_pack(tomllib.loads(toml)).rules] == ["b", "c", "a"]


def test_the_schema_is_json_and_knows_every_key() -> None:
    schema = json_schema()
    json.dumps(schema)
    keys = set(schema["$defs"]["when"]["properties"])
    assert {"asks", "says", "order", "all", "any", "none", "acts", "weekday"} <= keys


def test_every_file_of_a_language_adds_to_its_examples(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('[where]\nexamples = ["where is it"]\n', encoding="utf-8")
    (tmp_path / "en-more.toml").write_text(
        '[cancel]\nexamples = ["stop it"]\n[where]\nexamples = ["any news"]\n', encoding="utf-8"
    )
    (tmp_path / "ja.toml").write_text('[where]\nexamples = ["いつ届きますか"]\n', encoding="utf-8")
    (tmp_path / "en.txt").write_text("not read", encoding="utf-8")
    assert examples(tmp_path, "en") == {"cancel": ["stop it"], "where": ["any news", "where is it"]}


def test_no_shipped_example_stands_under_two_topics() -> None:
    for language in LANGUAGES:
        topic_of: dict[str, str] = {}
        for topic, table in shipped().topics.items():
            for text in table.get(language, {}).get("examples", ()):
                assert topic_of.setdefault(text.strip().lower(), topic) == topic, text
