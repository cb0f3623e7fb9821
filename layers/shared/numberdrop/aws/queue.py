"""Handing messages back to the upload queue, to be tried later."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from numberdrop.aws.clients import make_client

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = 900
"""Seconds; the most that Amazon SQS delays a message (API reference, "SendMessage")."""


@dataclass(frozen=True)
class UploadQueue:
    """The queue that announces uploads."""

    client: "SQSClient"
    url: str

    @classmethod
    def connect(cls, url: str) -> Self:
        """Return the queue at a URL, with a client of its own."""
        return cls(make_client("sqs"), url)

    def send_again(self, body: str, *, after_seconds: int) -> None:
        """Sends a copy of a message that arrives later; the original may then be forgotten.

        A fresh copy starts counting receives at zero, so waiting for the vendor never drives an upload
        into the dead-letter queue. A copy too many does no harm: the ledger knows the job.
        """
        self.client.send_message(QueueUrl=self.url, MessageBody=body, DelaySeconds=_delay(after_seconds))

    def hand_back(self, receipt_handle: str, *, after_seconds: int) -> None:
        """Makes a received message visible again after a pause; the receive counts as one."""
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=receipt_handle, VisibilityTimeout=_delay(after_seconds)
        )


def _delay(seconds: int) -> int:
    return min(max(seconds, 0), LONGEST_DELAY)
