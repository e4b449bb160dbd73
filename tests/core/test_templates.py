"""Templates are checked whole before one of them is used, and see nothing but what is offered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

import pytest

from responder.core.offer import offer
from responder.core.templates import VARIANTS, Templates
from responder.errors import ConfigError, MessageError, Mistake
from responder.model import Decision, Language
from tests.builders import NOW, SHOP, make_message, make_order

SHIPPED = Path(__file__).resolve().parents[2] / "templates"


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def mistakes(folder: Path) -> tuple[Mistake, ...]:
    with pytest.raises(ConfigError) as caught:
        Templates.load([folder])
    return caught.value.mistakes


def test_the_shipped_pack_has_no_mistakes() -> None:
    templates = Templates.load([SHIPPED])
    assert "cancel_before_ship" in templates.names("ja")


def test_every_language_has_the_same_templates() -> None:
    names = {variant: {path.name for path in (SHIPPED / variant).glob("*.txt")} for variant in VARIANTS}
    for variant in VARIANTS:
        assert names[variant] == names["ja"], variant


def test_the_shops_own_template_goes_first(tmp_path: Path) -> None:
    write(tmp_path, "ja/cancel_before_ship.txt", "Subject: own\n\nown text\n")
    templates = Templates.load([tmp_path, SHIPPED])
    assert templates.render("cancel_before_ship", "ja", {}) == ("own", "own text")
    assert templates.has("cancel_after_ship", "ja")


def test_a_shipped_template_takes_the_shops_own_part(tmp_path: Path) -> None:
    write(tmp_path, "ja/_signature.txt", "our own closing\n")
    write(tmp_path, "ja/x.txt", 'Subject: x\n\ntext\n\n{% include "_signature.txt" %}\n')
    assert Templates.load([tmp_path, SHIPPED]).render("x", "ja", {})[1] == "text\n\nour own closing"


def test_what_is_proven_is_not_tried_again(tmp_path: Path) -> None:
    write(tmp_path, "ja/wrong.txt", "no subject\n")
    assert mistakes(tmp_path)
    assert Templates.load([tmp_path], proven=tmp_path).names("ja") == {"wrong"}


def test_proven_templates_read_the_same(tmp_path: Path) -> None:
    write(tmp_path, "ja/own.txt", "Subject: own\n\nown text\n")
    templates = Templates.load([tmp_path, SHIPPED], proven=SHIPPED)
    usual = Templates.load([tmp_path, SHIPPED])
    assert set(templates.compiled) == set(usual.compiled)
    for name, template in usual.compiled.items():
        assert templates.compiled[name].filename == template.filename
    with pytest.raises(MessageError, match="template_missing"):
        templates.render("no_such", "ja", {})


def test_a_part_of_the_shops_own_puts_the_proven_to_the_test(tmp_path: Path) -> None:
    write(tmp_path, "ja/_signature.txt", "{{ order.total / buyer.name }}\n")
    with pytest.raises(ConfigError) as caught:
        Templates.load([tmp_path, SHIPPED], proven=SHIPPED)
    assert {mistake.code for mistake in caught.value.mistakes} == {"template_fails"}


@pytest.mark.parametrize(
    ("text", "line", "code", "suggestion"),
    [
        ("text only\n", 1, "template_no_subject", None),
        ("Subject:\n\ntext\n", 1, "template_no_subject", None),
        ("Subject: x\n\n\n", 2, "template_no_text", None),
        ("Subject: x\ntext\n", 2, "template_no_blank_line", None),
        ("Subject: x\n\na\n{{ oder.order_id }}\n", 4, "template_unknown_name", "order"),
        ("Subject: {{ shop.nam }}\n\ntext\n", 1, "template_unknown_field", "shop.name"),
        ("Subject: x\n\n{{ order.trackin_no }}\n", 3, "template_unknown_field", "order.tracking_no"),
        ("Subject: x\n\n{{ order['total_'] }}\n", 3, "template_unknown_field", "order.total"),
        ("Subject: x\n\n{% if order.order_id %}\ntext\n", 3, "template_syntax", None),
        ("Subject: x\n\n{{ order.order_id | uper }}\n", 3, "template_unknown_filter", "upper"),
        ("Subject: x\n\n{% if order.total is numbr %}a{% endif %}\n", 3, "template_unknown_test", "number"),
        ('Subject: x\n\n{% include "_signatur.txt" %}\n', 3, "template_missing_part", "_signature.txt"),
        (
            "Subject: x\n\n{% for i in order.items[:5] %}{{ i.nmae }}{% endfor %}\n",
            3,
            "template_unknown_field",
            "i.name",
        ),
        ("Subject: x\n\n{{ range(10) }}\n", 3, "template_unknown_name", None),
        (f"Subject: x\n\n{{{{ {'9' * 6000} }}}}\n", 0, "template_syntax", None),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_word(
    tmp_path: Path, text: str, line: int, code: str, suggestion: str | None
) -> None:
    write(tmp_path, "ja/_signature.txt", "x\n")
    path = write(tmp_path, "ja/reply.txt", text)
    (found,) = mistakes(tmp_path)
    assert (found.file, found.key, found.code, found.suggestion) == (str(path), "reply", code, suggestion)
    # Where Jinja says that a block is never closed it names the end of the file.
    assert found.line == line or code == "template_syntax"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Subject: x\n\ntext\n{{ order.total + 1 }}\n", 4),
        ("Subject: x\n\n{{ order.items.name }}\n", 3),
        ("Subject: x\n\n{% for item in order.items %}\n{{ item.name.nothing }}\n{% endfor %}\n", 4),
        ("Subject: x\n\n{{ in_business_days('x') }}\n", 3),
        ("Subject: x\n\n{{ 1 / 0 }}\n", 3),
        ('Subject: x\n\n{% include "_loop.txt" %}\n', 1),
    ],
)
def test_what_fails_when_it_is_filled_in_is_a_mistake(tmp_path: Path, text: str, line: int) -> None:
    write(tmp_path, "ja/_loop.txt", '{% include "_loop.txt" %}\n')
    write(tmp_path, "ja/reply.txt", text)
    (found,) = mistakes(tmp_path)
    assert (found.code, found.line) == ("template_fails", line)


def test_all_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    write(tmp_path, "ja/a.txt", "no subject\n")
    write(tmp_path, "en/b.txt", "Subject: x\n\n{{ oder }} {{ oder }}\n{{ mony }}\n")
    write(tmp_path, "en/c.txt", b"Subject: x\n\n\xff\n")
    write(tmp_path, "fr/d.txt", "Subject: x\n\ntext\n")
    found = [(Path(m.file).name, m.line, m.code) for m in mistakes(tmp_path)]
    assert sorted(found) == [
        ("a.txt", 1, "template_no_subject"),
        ("b.txt", 3, "template_unknown_name"),
        ("b.txt", 4, "template_unknown_name"),
        ("c.txt", 3, "file_not_utf8"),
        ("fr", 0, "template_language"),
    ]


def test_a_mistake_in_a_part_is_told_once_for_the_part(tmp_path: Path) -> None:
    write(tmp_path, "ja/_p.txt", "{% if %}\n")
    write(tmp_path, "ja/a.txt", 'Subject: x\n\n{% include "_p.txt" %}\n')
    assert [(Path(m.file).name, m.code) for m in mistakes(tmp_path)] == [("_p.txt", "template_syntax")]


def test_a_broken_data_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, "data/refunds.toml", "[[refund]\n")
    with pytest.raises(ConfigError) as caught:
        Templates.load([SHIPPED], data=[tmp_path / "data"])
    (found,) = caught.value.mistakes
    assert (Path(found.file).name, found.line, found.code) == ("refunds.toml", 1, "toml_syntax")


def test_editors_leftovers_are_no_templates(tmp_path: Path) -> None:
    write(tmp_path, "ja/a.txt", "Subject: x\n\ntext\n")
    write(tmp_path, "ja/.a.txt.swp", "rubbish")
    write(tmp_path, "ja/a.txt~", "rubbish")
    write(tmp_path, "ja/.#a.txt", "rubbish")
    (tmp_path / ".git").mkdir()
    assert Templates.load([tmp_path]).names("ja") == {"a"}


def test_a_windows_file_with_a_mark_is_read(tmp_path: Path) -> None:
    write(tmp_path, "ja/a.txt", b"\xef\xbb\xbfSubject: x\r\n\r\ntext\r\nmore\r\n")
    assert Templates.load([tmp_path]).render("a", "ja", {}) == ("x", "text\nmore")


def test_traditional_chinese_falls_back_to_simplified(tmp_path: Path) -> None:
    write(tmp_path, "zh/_p.txt", "part\n")
    write(tmp_path, "zh/a.txt", "Subject: s\n\nsimplified\n")
    write(tmp_path, "zh-hant/b.txt", 'Subject: t\n\n{% include "_p.txt" %}\n')
    templates = Templates.load([tmp_path])
    assert templates.render("a", "zh-hant", {})[0] == "s"
    assert templates.render("b", "zh-hant", {}) == ("t", "part")


def test_an_unknown_template_is_a_message_error() -> None:
    with pytest.raises(MessageError, match="template_missing"):
        Templates.load([SHIPPED]).render("no_such", "ja", {})


def offered() -> dict[str, object]:
    decision = Decision("draft", "other", None, "ja", "own", order=make_order(), template="a")
    known = Templates.load([SHIPPED])
    return offer(decision, make_message("hi"), identity=SHOP, shop=Shop(), channel=None, known=known, now=NOW)[1]


@dataclass(frozen=True)
class Shop:
    name: str = "Minato"
    language: Language = "ja"
    timezone: tzinfo = UTC
    signature: str = ""
    names: dict[Language, str] = field(default_factory=dict)
    signatures: dict[Language, str] = field(default_factory=dict)
    policy: dict[str, str] = field(default_factory=dict)


ESCAPES = [
    "{{ ''.__class__.__mro__ }}",
    "{{ mail.text.__class__ }}",
    "{{ mail['__class__'] }}",
    "{{ in_business_days.__globals__ }}",
    "{{ in_business_days.__func__.__globals__ }}",
    "{{ order._order }}",
    "{{ order.__init__.__globals__ }}",
    "{{ '{0.__class__}'.format(mail) }}",
    "{{ ('{0._' ~ 'order}').format(order) }}",
    "{{ mail|attr('__class__') }}",
    "{{ order|attr('_order') }}",
    "{{ ''|map(attribute='__class__')|list }}",
    "{% set x = mail.update({'text': 'changed'}) %}",
    "{{ mail.text.encode }}{{ self.__init__ }}",
    "{{ 'x' * 10 ** 12 }}",
]


@pytest.mark.parametrize("attempt", ESCAPES)
def test_the_sandbox_gives_nothing_away(tmp_path: Path, attempt: str) -> None:
    write(tmp_path, "ja/a.txt", f"Subject: x\n\n>{attempt}<\n")
    try:
        templates = Templates.load([tmp_path])
        _, text = templates.render("a", "ja", offered())
    except (ConfigError, MessageError):
        return
    assert not any(word in text for word in ("class", "globals", "module", "object at", "changed"))
