"""kill -9 in every journal state, on a real Dovecot and with real processes: nothing lost, nothing doubled, nothing
sent that nobody approved."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from tests.journeys.shop import Shop, header_of, text_of, until
from tests.journeys.test_approval import thunderbird_saves

NOT_CERTAIN = ("sending committed", "250 read")


def dies_at(shop: Shop, point: str) -> None:
    shop.start_process(point=point)


def wait_for_death(shop: Shop) -> None:
    assert shop.process is not None
    assert shop.process.wait(180) == -9, (shop.folder / "log.txt").read_text()
    shop.process = None


@pytest.mark.parametrize(
    "point",
    ["mail seen", "before the drafting commit", "drafting committed", "draft appended", "drafted committed"],
)
def test_on_the_way_to_the_draft(on_dovecot: Callable[..., Shop], point: str) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.start_process()
    shop.wait_until_watching()
    shop.stop()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    dies_at(shop, point)
    wait_for_death(shop)
    shop.start_process()
    shop.wait_for_draft()
    shop.approve(shop.drafts()[0])
    shop.wait_for_mail()
    shop.wait_until_filed()
    until(lambda: shop.answered(message_id), "marked answered")
    assert len(shop.sink.mails) == 1
    assert shop.drafts() == []


@pytest.mark.parametrize("point", ["hold decided", "note appended"])
def test_on_the_way_to_a_note(on_dovecot: Callable[..., Shop], point: str) -> None:
    shop = on_dovecot()
    shop.start_process()
    shop.wait_until_watching()
    shop.stop()
    shop.buyer_writes("注文をキャンセルしてください。番号は分かりません。")
    dies_at(shop, point)
    wait_for_death(shop)
    shop.start_process()
    until(shop.notes, "a note")
    second = shop.buyer_writes(
        "問い合わせの返事がまだです。弁護士に相談します。", sender="ken@mail.example", name="鈴木"
    )
    until(lambda: len(shop.notes()) >= 2, "the next mail's note")
    notes = [header_of(s.raw, "In-Reply-To") for s in shop.lies_in("Responder")]
    assert len(notes) == 2
    assert second in notes
    assert shop.drafts() == []


@pytest.mark.parametrize(
    "point",
    [
        "before the approval commit",
        "approved committed",
        "before the sending commit",
        "sent committed",
        "sent copy appended",
        "sent copy committed",
        "original marked",
        "draft removed",
        "filed committed",
    ],
)
def test_on_the_way_out(on_dovecot: Callable[..., Shop], point: str) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.start_process()
    shop.wait_until_watching()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft())
    shop.stop()
    dies_at(shop, point)
    wait_for_death(shop)
    shop.start_process()
    shop.wait_for_mail()
    shop.wait_until_filed()
    until(lambda: shop.answered(message_id), "marked answered")
    other = shop.buyer_writes("届きました。ありがとうございました！", sender="ken@mail.example", name="鈴木")
    until(lambda: any(other.encode() in s.raw for s in shop.lies_in("INBOX")), "life goes on")
    assert len(shop.sink.mails) == 1
    assert len(shop.lies_in("Sent")) == 1
    assert shop.drafts() == []


@pytest.mark.parametrize("point", NOT_CERTAIN)
def test_where_nobody_can_know_a_person_is_asked_and_nothing_is_repeated(
    on_dovecot: Callable[..., Shop], point: str
) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.start_process()
    shop.wait_until_watching()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft())
    shop.stop()
    dies_at(shop, point)
    wait_for_death(shop)
    accepted = len(shop.sink.mails)
    assert accepted == (1 if point == "250 read" else 0)
    dies_at(shop, "never")
    until(shop.notes, "a person is asked")
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "the draft lies in Drafts")
    assert len(shop.sink.mails) == accepted
    # The person decides: once more. The same Message-ID as at the first attempt goes out.
    shop.approve(shop.drafts()[0])
    shop.wait_for_mail(accepted + 1)
    until(lambda: not shop.lies_in("承認") and len(shop.lies_in("Sent")) == 1, "filed once")
    assert len({header_of(m.raw, "Message-ID") for m in shop.sink.mails}) == 1


def test_the_person_says_it_was_sent(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.start_process()
    shop.wait_until_watching()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft())
    shop.stop()
    dies_at(shop, "250 read")
    wait_for_death(shop)
    dies_at(shop, "never")
    until(lambda: len(shop.drafts()) == 1, "the draft lies in Drafts")
    with shop.staff() as client:
        client.move([shop.drafts()[0].uid], "Sent")
    until(lambda: shop.answered(message_id), "the original is marked answered")
    assert len(shop.sink.mails) == 1
    assert len(shop.lies_in("Sent")) == 1


def test_staff_answer_while_we_are_down(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.start_process()
    shop.wait_until_watching()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft()
    shop.kill()
    with shop.staff() as client:
        reply = (
            f"From: shop@minato-zakka.example\r\nTo: hanako@mail.example\r\nSubject: Re\r\nMessage-ID: <own@x.example>\r\n"
            f"In-Reply-To: {message_id}\r\nReferences: {message_id}\r\n\r\nDone.\r\n"
        )
        client.append("Sent", reply.encode(), [b"\\Seen"])
    dies_at(shop, "case closed by staff")
    with contextlib.suppress(AssertionError):
        wait_for_death(shop)
    shop.start_process()
    until(lambda: not shop.drafts(), "our draft is withdrawn")
    until(lambda: shop.answered(message_id), "the original is marked answered")
    assert shop.sink.mails == []


def test_what_was_found_wanting_is_not_approved_by_a_restart(on_dovecot: Callable[..., Shop]) -> None:
    """It dies after "not sent" is written and before the draft is back in Drafts: lying in Approved it is no second
    approval, although approving the same text again would send it."""
    shop = on_dovecot()
    shop.order("1042")
    shop.start_process()
    shop.wait_until_watching()
    first = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    thunderbird_saves(shop, shop.wait_for_draft(), "承知いたしました。佐藤")
    shop.buyer_writes("やっぱり届け先も変えたいです。", headers={"In-Reply-To": first, "References": first})
    until(shop.notes, "staff are told")
    shop.stop()
    dies_at(shop, "not sent committed")
    shop.approve(shop.drafts()[-1])
    wait_for_death(shop)
    assert len(shop.lies_in("承認")) == 1
    shop.start_process()
    until(lambda: shop.drafts() and not shop.lies_in("承認"), "back in Drafts")
    assert shop.sink.mails == []
    shop.approve(shop.drafts()[-1])
    assert "承知いたしました" in text_of(shop.wait_for_mail())
    assert len(shop.sink.mails) == 1
