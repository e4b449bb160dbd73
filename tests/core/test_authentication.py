from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.core.authentication import is_aligned, parse
from responder.core.mime import read
from responder.model import Address
from tests.builders import make_message

MX = "mx.example.jp"


def aligned(*fields: str, sender: str = "hanako@mail.example", authserv_id: str = MX) -> bool:
    message = make_message("x", sender=Address("", sender), headers={"authentication-results": fields})
    return is_aligned(message, authserv_id)


@pytest.mark.parametrize(
    "field",
    [
        "mx.example.jp; dmarc=pass (p=reject) header.from=mail.example",
        "mx.example.jp; dmarc=pass",
        "MX.Example.JP 1; spf=fail smtp.mailfrom=x.example; dmarc = pass header.from = MAIL.example",
        "mx.example.jp; dkim=pass header.d=mail.example header.s=a header.b=abc+/==",
        "mx.example.jp; dkim=pass header.b=abc== header.i=@mail.example",
        "mx.example.jp; dkim=fail header.d=mail.example; dkim=pass header.d=mail.example",
        "mx.example.jp; spf=pass (ok) smtp.mailfrom=bounce+a=b@mail.example; dmarc=none",
        'mx.example.jp; dkim=pass reason="good; dmarc=fail" header.d=mail.example',
        "mx.example.jp;dkim=pass(2048-bit key; comment (nested) )header.d=mail.example",
    ],
)
def test_a_pass_of_the_from_domain_counts(field: str) -> None:
    assert aligned(field)


@pytest.mark.parametrize(
    "field",
    [
        "mx.example.jp; none",
        "mx.example.jp",
        "mx.example.jp;",
        "mx.example.jp; dmarc=fail header.from=mail.example; dkim=pass header.d=mail.example",
        "mx.example.jp; dmarc=pass header.from=mail.example; dmarc=fail header.from=mail.example",
        "mx.example.jp; dmarc=pass header.from=other.example",
        "mx.example.jp; dmarc=none (dmarc=pass) header.from=mail.example",
        "mx.example.jp; spf=pass smtp.helo=mail.example smtp.mailfrom=other.example",
        "mx.example.jp; dkim=pass header.d=other.example header.b=mail.example",
        "mx.example.jp; dkim=pass header.d=evil-mail.example",
        "mx.example.jp; dkim=pass header.d=example",
        "mx.example.jp; dkim=pass header.d=sub.mail.example",
        "mx.example.jp; dkim=neutral header.d=mail.example",
        "mx.example.jp; iprev=pass policy.iprev=192.0.2.1; auth=pass smtp.auth=x@mail.example",
        # What a sender can put into values and comments.
        'mx.example.jp; spf=fail smtp.mailfrom="; dmarc=pass "@evil.example',
        "mx.example.jp; spf=pass smtp.mailfrom=x=header.d=mail.example@evil.example",
        "mx.example.jp; spf=fail (; dmarc=pass header.from=mail.example) smtp.mailfrom=evil.example",
        "mx.example.jp; spf=fail (\\) ; dmarc=pass header.from=mail.example ) smtp.mailfrom=evil.example",
        "mx.example.jp; spf=fail =?utf-8?q?=3B_dmarc=3Dpass?= smtp.mailfrom=evil.example; dmarc=pass",
        "mx.example.jp; spf=pass (unended comment smtp.mailfrom=mail.example",
        'mx.example.jp; spf=pass smtp.mailfrom="mail.example',
        "mx.example.jp (mx.example.jp; dmarc=pass",
    ],
)
def test_anything_else_does_not(field: str) -> None:
    assert not aligned(field)


def test_only_the_topmost_field_of_our_server_is_believed() -> None:
    good = "mx.example.jp; dmarc=pass header.from=mail.example"
    bad = "mx.example.jp; dmarc=fail header.from=mail.example"
    other = "mx.evil.example; dmarc=pass header.from=mail.example"
    assert aligned(good, bad)
    assert aligned(other, good)
    assert not aligned(bad, good)
    assert not aligned(other)
    assert not aligned("mx.example.jp; dmarc=pass (", good)
    assert not aligned()
    assert not aligned(good, authserv_id="mx.example")


def test_a_domain_above_the_sender_s_may_sign() -> None:
    assert aligned("mx.example.jp; dkim=pass header.d=mail.example", sender="x@news.mail.example")
    assert not aligned("mx.example.jp; dkim=pass header.d=jp", sender="x@shop.jp")


def test_international_domains_are_compared_as_a_labels() -> None:
    sender = "x@" + "みなと.example".encode("idna").decode()
    assert aligned("mx.example.jp; dmarc=pass header.from=みなと.example", sender=sender)


def test_microsoft_365_leaves_out_its_name() -> None:
    field = (
        "spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=mail.example; dkim=pass (signature was verified)\r\n"
        " header.d=mail.example;dmarc=pass action=none header.from=mail.example;compauth=pass reason=100"
    )
    assert aligned(field, authserv_id="microsoft365")
    assert aligned(field, authserv_id="tyo01.mail.protection.outlook.com")
    assert not aligned(field)
    assert not aligned("mx.evil.example; dmarc=pass", field, authserv_id="microsoft365")
    failed = field.replace("dmarc=pass action=none", "dmarc=fail action=oreject")
    assert not aligned(failed, authserv_id="microsoft365")
    results = parse(field)
    assert results is not None
    assert results.authserv_id == ""
    assert [one.method for one in results.results] == ["spf", "dkim", "dmarc", "compauth"]
    assert results.results[2].property("action") == "none"


def test_a_mail_without_one_sender_is_not_vouched_for() -> None:
    headers = {"authentication-results": ("mx.example.jp; dmarc=pass",)}
    assert not is_aligned(make_message("x", sender=None, headers=headers), MX)
    assert not is_aligned(make_message("x", problems=("two_from",), headers=headers), MX)


WORDS = st.sampled_from(
    [MX, "; ", "dmarc=pass", "dkim=pass", " header.d=mail.example", "(", ")", '"', "\\", "=", " ", "none"]
)


@given(st.lists(st.one_of(WORDS, st.text(max_size=3)), max_size=20).map("".join))
def test_no_field_raises(field: str) -> None:
    aligned(field)
    parse(field)


def test_a_hostile_field_costs_little() -> None:
    for piece in ("(", '"', "a=", ";", "(\\", "x;=(a)"):
        assert not aligned(MX + ";" + piece * 15_000)


@given(st.text(alphabet='ab=;()"\\ @.', max_size=40))
def test_what_stands_in_quotes_never_decides(smuggled: str) -> None:
    quoted = smuggled.replace("\\", "\\\\").replace('"', '\\"')
    assert not aligned(f'{MX}; spf=pass smtp.mailfrom="{quoted}"@evil.example; dmarc=none')


def test_an_encoded_word_in_the_field_is_never_decoded() -> None:
    raw = (
        b"Authentication-Results: mx.example.jp; spf=pass\r\n"
        b" smtp.mailfrom==?utf-8?q?x=3B_dmarc=3Dpass_header=2Efrom=3Dmail=2Eexample?=@evil.example\r\n"
        b"From: hanako@mail.example\r\nSubject: =?utf-8?q?a?=\r\n\r\nHello\r\n"
    )
    message = read(raw)
    assert message.subject == "a"
    assert not is_aligned(message, MX)


def test_a_folded_field_is_read_whole() -> None:
    field = b"Authentication-Results: mx.example.jp;\r\n\tdmarc=pass\r\n header.from=mail.example\r\n"
    raw = field + b"From: a@mail.example\r\n\r\n"
    assert is_aligned(read(raw), MX)
