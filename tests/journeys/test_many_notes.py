"""Notes go out many at a time; what the server refuses waits, and nothing that it took is written again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from responder.edges.imap import PartlyAppended
from responder.edges.journal import Journal, notes
from responder.errors import CommandRefused
from responder.flows.tell import deliver_notes

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@dataclass
class Mailbox:
    """A mailbox that takes no mail holding one of the words in `refuses`."""

    refuses: set[bytes] = field(default_factory=set)
    stored: list[bytes] = field(default_factory=list)

    def append_many(self, _mailbox: str, raws: Sequence[bytes], *, flags: Sequence[str]) -> tuple[None, ...]:
        assert not flags
        results = [CommandRefused("APPEND", "LIMIT", "no") if raw in self.refuses else None for raw in raws]
        self.stored += [raw for raw in raws if raw not in self.refuses]
        if any(results):
            raise PartlyAppended(tuple(results))
        return (None,) * len(raws)

    def select(self, _mailbox: str) -> None: ...

    def find_message_id(self, message_id: str) -> tuple[int, ...]:
        return tuple(uid for uid, raw in enumerate(self.stored) if raw.decode() == message_id)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path / 'responder.db'}")
    journal.upgrade()
    yield journal
    journal.close()


def desk_of(journal: Journal, mailbox: Mailbox, count: int) -> Any:
    with journal.durable() as tx:
        for number in range(count):
            raw = f"<{number}>".encode()
            notes.intend(tx, "main", f"k{number}", message_id=raw.decode(), raw=raw, now=NOW)
    said = logging.getLogger("test")
    account = SimpleNamespace(notes="Responder")
    return SimpleNamespace(
        name="main",
        account=account,
        journal=journal,
        session=mailbox,
        notes_are_refused=False,
        clock=lambda: NOW,
        say=lambda *_a, **_k: said.info("said"),
    )


def waiting(journal: Journal) -> list[str]:
    with journal.reading() as tx:
        return [message_id for _, message_id, _ in notes.waiting(tx, "main")]


def test_all_are_written_once(journal: Journal) -> None:
    mailbox = Mailbox()
    desk = desk_of(journal, mailbox, 95)
    deliver_notes(desk)
    deliver_notes(desk)
    assert mailbox.stored == [f"<{number}>".encode() for number in range(95)]
    assert waiting(journal) == []


def test_what_is_refused_waits_and_the_rest_is_not_repeated(journal: Journal) -> None:
    mailbox = Mailbox(refuses={b"<3>", b"<60>"})
    desk = desk_of(journal, mailbox, 95)
    deliver_notes(desk)
    assert b"<94>" not in mailbox.stored  # a mailbox that is full is not asked for all the others, too
    mailbox.refuses.clear()
    deliver_notes(desk)
    assert sorted(mailbox.stored) == sorted(f"<{number}>".encode() for number in range(95))
    assert waiting(journal) == []


def test_what_lies_there_after_a_restart_is_not_written_again(journal: Journal) -> None:
    mailbox = Mailbox(stored=[b"<0>", b"<1>"])
    desk = desk_of(journal, mailbox, 3)
    deliver_notes(desk, after_restart=True)
    assert mailbox.stored == [b"<0>", b"<1>", b"<2>"]
    assert waiting(journal) == []
