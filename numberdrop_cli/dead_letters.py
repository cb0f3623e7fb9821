"""Messages that could not be taken in, and their way back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_AT_ONCE = 10
"""Messages that Amazon SQS hands out at once (API reference, "ReceiveMessage")."""

SECONDS_TO_MOVE = 60
"""How long a message that was received is kept from others; one that could not be moved then shows again."""

SECONDS_TO_WAIT = 2
"""Any wait makes Amazon SQS ask all of its servers (SQS developer guide, "short and long polling")."""


@dataclass(frozen=True)
class DeadLetters:
    """The dead-letter queue, beside the upload queue that its messages came from."""

    client: "SQSClient"
    url: str
    upload_queue_url: str

    def count(self) -> int:
        """About how many messages wait."""
        answer = self.client.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def redrive(self, most: int) -> int:
        """Moves at most so many messages to the upload queue; returns how many it moved.

        Each is sent before it is deleted, so a crash between leaves one too many, which the ledger
        recognises. The bound keeps a message that fails at once from being moved forever.
        """
        moved = 0
        while moved < most:
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=min(MAX_AT_ONCE, most - moved),
                VisibilityTimeout=SECONDS_TO_MOVE,
                WaitTimeSeconds=SECONDS_TO_WAIT,
            )
            messages = answer.get("Messages", [])
            if not messages:
                break
            for message in messages:
                self.client.send_message(QueueUrl=self.upload_queue_url, MessageBody=message["Body"])
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
        return moved
