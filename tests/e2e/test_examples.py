"""The example consumer, deployed as its README says."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress

import pytest

from local.cloud import LocalCloud
from local.processes import PROJECT
from local.sam import deploy
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, Inbox, emit

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


NUMBERS = [f"+447700900{n}" for n in range(600, 610)]

LIST = [*NUMBERS, "not a number", *NUMBERS[:3]]

# Its columns have the names of those that results.csv adds after them.
TABLE = ["verdict,status,number", *(f"yes,resolved,{number}" for number in [*NUMBERS, "none", *NUMBERS[:3]])]


def messages(cloud: LocalCloud, function: str) -> list[str]:
    """Return the messages in a function's log so far."""
    logs = cloud.aws.client("logs")
    # The first line creates the log group.
    with suppress(logs.exceptions.ResourceNotFoundException):
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
        return [event["message"] for page in pages for event in page["events"]]
    return []


def invocations(log: list[str]) -> int:
    """Return the number of invocations that a log reports."""
    return sum(message.startswith("REPORT") for message in log)


def wait_for_invocations(cloud: LocalCloud, function: str, count: int) -> list[str]:
    """Wait for ``count`` invocations of a function; return its log."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while invocations(log := messages(cloud, function)) < count:
        assert time.monotonic() < end, f"the function was not invoked {count} times: {log}"
        time.sleep(0.5)
    return log


def test_the_example_counts_verdicts_and_keeps_every_event(
    cloud: LocalCloud, consumer: Mapping[str, str], inbox: Inbox, uploads: Bucket
) -> None:
    of_another_stack = json.loads((PROJECT / "events/samples/1/completed.json").read_text("utf-8"))
    emit(cloud, of_another_stack)
    contents = {"band/examples/list.txt": LIST, "band/examples/table.csv": TABLE}
    for key, lines in contents.items():
        uploads.drop(key, "".join(f"{line}\n" for line in lines))
    details = [inbox.wait_for(key)[0]["detail"] for key in contents]

    log = wait_for_invocations(cloud, consumer["OnCompletedFunctionName"], len(details))
    received = cloud.aws.client("sqs").receive_message(
        QueueUrl=consumer["EventsQueueUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=10
    )

    logged = [json.loads(line) for line in log if line.startswith("{")]
    assert {line["job_id"]: line["verdicts"] for line in logged} == {
        detail["job_id"]: detail["counts"]["verdicts"] for detail in details
    }
    assert invocations(log) == len(details)
    kept = {json.loads(message["Body"])["detail"]["job_id"] for message in received["Messages"]}
    assert kept == {detail["job_id"] for detail in (of_another_stack["detail"], *details)}
