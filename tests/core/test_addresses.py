"""Mailboxes are read strictly: one answer for one mailbox, a named defect for everything else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.core.addresses import ascii_domain, clean, clean_lines, ids_in, parse_mailboxes, well_formed_id

GOOD = [
    ("hanako@mail.example", "", "hanako@mail.example"),
    ("<hanako@mail.example>", "", "hanako@mail.example"),
    (" hanako@mail.example ", "", "hanako@mail.example"),
    ("Hanako Tanaka <hanako@mail.example>", "Hanako Tanaka", "hanako@mail.example"),
    ('"Tanaka, Hanako" <hanako@mail.example>', "Tanaka, Hanako", "hanako@mail.example"),
    ('"Hanako \\"Hana\\" Tanaka" <hanako@mail.example>', 'Hanako "Hana" Tanaka', "hanako@mail.example"),
    ("田中 花子 <hanako@mail.example>", "田中 花子", "hanako@mail.example"),
    ("=?UTF-8?B?55Sw5LitIOiKseWtkA==?= <hanako@mail.example>", "田中 花子", "hanako@mail.example"),
    ('"=?UTF-8?B?55Sw5LitIOiKseWtkA==?=" <hanako@mail.example>', "田中 花子", "hanako@mail.example"),
    ("=?utf-8?q?Tanaka,_Hanako?= <hanako@mail.example>", "Tanaka, Hanako", "hanako@mail.example"),
    ("hanako@mail.example (Hanako)", "Hanako", "hanako@mail.example"),
    ("Hanako (home) <hanako@mail.example>", "Hanako", "hanako@mail.example"),
    ("Hanako Tanaka<hanako@mail.example>", "Hanako Tanaka", "hanako@mail.example"),
    ("H. Tanaka <hanako@mail.example>", "H. Tanaka", "hanako@mail.example"),
    ("Tanaka [Osaka] <hanako@mail.example>", "Tanaka [Osaka]", "hanako@mail.example"),
    ("hanako@mail.example <hanako@mail.example>", "hanako@mail.example", "hanako@mail.example"),
    ('"hanako@mail.example" <hanako@mail.example>', "hanako@mail.example", "hanako@mail.example"),
    ("'Hanako' <hanako@mail.example>", "Hanako", "hanako@mail.example"),
    ("hanako+shop@mail.example", "", "hanako+shop@mail.example"),
    ("hana..ko.@phone.example", "", "hana..ko.@phone.example"),
    (".hanako@phone.example", "", ".hanako@phone.example"),
    ('"hana..ko."@phone.example', "", "hana..ko.@phone.example"),
    ('"hanako"@mail.example', "", "hanako@mail.example"),
    ("hanako@MAIL.Example", "", "hanako@mail.example"),
    ("HanaKo@mail.example", "", "HanaKo@mail.example"),
    ("hanako@日本語.example", "", "hanako@xn--wgv71a119e.example"),
    ("hanako@xn--wgv71a119e.example", "", "hanako@xn--wgv71a119e.example"),
    ("abc123xyz+42@marketplace.shop.example", "", "abc123xyz+42@marketplace.shop.example"),
    ("Ha\u202enako <hanako@mail.example>", "Hanako", "hanako@mail.example"),
    ("Hanako\u200b \U000e0041Tanaka <hanako@mail.example>", "Hanako Tanaka", "hanako@mail.example"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "name", "mail"), GOOD)
def test_one_mailbox_is_read_without_defects(value: str, name: str, mail: str) -> None:
    addresses, defects = parse_mailboxes(value)
    assert defects == ()
    assert [(address.name, address.mail) for address in addresses] == [(name, mail)]


BAD = [
    ("", None),
    ("Hanako", "no_address"),
    ("hanako", "no_address"),
    ("<>", "no_address"),
    ("alice@x.example(<bob@y.example>", "open_comment"),
    ("alice@x.example(<bob@y.example>)", None),
    ("alice@x.example <bob@y.example>", "two_addresses"),
    ("alice@x.example, bob@y.example", None),
    ("alice@x.example bob@y.example", "two_at"),
    ("alice@x.example@y.example", "two_at"),
    ("<alice@x.example><bob@y.example>", "brackets"),
    ("<alice@x.example", "brackets"),
    ("alice@x.example>", "bad_domain"),
    ("Alice <alice@x.example> trailing", "text_after_address"),
    ("<@relay.example:alice@x.example>", "route"),
    ("friends: alice@x.example, bob@y.example;", "group"),
    ("undisclosed-recipients:;", "group"),
    ("alice@x.example\x00@y.example", "control_character"),
    ("Alice\r\nBcc: eve@z.example <alice@x.example>", "control_character"),
    ('"Alice <alice@x.example>', "open_quote"),
    ("alice(comment)@x.example", "space_in_address"),
    ("alice @x.example", "space_in_address"),
    ("ali ce@x.example", "space_in_address"),
    ("=?utf-8?b?Ym9iQHkuZXhhbXBsZQ==?=@x.example", "encoded_address"),
    ("<=?utf-8?b?Ym9iQHkuZXhhbXBsZQ==?=@x.example>", "encoded_address"),
    ('"bob@y.example"@x.example', "quoted_local"),
    ('"bob smith"@x.example', "quoted_local"),
    ("hänsel@x.example", "non_ascii_local"),
    ("alice@[192.0.2.1]", "domain_literal"),
    ("alice@", "bad_domain"),
    ("@x.example", "bad_local"),
    ("alice@x..example", "bad_domain"),
    ("alice@-x.example", "bad_domain"),
    ("alice@x.example.", "bad_domain"),
    ("alice@" + "x" * 64 + ".example", "bad_domain"),
    ("a" * 65 + "@x.example", "bad_local"),
    ("alice@x.example,", "empty_entry"),
    (",", "no_address"),
    ("Tanaka, Hanako <hanako@mail.example>", "no_address"),
    ("mailto:alice@x.example", "group"),
    ("alice@ｘ．example", "bad_domain"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "defect"), BAD)
def test_anything_doubtful_is_named(value: str, defect: str | None) -> None:
    addresses, defects = parse_mailboxes(value)
    if defect is not None:
        assert defect in defects
    else:
        assert not defects
    assert all("\x00" not in address.mail for address in addresses)


def test_the_second_address_of_a_trick_is_never_taken() -> None:
    for value in ("alice@x.example(<bob@y.example>", "alice@x.example(<bob@y.example>)"):
        assert [address.mail for address in parse_mailboxes(value)[0]] == ["alice@x.example"]


def test_several_mailboxes_are_listed_in_order() -> None:
    addresses, defects = parse_mailboxes('"A, B" <a@x.example>, b@x.example, C <c@x.example>')
    assert [address.mail for address in addresses] == ["a@x.example", "b@x.example", "c@x.example"]
    assert defects == ()


def test_members_of_a_group_are_shown() -> None:
    addresses, defects = parse_mailboxes("Team: a@x.example, b@x.example; c@x.example")
    assert [address.mail for address in addresses] == ["a@x.example", "b@x.example", "c@x.example"]
    assert "group" in defects


def test_look_alike_domains_differ() -> None:
    assert parse_mailboxes("a@exаmple.example")[0][0].mail != "a@example.example"  # Cyrillic а
    assert ascii_domain("") is None
    assert ascii_domain("x" * 300) is None


CLEAN = [
    ("a\r\nb", "a b"),
    ("a\tb", "a b"),
    ("a\x00b\x1bc\x9bd", "abcd"),
    ("a\u2028b\u2029c", "a b c"),
    ("a\u202eb\u2066c\u200f", "abc"),
    ("a\U000e0041\U000e007fb", "ab"),
    ("辻\U000e0100様", "辻\U000e0100様"),  # a variation selector of a name is no tag
    ("\ud800x", "x"),
    ("  x  ", "x"),
    ("田中　花子", "田中　花子"),
]


@pytest.mark.parametrize(("text", "expected"), CLEAN)
def test_clean_leaves_one_visible_line(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_clean_lines_keeps_lines_and_tabs() -> None:
    assert clean_lines("a\r\nb\rc\u2028d\te\x00\u200b") == "a\nb\nc\nd\te"


def test_ids_are_taken_only_if_well_formed() -> None:
    assert well_formed_id("<a.b@mail.example>")
    assert not well_formed_id("a.b@mail.example")
    assert not well_formed_id("<a b@mail.example>")
    assert not well_formed_id("<a@b>\r\nX: y")
    assert not well_formed_id("<" + "a" * 251 + ">")
    assert ids_in("<a@b> junk <c@d>\r\n <a@b> <e\x00f> <é@x>") == ("<a@b>", "<c@d>")


TEXT = st.text(st.sampled_from('ab@<>(),;:."\\[] \t\x00=?田Ж\u202e\r\n'), max_size=60)


@given(st.one_of(TEXT, st.text(max_size=60)))
@settings(max_examples=600, deadline=None)
def test_parsing_never_raises_and_gives_whole_addresses(value: str) -> None:
    addresses, _ = parse_mailboxes(value)
    for address in addresses:
        assert address.mail.isascii()
        assert address.mail.count("@") == 1
        assert not set(address.mail) & set('<>,;:"\\ \r\n\x00()')
        assert clean(address.name) == address.name
        assert parse_mailboxes(address.mail)[0][0].mail == address.mail


@pytest.mark.parametrize(
    "value",
    ["b," * 500_000, "(" * 500_000, "( ) " * 250_000, '"' * 500_000, '"\\' * 250_000, "<" * 500_000, "=?" * 250_000, "=?a?q?" * 100_000, "a" * 1_000_000, "a@b," * 200_000, "@" * 500_000, ":;" * 300_000, "[" * 500_000],
)  # fmt: skip
def test_hostile_values_are_read_in_bounded_time(value: str) -> None:
    begin = time.process_time()
    parse_mailboxes(value)
    clean(value)
    ids_in(value)
    assert time.process_time() - begin < 2
