"""The claims of docs/waiting.md hold in a simulation that runs the real code against other policies."""

import pytest

from benchmarks.waiting import OTHERS, Summary, summary, tasks_of
from benchmarks.waiting_policies import BEFORE_CALL, BETWEEN, CALL, ours
from numberdrop.jobs.polling import PollingPolicy
from tests.support.template import template

DEFAULT = template()["Parameters"]["MaxWaitSeconds"]["Default"]
LEAST = template()["Parameters"]["MaxWaitSeconds"]["MinValue"]
CALLS = CALL + BETWEEN + BEFORE_CALL + CALL
"""Seconds between two answers of the vendor besides the wait; the task may end during a call."""

TASKS = tasks_of(range(101, 106), of_each=12)


@pytest.fixture(scope="module")
def others() -> dict[str, Summary]:
    return {name: summary(way, TASKS) for name, way in OTHERS.items()}


@pytest.fixture(scope="module")
def our_own() -> Summary:
    return summary(ours(PollingPolicy(DEFAULT)), TASKS)


def test_no_other_policy_is_both_cheaper_and_faster(others: dict[str, Summary], our_own: Summary) -> None:
    better = [
        name
        for name, other in others.items()
        if other.usd <= our_own.usd and (other.delay <= our_own.delay or other.share <= our_own.share)
    ]
    assert better == []


def test_checking_every_minute_is_more_expensive_and_slower(
    others: dict[str, Summary], our_own: Summary
) -> None:
    each_minute = others["every 60 s"]
    assert each_minute.usd > 2.5 * our_own.usd
    assert each_minute.share > 10 * our_own.share
    assert each_minute.delay > our_own.delay


def test_short_tasks_with_progress_end_within_five_seconds(our_own: Summary) -> None:
    assert our_own.soon < 5


def test_the_delay_is_at_most_max_wait_seconds_and_a_call(our_own: Summary) -> None:
    assert our_own.latest <= DEFAULT + CALLS


def test_the_smallest_max_wait_seconds_is_respected_too() -> None:
    follow = ours(PollingPolicy(LEAST))
    young = [task for task in TASKS[::4] if task.seconds < 300 * LEAST]
    assert max(follow(task).delay for task in young) <= LEAST + CALLS
