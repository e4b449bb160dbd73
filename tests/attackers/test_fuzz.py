"""A fixed number of inputs for each target of `bench.fuzz`, and everything that was ever found by it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.fuzz.campaign import NAMES, opened, run

FINDINGS = Path(__file__).parent / "findings"
BUDGET = {"mails": 700, "rules": 250, "templates": 700, "configuration": 500, "orders": 150, "imap": 120, "smtp": 120}
FOUND = sorted(path for path in FINDINGS.rglob("*.bin"))


@pytest.mark.parametrize("name", NAMES)
def test_changed_at_random_nothing_breaks(name: str, tmp_path: Path) -> None:
    made = run(name, tmp_path, seed=7, count=BUDGET[name])
    assert made.inputs == BUDGET[name]
    assert made.findings == {}


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_was_found_once_is_well_now(path: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        target = opened(path.parent.name, tmp_path, stack)
        for _ in range(8):  # mails go all the way one time in eight
            target.check(path.read_bytes())
