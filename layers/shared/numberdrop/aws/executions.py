"""Executions of the state machine, one per job and run."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from botocore.exceptions import ClientError

from numberdrop.aws.clients import make_client
from numberdrop.jobs.job import Job
from numberdrop.jobs.polling import SHORTEST_WAIT, first_wait
from numberdrop.jobs.transitions import State

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class ExecutionStatus(StrEnum):
    """The status of an execution (Step Functions API reference, "DescribeExecution")."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    PENDING_REDRIVE = "PENDING_REDRIVE"


@dataclass(frozen=True)
class Executions:
    """Starts and looks up the executions of one state machine.

    >>> arn = "arn:aws:states:us-east-1:123456789012:stateMachine:numberdrop"
    >>> executions = Executions.connect(arn)
    >>> executions.state_machine_arn == arn  # then: executions.start(job)
    True
    """

    client: "SFNClient"
    state_machine_arn: str

    @classmethod
    def connect(cls, state_machine_arn: str) -> Self:
        """Return the executions of a state machine, with a client of its own."""
        return cls(make_client("stepfunctions"), state_machine_arn)

    def execution_arn(self, job: Job) -> str:
        """Return the ARN of the job's execution, whether or not it was started."""
        machine = self.state_machine_arn.replace(":stateMachine:", ":execution:")
        return f"{machine}:{job.execution_name}"

    def status(self, job: Job) -> ExecutionStatus | None:
        """Return the status of the job's execution, or None if it was never started or ended long ago.

        AWS forgets an execution 90 days after its end (AWS Step Functions developer guide, "Service quotas").
        """
        try:
            described = self.client.describe_execution(executionArn=self.execution_arn(job))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return None
        return ExecutionStatus(described["status"])

    def start(self, job: Job) -> None:
        """Start the job's execution; do nothing if it was started before.

        The execution's name is derived from the job, and Step Functions refuses to use a name twice (API
        reference, "StartExecution": names are unique for 90 days). The input names the checker only for
        people who read it.
        """
        try:
            self.client.start_execution(
                stateMachineArn=self.state_machine_arn,
                name=job.execution_name,
                input=json.dumps(
                    {"job_id": job.job_id, "checker": job.checker, "wait_seconds": first_wait_seconds(job)}
                ),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise


def first_wait_seconds(job: Job) -> int:
    """Return the seconds that an execution waits before its first status check.

    Later runs start with the shortest wait, because their task has been running for a while. A job that was
    answered from memory has no task to wait for.
    """
    if job.state is State.ANSWERED:
        return 0
    return math.ceil(first_wait(job.expected_seconds) if job.run == 1 else SHORTEST_WAIT)
