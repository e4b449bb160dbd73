"""Command folders: staff drop a mail, its buyer is told, and the mail goes home."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import make_msgid

from tests.journeys.shop import ADDRESS, BUYER, Shop, header_of, move, subject_of, text_of, until
from tests.journeys.test_approval import thunderbird_saves

SOLD_OUT = "Responder/在庫切れ"


def notification(order_id: str, buyer: str = BUYER) -> bytes:
    """What the shop's own cart sends to the shop."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"カート <{ADDRESS}>", ADDRESS, f"新しい注文 {order_id}"
    mail["Message-ID"] = make_msgid(domain="minato-zakka.example")
    mail.set_content(f"注文番号: {order_id}\nお客様: 田中 花子 ({buyer})\n合計: 4980円\n数量: 1\n", cte="8bit")
    return mail.as_bytes().replace(b"\n", b"\r\n")


def folder(shop: Shop, name: str = SOLD_OUT) -> str:
    """The folder as this server spells it."""
    return next(box for box in shop.boxes() if box.replace(".", "/") == name)


def drop(shop: Shop, uid: int, name: str = SOLD_OUT, *, source: str = "INBOX", copy: bool = False) -> None:
    with shop.staff(source) as client:
        if copy:
            client.copy([uid], folder(shop, name))
        else:
            move(client, uid, folder(shop, name))


def arrived(shop: Shop, mark: str) -> int:
    """The mail lies in INBOX and has been read."""
    return until(lambda: [s for s in shop.lies_in("INBOX") if mark in subject_of(s.raw)], f"{mark} is in INBOX")[-1].uid


def test_the_folders_are_made_and_a_dropped_notification_becomes_a_draft_and_goes_home(shop: Shop) -> None:
    shop.order("1042")
    shop.order("4980", buyer_mail="ken@mail.example")  # what the total looks like is no order of this mail
    shop.start()
    made = {box.replace(".", "/") for box in shop.boxes()}
    assert {f"Responder/{name}" for name in ("在庫切れ", "入荷待ち", "確認中", "発送遅延", "フォロー")} <= made
    shop.buyer_writes("", sender=ADDRESS, raw=notification("1042"))
    uid = arrived(shop, "新しい注文")
    drop(shop, uid)
    draft = shop.wait_for_draft()
    assert header_of(draft.raw, "To").endswith(f"<{BUYER}>")
    assert "【要確認: 品切れの理由】" in text_of(draft.raw)
    until(lambda: not shop.lies_in(folder(shop)), "the folder is empty again")
    assert arrived(shop, "新しい注文")
    assert "商品ページ" in shop.wait_for_note("下書きを1件")
    # Dropped once more: told, not written.
    drop(shop, arrived(shop, "新しい注文"))
    shop.wait_for_note("作成済み")
    until(lambda: not shop.lies_in(folder(shop)), "the folder is empty again")
    assert len(shop.drafts()) == 1
    assert len(shop.lies_in("INBOX")) == 1


def test_a_held_mail_dropped_is_answered_in_its_thread(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.start()
    asked = shop.buyer_writes("先日お伝えした柄の件で、あらためてご相談がございます。", subject="例の件")
    shop.wait_for_note("ご対応をお願いします")
    drop(shop, arrived(shop, "例の件"), "Responder/入荷待ち")
    draft = shop.wait_for_draft()
    assert header_of(draft.raw, "In-Reply-To") == asked
    assert "【要確認: 再入荷の予定日】" in text_of(draft.raw)
    assert "> 先日お伝えした柄の件" in text_of(draft.raw)
    until(lambda: arrived(shop, "例の件"), "the mail is back")
    # Sent: the mail at its new place is marked as answered.
    edited = thunderbird_saves(shop, draft, "入荷は12月10日の予定でございます。お待ちいただけますか。ご注文番号: 1042")
    until(lambda: [d for d in shop.drafts() if header_of(d.raw, "Message-ID") == edited], "the edited draft is there")
    shop.approve(shop.drafts()[-1])
    shop.wait_for_mail()
    until(lambda: shop.answered(asked), "the original is marked answered")


def test_of_a_copy_and_its_original_one_stays(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.start()
    shop.buyer_writes("", sender=ADDRESS, raw=notification("1042"))
    drop(shop, arrived(shop, "新しい注文"), copy=True)
    shop.wait_for_draft()
    until(lambda: not shop.lies_in(folder(shop)), "the folder is empty again")
    assert len(shop.lies_in("INBOX")) == 1
    assert len(shop.lies_in("ゴミ箱")) == 1


def test_what_is_no_command_comes_back_with_a_note(quick_shop: Shop) -> None:
    shop = quick_shop
    shop.order("1042")
    shop.order("1043")
    shop.start()
    shop.buyer_writes("会社案内をお送りします。", sender="other@firm.example", subject="ご案内")
    drop(shop, arrived(shop, "ご案内"))
    assert "INBOX" in shop.wait_for_note("どの注文か分かりません")
    arrived(shop, "ご案内")
    # A buyer with two open orders who names none.
    shop.buyer_writes("どうなっていますでしょうか。", subject="その後")
    drop(shop, arrived(shop, "その後"))
    assert "1042" in shop.wait_for_note("下書きを作れません: 注文が複数")
    arrived(shop, "その後")
    # A draft of ours.
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    draft = shop.wait_for_draft()
    drop(shop, draft.uid, source="下書き")
    shop.wait_for_note("下書きが入っていました")
    until(lambda: len(shop.drafts()) == 1, "the draft is back")
    until(lambda: not shop.lies_in(folder(shop)), "the folder is empty again")
