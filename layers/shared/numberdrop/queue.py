"""Handing a message back to the upload queue, to be tried later."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = 900
"""Seconds; the most that Amazon SQS delays a message (API reference, "SendMessage")."""


@dataclass(frozen=True)
class UploadQueue:
    """The queue that announces uploads."""

    client: "SQSClient"
    url: str

    def send_again(self, body: str, *, after_seconds: int) -> None:
        """Sends a copy of a message that arrives later.

        A fresh copy starts counting receives at zero, so waiting for the vendor never drives an upload
        into the dead-letter queue. A copy too many does no harm: the ledger knows the job.
        """
        self.client.send_message(
            QueueUrl=self.url,
            MessageBody=body,
            DelaySeconds=min(max(after_seconds, 0), LONGEST_DELAY),
        )
