"""How long to wait: what is chosen from what is known, and the bounds that hold whatever is said."""

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
from tests.support.template import state_machine, template

MINUTE, HOUR, WEEK = 60.0, 3600.0, 7 * 24 * 3600.0
PACING = PollingPolicy(longest_wait=300)

ages = st.floats(-86_400, 400 * 86_400)
counts = st.integers(-(10**12), 10**12)
looks = st.builds(Progress, age=ages, done=counts, total=counts, processed=st.booleans())
expectations = st.none() | st.floats(0, 400 * 86_400)
pacings = st.builds(PollingPolicy, longest_wait=st.floats(30, 900))


# Where no progress shows


def test_a_young_task_is_asked_about_every_few_seconds() -> None:
    assert PACING.next_wait(Progress(age=5)) == SHORTEST_WAIT


def test_without_progress_a_quarter_of_the_age_is_waited() -> None:
    assert PACING.next_wait(Progress(age=8 * MINUTE)) == 2 * MINUTE


def test_without_progress_looks_grow_with_the_logarithm_of_the_duration() -> None:
    polling = PollingPolicy(longest_wait=math.inf)

    def looks_until(duration: float) -> int:
        age, taken = 0.0, 0
        while age < duration:
            age += polling.next_wait(Progress(age))
            taken += 1
        return taken

    hour, hundred_hours = looks_until(HOUR), looks_until(100 * HOUR)
    assert hundred_hours - hour == pytest.approx(math.log(100) / math.log(1.25), abs=1)


def test_a_task_that_is_expected_to_take_long_is_asked_about_less_often_at_first() -> None:
    assert PACING.next_wait(Progress(age=30), expected=HOUR / 2) == 3 * MINUTE


def test_an_expectation_that_is_long_past_changes_nothing() -> None:
    late = Progress(age=10 * MINUTE)
    assert PACING.next_wait(late, expected=MINUTE) == PACING.next_wait(late)


@pytest.mark.parametrize(("done", "total"), [(0, 100), (0, 0), (50, 0), (-3, 100), (5, -1)])
def test_counts_that_show_no_progress_are_as_none(done: int, total: int) -> None:
    assert PACING.next_wait(Progress(100, done, total)) == PACING.next_wait(Progress(100))


# Where progress shows


def test_half_of_the_estimated_rest_is_waited() -> None:
    three_quarters = Progress(age=6 * MINUTE, done=75, total=100)
    assert PACING.next_wait(three_quarters) == MINUTE


def test_waits_get_shorter_as_the_end_nears() -> None:
    waits = [PACING.next_wait(Progress(age=done * 6.0, done=done, total=100)) for done in (50, 70, 90, 99)]
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] < 10


def test_a_task_that_goes_faster_than_at_first_is_asked_about_sooner() -> None:
    """It stood in the vendor's queue for nine minutes, and was done by half in the tenth."""
    look = Progress(age=10 * MINUTE, done=50, total=100)
    assert PACING.next_wait(look, before=Progress(age=9 * MINUTE)) == 30
    assert PACING.next_wait(look) == 300


def test_a_task_that_goes_slower_for_a_while_is_asked_about_no_later() -> None:
    look = Progress(age=10 * MINUTE, done=80, total=100)
    assert PACING.next_wait(look, before=Progress(MINUTE, done=79)) == PACING.next_wait(look)


def test_counts_that_go_back_are_no_pace() -> None:
    look = Progress(age=10 * MINUTE, done=80, total=100)
    assert PACING.next_wait(look, before=Progress(9 * MINUTE, done=95)) == PACING.next_wait(look)


def test_the_first_rows_of_a_task_are_no_reason_to_wait_for_long() -> None:
    assert PACING.next_wait(Progress(age=20, done=1, total=100_000)) == 10


@pytest.mark.parametrize(
    "look", [Progress(60, 100, 100), Progress(60, 250, 100), Progress(60, 0, 100, processed=True)], ids=str
)
def test_a_task_that_only_lacks_its_export_is_asked_about_at_once(look: Progress) -> None:
    assert PACING.next_wait(look) == SHORTEST_WAIT


def test_a_task_that_seems_almost_done_for_hours_is_not_asked_about_every_few_seconds() -> None:
    assert PACING.next_wait(Progress(age=HOUR, done=99_999, total=100_000)) == 36


# Bounds


@given(pacings, looks, st.none() | looks, expectations)
def test_no_wait_leaves_its_bounds_whatever_is_said(
    polling: PollingPolicy, look: Progress, before: Progress | None, expected: float | None
) -> None:
    age = max(look.age, 0)
    wait = polling.next_wait(look, before, expected)
    assert min(polling.shortest(age), polling.longest(age)) <= wait <= polling.longest(age)


@given(pacings, looks, st.none() | looks, expectations)
def test_the_delay_is_in_proportion_to_the_age_or_to_what_was_expected(
    polling: PollingPolicy, look: Progress, before: Progress | None, expected: float | None
) -> None:
    age = max(look.age, 0)
    wait = polling.next_wait(look, before, expected)
    assert wait <= max(SHORTEST_WAIT, age / 2, (expected or 0) * 0.1)


