"""A consumer of numberdrop's events: a rule that sends them to a queue, as `numberdrop events` sets it up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.cloud import LocalCloud
from numberdrop_cli import event_tap as of_the_command
from numberdrop_cli.event_tap import EventTap

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

__all__ = ["EventTap", "allow_sending", "event_tap"]


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
    """Receive the events of the stack's bus, including those of other stacks, until the context ends."""
    events, sqs = cloud.aws.client("events"), cloud.aws.client("sqs")
    bus = cloud.outputs["EventBusName"]
    with of_the_command.event_tap(events, sqs, bus, {"source": ["numberdrop"]}) as tap:
        yield tap
