"""Which faults there are: every place that clean lives pass, times everything that can happen there; and random pairs."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from tests.faults.board import ANYWHERE, Fault

_ACTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("imap C APPEND", ("cut", "cut_after", "reset", "stall", "kill", "term", "no", "overquota")),
    ("imap C DONE", ("cut", "cut_after", "reset", "stall", "kill", "term")),
    ("imap C", ("cut", "cut_after", "reset", "stall", "kill", "term", "no", "bye")),
    ("imap A", ("cut", "cut_after", "reset", "stall", "kill")),
    ("imap", ("cut", "reset", "stall", "kill")),
    ("smtp C EHLO", ("cut", "cut_after", "reset", "stall", "kill", "term", "later", "closing")),
    ("smtp C", ("cut", "cut_after", "reset", "stall", "kill", "term", "later", "never", "closing")),
    ("smtp A dot", ("cut", "cut_after", "reset", "stall", "kill", "kill_after", "lie")),
    ("smtp A connect", ("cut", "cut_after", "reset", "stall", "kill", "closing")),
    ("smtp A", ("cut", "cut_after", "reset", "stall", "kill", "kill_after")),
    ("smtp D", ("cut", "cut_after", "reset", "stall", "kill", "term", "later", "never", "closing")),
    ("smtp", ("cut", "reset", "stall", "kill")),
    ("commit", ("kill", "kill_after", "full", "full_long", "term")),
)
"""What can happen at a place, by the beginning of its mark; the first that fits counts."""


def acts_at(mark: str) -> tuple[str, ...]:
    return next(acts for beginning, acts in _ACTS if mark.startswith(beginning))


def places(traces: Sequence[Iterable[str]]) -> list[str]:
    """The places that every one of these clean lives passed, in the order of the first."""
    common = set(traces[0]).intersection(*traces[1:])
    return [place for place in dict.fromkeys(traces[0]) if place in common and not place.startswith("done")]


def singles(of_places: Iterable[str]) -> list[Fault]:
    """Every fault at every place."""
    found: list[Fault] = []
    for place in of_places:
        stage, mark, nth = place.split(" | ")
        found += [Fault(stage, mark, int(nth), act) for act in acts_at(mark)]
    return found


def spread(faults: Sequence[Fault], count: int, seed: int) -> list[Fault]:
    """So many of the faults, of every kind of place and every act about as many."""
    chance = random.Random(seed)
    by_kind: dict[tuple[str, str], list[Fault]] = {}
    for fault in chance.sample(list(faults), len(faults)):
        by_kind.setdefault((fault.mark.split()[0] + fault.mark.split()[1], fault.act), []).append(fault)
    chosen: list[Fault] = []
    while len(chosen) < min(count, len(faults)):
        for kind in sorted(by_kind):
            if by_kind[kind]:
                chosen.append(by_kind[kind].pop())
    return chosen[:count]


def double(faults: Sequence[Fault], seed: int) -> tuple[Fault, Fault]:
    """Two faults: one at its place, the next wherever its kind of place comes by after that."""
    chance = random.Random(seed)
    first, second = chance.choice(faults), chance.choice(faults)
    return first, Fault(ANYWHERE, second.mark, chance.choice((1, 1, 1, 2, 3)), second.act)
