"""``numberdrop`` at work on a pretended account, and what a test looks at afterwards."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from numberdrop.jobs.job import Job, StoredResults
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli import connection
from numberdrop_cli.main import main
from numberdrop_cli.stack import find_stack
from tests.support.account import Account
from tests.support.jobs import a_job, an_upload

ARN = "arn:aws:cloudformation:us-east-1:123456789012:stack/numberdrop/unique"
HOURS = 12
"""The stack's ``JobTimeoutHours``."""

NUMBERS = "+447700900123\n+447700900124\n"
"""What ``leads.txt`` holds."""

RESULTS = {
    "export.zip": b"zip",
    "manifest.json": b"{}",
    "report.html": b"<html>",
    "results.csv": b"number,status\n",
}
"""What every completed job has."""

SAVED = {"leads.txt.manifest.json", "leads.txt.report.html", "leads.txt.results.csv"}
"""What is saved of it beside ``leads.txt``, unless more is asked for."""

Meanwhile = list[Callable[[], Any]]
"""What happens while the command waits, one thing a pause; one pause more is an error."""


@dataclass
class CloudFormation:
    """Describes one stack, or refuses; moto's needs far more packages than all the rest."""

    outputs: dict[str, str] = field(default_factory=dict)
    allow_sensitive: bool = False
    refusal: str | None = None

    def describe_stacks(self, **asked: str) -> dict[str, Any]:
        refusal = self.refusal or (None if asked["StackName"] == "numberdrop" else "ValidationError")
        if refusal:
            raise ClientError({"Error": {"Code": refusal, "Message": "no"}}, "DescribeStacks")
        outputs = [{"OutputKey": name, "OutputValue": value} for name, value in self.outputs.items()]
        parameters = [
            {"ParameterKey": "JobTimeoutHours", "ParameterValue": str(HOURS)},
            {"ParameterKey": "AllowSensitiveCheckers", "ParameterValue": str(self.allow_sensitive).lower()},
        ]
        return {"Stacks": [{"StackId": ARN, "Outputs": outputs, "Parameters": parameters}]}


@dataclass
class CommandLine:
    """Runs ``numberdrop`` in a folder that holds ``leads.txt``, on an account's stack."""

    account: Account
    dead_letters: str
    cloudformation: CloudFormation

    @classmethod
    def on(cls, account: Account, folder: Path, patch: pytest.MonkeyPatch) -> "CommandLine":
        url = boto3.client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"]
        outputs = {
            "UploadBucketName": account.upload_bucket,
            "ResultsBucketName": account.results_bucket,
            "JobsTableName": account.jobs_table,
            "EventBusName": account.bus,
            "StateMachineArn": account.state_machine,
            "UploadQueueUrl": account.upload_queue,
            "DeadLetterQueueUrl": url,
        }
        described: Any = CloudFormation(outputs)
        (folder / "leads.txt").write_text(NUMBERS, encoding="utf-8")
        patch.chdir(folder)
        # One session for all tests reads the models of the services once.
        patch.setattr(boto3, "Session", lambda **_: boto3.DEFAULT_SESSION)
        patch.setattr(connection, "find_stack", lambda _, name: find_stack(described, name))
        return cls(account, url, described)

    def __call__(self, *arguments: str, answer: str | None = None) -> Result:
        return numberdrop(*arguments, answer=answer)

    def put(self, state: State, key: str = "band/leads.txt", **changes: Any) -> Job:
        """Writes a job of a state into the ledger."""
        job = a_job(state, upload=an_upload(key), **changes)
        self.account.put(job)
        return job

    def sent(self) -> list[Upload]:
        """What lies in the upload bucket, the earliest first."""
        answer = boto3.client("s3").list_object_versions(
            Bucket=self.cloudformation.outputs["UploadBucketName"]
        )
        versions = sorted(answer.get("Versions", []), key=lambda version: version["LastModified"])
        return [
            Upload(
                bucket=answer["Name"],
                key=version["Key"],
                version_id=version["VersionId"] if version["VersionId"] != "null" else None,
                etag=version["ETag"].strip('"'),
                size=version["Size"],
                sequencer="",
            )
            for version in versions
        ]

    def stored(self, job: Job) -> Job:
        """The job as the ledger has it now."""
        found = self.account.job(job.upload)
        assert found
        return found

    @property
    def done(self) -> tuple[list[str], list[dict[str, Any]], list[str]]:
        """Executions, events and messages to the upload queue: all that a command could have caused."""
        return self.account.executions(), self.account.events(), waiting(self.account.upload_queue)


NOTHING: tuple[list[str], list[dict[str, Any]], list[str]] = ([], [], [])


def numberdrop(*arguments: str, answer: str | None = None) -> Result:
    """The command's result; anything raised beyond an exit status fails the test."""
    return CliRunner().invoke(main, arguments, input=answer, catch_exceptions=False)


def document(result: Result) -> Any:
    """The JSON that a successful command printed."""
    assert result.exit_code == 0
    return json.loads(result.stdout)


def store(account: Account, prefix: str, files: dict[str, bytes]) -> StoredResults:
    """Puts files where results go."""
    for name, content in files.items():
        boto3.client("s3").put_object(Bucket=account.results_bucket, Key=f"{prefix}{name}", Body=content)
    return StoredResults(
        account.results_bucket,
        f"{prefix}export.zip",
        f"{prefix}results.csv",
        f"{prefix}manifest.json",
        f"{prefix}report.html",
    )


def completed(run: CommandLine, key: str = "band/leads.txt", **more: bytes) -> Job:
    """A completed job with results; more files are named with ``_`` for the dot."""
    files = RESULTS | {name.replace("_", "."): content for name, content in more.items()}
    return run.put(State.COMPLETED, key, results=store(run.account, f"{key}/0123/", files))


def the_job(run: CommandLine, state: State, **changes: Any) -> Callable[[], None]:
    """Brings the job of the file that was sent to a state."""

    def bring() -> None:
        (upload,) = run.sent()
        if state is State.COMPLETED:
            changes["results"] = store(run.account, "band/leads.txt/0123/", RESULTS)
        run.account.put(a_job(state, upload=upload, **changes))

    return bring


def nothing_more() -> None:
    pass


def interrupt() -> None:
    raise KeyboardInterrupt


def saved(folder: Path) -> set[str]:
    """The names of the files that lie there beside the one that was sent."""
    return {path.name for path in folder.iterdir()} - {"leads.txt"}


def waiting(queue: str) -> list[str]:
    """The bodies of at most ten messages that can be received from a queue."""
    answer = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]
