"""Starting the execution that follows a task."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from numberdrop.job import Job

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
class Workflow:
    """The state machine that waits for tasks."""

    client: "SFNClient"
    state_machine_arn: str

    def status(self, job: Job) -> ExecutionStatus | None:
        """How the job's execution stands, or None if it was never started."""
        name = self.state_machine_arn.replace(":stateMachine:", ":execution:")
        try:
            described = self.client.describe_execution(executionArn=f"{name}:{job.execution_name}")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return None
        return ExecutionStatus(described["status"])

    def start(self, job: Job) -> None:
        """Starts the job's execution, once however often it is asked.

        The name is made from the job, so Step Functions itself refuses a second one (API reference,
        "StartExecution": names are unique for 90 days).
        """
        try:
            self.client.start_execution(
                stateMachineArn=self.state_machine_arn,
                name=job.execution_name,
                input=json.dumps({"job_id": job.job_id, "checker": job.checker}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
