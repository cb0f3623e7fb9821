"""The durations of a checker's tasks: learned from each task, read before the next, never in a job's way."""

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


# Estimates


def test_an_unused_checker_has_no_estimate(durations: Durations) -> None:
    assert durations.expected_seconds("band", 1000) is None


def test_the_second_task_is_expected_to_take_as_long(durations: Durations) -> None:
    durations.learn(completed(seconds=300))
    assert durations.expected_seconds("band", 1000) == 300


def test_the_wait_after_the_export_is_not_counted(durations: Durations) -> None:
    durations.learn(completed(seconds=400, exported_at=NOON + timedelta(seconds=300)))
    assert durations.expected_seconds("band", 1000) == 300


def test_the_estimate_grows_with_the_root_of_the_size(durations: Durations) -> None:
    durations.learn(completed(seconds=300))
    assert [durations.expected_seconds("band", size) for size in (10, 1000, 100_000)] == [30, 300, 3000]


def test_each_checker_has_its_own_durations(durations: Durations) -> None:
    durations.learn(completed(seconds=300))
    durations.learn(completed(seconds=40, checker="phoneCheck"))
    assert [durations.expected_seconds(checker, 1000) for checker in ("band", "phoneCheck")] == [300, 40]


def test_the_latest_tasks_weigh_most(durations: Durations) -> None:
    for seconds in [300] * 10 + [30] * 10:
        durations.learn(completed(seconds=seconds))
    expected = durations.expected_seconds("band", 1000)
    assert expected
    assert 30 <= expected < 33


def test_one_odd_task_changes_the_estimate_twofold_at_most(durations: Durations) -> None:
    for odd in (0, 10**9):
        durations.learn(completed(seconds=300))
        before = durations.expected_seconds("band", 1000)
        durations.learn(completed(seconds=odd))
        after = durations.expected_seconds("band", 1000)
        assert before
        assert after
        assert before / 2 <= after <= before * 2


@given(tasks, tasks, st.integers(1, 10**12))
def test_an_estimate_is_always_within_bounds(one: TypicalTask, other: TypicalTask, numbers: int) -> None:
    assert 1 <= one.after(other).expected_seconds(numbers) <= LONGEST_TASK


@pytest.mark.parametrize("numbers", [None, 0])
def test_a_task_of_unknown_size_has_no_estimate(durations: Durations, numbers: int | None) -> None:
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
    ids=["later run", "unknown size", "unknown start", "unknown checker"],
)
def test_a_job_of_unknown_duration_is_not_learned_from(durations: Durations, job: Job) -> None:
    durations.learn(job)
    assert durations.expected_seconds("band", 1000) is None


# In the jobs table


def test_durations_are_not_listed_as_jobs(account: Account, ledger: Ledger, durations: Durations) -> None:
    account.put(a_job())
    durations.learn(completed(seconds=300))
    listed = JobsTable(ledger.client, ledger.table).summaries()
    assert (
        [job_id for job_id, _ in ledger.unsettled()]
        == [a_job().job_id]
        == [summary.job_id for summary in listed]
    )


# In the functions


def test_a_completed_job_gives_the_next_job_an_estimate(
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
def test_corrupt_durations_do_not_affect_jobs(
    account: Account, functions: Functions, item: dict[str, Any]
) -> None:
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
def test_unreachable_durations_are_ignored(error: Exception) -> None:
    durations = Durations(FailingDynamoDB(error), "jobs")  # type: ignore[arg-type]
    durations.learn(completed(seconds=300))
    assert durations.expected_seconds("band", 1000) is None
