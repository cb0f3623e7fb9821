"""What tests of the local cloud share: buckets as a user sees them, and the events received so far."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.cloud import LocalCloud
from local.event_tap import EventTap
from local.processes import PROJECT, environment
from numberdrop.aws.circuit_breaker import BREAKER_KEY

MEMORY_STACK = "numberdrop-memory"
"""The stack that remembers verdicts. The usual one does not: its tests send the same numbers again."""

BANK_STACK = "numberdrop-bank"
"""The stack with every optional resource."""

TIMEOUT_SECONDS = 60
"""How long a test waits for something that must happen."""

_BREAKER: Any = {"job_id": {"S": BREAKER_KEY}}


@dataclass(frozen=True)
class Bucket:
    """A bucket, used as a user would."""

    cloud: LocalCloud
    name: str

    def drop(self, key: str, content: str) -> None:
        self.cloud.aws.client("s3").put_object(Bucket=self.name, Key=key, Body=content.encode())

    def read(self, key: str) -> bytes:
        content: bytes = self.cloud.aws.client("s3").get_object(Bucket=self.name, Key=key)["Body"].read()
        return content


@dataclass
class Inbox:
    """The events received so far."""

    tap: EventTap
    received: list[Mapping[str, Any]] = field(default_factory=list)

    def about(self, key: str) -> list[Mapping[str, Any]]:
        """Return the received events about an upload key."""
        return [event for event in self.received if event["detail"]["upload"]["key"] == key]

    def wait_for(
        self, key: str, *, count: int = 1, seconds: int = TIMEOUT_SECONDS
    ) -> list[Mapping[str, Any]]:
        """Return the events about an upload key as soon as ``count`` have been received."""
        end = time.monotonic() + seconds
        while len(self.about(key)) < count:
            assert time.monotonic() < end, f"no event about {key} arrived: {self.received}"
            self.received += self.tap.receive()
        return self.about(key)


def announce_again(cloud: LocalCloud, uploads: Bucket, key: str) -> None:
    """Send the event of an upload again, as EventBridge may do."""
    head = cloud.aws.client("s3").head_object(Bucket=uploads.name, Key=key)
    message = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": uploads.name},
            "object": {
                "key": key,
                "version-id": head["VersionId"],
                "etag": head["ETag"].strip('"'),
                "size": head["ContentLength"],
            },
        },
    }
    cloud.aws.client("sqs").send_message(
        QueueUrl=cloud.outputs["UploadQueueUrl"], MessageBody=json.dumps(message)
    )


def emit(cloud: LocalCloud, event: Mapping[str, Any]) -> None:
    """Put an event on the bus of the stack."""
    entry = {
        "EventBusName": cloud.outputs["EventBusName"],
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
    }
    assert cloud.aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def end_pause(cloud: LocalCloud) -> None:
    """Make the next probe of the open circuit breaker due."""
    cloud.aws.client("dynamodb").update_item(
        TableName=cloud.outputs["JobsTableName"],
        Key=_BREAKER,
        UpdateExpression="SET due_at = :past",
        ConditionExpression="attribute_exists(job_id)",
        ExpressionAttributeValues={":past": {"S": "2000-01-01T00:00:00.000Z"}},
    )


def close_breaker(cloud: LocalCloud, table: str) -> None:
    """Close the circuit breaker of a stack, so that no test waits for a doubt of the one before."""
    cloud.aws.client("dynamodb").delete_item(TableName=table, Key=_BREAKER)


def command_settings(cloud: LocalCloud) -> dict[str, str]:
    """Return the environment in which the command `numberdrop` finds the local cloud."""
    packages = os.pathsep.join([str(PROJECT / "layers" / "shared"), str(PROJECT)])
    return environment({**cloud.aws.shell_settings, "PYTHONPATH": packages})


def run_command(cloud: LocalCloud, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command `numberdrop` on the local cloud, and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "numberdrop_cli", *arguments],
        env=command_settings(cloud),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
