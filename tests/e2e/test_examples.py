"""The example consumer, deployed beside numberdrop as its README says."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from local.cloud import LocalCloud
from local.processes import PROJECT
from local.sam import deploy
from tests.e2e.conftest import PATIENCE_SECONDS, Bucket, Inbox

STACK = "numberdrop-consumer"


@pytest.fixture(scope="module")
def consumer(cloud: LocalCloud) -> Mapping[str, str]:
    return deploy(
        cloud.aws,
        PROJECT / "examples" / "consumer" / "template.yaml",
        stack=STACK,
        parameters={name: cloud.outputs[name] for name in ("EventBusName", "ResultsBucketName")},
        folder=cloud.folder,
    )


def wait_for_line(cloud: LocalCloud, function: str, job_id: str) -> Mapping[str, Any]:
    """What a function said about a job."""
    logs = cloud.aws.client("logs")
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        # The log group is made with the first line.
        with suppress(logs.exceptions.ResourceNotFoundException):
            for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]:
                if event["message"].startswith("{") and json.loads(event["message"]).get("job_id") == job_id:
                    line: Mapping[str, Any] = json.loads(event["message"])
                    return line
        time.sleep(0.5)
    raise AssertionError("the function said nothing about the job")


def test_the_example_function_reads_the_results_and_the_example_queue_keeps_the_event(
    cloud: LocalCloud, consumer: Mapping[str, str], inbox: Inbox, uploads: Bucket
) -> None:
    key = "band/examples/consumed.txt"
    uploads.drop(key, "".join(f"+447700900{n}\n" for n in range(600, 610)))
    (event,) = inbox.wait_for(key)

    line = wait_for_line(cloud, consumer["OnCompletedFunctionName"], event["detail"]["job_id"])
    received = cloud.aws.client("sqs").receive_message(
        QueueUrl=consumer["EventsQueueUrl"], WaitTimeSeconds=10
    )

    assert line["verdicts"] == event["detail"]["counts"]["verdicts"]
    assert [json.loads(message["Body"])["detail"] for message in received["Messages"]] == [event["detail"]]
