"""The upload queue: sending messages, and returning them to be received later."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from numberdrop.aws.clients import PROMPT, make_client

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = 900
"""The longest delay of a message, in seconds (SQS API reference, "SendMessage")."""


@dataclass(frozen=True)
class UploadQueue:
    """The queue of messages that announce uploads.

    >>> import boto3
    >>> sqs = boto3.client("sqs")
    >>> queue = UploadQueue(sqs, sqs.create_queue(QueueName="uploads-example")["QueueUrl"])
    >>> queue.send_again("the message of an upload", after_seconds=60)
    """

    client: "SQSClient"
    url: str

    @classmethod
    def connect(cls, url: str) -> Self:
        """Return the queue at a URL, with a client of its own that gives up soon."""
        return cls(make_client("sqs", PROMPT), url)

    def send_again(self, body: str, *, after_seconds: int) -> None:
        """Send a copy of a message with a delay; the original can then be deleted.

        The copy starts with no receives, so waiting for the vendor never moves an upload to the dead-letter
        queue. An extra copy is safe: the ledger has the job.

        Args:
            body: the message as it was received.
            after_seconds: the delay, limited to 0 to ``LONGEST_DELAY``.
        """
        self.client.send_message(QueueUrl=self.url, MessageBody=body, DelaySeconds=_delay(after_seconds))

    def hide(self, receipt_handle: str, *, seconds: int) -> None:
        """Make a received message visible again after this time, unless it is deleted or handed back before.

        Args:
            receipt_handle: the receipt handle of the received message.
            seconds: how long nobody receives the message, from now on; at most 12 hours (SQS API reference,
                "ChangeMessageVisibility").
        """
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
        )

    def hand_back(self, receipt_handle: str, *, after_seconds: int) -> None:
        """Make a received message visible again after a delay; it keeps its count of receives.

        Args:
            receipt_handle: the receipt handle of the received message.
            after_seconds: the delay, limited to 0 to ``LONGEST_DELAY``.
        """
        self.hide(receipt_handle, seconds=_delay(after_seconds))


def _delay(seconds: int) -> int:
    return min(max(seconds, 0), LONGEST_DELAY)
