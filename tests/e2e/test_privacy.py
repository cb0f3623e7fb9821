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


def memory(cloud: LocalCloud, bucket: str) -> Iterator[str]:
    """Yield the keys and the bytes of what is remembered, as characters of one byte each."""
    s3 = cloud.aws.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            content = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
            yield item["Key"] + content.decode("latin-1")


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


@pytest.fixture(scope="module")
def remembered(cloud: LocalCloud, inbox: Inbox, memory_stack: dict[str, str]) -> dict[str, list[str]]:
    """Send overlapping lists on the stack with the memory; return what it and its ledger hold."""
    uploads = Bucket(cloud, memory_stack["UploadBucketName"])
    numbers = [f"+4477009007{number:02}" for number in range(40, 60)]
    for key, some in (("band/privacy/one.txt", numbers[:15]), ("band/privacy/two.txt", numbers)):
        uploads.drop(key, "\n".join(some))
        inbox.wait_for(key)
    items = cloud.aws.client("dynamodb").scan(TableName=memory_stack["JobsTableName"])["Items"]
    return {
        "memory": list(memory(cloud, memory_stack["MemoryBucketName"])),
        "ledger": [as_text(item) for item in items],
        "logs": list(logs(cloud)),
    }


@pytest.mark.parametrize("place", ["logs", "histories", "events", "ledger"])
def test_every_place_contains_the_job(texts: dict[str, list[str]], inbox: Inbox, place: str) -> None:
    (event,) = inbox.about("band/privacy/good-and-bad.txt")

    assert any(event["detail"]["job_id"] in text for text in texts[place])


@pytest.mark.parametrize("secret", SECRETS)
def test_no_place_contains_a_secret(texts: dict[str, list[str]], secret: str) -> None:
    found = [text for text in chain.from_iterable(texts.values()) if SECRETS[secret].search(text)]

    assert not found


@pytest.mark.parametrize("place", ["memory", "ledger", "logs"])
def test_every_place_contains_the_remembered_job(
    remembered: dict[str, list[str]], inbox: Inbox, place: str
) -> None:
    (event,) = inbox.about("band/privacy/two.txt")

    assert event["detail"]["counts"]["remembered"] > 0
    assert any(event["detail"]["job_id"] in text for text in remembered[place])


@pytest.mark.parametrize("secret", SECRETS)
def test_the_memory_contains_no_secret(remembered: dict[str, list[str]], secret: str) -> None:
    found = [text for text in chain.from_iterable(remembered.values()) if SECRETS[secret].search(text)]

    assert not found


def test_the_key_of_the_memory_is_in_its_secret_alone(
    cloud: LocalCloud, remembered: dict[str, list[str]], memory_stack: dict[str, str]
) -> None:
    secret = cloud.aws.client("secretsmanager").get_secret_value(SecretId=memory_stack["MemoryKeySecretArn"])

    assert not [text for text in chain.from_iterable(remembered.values()) if secret["SecretString"] in text]
