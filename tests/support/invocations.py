"""The functions, invoked as Lambda and Amazon SQS invoke them."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import boto3

from functions.audit import app as audit
from functions.check_status import app as check_status
from functions.collect import app as collect
from functions.compact import app as compact
from functions.reconcile import app as reconcile
from functions.record_failure import app as record_failure
from functions.submit import app as submit
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.upload import Upload
from numberdrop.steps import submission
from numberdrop.steps.status_check import TIME_FOR_ONE_CHECK
from tests.support.account import Account, object_created


class KilledError(BaseException):
    """Stands for the end of the function's process: no code of the package catches it."""


class LogLines(logging.Handler):
    """A logging handler that keeps the log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(_through_json_text(submission.logger.registered_formatter.format(record)))


@dataclass
class Context:
    """The context that Lambda passes to a function."""

    seconds: float = 900.0
    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds * 1000)


@dataclass
class Functions:
    """The functions of one account. They start cold, so nothing is left of earlier tests."""

    account: Account
    context: Any = field(default_factory=Context)

    def __post_init__(self) -> None:
        self.start_cold()

    def start_cold(self) -> None:
        """Make every function start cold at its next invocation."""
        for cached in (
            submit.queue_handler,
            check_status.status_checker,
            collect.collector,
            record_failure.failure_recorder,
            reconcile.reconciler,
            audit.auditor,
            compact.compactor,
        ):
            cached.cache_clear()

    def submit(self, upload: Upload, *, receives: int = 1) -> bool:
        """Deliver the upload's event to the submit function once; return whether it was handled."""
        return self.deliver(json.dumps(object_created(upload)), receives=receives)

    def deliver(self, body: str, *, receives: int = 1) -> bool:
        """Deliver a message; return whether it was handled. A message that was not stays in the queue.

        Args:
            body: the message.
            receives: how often it was received, this delivery included.
        """
        sqs, url = boto3.client("sqs"), self.account.upload_queue
        sqs.send_message(QueueUrl=url, MessageBody=body)
        (message,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
        record = {
            "messageId": message["MessageId"],
            "body": message["Body"],
            "receiptHandle": message["ReceiptHandle"],
            "attributes": {**message["Attributes"], "ApproximateReceiveCount": str(receives)},
        }
        answer = submit.handler({"Records": [record]}, self.context)
        if answer["batchItemFailures"]:
            assert answer["batchItemFailures"] == [{"itemIdentifier": message["MessageId"]}]
            return False
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return True

    @property
    def delayed_messages(self) -> int:
        """Return the number of delayed messages in the upload queue."""
        answer = boto3.client("sqs").get_queue_attributes(
            QueueUrl=self.account.upload_queue, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessagesDelayed"])

    def check_status(
        self, upload: Upload, seen: Mapping[str, Any] | None = None, *, seconds: float = TIME_FOR_ONE_CHECK
    ) -> dict[str, Any]:
        """Check the task; return the decision as JSON. The default ``seconds`` are for one check only."""
        event = {"job_id": upload.job_id, "seen": dict(seen or {})}
        return _through_json(check_status.handler(event, replace(self.context, seconds=seconds)))

    def collect(self, upload: Upload, seen: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Collect the results; return the decision as JSON. Older executions hand over nothing."""
        event: dict[str, Any] = {"job_id": upload.job_id}
        if seen is not None:
            event["seen"] = dict(seen)
        return _through_json(collect.handler(event, self.context))

    def record_failure(
        self, upload: Upload, code: ReasonCode, message: str = "Why.", *, execution: str | None = None
    ) -> dict[str, Any]:
        """Record a failure; return the ledger's reason. Executions of older versions pass no name."""
        event: dict[str, Any] = {"job_id": upload.job_id, "reason": {"code": code, "message": message}}
        if execution:
            event["execution"] = execution
        return _through_json(record_failure.handler(_through_json(event), self.context))

    def reconcile(self, event: Mapping[str, Any]) -> dict[str, int] | str:
        """Run reconcile on an event; return the actions that were taken."""
        return reconcile.handler(_through_json(event), self.context)

    def audit(self) -> None:
        """Run the daily audit, which prints its result as a metric."""
        audit.handler({}, self.context)


def _through_json_text(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(text)
    return read


def _through_json(value: Any) -> dict[str, Any]:
    return _through_json_text(json.dumps(value))
