"""The AWS calls of a job, counted on the local cloud; ``docs/cost.md`` uses these figures."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from benchmarks.cost import (
    CALLS_OF_A_JOB,
    CALLS_OF_A_TURN,
    TRANSITIONS_OF_A_JOB,
    TRANSITIONS_OF_A_TURN,
)
from local.cloud import LocalCloud
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, Inbox

NOT_PER_JOB = {
    # Once per process.
    "secretsmanager:GetSecretValue",
    # Only if an event lacks the version id, like MiniStack's events.
    "s3:HeadObject",
}


def history(cloud: LocalCloud, job_id: str) -> list[Mapping[str, Any]]:
    """Wait for the end of a job's execution; return its history."""
    client = cloud.aws.client("stepfunctions")
    arn = cloud.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + f":{job_id}-1"
    end = time.monotonic() + TIMEOUT_SECONDS
    while client.describe_execution(executionArn=arn)["status"] == "RUNNING":
        assert time.monotonic() < end, "the execution did not end"
        time.sleep(0.2)
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def calls_since(cloud: LocalCloud, begin: float) -> Counter[str]:
    """Count the calls of the pipeline's functions; a role that sends queries is that of reconcile."""
    pages = cloud.aws.client("cloudtrail").get_paginator("lookup_events").paginate()
    events = [event for page in pages for event in page["Events"] if event["EventTime"].timestamp() >= begin]
    roles = {event["AccessKeyId"] for event in events if event["AccessKeyId"].startswith("ASIA")}
    roles -= {event["AccessKeyId"] for event in events if event["EventName"] == "Query"}
    return Counter(
        f"{event['EventSource'].partition('.')[0]}:{event['EventName']}"
        for event in events
        if event["AccessKeyId"] in roles
    )


def test_a_job_makes_the_calls_on_the_cost_page(cloud: LocalCloud, inbox: Inbox, uploads: Bucket) -> None:
    key, begin = "band/cost/numbers.txt", time.time()
    uploads.drop(key, "".join(f"+447700900{n}\n" for n in range(100, 200)))
    (event,) = inbox.wait_for(key)

    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in history(cloud, event["detail"]["job_id"])
        if "stateEnteredEventDetails" in event
    ]
    turns = entered.count("Check the task")
    calls = calls_since(cloud, begin)

    assert len(entered) == TRANSITIONS_OF_A_JOB + turns * TRANSITIONS_OF_A_TURN
    assert {name: count for name, count in calls.items() if name not in NOT_PER_JOB} == {
        name: count + turns * CALLS_OF_A_TURN.get(name, 0) for name, count in CALLS_OF_A_JOB.items()
    }
