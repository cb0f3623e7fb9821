"""A consumer of numberdrop's events: a rule that sends them to a queue, as a user would set it up."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from local.cloud import LocalCloud

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class EventTap:
    """A queue of received events."""

    client: "SQSClient"
    queue_url: str

    def receive(self, *, wait_seconds: int = 1) -> list[Mapping[str, Any]]:
        """Return the events since the last call, after waiting up to ``wait_seconds`` for the first."""
        answer = self.client.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds
        )
        messages = answer.get("Messages", [])
        if messages:
            self.client.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                    for index, message in enumerate(messages)
                ],
            )
        return [json.loads(message["Body"]) for message in messages]


def allow_sending(client: "SQSClient", queue_url: str, *, service: str, source: str) -> str:
    """Allow one rule or topic of a service to send to a queue; return the queue's ARN."""
    attributes = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sqs:SendMessage",
                "Resource": attributes["QueueArn"],
                "Condition": {"ArnEquals": {"aws:SourceArn": source}},
            }
        ],
    }
    client.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": json.dumps(policy)})
    return attributes["QueueArn"]


@contextmanager
def event_tap(cloud: LocalCloud) -> Iterator[EventTap]:
    """Receive the events of the stack's bus until the context ends."""
    name = f"tap-{uuid4().hex[:12]}"
    bus = cloud.outputs["EventBusName"]
    events, sqs = cloud.aws.client("events"), cloud.aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["numberdrop"]}))[
        "RuleArn"
    ]
    arn = allow_sending(sqs, url, service="events.amazonaws.com", source=rule)
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "tap", "Arn": arn}])
    try:
        yield EventTap(sqs, url)
    finally:
        events.remove_targets(Rule=name, EventBusName=bus, Ids=["tap"])
        events.delete_rule(Name=name, EventBusName=bus)
        sqs.delete_queue(QueueUrl=url)
