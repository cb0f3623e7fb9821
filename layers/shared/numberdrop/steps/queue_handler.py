"""The door: one message of the upload queue at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from numberdrop.aws.queue import UploadQueue
from numberdrop.jobs.upload import NotAnUploadError, upload_from_message
from numberdrop.settings import SubmitSettings
from numberdrop.steps.submission import Requeue, Submitter

FIRST_RETRY_SECONDS = 15
"""How soon a message comes again after the first failure; each further failure doubles it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the upload queue.

    Attributes:
        body: an EventBridge event as JSON.
        receipt_handle: what names this receipt of the message to Amazon SQS.
        receives: how often it was received, this time included.
    """

    body: str
    receipt_handle: str
    receives: int

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """A record of the event that Lambda gets (Lambda developer guide, "Example Amazon SQS event")."""
        return cls(
            body=record["body"],
            receipt_handle=record["receiptHandle"],
            receives=int(record["attributes"]["ApproximateReceiveCount"]),
        )


@dataclass(frozen=True)
class QueueHandler:
    """Takes messages, and hands back those that failed or whose time has not come."""

    submitter: Submitter
    queue: UploadQueue
    bucket: str

    @classmethod
    def from_env(cls) -> Self:
        """Return the handler that the submit function's environment describes."""
        settings = SubmitSettings.from_env()
        queue = UploadQueue.connect(settings.upload_queue_url)
        return cls(Submitter.from_settings(settings), queue, settings.upload_bucket)

    def handle(self, message: Message, *, seconds: float) -> None:
        """Deals with one message within ``seconds``; returning means that the queue may forget it.

        The queue's visibility time-out is long, for the case that a worker dies. A worker that lives to
        see its failure makes the message visible sooner: at once when no try can mend it, which takes it
        to the dead-letter queue, and after a growing pause otherwise.

        Raises:
            NotAnUploadError: the message announces no upload of our bucket; nothing was read.
        """
        try:
            self._handle(message, seconds)
        except NotAnUploadError:
            self.queue.hand_back(message.receipt_handle, after_seconds=0)
            raise
        except Exception:
            pause = FIRST_RETRY_SECONDS * 2 ** (message.receives - 1)
            self.queue.hand_back(message.receipt_handle, after_seconds=pause)
            raise

    def _handle(self, message: Message, seconds: float) -> None:
        upload = upload_from_message(message.body, bucket=self.bucket)
        if upload is None:
            return
        outcome = self.submitter.submit(upload, seconds=seconds)
        if isinstance(outcome, Requeue):
            self.queue.send_again(message.body, after_seconds=outcome.after_seconds)
