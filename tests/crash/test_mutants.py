"""The harness finds mistakes: each mutant makes one, and a schedule must expose it."""

import pytest

from tests.support.crash.mutants import MUTANTS
from tests.support.crash.schedules import Schedule, all_single_faults, single_faults
from tests.support.crash.wiring import Wiring


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_every_mutant_is_killed(mutant: type[Wiring]) -> None:
    schedules = (
        schedule
        for faults in (single_faults, all_single_faults)  # the latter only if the former do not suffice
        for scenario in MUTANTS[mutant]
        for schedule in (Schedule(scenario), *(schedule for _, schedule in faults(scenario)))
    )
    results = ((schedule, schedule.problems(mutant)) for schedule in schedules)
    first = next(((schedule, problems) for schedule, problems in results if problems), None)
    print(f"{mutant.__name__}: {first}")
    assert first, "no schedule exposes the mistake"
