"""Receive events of a bus through a temporary queue and rule, which are removed at the end."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

PREFIX = "numberdrop-events-"
"""The beginning of the names of queue and rule."""

RETENTION_SECONDS = 3600
"""If the queue cannot be removed, its messages are gone after this time."""

MAX_MESSAGES = 10
"""Messages that Amazon SQS returns per request (API reference, "ReceiveMessage")."""

GONE = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException"}
"""The error codes for a queue or a rule that does not exist."""


class LeftBehindError(Exception):
    """The queue or the rule could not be removed. The message says what to do."""


@dataclass(frozen=True)
class EventTap:
    """A queue of received events."""

    client: "SQSClient"
    queue_url: str

    def receive(self, *, wait_seconds: int = 1) -> list[Mapping[str, Any]]:
        """Return the events since the last call, after waiting up to ``wait_seconds`` for the first."""
        answer = self.client.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=MAX_MESSAGES, WaitTimeSeconds=wait_seconds
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


@contextmanager
def event_tap(
    events: "EventBridgeClient", sqs: "SQSClient", bus: str, pattern: Mapping[str, Any]
) -> Iterator[EventTap]:
    """Receive the events of a bus that match a pattern until the context ends.

    Events of the first seconds may not come (Amazon EventBridge API reference, "PutRule"). Everything is
    removed at the end, including what a failed request may have made.

    Args:
        events: the client of EventBridge.
        sqs: the client of Amazon SQS.
        bus: the name of the bus.
        pattern: which events (Amazon EventBridge user guide, "Creating event patterns").

    Raises:
        LeftBehindError: something could not be removed.
    """
    name = PREFIX + uuid4().hex[:12]
    left: list[str] = []
    with ExitStack() as removals:
        removals.callback(_raise_if_any, left)
        removals.callback(
            _remove, f"rule {name}", left, lambda: events.delete_rule(Name=name, EventBusName=bus)
        )
        rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))["RuleArn"]
        removals.callback(_remove, f"queue {name}", left, lambda: _delete_queue(sqs, name))
        queue = _queue_arn(rule, name)
        url = sqs.create_queue(QueueName=name, Attributes=_attributes(queue, rule))["QueueUrl"]
        removals.callback(
            _remove,
            f"target of the rule {name}",
            left,
            lambda: events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"]),
        )
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue}])
        yield EventTap(sqs, url)


def _queue_arn(rule: str, name: str) -> str:
    """Return the ARN of a queue in the rule's account and region."""
    _, partition, _, region, account, _ = rule.split(":", maxsplit=5)
    return f"arn:{partition}:sqs:{region}:{account}:{name}"


def _attributes(queue: str, rule: str) -> dict[Any, str]:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
            }
        ],
    }
    return {"Policy": json.dumps(policy), "MessageRetentionPeriod": str(RETENTION_SECONDS)}


def _delete_queue(sqs: "SQSClient", name: str) -> None:
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])


def _remove(what: str, left: list[str], remove: Callable[[], object]) -> None:
    try:
        remove()
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            left.append(what)
    except BotoCoreError:
        left.append(what)


def _raise_if_any(left: list[str]) -> None:
    if left:
        raise LeftBehindError(f"Could not remove: {', '.join(left)}. Remove it by hand.")
