"""Replies through a marketplace's own server, which takes them from registered addresses after a login only."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from responder.flows import filing, sending
from tests.journeys.shop import ADDRESS, Shop, header_of, text_of, until
from tests.servers.dovecot import Certificate
from tests.servers.sink import Sink

REGISTERED = "mall@minato-zakka.example"
MASKED = "a1b2c3@pc.fw.rakuten.ne.jp"
ORDER = "123456-20261118-0123456789"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries after a moment instead of minutes."""
    monkeypatch.setattr(sending, "RETRY_MINUTES", (0.01,))
    monkeypatch.setattr(filing, "ASK_AFTER", timedelta(seconds=1))


@pytest.fixture
def rakuten(certificate: Certificate, tls_context: ssl.SSLContext) -> Iterator[Sink]:
    """STARTTLS, AUTH, envelope sender and From: what the mall's server insists on."""
    with Sink(
        logins={"shop": "rms-password"},
        auth_required=True,
        tls="starttls",
        context=tls_context,
        ca_file=str(certificate.ca),
        registered=(REGISTERED, "bounce@minato-zakka.example"),
    ) as server:
        yield server


def begin(shop: Shop) -> str:
    """A buyer of the mall and one of the own site have written."""
    shop.order(ORDER, channel="rakuten", buyer_mail=MASKED)
    shop.order("1042")
    shop.start()
    return shop.buyer_writes(f"注文番号{ORDER}をキャンセルしてください。", sender=MASKED)


def test_a_reply_leaves_through_the_mall_s_server_from_the_registered_address(quick_shop: Shop, rakuten: Sink) -> None:
    shop = quick_shop
    shop.add_relay("rakuten", rakuten, address=REGISTERED, envelope_from="bounce@minato-zakka.example")
    original = begin(shop)
    draft = shop.wait_for_draft()
    assert header_of(draft.raw, "From").endswith(f"<{REGISTERED}>")
    own = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft(2)
    for each in shop.drafts():
        shop.approve(each)
    until(lambda: rakuten.mails and shop.sink.mails, "each server has its mail")
    until(lambda: shop.answered(original) and shop.answered(own) and len(shop.lies_in("Sent")) == 2, "both are filed")
    (mail,), (other,) = rakuten.mails, shop.sink.mails
    assert (mail.envelope_from, mail.recipients, mail.username) == ("bounce@minato-zakka.example", (MASKED,), "shop")
    assert header_of(mail.raw, "From").endswith(f"<{REGISTERED}>")
    assert ORDER in text_of(mail.raw)
    assert (other.envelope_from, other.recipients) == (ADDRESS, ("hanako@mail.example",))
    assert shop.notes() == []


def test_an_unregistered_sender_is_told_with_what_to_compare(quick_shop: Shop, rakuten: Sink) -> None:
    shop = quick_shop
    shop.add_relay("rakuten", rakuten, address=REGISTERED, envelope_from="old@minato-zakka.example")
    begin(shop)
    shop.approve(shop.wait_for_draft())
    note = shop.wait_for_note("552 5.2.0")
    assert "old@minato-zakka.example" in note
    assert "楽天市場" in note
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "it lies in Drafts")
    assert rakuten.mails == shop.sink.mails == []


def test_a_reply_from_another_address_of_the_shop_is_not_even_tried(quick_shop: Shop, rakuten: Sink) -> None:
    shop = quick_shop
    shop.add_relay("rakuten", rakuten, address=REGISTERED)
    begin(shop)
    draft = shop.wait_for_draft()
    changed = draft.raw.replace(REGISTERED.encode(), ADDRESS.encode())
    with shop.staff() as client:
        client.append("承認", changed, ["\\Seen", "\\Draft"])
        client.delete_messages([draft.uid])
        client.expunge()
    note = shop.wait_for_note(REGISTERED)
    assert "差出人" in note
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "it lies in Drafts")
    assert "AUTH" not in rakuten.commands
    assert rakuten.mails == []


def test_a_refused_login_holds_up_the_mall_only_and_sending_goes_on_once_it_is_right(
    quick_shop: Shop, rakuten: Sink
) -> None:
    shop = quick_shop
    shop.add_relay("rakuten", rakuten, address=REGISTERED, password="renewed-since")
    begin(shop)
    shop.wait_for_draft()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft(2)
    for each in shop.drafts():
        shop.approve(each)
    shop.wait_for_mail()
    note = shop.wait_for_note("ログイン")
    assert "楽天市場" in note
    assert "パスワード" in note
    assert rakuten.mails == []
    (shop.folder / "rakuten.secret").write_text("rms-password\n")
    until(lambda: rakuten.mails, "the right password lets it out")
    until(lambda: not shop.lies_in("承認"), "it is filed")
    assert len(rakuten.mails) == len(shop.sink.mails) == len(shop.notes()) == 1


