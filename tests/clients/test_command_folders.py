"""A mail dragged into a command folder by every client, with a turn of the daemon after each word the client says: one
draft, and the mail is back where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from responder.demo.servers import Stored
from tests.clients.client import Client, everyone, habits
from tests.clients.wire import Line
from tests.journeys.by_hand import ByHand
from tests.journeys.shop import ADDRESS, Shop, header_of, subject_of, text_of
from tests.journeys.test_command_folders import notification
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.sink import Sink

FOLDERS = {
    "在庫切れ": "欠品のお詫びとキャンセル",
    "入荷待ち": "入荷待ち",
    "確認中": "在庫確認",
    "発送遅延": "発送の遅れ",
    "フォロー": "先日のご注文",
}
# By MOVE; by COPY, mark and EXPUNGE; by COPY, and the rest hours later; by COPY and a mark alone. The others do as these.
MOVERS = ("thunderbird", "claws", "neomutt", "outlook")


@dataclass
class Dropping:
    """A shop whose staff drag mails about in one client."""

    shop: Shop
    hand: ByHand
    client: Client

    def arrives(self, mark: str, **mail: object) -> None:
        self.shop.buyer_writes(f"{mark}の件でご相談がございます。", subject=f"例の件 {mark}", **mail)

    def lying(self, mailbox: str, mark: str) -> list[Stored]:
        return [s for s in self.shop.lies_in(mailbox) if mark in subject_of(s.raw)]

    def drop(self, mark: str, folder: str, source: str = "INBOX") -> None:
        (mail,) = self.lying(source, mark)
        self.client.drop(mail.uid, f"Responder/{folder}", source)
        self.look()

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.hand.turn(after_s=1)


@pytest.fixture
def dropping(
    mail_server: tuple[Dovecot, Iterator[str]], sink: Sink, tmp_path: Path
) -> Iterator[Callable[[str], Dropping]]:
    running, users = mail_server
    made: list[Dropping] = []

    def make(name: str) -> Dropping:
        shop = Shop(running, sink, tmp_path, quiet_s=30.0, user=next(users))
        for n in range(10):
            status = "cancelled" if n in (4, 9) else "paid"
            shop.order(str(7000 + n), buyer_mail=f"b{n}@mail.example", status=status)
        hand = ByHand(shop)
        server = running.imap(shop.user)
        line = Line(server.host, server.port, shop.user, PASSWORD)
        client = Client(habits(name), line, lambda *_: None, lambda: hand.turn(after_s=1) and None)
        made.append(Dropping(shop, hand, client))
        return made[-1]

    yield make
    for one in made:
        one.client.line.close()
        one.hand.close()


def test_the_four_ways_of_moving_are_all_there_are() -> None:
    assert {habits(name).acts["move"] for name in everyone("move")} <= {
        *(habits(name).acts["move"] for name in MOVERS),
    }


@pytest.mark.parametrize("client", MOVERS)
def test_dropped_into_every_folder_the_draft_appears_and_the_mail_is_back(
    dropping: Callable[[str], Dropping], client: str
) -> None:
    story = dropping(client)
    shop = story.shop
    for n in range(5):
        shop.buyer_writes("", sender=ADDRESS, raw=notification(str(7000 + n)))
        story.arrives(str(7005 + n), sender=f"b{5 + n}@mail.example")
    story.look()
    assert shop.drafts() == []
    for n, folder in enumerate(FOLDERS):
        story.drop(str(7000 + n), folder)
        story.drop(str(7005 + n), folder)
    if "sync" in story.client.habits.acts:
        story.client.do("sync")
    story.look()
    drafts = {text_of(d.raw).partition("ご注文番号: ")[2][:4]: d for d in shop.drafts()}
    assert sorted(drafts) == [str(7000 + n) for n in range(10)]
    assert len(shop.drafts()) == 10
    for n, words in enumerate((*FOLDERS.values(), *FOLDERS.values())):
        assert words in subject_of(drafts[str(7000 + n)].raw)
        assert len(story.lying("INBOX", str(7000 + n))) == 1, n
    asked = header_of(story.lying("INBOX", "7006")[0].raw, "Message-ID")
    assert header_of(drafts["7006"].raw, "In-Reply-To") == asked
    assert not [box for box in shop.boxes() if box.startswith("Responder/") and shop.lies_in(box)]


@pytest.mark.parametrize("client", MOVERS)
def test_a_wrong_mail_comes_back_with_a_note_that_says_why(dropping: Callable[[str], Dropping], client: str) -> None:
    story = dropping(client)
    shop = story.shop
    shop.order("7020", buyer_mail="b1@mail.example")
    story.hand.orders.refresh()
    shop.buyer_writes("新しいカタログのご案内です。", sender="news@firm.example", subject="カタログ")
    shop.buyer_writes("どうなっていますでしょうか。", sender="b1@mail.example", subject="その後")
    story.look()
    notes = len(shop.notes())
    for mark, words in (("カタログ", "どの注文か分かりません"), ("その後", "注文が複数")):
        story.drop(mark, "在庫切れ")
        if "sync" in story.client.habits.acts:
            story.client.do("sync")
            story.look()
        assert len(story.lying("INBOX", mark)) == 1
        (note,) = shop.notes()[notes:]
        notes += 1
        assert words in note
        assert "INBOX" in note or "受信" in note
    assert shop.drafts() == []
    assert shop.lies_in("Responder/在庫切れ") == []
