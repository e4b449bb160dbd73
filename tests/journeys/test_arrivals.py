"""What comes in: charsets, machines, doubles, floods, mails that break us, and what was there before the first start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from responder.core import guards
from tests.conftest import PASSWORD
from tests.journeys.shop import ADDRESS, BUYER, Shop, header_of, subject_of, text_of, until


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp"])
def test_japanese_in_any_charset(shop: Shop, charset: str) -> None:
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号１０４２をキャンセルしてください。", charset=charset)
    assert "1042" in text_of(shop.wait_for_draft().raw)


def test_english_and_chinese_buyers_are_answered_in_their_language(shop: Shop) -> None:
    shop.order("1042", buyer_name="Anna Smith", buyer_mail="anna@mail.example")
    shop.order("2001", buyer_name="王小明", buyer_mail="wang@mail.example")
    shop.start()
    shop.buyer_writes(
        "Hello, please cancel my order 1042. Thank you.",
        subject="Cancel",
        sender="anna@mail.example",
        name="Anna Smith",
    )
    shop.buyer_writes(
        "您好，请帮我取消订单2001，谢谢。",
        subject="取消订单",
        sender="wang@mail.example",
        name="王小明",
        charset="gb18030",
    )
    until(lambda: len(shop.drafts()) == 2, "two drafts")
    texts = {header_of(d.raw, "To").split("<")[-1]: text_of(d.raw) for d in shop.drafts()}
    assert "order" in texts["anna@mail.example>"].lower()
    assert "订单" in texts["wang@mail.example>"]


def test_shipped_or_not_decides_the_answer(shop: Shop) -> None:
    shop.order(
        "1042", status="shipped", shipped_at="2026-11-19T09:00:00+09:00", carrier="yamato", tracking_no="123456789015"
    )
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    assert "123456789015" in text_of(shop.wait_for_draft().raw).replace("-", "")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Return-Path": "<>", "Auto-Submitted": "auto-generated"},
        {"List-Id": "<news.mail.example>", "Precedence": "bulk"},
    ],
)
def test_machines_get_no_answer_and_staff_no_note(shop: Shop, headers: dict[str, str]) -> None:
    shop.order("1042")
    shop.order("2001", buyer_mail="ken@mail.example", buyer_name="鈴木 健")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。", headers=headers)
    other = shop.buyer_writes("注文2001をキャンセルしてください。", sender="ken@mail.example", name="鈴木 健")
    until(shop.drafts, "the person after it is answered")
    assert [header_of(d.raw, "In-Reply-To") for d in shop.drafts()] == [other]
    assert shop.notes() == []


def test_auto_submitted_no_is_a_person(shop: Shop) -> None:
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。", headers={"Auto-Submitted": "no"})
    shop.wait_for_draft()


def test_a_mail_for_a_person_gives_a_note_in_its_thread_and_no_draft(shop: Shop) -> None:
    shop.start()
    message_id = shop.buyer_writes("キャンセルしたいです。番号は分かりません。", subject="キャンセル")
    (note,) = until(lambda: shop.lies_in("Responder"), "a note")
    assert header_of(note.raw, "In-Reply-To") == message_id
    assert header_of(note.raw, "To").strip("<>") == ADDRESS
    assert "番号は分かりません" in text_of(note.raw)
    assert shop.drafts() == []


def test_somebody_elses_order_is_not_spoken_of(shop: Shop) -> None:
    shop.order(
        "1042", buyer_name="秘密 太郎", buyer_mail="taro@mail.example", tracking_no="123456789015", status="shipped"
    )
    shop.start()
    shop.buyer_writes("注文番号1042はどこですか。", sender="stranger@mail.example", name="誰か")
    until(shop.notes, "a person is told")
    assert shop.drafts() == []


def test_the_same_mail_delivered_twice_is_answered_once(shop: Shop) -> None:
    shop.order("1042")
    shop.order("2001", buyer_mail="ken@mail.example", buyer_name="鈴木 健")
    shop.start()
    raw = (
        f"From: {BUYER}\r\nTo: {ADDRESS}\r\nSubject: cancel\r\nDate: Fri, 20 Nov 2026 10:00:00 +0900\r\n"
        "Message-ID: <twice@mail.example>\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
        "\r\n注文番号1042をキャンセルしてください。\r\n"
    ).encode()
    shop.buyer_writes("", raw=raw)
    shop.wait_for_draft()
    shop.buyer_writes("", raw=b"Received: by other path; Fri, 20 Nov 2026 10:00:05 +0900\r\n" + raw)
    shop.buyer_writes("注文2001をキャンセルしてください。", sender="ken@mail.example", name="鈴木 健")
    until(lambda: len(shop.drafts()) >= 2, "the next buyer's draft")
    assert len(shop.drafts()) == 2


def test_one_address_cannot_make_us_write_for_ever(shop: Shop) -> None:
    for number in range(6):
        shop.order(str(7000 + number))
    shop.start()
    for number in range(5):
        shop.buyer_writes(f"注文番号{7000 + number}をキャンセルしてください。")
        until(lambda so_far=number: len(shop.drafts()) + len(shop.notes()) > so_far, "each mail has its outcome")
    assert len(shop.drafts()) == 3
    assert len(shop.notes()) == 2


def test_a_mail_that_breaks_us_is_set_aside_and_the_next_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real = guards.gate

    def breaks(message: Any, *args: Any, **kwargs: Any) -> Any:
        if "poison" in message.subject:
            raise ZeroDivisionError
        return real(message, *args, **kwargs)

    monkeypatch.setattr(guards, "gate", breaks)
    shop.order("1042")
    shop.start()
    shop.buyer_writes("キャンセル", subject="poison", sender="evil@mail.example", name="x")
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    assert header_of(shop.wait_for_draft().raw, "In-Reply-To") == message_id
    until(lambda: len(shop.notes()) == 1, "staff are told of the one set aside")


@pytest.mark.parametrize(
    "hostile",
    [
        b"From: x\r\nMessage-ID: <a\r\n b> <c>\r\nSubject: \xff\xfe\r\n\r\n\x00\x01",
        b"",
        b"\r\n\r\n",
        b'Message-ID: <x") LOGOUT@y>\r\nIn-Reply-To: <a b> "\r\nFrom: "a" <b@c>, <d@e>\r\n\r\ncancel 1042',
        b"From: =?utf-8?B?" + b"QQ" * 5000 + b"?= <a@b.example>\r\nSubject: " + b"x" * 300_000 + b"\r\n\r\nhello",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
        + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 300,
    ],
)
def test_hostile_bytes_stop_nobody(shop: Shop, hostile: bytes) -> None:
    shop.order("1042")
    shop.start()
    shop.buyer_writes("", raw=hostile)
    message_id = shop.buyer_writes("注文番号1042をキャンセルしてください。")
    assert header_of(shop.wait_for_draft().raw, "In-Reply-To") == message_id


def test_the_first_start_answers_only_what_comes_from_now_on(shop: Shop) -> None:
    shop.order("1042")
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.order("2001", buyer_mail="ken@mail.example", buyer_name="鈴木 健")
    shop.start()
    new = shop.buyer_writes("注文2001をキャンセルしてください。", sender="ken@mail.example", name="鈴木 健")
    shop.wait_for_draft()
    assert [header_of(d.raw, "In-Reply-To") for d in shop.drafts()] == [new]


def test_with_since_the_unanswered_of_the_last_days_are_taken_up(shop: Shop) -> None:
    shop.account_extra = 'since = "7d"'
    for number, mail in ((1, BUYER), (2, "ken@mail.example"), (3, "mei@mail.example")):
        shop.order(f"100{number}", buyer_mail=mail)
    open_one = shop.buyer_writes("注文番号1001をキャンセルしてください。")
    marked = shop.buyer_writes("注文番号1002をキャンセルしてください。", sender="ken@mail.example", name="健")
    replied = shop.buyer_writes("注文番号1003をキャンセルしてください。", sender="mei@mail.example", name="芽衣")
    with shop.staff("INBOX") as client:
        for uid in client.search(["HEADER", "MESSAGE-ID", marked]):
            client.add_flags([uid], [b"\\Answered"])
        reply = f"From: {ADDRESS}\r\nTo: mei@mail.example\r\nIn-Reply-To: {replied}\r\n\r\nok\r\n".encode()
        client.append("Sent", reply, [b"\\Seen"], datetime.now(UTC) - timedelta(minutes=1))
    shop.order("2001", buyer_mail="ann@mail.example")
    shop.start()
    shop.wait_for_draft()
    new = shop.buyer_writes("注文2001をキャンセルしてください。", sender="ann@mail.example", name="杏")
    until(lambda: len(shop.drafts()) == 2, "two drafts")
    assert {header_of(d.raw, "In-Reply-To") for d in shop.drafts()} == {open_one, new}


def test_subjects_and_names_cannot_write_headers(shop: Shop) -> None:
    shop.order("1042", buyer_name="田中\\r\\nBcc: evil@else.example")
    shop.start()
    shop.buyer_writes(
        "注文番号1042をキャンセルしてください。",
        subject="=?utf-8?Q?x=0D=0ABcc:_evil=40else.example?=",
        name="=?utf-8?Q?A=0D=0ABcc:_evil=40else.example?=",
    )
    draft = shop.wait_for_draft()
    assert header_of(draft.raw, "Bcc") == ""
    assert "\n" not in subject_of(draft.raw)
    shop.approve(draft)
    shop.wait_for_mail()
    assert shop.sink.mails[0].recipients == (BUYER,)


def test_the_log_holds_no_words_addresses_or_secrets(on_dovecot: Callable[..., Shop]) -> None:
    shop = on_dovecot()
    shop.order("1042")
    shop.start_process()
    shop.wait_until_watching()
    shop.buyer_writes("注文番号1042をキャンセルしてください。秘密の言葉です。")
    shop.buyer_writes("秘密の言葉で問い合わせます。弁護士に相談します。", sender="ken@mail.example", name="鈴木 健")
    shop.approve(shop.wait_for_draft())
    shop.wait_for_mail()
    shop.wait_until_filed()
    shop.stop()
    log = (shop.folder / "log.txt").read_text(encoding="utf-8")
    assert "filed" in log
    for secret in (BUYER, "ken@mail.example", "秘密の言葉", "田中", "鈴木", PASSWORD, shop.sink.password, "波佐見"):
        assert secret not in log
        assert secret.encode("unicode_escape").decode() not in log
