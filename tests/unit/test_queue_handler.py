"""The door: which messages are forgotten, which come again, and when."""

import json
from typing import Any

import pytest

from numberdrop.aws.queue import LONGEST_DELAY, UploadQueue
from numberdrop.jobs.upload import NotAnUploadError, Upload
from numberdrop.steps.queue_handler import FIRST_RETRY_SECONDS, Message, QueueHandler
from numberdrop.steps.submission import Requeue, Settled

RECEIPT = "receipt-one"
SETTLED = Settled()
EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "uploads"}, "object": {"key": "band/a.txt", "etag": "e", "size": 3}},
}


class RecordingQueue:
    """Amazon SQS as far as it is used: notes what it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.handed_back: list[tuple[str, int]] = []

    def send_message(self, **request: Any) -> None:
        self.sent.append((request["MessageBody"], request["DelaySeconds"]))

    def change_message_visibility(self, **request: Any) -> None:
        self.handed_back.append((request["ReceiptHandle"], request["VisibilityTimeout"]))


class SubmissionThat:
    """Ends the same way each time: returns an outcome, or raises it."""

    def __init__(self, outcome: Settled | Requeue | Exception) -> None:
        self.outcome = outcome
        self.submitted: list[Upload] = []

    def submit(self, upload: Upload, *, seconds: float) -> Settled | Requeue:
        self.submitted.append(upload)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Door:
    """An intake with what stands behind it."""

    def __init__(self, outcome: Settled | Requeue | Exception = SETTLED) -> None:
        self.queue = RecordingQueue()
        self.submitter = SubmissionThat(outcome)
        client: Any = self.queue
        submission: Any = self.submitter
        self.intake = QueueHandler(submission, UploadQueue(client, "https://queue.example"), "uploads")

    def take(self, body: str = json.dumps(EVENT), *, receives: int = 1) -> None:
        self.intake.handle(Message(body, RECEIPT, receives), seconds=60)


def test_a_message_is_read_from_a_lambda_record() -> None:
    record = {
        "messageId": "m",
        "receiptHandle": RECEIPT,
        "body": "text",
        "attributes": {"ApproximateReceiveCount": "3"},
    }
    assert Message.from_record(record) == Message("text", RECEIPT, 3)


def test_a_message_about_an_upload_is_submitted_and_deleted() -> None:
    door = Door()
    door.take()
    assert [upload.key for upload in door.submitter.submitted] == ["band/a.txt"]
    assert not door.queue.sent
    assert not door.queue.handed_back


def test_a_test_message_submits_nothing() -> None:
    door = Door()
    door.take('{"Event": "s3:TestEvent"}')
    assert not door.submitter.submitted


@pytest.mark.parametrize(
    ("asked", "delay"), [(0, 0), (300, 300), (900, 900), (86_400, LONGEST_DELAY), (-3, 0)]
)
def test_a_message_to_requeue_is_sent_again_unchanged(asked: int, delay: int) -> None:
    door = Door(Requeue(asked))
    door.take()
    assert door.queue.sent == [(json.dumps(EVENT), delay)]


@pytest.mark.parametrize(("receives", "pause"), [(1, 15), (2, 30), (3, 60), (5, 240), (20, LONGEST_DELAY)])
def test_a_failed_message_returns_after_a_growing_pause(receives: int, pause: int) -> None:
    door = Door(RuntimeError("storage is down"))
    with pytest.raises(RuntimeError):
        door.take(receives=receives)
    assert door.queue.handed_back == [(RECEIPT, pause)]
    assert FIRST_RETRY_SECONDS == 15


def test_a_message_that_is_not_an_upload_returns_at_once() -> None:
    door = Door()
    with pytest.raises(NotAnUploadError):
        door.take("no JSON")
    assert door.queue.handed_back == [(RECEIPT, 0)]
    assert not door.submitter.submitted
