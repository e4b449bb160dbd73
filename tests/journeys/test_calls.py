"""The call list: on a real Dovecot, with a clock the test moves."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner

from responder.cli import cli
from responder.core.owed import Wish
from responder.edges.journal import calls, owed
from responder.flows.wishes import wished
from responder.model import order_key
from tests.journeys.by_hand import ByHand
from tests.journeys.shop import Shop, header_of, move, subject_of
from tests.servers.dovecot import Dovecot
from tests.servers.sink import Sink

DAY = timedelta(days=1).total_seconds()
TO_CALL = "お電話のお願い（注文 "


def tell(hand: ByHand, order_id: str, matter: str, **facts: object) -> None:
    """The shop wishes that the buyer be told; the daemon takes a turn."""
    wish = Wish(order_id, matter, **facts)
    known = {order_key(order.order_id): order for order in hand.orders.find([order_id])}
    rows = wished(wish, known, [order_id], hand.settings, source="command", batch=f"{order_id}-{matter}")
    with hand.journal.durable() as tx:
        owed.wish(tx, rows, now=hand.now)
    hand.turn()


def to_call(shop: Shop) -> list[str]:
    """The notes that ask for a call."""
    return [note for note in shop.all_notes() if note.startswith(TO_CALL)]


def test_the_call_list_from_the_notice_to_the_call(dovecot: Dovecot, sink: Sink, tmp_path: Path) -> None:
    shop = Shop(dovecot, sink, tmp_path, quiet_s=30.0)
    shop.order("1042", total="58000", 電話番号="03-0000-1042")
    shop.order("1043", buyer_mail="ken@mail.example", 電話番号="090-0000-1043")
    shop.order("1044", buyer_mail="mai@mail.example", buyer_name="Mai Lin", currency="USD", total="480.00")
    shop.order(
        "249-1234567-1234567",
        channel="amazon",
        buyer_mail="a1@marketplace.amazon.co.jp",
        total="99000",
        電話番号="03-0000-9999",
    )
    hand = ByHand(shop)
    try:
        tell(hand, "1042", "restock", restock="2099-12-10", causes=("late_supply",))
        (note,) = to_call(shop)
        assert "03-0000-1042" in note
        assert "高額のご注文です（58,000 JPY）" in note
        assert "2099年12月10日" in note
        assert note.count("【要確認: お電話する担当者の名前】") == 2
        # The same order and matter again, after what became of the first: no second note. Nor where calls are forbidden.
        tell(hand, "1042", "restock", restock="2099-12-11")
        tell(hand, "249-1234567-1234567", "delay", ship="2099-12-01", causes=("weather",))
        assert len(to_call(shop)) == 1
        # Without a number, and in two languages.
        tell(hand, "1044", "sold_out", causes=("discontinued",))
        note = to_call(shop)[-1]
        assert "注文データにありません" in note
        assert "Hello, this is" in note
        assert "| 「お忙しいところ恐れ入ります" in note

        # Asked to wait or to cancel, sent, and no answer for three days.
        tell(hand, "1043", "delay", ship="2099-12-01", causes=("weather",))
        (draft,) = [d for d in shop.drafts() if "ken@" in header_of(d.raw, "To")]
        shop.approve(draft)
        hand.turn_and_send()
        hand.later(31)
        hand.turn_and_send(3)
        assert len(sink.mails) == 1
        hand.turn_and_send()
        hand.later(2 * DAY)
        hand.turn()
        assert len(to_call(shop)) == 2
        hand.later(DAY)
        hand.turn()
        (note,) = [note for note in to_call(shop) if "1043" in note]
        assert "お返事がありません" in note
        assert "090-0000-1043" in note
        assert "先日メールでお知らせいたしましたが" in note
        hand.later(5 * DAY)
        hand.die()
        hand.turn()
        assert len(to_call(shop)) == 3

        status = CliRunner().invoke(cli, ["status", "--config", str(shop.folder), "--json"], catch_exceptions=False)
        listed = [row for row in map(json.loads, status.stdout.splitlines()) if "call" in row]
        assert [(row["call"], row["why"]) for row in listed] == [
            ("1042", ["call_high_value"]),
            ("1044", ["call_high_value"]),
            ("1043", ["call_no_answer"]),
        ]
        shown = CliRunner().invoke(cli, ["status", "--config", str(shop.folder)], catch_exceptions=False).stdout
        assert "高額のご注文" in shown or "high value" in shown

        # Called: the note lies in Sent. Answered: the buyer has written.
        (mail,) = [s for s in shop.lies_in("Responder") if subject_of(s.raw).startswith(f"{TO_CALL}1042")]
        with shop.staff("Responder") as client:
            move(client, mail.uid, "Sent")
        shop.buyer_writes("待ちます。", sender="ken@mail.example")
        hand.later(2 * 3600)
        hand.turn()
        hand.turn(after_s=3601)
        with hand.journal.reading() as tx:
            assert [one.order_id for one in calls.still_open(tx, "main", hand.now - timedelta(days=30))] == ["1044"]
    finally:
        hand.close()
