"""Two responders with journals of their own on one account, and a journal that comes from an old backup: whatever staff
do, a buyer gets one answer at most."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.journeys.by_hand import ByHand
from tests.journeys.shop import Shop, header_of, move, text_of
from tests.journeys.test_approval import thunderbird_saves
from tests.servers.dovecot import Stored

TEXT = "注文番号1042をキャンセルしてください。"


class Two:
    """The same mailbox in two hands."""

    def __init__(self, shop: Shop, elsewhere: Path) -> None:
        shop.order("1042")
        self.shop = shop
        self.one = ByHand(shop)
        self.other = ByHand(replace(shop, folder=elsewhere))
        shop.buyer_writes(TEXT)
        for hand in (self.one, self.other):
            hand.orders.refresh()
            hand.turn()

    def draft_of(self, hand: ByHand) -> Stored:
        assert hand.desk is not None
        with hand.journal.reading() as tx:
            from responder.edges.journal import drafts

            (draft,) = drafts.open_drafts(tx, "main")
        (found,) = [d for d in self.shop.drafts() if header_of(d.raw, "Message-ID") == draft.message_id]
        return found

    def work(self, turns: int = 6) -> None:
        """Both work in turns, each sending what it may."""
        for _ in range(turns):
            for hand in (self.one, self.other):
                hand.turn(after_s=30)
                hand.send()

    def close(self) -> None:
        self.one.close()
        self.other.close()


@pytest.fixture
def two(quick_shop: Shop, tmp_path: Path) -> Iterator[Two]:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    made = Two(quick_shop, elsewhere)
    yield made
    made.close()


def trash(shop: Shop, draft: Stored) -> None:
    with shop.staff() as client:
        move(client, draft.uid, "ゴミ箱")


def approve_one(two: Two) -> None:
    two.shop.approve(two.draft_of(two.one))


def approve_both(two: Two) -> None:
    for hand in (two.one, two.other):
        two.shop.approve(two.draft_of(hand))


def edited(two: Two) -> Stored:
    """One's draft, saved anew by a mail client."""
    draft = two.draft_of(two.one)
    message_id = thunderbird_saves(two.shop, draft, text_of(draft.raw))
    (found,) = [d for d in two.shop.drafts() if header_of(d.raw, "Message-ID") == message_id]
    return found


def edit_and_approve_one(two: Two) -> None:
    two.shop.approve(edited(two))


def edit_one_throw_away_the_other_unseen(two: Two) -> None:
    """The worst there is: the text names no hand any more, and the other's draft leaves no trace."""
    other = two.draft_of(two.other)
    saved = edited(two)
    with two.shop.staff() as client:
        client.delete_messages([other.uid])
        client.expunge()
    two.shop.approve(saved)


def edit_one_throw_away_both_originals(two: Two) -> None:
    """A mail client that puts the draft it replaces into Trash."""
    one, other = two.draft_of(two.one), two.draft_of(two.other)
    saved = edited(two)
    with two.shop.staff("ゴミ箱") as client:
        client.append("ゴミ箱", one.raw)
    trash(two.shop, other)
    two.shop.approve(saved)


@pytest.mark.parametrize(
    "staff",
    [
        approve_one,
        approve_both,
        edit_and_approve_one,
        edit_one_throw_away_the_other_unseen,
        edit_one_throw_away_both_originals,
    ],
)
def test_two_daemons_send_one_answer_at_most(two: Two, staff: Callable[[Two], None]) -> None:
    two.work(1)  # each has seen the other's draft, as it has long before anybody approves
    staff(two)
    two.work()
    assert len(two.shop.sink.mails) <= 1
    assert any("2つの responder" in note for note in two.shop.notes())


def test_thrown_away_one_of_the_two_lets_the_other_go_out(two: Two) -> None:
    two.work(1)
    two.shop.approve(two.draft_of(two.one))
    two.work(2)
    assert two.shop.sink.mails == []
    trash(two.shop, two.draft_of(two.other))
    two.work()
    assert len(two.shop.sink.mails) == 1
    assert len(two.shop.lies_in("Sent")) == 1


def test_a_journal_restored_from_before_the_answer_sends_it_no_second_time(quick_shop: Shop, tmp_path: Path) -> None:
    shop = quick_shop
    shop.order("1042")
    hand = ByHand(shop)
    shop.buyer_writes(TEXT)
    hand.turn()
    (draft,) = shop.drafts()
    hand.close()
    state, backup = shop.folder / "state", tmp_path / "backup"
    shutil.copytree(state, backup)
    hand = ByHand(shop)
    shop.approve(draft)
    hand.turn_and_send(3)
    assert len(shop.sink.mails) == 1
    hand.close()
    shutil.rmtree(state)
    shutil.copytree(backup, state)
    hand = ByHand(shop)
    with shop.staff() as client:
        client.append("承認", draft.raw)  # and a mail client puts the old draft back, of all places into Approved
    hand.turn_and_send(4)
    assert len(shop.sink.mails) == 1
    hand.close()


def test_a_journal_restored_from_before_the_draft_leaves_that_one_alone(quick_shop: Shop, tmp_path: Path) -> None:
    shop = quick_shop
    shop.order("1042")
    hand = ByHand(shop)
    hand.close()
    state, backup = shop.folder / "state", tmp_path / "backup"
    shutil.copytree(state, backup)
    hand = ByHand(shop)
    shop.buyer_writes(TEXT)
    hand.turn()
    (first,) = shop.drafts()
    hand.close()
    shutil.rmtree(state)
    shutil.copytree(backup, state)
    hand = ByHand(shop)
    hand.turn()
    for draft in shop.drafts():
        shop.approve(draft)
    hand.turn_and_send(4)
    assert shop.sink.mails == []
    assert header_of(first.raw, "Message-ID") in {header_of(s.raw, "Message-ID") for s in shop.lies_in("承認")}
    assert len(shop.notes()) >= 2
    hand.close()
