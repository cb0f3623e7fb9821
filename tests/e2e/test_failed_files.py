"""Each function that ends a job may write `failed.json`, and collect may remove it: IAM is enforced here."""

import json
import time
from collections.abc import Mapping
from typing import Any

from local.cloud import LocalCloud
from local.simulator import RemoteSimulator
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, Inbox, run_command

NUMBERS = "".join(f"+447700900{n}\n" for n in range(700, 720))


def names_beside(results: Bucket, event: Mapping[str, Any]) -> set[str]:
    """Return the names of the files in the folder of a job's results."""
    detail = event["detail"]
    folder = f"{detail['upload']['key']}/{detail['job_id'][:12]}/"
    listed = results.cloud.aws.client("s3").list_objects_v2(Bucket=results.name, Prefix=folder)
    return {item["Key"].removeprefix(folder) for item in listed.get("Contents", [])}


def facts_beside(results: Bucket, event: Mapping[str, Any]) -> dict[str, Any]:
    detail = event["detail"]
    key = f"{detail['upload']['key']}/{detail['job_id'][:12]}/failed.json"
    facts: dict[str, Any] = json.loads(results.read(key))
    return facts


def test_submit_says_why_a_file_was_refused(inbox: Inbox, uploads: Bucket, results: Bucket) -> None:
    uploads.drop("band/notes/blank.txt", "\n")
    (event,) = inbox.wait_for("band/notes/blank.txt")
    assert names_beside(results, event) == {"failed.json", "failed.txt"}
    assert facts_beside(results, event)["reason"]["code"] == "EMPTY_FILE"


def test_a_failed_task_leaves_files_until_it_is_collected(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket, results: Bucket
) -> None:
    key = "band/notes/fails.txt"
    vendor.inject_fault("status", "failed", None)
    uploads.drop(key, NUMBERS)
    (event,) = inbox.wait_for(key)
    assert names_beside(results, event) == {"failed.json", "failed.txt"}
    assert facts_beside(results, event)["charged"] is True

    vendor.clear_faults()
    done = run_command(cloud, "collect-again", event["detail"]["job_id"], "--yes")
    assert done.returncode == 0, done.stderr
    *_, completed = inbox.wait_for(key, count=2)

    assert completed["detail-type"] == "Number Check Completed"
    names = names_beside(results, completed)
    assert {"results.csv", "results.xlsx"} <= names
    assert not {"failed.json", "failed.txt"} & names


def test_reconcile_says_why_a_stopped_job_failed(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket, results: Bucket
) -> None:
    key = "band/notes/stopped.txt"
    vendor.inject_fault("status", "completed_without_file", None)
    client = cloud.aws.client("stepfunctions")
    uploads.drop(key, NUMBERS)
    end = time.monotonic() + TIMEOUT_SECONDS
    machine = cloud.outputs["StateMachineArn"]
    while not (running := client.list_executions(stateMachineArn=machine, statusFilter="RUNNING"))[
        "executions"
    ]:
        assert time.monotonic() < end, "no execution started"
    client.stop_execution(executionArn=running["executions"][0]["executionArn"])
    (event,) = inbox.wait_for(key)
    assert facts_beside(results, event)["reason"]["code"] == "ABORTED"
