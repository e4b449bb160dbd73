"""The words staff read: complete in three languages, and never a reason to fail."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.core.wording import MESSAGES, Catalog
from responder.errors import Mistake
from responder.model import LANGUAGES, Language, Reason

CATALOG = Catalog.load()


def texts(language: Language) -> dict[str, str]:
    data = tomllib.loads((MESSAGES / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{code}": text for table, entries in data.items() for code, text in entries.items()}


@pytest.mark.parametrize("language", ["ja", "zh"])
def test_three_languages_have_the_same_codes(language: Language) -> None:
    assert texts(language).keys() == texts("en").keys()


@pytest.mark.parametrize("language", ["ja", "zh"])
def test_three_languages_have_the_same_placeholders(language: Language) -> None:
    ours, english = texts(language), texts("en")
    for code in english:
        assert set(re.findall(r"\{(\w+)\}", ours[code])) == set(re.findall(r"\{(\w+)\}", english[code])), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_left_in_another_language(language: Language) -> None:
    for code, text in texts(language).items():
        assert text.strip(), code
        plain = re.sub(r"\{\w+\}", "", text)
        if language == "en":
            assert not re.search("[\u3040-\u30ff\u4e00-\u9fff]", plain), code
        elif language == "zh":
            assert not re.search("[\u3040-\u30ff]", plain), code


def test_staff_are_told_in_words_why_any_shipped_rule_or_doubt_holds_a_mail() -> None:
    root = Path(__file__).parents[2]
    held = {rule["hold"] for rule in tomllib.loads((root / "rules.toml").read_text())["rule"] if "hold" in rule}
    rules = root / "responder" / "core" / "rules"
    for source in rules.glob("*.py"):
        held |= set(re.findall(r'Reason\.of\(\s*"([a-z_]+)"', source.read_text()))
    assert {"looks_like_another", "two_matters", "safety"} <= held
    for language in LANGUAGES:
        assert not {code for code in held if f"reason.{code}" not in texts(language)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_mail_can_look_like_has_a_name(language: Language) -> None:
    kinds = tomllib.loads((MESSAGES.parent / "topics" / "kinds.toml").read_text(encoding="utf-8"))
    assert not {topic for topic in kinds if f"label.topic_{topic}" not in texts(language)}


def test_an_unknown_code_shows_itself_with_its_values() -> None:
    assert CATALOG.text("no_such_code", "ja", order="1042") == "no_such_code（order=1042）"
    assert CATALOG.text("no_such_code", "en") == "no_such_code"


def test_a_missing_value_leaves_its_placeholder_and_does_not_raise() -> None:
    catalog = Catalog({"en": {"reason": {"late": "due {day}, {what.__class__}"}}})
    assert catalog.text("late", "en") == "due {day}, {what.__class__}"


def test_values_bring_no_control_marks_and_no_placeholders_of_their_own() -> None:
    catalog = Catalog({"en": {"reason": {"said": "he said {words}"}}})
    assert catalog.text("said", "en", words="\x1b[31m{words}\u202e") == "he said [31m{words}"


def test_the_language_falls_back_to_english() -> None:
    catalog = Catalog({"en": {"note": {"only_here": "only here"}}})
    assert catalog.text("only_here", "zh") == "only here"


def test_one_code_in_two_tables_is_told_apart_by_the_table() -> None:
    catalog = Catalog({"en": {"reason": {"held": "because"}, "note": {"held": "note"}}})
    assert catalog.reason(Reason.of("held"), "en") == "because"
    assert catalog.text("note.held", "en") == "note"


def test_a_mistake_names_file_line_rule_and_the_nearest_word() -> None:
    mistake = Mistake("rules.toml", 12, "reply", "no_such_template", (("found", "cancle"),), "cancel", "cancel-ja")
    line = CATALOG.mistake(mistake, "en")
    assert line.startswith('rules.toml:12: rule "cancel-ja" reply: ')
    assert line.endswith('Did you mean "cancel"?')


def test_values_that_are_codes_are_told_in_words() -> None:
    held = CATALOG.text("held_subject", "ja", situation="cancel_before_ship", order="1042")
    assert held == "ご対応をお願いします: キャンセルの依頼（発送前）（注文 1042）"
    assert CATALOG.reason(Reason.of("two_matters", topics="cancel, address"), "en").endswith(
        "cancelling, a change of address"
    )
    changed = Reason.of("fact_changed", name="is_shipped", before="no", now="yes")
    assert CATALOG.reason(changed, "ja").endswith("発送したか:「いいえ」→「はい」")


def test_unreadable_files_give_an_empty_catalog(tmp_path: Path) -> None:
    (tmp_path / "ja.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "en.toml").write_text("[reason\n")
    assert Catalog.load(tmp_path).text("anything", "ja") == "anything"


@given(st.text(max_size=30), st.sampled_from(LANGUAGES), st.dictionaries(st.text(max_size=8), st.text(max_size=30)))
def test_no_code_and_no_value_raises(code: str, language: Language, values: dict[str, str]) -> None:
    assert isinstance(CATALOG.text(code, language, **values), str)
    assert isinstance(CATALOG.reason(Reason(code, tuple(values.items())), language), str)
