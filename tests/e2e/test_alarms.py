"""Every alarm of the template fires on a separate stack and notifies the person on call."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
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
from numberdrop.jobs.metric_names import BALANCE, NAMESPACE
from numberdrop.jobs.transitions import State
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, close_breaker

STACK = "numberdrop-alarms"
LOW_BALANCE = 5
"""The parameter ``LowBalanceUsd``."""
NUMBERS = "".join(f"+447700900{n}\n" for n in range(800, 820))


@dataclass(frozen=True)
class AlarmStack:
    """The stack whose alarms are tested."""

    cloud: LocalCloud
    outputs: Mapping[str, str]
    uploads: Bucket
    bridge: MetricsBridge
    pager: str
    chat: str

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
        """Change the job's times as if 23 of its 24 hours had passed."""
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
        """Wait until the job of an upload is in a state; return its id."""
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
            assert time.monotonic() < end, f"{key} did not become {state}"
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

    def wait_for_notification(self, **expected: str) -> Mapping[str, Any]:
        """Wait for the notification of an alarm with these members; return it."""
        for text in self._messages(self.pager):
            if text.startswith("{"):
                notification: Mapping[str, Any] = json.loads(text)
                if expected.items() <= notification.items():
                    return notification
        raise AssertionError(f"no notification with {expected} arrived")

    def wait_for_notice(self, queue: str, *words: str) -> str:
        """Wait for a notice about a job that contains these words; return its text."""
        for text in self._messages(queue):
            if all(word in text for word in words):
                return text
        raise AssertionError(f"no notice with {words} arrived")

    def _messages(self, queue: str) -> Iterator[str]:
        """Yield what arrives in a queue from a topic, until the time is over."""
        end = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < end:
            received = self.cloud.aws.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1)
            for message in received.get("Messages", []):
                text: str = json.loads(message["Body"])["Message"]
                yield text


@pytest.fixture(scope="module")
def alarm_stack(cloud: LocalCloud) -> Iterator[AlarmStack]:
    sqs, sns = cloud.aws.client("sqs"), cloud.aws.client("sns")
    own_topic = sns.create_topic(Name="chat")["TopicArn"]
    parameters = {
        **vendor_parameters(cloud.simulator),
        "AlarmEmail": "oncall@example.com",
        "AlarmTopicArn": own_topic,
        "Notify": "all",
        "LowBalanceUsd": str(LOW_BALANCE),
    }
    outputs = deploy(
        cloud.aws, PROJECT / "template.yaml", stack=STACK, parameters=parameters, folder=cloud.folder
    )
    pager, chat = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("pager", "chat"))
    queues = (outputs["UploadQueueUrl"], outputs["DeadLetterQueueUrl"])
    bucket = Bucket(cloud, outputs["UploadBucketName"])
    alarm_stack = AlarmStack(cloud, outputs, bucket, MetricsBridge(cloud.aws, STACK, queues), pager, chat)
    topic = outputs["AlarmTopicArn"]
    assert topic == alarm_stack.resource("AlarmTopic")
    for source, queue in ((topic, pager), (own_topic, chat)):
        arn = allow_sending(sqs, queue, service="sns.amazonaws.com", source=source)
        sns.subscribe(TopicArn=source, Protocol="sqs", Endpoint=arn)
    yield alarm_stack
    # Its blocked job would be sent again, and charged, during the tests that count charges.
    functions = cloud.aws.client("lambda")
    queue = outputs["UploadQueueUrl"].rpartition("/")[2]
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if mapping["EventSourceArn"].endswith(f":{queue}"):
            functions.delete_event_source_mapping(UUID=mapping["UUID"])


def lose_answer(alarm_stack: AlarmStack, vendor: RemoteSimulator) -> None:
    vendor.inject_fault("submit", "reset_after_work")
    alarm_stack.uploads.drop("band/alarms/lost answer.txt", NUMBERS)


def refuse_key(alarm_stack: AlarmStack, vendor: RemoteSimulator) -> None:
    key = "band/alarms/bad key.txt"
    vendor.inject_fault("submit", "http_error", None, status=401)
    alarm_stack.uploads.drop(key, NUMBERS)
    alarm_stack.job_in(State.BLOCKED, key)
    alarm_stack.reconcile()


def age_a_delayed_claim(alarm_stack: AlarmStack, vendor: RemoteSimulator) -> None:
    key = "band/alarms/delayed.txt"
    vendor.inject_fault("submit", "http_error", None, status=429, retry_after="900")
    alarm_stack.uploads.drop(key, NUMBERS)
    alarm_stack.make_older(alarm_stack.job_in(State.CLAIMED, key))
    alarm_stack.reconcile()


def corrupt_item(alarm_stack: AlarmStack, _vendor: RemoteSimulator) -> None:
    """Add an item that reconcile cannot repair, run reconcile, and delete the item again."""
    table, key = alarm_stack.outputs["JobsTableName"], {"job_id": {"S": "0" * 64}}
    dynamodb = alarm_stack.cloud.aws.client("dynamodb")
    dynamodb.put_item(TableName=table, Item={**key, "unsettled": {"S": "0"}, "state": {"S": "corrupt"}})
    alarm_stack.reconcile()
    dynamodb.delete_item(TableName=table, Key=key)


