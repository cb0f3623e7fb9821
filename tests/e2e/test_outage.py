"""An outage of the vendor on the local cloud. ``make outage`` drills one with hundreds of uploads."""

import time

import pytest

from local.cloud import LocalCloud
from local.simulator import RemoteSimulator
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, Inbox, announce_again, end_pause

NUMBERS = "".join(f"+447700900{n}\n" for n in range(600, 620))
CONCURRENCY = 5
"""The default of ``SubmitConcurrency``."""


def states(cloud: LocalCloud, keys: list[str]) -> dict[str, str]:
    """Return the states of the jobs of these keys; an upload that waits untouched has none."""
    pages = (
        cloud.aws.client("dynamodb").get_paginator("scan").paginate(TableName=cloud.outputs["JobsTableName"])
    )
    items = [item for page in pages for item in page["Items"] if "upload" in item]
    by_key = {item["upload"]["M"]["key"]["S"]: item["state"]["S"] for item in items}
    return {key: by_key[key] for key in keys if key in by_key}


@pytest.mark.timeout(300)
def test_an_outage_costs_no_more_doubts_than_files_in_flight(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    keys = [f"band/outage/{number}.txt" for number in range(12)]
    for operation in ("submit", "balance"):
        vendor.inject_fault(operation, "http_error", None, status=503, html=True)
    for key in keys:
        uploads.drop(key, NUMBERS)

    sqs, queue = cloud.aws.client("sqs"), cloud.outputs["UploadQueueUrl"]
    end = time.monotonic() + TIMEOUT_SECONDS
    while True:
        in_doubt = list(states(cloud, keys).values()).count("in_doubt")
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        delayed = int(attributes["ApproximateNumberOfMessagesDelayed"])
        if in_doubt and in_doubt + delayed >= len(keys):
            break
        assert time.monotonic() < end, (in_doubt, attributes)
        time.sleep(0.5)
    assert 1 <= in_doubt <= CONCURRENCY

    vendor.clear_faults()
    end_pause(cloud)
    probe = "band/outage/probe.txt"
    uploads.drop(probe, NUMBERS)
    inbox.wait_for(probe)
    assert states(cloud, [probe]) == {probe: "completed"}
    found = states(cloud, keys)
    waiting = [key for key in keys if found.get(key) != "in_doubt"]
    for key in waiting:  # Their messages are delayed by up to three minutes.
        announce_again(cloud, uploads, key)
    for key in waiting:
        inbox.wait_for(key)
    assert list(states(cloud, keys).values()).count("in_doubt") == in_doubt
