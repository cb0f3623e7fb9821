"""Runs ``numberdrop`` on an account made by moto, and shows its effects."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
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
from tests.support.jobs import NOON, a_job, an_upload

ARN = "arn:aws:cloudformation:us-east-1:123456789012:stack/numberdrop/unique"
HOURS = 12
"""The stack's ``JobTimeoutHours``."""

NUMBERS = "+447700900123\n+447700900124\n"
"""The content of ``leads.txt``."""

RESULTS = {
    "export.zip": b"zip",
    "manifest.json": b"{}",
    "report.html": b"<html>",
    "results.csv": b"number,status\n",
}
"""The results that every completed job has."""

SAVED = {
    "leads.txt.results/manifest.json",
    "leads.txt.results/report.html",
    "leads.txt.results/results.csv",
}
"""The files that are saved next to ``leads.txt`` by default."""

SENDING = "Sending to stack numberdrop in us-east-1, account 123456789012.\n"
"""What `send` says on standard error before it sends."""

Meanwhile = list[Callable[[], Any]]
"""What happens while the command pauses, one call per pause. A pause with no call left is an error."""


@dataclass
class CloudFormation:
    """A fake that describes one stack, or refuses. moto's own needs many more packages."""

    outputs: dict[str, str] = field(default_factory=dict)
    allow_sensitive: bool = False
    allowed_task_types: str = ""
    retention_days: int = 90
    user_id: str = "user"
    default_region: str = ""
    max_usd: str = "0"
    vendor_url: str = "http://127.0.0.1:9"
    refusal: str | None = None
    created_at: datetime = NOON
    meta = SimpleNamespace(region_name="us-east-1")

    def describe_stacks(self, **request: str) -> dict[str, Any]:
        refusal = self.refusal or (None if request["StackName"] == "numberdrop" else "ValidationError")
        if refusal:
            raise ClientError({"Error": {"Code": refusal, "Message": "no"}}, "DescribeStacks")
        outputs = [{"OutputKey": name, "OutputValue": value} for name, value in self.outputs.items()]
        parameters = [
            {"ParameterKey": "JobTimeoutHours", "ParameterValue": str(HOURS)},
            {"ParameterKey": "AllowSensitiveCheckers", "ParameterValue": str(self.allow_sensitive).lower()},
            {"ParameterKey": "RetentionDays", "ParameterValue": str(self.retention_days)},
            {"ParameterKey": "AllowedTaskTypes", "ParameterValue": self.allowed_task_types},
            {"ParameterKey": "EkycproUserId", "ParameterValue": self.user_id},
            {"ParameterKey": "DefaultRegion", "ParameterValue": self.default_region},
            {"ParameterKey": "MaxUsdPerUpload", "ParameterValue": self.max_usd},
            {"ParameterKey": "EkycproBaseUrl", "ParameterValue": self.vendor_url},
        ]
        stack = {"StackId": ARN, "CreationTime": self.created_at}
        return {"Stacks": [{**stack, "Outputs": outputs, "Parameters": parameters}]}


@dataclass
class CommandLine:
    """Runs ``numberdrop`` in a folder with ``leads.txt``, against an account's stack."""

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
            "ApiKeySecretArn": account.secret,
        }
        stack: Any = CloudFormation(outputs)
        (folder / "leads.txt").write_text(NUMBERS, encoding="utf-8")
        patch.chdir(folder)
        # With one session for all tests, the models of the services are read only once.
        patch.setattr(boto3, "Session", lambda **_: boto3.DEFAULT_SESSION)
        patch.setattr(connection, "find_stack", lambda _, *arguments: find_stack(stack, *arguments))
        return cls(account, url, stack)

    def __call__(self, *arguments: str, answer: str | None = None) -> Result:
        return numberdrop(*arguments, answer=answer)

    def put(self, state: State, key: str = "band/leads.txt", **changes: Any) -> Job:
        """Write a job in this state into the ledger."""
        job = a_job(state, upload=an_upload(key), **changes)
        self.account.put(job)
        return job

    def uploads(self) -> list[Upload]:
        """Return the content of the upload bucket, oldest first."""
        response = boto3.client("s3").list_object_versions(
            Bucket=self.cloudformation.outputs["UploadBucketName"]
        )
        versions = sorted(response.get("Versions", []), key=lambda version: version["LastModified"])
        return [
            Upload(
                bucket=response["Name"],
                key=version["Key"],
                version_id=version["VersionId"] if version["VersionId"] != "null" else None,
                etag=version["ETag"].strip('"'),
                size=version["Size"],
                sequencer="",
            )
            for version in versions
        ]

    def stored(self, job: Job) -> Job:
        """Return the job as the ledger has it now."""
        found = self.account.job(job.upload)
        assert found
        return found

    @property
    def effects(self) -> tuple[list[str], list[dict[str, Any]], list[str]]:
        """Executions, events and messages to the upload queue: everything that a command can cause."""
        return self.account.executions(), self.account.events(), messages_in(self.account.upload_queue)


NO_EFFECTS: tuple[list[str], list[dict[str, Any]], list[str]] = ([], [], [])


def numberdrop(*arguments: str, answer: str | None = None) -> Result:
    """Run the command. Any exception other than an exit fails the test."""
    return CliRunner().invoke(main, arguments, input=answer, catch_exceptions=False)


def json_output(result: Result) -> Any:
    """Return the JSON that a successful command printed."""
    assert result.exit_code == 0
    return json.loads(result.stdout)


def store_results(account: Account, prefix: str, files: dict[str, bytes]) -> StoredResults:
    """Put files into the results bucket."""
    for name, content in files.items():
        boto3.client("s3").put_object(Bucket=account.results_bucket, Key=f"{prefix}{name}", Body=content)
    return StoredResults(
        account.results_bucket,
        f"{prefix}export.zip",
        f"{prefix}results.csv",
        f"{prefix}manifest.json",
        f"{prefix}report.html",
    )


def completed_job(run: CommandLine, key: str = "band/leads.txt", **more: bytes) -> Job:
    """Make a completed job with results. ``rejected_csv=b""`` adds a file ``rejected.csv``."""
    files = RESULTS | {name.replace("_", "."): content for name, content in more.items()}
    return run.put(State.COMPLETED, key, results=store_results(run.account, f"{key}/0123/", files))


def job_becomes(run: CommandLine, state: State, **changes: Any) -> Callable[[], None]:
    """Return a call that puts the job of the only uploaded file into a state."""

    def change() -> None:
        (upload,) = run.uploads()
        if state is State.COMPLETED:
            changes["results"] = store_results(run.account, "band/leads.txt/0123/", RESULTS)
        run.account.put(a_job(state, upload=upload, **changes))

    return change


def nothing_happens() -> None:
    pass


def interrupt() -> None:
    raise KeyboardInterrupt


def saved_files(folder: Path) -> set[str]:
    """Return the paths of the files in a folder, except the file that was sent."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return files - {"leads.txt"}


def messages_in(queue: str) -> list[str]:
    """Receive at most ten messages from a queue, and return their bodies."""
    response = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [message["Body"] for message in response.get("Messages", [])]


@contextmanager
def recorded_requests(service: str) -> Iterator[list[str]]:
    """Yield a list that gets the name of each request to a service, or to one operation of it."""
    assert boto3.DEFAULT_SESSION
    names: list[str] = []

    def record(model: Any, **_: Any) -> None:
        names.append(model.name)

    events = boto3.DEFAULT_SESSION.events
    events.register(f"before-call.{service}", record)
    yield names
    events.unregister(f"before-call.{service}", record)