def break_audit_table(alarm_stack: AlarmStack, _vendor: RemoteSimulator) -> None:
    functions, name = alarm_stack.cloud.aws.client("lambda"), alarm_stack.resource("AuditFunction")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "JOBS_TABLE": "no-such-table"}}
    )
    functions.invoke(FunctionName=name, Payload=b"{}")


def fail_task(alarm_stack: AlarmStack, vendor: RemoteSimulator) -> None:
    vendor.inject_fault("status", "failed", None)
    alarm_stack.uploads.drop("band/alarms/fails.txt", NUMBERS)


def send_invalid_message(alarm_stack: AlarmStack, _vendor: RemoteSimulator) -> None:
    alarm_stack.cloud.aws.client("sqs").send_message(
        QueueUrl=alarm_stack.outputs["UploadQueueUrl"], MessageBody="not an event"
    )


def age_a_slow_task(alarm_stack: AlarmStack, vendor: RemoteSimulator) -> None:
    key = "band/alarms/slow.txt"
    vendor.inject_fault("status", "completed_without_file", None)
    alarm_stack.uploads.drop(key, NUMBERS)
    alarm_stack.make_older(alarm_stack.job_in(State.SUBMITTED, key))
    alarm_stack.reconcile()


def report_old_message(alarm_stack: AlarmStack, _vendor: RemoteSimulator) -> None:
    """Publish the metric as SQS would; an hour is too long for a test."""
    alarm_stack.put("AWS/SQS", "ApproximateAgeOfOldestMessage", 3601)


def report_unannounced_upload(alarm_stack: AlarmStack, _vendor: RemoteSimulator) -> None:
    """Publish the metric as the audit function does, which looks at uploads that are a day old."""
    alarm_stack.put("numberdrop", "UnannouncedUploads", 1)


def report_low_balance(alarm_stack: AlarmStack, _vendor: RemoteSimulator) -> None:
    """Publish the metric as the submit function does; the account of the simulated vendor is full."""
    alarm_stack.put(NAMESPACE, BALANCE, LOW_BALANCE - 1)


CAUSES: Mapping[str, Callable[[AlarmStack, RemoteSimulator], None]] = {
    "NotReconcilingAlarm": corrupt_item,
    "FailureShareAlarm": fail_task,
    "InDoubtAlarm": lose_answer,
    "OldTasksAlarm": age_a_slow_task,
    "OldClaimsAlarm": age_a_delayed_claim,
    "DeadLetterAlarm": send_invalid_message,
    "BlockedAlarm": refuse_key,
    "OldMessagesAlarm": report_old_message,
    "UnannouncedUploadsAlarm": report_unannounced_upload,
    "AuditFailsAlarm": break_audit_table,
    "LowBalanceAlarm": report_low_balance,
}
"""The order matters: the first needs that no reconcile succeeded before."""


def test_a_charged_job_that_failed_notifies_on_call(alarm_stack: AlarmStack, vendor: RemoteSimulator) -> None:
    vendor.inject_fault("status", "failed", None)
    alarm_stack.uploads.drop("band/alarms/paid for.txt", NUMBERS)

    for queue in (alarm_stack.pager, alarm_stack.chat):
        notice = alarm_stack.wait_for_notice(queue, "band/alarms/paid for.txt")

        assert "A numberdrop job failed after it was charged: TASK_FAILED" in notice
        assert "numberdrop collect-again" in notice
        assert "<" not in notice


def test_a_job_that_failed_free_of_charge_is_reported(alarm_stack: AlarmStack) -> None:
    alarm_stack.uploads.drop("band/alarms/empty.txt", "\n")

    notice = alarm_stack.wait_for_notice(alarm_stack.chat, "band/alarms/empty.txt")

    assert "nothing was charged: EMPTY_FILE" in notice


def test_a_completed_job_is_reported(alarm_stack: AlarmStack) -> None:
    alarm_stack.uploads.drop("band/alarms/good.txt", NUMBERS)

    notice = alarm_stack.wait_for_notice(alarm_stack.chat, "band/alarms/good.txt", "results of a file")

    assert "20 resolved, 0 unresolved" in notice
    assert "results.csv in bucket" in notice


@pytest.mark.parametrize("alarm", CAUSES)
def test_an_alarm_fires_and_links_the_runbook(
    alarm: str, alarm_stack: AlarmStack, vendor: RemoteSimulator
) -> None:
    close_breaker(alarm_stack.cloud, alarm_stack.outputs["JobsTableName"])
    CAUSES[alarm](alarm_stack, vendor)

    alarm_stack.wait_for_alarm(alarm)
    notification = alarm_stack.wait_for_notification(AlarmName=alarm_stack.resource(alarm))

    assert "Runbook: " in notification["AlarmDescription"]


def test_every_alarm_is_tested(alarm_stack: AlarmStack) -> None:
    described = alarm_stack.cloud.aws.client("cloudformation").describe_stack_resources(StackName=STACK)

    alarms = {
        resource["LogicalResourceId"]
        for resource in described["StackResources"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm"
    }

    assert alarms == CAUSES.keys()
