"""Handling the messages of the upload queue, one at a time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.aws.queue import UploadQueue
from numberdrop.jobs.upload import NotAnUploadError, upload_from_message
from numberdrop.metrics import count_failed_message
from numberdrop.settings import SubmitSettings
from numberdrop.steps.message_outcomes import Requeue
from numberdrop.steps.submission import Submitter

FIRST_RETRY_SECONDS = 15
"""Seconds until a message is retried after its first failure. Each further failure doubles them."""

AFTER_THE_WORKER = 60
"""Seconds from its worker's end until a message returns. By then, the lease of the worker's job is over."""

logger = Logger()


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the upload queue.

    Attributes:
        body: an EventBridge event as JSON.
        receipt_handle: identifies this delivery to Amazon SQS.
        receives: how often the message was received, this delivery included.
    """

    body: str
    receipt_handle: str
    receives: int

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the message in a record (Lambda developer guide, "Example Amazon SQS event").

        >>> record = {"body": "{}", "receiptHandle": "r", "attributes": {"ApproximateReceiveCount": "3"}}
        >>> Message.from_record(record).receives
        3
        """
        return cls(
            body=record["body"],
            receipt_handle=record["receiptHandle"],
            receives=int(record["attributes"]["ApproximateReceiveCount"]),
        )


@dataclass(frozen=True)
class QueueHandler:
    """Handles messages: submits their uploads, and returns failed messages to the queue.

    S3's own test messages are ignored, so this needs no submitter:

    >>> from numberdrop.aws.clients import make_client
    >>> url = make_client("sqs").create_queue(QueueName="uploads")["QueueUrl"]
    >>> handler = QueueHandler(submitter=None, queue=UploadQueue.connect(url), bucket="uploads")
    >>> handler.handle(Message('{"Event": "s3:TestEvent"}', "receipt", receives=1), seconds=60)
    True
    """

    submitter: Submitter
    queue: UploadQueue
    bucket: str

    @classmethod
    def from_env(cls) -> Self:
        """Return the handler for the environment of the submit function."""
        settings = SubmitSettings.from_env()
        queue = UploadQueue.connect(settings.upload_queue_url)
        return cls(Submitter.from_settings(settings), queue, settings.upload_bucket)

    def handle_all(self, event: Mapping[str, Any], context: LambdaContext) -> list[str]:
        """Handle the messages of an event; return the ids of those that failed.

        Args:
            event: an event of Amazon SQS (Lambda developer guide, "Example Amazon SQS event").
            context: the context that Lambda passes to the function.
        """
        return logger.inject_lambda_context(self._failed_ids, clear_state=True)(event, context)

    def _failed_ids(self, event: Mapping[str, Any], context: LambdaContext) -> list[str]:
        return [
            record["messageId"]
            for record in event["Records"]
            if not self.handle(
                Message.from_record(record), seconds=context.get_remaining_time_in_millis() / 1000
            )
        ]

    def handle(self, message: Message, *, seconds: float) -> bool:
        """Handle one message within ``seconds``. Return whether it was handled and can be deleted.

        A failure is logged, counted and returned instead of raised. After errors of the function, Lambda
        would reduce the concurrency of the whole queue (AWS Lambda developer guide, "Handling errors for an
        SQS event source in Lambda"), so one bad message would delay all uploads.

        A message whose worker is killed returns after the time that the worker had. A worker that survives
        its failure makes the message visible sooner: after a pause that grows with each failure, or at once
        if a retry cannot help. In the latter case, the message soon reaches the dead-letter queue.
        """
        start = monotonic()
        self._hide(message, seconds)
        try:
            self._handle(message, seconds - (monotonic() - start))
        except NotAnUploadError:
            logger.exception("a message is not about an upload of this bucket")
            self._return(message, pause=0)
        except Exception:
            logger.exception("a message failed; it is tried again", receives=message.receives)
            self._return(message, pause=FIRST_RETRY_SECONDS * 2 ** (message.receives - 1))
        else:
            return True
        return False

    def _hide(self, message: Message, seconds: float) -> None:
        """Replace the queue's visibility time-out, which would hide the message of a killed worker for long.

        It is six times the function's time-out because a message may wait for a throttled function (AWS
        Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping"). This worker
        has begun.
        """
        try:
            self.queue.hide(message.receipt_handle, seconds=math.ceil(seconds) + AFTER_THE_WORKER)
        except Exception as error:  # noqa: BLE001 - the message only stays hidden for longer
            logger.warning("a message stays hidden for long if this worker dies", cause=type(error).__name__)

    def _return(self, message: Message, *, pause: int) -> None:
        count_failed_message()
        self.queue.hand_back(message.receipt_handle, after_seconds=pause)

    def _handle(self, message: Message, seconds: float) -> None:
        upload = upload_from_message(message.body, bucket=self.bucket)
        if upload is None:
            return
        outcome = self.submitter.submit(upload, seconds=seconds, redelivered=message.receives > 1)
        if isinstance(outcome, Requeue):
            self.queue.send_again(message.body, after_seconds=outcome.after_seconds)
