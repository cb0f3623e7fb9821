"""From the file in the bucket to the event and the results, on the local cloud."""

import csv
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from local.cloud import STACK, LocalCloud
from local.observation import functions
from local.processes import PROJECT
from local.simulator import RemoteSimulator
from numberdrop.aws.buckets import UploadBucket
from numberdrop.steps.gatekeeper import HALF_OPEN_WAIT
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, Inbox, announce_again, end_pause

NUMBERS = "".join(f"+447700900{n:03d}\n" for n in range(200, 220))


def job_of(cloud: LocalCloud, event: Mapping[str, Any]) -> Mapping[str, Any]:
    item: Mapping[str, Any] = cloud.aws.client("dynamodb").get_item(
        TableName=cloud.outputs["JobsTableName"], Key={"job_id": {"S": event["detail"]["job_id"]}}
    )["Item"]
    return item


def execution_of(cloud: LocalCloud, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Wait for the end of a job's execution, a moment after the event; return the execution."""
    machine = cloud.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
    arn = f"{machine}:{event['detail']['job_id']}-1"
    end = time.monotonic() + TIMEOUT_SECONDS
    while True:
        execution: Mapping[str, Any] = cloud.aws.client("stepfunctions").describe_execution(executionArn=arn)
        if execution["status"] != "RUNNING":
            return execution
        assert time.monotonic() < end, "the execution did not end"
        time.sleep(0.1)


def wait_for_delayed_message(cloud: LocalCloud) -> None:
    """Wait until the upload queue has a delayed message."""
    name = "ApproximateNumberOfMessagesDelayed"
    end = time.monotonic() + TIMEOUT_SECONDS
    while True:
        attributes = cloud.aws.client("sqs").get_queue_attributes(
            QueueUrl=cloud.outputs["UploadQueueUrl"], AttributeNames=[name]
        )["Attributes"]
        if attributes[name] != "0":
            return
        assert time.monotonic() < end, "no message was delayed"
        time.sleep(0.1)


def expire_lease(cloud: LocalCloud, event: Mapping[str, Any]) -> None:
    """Expire the lease of a blocked job, so that it can be retried at once."""
    cloud.aws.client("dynamodb").update_item(
        TableName=cloud.outputs["JobsTableName"],
        Key={"job_id": {"S": event["detail"]["job_id"]}},
        UpdateExpression="SET lease_until = :past",
        ExpressionAttributeValues={":past": {"S": "2000-01-01T00:00:00.000Z"}},
    )


def invoke(cloud: LocalCloud, function: str) -> None:
    """Invoke a function as its schedule does."""
    resources = cloud.aws.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId=function
    )
    answer = cloud.aws.client("lambda").invoke(
        FunctionName=resources["StackResourceDetail"]["PhysicalResourceId"],
        Payload=json.dumps({"detail-type": "Scheduled Event"}),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_a_band_file_returns_its_export_and_a_row_per_number(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket, results: Bucket
) -> None:
    charged_before = len(vendor.charges)

    uploads.drop("band/e2e/numbers.txt", NUMBERS)
    (event,) = inbox.wait_for("band/e2e/numbers.txt")

    detail = event["detail"]
    assert event["detail-type"] == "Number Check Completed"
    assert detail["charged"] is True
    assert detail["counts"]["submitted"] == 20
    assert detail["counts"]["unresolved"] == 0
    assert len(vendor.charges) == charged_before + 1
    assert detail["task_id"] == vendor.charges[-1].task_id

    export = results.read(detail["results"]["export_key"])
    assert detail["results"]["export_key"].endswith("/export.zip")
    with zipfile.ZipFile(io.BytesIO(export)) as archive:
        assert f"{detail['task_id']}/all.csv" in archive.namelist()

    rows = list(csv.DictReader(io.StringIO(results.read(detail["results"]["csv_key"]).decode())))
    assert [row["number"] for row in rows] == NUMBERS.split()
    assert {row["status"] for row in rows} == {"resolved"}
    assert [row["verdict"] for row in rows] == [row["band"] for row in rows]
    assert {row["verdict"] for row in rows} <= {"yes", "no"}

    manifest = json.loads(results.read(detail["results"]["manifest_key"]))
    assert manifest["job_id"] == detail["job_id"]
    assert manifest["files"]["export.zip"]["size"] == len(export)

    assert job_of(cloud, event)["state"]["S"] == "completed"
    assert execution_of(cloud, event)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("checker", "export", "column"),
    [("phoneCheck", "export.zip", "phonecheck"), ("wa-deep", "export.xlsx", "whatsapp")],
)
def test_other_documented_checkers_return_their_own_format(
    checker: str, export: str, column: str, inbox: Inbox, uploads: Bucket, results: Bucket
) -> None:
    sample = (PROJECT / "local" / "samples" / f"{checker}.txt").read_text(encoding="utf-8")
    key = f"{checker}/e2e/sample.txt"

    uploads.drop(key, sample)
    (event,) = inbox.wait_for(key)

    detail = event["detail"]
    assert event["detail-type"] == "Number Check Completed"
    assert detail["results"]["export_key"].rpartition("/")[2] == export
    rows = list(csv.DictReader(io.StringIO(results.read(detail["results"]["csv_key"]).decode())))
    assert len(rows) == detail["counts"]["lines"]
    assert column in rows[0]


