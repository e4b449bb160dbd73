"""From a buyer's mail to the reply in Sent, by every way in which staff approve, edit, refuse or send themselves."""

from __future__ import annotations

import email
from datetime import timedelta
from email.utils import make_msgid

from sqlalchemy import update

from responder.edges.journal import Journal, drafts, tables
from tests.journeys.shop import ADDRESS, BUYER, Shop, header_of, move, subject_of, text_of, until


def test_a_cancel_request_becomes_a_draft_in_its_thread(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。よろしくお願いします。")
    draft = shop.wait_for_draft()
    assert header_of(draft.raw, "In-Reply-To") == message_id
    assert message_id in header_of(draft.raw, "References")
    assert header_of(draft.raw, "To").endswith(f"<{BUYER}>")
    assert "1042" in text_of(draft.raw)
    assert "\\Draft" in draft.flags
    assert "\\Seen" not in draft.flags
    (original,) = shop.boxes()["INBOX"]
    assert "\\Seen" not in original.flags


def test_moved_to_approved_it_goes_out_once_is_filed_and_marks_the_original(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft())
    sent = shop.wait_for_mail()
    shop.wait_until_filed()
    until(lambda: shop.answered(message_id), "the original is marked answered")
    assert header_of(sent, "In-Reply-To") == message_id
    assert len(email.message_from_bytes(sent).get_all("Message-ID", [])) == 1
    assert b"X-Responder" not in sent
    (envelope,) = shop.sink.mails
    assert envelope.recipients == (BUYER,)
    assert envelope.envelope_from == ADDRESS
    (copy,) = shop.lies_in("Sent")
    assert header_of(copy.raw, "Message-ID") == header_of(sent, "Message-ID")
    assert shop.drafts() == []


def test_copied_to_approved_it_goes_out_once_and_the_source_is_removed(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft(), copy=True)
    shop.wait_for_mail()
    shop.wait_until_filed()
    until(lambda: not shop.drafts(), "the source is gone too")
    assert len(shop.sink.mails) == 1


def test_the_text_as_staff_edited_it_goes_out_without_the_clients_headers(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    edited = thunderbird_saves(shop, shop.wait_for_draft(), "担当の佐藤です。キャンセルの件、承知いたしました。")
    until(lambda: [d for d in shop.drafts() if header_of(d.raw, "Message-ID") == edited], "the edited draft is there")
    shop.approve(shop.drafts()[-1])
    sent = shop.wait_for_mail()
    assert "担当の佐藤です" in text_of(sent)
    assert header_of(sent, "In-Reply-To") == message_id
    assert header_of(sent, "Message-ID") != edited
    for private in (b"X-Mozilla", b"X-Identity-Key", b"User-Agent", b"Fcc", b"Bcc"):
        assert private not in sent
    shop.wait_until_filed()
    assert len(shop.sink.mails) == 1


def test_a_deleted_draft_is_refused_and_never_written_again(shop: Shop) -> None:
    shop.order("1042")
    shop.order("2001", buyer_mail="ken@mail.example", buyer_name="鈴木 健")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    draft = shop.wait_for_draft()
    with shop.staff() as client:
        move(client, draft.uid, "ゴミ箱")
    other = shop.buyer_writes("荷物はいつ届きますか。注文番号は2001です。", sender="ken@mail.example", name="鈴木 健")
    until(lambda: any(e == "discarded" for e in shop.kinds()), "the refusal is noticed")
    assert all(header_of(d.raw, "In-Reply-To") in (other,) for d in shop.drafts())
    assert shop.sink.mails == []


def test_staff_who_send_from_their_own_client_close_the_case(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    draft = shop.wait_for_draft()
    with shop.staff() as client:
        reply = (
            f"From: {ADDRESS}\r\nTo: {BUYER}\r\nSubject: Re: =?utf-8?b?5rOo5paH?=\r\nMessage-ID: {make_msgid()}\r\n"
            f"In-Reply-To: {message_id}\r\nReferences: {message_id}\r\n\r\nDone.\r\n"
        )
        client.append("Sent", reply.encode(), [b"\\Seen"])
    until(lambda: not shop.drafts(), "our untouched draft is withdrawn")
    until(lambda: shop.answered(message_id), "the original is marked answered")
    assert shop.sink.mails == []
    assert draft.uid not in {d.uid for d in shop.drafts()}


def test_a_strangers_mail_in_approved_is_not_sent(shop: Shop) -> None:
    shop.start()
    raw = (
        f"From: {ADDRESS}\r\nTo: someone@else.example\r\nSubject: hello\r\nMessage-ID: <s1@x.example>\r\n\r\nHello\r\n"
    )
    received = (
        b"Received: from mx by mx\r\nFrom: a@b.example\r\nTo: c@d.example\r\nMessage-ID: <s2@x.example>\r\n\r\nHi\r\n"
    )
    with shop.staff("承認") as client:
        client.append("承認", raw.encode(), [b"\\Draft"])
        client.append("承認", received, [])
    until(lambda: not shop.lies_in("承認"), "Approved is empty again")
    assert [header_of(d.raw, "Message-ID") for d in shop.drafts()] == ["<s1@x.example>"]
    assert "<s2@x.example>" in [header_of(m.raw, "Message-ID") for m in shop.lies_in("INBOX")]
    until(lambda: len(shop.notes()) >= 2, "staff are told")
    assert shop.sink.mails == []


def test_a_changed_recipient_is_not_sent(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    draft = shop.wait_for_draft()
    raw = draft.raw.replace(BUYER.encode(), b"other@mail.example", 1)
    with shop.staff() as client:
        client.append("承認", raw, [b"\\Draft", b"\\Seen"])
        client.delete_messages([draft.uid])
        client.expunge()
    until(lambda: not shop.lies_in("承認") and shop.notes(), "it goes back with a note")
    assert shop.sink.mails == []
    assert len(shop.drafts()) == 1


def test_a_text_with_a_blank_is_not_sent(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    thunderbird_saves(shop, shop.wait_for_draft(), "返金日は【要確認: 返金日】です。")
    until(lambda: len(shop.drafts()) == 1, "one draft")
    shop.approve(shop.drafts()[-1])
    until(lambda: shop.notes() and shop.drafts() and not shop.lies_in("承認"), "it goes back with a note")
    assert shop.sink.mails == []


def test_a_second_mail_of_the_buyer_replaces_an_untouched_draft(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    first = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    before = shop.wait_for_draft()
    second = shop.buyer_writes(
        "先ほどのメールの田中です。よろしくお願いします。", headers={"In-Reply-To": first, "References": first}
    )
    until(
        lambda: [header_of(d.raw, "In-Reply-To") for d in shop.drafts()] == [second],
        "one draft that answers both",
    )
    assert before.uid not in {d.uid for d in shop.drafts()}


def test_a_second_mail_leaves_an_edited_draft_alone_and_keeps_it_from_going_out_unseen(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    first = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    edited = thunderbird_saves(shop, shop.wait_for_draft(), "承知いたしました。佐藤")
    until(lambda: "draft_moved" in shop.kinds() or shop.drafts(), "noticed")
    shop.buyer_writes("やっぱり届け先も変えたいです。", headers={"In-Reply-To": first, "References": first})
    until(shop.notes, "staff are told")
    assert [header_of(d.raw, "Message-ID") for d in shop.drafts()] == [edited]
    notes = len(shop.notes())
    shop.approve(shop.drafts()[-1])
    until(lambda: len(shop.notes()) > notes and shop.drafts(), "it is held back once")
    assert shop.sink.mails == []
    shop.approve(shop.drafts()[-1])
    assert "承知いたしました" in text_of(shop.wait_for_mail())


def test_an_order_that_shipped_after_drafting_gets_a_fresh_draft(shop: Shop) -> None:
    shop.quiet_s = 4
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft())
    shop.order(
        "1042", status="shipped", shipped_at="2026-11-20T09:00:00+09:00", carrier="yamato", tracking_no="123456789015"
    )
    fresh = until(
        lambda: next((d for d in shop.drafts() if "123456789015" in text_of(d.raw).replace("-", "")), None),
        "a fresh draft with the tracking number",
    )
    assert shop.sink.mails == []
    until(shop.notes, "staff are told why")
    assert "1042" in subject_of(fresh.raw) + text_of(fresh.raw)


def test_a_text_whose_promised_day_is_over_is_written_anew(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    before = shop.wait_for_draft()
    journal = Journal(f"sqlite:///{shop.folder / 'state' / 'responder.db'}")
    with journal.durable() as tx:
        (row,) = drafts.open_drafts(tx, "main")
        assert row.valid_until is not None
        assert row.valid_until > row.created_at
        tx.execute(update(tables.draft).values(valid_until=row.created_at - timedelta(days=1)))
    journal.close()
    shop.approve(before)
    until(lambda: shop.notes() and shop.drafts() and not shop.lies_in("承認"), "a fresh draft and a note")
    assert shop.sink.mails == []
    assert header_of(shop.drafts()[0].raw, "Message-ID") != header_of(before.raw, "Message-ID")


def test_while_another_text_of_the_case_lies_in_drafts_nothing_goes_out(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    first = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    draft = shop.wait_for_draft()
    with shop.staff() as client:
        client.copy([draft.uid], "承認")
        typing = (
            f"From: {ADDRESS}\r\nTo: {BUYER}\r\nSubject: Re: x\r\nMessage-ID: <t1@client.example>\r\n"
            f"References: {first}\r\n\r\nHalf a sen\r\n"
        )
        client.append("下書き", typing.encode(), [b"\\Draft", b"\\Seen"])
        client.delete_messages([draft.uid])
        client.expunge()
    until(shop.notes, "staff are told")
    assert shop.sink.mails == []
    with shop.staff() as client:
        client.delete_messages([d.uid for d in shop.drafts()])
        client.expunge()
    shop.wait_for_mail()
    assert len(shop.sink.mails) == 1


# --- what clients do ------------------------------------------------------------------------------------------------


def thunderbird_saves(shop: Shop, draft, text: str) -> str:
    r"""As Thunderbird saves an edit: a new mail with a new Message-ID and none of our headers, the old one expunged."""
    import base64

    message_id = make_msgid(domain="client.example")
    kept = "".join(
        f"{name}: {header_of(draft.raw, name)}\r\n" for name in ("In-Reply-To", "References", "From", "To", "Subject")
    )
    raw = (
        f"X-Mozilla-Draft-Info: internal/draft; vcard=0\r\nX-Identity-Key: id1\r\nFcc: imap://x/Sent\r\n"
        f"Message-ID: {message_id}\r\nDate: Fri, 20 Nov 2026 12:00:00 +0900\r\nMIME-Version: 1.0\r\n"
        f"User-Agent: Mozilla Thunderbird\r\n{kept}"
        f"Content-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")
    with shop.staff() as client:
        client.append("下書き", raw, [b"\\Draft"])
        client.add_flags([draft.uid], [b"\\Seen", b"\\Deleted"])
        client.expunge([draft.uid])
    return message_id
