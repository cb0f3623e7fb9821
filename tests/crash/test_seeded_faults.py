"""Pairs and triples of faults, drawn from seeds.

NUMBERDROP_TORTURE_SECONDS sets how long to run, with seeds from the current time.
NUMBERDROP_SEED runs one seed.
"""

import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from random import Random

import pytest

from tests.support.crash.scenarios import SCENARIOS
from tests.support.crash.schedules import TORTURE_SECONDS, Schedule
from tests.support.crash.seam import Fault, Mode

SEEDS = 200
"""The number of seeds of a normal run."""

BEYOND = 20
"""Calls after the normal end of a scenario that may fail too: those that repair what a fault left."""


@pytest.mark.timeout(TORTURE_SECONDS + 120)
def test_no_combination_of_faults_charges_twice(record_property: Callable[[str, object], None]) -> None:
    tried = 0
    for seed in _seeds():
        tried += 1
        schedule = _drawn_from(seed)
        problems = schedule.problems()
        command = f"NUMBERDROP_SEED={seed} python -m pytest {os.path.relpath(__file__)}"
        assert not problems, f"{schedule}: {problems}\nTo repeat it: {command}"
    record_property("schedules", tried)
    print(f"{tried} schedules of two or three faults")


def _seeds() -> Iterator[int]:
    if "NUMBERDROP_SEED" in os.environ:
        yield int(os.environ["NUMBERDROP_SEED"])
    elif TORTURE_SECONDS:
        seed, end = time.time_ns() // 1000, time.monotonic() + TORTURE_SECONDS
        while time.monotonic() < end:
            yield seed
            seed += 1
    else:
        yield from range(SEEDS)


def _drawn_from(seed: int) -> Schedule:
    draw = Random(seed)
    scenario = draw.choice(list(SCENARIOS))
    numbers = draw.sample(range(_calls(scenario) + BEYOND), draw.choice((2, 3)))
    return Schedule(scenario, tuple(Fault(number, draw.choice(list(Mode))) for number in sorted(numbers)))


@cache
def _calls(scenario: str) -> int:
    return len(Schedule(scenario).run().seam.calls)
