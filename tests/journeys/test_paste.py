r"""Channels that are answered in an admin page: the draft is text to paste, no mail of it ever leaves, and staff say by
moving or deleting it what became of it."""

from __future__ import annotations

from tests.journeys.shop import Shop, header_of, move, text_of, until

NOTICE = "rms-info@mail.rms.rakuten.co.jp"
ORDER = "123456-20261118-0123456789"


def inquiry(shop: Shop, text: str = "注文をキャンセルしてください。", order_id: str = ORDER) -> str:
    body = f"店舗様\n■注文番号：{order_id}\n■お客様名：田中\n■お問い合わせ内容\n{text}\n"
    return shop.buyer_writes(body, sender=NOTICE, name="楽天市場", subject="【R-Messe】お客様からお問い合わせ")


def begin(shop: Shop) -> str:
    shop.order(ORDER, channel="rakuten", buyer_mail="abc@pc.fw.rakuten.ne.jp")
    shop.start()
    return inquiry(shop)


def test_the_draft_is_text_to_paste_and_the_note_names_the_page(shop: Shop) -> None:
    original = begin(shop)
    draft = shop.wait_for_draft()
    assert header_of(draft.raw, "To").endswith("<paste@rakuten.paste.invalid>")
    assert header_of(draft.raw, "In-Reply-To") == original
    text = text_of(draft.raw)
    assert ORDER in text
    assert "> " not in text, "nothing but what is to be pasted"
    (note,) = until(shop.all_notes, "a note")
    for word in ("RMS（R-Messe）", ORDER, "Sent", "承認", "キャンセルしてください", "RMSで注文"):
        assert word in note
    assert "paste" not in text + note


def test_approved_it_comes_back_with_what_to_do_however_often(shop: Shop) -> None:
    begin(shop)
    shop.wait_for_draft()
    for time in (1, 2):
        shop.approve(shop.drafts()[0])
        until(lambda time=time: len(shop.notes()) == time, "staff are told again")
        until(lambda: len(shop.drafts()) == 1 and not shop.lies_in("承認"), "it lies in Drafts")
        assert "RMS（R-Messe）" in shop.notes()[-1]
    assert shop.sink.connections == 0


def test_moved_to_sent_it_is_done_and_the_original_is_marked(shop: Shop) -> None:
    original = begin(shop)
    draft = shop.wait_for_draft()
    with shop.staff() as client:
        client.add_flags([draft.uid], ["\\Seen"])
        move(client, draft.uid, "Sent")
    until(lambda: shop.answered(original), "the original is marked")
    assert shop.notes() == []
    assert shop.sink.connections == 0
    until(lambda: "pasted_by_staff" in shop.kinds(), "the case is closed")
    # The matter is closed: what the buyer writes later is a new one.
    again = inquiry(shop, "注文をキャンセルしてください。急いでいます。")
    draft = shop.wait_for_draft()
    assert header_of(draft.raw, "In-Reply-To") == again
    assert "急いで" not in text_of(draft.raw)


def test_deleted_it_is_over_without_a_mark(shop: Shop) -> None:
    original = begin(shop)
    draft = shop.wait_for_draft()
    with shop.staff() as client:
        move(client, draft.uid, "ゴミ箱")
    until(lambda: "discarded" in shop.kinds(), "the refusal is noticed")
    second = inquiry(shop, "やはりキャンセルをお願いします。")
    draft = shop.wait_for_draft()
    assert header_of(draft.raw, "In-Reply-To") == second
    assert not shop.answered(original)
    assert len(shop.drafts()) == 1
    assert shop.notes() == []


def test_sent_by_a_mail_client_it_reached_nobody_and_staff_are_told(shop: Shop) -> None:
    original = begin(shop)
    draft = shop.wait_for_draft()
    with shop.staff() as client:
        sent = b"User-Agent: a mail program\r\n" + draft.raw
        client.append("Sent", sent, ["\\Seen"])
        client.delete_messages([draft.uid])
        client.expunge()
    note = shop.wait_for_note("届いていません")
    assert "楽天市場" in note
    assert not shop.answered(original)


def test_inquiries_of_different_buyers_are_different_matters(quick_shop: Shop) -> None:
    """All come from one notice address, more of them a day than one buyer may write."""
    shop = quick_shop
    numbers = [f"123456-20261118-{n:010d}" for n in range(5)]
    for number in numbers:
        shop.order(number, channel="rakuten", buyer_mail=f"m{number[-2:]}@pc.fw.rakuten.ne.jp")
    shop.start()
    for number in numbers:
        inquiry(shop, order_id=number)
    until(lambda: len(shop.drafts()) == 5, "a draft for each")
    found = [text_of(draft.raw) for draft in shop.drafts()]
    for number in numbers:
        assert sum(number in text for text in found) == 1
    # The second inquiry about an order joins the first.
    inquiry(shop, "キャンセルはいつ完了しますか。キャンセルしてください。", numbers[0])
    until(lambda: len([n for n in shop.all_notes() if numbers[0] in n]) == 2, "a new draft answers both")
    assert len(shop.drafts()) == 5


def test_a_formal_cancel_request_without_an_address_is_a_person_s(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("249-1234567-1234567", channel="amazon", buyer_mail="a1b2@marketplace.amazon.co.jp")
    shop.start()
    shop.buyer_writes(
        "購入者が注文 249-1234567-1234567 のキャンセルをリクエストしました。",
        sender="seller-notification@amazon.co.jp",
        subject="注文のキャンセルリクエスト",
    )
    note = shop.wait_for_note("正式なキャンセル申請")
    assert "Amazon" in note
    assert shop.drafts() == []


def test_a_held_inquiry_is_closed_by_moving_its_note_to_sent(shop: Shop) -> None:
    shop.order(ORDER, channel="rakuten", buyer_mail="abc@pc.fw.rakuten.ne.jp")
    shop.start()
    original = inquiry(shop, "商品から煙が出て、やけどをしました。")
    note = shop.wait_for_note("移してください")
    assert "RMS（R-Messe）" in note
    assert shop.drafts() == []
    with shop.staff("Responder") as client:
        (uid,) = client.search(["ALL"])
        client.add_flags([uid], ["\\Seen"])
        move(client, uid, "Sent")
    until(lambda: shop.answered(original), "the original is marked")
    until(lambda: "settled_by_staff" in shop.kinds(), "the case is closed")
    again = inquiry(shop)
    assert header_of(shop.wait_for_draft().raw, "In-Reply-To") == again, "what comes later is a new matter"
    assert shop.sink.connections == 0


def test_what_is_to_be_pasted_is_read_before_it_is_offered(quick_shop: Shop) -> None:
    """The shop's own template says what Rakuten forbids: nobody would see it again."""
    shop = quick_shop
    folder = shop.folder / "templates" / "ja"
    folder.mkdir(parents=True)
    text = "Subject: キャンセルについて {{ order.order_id }}\n\n次回のクーポンはこちらです。https://minato.example/coupon\n"
    (folder / "cancel_before_ship.txt").write_text(text, encoding="utf-8")
    begin(shop)
    shop.wait_for_draft()
    (note,) = until(shop.all_notes, "a note")
    assert "クーポン" in note.split("理由")[0]
    assert "https://minato.example/coupon" in note.split("理由")[0]
