"""Starting the execution that follows a task."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from botocore.exceptions import ClientError

from numberdrop.aws.clients import make_client
from numberdrop.jobs.job import Job
from numberdrop.jobs.polling import SHORTEST_WAIT, first_wait

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class ExecutionStatus(StrEnum):
    """How an execution stands (Step Functions API reference, "DescribeExecution")."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    PENDING_REDRIVE = "PENDING_REDRIVE"


@dataclass(frozen=True)
class Executions:
    """The state machine that waits for tasks."""

    client: "SFNClient"
    state_machine_arn: str

    @classmethod
    def connect(cls, state_machine_arn: str) -> Self:
        """Return the executions of a state machine, with a client of its own."""
        return cls(make_client("stepfunctions"), state_machine_arn)

    def execution_arn(self, job: Job) -> str:
        """The ARN of the job's execution, whether or not it was started."""
        machine = self.state_machine_arn.replace(":stateMachine:", ":execution:")
        return f"{machine}:{job.execution_name}"

    def status(self, job: Job) -> ExecutionStatus | None:
        """How the job's execution stands, or None if it was never started."""
        try:
            described = self.client.describe_execution(executionArn=self.execution_arn(job))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return None
        return ExecutionStatus(described["status"])

    def start(self, job: Job) -> None:
        """Starts the job's execution, once however often it is asked.

        The name is made from the job, so Step Functions itself refuses a second one (API reference,
        "StartExecution": names are unique for 90 days). The checker in the input is for people to see.
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
    """How long an execution waits before its first look; the task of a later run is old already."""
    return math.ceil(first_wait(job.expected_seconds) if job.run == 1 else SHORTEST_WAIT)
