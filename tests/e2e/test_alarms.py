"""Every alarm of the template, made to fire on a stack of its own, and told to the person on call."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.cloud import LocalCloud, vendor_parameters
from local.event_tap import allow_sending
from local.metrics_bridge import MetricsBridge
from local.processes import PROJECT
from local.sam import deploy
from local.simulator import RemoteSimulator
from numberdrop.jobs.job import timestamp
from numberdrop.jobs.transitions import State
from tests.support.cloud import TIMEOUT_SECONDS, Bucket

STACK = "numberdrop-alarms"
NUMBERS = "".join(f"+447700900{n}\n" for n in range(800, 820))


@dataclass(frozen=True)
class Watched:
    """The stack whose alarms are watched."""

    cloud: LocalCloud
    outputs: Mapping[str, str]
    uploads: Bucket
    bridge: MetricsBridge
    pager: str

    def resource(self, logical_id: str) -> str:
        found: str = self.cloud.aws.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical_id
        )["StackResourceDetail"]["PhysicalResourceId"]
        return found

    def put(self, namespace: str, metric: str, value: float) -> None:
        self.cloud.aws.client("cloudwatch").put_metric_data(
            Namespace=namespace, MetricData=[{"MetricName": metric, "Value": value}]
        )

    def reconcile(self) -> None:
        self.cloud.aws.client("lambda").invoke(
            FunctionName=self.resource("ReconcileFunction"),
            Payload=json.dumps({"detail-type": "Scheduled Event"}),
        )

    def make_older(self, job_id: str) -> None:
        """As if all but an hour of the job's 24 hours were over."""
        deadline = datetime.now(UTC) + timedelta(hours=1)
        began = deadline - timedelta(hours=24)
        self.cloud.aws.client("dynamodb").update_item(
            TableName=self.outputs["JobsTableName"],
            Key={"job_id": {"S": job_id}},
            UpdateExpression="SET deadline = :soon, created_at = :began",
            ExpressionAttributeValues={
                ":soon": {"S": timestamp(deadline)},
                ":began": {"S": timestamp(began)},
            },
        )

    def job_in(self, state: State, key: str) -> str:
        """The id of an upload's job, once it is in a state."""
        table = self.cloud.aws.client("dynamodb").get_paginator("scan")
        end = time.monotonic() + TIMEOUT_SECONDS
        while True:
            items = (
                item
                for page in table.paginate(TableName=self.outputs["JobsTableName"])
                for item in page["Items"]
                if "upload" in item
            )
            for item in items:
                if item["upload"]["M"]["key"]["S"] == key and item["state"]["S"] == state:
                    job_id: str = item["job_id"]["S"]
                    return job_id
            assert time.monotonic() < end, f"{key} does not become {state}"
            time.sleep(0.2)

    def wait_for_alarm(self, logical_id: str) -> None:
        name = self.resource(logical_id)
        cloudwatch = self.cloud.aws.client("cloudwatch")
        end = time.monotonic() + TIMEOUT_SECONDS
        while True:
            self.bridge.publish()
            (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
            if alarm["StateValue"] == "ALARM":
                return
            assert time.monotonic() < end, alarm
            time.sleep(0.5)

    def wait_for_page(self, **expected: str) -> Mapping[str, Any]:
        """What the person on call is told, once it has these members."""
        end = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < end:
            received = self.cloud.aws.client("sqs").receive_message(QueueUrl=self.pager, WaitTimeSeconds=1)
            for message in received.get("Messages", []):
                told: Mapping[str, Any] = json.loads(json.loads(message["Body"])["Message"])
                if expected.items() <= told.items():
                    return told
        raise AssertionError(f"nobody was told of {expected}")


@pytest.fixture(scope="module")
def watched(cloud: LocalCloud) -> Watched:
    parameters = {**vendor_parameters(cloud.simulator), "AlarmEmail": "oncall@example.com"}
    outputs = deploy(
        cloud.aws, PROJECT / "template.yaml", stack=STACK, parameters=parameters, folder=cloud.folder
    )
    sqs, sns = cloud.aws.client("sqs"), cloud.aws.client("sns")
    pager = sqs.create_queue(QueueName="pager")["QueueUrl"]
    queues = (outputs["UploadQueueUrl"], outputs["DeadLetterQueueUrl"])
    bucket = Bucket(cloud, outputs["UploadBucketName"])
    watched = Watched(cloud, outputs, bucket, MetricsBridge(cloud.aws, STACK, queues), pager)
    topic = watched.resource("AlarmTopic")
    arn = allow_sending(sqs, pager, service="sns.amazonaws.com", source=topic)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return watched


def lose_an_answer(watched: Watched, vendor: RemoteSimulator) -> None:
    vendor.inject_fault("submit", "reset_after_work")
    watched.uploads.drop("band/alarms/lost answer.txt", NUMBERS)


def refuse_the_key(watched: Watched, vendor: RemoteSimulator) -> None:
    key = "band/alarms/bad key.txt"
    vendor.inject_fault("submit", "http_error", None, status=401)
    watched.uploads.drop(key, NUMBERS)
    watched.job_in(State.BLOCKED, key)
    watched.reconcile()


def keep_a_claim_for_hours(watched: Watched, vendor: RemoteSimulator) -> None:
    key = "band/alarms/not taken.txt"
    vendor.inject_fault("submit", "http_error", None, status=429, retry_after="900")
    watched.uploads.drop(key, NUMBERS)
    watched.make_older(watched.job_in(State.CLAIMED, key))
    watched.reconcile()


def spoil_an_item(watched: Watched, _vendor: RemoteSimulator) -> None:
    """One that no reconcile can mend; it is taken away again as soon as one has tried."""
    table, key = watched.outputs["JobsTableName"], {"job_id": {"S": "0" * 64}}
    dynamodb = watched.cloud.aws.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**key, "unsettled": {"S": "0"}, "state": {"S": "spoilt"}})
    watched.reconcile()
    dynamodb.delete_item(TableName=table, Key=key)


