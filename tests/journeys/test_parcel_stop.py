"""The warehouse is told to hold a parcel back at once, without an approval, and hears how it ends. Each word at most once:
where nobody knows, staff are asked and nothing is repeated."""

from __future__ import annotations

import base64
import csv
import sqlite3
from collections.abc import Callable
from contextlib import closing
from email.utils import make_msgid
from pathlib import Path

import pytest

from responder.demo.servers import Stored
from tests.journeys.shop import ADDRESS, Shop, header_of, subject_of, text_of, until
from tests.servers.hook import listening

WAREHOUSE = "warehouse@soko.example"
CANCEL = "注文番号1042をキャンセルしてください。"


def lines_of(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def begin(shop: Shop, **ways: str) -> None:
    keys = "\n".join(f'{way} = "{value}"' for way, value in ways.items())
    shop.shop_extra = f"[parcel_stop]\n{keys}"
    shop.order("1042", status="preparing", ship_by="2099-12-01")
    shop.start()


def words(shop: Shop) -> list[str]:
    """What the warehouse was told by CSV: event and reason."""
    return [f"{line['event']} {line['reason']}" for line in lines_of(shop.folder / "stops.csv")]


def sends(shop: Shop, draft: Stored, text: str) -> None:
    """As a mail client sends a draft: a new mail with an id of its own in Sent, and the draft is gone."""
    names = ("In-Reply-To", "References", "From", "To", "Subject")
    kept = "".join(f"{name}: {header_of(draft.raw, name)}\r\n" for name in names)
    head = f"Message-ID: {make_msgid(domain='client.example')}\r\nMIME-Version: 1.0\r\n{kept}"
    form = "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = (head + form).encode() + base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")
    with shop.staff() as client:
        client.append("Sent", raw, [b"\\Seen"])
        client.delete_messages([draft.uid])
        client.expunge([draft.uid])


def deleted(shop: Shop, draft: Stored) -> None:
    """Staff throw a draft away, and that is taken for their refusal."""
    with shop.staff() as client:
        client.move([draft.uid], "ゴミ箱")


def test_three_ways_at_once_without_an_approval_and_the_end_when_the_answer_is_sent(quick_shop: Shop) -> None:
    shop = quick_shop
    with listening() as hook:
        begin(shop, mail=WAREHOUSE, webhook=hook.url, csv="stops.csv")
        shop.buyer_writes(CANCEL)
        draft = shop.wait_for_draft()
        until(lambda: shop.sink.mails and hook.posted and words(shop), "the warehouse is told by all three")
        stop = shop.sink.mails[0]
        assert (stop.envelope_from, stop.recipients) == (ADDRESS, (WAREHOUSE,))
        assert header_of(stop.raw, "Auto-Submitted") == "auto-generated"
        assert "出荷停止" in subject_of(stop.raw)
        for private in ("田中", "花子", "hanako", "mail.example", "マグカップ", "4980"):
            assert private not in subject_of(stop.raw) + text_of(stop.raw) + str(hook.posted) + str(lines_of(shop.folder / "stops.csv"))  # fmt: skip
        (note,) = until(shop.all_notes, "a note")
        assert "メール, Webhook, CSV" in note
        assert "荷物が出ないよう" not in note
        shop.approve(draft)
        until(lambda: len(shop.sink.mails) == 3 and len(hook.posted) == 2 and len(words(shop)) == 2, "and how it ended")
        assert words(shop) == ["stop buyer_cancel", "confirm cancel_answered"]
        assert [one["event"] for one in hook.posted] == ["stop", "confirm"]
        assert hook.posted[0]["id"] == hook.posted[1]["id"] == lines_of(shop.folder / "stops.csv")[0]["id"]
        told = [mail for mail in shop.sink.mails if mail.recipients == (WAREHOUSE,)]
        assert header_of(told[1].raw, "In-Reply-To") == header_of(told[0].raw, "Message-ID")
    assert shop.notes() == []


def test_a_deleted_draft_and_a_withdrawal_let_the_parcel_go(quick_shop: Shop) -> None:
    shop = quick_shop
    begin(shop, csv="stops.csv")
    shop.buyer_writes(CANCEL)
    draft = shop.wait_for_draft()
    until(lambda: len(words(shop)) == 1, "it is held back")
    with shop.staff() as client:
        client.move([draft.uid], "ゴミ箱")
    until(lambda: len(words(shop)) == 2, "it may leave")
    shop.buyer_writes("注文番号1042をやはりキャンセルしてください。")
    until(lambda: len(words(shop)) == 3, "it is held back again")
    first = shop.wait_for_draft()
    thread = {"In-Reply-To": header_of(first.raw, "In-Reply-To")}
    shop.buyer_writes("先ほどのキャンセルは取り消します。そのまま送ってください。", headers=thread)
    until(lambda: len(words(shop)) == 4, "the buyer wants it after all")
    assert words(shop) == [
        "stop buyer_cancel",
        "release refused_by_staff",
        "stop buyer_cancel",
        "release withdrawn_by_buyer",
    ]
    shop.wait_for_note("出荷停止の解除")


