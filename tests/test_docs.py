"""What docs/ shows is true: links, commands, states, notes, keys and the worked examples."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from responder.cli import cli
from responder.config import bare, load
from responder.config.channels import read_channels
from responder.config.file import (
    AccountTable,
    AutoReplyTable,
    CallsTable,
    FoldersTable,
    IncidentTable,
    OrdersTable,
    OweTable,
    ParcelStopTable,
    PerkTable,
    RelayTable,
    ReportTable,
    ResponderFile,
    ServerTable,
    ShopTable,
    StateTable,
    TimeTable,
    WordingTable,
)
from responder.core.approval import Circumstances, Papers, examine, recheck
from responder.core.channels import FORBIDDEN, recognise
from responder.core.channels.reading import known_keys
from responder.core.proof import FINDINGS
from responder.core.template_check import OFFERED
from responder.core.wording import Catalog
from responder.edges.orders import open_book
from responder.errors import ConfigError
from responder.flows.explain import Explanation, explain_mail
from responder.model import Address, DraftState, Language
from tests.builders import SHOP, make_message, make_order
from tests.core.test_approval import make_draft

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
PAGES = sorted(DOCS.rglob("*.md"))
LANGUAGES: tuple[Language, ...] = ("ja", "en")
NOON = datetime.fromisoformat("2026-11-20T12:00+09:00")
TABLES: tuple[type[BaseModel], ...] = (
    AutoReplyTable,
    ResponderFile,
    ShopTable,
    AccountTable,
    FoldersTable,
    ServerTable,
    RelayTable,
    OweTable,
    CallsTable,
    ReportTable,
    IncidentTable,
    PerkTable,
    OrdersTable,
    WordingTable,
    ParcelStopTable,
    TimeTable,
)

a_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
a_language = pytest.mark.parametrize("language", LANGUAGES)


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, kind: str) -> list[str]:
    """The fenced blocks of a kind ("" for those without one)."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
    return [body for name, body in found if name == kind]


def tables(page: Path) -> Iterator[list[str]]:
    """The rows of all tables, as their cells."""
    for line in text_of(page).splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def table_after(page: Path, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    lines = text_of(page).partition(f"\n{heading}\n")[2].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| ---"))
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@a_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(page)):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@a_page
def test_toml_shown_can_be_read(page: Path) -> None:
    for block in blocks(page, "toml"):
        tomllib.loads(block)


@a_page
def test_commands_shown_exist_with_their_options(page: Path) -> None:
    shown = re.findall(r"^\$ (responder .*)$", text_of(page), re.MULTILINE)
    shown += [c for c in code(text_of(page)) if re.match(r"responder [a-z-]", c)]
    for line in shown:
        words = line.split()[1:]
        if words[0] == "--version":
            continue
        command = cli.commands[words[0]]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in words[1:] if word.startswith("-")} <= known, line


def test_both_languages_have_the_same_pages() -> None:
    assert {p.name for p in (DOCS / "ja").iterdir()} == {p.name for p in (DOCS / "en").iterdir()}


def test_the_table_of_states_is_that_of_the_model() -> None:
    rows = table_after(DOCS / "flow.md", "## States of a draft")
    assert {code(row[0])[0] for row in rows} == set(get_args(DraftState))
    assert len(rows) == len(get_args(DraftState))


def test_the_objections_are_those_of_the_code() -> None:
    draft = make_draft(facts={"status": "paid"})
    nothing_right = Papers(None, (), (), (), (), was_received=False, flawed=True)
    found = list(examine(nothing_right, "", ("the ship date",), draft, SHOP))
    ours = Papers(None, (), (), (Address("", SHOP.address),), (), was_received=False, flawed=False)
    found += examine(ours, "x", (), draft, SHOP, must_be_from="mall@minato-zakka.example")
    for order, facts in ((None, {}), (make_order(), {"status": "shipped"})):
        world = Circumstances(
            order=order,
            facts_now=facts,
            newer_mails=1,
            answered=True,
            reply_mode="admin_only",
            answerable=False,
            promise_over=True,
            relay_missing=True,
        )
        found += recheck(draft, world, "")
    expected = {o.code: o.overridable for o in found} | {
        "two_texts_approved": False,
        "unreadable": False,
        "wording_*": True,
    }
    rows = table_after(DOCS / "flow.md", "## The re-check")
    assert {code(row[0])[0]: row[2] == "yes" for row in rows} == expected


def test_every_threat_has_a_test_that_exists() -> None:
    rows = tables(DOCS / "threats.md")
    rows = [row for row in rows if row[0].isdigit()]
    assert [int(row[0]) for row in rows] == list(range(1, 27))
    for row in rows:
        shown = code(row[3])
        assert shown, row[1]
        for name in shown:
            file, _, function = name.partition("::")
            assert f"def {function}(" in (DOCS.parent / file).read_text(encoding="utf-8"), name


def test_the_points_of_death_are_those_of_the_tests() -> None:
    from tests.journeys.dies import POINTS

    rows = table_after(DOCS / "flow.md", "## Killed here")
    assert [code(row[0])[0] for row in rows] == [point for point in POINTS if point != "never"]


