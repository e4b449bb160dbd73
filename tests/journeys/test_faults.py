"""A part of the campaign of `make bench-faults`: faults at places of a case's life, one at a time and in pairs. The seed is
fixed, so that a failure is one's own; `python -m bench.faults --again "NAME"` plays a story of it again.

What was promised is judged from outside: what the SMTP server took, and what lies in the mailboxes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.campaign import Task, planned, run
from tests.faults.plan import double, spread
from tests.faults.story import UNKNOWN
from tests.faults.world import World, world
from tests.servers.dovecot import missing

SEED = 20261122
SINGLES, DOUBLES, LANES = 36, 18, 4
MAY_BE_UNKNOWN = ("smtp A DATA", "smtp L body", "smtp D body", "smtp A dot", "commit sending.")


@pytest.fixture
def around() -> Iterator[World]:
    reason = missing()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run the tests with a real Dovecot: {reason}")
        pytest.skip(reason)
    with world("usual", 200) as made:
        yield made


def test_faults_lose_nothing_double_nothing_and_leave_nothing_stuck(around: World, tmp_path: Path) -> None:
    """One test for all of it: what stands around it is built once."""
    plan = planned(around)
    assert len({fault.place for fault in plan}) > 150
    assert {
        "imap C APPEND 下書き",
        "imap L APPEND Sent",
        "smtp A dot",
        "smtp D body",
        "commit sending.before_body",
    } <= {fault.mark for fault in plan}
    tasks = [Task(fault.name, (fault,)) for fault in spread(plan, SINGLES, SEED)]
    tasks += [Task(f"double {seed}", double(plan, seed)) for seed in range(SEED, SEED + DOUBLES)]
    verdicts = run(around, tasks, lanes=LANES, keep=tmp_path)
    assert {f"{task.name}: {' + '.join(v.faults)}": v.wrong for task, v in verdicts if v.wrong} == {}
    unknown = [v.faults[0] for _, v in verdicts if len(v.faults) == 1 and any(h.startswith(UNKNOWN) for h in v.held)]
    assert [name for name in unknown if not name.split(" | ")[1].startswith(MAY_BE_UNKNOWN)] == []
