"""Whose draft is this, and may it go out?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from responder.core.approval import (
    Bound,
    Circumstances,
    Contradiction,
    Known,
    Over,
    Papers,
    Stranger,
    bind,
    examine,
    is_of_an_older_draft,
    read_papers,
    recheck,
    text_key,
    told_key,
)
from responder.model import Address, Draft, Place
from tests.builders import NOW, SHOP, make_order

BUYER = Address("田中 花子", "hanako@mail.example")
HERE = Place("Drafts", 7, 3)


def make_draft(**changes: Any) -> Draft:
    values: dict[str, Any] = {
        "id": 1, "case_id": "c1", "account": "main", "state": "drafted", "message_id": "<d1@r.example>", "raw": b"",
        "place": HERE, "touched": False, "template": "t", "situation": "cancel_before_ship", "order_id": "1042",
        "channel": "own", "facts": {"status": "paid"}, "sender": SHOP.address, "recipient": BUYER,
        "in_reply_to": "<b1@mail.example>", "references": ("<b1@mail.example>",), "answers": (1,), "approval": None,
        "told": frozenset(), "attempts": 0, "not_before": None, "first_attempt_at": None, "uncertain_since": None,
        "gone_since": None, "created_at": NOW, "sent_at": None, "copied": False, "marked": False, "removed": False,
    }  # fmt: skip
    return Draft(**{**values, **changes})


def make_papers(**changes: Any) -> Papers:
    values: dict[str, Any] = {
        "message_id": "<x@client.example>", "in_reply_to": (), "references": (), "senders": (Address("", SHOP.address),),
        "recipients": (BUYER,), "was_received": False, "flawed": False,
    }  # fmt: skip
    return Papers(**{**values, **changes})


def known(*drafts: Draft, open_drafts: tuple[Draft, ...] | None = None) -> Known:
    return Known(
        by_place={d.place: d for d in drafts if d.place},
        by_minted_id={d.message_id: d for d in drafts},
        case_of_id={"<b1@mail.example>": "c1", "<b2@mail.example>": "c2"},
        open_drafts={d.case_id: d for d in (drafts if open_drafts is None else open_drafts)},
    )


ELSEWHERE = Place("Approved", 9, 1)


@pytest.mark.parametrize(
    ("papers", "place"),
    [
        (make_papers(), HERE),
        (make_papers(message_id="<d1@r.example>"), ELSEWHERE),
        (make_papers(in_reply_to=("<b1@mail.example>",)), ELSEWHERE),
        (make_papers(references=("<root@mail.example>", "<b1@mail.example>")), ELSEWHERE),
        (make_papers(message_id=None, references=("<b1@mail.example>",)), ELSEWHERE),
    ],
)
def test_one_piece_of_evidence_is_enough(papers: Papers, place: Place) -> None:
    assert bind(papers, place, known(make_draft())) == Bound(make_draft())


def test_evidence_that_names_two_cases_binds_to_none() -> None:
    papers = make_papers(in_reply_to=("<b1@mail.example>",), references=("<b2@mail.example>",))
    assert bind(papers, ELSEWHERE, known(make_draft())) == Contradiction(("c1", "c2"))


def test_a_mail_without_evidence_is_a_stranger() -> None:
    assert bind(make_papers(), ELSEWHERE, known(make_draft())) == Stranger()


def test_a_mail_of_a_closed_case_is_over() -> None:
    papers = make_papers(in_reply_to=("<b1@mail.example>",))
    assert bind(papers, ELSEWHERE, known(make_draft(), open_drafts=())) == Over("c1")


@pytest.mark.parametrize(
    ("papers", "is_older"),
    [
        (make_papers(in_reply_to=("<b0@mail.example>",), references=("<b0@mail.example>",)), True),
        (make_papers(references=("<b0@mail.example>", "<b1@mail.example>")), False),
        (make_papers(in_reply_to=("<b1@mail.example>",)), False),
        (make_papers(message_id="<d1@r.example>", references=("<b0@mail.example>",)), False),
        (make_papers(), False),
    ],
)
def test_a_text_that_does_not_know_the_mail_it_should_answer_is_of_an_older_draft(
    papers: Papers, is_older: bool
) -> None:
    assert is_of_an_older_draft(papers, make_draft()) is is_older
    assert not is_of_an_older_draft(papers, make_draft(in_reply_to=None))


def test_a_replaced_draft_does_not_pass_for_its_successor() -> None:
    old, new = make_draft(state="stale", place=None), make_draft(id=2, message_id="<d2@r.example>", place=None)
    facts = replace(known(old, new), open_drafts={"c1": new})
    assert bind(make_papers(message_id="<d1@r.example>"), ELSEWHERE, facts) == Over("c1")


def test_papers_survive_malformed_headers() -> None:
    papers = read_papers(
        {
            "message-id": ("not an id <a@b> \x00",),
            "references": ("<ok@mail.example> junk <no blank@x>",),
            "from": ("shop@minato-zakka.example",),
            "to": ("hanako@mail.example",),
        }
    )
    assert papers.references == ("<ok@mail.example>",)
    assert papers.recipients == (Address("", "hanako@mail.example"),)


@pytest.mark.parametrize(
    ("papers", "words", "blanks", "code"),
    [
        (make_papers(senders=(Address("", "boss@else.example"),)), "Hello", (), "sender_not_ours"),
        (make_papers(senders=()), "Hello", (), "sender_not_ours"),
        (make_papers(recipients=()), "Hello", (), "recipients_changed"),
        (make_papers(recipients=(BUYER, Address("", "cc@else.example"))), "Hello", (), "recipients_changed"),
        (make_papers(recipients=(Address("", "other@mail.example"),)), "Hello", (), "recipients_changed"),
        (make_papers(flawed=True), "Hello", (), "sender_not_ours"),
        (make_papers(), " \n ", (), "empty_text"),
        (make_papers(), "Hello", ("eta",), "blank_left"),
    ],
)
def test_no_approval_overrides_what_the_mail_itself_lacks(
    papers: Papers, words: str, blanks: tuple[str, ...], code: str
) -> None:
    (found,) = examine(papers, words, blanks, make_draft(), SHOP)
    assert (found.code, found.overridable) == (code, False)


def test_an_alias_and_another_case_of_letters_are_still_ours() -> None:
    papers = make_papers(
        senders=(Address("shop", "Support@Minato-Zakka.example"),), recipients=(Address("", "Hanako@mail.example"),)
    )
    assert examine(papers, "Hello", (), make_draft(), SHOP) == ()


def now(**changes: Any) -> Circumstances:
    values: dict[str, Any] = {
        "order": make_order(), "facts_now": {"status": "paid"}, "newer_mails": 0, "answered": False,
        "reply_mode": "mail", "answerable": True,
    }  # fmt: skip
    return Circumstances(**{**values, **changes})


@pytest.mark.parametrize(
    ("circumstances", "code", "overridable"),
    [
        (now(newer_mails=1), "buyer_wrote_again", True),
        (now(answered=True), "already_answered", True),
        (now(order=None), "order_gone", True),
        (now(facts_now={"status": "shipped"}), "fact_changed", True),
        (now(promise_over=True), "promise_over", True),
        (now(reply_mode="admin_only"), "channel_takes_no_mail", False),
        (now(answerable=False), "address_not_answerable", False),
    ],
)
def test_the_moment_can_object(circumstances: Circumstances, code: str, overridable: bool) -> None:
    (found,) = recheck(make_draft(), circumstances, "t1")
    assert (found.code, found.overridable) == (code, overridable)


def test_what_staff_were_told_about_this_text_no_longer_stops_it() -> None:
    (found,) = recheck(make_draft(), now(newer_mails=1), "t1")
    told = make_draft(told=frozenset({("t1", told_key(found))}))
    assert recheck(told, now(newer_mails=1), "t1") == ()
    assert recheck(told, now(newer_mails=1), "t2") != ()
    assert recheck(told, now(newer_mails=2), "t1") != ()


def test_a_further_change_of_a_fact_is_told_again() -> None:
    (found,) = recheck(make_draft(), now(facts_now={"status": "shipped"}), "t1")
    told = make_draft(told=frozenset({("t1", told_key(found))}))
    assert recheck(told, now(facts_now={"status": "shipped"}), "t1") == ()
    assert recheck(told, now(facts_now={"status": "delivered"}), "t1") != ()


def test_what_cannot_be_overridden_stays_even_when_told() -> None:
    (found,) = recheck(make_draft(), now(answerable=False), "t1")
    told = make_draft(told=frozenset({("t1", told_key(found))}))
    assert recheck(told, now(answerable=False), "t1") == (found,)


def test_wrapping_does_not_change_a_texts_key() -> None:
    assert text_key("承知いたしました。\r\nまた  ご連絡します。 ") == text_key("承知いたしました。また\nご連絡します。")
    assert text_key("a") != text_key("b")