def test_a_server_that_never_answers_holds_up_its_own_mails_only(quick_shop: Shop, rakuten: Sink) -> None:
    shop = quick_shop
    shop.add_relay("rakuten", rakuten, address=REGISTERED)
    rakuten.fail("connect", stall=True)
    begin(shop)
    shop.approve(shop.wait_for_draft())
    until(lambda: rakuten.connections, "the mall's server is asked")
    own = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft())
    shop.wait_for_mail()
    until(lambda: shop.answered(own), "it is filed")
    assert rakuten.mails == []


def test_without_the_mall_s_server_nothing_is_sent_and_staff_are_told(quick_shop: Shop) -> None:
    shop = quick_shop
    begin(shop)
    shop.approve(shop.wait_for_draft())
    note = shop.wait_for_note("account.relay")
    assert "楽天市場" in note
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "it lies in Drafts")
    assert shop.sink.mails == []


@pytest.mark.parametrize("kept", [True, False])
def test_no_answer_of_the_mall_s_server_is_a_persons_to_decide(quick_shop: Shop, rakuten: Sink, kept: bool) -> None:
    shop = quick_shop
    shop.add_relay("rakuten", rakuten, address=REGISTERED)
    rakuten.fail("dot", drop=True, kept=kept)
    begin(shop)
    shop.approve(shop.wait_for_draft())
    until(shop.notes, "a person is asked")
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "the draft lies in Drafts")
    assert len(rakuten.mails) == (1 if kept else 0)
    shop.approve(shop.drafts()[0])
    until(lambda: len(rakuten.mails) == (2 if kept else 1), "sent once more, by a person")
    assert len({header_of(m.raw, "Message-ID") for m in rakuten.mails}) == 1
    assert shop.sink.mails == []


def test_amazon_may_have_a_registered_address_without_a_server_of_its_own(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.relays = f'[[account.relay]]\nchannel = "amazon"\naddress = "{REGISTERED}"\n'
    shop.order("249-1234567-1234567", channel="amazon", buyer_mail="a1b2@marketplace.amazon.co.jp")
    shop.start()
    shop.buyer_writes("注文249-1234567-1234567をキャンセルしてください。", sender="a1b2+c1@marketplace.amazon.co.jp")
    shop.approve(shop.wait_for_draft())
    shop.wait_for_mail()
    (mail,) = shop.sink.mails
    assert (mail.envelope_from, mail.recipients) == (REGISTERED, ("a1b2+c1@marketplace.amazon.co.jp",))


def test_a_second_mail_of_a_masked_address_joins_its_order(quick_shop: Shop, rakuten: Sink) -> None:
    shop = quick_shop
    shop.add_relay("rakuten", rakuten, address=REGISTERED)
    other = ORDER.replace("0123456789", "0123456790")
    shop.order(other, channel="rakuten", buyer_mail=MASKED)
    begin(shop)
    first = shop.wait_for_draft()
    again = shop.buyer_writes("先ほどのキャンセルの件、よろしくお願いします。", sender=MASKED)
    until(lambda: [header_of(d.raw, "In-Reply-To") for d in shop.drafts()] == [again], "one draft answers both")
    assert shop.drafts()[0].raw != first.raw
    shop.buyer_writes(f"注文番号{other}もキャンセルしてください。", sender=MASKED)
    shop.wait_for_draft(2)


def test_killed_at_the_mall_s_server_a_person_is_asked_and_nothing_is_repeated(
    on_dovecot: Callable[..., Shop], rakuten: Sink
) -> None:
    shop = on_dovecot()
    shop.add_relay("rakuten", rakuten, address=REGISTERED)
    shop.order(ORDER, channel="rakuten", buyer_mail=MASKED)
    shop.start_process()
    shop.wait_until_watching()
    shop.buyer_writes(f"注文番号{ORDER}をキャンセルしてください。", sender=MASKED)
    shop.approve(shop.wait_for_draft())
    shop.stop()
    shop.start_process(point="250 read")
    assert shop.process is not None
    assert shop.process.wait(180) == -9, (shop.folder / "log.txt").read_text()
    shop.process = None
    assert len(rakuten.mails) == 1
    shop.start_process()
    until(shop.notes, "a person is asked")
    until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "the draft lies in Drafts")
    assert (len(rakuten.mails), shop.sink.mails) == (1, [])
