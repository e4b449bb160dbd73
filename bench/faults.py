"""`python -m bench.faults` (`make bench-faults`): faults at every place of a case's life, on a real Dovecot.

Plans itself from clean lives, then plays one story for every place and fault, and random pairs of faults. Goes on where
it was interrupted; what went wrong is kept beside the ledger, and `--again NAME` plays it once more. `--model STEPS` lets
random buyers, staff, servers and crashes run against a model instead.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.board import Fault
from tests.faults.campaign import Ledger, Task, add_up, planned, run
from tests.faults.model import ERA, Difference, play
from tests.faults.plan import double, spread
from tests.faults.story import UNKNOWN, Verdict
from tests.faults.world import SERVERS, world
from tests.servers.dovecot import missing
from tests.servers.once import once

ROWS = ("stories", "reached", "lost", "doubled", "unapproved", "stuck", "other", "held_unknown", "unknown_places")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/faults"), help="ledger and what went wrong")
    parser.add_argument("--kinds", default=",".join(SERVERS), help="servers: " + ", ".join(SERVERS))
    parser.add_argument("--singles", type=int, default=1_000_000, help="at most so many single faults a server")
    parser.add_argument("--doubles", type=int, default=2_000, help="so many random pairs, over all servers")
    parser.add_argument("--seed", type=int, default=1, help="of the first pair; the next one has the next number")
    parser.add_argument("--lanes", type=int, default=6, help="stories at once; most of their time they wait")
    parser.add_argument("--only", default="", help="single faults whose name contains this")
    parser.add_argument("--again", action="append", default=[], help="play this story again (usual 17 / its faults)")
    parser.add_argument(
        "--model", type=int, default=0, help="instead: so many random steps against the model, from this seed"
    )
    args = parser.parse_args()
    why_not = missing()
    if why_not is not None:
        print(f"bench: {why_not}", file=sys.stderr)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    args.out.mkdir(parents=True, exist_ok=True)
    if args.model:
        return model(args.seed, args.model)
    kinds = args.kinds.split(",")
    ledger = Ledger(args.out / "ledger.jsonl")
    for number, kind in enumerate(kinds):
        with world(kind, 20_000) as around:
            if args.again:
                tasks = [Task(name, tuple(Fault.read(one) for one in name.split(" + "))) for name in args.again]
                for task, verdict in run(around, tasks, lanes=1, keep=args.out):
                    print(task.name, verdict.wrong or "as promised", verdict.held, verdict.reached)
                continue
            plan = planned(around)
            # In an order in which what was played so far is of every kind, wherever it is interrupted.
            chosen = spread([f for f in plan if args.only in f.name], args.singles, args.seed)
            tasks = [Task(f"{kind} {f.name}", (f,)) for f in chosen]
            seeds = range(args.seed + number, args.seed + args.doubles, len(kinds))
            tasks += [Task(f"{kind} double {seed}", double(plan, seed)) for seed in seeds]
            tasks = [task for task in tasks if task.name not in ledger.verdicts]
            run(around, tasks, lanes=args.lanes, keep=args.out, on_verdict=Progress(ledger, kind, len(tasks)).note)
    if not args.again:
        show(ledger)
    return 0


def model(seed: int, steps: int) -> int:
    """Random steps against the model, a shop after the other; a difference ends its shop and is told with its seed."""
    began, differences = time.monotonic(), 0
    with once(), world("usual", steps // ERA + 2, with_nursery=False) as around:
        for number in range(-(-steps // ERA)):
            try:
                with tempfile.TemporaryDirectory(dir=around.folder) as folder:
                    acts = play(around, Path(folder), seed=seed + number, steps=min(ERA, steps - number * ERA))
            except Difference as exc:
                differences += 1
                print(f"DIFFERENCE {exc}", flush=True)
                continue
            told = ", ".join(f"{count} {act}" for act, count in sorted(acts.items()))
            print(f"seed {seed + number}: {told}, {time.monotonic() - began:.0f} s so far", flush=True)
    print(f"{steps} steps, seeds {seed} to {seed + number}, {differences} difference(s)")
    return 1 if differences else 0


@dataclass
class Progress:
    """Keeps every verdict at once, and says how far it is and what went wrong."""

    ledger: Ledger
    kind: str
    all: int
    done: int = 0
    began: float = field(default_factory=time.monotonic)

    def note(self, task: Task, verdict: Verdict) -> None:
        self.done += 1
        self.ledger.add(task.name, verdict)
        if verdict.wrong:
            print(f"WRONG {task.name}: {' + '.join(verdict.faults)}: {'; '.join(verdict.wrong)}", flush=True)
        if self.done % 50 == 0:
            each = (time.monotonic() - self.began) / self.done
            print(f"{self.kind}: {self.done}/{self.all}, {each:.2f} s each", flush=True)


def show(ledger: Ledger) -> None:
    """The figures, by server and by one fault or two."""
    print(f"| {'server, faults':24} | " + " | ".join(f"{row:>14}" for row in ROWS) + " |")
    print("| --- |" + " ---: |" * len(ROWS))
    for kind in SERVERS:
        for what in ("one", "two"):
            of = [v for v in ledger.verdicts.values() if v.kind == kind and (len(v.faults) == 2) == (what == "two")]
            if of:
                figures = add_up(of, UNKNOWN)
                print(f"| {kind + ', ' + what:24} | " + " | ".join(f"{getattr(figures, r):>14}" for r in ROWS) + " |")
    for kind in SERVERS:
        of = [v for v in ledger.verdicts.values() if v.kind == kind and len(v.faults) == 1]
        asked = sorted({v.faults[0] for v in of if any(h.startswith(UNKNOWN) for h in v.held)})
        accepted = sum(v.accepted_when_held for v in of)
        print(f"\n{kind}: a person is asked after (of them {accepted} accepted):", *asked, sep="\n  ")
        other = sorted({f"{v.faults[0]}: {h}" for v in of for h in v.held if not h.startswith(UNKNOWN)})
        if other:
            print(f"{kind}: other notes:", *other, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
