"""Whose mail is it, and who is told what: forged senders, threads that others write in, aliases."""

from __future__ import annotations

from tests.journeys.shop import BUYER, Shop, header_of, text_of, until

MX = "mx.minato-zakka.example"
VOUCHED = {"Authentication-Results": f"{MX}; dmarc=pass header.from=mail.example"}
FORGED = {"Authentication-Results": f"{MX}; dmarc=fail header.from=mail.example"}


def test_somebody_else_in_the_thread_has_a_matter_of_his_own(quick_shop: Shop) -> None:
    """Both drafts can be approved: quoting the other's ids neither takes over nor blocks his draft."""
    shop = quick_shop
    shop.order("1042")
    shop.order("1043", buyer_mail="jiro@else.example", buyer_name="田中 次郎")
    shop.start()
    first = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.wait_for_draft()
    thread = {"In-Reply-To": first, "References": first}
    second = shop.buyer_writes(
        "注文番号1043をキャンセルしてください。", sender="jiro@else.example", name="次郎", headers=thread
    )
    shop.wait_for_draft(2)
    for draft in shop.drafts():
        shop.approve(draft)
    shop.wait_for_mail(2)
    shop.wait_until_filed()
    sent = {mail.recipients[0]: mail.raw for mail in shop.sink.mails}
    assert set(sent) == {BUYER, "jiro@else.example"}
    assert "1042" in text_of(sent[BUYER])
    assert "1042" not in text_of(sent["jiro@else.example"])
    assert header_of(sent["jiro@else.example"], "In-Reply-To") == second
    until(lambda: shop.answered(first) and shop.answered(second), "both are marked")
    assert shop.notes() == []


def test_a_forged_mail_touches_nothing_of_the_buyer_it_names(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.account_extra = f'authserv_id = "{MX}"'
    shop.order("1042", status="shipped", carrier="yamato", tracking_no="123456789012")
    shop.start()
    first = shop.buyer_writes("注文番号1042はいつ届きますか。", headers=VOUCHED)
    draft = shop.wait_for_draft()
    shop.buyer_writes("注文番号1042をキャンセルしてください。", headers={**FORGED, "In-Reply-To": first})
    note = shop.wait_for_note("受信サーバー")
    assert "1234" not in note
    assert [d.raw for d in shop.drafts()] == [draft.raw]
    # The buyer writes again: what the forger wrote is no part of it.
    shop.buyer_writes("急いでいます。いつ届くか教えてください。", headers=VOUCHED)
    until(lambda: shop.drafts() and shop.drafts()[0].raw != draft.raw, "a new draft answers both")
    assert "キャンセル" not in text_of(shop.drafts()[0].raw)
    shop.approve(shop.drafts()[0])
    shop.wait_for_mail()
    shop.wait_until_filed()
    assert len(shop.sink.mails) == 1


def test_guessed_numbers_and_a_reply_to_elsewhere_tell_nothing(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042", status="shipped", carrier="yamato", tracking_no="123456789012")
    shop.start()
    notes = []
    for text, sender, headers in (
        ("注文番号1042はどこですか。", "stranger@mail.example", {}),
        ("注文番号9999はどこですか。", "other@mail.example", {}),
        ("注文番号1042はどこですか。", BUYER, {"Reply-To": "else@mail.example"}),
    ):
        before = len(shop.notes())
        shop.buyer_writes(text, sender=sender, name="誰か", headers=headers)
        until(lambda before=before: len(shop.notes()) > before, "a person is told")
        notes.append(shop.notes()[-1])
    assert shop.drafts() == []
    assert shop.sink.mails == []
    assert "else@mail.example" in notes[2]
    assert not any("123456789012" in note for note in notes)
    assert notes[0].replace("1042", "N") == notes[1].replace("9999", "N")


def test_who_guesses_too_many_numbers_has_none_looked_up_any_more(quick_shop: Shop) -> None:
    """At most ten look-ups a mail and twenty in vain a day; then even a right number goes to a person."""
    shop = quick_shop
    shop.order("1042", buyer_mail="guesser@mail.example")
    shop.order("1043", buyer_mail="ken@mail.example", buyer_name="鈴木 健")
    shop.start()

    def write(text: str) -> str:
        before = len(shop.notes())
        shop.buyer_writes(text, sender="guesser@mail.example", name="誰か")
        until(lambda: len(shop.notes()) > before or shop.drafts(), "it is decided")
        return shop.notes()[-1] if shop.notes() else ""

    for start in (5000, 6000):
        numbers = "、".join(f"249-1234567-{n:07d}" for n in range(start, start + 15))
        assert "調べるのを止めました" not in write(f"注文番号 {numbers} はどこですか。")
    note = write("注文番号1042をキャンセルしてください。")
    assert "調べるのを止めました" in note
    assert "20件" in note
    assert shop.drafts() == []
    # Nobody else is touched by it.
    shop.buyer_writes("注文番号1043をキャンセルしてください。", sender="ken@mail.example", name="鈴木 健")
    shop.wait_for_draft()


AMAZON_ORDER, OTHER_ORDER = "249-1234567-1234567", "249-7654321-7654321"


def test_what_a_marketplace_does_not_thread_is_threaded_by_alias_and_order(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order(AMAZON_ORDER, channel="amazon", buyer_mail="a1@marketplace.amazon.co.jp")
    shop.order(OTHER_ORDER, channel="amazon", buyer_mail="a1@marketplace.amazon.co.jp")
    shop.start()

    def write(tag: str, text: str, order: str) -> str:
        framed = f"Order ID: {order}\n--- Begin message ---\n{text}\n--- End message ---\n"
        return shop.buyer_writes(framed, sender=f"a1+{tag}@marketplace.amazon.co.jp", subject=f"x (Order: {order})")

    def answered() -> dict[str, str]:
        return {header_of(d.raw, "In-Reply-To"): header_of(d.raw, "To") for d in shop.drafts()}

    write("c1", "キャンセルしてください。", AMAZON_ORDER)
    shop.wait_for_draft()
    other = write("c2", "キャンセルしてください。", OTHER_ORDER)
    until(lambda: other in answered() and len(answered()) == 2, "another order is another matter")
    again = write("c3", "キャンセルをお願いします。", AMAZON_ORDER)
    until(lambda: set(answered()) == {other, again}, "the first matter has one draft, for both mails")
    assert answered()[again].endswith("<a1+c3@marketplace.amazon.co.jp>")
    (note,) = until(lambda: [n for n in shop.all_notes() if "返信不要" in n], "staff are told of the other address")
    assert "Seller Central" in note
    # Taken back under yet another tag: the cancel must not go out.
    write("c4", "やはりキャンセルしないでください。", AMAZON_ORDER)
    until(lambda: set(answered()) == {other}, "its draft is withdrawn")
