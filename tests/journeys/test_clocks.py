"""What happens by the clock, which these stories move: reminders, holding replies, questions asked again, the morning."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.journeys.shop import BUYER, Shop, header_of, subject_of, text_of, until
from tests.journeys.test_owe import owe, results

HELD = "弁護士に相談します。至急、責任者から連絡をください。注文1042の件です。"
TOKYO = ZoneInfo("Asia/Tokyo")
EVERY_DAY = "closed_weekdays = []\npublic_holidays = false\n"


@pytest.fixture
def clocked_shop(quick_shop: Shop) -> Shop:
    quick_shop.shop_extra = EVERY_DAY
    quick_shop.order("1042")
    return quick_shop


def move_to_noon(shop: Shop, *, days: int) -> None:
    """Let time go by until noon some days later: the morning mail of that day is due, and no other."""
    now = shop.clock().astimezone(TOKYO)
    noon = datetime.combine(now.date() + timedelta(days=days), time(12), tzinfo=TOKYO)
    shop.clock.move(seconds=(noon - now).total_seconds())


def subjects(shop: Shop, word: str) -> list[str]:
    return [note.splitlines()[0] for note in shop.all_notes() if word in note.splitlines()[0]]


def test_a_mail_for_a_person_gets_a_holding_reply_which_answers_nothing(clocked_shop: Shop) -> None:
    shop = clocked_shop
    shop.start()
    original = shop.buyer_writes(HELD)
    shop.wait_for_note("ご対応をお願いします")
    assert shop.drafts() == []
    shop.clock.move(hours=20, minutes=1)
    draft = shop.wait_for_draft()
    assert "お問い合わせの内容を確認しております" in subject_of(draft.raw)
    assert "1042" in subject_of(draft.raw)
    assert "までに、あらためてご返信いたします" in text_of(draft.raw)
    assert header_of(draft.raw, "In-Reply-To") == original
    assert "一次返信の下書きを作りました" in shop.wait_for_note("返信をお待ちのお客様がいます")
    shop.approve(draft)
    sent = shop.wait_for_mail()
    shop.wait_until_filed()
    assert header_of(sent, "Auto-Submitted") == ""  # a person approved it
    assert not shop.answered(original)
    # The promise is the deadline now; nothing is written a second time, and what is late is told once.
    move_to_noon(shop, days=5)
    assert "担当者の返信を待っています" in shop.wait_for_note("期限を過ぎています")
    until(lambda: subjects(shop, "本日の確認"), "the morning mail comes")
    mornings = len(subjects(shop, "本日の確認"))
    move_to_noon(shop, days=4)
    until(lambda: len(subjects(shop, "本日の確認")) == mornings + 1, "another morning")
    assert shop.drafts() == []
    assert len(shop.sink.mails) == 1
    assert len(subjects(shop, "期限を過ぎています")) == 1


def test_after_three_days_off_each_late_thing_is_done_once(clocked_shop: Shop) -> None:
    shop = clocked_shop
    for number in range(1043, 1046):
        shop.order(str(number), buyer_mail=f"buyer{number}@mail.example")
    shop.start()
    owe(shop, "1043", "1044", "1045", "--matter", "restock", "--restock", "2099-12-10", "--cause", "late_supply")
    shop.wait_for_draft(3)
    shop.buyer_writes(HELD)
    shop.wait_for_note("ご対応をお願いします")
    shop.stop()
    shop.buyer_writes("待ち合わせの件でご相談があります。", sender="taro@mail.example", name="鈴木 太郎")
    move_to_noon(shop, days=3)
    shop.start()
    late = shop.wait_for_note("期限を過ぎています")
    assert "期限を過ぎています: 5件" in late
    assert late.count("下書きが承認を待っています") == 3
    # What was over before anybody could see it is told; a holding reply would only come beside the answer.
    shop.wait_for_draft(4)  # the holding reply, late but once
    until(lambda: len(subjects(shop, "本日の確認")) == 1, "one morning mail for all the mornings")
    shop.stop()
    shop.start()
    shop.stop()
    assert len(subjects(shop, "期限を過ぎています")) == 1
    assert len(subjects(shop, "本日の確認")) == 1
    assert len(shop.drafts()) == 4


def test_a_question_nobody_answers_is_asked_once_more_and_answered_in_its_thread(clocked_shop: Shop) -> None:
    shop = clocked_shop
    shop.start()
    assert results(owe(shop, "1042", "--matter", "restock", "--restock", "2099-12-10", "--cause", "late_supply")) == {
        "1042": "written"
    }
    shop.approve(shop.wait_for_draft())
    asked = shop.wait_for_mail()
    shop.wait_until_filed()
    shop.clock.move(days=3, minutes=20)
    again = shop.wait_for_draft()
    assert "先日お尋ねした件について" in subject_of(again.raw)
    assert header_of(again.raw, "In-Reply-To") == header_of(asked, "Message-ID")
    assert header_of(again.raw, "To").endswith(f"<{BUYER}>")
    shop.approve(again)
    shop.wait_for_mail(2)
    shop.wait_until_filed()
    shop.clock.move(days=9)
    until(lambda: shop.kinds().count("nudge_written") == 1 and not shop.drafts(), "nothing is asked a third time")
    shop.buyer_writes(
        "キャンセル",
        subject=f"Re: {subject_of(shop.sink.mails[-1].raw)}",
        headers={"In-Reply-To": header_of(shop.sink.mails[-1].raw, "Message-ID")},
    )
    assert "キャンセルを承りました" in subject_of(shop.wait_for_draft().raw)


def test_a_week_after_a_sold_out_notice_one_care_mail_is_drafted(clocked_shop: Shop) -> None:
    shop = clocked_shop
    shop.order("249-1111111-1111111", channel="amazon", buyer_mail="alias@marketplace.amazon.co.jp")
    shop.start()
    owe(shop, "1042", "249-1111111-1111111", "--matter", "sold_out", "--cause", "discontinued")
    shop.wait_for_draft(2)
    for draft in shop.drafts():
        shop.approve(draft)
    shop.wait_for_mail(2)
    shop.wait_until_filed()
    shop.stop()
    shop.order("1042", status="cancelled")
    shop.order("249-1111111-1111111", status="cancelled")
    shop.clock.move(days=7, minutes=20)
    shop.start()
    care = shop.wait_for_draft()
    assert "お伺い（1042）" in subject_of(care.raw)
    assert [header_of(d.raw, "To") for d in shop.drafts()] == [header_of(care.raw, "To")]


def test_the_later_mail_of_an_answered_case_has_a_deadline_of_its_own(clocked_shop: Shop) -> None:
    shop = clocked_shop
    shop.start()
    shop.buyer_writes("注文1042をキャンセルしてください。")
    draft = shop.wait_for_draft()
    with shop.staff() as client:
        client.add_flags([draft.uid], ["\\Seen"])
    shop.clock.move(hours=23)
    shop.buyer_writes("領収書の件、先日の電話のとおりにしてください。")
    shop.wait_for_note("対応中のお客様から新しいメールが届きました")
    shop.approve(draft)
    shop.wait_for_note("送信していません")
    shop.approve(shop.wait_for_draft())
    shop.wait_for_mail()
    shop.wait_until_filed()
    shop.clock.move(hours=12)
    assert subjects(shop, "期限を過ぎています") == []
    shop.clock.move(hours=13)
    assert "領収書" in shop.wait_for_note("期限を過ぎています")


def vouched(sender: str = BUYER) -> dict[str, str]:
    """What the receiving server writes above a mail whose sender it knows."""
    return {
        "Return-Path": f"<{sender}>",
        "Authentication-Results": "mx.minato-zakka.example; dmarc=pass header.from=mail.example",
    }


def test_where_the_owner_switched_it_on_a_receipt_leaves_by_itself_once_and_answers_nothing(clocked_shop: Shop) -> None:
    shop = clocked_shop
    shop.account_extra = 'authserv_id = "mx.minato-zakka.example"\n'
    shop.relays = '[auto_reply]\nrules = ["*"]\n'
    shop.start()
    first = shop.buyer_writes(HELD, headers=vouched())
    forged = shop.buyer_writes(HELD, sender="taro@mail.example", headers={"Return-Path": "<taro@mail.example>"})
    until(lambda: len(subjects(shop, "ご対応をお願いします")) == 2, "both wait for a person")
    assert shop.sink.mails == []
    shop.clock.move(hours=20, minutes=1)
    raw = shop.wait_for_mail()
    assert shop.sink.mails[0].envelope_from == ""
    assert shop.sink.mails[0].recipients == (BUYER,)
    assert header_of(raw, "Auto-Submitted") == "auto-replied"
    assert header_of(raw, "In-Reply-To") == first
    assert "1042" not in text_of(raw) + subject_of(raw)
    assert "弁護士" not in text_of(raw) + subject_of(raw)
    until(lambda: len(shop.lies_in("Sent")) == 1, "a copy lies in Sent")
    # Who is not vouched for gets nothing by machine, and neither mail is answered.
    assert [header_of(d.raw, "In-Reply-To") for d in shop.drafts()] in ([], [forged])
    shop.buyer_writes("急ぎです。弁護士に相談します。", headers=vouched())
    until(lambda: len(subjects(shop, "ご対応をお願いします")) == 3, "it waits as well")
    assert not shop.answered(first)
    move_to_noon(shop, days=6)
    until(lambda: subjects(shop, "期限を過ぎています"), "it is owed as before")
    assert len(shop.sink.mails) == 1


def test_a_receipt_whose_outcome_nobody_knows_is_never_sent_again(clocked_shop: Shop) -> None:
    shop = clocked_shop
    shop.account_extra = 'authserv_id = "mx.minato-zakka.example"\n'
    shop.relays = '[auto_reply]\nrules = ["*"]\nat = "arrival"\n'
    shop.sink.fail("mail", "451 4.7.1 try again later")
    shop.sink.fail("dot", drop=True, kept=True)
    shop.start()
    shop.buyer_writes(HELD, headers=vouched())
    until(lambda: shop.sink.faults[0].times == 0, "it was put off")
    assert shop.sink.mails == []
    shop.clock.move(minutes=6)
    shop.wait_for_mail()
    until(lambda: "auto_reply_unknown" in shop.kinds(), "nobody knows")
    shop.stop()
    shop.clock.move(hours=30)
    shop.start()
    until(lambda: subjects(shop, "期限を過ぎています"), "the mail is owed as before")
    assert len(shop.sink.mails) == 1
    assert shop.drafts() == []
