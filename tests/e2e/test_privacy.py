"""Logs, histories, events and the ledger contain no number, no key and no link.

This module runs last, so it also covers the jobs, faults and refusals of all other modules.
"""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from local.cloud import LocalCloud, vendor_parameters
from tests.support.cloud import Bucket, Inbox

SECRETS = {
    "a phone number": re.compile(r"447700900[0-9]{3}"),
    "the API key": re.compile(re.escape(vendor_parameters("")["EkycproApiKey"])),
    "a link to an export": re.compile(r"X-Amz-|/externalcheck/|result_url"),
}


def logs(cloud: LocalCloud) -> Iterator[str]:
    client = cloud.aws.client("logs")
    for groups in client.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            pages = client.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            yield from (event["message"] for page in pages for event in page["events"])


def histories(cloud: LocalCloud) -> Iterator[str]:
    client = cloud.aws.client("stepfunctions")
    machine = cloud.outputs["StateMachineArn"]
    for executions in client.get_paginator("list_executions").paginate(stateMachineArn=machine):
        for execution in executions["executions"]:
            pages = client.get_paginator("get_execution_history").paginate(
                executionArn=execution["executionArn"]
            )
            yield from (as_text(event) for page in pages for event in page["events"])


def ledger(cloud: LocalCloud) -> Iterator[str]:
    pages = (
        cloud.aws.client("dynamodb").get_paginator("scan").paginate(TableName=cloud.outputs["JobsTableName"])
    )
    yield from (as_text(item) for page in pages for item in page["Items"])


def as_text(value: Any) -> str:
    return json.dumps(value, default=str)


@pytest.fixture(scope="module")
def texts(cloud: LocalCloud, inbox: Inbox) -> dict[str, list[str]]:
    key = "band/privacy/good-and-bad.txt"
    Bucket(cloud, cloud.outputs["UploadBucketName"]).drop(
        key, "+447700900700\n+447700900701\n0447700900702\nnot a number\n"
    )
    inbox.wait_for(key)
    return {
        "logs": list(logs(cloud)),
        "histories": list(histories(cloud)),
        "events": [as_text(event) for event in inbox.received],
        "ledger": list(ledger(cloud)),
    }


@pytest.mark.parametrize("place", ["logs", "histories", "events", "ledger"])
def test_every_place_contains_the_job(texts: dict[str, list[str]], inbox: Inbox, place: str) -> None:
    (event,) = inbox.about("band/privacy/good-and-bad.txt")

    assert any(event["detail"]["job_id"] in text for text in texts[place])


@pytest.mark.parametrize("secret", SECRETS)
def test_no_place_contains_a_secret(texts: dict[str, list[str]], secret: str) -> None:
    found = [text for text in chain.from_iterable(texts.values()) if SECRETS[secret].search(text)]

    assert not found
