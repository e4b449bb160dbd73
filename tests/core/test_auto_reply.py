"""Who gets the one mail that leaves without an approval: nobody in doubt (RFC 3834)."""

from __future__ import annotations

import email
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from responder.core import headers
from responder.core.auto_reply import AutoReply, is_receipt, receipt_bytes, why_not
from responder.core.channels import Channel
from responder.core.clocks import Clocks, first_look, look
from responder.errors import MessageError
from responder.model import Address, Case, CaseFile, DraftLine, Identity, Letter, MailLine, Message

SHOP = Identity("shop@minato-zakka.example", ("support@minato-zakka.example",), "みなと雑貨店")
OWN = Channel("own")
BUYER = Address("田中 花子", "hanako@mail.example")
NOW = datetime(2026, 11, 16, 1, tzinfo=UTC)


def mail(*, head: dict[str, str] | None = None, **changes: object) -> Message:
    usual = replace(
        Message.blank("ja"),
        message_id="<1@mail.example>",
        sender=BUYER,
        to=(Address("", SHOP.address),),
        return_path=BUYER.mail,
        subject="質問です",
        new_text="素材を教えてください。",
        text="素材を教えてください。",
        headers={name: (value,) for name, value in (head or {}).items()},
    )
    return replace(usual, **changes)


def test_a_person_who_wrote_to_the_shop_himself_gets_it() -> None:
    assert why_not(mail(), OWN, SHOP, trusted=True) is None
    assert why_not(mail(return_path="Hanako@MAIL.example"), OWN, SHOP, trusted=True) is None
    assert why_not(mail(head={"auto-submitted": "no"}), OWN, SHOP, trusted=True) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (mail(head={"auto-submitted": "auto-replied"}), "machine"),
        (mail(head={"auto-submitted": "auto-generated (rejected)"}), "machine"),
        (mail(head={"list-id": "<friends.example>"}), "machine"),
        (mail(head={"list-unsubscribe": "<https://news.example>"}), "machine"),
        (mail(head={"precedence": "bulk"}), "machine"),
        (mail(head={"precedence": "junk"}), "machine"),
        (mail(head={"x-auto-response-suppress": "OOF, AutoReply"}), "machine"),
        (mail(head={"content-type": "multipart/report; report-type=delivery-status"}), "machine"),
        (mail(return_path=""), "machine"),
        (mail(return_path=None), "return_path"),
        (mail(return_path="bounce-77@mailer.example"), "return_path"),
        (mail(sender=Address("", "mailer-daemon@mail.example")), "machine"),
        (mail(sender=Address("", "noreply@mail.example")), "machine"),
        (mail(sender=Address("", "friends-request@mail.example"), return_path="friends-request@mail.example"), "list"),
        (mail(sender=Address("", "owner-friends@mail.example"), return_path="owner-friends@mail.example"), "list"),
        (mail(sender=Address("", SHOP.address), return_path=SHOP.address), "machine"),
        (mail(sender=None), "no_sender"),
        (mail(message_id=None), "no_sender"),
        (mail(to=(Address("", "all@mail.example"),)), "not_to_us"),
        (mail(to=()), "not_to_us"),
        (mail(reply_to=(Address("", "else@where.example"),)), "not_vouched_for"),
        (mail(new_text="ただいま不在にしております。戻り次第ご連絡いたします。", subject="自動返信"), "machine"),
    ],
)
def test_whoever_may_be_no_person_gets_none(message: Message, expected: str) -> None:
    assert why_not(message, OWN, SHOP, trusted=True) == expected


@pytest.mark.parametrize("trusted", [None, False])
def test_an_address_nobody_vouches_for_gets_none(trusted: bool | None) -> None:
    assert why_not(mail(), OWN, SHOP, trusted=trusted) == "not_vouched_for"


@pytest.mark.parametrize("channel", [Channel("amazon"), Channel("rakuten"), Channel("form", kind="form")])
def test_marketplaces_and_forms_get_none(channel: Channel) -> None:
    assert why_not(mail(), channel, SHOP, trusted=True) == "channel"


def letter(text: str = "お問い合わせの内容は、担当者が確認しております。") -> Letter:
    shop = Address(SHOP.display_name, SHOP.address)
    return Letter(shop, Address("", BUYER.mail), "確認しております", text, "<1@mail.example>", ("<1@mail.example>",))


def test_what_leaves_says_that_a_machine_wrote_it() -> None:
    raw = receipt_bytes(letter(), message_id="<aa.a@minato-zakka.example>", date=headers.date(NOW))
    found = email.message_from_bytes(raw)
    assert found["Auto-Submitted"] == "auto-replied"
    assert found["X-Auto-Response-Suppress"] == "All"
    assert found["In-Reply-To"] == found["References"] == "<1@mail.example>"
    assert found["Reply-To"] is None
    assert is_receipt(found["Message-ID"], SHOP)
    assert not is_receipt("<aa.r@minato-zakka.example>", SHOP)
    with pytest.raises(MessageError):
        receipt_bytes(
            letter("【要確認: 回答日】まで"), message_id="<aa.a@minato-zakka.example>", date=headers.date(NOW)
        )


CASE = Case("c1", "main", "open", None, BUYER.mail, "own", None, "ja", NOW, NOW + timedelta(hours=24))
HELD = CaseFile(CASE, (MailLine(1, "hold", "other", "care-question", False, NOW),))


def wants(file: CaseFile, auto: AutoReply | None, hours: float) -> bool:
    return look(file, Clocks(auto=auto), NOW + timedelta(hours=hours), begun=NOW - timedelta(days=9)).wants_receipt


def test_only_what_the_owner_switched_on_leaves_and_once_for_a_case() -> None:
    everything, named, other = (
        AutoReply(frozenset("*")),
        AutoReply(frozenset({"care-question"})),
        AutoReply(frozenset("x")),
    )
    assert not wants(HELD, None, 30)
    for auto, expected in ((everything, True), (named, True), (other, False)):
        assert not wants(HELD, auto, 19)
        assert wants(HELD, auto, 20.1) is expected
    assert not wants(replace(HELD, was_told=True), everything, 30)
    assert not wants(replace(HELD, case=replace(CASE, looked_at=NOW + timedelta(hours=21))), everything, 30)
    assert not wants(replace(HELD, case=replace(CASE, deadline_at=NOW - timedelta(hours=1))), everything, 1)
    sent = DraftLine(1, "filed", "holding", "holding", None, NOW, NOW, NOW)
    assert not wants(replace(HELD, drafts=(sent,)), everything, 30)
    told = look(replace(HELD, was_told=True), Clocks(auto=everything), NOW + timedelta(hours=21), begun=NOW)
    assert not told.wants_holding


def test_at_arrival_it_leaves_at_the_first_look() -> None:
    at_once = AutoReply(frozenset("*"), at="arrival")
    assert first_look(NOW, CASE.deadline_at, Clocks(auto=at_once)) == NOW
    assert wants(HELD, at_once, 0)
    assert not wants(replace(HELD, case=replace(CASE, looked_at=NOW)), at_once, 21)
