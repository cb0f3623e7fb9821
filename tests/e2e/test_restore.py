"""The drill of the runbook: the ledger's table is restored to a point in time, and nothing is paid twice."""

import json
import time
from typing import Any

from local.cloud import STACK, LocalCloud
from local.simulator import RemoteSimulator
from tests.support.cloud import Bucket, Inbox, announce_again, run_command

FILE = "+447700900700\n+447700900701\n"


def numberdrop(cloud: LocalCloud, *arguments: str) -> str:
    done = run_command(cloud, *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def items(cloud: LocalCloud, table: str) -> list[dict[str, Any]]:
    pages = cloud.aws.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def restore_to(cloud: LocalCloud, snapshot: list[dict[str, Any]]) -> str:
    """Make the table that point-in-time recovery would make."""
    dynamodb = cloud.aws.client("dynamodb")
    dynamodb.create_table(
        TableName="restored",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
    )
    for item in snapshot:
        dynamodb.put_item(TableName="restored", Item=item)
    return "restored"


def reconcile(cloud: LocalCloud) -> None:
    """Run the function that sends the events of a person's decisions."""
    function = cloud.aws.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="ReconcileFunction"
    )["StackResourceDetail"]["PhysicalResourceId"]
    payload = json.dumps({"detail-type": "Scheduled Event"})
    cloud.aws.client("lambda").invoke(FunctionName=function, Payload=payload)


def test_a_restored_table_pays_for_nothing_twice(
    cloud: LocalCloud, inbox: Inbox, uploads: Bucket, vendor: RemoteSimulator
) -> None:
    dynamodb, table = cloud.aws.client("dynamodb"), cloud.outputs["JobsTableName"]
    before, after = "band/restore/before.txt", "band/restore/after.txt"
    uploads.drop(before, FILE)
    inbox.wait_for(before)
    snapshot = items(cloud, table)
    uploads.drop(after, FILE)
    (event,) = inbox.wait_for(after)
    job, task = event["detail"]["job_id"], event["detail"]["task_id"]
    charges = len(vendor.charges)

    for item in items(cloud, table):
        dynamodb.delete_item(TableName=table, Key={"job_id": item["job_id"]})
    printed = numberdrop(cloud, "after-restore", "--from", restore_to(cloud, snapshot), "--yes")
    assert job[:12] in printed
    known = {item["job_id"]["S"]: item.get("state", {}).get("S") for item in items(cloud, table)}
    assert known[job] == "in_doubt"
    assert set(known) >= {item["job_id"]["S"] for item in snapshot if "state" in item}
    reconcile(cloud)
    inbox.wait_for(after, count=2)

    announce_again(cloud, uploads, after)
    announce_again(cloud, uploads, before)
    time.sleep(5)
    assert len(vendor.charges) == charges

    numberdrop(cloud, "resolve", job, "--charged", "--task-id", task, "--yes")
    completed = [event["detail-type"] == "Number Check Completed" for event in inbox.wait_for(after, count=3)]
    assert completed == [True, False, True]
    assert len(vendor.charges) == charges
