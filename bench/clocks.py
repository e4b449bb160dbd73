"""What the clock costs in a turn in which nothing is due: with 10,000 cases open, against an empty journal."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, cast

from bench.report import Row
from responder.config import bare
from responder.core.clocks import Clocks, first_look
from responder.edges.journal import Journal, cases, clocks
from responder.flows.clocks import on_clock
from responder.model import Case, Identity

TURNS = 400
ROUNDS = 5


def measure(open_cases: int) -> list[Row]:
    """The rows for so many open cases, none of which is due, and for the morning on which all of them are looked at."""
    with tempfile.TemporaryDirectory() as folder:
        empty, full = _journal(Path(folder) / "empty.db", 0), _journal(Path(folder) / "full.db", open_cases)
        now = datetime.now(UTC)
        turns = {name: _Turns(journal, now) for name, journal in (("empty", empty), ("full", full))}
        for one in turns.values():
            one.take()  # the first turn asks the journal since when the clocks run
        times: dict[str, list[float]] = {"empty": [], "full": []}
        for _ in range(ROUNDS):
            for name, one in turns.items():
                times[name].append(_seconds(one.take) / TURNS)
        ours, theirs = median(times["full"]), median(times["empty"])
        with full.reading() as tx:
            begun = perf_counter()
            found = clocks.due(tx, "main", now + timedelta(days=30), most=open_cases)
            all_due_s = perf_counter() - begun
        for journal in (empty, full):
            journal.close()
    return [
        Row(
            f"clock's part of a turn, {open_cases} cases open, none due",
            f"{ours * 1e6:.0f} us",
            f"{theirs * 1e6:.0f} us",
            ours / theirs,
            "<= 1.2 x an empty journal",
        ),
        Row(f"  all {len(found)} due at once: read", f"{all_due_s * 1e3:.0f} ms", "-"),
    ]


class _Turns:
    def __init__(self, journal: Journal, now: datetime) -> None:
        self._desk = _Desk(journal)
        self._now = now

    def take(self) -> None:
        for _ in range(TURNS):
            on_clock(cast(Any, self._desk), self._now)


class _Desk:
    """As much of a desk as the clock uses while nothing is due: no mailbox."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.name = "main"
        self.settings = bare()
        self.identity = Identity("shop@minato-zakka.example")
        self.clocks_begun: datetime | None = None
        self.digest_due: datetime | None = None
        self.next_wake: datetime | None = None

    def wake_at(self, when: datetime) -> None:
        self.next_wake = min(self.next_wake or when, when)


def _journal(file: Path, open_cases: int) -> Journal:
    journal = Journal(f"sqlite:///{file}")
    journal.upgrade()
    now = datetime.now(UTC)
    for start in range(0, open_cases, 1000):
        with journal.durable() as tx:
            cases.open_cases(tx, [_case(n, now) for n in range(start, min(start + 1000, open_cases))])
    return journal


def _case(number: int, now: datetime) -> Case:
    deadline = now + timedelta(hours=24, seconds=number)
    return Case(
        f"case{number}",
        "main",
        "open",
        None,
        f"buyer{number}@mail.example",
        "own",
        str(number),
        "ja",
        now,
        deadline,
        look_at=first_look(now, deadline, Clocks()),
    )


def _seconds(act: Callable[[], None]) -> float:
    begun = perf_counter()
    act()
    return perf_counter() - begun
