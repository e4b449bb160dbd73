"""The journal keeps every promise in one conditional statement, and its tables are what the migrations make."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from responder.edges.journal import (
    Journal,
    JournalUnavailable,
    auto_replies,
    cases,
    clocks,
    drafts,
    lookups,
    mails,
    notes,
)
from responder.edges.journal.tables import metadata
from responder.model import Address, Approval, Case, Cursor, Decision, Draft, Place
from tests.builders import NOW

PLACE = Place("Drafts", 4_000_000_000, 4_100_000_000)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path / 'state' / 'j.db'}")
    journal.upgrade()
    yield journal
    journal.close()


def a_case(case_id: str, buyer: str = "b@mail.example") -> Case:
    return Case(case_id, "main", "open", None, buyer, "own", "1", "ja", NOW, None)


def begin(tx: Connection, **changes: Any) -> int:
    if cases.find(tx, "c1") is None:
        cases.open_cases(tx, [a_case("c1")])
    values = {**intent_values("c1"), **changes}
    ((_, draft_id),) = drafts.begin(tx, [drafts.Intent(**values)], now=NOW).items()
    return draft_id


def intent_values(case_id: str) -> dict[str, Any]:
    return {
        "case_id": case_id, "account": "main", "message_id": "<d1@r>", "raw": b"raw", "template": "t",
        "situation": "cancel_before_ship", "order_id": "1", "channel": "own", "facts": {"status": "paid"},
        "sender": "s@shop.example", "recipient": Address("b", "b@mail.example"), "in_reply_to": "<b1@x>",
        "references": ("<b1@x>",), "answers": (1,),
    }  # fmt: skip


def approval(**changes: Any) -> Approval:
    values: dict[str, Any] = {
        "place": Place("Approved", 1, 1), "raw_sha256": "r", "text_sha256": "t", "outgoing_id": "<o1@r>",
        "outgoing_raw": b"out", "approved_at": NOW,
    }  # fmt: skip
    return Approval(**{**values, **changes})


def approved(journal: Journal) -> int:
    with journal.durable() as tx:
        draft_id = begin(tx)
        drafts.drafted(tx, {draft_id: PLACE})
        assert drafts.approve(tx, draft_id, approval())
    return draft_id


def look(journal: Journal, draft_id: int) -> Draft:
    with journal.reading() as tx:
        return drafts.find(tx, draft_id)


def test_the_migrations_make_the_tables_the_program_uses(journal: Journal) -> None:
    with journal.reading() as tx:
        assert compare_metadata(MigrationContext.configure(tx, opts={"compare_type": True}), metadata) == []


def test_upgrading_twice_changes_nothing(journal: Journal) -> None:
    draft_id = approved(journal)
    journal.upgrade()
    assert look(journal, draft_id).state == "approved"


def test_several_may_open_a_new_journal_at_once(tmp_path: Path) -> None:
    for number in range(20):
        barrier, failures = threading.Barrier(3), list[Exception]()

        def look(url: str, barrier: threading.Barrier = barrier, failures: list[Exception] = failures) -> None:
            journal = Journal(url)
            barrier.wait()
            try:
                with journal.reading() as tx:
                    tx.exec_driver_sql("SELECT 1")
            except JournalUnavailable as exc:
                failures.append(exc)
            journal.close()

        hands = [threading.Thread(target=look, args=(f"sqlite:///{tmp_path / f'{number}.db'}",)) for _ in range(3)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        assert failures == []


def test_nobody_else_may_read_the_file(journal: Journal) -> None:
    assert journal.file is not None
    assert stat.S_IMODE(os.stat(journal.file).st_mode) == 0o600


def test_a_journal_that_is_not_there_is_unavailable_and_not_made(tmp_path: Path) -> None:
    journal = Journal(f"sqlite:///{tmp_path / 'none.db'}", create=False)
    with pytest.raises(JournalUnavailable), journal.reading():
        pass
    assert not (tmp_path / "none.db").exists()


def test_a_durable_commit_is_synced_and_a_light_one_is_not(journal: Journal) -> None:
    with journal.durable() as tx:
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with journal.light() as tx:
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_failed_block_leaves_nothing_behind(journal: Journal) -> None:

    def breaks() -> None:
        with journal.durable() as tx:
            begin(tx)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    with journal.reading() as tx:
        assert drafts.open_drafts(tx, "main") == []


def test_a_draft_keeps_what_it_was_given(journal: Journal) -> None:
    draft = look(journal, approved(journal))
    assert draft.place == PLACE
    assert draft.recipient == Address("b", "b@mail.example")
    assert draft.created_at == NOW
    assert draft.facts == {"status": "paid"}
    assert draft.approval == approval()


def test_only_one_of_many_hands_claims_a_draft(journal: Journal) -> None:
    draft_id = approved(journal)
    won: list[bool] = []
    barrier = threading.Barrier(8)

    def claim(number: int) -> None:
        barrier.wait()
        with journal.durable() as tx:
            won.append(drafts.claim(tx, draft_id, token=f"t{number}", until=NOW + timedelta(minutes=5), now=NOW))

    hands = [threading.Thread(target=claim, args=(n,)) for n in range(8)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sorted(won) == [False] * 7 + [True]


def test_a_body_begins_once_and_only_with_a_live_lease(journal: Journal) -> None:
    draft_id = approved(journal)
    with journal.durable() as tx:
        assert drafts.claim(tx, draft_id, token="t", until=NOW + timedelta(minutes=5), now=NOW)
        assert not drafts.begin_body(tx, draft_id, "other", now=NOW)
        assert not drafts.begin_body(tx, draft_id, "t", now=NOW + timedelta(minutes=6))
        assert drafts.begin_body(tx, draft_id, "t", now=NOW)
        assert not drafts.begin_body(tx, draft_id, "t", now=NOW)


def test_while_the_body_is_under_way_nothing_else_changes_the_draft(journal: Journal) -> None:
    draft_id = approved(journal)
    with journal.durable() as tx:
        drafts.claim(tx, draft_id, token="t", until=NOW + timedelta(minutes=5), now=NOW)
        drafts.begin_body(tx, draft_id, "t", now=NOW)
        assert not drafts.end(tx, draft_id, "withdrawn", now=NOW)
        assert not drafts.unapprove(tx, draft_id, None)
        assert not drafts.approve(tx, draft_id, approval(text_sha256="u"))
        assert not drafts.claim(tx, draft_id, token="u", until=NOW, now=NOW)
        assert drafts.doubt(tx, draft_id)
    assert look(journal, draft_id).state == "uncertain"


def test_what_was_put_off_is_claimed_only_when_due(journal: Journal) -> None:
    draft_id = approved(journal)
    later = NOW + timedelta(minutes=5)
    with journal.durable() as tx:
        drafts.claim(tx, draft_id, token="t", until=later, now=NOW)
        assert drafts.later(tx, draft_id, "t", later)
        assert not drafts.claim(tx, draft_id, token="u", until=later, now=NOW)
        assert drafts.claim(tx, draft_id, token="u", until=later + timedelta(minutes=5), now=later)
    assert look(journal, draft_id).attempts == 2


def test_an_end_is_final(journal: Journal) -> None:
    draft_id = approved(journal)
    with journal.durable() as tx:
        assert drafts.end(tx, draft_id, "discarded", now=NOW)
        assert not drafts.end(tx, draft_id, "withdrawn", now=NOW)
        assert not drafts.approve(tx, draft_id, approval())
    assert look(journal, draft_id).state == "discarded"


def test_filing_forgets_the_bytes_that_went_out(journal: Journal) -> None:
    draft_id = approved(journal)
    with journal.durable() as tx:
        assert drafts.accepted(tx, draft_id, now=NOW)
        drafts.finish(tx, draft_id, copied=True, marked=True, removed=True)
        drafts.filed(tx, draft_id, now=NOW)
    draft = look(journal, draft_id)
    assert draft.state == "filed"
    assert draft.approval is not None
    assert draft.approval.outgoing_raw == b""


def test_a_note_is_written_once_for_a_key(journal: Journal) -> None:
    with journal.durable() as tx:
        assert notes.intend(tx, "main", "k", message_id="<n1@r>", raw=b"1", now=NOW)
        assert not notes.intend(tx, "main", "k", message_id="<n2@r>", raw=b"2", now=NOW)
        ((row_id, message_id, raw),) = notes.waiting(tx, "main")
        assert (message_id, raw) == ("<n1@r>", b"1")
        notes.delivered(tx, [row_id])
        assert notes.waiting(tx, "main") == []
        notes.forget(tx, "main", "k")
        assert notes.intend(tx, "main", "k", message_id="<n3@r>", raw=b"3", now=NOW)


def test_a_mail_counts_its_attempts_and_keeps_one_row(journal: Journal) -> None:
    place = Place("INBOX", 1, 5)
    with journal.light() as tx:
        (first,) = mails.note_new(tx, "main", [(place, NOW)], now=NOW).values()
        (second,) = mails.note_seen(tx, "main", [(place, NOW)], now=NOW).values()
        assert first == second
        (mail,) = mails.unfinished(tx, "main")
        assert mail.attempts == 2
        mails.decide(tx, [mails.Verdict(first, Decision("silence", "spam", None, "ja", "own"))])
        assert mails.unfinished(tx, "main") == []
        assert mails.count_by_action(tx, "main") == {"silence": 1}


def test_a_cursor_is_kept_for_each_mailbox(journal: Journal) -> None:
    with journal.light() as tx:
        mails.save_cursor(tx, Cursor("main", "INBOX", 1, 10, NOW))
        mails.save_cursor(tx, Cursor("main", "INBOX", 1, 12, NOW))
        mails.save_cursor(tx, Cursor("main", "Sent", 3, 4_294_967_295, NOW))
        assert mails.find_cursor(tx, "main", "INBOX") == Cursor("main", "INBOX", 1, 12, NOW)
        assert mails.find_cursor(tx, "main", "Sent") == Cursor("main", "Sent", 3, 4_294_967_295, NOW)
        assert mails.find_cursor(tx, "other", "INBOX") is None


def test_a_key_names_the_newest_case_of_its_thread(journal: Journal) -> None:
    with journal.durable() as tx:
        for case_id in ("c1", "c2"):
            cases.open_cases(tx, [a_case(case_id)])
        cases.add_keys(tx, "main", "c1", ["<a@x>", "<a@x>", "<b@x>"])
        cases.add_keys(tx, "main", "c2", ["<b@x>"])
        assert cases.by_keys(tx, "main", ["<a@x>", "<b@x>", "<c@x>"]) == {"<a@x>": "c1", "<b@x>": "c2"}


def test_only_the_buyers_and_contents_that_were_met_are_known(journal: Journal) -> None:
    with journal.durable() as tx:
        cases.open_cases(tx, [a_case("c1", "known@x")])
        ids = mails.note_new(tx, "main", [(Place("INBOX", 1, uid), NOW) for uid in (1, 2)], now=NOW)
        silent = Decision("silence", "spam", None, "ja", "own")
        mails.decide(tx, [mails.Verdict(ids[1], silent, content_sha256="decided")])
        assert cases.known_buyers(tx, "main", ["known@x", "stranger@x"]) == {"known@x"}
        assert cases.known_buyers(tx, "other", ["known@x"]) == set()
        assert mails.known_contents(tx, "main", ["decided", "never seen", ""]) == {"decided"}
        assert mails.known_contents(tx, "main", [f"{n}" for n in range(2000)]) == set()


def test_many_drafts_are_begun_and_found_where_the_server_put_them(journal: Journal) -> None:
    with journal.durable() as tx:
        cases.open_cases(tx, [a_case(f"c{n}") for n in range(3)])
        base = intent_values("c0")
        intents = [drafts.Intent(**{**base, "case_id": f"c{n}", "message_id": f"<{n}@r>"}) for n in range(3)]
        ids = drafts.begin(tx, intents, now=NOW)
        assert [d.message_id for d in drafts.intended(tx, "main")] == ["<0@r>", "<1@r>", "<2@r>"]
        drafts.drafted(tx, {ids["<0@r>"]: PLACE, ids["<1@r>"]: None})
        assert [d.id for d in drafts.intended(tx, "main")] == [ids["<2@r>"]]
        assert drafts.find(tx, ids["<0@r>"]).place == PLACE
        assert drafts.find(tx, ids["<1@r>"]).place is None
        assert drafts.count_recent(tx, "main", "b@mail.example", NOW, NOW) == 3
        assert (
            drafts.count_recent(tx, "main", "b@mail.example", NOW + timedelta(seconds=1), NOW + timedelta(days=1)) == 0
        )
        assert (
            drafts.count_recent(tx, "main", "b@mail.example", NOW - timedelta(days=1), NOW - timedelta(seconds=1)) == 0
        )


def test_a_draft_is_found_by_both_its_ids_and_a_loaded_one_is_not_read_again(journal: Journal) -> None:
    draft_id = approved(journal)
    with journal.reading() as tx:
        found = drafts.by_message_ids(tx, "main", ["<d1@r>", "<o1@r>", "<stranger@x>"])
        assert {key: value.id for key, value in found.items()} == {"<d1@r>": draft_id, "<o1@r>": draft_id}
        mine = found["<d1@r>"]
        assert drafts.by_message_ids(tx, "main", ["<o1@r>"], loaded={draft_id: mine})["<o1@r>"] is mine
        assert drafts.by_message_ids(tx, "other", ["<d1@r>"]) == {}


def test_numbers_named_in_vain_are_counted_for_a_day_by_account_and_sender(journal: Journal) -> None:
    hour = timedelta(hours=1)
    with journal.durable() as tx:
        lookups.count(tx, "main", {"a@x.example": 7, "b@x.example": 1}, now=NOW - 30 * hour)
        lookups.count(tx, "main", {"a@x.example": 2}, now=NOW - hour)
        lookups.count(tx, "main", {"a@x.example": 3}, now=NOW)
        lookups.count(tx, "other", {"a@x.example": 9}, now=NOW)
        lookups.count(tx, "main", {}, now=NOW)
    with journal.reading() as tx:
        assert lookups.failed_since(tx, "main", ["a@x.example", "b@x.example"], NOW - 24 * hour) == {"a@x.example": 5}
        assert lookups.failed_since(tx, "main", [], NOW) == {}
    with journal.durable() as tx:
        lookups.count(tx, "main", {"c@x.example": 1}, now=NOW + 40 * hour)
    with journal.reading() as tx:
        long_ago = lookups.failed_since(tx, "main", ["a@x.example", "b@x.example"], NOW - 100 * hour)
    assert long_ago == {"a@x.example": 5}, "older than two days is forgotten"


def test_the_next_look_is_the_earliest_of_the_account_and_a_look_moves_it(journal: Journal) -> None:
    with journal.durable() as tx:
        assert clocks.next_look(tx, "main") is None
        later = [replace(a_case(f"c{n}"), look_at=NOW + timedelta(hours=n)) for n in (3, 1, 2)]
        cases.open_cases(tx, [*later, a_case("c9"), replace(a_case("c8"), account="other", look_at=NOW)])
        assert clocks.next_look(tx, "main") == NOW + timedelta(hours=1)
        assert [one.case.id for one in clocks.due(tx, "main", NOW + timedelta(hours=2), most=9)] == ["c1", "c2"]
        clocks.looked(tx, [("c1", None), ("c2", NOW + timedelta(days=1))], now=NOW)
        assert clocks.next_look(tx, "main") == NOW + timedelta(hours=3)
        cases.close(tx, "c3", "sent", now=NOW)
        assert clocks.next_look(tx, "main") == NOW + timedelta(hours=1)  # what comes after the end
        cases.close(tx, "c2", "discarded", now=NOW)
        assert [one.case.id for one in clocks.due(tx, "main", NOW + timedelta(days=9), most=9)] == ["c3"]


def test_a_receipt_is_begun_at_most_once_and_a_sender_gets_one_in_some_days(journal: Journal) -> None:
    def one(case_id: str, number: int) -> auto_replies.Receipt:
        return auto_replies.Receipt("main", number, case_id, "b@mail.example", f"<{number}.a@shop.example>", b"raw")

    def may_begin(tx: Connection, case_id: str, now: Any = NOW, sender: str = "b@mail.example", most: int = 5) -> bool:
        since, day = now - timedelta(days=7), now - timedelta(days=1)
        return auto_replies.may_begin(tx, "main", case_id, sender, since=since, day=day, most_a_day=most)

    with journal.durable() as tx:
        cases.open_cases(tx, [a_case(f"c{n}") for n in (1, 2)])
        numbers = mails.note_new(tx, "main", [(Place("INBOX", 1, n), NOW) for n in (1, 2)], now=NOW)
        assert may_begin(tx, "c1")
        auto_replies.intend(tx, [one("c1", numbers[1])], now=NOW)
        (known,) = auto_replies.under_way(tx, "main")
        assert not may_begin(tx, "c1", sender="other@mail.example")  # one for a case, ever
        assert not may_begin(tx, "c2", now=NOW + timedelta(days=6))
        assert may_begin(tx, "c2", now=NOW + timedelta(days=8))
        assert may_begin(tx, "c2", sender="other@mail.example")
        assert not may_begin(tx, "c2", sender="other@mail.example", most=1)
        assert auto_replies.take(tx, known.id, now=NOW)
        assert not auto_replies.take(tx, known.id, now=NOW)
        assert auto_replies.back(tx, known.id)
        assert auto_replies.take(tx, known.id, now=NOW)
        assert auto_replies.end(tx, known.id, "unknown", now=NOW)
        assert not auto_replies.back(tx, known.id)
        assert not auto_replies.take(tx, known.id, now=NOW)
        assert not auto_replies.end(tx, known.id, "sent", now=NOW)
        assert auto_replies.under_way(tx, "main") == []