def test_rejected_lines_are_listed_beside_the_results(inbox: Inbox, uploads: Bucket, results: Bucket) -> None:
    key = "band/e2e/with a bad line.txt"

    uploads.drop(key, NUMBERS + "not a number\n")
    (event,) = inbox.wait_for(key)

    prefix = event["detail"]["results"]["csv_key"].removesuffix("results.csv")
    rejected = list(csv.DictReader(io.StringIO(results.read(f"{prefix}rejected.csv").decode())))
    assert [(row["line"], row["text"]) for row in rejected] == [("21", "not a number")]


def test_any_other_task_type_is_passed_on(inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket) -> None:
    key = "task_type=some_new_check/e2e/numbers.txt"

    uploads.drop(key, NUMBERS)
    (event,) = inbox.wait_for(key)

    assert event["detail-type"] == "Number Check Completed"
    assert event["detail"]["task_type"] == "some_new_check"
    assert vendor.charges[-1].checker == "some_new_check"


def charges_for(vendor: RemoteSimulator, *files: str) -> list[int]:
    """Return how often each file was charged. Uploads of other tests' stacks may be charged meanwhile."""
    charged = [charge.sha256 for charge in vendor.charges]
    return [charged.count(hashlib.sha256(file.encode()).hexdigest()) for file in files]


