"""The claims of docs/waiting.md hold in a simulation that runs the real code against other policies."""

import pytest

from benchmarks.waiting import OTHERS, Summary, summary, tasks_of
from benchmarks.waiting_policies import BEFORE_CALL, BETWEEN, CALL, ours
from numberdrop.jobs.polling import PollingPolicy
from tests.support.template import template

pytestmark = pytest.mark.slow

DEFAULT = template()["Parameters"]["MaxWaitSeconds"]["Default"]
LEAST = template()["Parameters"]["MaxWaitSeconds"]["MinValue"]
CALLS = CALL + BETWEEN + BEFORE_CALL + CALL
"""Seconds from one answer of the vendor to the next, without the wait. The task may end during a call."""

TASKS = tasks_of(range(101, 106), per_shape=12)


@pytest.fixture(scope="module")
def others() -> dict[str, Summary]:
    return {name: summary(way, TASKS) for name, way in OTHERS.items()}


@pytest.fixture(scope="module")
def own() -> Summary:
    return summary(ours(PollingPolicy(DEFAULT)), TASKS)


def test_no_other_policy_is_both_cheaper_and_faster(others: dict[str, Summary], own: Summary) -> None:
    better = [
        name
        for name, other in others.items()
        if other.usd <= own.usd and (other.delay <= own.delay or other.share <= own.share)
    ]
    assert better == []


def test_checking_every_minute_is_more_expensive_and_slower(others: dict[str, Summary], own: Summary) -> None:
    each_minute = others["every 60 s"]
    assert each_minute.usd > 2.5 * own.usd
    assert each_minute.share > 10 * own.share
    assert each_minute.delay > own.delay


def test_short_tasks_with_progress_end_within_five_seconds(own: Summary) -> None:
    assert own.short < 5


def test_the_delay_is_at_most_max_wait_seconds_and_a_call(own: Summary) -> None:
    assert own.latest <= DEFAULT + CALLS


def test_the_smallest_max_wait_seconds_is_respected_too() -> None:
    follow = ours(PollingPolicy(LEAST))
    young = [task for task in TASKS[::4] if task.seconds < 300 * LEAST]
    assert max(follow(task).delay for task in young) <= LEAST + CALLS
