"""Random buyers, staff, servers and crashes against a model of what may happen: a part of `make bench-faults`. The seed is
fixed, so that a failure is one's own; `python -m bench.faults --model 1000 --seed N` plays its steps again."""

from __future__ import annotations

import os

import pytest

from tests.faults.model import play
from tests.faults.world import world
from tests.servers.dovecot import missing

SEED, STEPS = 20261122, 2_000


def test_two_thousand_random_steps_agree_with_the_model() -> None:
    reason = missing()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run the tests with a real Dovecot: {reason}")
        pytest.skip(reason)
    with world("usual", 4, with_nursery=False) as around:
        acts = play(around, around.folder, seed=SEED, steps=STEPS)
    assert acts["turn"] + acts["crash"] > STEPS // 5
    assert acts["sent"] > STEPS // 40
