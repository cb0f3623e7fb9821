"""What is promised of waiting, in simulated time: the real code against other ways, the same each time."""

import pytest

from benchmarks.waiting import OTHERS, Summary, summary, tasks_of
from benchmarks.waiting_ways import BEFORE_CALL, BETWEEN, CALL, ours
from numberdrop.jobs.polling import PollingPolicy
from tests.support.template import template

DEFAULT = template()["Parameters"]["MaxWaitSeconds"]["Default"]
LEAST = template()["Parameters"]["MaxWaitSeconds"]["MinValue"]
CALLS = CALL + BETWEEN + BEFORE_CALL + CALL
"""Seconds from one answer of the vendor to the next, the wait apart: the task may end while it answers."""

TASKS = tasks_of(range(101, 106), of_each=12)


@pytest.fixture(scope="module")
def others() -> dict[str, Summary]:
    return {name: summary(way, TASKS) for name, way in OTHERS.items()}


@pytest.fixture(scope="module")
def our_own() -> Summary:
    return summary(ours(PollingPolicy(DEFAULT)), TASKS)


def test_no_other_way_is_both_cheaper_and_quicker(others: dict[str, Summary], our_own: Summary) -> None:
    better = [
        name
        for name, other in others.items()
        if other.usd <= our_own.usd and (other.delay <= our_own.delay or other.share <= our_own.share)
    ]
    assert better == []


def test_a_look_every_minute_costs_more_than_twice_as_much_and_is_ten_times_as_late(
    others: dict[str, Summary], our_own: Summary
) -> None:
    each_minute = others["every 60 s"]
    assert each_minute.usd > 2.5 * our_own.usd
    assert each_minute.share > 10 * our_own.share
    assert each_minute.delay > our_own.delay


def test_short_tasks_that_show_progress_are_noticed_within_five_seconds(our_own: Summary) -> None:
    assert our_own.soon < 5


def test_no_task_is_noticed_later_than_the_parameter_says_but_for_the_calls(our_own: Summary) -> None:
    assert our_own.latest <= DEFAULT + CALLS


def test_the_least_that_can_be_set_is_kept_too() -> None:
    follow = ours(PollingPolicy(LEAST))
    young = [task for task in TASKS[::4] if task.seconds < 300 * LEAST]
    assert max(follow(task).delay for task in young) <= LEAST + CALLS
