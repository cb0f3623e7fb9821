"""The dead-letter queue: count its messages and move them back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_MESSAGES = 10
"""Messages that Amazon SQS returns per request (API reference, "ReceiveMessage")."""

VISIBILITY_SECONDS = 60
"""A received message stays hidden for this long. If it could not be moved, it then shows up again."""

WAIT_SECONDS = 2
"""Any wait makes Amazon SQS ask all of its servers (SQS developer guide, "short and long polling")."""


@dataclass(frozen=True)
class DeadLetters:
    """The dead-letter queue, and the upload queue that its messages came from."""

    client: "SQSClient"
    url: str
    upload_queue_url: str

    def count(self) -> int:
        """Return the approximate number of messages."""
        response = self.client.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(response["Attributes"]["ApproximateNumberOfMessages"])

    def redrive(self, limit: int) -> int:
        """Move up to ``limit`` messages to the upload queue, and return how many were moved.

        Each message is sent before it is deleted. A crash between the two leaves a duplicate, which the
        ledger recognises. The limit prevents an endless loop with a message that fails immediately.
        """
        moved = 0
        while moved < limit:
            response = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(MAX_MESSAGES, limit - moved),
                VisibilityTimeout=VISIBILITY_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
            )
            messages = response.get("Messages", [])
            if not messages:
                break
            for message in messages:
                self.client.send_message(QueueUrl=self.upload_queue_url, MessageBody=message["Body"])
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
        return moved