@a_language
def test_every_note_has_its_line(language: Language) -> None:
    notes = Catalog.load().texts[language]["note"]
    subjects = {re.sub(r"\{\w+\}", "…", text) for name, text in notes.items() if name.endswith("_subject")}
    shown = {row[0] for row in tables(DOCS / language / "approve.md")}
    assert subjects - shown == set()
    # And no line stands for a note that is no more: the table holds the subjects alone.
    heading = {"ja": "## 「Responder」フォルダのお知らせ", "en": "## Notes in the folder Responder"}[language]
    assert {row[0] for row in table_after(DOCS / language / "approve.md", heading)} == subjects


@a_language
def test_every_key_of_the_configuration_is_explained_and_no_other(language: Language) -> None:
    page = DOCS / language / "setup.md"
    known = {key for table in TABLES for key in table.model_fields} - {
        "shop",
        "state",
        "account",
        "orders",
        "relay",
        "wording",
        "parcel_stop",
        "owe",
        "calls",
        "report",
        "incident",
        "perk",
        "time",
        "auto_reply",
    } | set(StateTable.model_fields)
    rows = re.findall(r"^\| ((?:`\w+`(?:, |、)?)+) \|", text_of(page), re.MULTILINE)
    named = {key for row in rows for key in code(row)}
    reserved = {key for key in known if key.startswith("oauth2_") and key != "oauth2_token_command"}
    assert named == known - reserved
    assert all(f"`{key}`" in text_of(page) for key in reserved)


@a_language
def test_the_configuration_shown_is_complete_and_that_of_the_examples(language: Language, tmp_path: Path) -> None:
    shown = blocks(DOCS / language / "setup.md", "toml")
    assert shown[0] == text_of(EXAMPLES / "responder.toml")
    # The journal elsewhere, as a service wants it.
    (tmp_path / "responder.toml").write_text(shown[0] + shown[1], encoding="utf-8")
    settings = load(tmp_path, env={})
    assert settings.warnings == ()
    assert settings.state_url == "sqlite:////var/lib/responder/responder.db"
    assert text_of(EXAMPLES / "orders.csv") in blocks(DOCS / language / "setup.md", "")


@a_language
def test_every_value_of_a_template_is_explained(language: Language) -> None:
    text = text_of(DOCS / language / "templates.md")
    for name, fields in OFFERED.items():
        for field in fields or ():
            assert re.search(rf"`{name}\.{field}\b", text), f"{name}.{field}"
        assert re.search(rf"\b{name}\b", text), name
    parts = {part.name for part in (ROOT / "templates" / language).glob("_*.txt")}
    assert {
        part for row in tables(DOCS / language / "templates.md") for part in code(row[0]) if part[0] == "_"
    } == parts


@a_language
def test_every_finding_is_explained_and_no_other(language: Language) -> None:
    heading = {"ja": "### 文章の確認で見つかるもの", "en": "### What the check of words finds"}[language]
    rows = table_after(DOCS / language / "templates.md", heading)
    assert [name for row in rows for name in code(row[0])] == list(FINDINGS)


@a_language
def test_topics_named_exist(language: Language) -> None:
    topics = bare().rulebook.topics
    text = text_of(DOCS / language / "rules.md")
    listed = text.partition({"ja": "用件の名前:", "en": "Topics:"}[language])[2].partition("\n\n")[0]
    assert len(code(listed)) > 20
    assert set(code(listed)) <= set(topics)


# --- the worked example ---------------------------------------------------------------------------------------------


def explained(folder: Path, language: Language) -> Explanation:
    """The example's mail with the rules and templates of that folder."""
    settings = load(folder, env={})
    book = open_book(settings.orders)
    assert book.refresh() == ()
    name = {"ja": "gift.eml", "en": "gift_en.eml"}[language]
    raw = (EXAMPLES / "mails" / name).read_bytes()
    return explain_mail(raw, file=name, settings=settings, orders=book, now=NOON)


def shop_with(folder: Path, addition: str) -> None:
    """The example shop with these lines put into its rules where the pages say."""
    for name in ("responder.toml", "orders.csv"):
        (folder / name).write_text(text_of(EXAMPLES / name), encoding="utf-8")
    shipped = text_of(ROOT / "rules.toml")
    assert shipped.count("\n# Stock. 在庫\n") == 1
    (folder / "rules.toml").write_text(
        shipped.replace("# Stock. 在庫\n", f"{addition}\n# Stock. 在庫\n"), encoding="utf-8"
    )


def rule_of(page: Path) -> tuple[str, Mapping[str, Any]]:
    block = next(b for b in blocks(page, "toml") if 'id = "gift"' in b)
    return block, tomllib.loads(block)["rule"][0]


@a_language
def test_the_rule_of_the_example_does_what_the_page_says(language: Language, tmp_path: Path) -> None:
    shop_with(tmp_path, "")
    before = explained(tmp_path, language)
    assert (before.decision.action, before.decision.rule) == ("hold", "other-matters")
    added, rule = rule_of(DOCS / language / "rules.md")
    shop_with(tmp_path, added)
    after = explained(tmp_path, language)
    assert (after.decision.action, after.decision.situation, after.decision.rule) == ("hold", "gift", "gift")
    assert rule["hold"] in [dict(reason.args).get("text", reason.code) for reason in after.decision.reasons]


