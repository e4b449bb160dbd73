"""What the outgoing server says, and what becomes of the mail: once, later, refused, unknown."""

from __future__ import annotations

import email
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from responder.flows import filing, sending
from tests.journeys.shop import ADDRESS, BUYER, Shop, header_of, subject_of, text_of, until


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries after a moment instead of minutes."""
    monkeypatch.setattr(sending, "RETRY_MINUTES", (0.01,))
    monkeypatch.setattr(filing, "ASK_AFTER", timedelta(seconds=1))
    monkeypatch.setattr(filing, "ASK_LATE_AFTER", timedelta(seconds=1))


def approved(shop: Shop, text: str = "注文番号1042をキャンセルしてください。") -> str:
    shop.order("1042")
    shop.start()
    message_id = shop.buyer_writes(text)
    shop.approve(shop.wait_for_draft())
    return message_id


def test_what_the_buyers_server_receives_byte_by_byte(shop: Shop) -> None:
    message_id = approved(shop)
    raw = shop.wait_for_mail()
    assert b"\r\n" in raw
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", raw)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    head = raw.split(b"\r\n\r\n", 1)[0].decode("ascii")
    names = re.findall(r"^([!-9;-~]+):", head, re.MULTILINE)
    allowed = {
        "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding", "Reply-To", "Cc",
    }  # fmt: skip
    assert set(names) <= allowed
    assert len(names) == len(set(names))
    mail = email.message_from_bytes(raw)
    assert mail.get_content_charset() == "utf-8"
    assert header_of(raw, "From").endswith(f"<{ADDRESS}>")
    assert header_of(raw, "To").endswith(f"<{BUYER}>")
    assert header_of(raw, "In-Reply-To") == message_id
    assert header_of(raw, "References").split()[-1] == message_id
    assert header_of(raw, "Message-ID").endswith(f"@{ADDRESS.split('@')[1]}>")
    assert "1042" in subject_of(raw) + text_of(raw)


def test_a_server_without_8bitmime_gets_the_same_text_in_seven_bits(shop: Shop) -> None:
    shop.sink.eight_bit = False
    approved(shop)
    raw = shop.wait_for_mail()
    assert raw.isascii()
    assert "1042" in text_of(raw)
    assert "田中" in text_of(raw)


@pytest.mark.parametrize(
    ("at", "reply"), [("mail", "451 later"), ("rcpt", "450 4.2.1 busy"), ("dot", "452 4.3.1 full")]
)
def test_a_temporary_refusal_is_tried_again_until_it_goes_out_once(shop: Shop, at: str, reply: str) -> None:
    shop.sink.fail(at, reply, times=2)
    approved(shop)
    shop.wait_for_mail()
    shop.wait_until_filed()
    assert len(shop.sink.mails) == 1
    assert shop.notes() == []


def test_a_line_that_breaks_before_the_body_is_no_doubt(shop: Shop) -> None:
    shop.sink.fail("data", drop=True, times=1)
    approved(shop)
    shop.wait_for_mail()
    shop.wait_until_filed()
    assert len(shop.sink.mails) == 1


@pytest.mark.parametrize(("at", "reply"), [("rcpt", "550 5.1.1 no such user"), ("dot", "554 5.7.1 refused")])
def test_a_refusal_for_good_goes_back_to_drafts_and_staff_are_told(shop: Shop, at: str, reply: str) -> None:
    shop.sink.fail(at, reply, times=99)
    approved(shop)
    note = until(lambda: next((n for n in shop.notes() if reply[:3] in n), None), "staff are told the server's words")
    assert "1042" in note
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "it lies in Drafts")
    assert shop.sink.mails == []


@pytest.mark.parametrize("kept", [True, False])
def test_no_answer_to_the_final_dot_is_a_persons_to_decide(shop: Shop, kept: bool) -> None:
    shop.sink.fail("dot", drop=True, kept=kept)
    approved(shop)
    until(shop.notes, "a person is asked")
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "the draft lies in Drafts")
    assert len(shop.sink.mails) == (1 if kept else 0)
    shop.approve(shop.drafts()[0])
    shop.wait_for_mail(2 if kept else 1)
    until(lambda: not shop.lies_in("承認") and len(shop.lies_in("Sent")) == 1, "filed once")
    assert len({header_of(m.raw, "Message-ID") for m in shop.sink.mails}) == 1


def test_sent_settles_an_unknown_outcome_by_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "ASK_AFTER", timedelta(minutes=5))
    shop.sink.fail("dot", drop=True, kept=True)
    message_id = approved(shop)
    accepted = shop.wait_for_mail()
    with shop.staff("Sent") as client:
        client.append("Sent", accepted, [b"\\Seen"])
    until(lambda: shop.answered(message_id), "the original is marked answered")
    until(lambda: not shop.lies_in("承認") and not shop.drafts(), "the draft is gone")
    assert len(shop.sink.mails) == 1
    assert len(shop.lies_in("Sent")) == 1
    assert shop.notes() == []


def test_a_server_that_files_by_itself_leaves_one_copy(shop: Shop) -> None:
    shop.quiet_s = 0.2
    approved(shop)
    raw = shop.wait_for_mail()
    shop.wait_until_filed()
    with shop.staff("Sent") as client:
        client.append("Sent", raw, [b"\\Seen"])
    until(lambda: len(shop.lies_in("Sent")) == 1, "our own copy makes room for the server's")


def test_a_refused_login_keeps_the_mail_approved_and_tells_staff_once(shop: Shop) -> None:
    shop.sink.fail("auth", "535 5.7.8 bad", times=2)
    approved(shop)
    shop.wait_for_mail()
    shop.wait_until_filed()
    assert len(shop.sink.mails) == 1
    assert len([n for n in shop.notes() if n]) == 1


def test_many_approvals_go_out_in_one_session(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.quiet_s = 3
    for number in range(12):
        shop.order(str(5000 + number), buyer_mail=f"b{number}@mail.example", buyer_name=f"山田 {number}")
    shop.start()
    for number in range(12):
        shop.buyer_writes(
            f"注文番号{5000 + number}をキャンセルしてください。", sender=f"b{number}@mail.example", name="山田"
        )
    until(lambda: len(shop.drafts()) == 12, "twelve drafts")
    with shop.staff() as client:
        client.move([d.uid for d in shop.drafts()], "承認")
    shop.wait_for_mail(12)
    shop.wait_until_filed()
    assert sorted(m.recipients[0] for m in shop.sink.mails) == sorted(f"b{n}@mail.example" for n in range(12))
    assert shop.sink.logged_in <= 2
