"""A consumer of numberdrop's events: a rule that leads to a queue, as any user would set it up."""

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
    """Hands out events as they come."""

    client: "SQSClient"
    queue_url: str

    def receive(self, *, wait_seconds: int = 1) -> list[Mapping[str, Any]]:
        """The events that have arrived since the last call; waits up to ``wait_seconds`` for the first."""
        answer = self.client.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds
        )
        messages = answer.get("Messages", [])
        if messages:
            self.client.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                    for place, message in enumerate(messages)
                ],
            )
        return [json.loads(message["Body"]) for message in messages]


def let_send(client: "SQSClient", queue_url: str, *, service: str, source: str) -> str:
    """Lets one rule or topic of a service send to a queue; returns the queue's ARN."""
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
    """Taps the stack's event bus for as long as the context lasts."""
    name = f"tap-{uuid4().hex[:12]}"
    bus = cloud.outputs["EventBusName"]
    events, sqs = cloud.aws.client("events"), cloud.aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["numberdrop"]}))[
        "RuleArn"
    ]
    arn = let_send(sqs, url, service="events.amazonaws.com", source=rule)
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "tap", "Arn": arn}])
    try:
        yield EventTap(sqs, url)
    finally:
        events.remove_targets(Rule=name, EventBusName=bus, Ids=["tap"])
        events.delete_rule(Name=name, EventBusName=bus)
        sqs.delete_queue(QueueUrl=url)
