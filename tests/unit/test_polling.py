"""How long to wait before the next check, and the bounds that hold whatever the vendor reports."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.jobs.polling import (
    DEFAULT_FIRST_WAIT,
    LONGEST_FIRST_WAIT,
    LONGEST_SLEEP,
    SHORTEST_WAIT,
    PollingPolicy,
    Progress,
    first_wait,
    jittered,
    wait_for_export,
)
from numberdrop.steps.status_check import LONGEST_PROGRESS
from tests.support.template import state_machine, template

MINUTE, HOUR, WEEK = 60.0, 3600.0, 7 * 24 * 3600.0
POLICY = PollingPolicy(longest_wait=300)

ages = st.floats(-86_400, 400 * 86_400)
counts = st.integers(-(10**12), 10**12)
progresses = st.builds(Progress, age=ages, done=counts, total=counts, processed=st.booleans())
expectations = st.none() | st.floats(0, 400 * 86_400)
policies = st.builds(PollingPolicy, longest_wait=st.floats(30, 900))


# Without progress


def test_a_young_task_is_checked_every_few_seconds() -> None:
    assert POLICY.next_wait(Progress(age=5)) == SHORTEST_WAIT


def test_without_progress_the_wait_is_a_quarter_of_the_age() -> None:
    assert POLICY.next_wait(Progress(age=8 * MINUTE)) == 2 * MINUTE


def test_without_progress_checks_grow_logarithmically() -> None:
    policy = PollingPolicy(longest_wait=math.inf)

    def checks_until(duration: float) -> int:
        age, checks = 0.0, 0
        while age < duration:
            age += policy.next_wait(Progress(age))
            checks += 1
        return checks

    hour, hundred_hours = checks_until(HOUR), checks_until(100 * HOUR)
    assert hundred_hours - hour == pytest.approx(math.log(100) / math.log(1.25), abs=1)


def test_a_long_expected_duration_lengthens_early_waits() -> None:
    assert POLICY.next_wait(Progress(age=30), expected=HOUR / 2) == 3 * MINUTE


def test_an_overdue_expectation_changes_nothing() -> None:
    late = Progress(age=10 * MINUTE)
    assert POLICY.next_wait(late, expected=MINUTE) == POLICY.next_wait(late)


@pytest.mark.parametrize(("done", "total"), [(0, 100), (0, 0), (50, 0), (-3, 100), (5, -1)])
def test_counts_without_progress_are_ignored(done: int, total: int) -> None:
    assert POLICY.next_wait(Progress(100, done, total)) == POLICY.next_wait(Progress(100))


# With progress


def test_with_progress_the_wait_is_half_the_remaining_time() -> None:
    three_quarters = Progress(age=6 * MINUTE, done=75, total=100)
    assert POLICY.next_wait(three_quarters) == MINUTE


def test_waits_shrink_as_the_end_approaches() -> None:
    waits = [POLICY.next_wait(Progress(age=done * 6.0, done=done, total=100)) for done in (50, 70, 90, 99)]
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] < 10


def test_a_task_that_speeds_up_is_checked_sooner() -> None:
    """It was queued for nine minutes, then half of it was processed in the tenth."""
    progress = Progress(age=10 * MINUTE, done=50, total=100)
    assert POLICY.next_wait(progress, earlier=Progress(age=9 * MINUTE)) == 30
    assert POLICY.next_wait(progress) == 300


def test_a_task_that_slows_down_is_not_checked_later() -> None:
    progress = Progress(age=10 * MINUTE, done=80, total=100)
    assert POLICY.next_wait(progress, earlier=Progress(MINUTE, done=79)) == POLICY.next_wait(progress)


def test_decreasing_counts_do_not_set_the_speed() -> None:
    progress = Progress(age=10 * MINUTE, done=80, total=100)
    assert POLICY.next_wait(progress, earlier=Progress(9 * MINUTE, done=95)) == POLICY.next_wait(progress)


def test_the_first_rows_do_not_cause_a_long_wait() -> None:
    assert POLICY.next_wait(Progress(age=20, done=1, total=100_000)) == 10


@pytest.mark.parametrize(
    "progress",
    [Progress(60, 100, 100), Progress(60, 250, 100), Progress(60, 0, 100, processed=True)],
    ids=str,
)
def test_a_processed_task_is_checked_at_once(progress: Progress) -> None:
    assert POLICY.next_wait(progress) == SHORTEST_WAIT


def test_a_task_nearly_done_for_hours_is_checked_less_often() -> None:
    assert POLICY.next_wait(Progress(age=HOUR, done=99_999, total=100_000)) == 36


# Bounds


@given(policies, progresses, st.none() | progresses, expectations)
def test_every_wait_is_within_its_bounds(
    policy: PollingPolicy, progress: Progress, earlier: Progress | None, expected: float | None
) -> None:
    age = max(progress.age, 0)
    wait = policy.next_wait(progress, earlier, expected)
    assert min(policy.shortest(age), policy.longest(age)) <= wait <= policy.longest(age)


@given(policies, progresses, st.none() | progresses, expectations)
def test_the_wait_is_in_proportion_to_age_or_expectation(
    policy: PollingPolicy, progress: Progress, earlier: Progress | None, expected: float | None
) -> None:
    age = max(progress.age, 0)
    wait = policy.next_wait(progress, earlier, expected)
    assert wait <= max(SHORTEST_WAIT, age / 2, (expected or 0) * 0.1)


@given(st.floats(30, 900), progresses, st.none() | progresses, expectations)
def test_a_young_task_never_waits_longer_than_configured(
    longest_wait: float, progress: Progress, earlier: Progress | None, expected: float | None
) -> None:
    young = replace(progress, age=min(progress.age, 299 * longest_wait))
    assert PollingPolicy(longest_wait).next_wait(young, earlier, expected) <= longest_wait


def test_the_default_ceiling_applies_until_the_job_times_out() -> None:
    hours = template()["Parameters"]["JobTimeoutHours"]["Default"]
    seconds = template()["Parameters"]["MaxWaitSeconds"]["Default"]
    assert PollingPolicy(seconds).longest(hours * HOUR) == seconds


@given(ages, ages)
def test_waits_without_progress_never_shrink(one: float, other: float) -> None:
    younger, older = sorted((one, other))
    assert POLICY.next_wait(Progress(younger)) <= POLICY.next_wait(Progress(older))


@given(progresses, expectations)
def test_an_expected_duration_only_lengthens_a_wait(progress: Progress, expected: float | None) -> None:
    assert POLICY.next_wait(progress, expected=expected) >= POLICY.next_wait(progress)


# The first wait, jitter, and the wait for an export


def test_the_first_check_is_after_ten_seconds_by_default() -> None:
    assert first_wait(None) == DEFAULT_FIRST_WAIT == 10


@pytest.mark.parametrize(("expected", "wait"), [(0, 3), (5, 3), (30, 9), (60, 18), (HOUR, 30), (WEEK, 30)])
def test_the_first_check_is_well_before_the_expected_end(expected: float, wait: float) -> None:
    assert first_wait(expected) == pytest.approx(wait)


def test_the_first_wait_fits_the_smallest_max_wait_seconds() -> None:
    parameter = template()["Parameters"]["MaxWaitSeconds"]
    assert parameter["MinValue"] >= LONGEST_FIRST_WAIT


@given(st.floats(SHORTEST_WAIT, 2 * HOUR), st.floats(0, 1))
def test_jitter_shortens_a_wait_by_at_most_a_tenth(wait: float, chance: float) -> None:
    assert wait * 0.9 <= jittered(wait, chance) <= wait


def test_jitter_with_chance_zero_changes_nothing() -> None:
    assert jittered(60, 0) == 60


@pytest.mark.parametrize(("age", "wait"), [(-5, 60), (0, 60), (HOUR, 60), (24 * HOUR, 864)])
def test_a_missing_export_is_requested_again_after_a_minute(age: float, wait: float) -> None:
    assert wait_for_export(age) == wait


# The history of an execution

MAX_EVENTS = 25_000
"""AWS Step Functions developer guide, "Quotas": events in the history of one execution."""

EVENTS_OF = {"Wait": 2, "Choice": 2, "Pass": 2, "Task": 5}
"""Every state is entered and exited; a Task is also scheduled, started and succeeds."""

EVENTS_OF_A_RETRY = 3
"""Scheduled, started, failed."""

ONE_RETRY = 1
"""Per call. Further retries take time of their own: each waits twice as long as the previous one."""


def events_of(*states: str) -> int:
    kinds = [state_machine()["States"][state]["Type"] for state in states]
    retries = ONE_RETRY * kinds.count("Task")
    return sum(EVENTS_OF[kind] for kind in kinds) + retries * EVENTS_OF_A_RETRY


def turn(policy: PollingPolicy) -> tuple[int, Callable[[float], float]]:
    """Return the events of a check that says wait, and a function from age to the shortest wait after it."""
    events = events_of("Wait for the vendor", "Check the task", "Exported?")
    return events, lambda age: round(jittered(min(policy.shortest(age), policy.longest(age)), 1))


def failed_collection() -> tuple[int, Callable[[float], float]]:
    """Return the same for a collection that finds no export."""
    events = events_of(
        "Wait for the vendor", "Check the task", "Exported?", "Collect the results", "Collected?"
    )
    return events, wait_for_export


@pytest.mark.parametrize("bound", ["MinValue", "Default", "MaxValue"])
def test_the_longest_task_fits_into_one_history(bound: str) -> None:
    """The vendor always answers whatever fills the history fastest."""
    parameters = template()["Parameters"]
    turns = [turn(PollingPolicy(parameters["MaxWaitSeconds"][bound])), failed_collection()]
    age, events = 0.0, events_of("Remember the job", "Record the failure") + len(("started", "ended"))
    while age < LONGEST_PROGRESS.total_seconds():
        most_events, wait = max(turns, key=lambda turn: turn[0] / turn[1](age))
        events += most_events
        age += wait(age)
    assert events < MAX_EVENTS


def test_sleeping_in_the_function_is_cheaper_than_a_turn() -> None:
    """AWS Step Functions and AWS Lambda pricing, USD: a transition, and a GB-second on arm64."""
    memory = template()["Resources"]["CheckStatusFunction"]["Properties"]["MemorySize"] / 1024
    assert LONGEST_SLEEP * memory * 0.0000133334 < 3 * 0.000025
