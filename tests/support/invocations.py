"""The functions as Lambda and Amazon SQS run them."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import boto3

from functions.audit import app as audit
from functions.check_status import app as check_status
from functions.collect import app as collect
from functions.reconcile import app as reconcile
from functions.record_failure import app as record_failure
from functions.submit import app as submit
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.upload import Upload
from numberdrop.steps import submission
from numberdrop.steps.status_check import TIME_FOR_ONE_CHECK
from tests.support.account import Account, object_created


class KilledError(BaseException):
    """The function's process ends here: nothing catches it."""


class LogLines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(_through_json_text(submission.logger.registered_formatter.format(record)))


@dataclass
class Context:
    """What Lambda tells a function about its invocation."""

    seconds: float = 900.0
    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds * 1000)


@dataclass
class Functions:
    """The functions of one account, fresh: nothing is kept from an earlier test."""

    account: Account
    context: Any = field(default_factory=Context)

    def __post_init__(self) -> None:
        self.start_cold()

    def start_cold(self) -> None:
        """Lets every function start cold."""
        for wiring in (
            submit.queue_handler,
            check_status.status_checker,
            collect.collector,
            record_failure.failure_recorder,
            reconcile.reconciler,
            audit.auditor,
        ):
            wiring.cache_clear()

    def submit(self, upload: Upload) -> None:
        """Delivers the upload's event to the submit function, once."""
        self.deliver(json.dumps(object_created(upload)))

    def deliver(self, body: str) -> None:
        """Delivers a message; it stays in the queue when the function raises."""
        sqs, url = boto3.client("sqs"), self.account.upload_queue
        sqs.send_message(QueueUrl=url, MessageBody=body)
        (message,) = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
        record = {
            "body": message["Body"],
            "receiptHandle": message["ReceiptHandle"],
            "attributes": message["Attributes"],
        }
        submit.handler({"Records": [record]}, self.context)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    @property
    def delayed_messages(self) -> int:
        """Messages that wait in the upload queue for their time to come."""
        answer = boto3.client("sqs").get_queue_attributes(
            QueueUrl=self.account.upload_queue, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessagesDelayed"])

    def check_status(
        self, upload: Upload, seen: Mapping[str, Any] | None = None, *, seconds: float = TIME_FOR_ONE_CHECK
    ) -> dict[str, Any]:
        """The decision, after its way through JSON; without more ``seconds``, it is that of a single look."""
        event = {"job_id": upload.job_id, "seen": dict(seen or {})}
        return _through_json(check_status.handler(event, replace(self.context, seconds=seconds)))

    def collect(self, upload: Upload) -> dict[str, Any]:
        """The decision, after its way through JSON."""
        return _through_json(collect.handler({"job_id": upload.job_id}, self.context))

    def record_failure(
        self, upload: Upload, code: ReasonCode, message: str = "Why.", *, execution: str | None = None
    ) -> dict[str, Any]:
        """The reason that the ledger holds afterwards; executions of older versions do not say their name."""
        event: dict[str, Any] = {"job_id": upload.job_id, "reason": {"code": code, "message": message}}
        if execution:
            event["execution"] = execution
        return _through_json(record_failure.handler(_through_json(event), self.context))

    def reconcile(self, event: Mapping[str, Any]) -> dict[str, int] | str:
        """What was done."""
        return reconcile.handler(_through_json(event), self.context)

    def audit(self) -> None:
        """The daily look at the bucket; what it found is a metric on standard output."""
        audit.handler({}, self.context)


def _through_json_text(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(text)
    return read


def _through_json(value: Any) -> dict[str, Any]:
    return _through_json_text(json.dumps(value))
