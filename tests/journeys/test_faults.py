"""A part of the campaign of `make bench-faults`: faults at places of a case's life, one at a time and in pairs, and random
steps against a model. The seeds are fixed, so that a failure is one's own; `python -m bench.faults --again "NAME"` plays a
story of it again, `--model 1000 --seed N` the model's steps.

What was promised is judged from outside: what the SMTP server took, and what lies in the mailboxes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.board import Fault
from tests.faults.campaign import Task, planned, run
from tests.faults.model import play
from tests.faults.plan import double, spread
from tests.faults.story import UNKNOWN
from tests.faults.world import World, world
from tests.servers.dovecot import missing

SEED = 20261122
SINGLES, DOUBLES, LANES = 36, 18, 4
STEPS = 2_000
MAY_BE_UNKNOWN = ("smtp A DATA", "smtp L body", "smtp D body", "smtp A dot", "commit sending.")


@pytest.fixture(scope="module")
def around() -> Iterator[World]:
    reason = missing()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run the tests with a real Dovecot: {reason}")
        pytest.skip(reason)
    with world("usual", 500) as made:
        yield made


@pytest.fixture(scope="module")
def plan(around: World) -> list[Fault]:
    return planned(around)


def test_the_plan_is_made_of_every_place_of_a_life(plan: list[Fault]) -> None:
    marks = {fault.mark for fault in plan}
    assert len({fault.place for fault in plan}) > 150
    assert {
        "imap C APPEND 下書き",
        "imap L APPEND Sent",
        "smtp A dot",
        "smtp D body",
        "commit sending.before_body",
    } <= marks


def test_single_faults_lose_nothing_double_nothing_and_leave_nothing_stuck(
    around: World, plan: list[Fault], tmp_path: Path
) -> None:
    tasks = [Task(fault.name, (fault,)) for fault in spread(plan, SINGLES, SEED)]
    verdicts = run(around, tasks, lanes=LANES, keep=tmp_path)
    assert {task.name: verdict.wrong for task, verdict in verdicts if verdict.wrong} == {}
    unknown = [task.name for task, v in verdicts if any(held.startswith(UNKNOWN) for held in v.held)]
    assert [name for name in unknown if not name.split(" | ")[1].startswith(MAY_BE_UNKNOWN)] == []


def test_pairs_of_faults_lose_nothing_double_nothing_and_leave_nothing_stuck(
    around: World, plan: list[Fault], tmp_path: Path
) -> None:
    tasks = [Task(f"double {seed}", double(plan, seed)) for seed in range(SEED, SEED + DOUBLES)]
    verdicts = run(around, tasks, lanes=LANES, keep=tmp_path)
    wrong = {f"{task.name}: {' + '.join(v.faults)}": v.wrong for task, v in verdicts if v.wrong}
    assert wrong == {}


def test_two_thousand_random_steps_of_buyers_staff_and_servers_agree_with_the_model(around: World) -> None:
    folder = around.folder / "model"
    folder.mkdir()
    acts = play(around, folder, seed=SEED, steps=STEPS)
    assert acts["turn"] + acts["crash"] > STEPS // 5
    assert acts["sent"] > STEPS // 40
