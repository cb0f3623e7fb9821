"""Starting executions: once per job and run, however often it is tried."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from numberdrop.aws.executions import Executions
from numberdrop.jobs.transitions import State
from tests.support.account import Account
from tests.support.jobs import a_job, an_upload
from tests.support.refusals import RefusingStepFunctions


@pytest.fixture
def executions(account: Account) -> Executions:
    return Executions(boto3.client("stepfunctions"), account.state_machine)


def test_an_execution_is_named_after_its_job_and_run(account: Account, executions: Executions) -> None:
    executions.start(a_job())
    assert account.executions() == [f"{a_job().job_id}-1"]


def execution_input(account: Account) -> dict[str, Any]:
    """Return the input of the only execution."""
    sfn = boto3.client("stepfunctions")
    (execution,) = sfn.list_executions(stateMachineArn=account.state_machine)["executions"]
    read: dict[str, Any] = json.loads(sfn.describe_execution(executionArn=execution["executionArn"])["input"])
    return read


def test_the_input_has_the_job_the_checker_and_the_wait(account: Account, executions: Executions) -> None:
    executions.start(a_job())
    assert execution_input(account) == {
        "job_id": a_job().job_id,
        "checker": "band",
        "wait_seconds": 10,
    }


@pytest.mark.parametrize(("expected", "wait"), [(2, 3), (62, 19), (7200, 30)])
def test_the_first_wait_is_a_part_of_the_expected_duration(
    account: Account, executions: Executions, expected: int, wait: int
) -> None:
    executions.start(a_job(expected_seconds=expected))
    assert execution_input(account)["wait_seconds"] == wait


def test_an_answered_job_is_not_waited_for(account: Account, executions: Executions) -> None:
    executions.start(a_job(State.ANSWERED))
    assert execution_input(account)["wait_seconds"] == 0


def test_a_later_run_starts_with_the_shortest_wait(account: Account, executions: Executions) -> None:
    executions.start(a_job(run=2, expected_seconds=7200))
    assert execution_input(account)["wait_seconds"] == 3


def test_a_second_start_does_nothing(account: Account, executions: Executions) -> None:
    executions.start(a_job())
    executions.start(a_job())
    assert len(account.executions()) == 1


def test_an_existing_execution_counts_as_started() -> None:
    refusing = RefusingStepFunctions("ExecutionAlreadyExists")
    Executions(refusing, "arn").start(a_job())  # type: ignore[arg-type]
    assert refusing.refused == 1


def test_any_other_refusal_raises_an_error() -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        Executions(RefusingStepFunctions("ThrottlingException"), "arn").start(a_job())  # type: ignore[arg-type]


def test_another_run_of_the_job_is_another_execution(account: Account, executions: Executions) -> None:
    executions.start(a_job())
    executions.start(replace(a_job(), run=2))
    assert len(account.executions()) == 2


@pytest.mark.parametrize("key", ["band/ü 🎈+%20.txt", "band/../x", "band/" + "k" * 1019])
def test_an_execution_name_never_contains_the_key(account: Account, executions: Executions, key: str) -> None:
    job = a_job(upload=an_upload(key))
    executions.start(job)
    assert account.executions() == [f"{job.job_id}-1"]
    assert len(job.execution_name) <= 80