def test_the_same_event_twice_is_one_job_and_one_charge(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    key, other = "band/e2e/twice.txt", "band/e2e/after twice.txt"
    once, after = NUMBERS + "+447700900297\n", NUMBERS + "+447700900298\n"
    uploads.drop(key, once)
    inbox.wait_for(key)

    for _ in range(2):
        announce_again(cloud, uploads, key)
    uploads.drop(other, after)
    inbox.wait_for(other)

    assert charges_for(vendor, once, after) == [1, 1]
    assert len(inbox.about(key)) == 1


def test_each_version_of_a_key_has_its_own_results(
    inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket, results: Bucket
) -> None:
    key = "band/e2e/overwritten.txt"
    old, new = NUMBERS + "+447700900296\n", NUMBERS + "+447700900296\n+447700900299\n"

    uploads.drop(key, old)
    inbox.wait_for(key)
    uploads.drop(key, new)
    first, second = inbox.wait_for(key, count=2)

    assert first["detail"]["job_id"] != second["detail"]["job_id"]
    assert first["detail"]["upload"]["version_id"] != second["detail"]["upload"]["version_id"]
    assert [event["detail"]["counts"]["submitted"] for event in (first, second)] == [21, 22]
    assert charges_for(vendor, old, new) == [1, 1]
    assert results.read(first["detail"]["results"]["csv_key"]).count(b"\n") == 22
    assert results.read(second["detail"]["results"]["csv_key"]).count(b"\n") == 23


@pytest.mark.parametrize(
    ("key", "content", "code"),
    [
        ("no-such-checker/e2e/a.txt", NUMBERS, "UNKNOWN_CHECKER"),
        ("no-folder.txt", NUMBERS, "UNKNOWN_CHECKER"),
        ("band/e2e/blank.txt", "\n \n", "EMPTY_FILE"),
        ("band/e2e/zip.txt", "PK\x03\x04 and so on", "NOT_TEXT"),
        ("band/e2e/words.txt", "one\ntwo\n", "NO_VALID_NUMBERS"),
    ],
)
def test_an_invalid_upload_fails_without_a_charge(
    key: str, content: str, code: str, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    charged_before = len(vendor.charges)

    uploads.drop(key, content)
    (event,) = inbox.wait_for(key)

    assert event["detail-type"] == "Number Check Failed"
    assert event["detail"]["reason"]["code"] == code
    assert event["detail"]["charged"] is False
    assert len(vendor.charges) == charged_before


def test_a_failed_task_fails_its_execution_and_job(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    key = "band/e2e/fails.txt"
    vendor.inject_fault("status", "failed", None)

    uploads.drop(key, NUMBERS)
    (event,) = inbox.wait_for(key)

    assert event["detail-type"] == "Number Check Failed"
    assert event["detail"]["reason"]["code"] == "TASK_FAILED"
    assert event["detail"]["charged"] is True
    execution = execution_of(cloud, event)
    assert execution["status"] == "FAILED"
    assert execution["error"] == "TASK_FAILED"
    assert execution["cause"]


def test_a_lost_answer_needs_attention_and_is_not_sent_again(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    charged_before = len(vendor.charges)
    key = "band/e2e/lost answer.txt"
    vendor.inject_fault("submit", "reset_after_work")

    uploads.drop(key, NUMBERS)
    (event,) = inbox.wait_for(key)

    assert event["detail-type"] == "Number Check Needs Attention"
    assert event["detail"]["reason"]["code"] == "SUBMISSION_IN_DOUBT"
    assert event["detail"]["charged"] is None
    assert len(vendor.charges) == charged_before + 1
    assert job_of(cloud, event)["state"]["S"] == "in_doubt"


@pytest.mark.timeout(300)
def test_an_empty_account_opens_the_breaker_until_topped_up(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    charged_before = len(vendor.charges)
    blocked, delayed = "band/e2e/no money.txt", "band/e2e/behind the breaker.txt"
    vendor.inject_fault("submit", "http_error", status=402)

    uploads.drop(blocked, NUMBERS)
    (attention,) = inbox.wait_for(blocked)
    posts_before = vendor.calls["submit"]
    uploads.drop(delayed, NUMBERS)
    wait_for_delayed_message(cloud)

    assert attention["detail-type"] == "Number Check Needs Attention"
    assert attention["detail"]["reason"]["code"] == "INSUFFICIENT_BALANCE"
    assert attention["detail"]["charged"] is False
    assert job_of(cloud, attention)["state"]["S"] == "blocked"
    assert vendor.calls["submit"] == posts_before
    assert len(vendor.charges) == charged_before

    end_pause(cloud)
    announce_again(cloud, uploads, delayed)
    (also_completed,) = inbox.wait_for(delayed, seconds=HALF_OPEN_WAIT + TIMEOUT_SECONDS)
    # Only now: a blocked job that asks while another upload has the turn is blocked again for minutes.
    expire_lease(cloud, attention)
    invoke(cloud, "ReconcileFunction")
    (_, completed) = inbox.wait_for(blocked, count=2)

    assert completed["detail-type"] == also_completed["detail-type"] == "Number Check Completed"
    assert len(vendor.charges) == charged_before + 2


def test_a_busy_vendor_is_retried(inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket) -> None:
    charged_before = len(vendor.charges)
    key = "band/e2e/busy vendor.txt"
    vendor.inject_fault("submit", "http_error", status=429, retry_after="1")

    uploads.drop(key, NUMBERS)
    (event,) = inbox.wait_for(key)

    assert event["detail-type"] == "Number Check Completed"
    assert len(vendor.charges) == charged_before + 1


def test_an_export_from_a_forbidden_host_is_not_downloaded(
    inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    key = "band/e2e/untrusted.txt"
    vendor.inject_fault("status", "wrong_link", None, url="https://elsewhere.example/export.zip")

    uploads.drop(key, NUMBERS)
    (event,) = inbox.wait_for(key)

    assert event["detail"]["reason"]["code"] == "RESULT_UNTRUSTED"
    assert event["detail"]["charged"] is True


def test_an_upload_deleted_before_it_is_read_fails(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    charged_before = len(vendor.charges)
    key = "band/e2e/gone.txt"
    message = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": uploads.name},
            "object": {"key": key, "etag": "0" * 32, "size": 20, "sequencer": "01"},
        },
    }

    cloud.aws.client("sqs").send_message(
        QueueUrl=cloud.outputs["UploadQueueUrl"], MessageBody=json.dumps(message)
    )
    (event,) = inbox.wait_for(key)

    assert event["detail"]["reason"]["code"] == "UPLOAD_GONE"
    assert len(vendor.charges) == charged_before


def test_an_invalid_message_goes_to_the_dead_letter_queue(cloud: LocalCloud) -> None:
    sqs = cloud.aws.client("sqs")

    sqs.send_message(QueueUrl=cloud.outputs["UploadQueueUrl"], MessageBody="not an event")

    end = time.monotonic() + TIMEOUT_SECONDS
    bodies: list[str] = []
    while not bodies:
        assert time.monotonic() < end, "the message did not reach the dead-letter queue"
        answer = sqs.receive_message(QueueUrl=cloud.outputs["DeadLetterQueueUrl"], WaitTimeSeconds=1)
        bodies += [message["Body"] for message in answer.get("Messages", [])]
    assert bodies == ["not an event"]


def test_a_stopped_execution_is_settled_within_seconds(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket
) -> None:
    key = "band/e2e/stopped.txt"
    vendor.inject_fault("status", "completed_without_file", None)
    machine = cloud.outputs["StateMachineArn"]
    client = cloud.aws.client("stepfunctions")

    uploads.drop(key, NUMBERS)
    name = UploadBucket(cloud.aws.client("s3")).head(uploads.name, key).upload.job_id + "-1"
    end = time.monotonic() + TIMEOUT_SECONDS
    running: list[str] = []
    while not running:  # An upload of another test may be followed, too.
        assert time.monotonic() < end, "no execution started"
        listed = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        running = [execution["executionArn"] for execution in listed if execution["name"] == name]
    client.stop_execution(executionArn=running[0])
    (event,) = inbox.wait_for(key)

    assert event["detail-type"] == "Number Check Failed"
    assert event["detail"]["reason"]["code"] == "ABORTED"
    assert event["detail"]["charged"] is True
    assert name == f"{event['detail']['job_id']}-1"


def test_the_audit_has_the_permissions_it_needs(cloud: LocalCloud, uploads: Bucket) -> None:
    uploads.drop("band/e2e/audited.txt", NUMBERS)

    invoke(cloud, "AuditFunction")

    (audit,) = (function for function in functions(cloud) if function.label == "Audit")
    logged = cloud.aws.client("logs").filter_log_events(logGroupName=audit.log_group)["events"]
    assert any('"UnannouncedUploads":[0.0]' in event["message"] for event in logged)
