"""Lines that break, disks that are full and processes that die at the places where that once did harm."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from responder.cli import cli
from responder.core import guards
from responder.edges.imap import Session
from responder.edges.journal import Journal, JournalUnavailable, drafts, mails, notes
from responder.errors import ConnectionLost
from responder.flows import arrivals, sending, staff
from responder.flows.sent import SERVER_FILES
from tests.journeys.by_hand import ByHand, breaking
from tests.journeys.shop import Shop, move, text_of
from tests.journeys.test_approval import thunderbird_saves

CUT = ConnectionLost("cut")
FULL = JournalUnavailable("disk full")
BUYERS = {"1042": "hanako@mail.example", "1043": "ken@mail.example", "1044": "ren@mail.example"}


@pytest.fixture
def by_hand(quick_shop: Shop) -> Iterator[Callable[..., ByHand]]:
    """Makes the shop's account, turned by hand, with a draft for each of the first buyers."""
    made: list[ByHand] = []

    def make(buyers: int = 1) -> ByHand:
        for order, mail in list(BUYERS.items())[:buyers]:
            quick_shop.order(order, buyer_mail=mail)
        made.append(ByHand(quick_shop))
        for order, mail in list(BUYERS.items())[:buyers]:
            quick_shop.buyer_writes(f"注文番号{order}をキャンセルしてください。", sender=mail)
        if buyers:
            made[0].turn()
            assert len(quick_shop.drafts()) == buyers
        return made[0]

    yield make
    for one in made:
        one.close()


def approve_all(shop: Shop) -> None:
    for draft in shop.drafts():
        shop.approve(draft)


def test_what_was_claimed_goes_out_although_the_line_breaks_over_the_next_draft(by_hand: Callable[..., ByHand]) -> None:
    hand = by_hand(2)
    approve_all(hand.shop)
    hand.turn()
    with breaking(sending, "fetch_copy", CUT, nth=2), pytest.raises(ConnectionLost):
        hand.turn()
    hand.send()
    assert len(hand.shop.sink.mails) == 1
    hand.turn_and_send(3)
    assert len(hand.shop.sink.mails) == 2
    assert hand.states() == {"filed": 2}
    with hand.journal.reading() as tx:
        assert notes.facts_named(tx, "used:") == []