@given(st.floats(30, 900), looks, st.none() | looks, expectations)
def test_no_task_is_noticed_later_than_the_parameter_says(
    longest_wait: float, look: Progress, before: Progress | None, expected: float | None
) -> None:
    young = replace(look, age=min(look.age, 299 * longest_wait))
    assert PollingPolicy(longest_wait).next_wait(young, before, expected) <= longest_wait


def test_the_default_parameter_holds_for_as_long_as_tasks_may_take_by_default() -> None:
    hours = template()["Parameters"]["JobTimeoutHours"]["Default"]
    seconds = template()["Parameters"]["MaxWaitSeconds"]["Default"]
    assert PollingPolicy(seconds).longest(hours * HOUR) == seconds


@given(ages, ages)
def test_waits_without_progress_never_shrink(one: float, other: float) -> None:
    younger, older = sorted((one, other))
    assert PACING.next_wait(Progress(younger)) <= PACING.next_wait(Progress(older))


@given(looks, expectations)
def test_an_expectation_only_ever_lengthens_a_wait(look: Progress, expected: float | None) -> None:
    assert PACING.next_wait(look, expected=expected) >= PACING.next_wait(look)


# The first wait, jitter, and the wait for an export


def test_a_task_of_which_nothing_is_known_is_asked_about_after_ten_seconds() -> None:
    assert first_wait(None) == DEFAULT_FIRST_WAIT == 10


@pytest.mark.parametrize(("expected", "wait"), [(0, 3), (5, 3), (30, 9), (60, 18), (HOUR, 30), (WEEK, 30)])
def test_the_first_look_comes_well_before_the_expected_end(expected: float, wait: float) -> None:
    assert first_wait(expected) == pytest.approx(wait)


def test_the_first_wait_is_never_longer_than_the_least_that_can_be_set() -> None:
    parameter = template()["Parameters"]["MaxWaitSeconds"]
    assert parameter["MinValue"] >= LONGEST_FIRST_WAIT


@given(st.floats(SHORTEST_WAIT, 2 * HOUR), st.floats(0, 1))
def test_chance_shortens_a_wait_by_a_tenth_at_most(wait: float, chance: float) -> None:
    assert wait * 0.9 <= jittered(wait, chance) <= wait


def test_without_chance_a_wait_stays_as_it_is() -> None:
    assert jittered(60, 0) == 60


@pytest.mark.parametrize(("age", "wait"), [(-5, 60), (0, 60), (HOUR, 60), (24 * HOUR, 864)])
def test_an_export_that_did_not_come_is_asked_for_after_a_minute_or_more(age: float, wait: float) -> None:
    assert wait_for_export(age) == wait


# The history of an execution

MAX_EVENTS = 25_000
"""AWS Step Functions developer guide, "Quotas": events in the history of one execution."""

EVENTS_OF = {"Wait": 2, "Choice": 2, "Pass": 2, "Task": 5}
"""Entered and exited; a task is scheduled, started and has succeeded besides."""

EVENTS_OF_A_RETRY = 3
"""Scheduled, started, failed."""

ONE_RETRY = 1
"""Of each and every call. More take their own time: each waits twice as long as the one before."""


def events_of(*states: str) -> int:
    kinds = [state_machine()["States"][state]["Type"] for state in states]
    retries = ONE_RETRY * kinds.count("Task")
    return sum(EVENTS_OF[kind] for kind in kinds) + retries * EVENTS_OF_A_RETRY


def turn_of(polling: PollingPolicy) -> tuple[int, Callable[[float], float]]:
    """A look that says to wait on: its events, and the shortest time until the next."""
    events = events_of("Wait for the vendor", "Check the task", "Exported?")
    return events, lambda age: round(jittered(min(polling.shortest(age), polling.longest(age)), 1))


def fruitless_collection() -> tuple[int, Callable[[float], float]]:
    """A collection that finds no export after all."""
    events = events_of(
        "Wait for the vendor", "Check the task", "Exported?", "Collect the results", "Collected?"
    )
    return events, wait_for_export


@pytest.mark.parametrize("bound", ["MinValue", "Default", "MaxValue"])
def test_the_longest_task_fits_into_the_history_of_one_execution(bound: str) -> None:
    """Whatever the vendor says, each time what fills the history fastest."""
    parameters = template()["Parameters"]
    turns = [turn_of(PollingPolicy(parameters["MaxWaitSeconds"][bound])), fruitless_collection()]
    age, events = 0.0, events_of("Remember the job", "Record the failure") + len(("started", "ended"))
    while age < parameters["JobTimeoutHours"]["MaxValue"] * HOUR:
        most_events, wait = max(turns, key=lambda turn: turn[0] / turn[1](age))
        events += most_events
        age += wait(age)
    assert events < MAX_EVENTS


def test_a_wait_that_is_slept_through_costs_less_than_the_state_machines() -> None:
    """AWS Step Functions and AWS Lambda pricing, USD: a transition, and a GB-second on arm64."""
    memory = template()["Resources"]["CheckStatusFunction"]["Properties"]["MemorySize"] / 1024
    assert LONGEST_SLEEP * memory * 0.0000133334 < 3 * 0.000025
