"""The pace of a checker: learnt from its tasks, read before the next, and never in anybody's way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from local.simulator import Simulator
from numberdrop.aws.durations import DURATION_KEY, LONGEST_TASK, Durations, TypicalTask
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.job import Counts, Job
from numberdrop.jobs.transitions import State
from numberdrop_cli.jobs_table import JobsTable
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import NOON, a_job
from tests.support.outcomes import job_of
from tests.support.refusals import FailingDynamoDB, client_error

tasks = st.builds(TypicalTask.plausible, st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))


def completed(*, seconds: float, numbers: int | None = 1000, **changes: Any) -> Job:
    job = a_job(
        State.COMPLETED,
        submitted_at=NOON,
        finished_at=NOON + timedelta(seconds=seconds),
        counts=Counts(submitted=numbers),
    )
    return replace(job, **changes)


@pytest.fixture
def durations(account: Account) -> Durations:
    return Durations(boto3.client("dynamodb"), account.jobs_table)


# What is expected


def test_nothing_is_expected_of_a_checker_that_was_never_used(durations: Durations) -> None:
    assert durations.expected_seconds("band", 1000) is None


def test_the_next_task_is_expected_to_take_as_long_as_the_first(durations: Durations) -> None:
    durations.learn(completed(seconds=300))
    assert durations.expected_seconds("band", 1000) == 300


def test_what_was_waited_after_the_export_is_not_the_tasks(durations: Durations) -> None:
    durations.learn(completed(seconds=400, exported_at=NOON + timedelta(seconds=300)))
    assert durations.expected_seconds("band", 1000) == 300


def test_a_larger_task_is_expected_to_take_longer_but_not_in_proportion(durations: Durations) -> None:
    durations.learn(completed(seconds=300))
    assert [durations.expected_seconds("band", size) for size in (10, 1000, 100_000)] == [30, 300, 3000]


def test_each_checker_has_a_pace_of_its_own(durations: Durations) -> None:
    durations.learn(completed(seconds=300))
    durations.learn(completed(seconds=40, checker="phoneCheck"))
    assert [durations.expected_seconds(checker, 1000) for checker in ("band", "phoneCheck")] == [300, 40]


def test_the_latest_tasks_weigh_most(durations: Durations) -> None:
    for seconds in [300] * 10 + [30] * 10:
        durations.learn(completed(seconds=seconds))
    expected = durations.expected_seconds("band", 1000)
    assert expected
    assert 30 <= expected < 33


def test_one_odd_task_moves_the_pace_by_a_factor_of_two_at_most(durations: Durations) -> None:
    for odd in (0, 10**9):
        durations.learn(completed(seconds=300))
        before = durations.expected_seconds("band", 1000)
        durations.learn(completed(seconds=odd))
        after = durations.expected_seconds("band", 1000)
        assert before
        assert after
        assert before / 2 <= after <= before * 2


@given(tasks, tasks, st.integers(1, 10**12))
def test_whatever_was_learnt_what_is_expected_is_possible(
    one: TypicalTask, other: TypicalTask, numbers: int
) -> None:
    assert 1 <= one.after(other).expected_seconds(numbers) <= LONGEST_TASK


@pytest.mark.parametrize("numbers", [None, 0])
def test_nothing_is_expected_of_a_task_whose_size_is_not_known(
    durations: Durations, numbers: int | None
) -> None:
    durations.learn(completed(seconds=300))
    assert durations.expected_seconds("band", numbers) is None


@pytest.mark.parametrize(
    "job",
    [
        completed(seconds=60, run=2),
        completed(seconds=60, numbers=None),
        completed(seconds=60, submitted_at=None),
        completed(seconds=60, checker=None),
    ],
    ids=["followed again", "of unknown size", "of unknown beginning", "of unknown checker"],
)
def test_nothing_is_learnt_from_a_job_whose_times_tell_nothing(durations: Durations, job: Job) -> None:
    durations.learn(job)
    assert durations.expected_seconds("band", 1000) is None


# It lives among jobs, and is none


def test_a_pace_is_no_job(account: Account, ledger: Ledger, durations: Durations) -> None:
    account.put(a_job())
    durations.learn(completed(seconds=300))
    listed = JobsTable(ledger.client, ledger.table).summaries()
    assert list(ledger.unsettled()) == [a_job().job_id] == [summary.job_id for summary in listed]


# In the way of a file


def test_a_completed_job_teaches_what_the_next_one_expects(
    account: Account, simulator: Simulator, functions: Functions, durations: Durations
) -> None:
    first = account.drop("band/first.txt", file_of())
    functions.submit(first)
    assert job_of(account, first).expected_seconds is None
    functions.collect(first)
    second = account.drop("band/second.txt", file_of())
    functions.submit(second)
    expected = job_of(account, second).expected_seconds
    assert expected == durations.expected_seconds("band", 100)
    assert expected
    assert 1 <= expected <= 30


@pytest.mark.parametrize(
    "item",
    [
        {"seconds": {"N": "0"}, "numbers": {"N": "-5"}},
        {"seconds": {"N": "9e99"}, "numbers": {"N": "1e-99"}},
        {"seconds": {"S": "soon"}},
        {},
    ],
    ids=str,
)
def test_a_spoilt_memory_harms_no_job(account: Account, functions: Functions, item: dict[str, Any]) -> None:
    key = {"job_id": {"S": DURATION_KEY.format(checker="band")}}
    boto3.client("dynamodb").put_item(TableName=account.jobs_table, Item=key | item)
    upload = account.drop("band/leads.txt", file_of())
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED
    assert functions.collect(upload)["next"] == "done"
    assert job_of(account, upload).state is State.COMPLETED


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://dynamodb.invalid"),
        client_error("ThrottlingException", "GetItem"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_memory_that_cannot_be_reached_is_done_without(error: Exception) -> None:
    durations = Durations(FailingDynamoDB(error), "jobs")  # type: ignore[arg-type]
    durations.learn(completed(seconds=300))
    assert durations.expected_seconds("band", 1000) is None