def test_staff_who_send_the_draft_themselves_confirm_and_their_own_words_are_asked_about(
    on_dovecot: Callable[..., Shop],
) -> None:
    shop = on_dovecot()
    begin(shop, csv="stops.csv")
    shop.order("1043", status="paid")
    shop.buyer_writes(CANCEL)
    draft = shop.wait_for_draft()
    until(lambda: words(shop), "it is held back")
    sends(shop, draft, text_of(draft.raw))
    until(lambda: len(words(shop)) == 2, "the draft itself was sent")
    assert words(shop)[1] == "confirm cancel_answered"
    shop.buyer_writes("注文番号1043をキャンセルしてください。", headers={"X-Other": "2"})
    draft = until(lambda: next((d for d in shop.drafts() if "1043" in text_of(d.raw)), None), "the second draft")
    until(lambda: len(words(shop)) == 3, "it is held back")
    sends(shop, draft, "お電話でお話ししたとおりです。")
    assert "1043" in shop.wait_for_note("出荷停止が残っています")
    assert len(words(shop)) == 3


def test_sent_from_an_open_window_after_its_deletion_the_parcel_is_stopped_again_and_a_person_told(
    on_dovecot: Callable[..., Shop],
) -> None:
    shop = on_dovecot()
    begin(shop, csv="stops.csv")
    shop.order("1043", status="paid")
    shop.buyer_writes(CANCEL)
    draft = shop.wait_for_draft()
    deleted(shop, draft)
    until(lambda: len(words(shop)) == 2, "it may leave")
    sends(shop, draft, text_of(draft.raw))
    until(lambda: len(words(shop)) == 4, "it is stopped again, for good")
    assert words(shop)[1:] == ["release refused_by_staff", "stop buyer_cancel", "confirm cancel_answered"]
    shop.wait_for_note("すぐに倉庫へ確かめてください")
    # With words of their own only staff know what they said.
    shop.buyer_writes("注文番号1043をキャンセルしてください。", headers={"X-Other": "2"})
    draft = until(lambda: next((d for d in shop.drafts() if "1043" in text_of(d.raw)), None), "the second draft")
    deleted(shop, draft)
    until(lambda: len(words(shop)) == 6, "it may leave")
    sends(shop, draft, "お電話でお話ししたとおりです。")
    assert "1043" in shop.wait_for_note("キャンセルを承った場合は")
    assert len(words(shop)) == 6


@pytest.mark.parametrize(("status", "note", "key"), [(0, "連絡できたか分かりません", "webhook"), (404, "連絡できませんでした", "webhook")])  # fmt: skip
def test_a_word_nobody_answers_for_is_asked_about_and_not_said_again(
    quick_shop: Shop, status: int, note: str, key: str
) -> None:
    shop = quick_shop
    with listening(status) as hook:
        begin(shop, webhook=hook.url)
        shop.buyer_writes(CANCEL)
        told = shop.wait_for_note(note)
        assert f"responder.toml: parcel_stop.{key}" in told
        assert "secret-path" not in told
        shop.buyer_writes("注文番号1042のキャンセルはまだですか。キャンセルしてください。")
        until(lambda: [d for d in shop.drafts() if "キャンセルはまだ" in text_of(d.raw)], "a draft for both")
        assert len(hook.posted) == 1


@pytest.mark.parametrize("point", ["parcel intended", "parcel intended, days ago", "parcel said"])
def test_killed_between_intent_and_outcome_it_is_said_once_or_asked_about(quick_shop: Shop, point: str) -> None:
    shop = quick_shop
    shop.shop_extra = f'[parcel_stop]\nmail = "{WAREHOUSE}"'
    shop.order("1042", status="preparing", ship_by="2099-12-01")
    shop.start_process(point=point.partition(",")[0])
    shop.wait_until_watching()
    shop.buyer_writes(CANCEL)
    assert shop.process is not None
    assert shop.process.wait(120) == -9
    shop.process = None
    said = len(shop.sink.mails)
    if "days ago" in point:
        with closing(sqlite3.connect(shop.folder / "state" / "responder.db")) as journal, journal:
            journal.execute("UPDATE parcel_word SET created_at = datetime(created_at, '-2 days')")
    assert said == (point == "parcel said")
    shop.start()
    if point == "parcel intended":
        until(lambda: shop.sink.mails, "it is said")
    else:
        assert "parcel_stop.mail" in shop.wait_for_note("連絡できたか分かりません")
    shop.wait_for_draft()
    shop.stop()
    assert len(shop.sink.mails) == (0 if "days ago" in point else 1)
