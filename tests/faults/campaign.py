"""Runs stories in several lanes at once and adds their verdicts up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from tests.faults.board import Fault
from tests.faults.plan import places, singles
from tests.faults.story import Life, Verdict
from tests.faults.world import World

CLEAN_LIVES = 3


@dataclass(frozen=True, slots=True)
class Task:
    """One story to be played: its name is unique in a campaign."""

    name: str
    faults: tuple[Fault, ...]


def clean_traces(world: World, *, lives: int = CLEAN_LIVES) -> list[tuple[str, ...]]:
    """What lives without faults pass. Raises AssertionError if even those go wrong."""
    first = Life(world.lane(), in_nursery=True).play()
    assert not first.wrong, first
    verdicts = run(world, [Task(f"clean {n}", ()) for n in range(lives)], lanes=1)
    assert all(not v.wrong and not v.held for _, v in verdicts), verdicts
    return [v.trace for _, v in verdicts]


def planned(world: World) -> list[Fault]:
    """Every single fault, from a look at clean lives."""
    return singles(places(clean_traces(world)))


def run(
    world: World,
    tasks: Iterable[Task],
    *,
    lanes: int,
    keep: Path | None = None,
    on_verdict: Callable[[Task, Verdict], None] | None = None,
) -> list[tuple[Task, Verdict]]:
    """Play all stories; what went wrong leaves its folder in `keep`."""
    waiting: SimpleQueue[Task] = SimpleQueue()
    for task in tasks:
        waiting.put(task)
    done: list[tuple[Task, Verdict]] = []
    lock = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            lane = world.lane()
            while not failures:
                try:
                    task = waiting.get_nowait()
                except Empty:
                    return
                verdict = Life(lane, task.faults, keep=keep).play()
                with lock:
                    done.append((task, verdict))
                    if on_verdict is not None:
                        on_verdict(task, verdict)
        except BaseException as exc:  # on a thread: raised again by the one that waits for all
            failures.append(exc)
            raise

    threads = [threading.Thread(target=work, name=f"lane {n}") for n in range(lanes)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except BaseException as exc:  # told to stop: what is being played is played to its end, nothing new begins
        failures.append(exc)
        for thread in threads:
            thread.join()
        raise
    if failures:
        raise failures[0]
    return done


class Ledger:
    """The verdicts of a campaign in a file, one line of JSON each, so that one that was interrupted goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.verdicts: dict[str, Verdict] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                name = entry.pop("name")
                self.verdicts[name] = Verdict(**{k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()})

    def add(self, name: str, verdict: Verdict) -> None:
        """Keep a verdict (without its trace)."""
        entry = {"name": name, **asdict(verdict), "trace": ()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self.verdicts[name] = verdict


@dataclass(frozen=True, slots=True)
class Sum:
    """Many verdicts in figures."""

    stories: int
    reached: int
    lost: int
    doubled: int
    unapproved: int
    stuck: int
    other: int
    held_unknown: int
    unknown_places: int
    held_though_accepted: int
    held_else: int


def add_up(verdicts: Sequence[Verdict], unknown: str) -> Sum:
    """The figures of these verdicts; `unknown` begins the subject of the note that asks about an unknown outcome."""

    def count(kind: str) -> int:
        return sum(any(w.startswith(kind) for w in v.wrong) for v in verdicts)

    in_doubt = [v for v in verdicts if any(h.startswith(unknown) for h in v.held)]
    known = ("lost", "doubled", "unapproved", "stuck")
    return Sum(
        stories=len(verdicts),
        reached=sum(v.reached for v in verdicts),
        lost=count("lost"),
        doubled=count("doubled"),
        unapproved=count("unapproved"),
        stuck=count("stuck"),
        other=sum(any(not w.startswith(known) for w in v.wrong) for v in verdicts),
        held_unknown=len(in_doubt),
        unknown_places=len({v.faults[0].rpartition(" | ")[0] for v in in_doubt if v.faults}),
        held_though_accepted=sum(v.accepted_when_held for v in in_doubt),
        held_else=sum(bool(v.held) for v in verdicts) - len(in_doubt),
    )
