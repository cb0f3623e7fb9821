"""Executions whose checks are throttled, as in an account with few concurrent executions."""

import time
from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud
from local.observation import functions, wait_for_executions
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, Inbox

KEY = "band/throttled.txt"


@pytest.fixture
def throttled_checks(cloud: LocalCloud) -> Iterator[str]:
    """Let no check of a task run; yield the function's name."""
    (function,) = [function.name for function in functions(cloud) if function.label == "CheckStatus"]
    client = cloud.aws.client("lambda")
    client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    yield function
    client.delete_function_concurrency(FunctionName=function)


def failures(cloud: LocalCloud) -> set[str]:
    """Return the errors of the tasks of running executions so far."""
    executions = cloud.aws.client("stepfunctions")
    running = executions.list_executions(
        stateMachineArn=cloud.outputs["StateMachineArn"], statusFilter="RUNNING"
    )
    return {
        event["taskFailedEventDetails"]["error"]
        for execution in running["executions"]
        for event in executions.get_execution_history(executionArn=execution["executionArn"])["events"]
        if event["type"] == "TaskFailed"
    }


def test_a_throttled_check_is_tried_again_until_it_runs(
    cloud: LocalCloud, uploads: Bucket, inbox: Inbox, throttled_checks: str
) -> None:
    uploads.drop(KEY, "+447700900000\n")
    end = time.monotonic() + TIMEOUT_SECONDS
    while not (errors := failures(cloud)):
        assert time.monotonic() < end, "no check was throttled"
        time.sleep(0.2)
    assert errors == {"Lambda.TooManyRequestsException"}
    cloud.aws.client("lambda").delete_function_concurrency(FunctionName=throttled_checks)
    (event,) = inbox.wait_for(KEY)
    assert event["detail-type"] == "Number Check Completed"
    wait_for_executions(cloud)
