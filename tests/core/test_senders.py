"""Who may read an order's data: exactly its buyer, whatever a mail looks like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.config.channels import read_channels
from responder.core.channels import Channel, recognise, unframe
from responder.core.lookalikes import imitates, readable_domain
from responder.core.mime import read
from responder.core.senders import failed_lookups, is_buyer, mailbox_key, party_of, sender_problem
from responder.model import Address, Message
from tests.builders import make_message, make_order

CHANNELS = read_channels()
OWN = Channel("own")
HANAKO = "hanako@mail.example"
AMAZON = "a1b2c3+case1@marketplace.amazon.co.jp"
ORDER = "249-1234567-1234567"


def mail_from(mail: str, text: str = "", **changes: Any) -> Message:
    return make_message(text, sender=Address("", mail), **changes)


def seen(message: Message, trusted: bool | None = None) -> tuple[Message, Channel]:
    channel = recognise(message, CHANNELS, trusted=trusted)
    return unframe(message, channel), channel


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mail", "of_order", "same"),
    [
        (HANAKO, "Hanako@Mail.Example", True),
        (HANAKO, " hanako@mail.example ", True),
        (HANAKO, "ＨＡＮＡＫＯ＠mail.example", True),
        ("hanako@xn--wgv71a119e.example", "hanako@日本語.example", True),
        (HANAKO, "hanako+shop@mail.example", False),
        ("hanako+shop@mail.example", HANAKO, False),
        (HANAKO, "hanako@mail.example.evil.example", False),
        (HANAKO, "hanako@sub.mail.example", False),
        (HANAKO, "hanak0@mail.example", False),
        (HANAKO, "", False),
        ("hanako@xn--mal-8cd.example", HANAKO, False),
        ("hanakо@mail.example", HANAKO, False),
    ],
)
def test_an_order_is_told_to_its_address_only(mail: str, of_order: str, same: bool) -> None:
    assert is_buyer(mail_from(mail), make_order(buyer_mail=of_order), OWN, trusted=None) is same


def test_an_order_without_an_address_is_told_to_nobody_who_names_it() -> None:
    order = make_order(buyer_mail="", channel="")
    for kind in ("buyer", "form"):
        channel = Channel("own" if kind == "buyer" else "form", kind=kind)
        assert not is_buyer(mail_from(HANAKO, form={"order_id": "1042"}), order, channel, trusted=None)


@pytest.mark.parametrize("trusted", [None, True])
@pytest.mark.parametrize("header", [
    f"From: <{HANAKO}>\nFrom: <evil@other.example>",
    f"From: {HANAKO}, evil@other.example",
    f"From: evil@other.example <{HANAKO}>, x",
    f"From: group: {HANAKO};",
    "From: hanako@mail\u200b.example",
    "From: <\u202ehanako@mail.example>",
    "From: =?utf-8?q?hanako=40mail=2Eexample?=",
    f"From: {HANAKO}\x00",
    f"From: evil@other.example(<{HANAKO}>)",
])  # fmt: skip
def test_a_from_field_that_could_be_read_in_two_ways_names_no_buyer(header: str, trusted: bool | None) -> None:
    message = read(f"{header}\nTo: shop@minato-zakka.example\nSubject: x\n\n1042\n".encode())
    assert not is_buyer(message, make_order(), OWN, trusted=trusted)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("mail.example", False),
        ("日本語.example", False),
        ("ショップmart-店.example", False),
        ("müller.example", False),
        ("почта.example", False),
        ("한국shop.example", False),
        ("商店.example", False),
        ("mаil.example", True),  # a Cyrillic а
        ("аррӏе.example", True),  # Cyrillic only, all of it like Latin
        ("ρορ.example", True),  # Greek, like pop
        ("hanakο.example", True),
        ("mail.exаmple", True),
    ],
)
def test_domains_that_imitate_others(domain: str, expected: bool) -> None:
    written = ".".join(label.encode("idna").decode() for label in domain.split("."))
    assert imitates(f"x@{written}") is expected
    assert readable_domain(f"x@{written}") == domain


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_address_raises(text: str) -> None:
    for mail in (text, f"a@{text}", f"a@xn--{text}.example"):
        imitates(mail)
        assert not mailbox_key(mail) or "@" in mailbox_key(mail)


# --- what is wrong with a sender ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "trusted", "code"),
    [
        (mail_from(HANAKO), None, None),
        (mail_from(HANAKO), True, None),
        (mail_from(HANAKO, reply_to=(Address("", "Hanako@MAIL.example"),)), None, None),
        (make_message(sender=None), None, "sender_unclear"),
        (mail_from(HANAKO), False, "sender_not_trusted"),
        (mail_from("x@xn--mil-7cd.example"), None, "sender_imitates"),
        (mail_from(HANAKO, reply_to=(Address("", "else@mail.example"),)), True, "reply_to_elsewhere"),
        (mail_from(HANAKO, reply_to=(Address("", HANAKO), Address("", "x@y.example"))), True, "reply_to_elsewhere"),
        (mail_from(HANAKO, reply_to=(Address("", "hanako@mail.example.evil.example"),)), True, "reply_to_elsewhere"),
        (mail_from(HANAKO, problems=("bad_reply_to",)), True, "reply_to_elsewhere"),
        (mail_from(AMAZON, reply_to=(Address("", "a1b2c3+2@marketplace.amazon.co.jp"),)), True, None),
        (mail_from(AMAZON, reply_to=(Address("", HANAKO),)), True, "reply_to_elsewhere"),
    ],
)
def test_senders_nothing_is_told_to(message: Message, trusted: bool | None, code: str | None) -> None:
    bare, channel = seen(message, trusted)
    problem = sender_problem(bare, channel, trusted=trusted)
    assert (problem.code if problem else None) == code
    assert is_buyer(
        bare, make_order(buyer_mail=bare.sender.mail if bare.sender else "x"), channel, trusted=trusted
    ) is (code is None)


# --- relays and inquiries -------------------------------------------------------------------------------------------

FRAMED = f"""\
Order ID: {ORDER}
1 of Mug [ASIN: B000000000]
------------- Begin message -------------
%s
------------- End message -------------
"""
SUBJECT = f"Inquiry from Amazon customer Hanako (Order: {ORDER})"


@pytest.mark.parametrize(
    ("sender", "text", "subject", "of_order", "expected"),
    [
        # The alias is the order's, with whatever tag.
        (AMAZON, "where is it", "x", "a1b2c3@marketplace.amazon.co.jp", True),
        (AMAZON, "where is it", "x", "a1b2c3+old@marketplace.amazon.co.jp", True),
        (AMAZON, "where is it", "x", "zzz@marketplace.amazon.co.jp", False),
        (AMAZON, FRAMED % "where is it", SUBJECT, "zzz@marketplace.amazon.co.jp", False),
        # The export knows no address: what Amazon wrote counts, what the buyer wrote does not.
        (AMAZON, FRAMED % "where is it", "x", "", True),
        (AMAZON, (FRAMED % "where is it").replace(f"Order ID: {ORDER}\n", ""), SUBJECT, "", True),
        (AMAZON, f"where is {ORDER}", f"about {ORDER}", "", False),
        (AMAZON, (FRAMED % f"and {ORDER}?").replace(f"Order ID: {ORDER}\n", ""), "x", "", False),
        (
            AMAZON,
            FRAMED.replace(ORDER, "111-1111111-1111111") % f"Order ID: {ORDER}\n--- Begin message ---\nwhere is it",
            SUBJECT.replace(ORDER, "111-1111111-1111111"),
            "",
            False,
        ),
        (
            AMAZON,
            "--- Begin message ---\nwhere is it\n--- End message ---",
            f"Inquiry from Amazon customer X (Order: {ORDER}) (Order: 111-1111111-1111111)",
            "",
            False,
        ),
        # The same words from an address of one's own.
        (HANAKO, FRAMED % "where is it", SUBJECT, "", False),
    ],
)
def test_a_relay_speaks_for_its_buyer(sender: str, text: str, subject: str, of_order: str, expected: bool) -> None:
    message, channel = seen(mail_from(sender, text, subject=subject))
    order = make_order(ORDER, channel="amazon", buyer_mail=of_order)
    assert is_buyer(message, order, channel, trusted=None) is expected


def test_a_relay_speaks_for_its_own_channel_only() -> None:
    message, channel = seen(mail_from(AMAZON, FRAMED % "x", subject=SUBJECT))
    assert is_buyer(message, make_order(ORDER, channel="", buyer_mail=""), channel, trusted=True)
    assert not is_buyer(message, make_order(ORDER, channel="rakuten", buyer_mail=""), channel, trusted=True)


def test_a_relay_the_server_does_not_vouch_for_is_nobody() -> None:
    message, channel = seen(mail_from(AMAZON, FRAMED % "x", subject=SUBJECT), trusted=False)
    assert channel.name == "own"
    assert not is_buyer(message, make_order(ORDER, channel="amazon", buyer_mail=AMAZON), channel, trusted=False)


RAKUTEN_ORDER = "123456-20260101-0123456789"
INQUIRY = "■注文番号：%s\n■お客様名：田中\n■お問い合わせ内容\nまだ届きません。\n%s"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (INQUIRY % (RAKUTEN_ORDER, ""), True),
        (INQUIRY % ("999999-20260101-0123456789", ""), False),
        (INQUIRY % ("999999-20260101-0123456789", f"■注文番号：{RAKUTEN_ORDER}"), False),
        (f"■お客様名：田中\n■お問い合わせ内容\nまだです\n■注文番号：{RAKUTEN_ORDER}", False),
        (f"■お問い合わせ内容\n注文番号：{RAKUTEN_ORDER}はまだですか", False),
    ],
)
def test_an_inquiry_is_about_the_order_the_marketplace_names(text: str, expected: bool) -> None:
    message, channel = seen(mail_from("rms-info@mail.rms.rakuten.co.jp", text, subject="R-Messe お問い合わせ"))
    assert channel.kind == "inquiry"
    order = make_order(RAKUTEN_ORDER, channel="rakuten", buyer_mail="x@pc.fw.rakuten.ne.jp")
    assert is_buyer(message, order, channel, trusted=True) is expected


# --- whose matter ---------------------------------------------------------------------------------------------------


def party(message: Message, trusted: bool | None = None) -> str:
    bare, channel = seen(message, trusted)
    return party_of(bare, channel, trusted=trusted)


def test_whose_matter_a_mail_is() -> None:
    assert party(mail_from("Hanako+x@Mail.example")) == "hanako+x@mail.example"
    assert party(mail_from(AMAZON)) == party(mail_from("A1B2C3+case2@marketplace.amazon.co.jp"))
    assert party(mail_from(HANAKO), trusted=False) not in (HANAKO, "")
    assert party(make_message(sender=None)) == ""


def test_inquiries_from_one_notice_address_are_of_different_buyers() -> None:
    def inquiry(order_id: str, message_id: str) -> str:
        text = INQUIRY % (order_id, "") if order_id else "■お問い合わせ内容\nまだ届きません。\n"
        notice = mail_from("rms-info@mail.rms.rakuten.co.jp", text, subject="R-Messe", message_id=message_id)
        return party(notice)

    assert inquiry(RAKUTEN_ORDER, "<1@x>") == inquiry(RAKUTEN_ORDER, "<2@x>")
    assert inquiry(RAKUTEN_ORDER, "<1@x>") != inquiry("999999-20260101-0123456789", "<2@x>")
    assert inquiry("", "<1@x>") != inquiry("", "<2@x>")


# --- guesses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by_pattern", "tokens", "theirs", "mine", "count"),
    [
        ((), (), (), (), 0),
        (("1-1", "1-2"), (), (), (), 2),
        (("1-1", "1-2"), (), ("1-1",), (), 2),  # somebody else's order and no order: the same
        (("1-1",), (), (), ("1-1",), 0),
        ((), ("500", "600", "700"), (), (), 3),
        ((), ("500", "600", "700"), ("500",), (), 3),
        ((), ("500", "1042"), (), ("1042",), 0),  # a known buyer's sizes and prices are no guesses
        ((), ("500", "1042"), ("500",), ("1042",), 1),
        (("1-1",), ("1042",), (), ("1042",), 1),
        (("A-1", "a-1"), ("A-1",), (), (), 1),
    ],
)
def test_what_counts_as_a_number_named_in_vain(
    by_pattern: tuple[str, ...], tokens: tuple[str, ...], theirs: tuple[str, ...], mine: tuple[str, ...], count: int
) -> None:
    own = [make_order(order_id) for order_id in mine]
    found = [*own, *(make_order(order_id, buyer_mail="else@mail.example") for order_id in theirs)]
    assert failed_lookups(by_pattern, tokens, found, own) == count