def test_the_daemon_sends_what_a_broken_turn_has_claimed(quick_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    broken: list[bool] = []
    real = sending._prepare

    def prepare(desk, item, now):
        parcel = real(desk, item, now)
        if parcel is not None and not broken:
            broken.append(True)
            desk.outbox.append(parcel)
            raise CUT
        return parcel

    monkeypatch.setattr(sending, "_prepare", prepare)
    shop = quick_shop
    shop.order("1042")
    shop.start()
    shop.buyer_writes("注文番号1042をキャンセルしてください。")
    shop.approve(shop.wait_for_draft())
    shop.wait_for_mail()
    shop.wait_until_filed()
    assert broken == [True]
    assert len(shop.sink.mails) == 1


def test_a_full_disk_after_the_copy_in_sent_makes_no_second_copy(by_hand: Callable[..., ByHand]) -> None:
    hand = by_hand()
    approve_all(hand.shop)
    hand.turn_and_send(2)
    with breaking(drafts, "finish", FULL), pytest.raises(JournalUnavailable):
        hand.turn()
    hand.turn_and_send(2)
    assert hand.states() == {"filed": 1}
    assert len(hand.shop.lies_in("Sent")) == len(hand.shop.sink.mails) == 1


def test_after_a_restart_our_own_copy_is_not_taken_for_the_servers(by_hand: Callable[..., ByHand]) -> None:
    hand = by_hand()
    approve_all(hand.shop)
    hand.turn_and_send(2)
    with breaking(Session, "append", CUT, after=True), pytest.raises(ConnectionLost):
        hand.turn()
    hand.die()
    hand.turn_and_send(3)
    assert hand.states() == {"filed": 1}
    assert len(hand.shop.lies_in("Sent")) == 1
    with hand.journal.reading() as tx:
        assert not notes.find_fact(tx, "main", SERVER_FILES)


def test_an_answer_that_finds_the_disk_full_is_journalled_once_there_is_room(
    by_hand: Callable[..., ByHand], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "OWED_TRIES", 2)
    monkeypatch.setattr(sending, "sleep", lambda _s: None)
    hand = by_hand()
    approve_all(hand.shop)
    hand.turn()
    hand.turn()
    with monkeypatch.context() as context:
        context.setattr(sending, "settle_as_sent", lambda *_: (_ for _ in ()).throw(FULL))
        with pytest.raises(JournalUnavailable):
            hand.send()
        assert hand.states() == {"sending": 1}
    hand.turn_and_send(2)
    assert hand.states() == {"filed": 1}
    assert len(hand.shop.sink.mails) == len(hand.shop.lies_in("Sent")) == 1
    assert hand.shop.notes() == []


def test_old_approvals_stay_void_when_the_start_after_a_renumbering_is_cut_short(
    by_hand: Callable[..., ByHand],
) -> None:
    hand = by_hand()
    hand.turn()
    approve_all(hand.shop)
    hand.shop.server.renew_uidvalidity("shop", "承認")
    with breaking(Session, "move", CUT), pytest.raises(ConnectionLost):
        hand.turn()
    hand.die()
    hand.turn_and_send(3)
    assert hand.shop.sink.mails == []
    assert hand.shop.lies_in("承認") == []
    assert len(hand.shop.drafts()) == 1
    approve_all(hand.shop)
    hand.turn_and_send(3)
    assert len(hand.shop.sink.mails) == 1


def test_a_renumbered_approved_that_staff_empty_themselves_is_no_stumbling_block(
    by_hand: Callable[..., ByHand],
) -> None:
    hand = by_hand(2)
    hand.turn()
    approve_all(hand.shop)
    hand.shop.server.renew_uidvalidity("shop", "承認")
    with breaking(Session, "move", CUT), pytest.raises(ConnectionLost):
        hand.turn()
    with hand.shop.staff("承認") as client:
        for uid in client.search():
            move(client, uid, "下書き")
    hand.turn_and_send(3)
    assert hand.shop.sink.mails == []
    approve_all(hand.shop)
    hand.turn_and_send(3)
    assert len(hand.shop.sink.mails) == 2


def test_a_draft_that_staff_rewrote_before_we_knew_it_lay_there_is_not_written_again(
    by_hand: Callable[..., ByHand], quick_shop: Shop
) -> None:
    quick_shop.order("1042")
    hand = by_hand(0)
    quick_shop.buyer_writes("注文番号1042をキャンセルしてください。")
    with breaking(Session, "append_many", CUT, after=True), pytest.raises(ConnectionLost):
        hand.turn()
    (draft,) = quick_shop.drafts()
    thunderbird_saves(quick_shop, draft, "担当の田中です。注文番号1042のキャンセルを承りました。")
    hand.die()
    hand.turn_and_send(3)
    assert len(quick_shop.drafts()) == 1
    approve_all(quick_shop)
    hand.turn_and_send(4)
    assert len(quick_shop.sink.mails) == 1
    assert "担当の田中です" in text_of(quick_shop.sink.mails[0].raw)
    assert hand.states() == {"filed": 1}


def test_seen_in_trash_before_a_death_it_still_ends_as_refused(by_hand: Callable[..., ByHand]) -> None:
    hand = by_hand()
    with hand.shop.staff() as client:
        client.copy(client.search(), "ゴミ箱")
    hand.turn()
    hand.die()
    with hand.shop.staff() as client:
        client.delete_messages(client.search())
        client.expunge()
    hand.turn()
    hand.turn(after_s=staff.VANISHED_AFTER.total_seconds() + 1)
    hand.turn()
    assert hand.states() == {"discarded": 1}


@pytest.mark.parametrize("outcome", ["unknown", "refused"])
def test_two_copies_in_approved_are_one_approval_whatever_becomes_of_the_mail(
    by_hand: Callable[..., ByHand], outcome: str
) -> None:
    hand = by_hand()
    if outcome == "unknown":
        hand.shop.sink.fail("dot", drop=True, kept=True)
    else:
        hand.shop.sink.fail("dot", "550 5.7.1 no")
    hand.shop.approve(hand.shop.drafts()[0], copy=True)
    hand.turn()
    approve_all(hand.shop)
    hand.turn_and_send(8)
    assert len(hand.shop.sink.mails) == (1 if outcome == "unknown" else 0)
    assert hand.shop.lies_in("承認") == [] or outcome == "unknown"
    for _ in range(10):
        hand.later(30)
        hand.turn_and_send()
    assert len(hand.shop.sink.mails) == (1 if outcome == "unknown" else 0)
    assert hand.shop.lies_in("承認") == []
    assert hand.shop.drafts() != []


def test_another_copy_approved_before_staff_are_asked_is_no_answer_to_the_question(
    by_hand: Callable[..., ByHand],
) -> None:
    hand = by_hand()
    hand.shop.sink.fail("dot", drop=True, kept=True)
    hand.shop.approve(hand.shop.drafts()[0], copy=True)
    hand.turn_and_send(2)
    assert hand.states() == {"uncertain": 1}
    approve_all(hand.shop)
    for _ in range(12):
        hand.later(20)
        hand.turn_and_send()
    assert len(hand.shop.sink.mails) == 1
    assert len(hand.shop.notes()) == 1
    approve_all(hand.shop)
    hand.turn_and_send(4)
    assert len(hand.shop.sink.mails) == 2, "staff, who were asked, have decided to send it again"


def test_told_to_stop_no_further_mail_of_a_batch_is_begun(by_hand: Callable[..., ByHand]) -> None:
    hand = by_hand(3)
    approve_all(hand.shop)
    hand.turn()
    hand.turn()
    hand.send(is_stopping=lambda: bool(hand.shop.sink.mails))
    assert len(hand.shop.sink.mails) == 1
    assert hand.states() == {"approved": 2, "sent": 1}
    hand.die()
    hand.turn_and_send(3)
    assert len(hand.shop.sink.mails) == 3
    assert hand.states() == {"filed": 3}


def test_a_mailbox_that_was_made_and_not_shown_is_shown_after_the_next_login(quick_shop: Shop) -> None:
    quick_shop.order("1042")
    with breaking(Session, "subscribe", CUT), pytest.raises(ConnectionLost):
        ByHand(quick_shop)
    hand = ByHand(quick_shop)
    try:
        with quick_shop.staff() as client:
            assert {"承認", "Responder"} <= {name for _, _, name in client.list_sub_folders()}
            client.unsubscribe_folder("承認")
        hand.die()
        hand.turn()
        with quick_shop.staff() as client:
            assert "承認" not in {name for _, _, name in client.list_sub_folders()}, "staff had hidden it"
    finally:
        hand.close()


def test_where_the_journal_cannot_be_made_the_start_ends_with_words(quick_shop: Shop) -> None:
    quick_shop.write_files()
    (quick_shop.folder / "state").write_text("no directory")
    result = CliRunner().invoke(cli, ["run", "--config", str(quick_shop.folder)])
    assert result.exit_code == 75
    assert "state/responder.db" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("taken_when", ["drafted", "approved"])
def test_a_journal_restored_from_before_the_mail_went_out_does_not_send_it_again(
    by_hand: Callable[..., ByHand], taken_when: str
) -> None:
    hand = by_hand()
    file = hand.shop.folder / "state" / "responder.db"
    if taken_when == "approved":
        approve_all(hand.shop)
        hand.turn()
        hand.turn()
        assert hand.states() == {"approved": 1}
    backup(hand, file)
    if taken_when == "approved":
        hand.send()
    approve_all(hand.shop)
    hand.turn_and_send(4)
    assert hand.states() == {"filed": 1}
    restore(hand, file)
    hand.turn_and_send(5)
    assert len(hand.shop.sink.mails) == len(hand.shop.lies_in("Sent")) == 1
    assert hand.shop.drafts() == hand.shop.lies_in("承認") == []
    assert set(hand.states()) <= {"sent_by_staff", "filed"}


def backup(hand: ByHand, file: Path) -> None:
    """A copy of the journal as it stands."""
    with contextlib.closing(sqlite3.connect(file)) as source, contextlib.closing(sqlite3.connect(f"{file}.bak")) as to:
        source.backup(to)


def restore(hand: ByHand, file: Path) -> None:
    """Put the copy in the journal's place and start anew."""
    assert hand.desk is not None
    hand.desk.session.close()
    hand.journal.close()
    for name in (f"{file}-wal", f"{file}-shm"):
        Path(name).unlink(missing_ok=True)
    shutil.copy(f"{file}.bak", file)
    hand.journal, hand.desk = Journal(hand.settings.state_url), None
    with hand.journal.durable() as tx:
        drafts.release_claims(tx, "main")


# --- mails that come to no good ------------------------------------------------------------------------------------


class Dies(BaseException):
    """The process ends here: the parser's memory, a signal."""


def test_a_mail_over_which_we_died_three_times_is_set_aside_and_the_next_goes_on(
    by_hand: Callable[..., ByHand], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = by_hand()
    real = guards.gate

    def gate(message: Any, *args: Any, **kwargs: Any) -> Any:
        if "poison" in message.subject:
            raise Dies
        return real(message, *args, **kwargs)

    monkeypatch.setattr(guards, "gate", gate)
    hand.shop.order("1043", buyer_mail="b@mail.example")
    hand.orders.refresh()
    before = len(hand.shop.drafts())
    hand.shop.buyer_writes("x", subject="poison", sender="evil@mail.example")
    hand.shop.buyer_writes("注文番号1043をキャンセルしてください。", sender="b@mail.example")
    deaths = 0
    while deaths < 6:
        try:
            hand.turn()
        except Dies:
            deaths += 1
            hand.die()
        else:
            break
    assert 3 <= deaths <= 4
    assert len(hand.shop.drafts()) == before + 1
    assert ["処理できないメール" in note for note in hand.shop.notes()] == [True]


def test_in_a_flood_an_approval_does_not_wait_for_all_of_it(
    by_hand: Callable[..., ByHand], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = by_hand()
    monkeypatch.setattr(arrivals, "A_TURN", 2)
    approve_all(hand.shop)
    for number in range(5):
        hand.shop.buyer_writes("届きました。ありがとうございました！", sender=f"b{number}@mail.example")
    hand.turn_and_send(1)
    desk = hand.turn()
    assert decided(hand) < 5
    assert desk.next_wake == hand.now
    hand.send()
    assert len(hand.shop.sink.mails) == 1
    hand.turn_and_send(3)
    assert decided(hand) >= 5


def decided(hand: ByHand) -> int:
    """How many mails have been understood, the first one not counted."""
    with hand.journal.reading() as tx:
        return sum(mails.count_by_action(tx, "main").values()) - 1


# --- clocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [timedelta(hours=5), -timedelta(days=365)], ids=["hours on", "a year back"])
def test_a_clock_that_is_set_ends_no_pause_and_stretches_none(by_hand: Callable[..., ByHand], jump: timedelta) -> None:
    hand = by_hand()
    hand.shop.sink.fail("mail", "451 4.7.1 later")
    approve_all(hand.shop)
    hand.turn_and_send(2)
    hand.now += jump
    hand.turn_and_send(3)
    assert hand.shop.sink.mails == []
    assert hand.shop.notes() == []
    assert hand.states() == {"approved": 1}
    hand.later(300)
    hand.turn_and_send(3)
    assert len(hand.shop.sink.mails) == 1
    assert hand.states() == {"filed": 1}


@pytest.mark.parametrize("jump", [timedelta(hours=5), -timedelta(days=365)], ids=["hours on", "a year back"])
def test_a_clock_that_is_set_while_the_outcome_is_unknown_asks_once(
    by_hand: Callable[..., ByHand], jump: timedelta
) -> None:
    hand = by_hand()
    hand.shop.sink.fail("dot", drop=True, kept=True)
    approve_all(hand.shop)
    hand.turn_and_send(2)
    hand.now += jump
    hand.turn_and_send(2)
    assert asked(hand) == 0
    hand.later(180)
    hand.turn_and_send(2)
    assert asked(hand) == 1
    hand.now += jump
    hand.turn_and_send(2)
    hand.now -= 2 * jump + timedelta(hours=1)
    hand.die()
    hand.turn_and_send(3)
    assert asked(hand) == 1
    assert hand.states() == {"uncertain": 1}
    assert len(hand.shop.sink.mails) == 1
    # The person answers, and the next unknown outcome is asked about again.
    hand.shop.sink.fail("dot", drop=True)
    approve_all(hand.shop)
    hand.turn_and_send(3)
    hand.later(180)
    hand.turn_and_send(3)
    assert asked(hand) == 2


def asked(hand: ByHand) -> int:
    """How often a person was asked what became of a mail."""
    return sum(note.startswith("送信できたか分かりません") for note in hand.shop.notes())


def test_a_clock_that_was_ahead_when_we_stopped_holds_nothing_up(by_hand: Callable[..., ByHand]) -> None:
    hand = by_hand()
    hand.now += timedelta(hours=30)
    hand.die()
    hand.shop.sink.fail("mail", "451 4.7.1 later")
    approve_all(hand.shop)
    hand.turn_and_send(3)
    assert hand.states() == {"approved": 1}
    hand.now -= timedelta(hours=30)
    hand.die()
    hand.turn_and_send(3)
    assert len(hand.shop.sink.mails) == 1


def test_a_machine_that_slept_for_two_days_gives_nothing_up(by_hand: Callable[..., ByHand]) -> None:
    hand = by_hand()
    hand.shop.sink.fail("mail", "451 4.7.1 later", times=2)
    approve_all(hand.shop)
    hand.turn_and_send(2)
    hand.later(2 * 86_400)
    hand.turn_and_send(1)
    assert hand.states() == {"approved": 1}
    hand.later(3600)
    hand.turn_and_send(2)
    assert len(hand.shop.sink.mails) == 1
