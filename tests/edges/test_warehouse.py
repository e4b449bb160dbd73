"""The two ways to the warehouse that are no mail, and the journal's promise that each word is said at most once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from responder.edges import csv_lines, webhook
from responder.edges.journal import Journal, cases, parcels
from responder.model import Accepted, Case, Later, ParcelWord, Refused, Unknown
from tests.builders import NOW
from tests.servers.hook import listening

HEADER = ("time", "order_id")


# --- webhook --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, Accepted), (204, Accepted), (302, Refused), (404, Refused), (500, Unknown), (0, Unknown)],
)
def test_what_became_of_a_post_is_told_by_the_answer(status: int, outcome: type) -> None:
    with listening(status) as hook:
        found = webhook.post(hook.url, b'{"a": 1}')
        assert isinstance(found, outcome)
        assert hook.posted == [{"a": 1}], "once, and no redirect is followed"
        assert "secret-path" not in repr(found)


def test_a_server_nobody_reaches_was_told_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert isinstance(webhook.post(f"http://127.0.0.1:{port}/x", b"{}"), Later)


def test_a_plain_server_where_https_is_configured_was_told_nothing() -> None:
    with listening() as hook:
        found = webhook.post(hook.url.replace("http://", "https://"), b"{}")
        assert isinstance(found, Later)
        assert hook.posted == []


# --- CSV ------------------------------------------------------------------------------------------------------------


def test_a_new_file_gets_the_header_and_a_broken_last_line_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "stops.csv"
    assert isinstance(csv_lines.append(path, HEADER, ("1", "a,b")), Accepted)
    assert path.read_bytes() == b'time,order_id\r\n1,"a,b"\r\n'
    path.write_bytes(b"time,order_id\n1,half")
    assert isinstance(csv_lines.append(path, HEADER, ("2", "c")), Accepted)
    assert path.read_bytes() == b"time,order_id\n1,half\r\n2,c\r\n"


def test_a_file_that_cannot_be_opened_was_told_nothing(tmp_path: Path) -> None:
    assert isinstance(csv_lines.append(tmp_path / "no" / "stops.csv", HEADER, ("1", "a")), Later)
    assert isinstance(csv_lines.append(tmp_path, HEADER, ("1", "a")), Later)


# --- the journal ----------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(f"sqlite:///{tmp_path / 'j.db'}")
    made.upgrade()
    with made.durable() as tx:
        new = [
            Case(one, "main", "open", None, f"{one}@x.example", "own", None, "ja", NOW, None) for one in ("c1", "c2")
        ]
        cases.open_cases(tx, new)
    yield made
    made.close()


Begin = Callable[..., bool]


@pytest.fixture
def begin(journal: Journal) -> Begin:
    count = iter(range(100))

    def begin(case_id: str = "c1", order_id: str = "1042", ways: tuple[str, ...] = ("mail",)) -> bool:
        with journal.durable() as tx:
            return parcels.begin(
                tx, "main", case_id, order_id=order_id, channel="own", token=f"t{next(count)}", reason="buyer_cancel",
                ways=ways, now=NOW,
            )  # fmt: skip

    return begin


def due(journal: Journal, now: datetime = NOW) -> list[ParcelWord]:
    with journal.reading() as tx:
        return parcels.due(tx, "main", now)[0]


def end(journal: Journal, step: str = "release", case_id: str = "c1", order_id: str | None = None) -> bool:
    with journal.durable() as tx:
        found = parcels.standing(tx, "main", case_id, order_id)
        return found is not None and parcels.end(tx, found, step, "x", now=NOW)


def said(journal: Journal, word: ParcelWord, state: str) -> None:
    with journal.durable() as tx:
        assert parcels.take(tx, word.id, now=NOW)
        assert parcels.settle(tx, word, state, now=NOW)


def test_an_order_is_stopped_once_however_it_is_written_and_by_whichever_case(journal: Journal, begin: Begin) -> None:
    assert begin()
    assert not begin()
    assert not begin("c2", "＃１０４２")
    assert begin("c2", "1043")
    assert [word.order_id for word in due(journal)] == ["1042", "1043"]
    assert end(journal, "confirm", "c2", "1042"), "the other case's answer is about this order"


def test_one_hand_takes_a_word_and_nobody_after_it(journal: Journal, begin: Begin) -> None:
    begin()
    (word,) = due(journal)
    taken = []

    def take() -> None:
        with journal.durable() as tx:
            taken.append(parcels.take(tx, word.id, now=NOW))

    hands = [threading.Thread(target=take) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sorted(taken) == [False, False, False, True]
    assert due(journal) == []


def test_a_release_waits_for_its_stop_and_is_dropped_where_nobody_heard_that(journal: Journal, begin: Begin) -> None:
    begin(ways=("mail", "csv", "webhook"))
    mail, csv, hook = due(journal)
    said(journal, mail, "done")
    with journal.durable() as tx:
        assert parcels.take(tx, csv.id, now=NOW)
    assert end(journal)
    assert [(word.step, word.way) for word in due(journal)] == [("release", "mail")], "the third was never said"
    with journal.durable() as tx:
        assert not parcels.take(tx, hook.id, now=NOW)
        assert parcels.settle(tx, csv, "failed", now=NOW)
    assert [(word.step, word.way) for word in due(journal)] == [("release", "mail")]
    assert not end(journal)


def test_an_unknown_stop_is_released_all_the_same(journal: Journal, begin: Begin) -> None:
    begin()
    said(journal, due(journal)[0], "unknown")
    assert end(journal)
    assert [word.step for word in due(journal)] == ["release"]


def test_a_released_order_may_be_stopped_again_but_not_for_ever_and_a_cancelled_one_never(
    journal: Journal, begin: Begin
) -> None:
    for _ in range(parcels.MOST_STOPS):
        assert begin()
        assert end(journal)
    assert not begin()
    assert begin("c2", "1043")
    assert end(journal, "confirm", "c2")
    assert not begin("c2", "1043")


def test_what_was_put_off_is_due_later_and_what_was_begun_is_in_doubt(journal: Journal, begin: Begin) -> None:
    begin()
    (word,) = due(journal)
    with journal.durable() as tx:
        parcels.put_off(tx, word.id, NOW + timedelta(minutes=1), begun=False)
        assert parcels.due(tx, "main", NOW) == ([], NOW + timedelta(minutes=1))
    (again,) = due(journal, NOW + timedelta(minutes=1))
    assert again.attempts == 1
    with journal.durable() as tx:
        assert parcels.take(tx, word.id, now=NOW)
        assert parcels.in_doubt(tx, "main", begun_before=NOW) == []
        assert [one.id for one in parcels.in_doubt(tx, "main", begun_before=None)] == [word.id]
        assert parcels.any_under_way(tx, "main")
        assert parcels.settle(tx, word, "unknown", now=NOW)
        assert not parcels.settle(tx, word, "done", now=NOW)
        assert not parcels.any_under_way(tx, "main")
