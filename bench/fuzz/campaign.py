"""Runs a target for so many inputs or so long, and keeps what broke it."""

from __future__ import annotations

import hashlib
import random
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from bench.fuzz.files import FILES, Target
from bench.fuzz.mutate import mutated
from bench.fuzz.wires import WIRES

NAMES = (*FILES, *WIRES)


@dataclass
class Sum:
    """How it went: `findings` maps where it broke to the first input that broke it there."""

    target: str
    inputs: int = 0
    seconds: float = 0.0
    findings: dict[str, bytes] = field(default_factory=dict)


def opened(name: str, folder: Path, stack: ExitStack) -> Target:
    """The target of that name; its servers, if it has any, run until the stack is closed."""
    return FILES[name](folder) if name in FILES else stack.enter_context(WIRES[name]())


def run(name: str, folder: Path, *, seed: int, count: int, seconds: float = 1e9) -> Sum:
    """Check `count` inputs made from the seed, or as many as there is time for."""
    made = Sum(name)
    with ExitStack() as stack:
        target = opened(name, folder, stack)
        start = monotonic()
        for data in inputs(target, seed, count):
            if monotonic() - start > seconds:
                break
            made.inputs += 1
            try:
                target.check(data)
            except Exception as exc:  # whatever an input raises is what is looked for
                made.findings.setdefault(where(exc), data)
        made.seconds = monotonic() - start
    return made


def inputs(target: Target, seed: int, count: int) -> Iterator[bytes]:
    """Inputs that depend on the seed and their number alone."""
    for number in range(count):
        yield mutated(random.Random(f"{seed}:{number}"), target.seeds, target.words)


def where(exc: BaseException) -> str:
    """The place by which two findings are the same."""
    last = traceback.extract_tb(exc.__traceback__)[-1]
    return f"{type(exc).__name__} at {Path(last.filename).name}:{last.lineno}"


def keep(folder: Path, name: str, data: bytes) -> Path:
    """Keep an input that broke something."""
    path = folder / name / f"{hashlib.sha256(data).hexdigest()[:12]}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