@a_language
def test_the_mistakes_shown_are_told_so(language: Language, tmp_path: Path) -> None:
    """But for line numbers, which move with every rule."""
    page = DOCS / language / "rules.md"
    block = next(b for b in blocks(page, "toml") if 'id = "gift"' in b)
    wrong = block.replace("situation =", "situaton =").replace('when.asks = "gift"', 'when.asks = "gfit"')
    rules = (ROOT / "rules.toml").read_text(encoding="utf-8").replace("# Stock. 在庫", f"{wrong}\n# Stock. 在庫", 1)
    (tmp_path / "rules.toml").write_text(rules, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        bare(tmp_path)
    told = [Catalog.load().mistake(mistake, language) for mistake in refused.value.mistakes]
    told = [line.replace(str(tmp_path.resolve()), "/home/shop/responder") for line in told]
    shown = re.sub(r"\d+", "N", text_of(page))
    assert len(told) == 3
    for line in told:
        assert shown.count(re.sub(r"\d+", "N", line)) == 2, line


@a_language
def test_the_template_of_the_example_writes_the_draft_on_the_page(language: Language, tmp_path: Path) -> None:
    page = DOCS / language / "templates.md"
    topic = rule_of(DOCS / language / "rules.md")[0].partition("[[rule]]")[0]
    shop_with(tmp_path, topic + rule_of(page)[0])
    (tmp_path / "templates" / language).mkdir(parents=True)
    template = next(block for block in blocks(page, "") if block.startswith("Subject: "))
    (tmp_path / "templates" / language / "gift_wrap.txt").write_text(template, encoding="utf-8")
    letter = explained(tmp_path, language).letter
    assert letter is not None
    assert len(letter.blanks) == 1
    shown = [block for block in blocks(page, "") if "mails/gift" in block]
    assert "\n".join(f"  {line}" for line in (letter.subject, *letter.text.splitlines())) in shown[0]


@a_language
def test_the_keys_of_a_channel_are_those_of_the_code(language: Language) -> None:
    page = DOCS / language / "channels.md"
    shown = {name for row in tables(page) for name in code(row[0])}
    assert set(known_keys()) - {"name", "route"} <= shown
    words = next(code(row[1]) for row in tables(page) if row[0] == "`forbidden`")
    assert tuple(words) == FORBIDDEN


@a_language
def test_channel_files_shown_are_taken(language: Language, tmp_path: Path) -> None:
    (tmp_path / "channels").mkdir()
    for block in blocks(DOCS / language / "channels.md", "toml"):
        if name := re.match(r"# channels/(\w+\.toml)\n", block):
            (tmp_path / "channels" / name.group(1)).write_text(block, encoding="utf-8")
    found = {channel.name: channel for channel in read_channels(tmp_path)}
    assert (found["amazon"].clock_h, found["amazon"].clock_weekends) == (12, True)
    assert found["rakuten"].admin_page.startswith("https://")
    assert found["rakuten"].routes
    mail = make_message(sender=Address("", "inquiry@mymall.example"))
    channel = recognise(mail, tuple(found.values()))
    assert (channel.name, channel.kind, channel.reply_mode) == ("mymall", "inquiry", "admin_only")


@a_language
def test_the_question_for_a_second_fact_is_the_same_for_any_number(language: Language, tmp_path: Path) -> None:
    rule = next(block for block in blocks(DOCS / language / "channels.md", "toml") if "ask-which-order" in block)
    for name in ("responder.toml", "orders.csv"):
        (tmp_path / name).write_text(text_of(EXAMPLES / name), encoding="utf-8")
    shipped = text_of(ROOT / "rules.toml")
    assert shipped.count("\n# Cancel. キャンセル\n") == 1
    rules = shipped.replace("# Cancel. キャンセル\n", f"{rule}\n# Cancel. キャンセル\n")
    (tmp_path / "rules.toml").write_text(rules, encoding="utf-8")
    settings = load(tmp_path, env={})
    book = open_book(settings.orders)
    assert book.refresh() == ()

    def letter(number: str) -> tuple[str, str]:
        mail = (EXAMPLES / "mails" / "cancel_en.eml").read_text(encoding="utf-8")
        mail = mail.replace("james@mail.example", "somebody@else.example").replace("mail.example", "else.example")
        found = re.search(r"\b104\d\b", mail)
        assert found is not None
        mail = mail.replace(found.group(), number)
        explained = explain_mail(mail.encode(), file="x", settings=settings, orders=book, now=NOON)
        assert explained.decision.rule == "ask-which-order", explained.decision.reasons
        assert explained.letter is not None
        return explained.letter.subject, explained.letter.text.replace(number, "N")

    assert letter("1042") == letter("1043") == letter("9999")
    assert "1042" not in letter("1042")[1].split("N")[0]