def take_the_table_from_the_audit(watched: Watched, _vendor: RemoteSimulator) -> None:
    functions, name = watched.cloud.aws.client("lambda"), watched.resource("AuditFunction")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "JOBS_TABLE": "no-such-table"}}
    )
    functions.invoke(FunctionName=name, Payload=b"{}")


def fail_a_task(watched: Watched, vendor: RemoteSimulator) -> None:
    vendor.inject_fault("status", "failed", None)
    watched.uploads.drop("band/alarms/fails.txt", NUMBERS)


def send_what_is_no_upload(watched: Watched, _vendor: RemoteSimulator) -> None:
    watched.cloud.aws.client("sqs").send_message(
        QueueUrl=watched.outputs["UploadQueueUrl"], MessageBody="not an event"
    )


def keep_a_task_for_hours(watched: Watched, vendor: RemoteSimulator) -> None:
    key = "band/alarms/slow.txt"
    vendor.inject_fault("status", "completed_without_file", None)
    watched.uploads.drop(key, NUMBERS)
    watched.make_older(watched.job_in(State.SUBMITTED, key))
    watched.reconcile()


def let_a_message_grow_old(watched: Watched, _vendor: RemoteSimulator) -> None:
    """The metric as SQS would put it: an hour is too long for a test."""
    watched.put("AWS/SQS", "ApproximateAgeOfOldestMessage", 3601)


def find_an_unannounced_upload(watched: Watched, _vendor: RemoteSimulator) -> None:
    """The metric as the audit function puts it: it looks at uploads that are a day old."""
    watched.put("numberdrop", "UnannouncedUploads", 1)


CAUSES: Mapping[str, Callable[[Watched, RemoteSimulator], None]] = {
    "NotReconcilingAlarm": spoil_an_item,
    "FailureShareAlarm": fail_a_task,
    "InDoubtAlarm": lose_an_answer,
    "OldTasksAlarm": keep_a_task_for_hours,
    "OldClaimsAlarm": keep_a_claim_for_hours,
    "DeadLetterAlarm": send_what_is_no_upload,
    "BlockedAlarm": refuse_the_key,
    "OldMessagesAlarm": let_a_message_grow_old,
    "UnannouncedUploadsAlarm": find_an_unannounced_upload,
    "AuditFailsAlarm": take_the_table_from_the_audit,
}
"""In this order: the first must come before a reconcile that goes well, and the line stays stopped later."""


def test_a_job_that_was_paid_for_and_failed_is_told_to_the_person_on_call(
    watched: Watched, vendor: RemoteSimulator
) -> None:
    vendor.inject_fault("status", "failed", None)
    watched.uploads.drop("band/alarms/paid for.txt", NUMBERS)

    told = watched.wait_for_page(**{"detail-type": "Number Check Failed"})

    assert told["detail"]["charged"] is True


@pytest.mark.parametrize("alarm", CAUSES)
def test_an_alarm_fires_and_the_person_on_call_is_told_what_to_do(
    alarm: str, watched: Watched, vendor: RemoteSimulator
) -> None:
    CAUSES[alarm](watched, vendor)

    watched.wait_for_alarm(alarm)
    told = watched.wait_for_page(AlarmName=watched.resource(alarm))

    assert "Runbook: " in told["AlarmDescription"]


def test_these_are_all_alarms(watched: Watched) -> None:
    described = watched.cloud.aws.client("cloudformation").describe_stack_resources(StackName=STACK)

    alarms = {
        resource["LogicalResourceId"]
        for resource in described["StackResources"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm"
    }

    assert alarms == CAUSES.keys()
