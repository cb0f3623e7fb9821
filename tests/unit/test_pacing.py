"""The pace of polling follows from how long a task has taken, and from nothing else."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from numberdrop.pacing import LONGEST_WAIT, SHORTEST_WAIT, next_wait

spans = st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=400))


def test_a_young_task_is_asked_about_after_ten_seconds() -> None:
    assert next_wait(timedelta(0)) == timedelta(seconds=10)


def test_a_task_is_asked_about_after_a_fifth_of_its_age() -> None:
    assert next_wait(timedelta(minutes=10)) == timedelta(minutes=2)


def test_an_old_task_is_still_asked_about_every_five_minutes() -> None:
    assert next_wait(timedelta(days=7)) == timedelta(minutes=5)


def test_a_clock_that_runs_behind_does_no_harm() -> None:
    assert next_wait(timedelta(seconds=-5)) == SHORTEST_WAIT


@given(spans, spans)
def test_waits_never_shrink_and_keep_their_bounds(one: timedelta, other: timedelta) -> None:
    shorter, longer = sorted((one, other))
    assert SHORTEST_WAIT <= next_wait(shorter) <= next_wait(longer) <= LONGEST_WAIT


def test_a_week_of_waiting_fits_into_one_executions_history() -> None:
    elapsed, turns = timedelta(0), 0
    while elapsed < timedelta(hours=168):
        elapsed += next_wait(elapsed)
        turns += 1
    events_a_turn, most_events = 9, 25_000
    assert turns * events_a_turn < most_events
