"""The queue handler: which messages are deleted, which are retried, and when."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from numberdrop.aws.queue import LONGEST_DELAY, UploadQueue
from numberdrop.jobs.upload import Upload
from numberdrop.steps.message_outcomes import Requeue, Settled
from numberdrop.steps.queue_handler import AFTER_THE_WORKER, FIRST_RETRY_SECONDS, Message, QueueHandler
from numberdrop.steps.submission import LEASE_MARGIN

RECEIPT = "receipt-one"
SETTLED = Settled()
EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "uploads"}, "object": {"key": "band/a.txt", "etag": "e", "size": 3}},
}


class RecordingQueue:
    """A client of Amazon SQS that records its calls.

    Attributes:
        sent: the messages that were sent, with their delays.
        timeouts: the receipt handles and the visibility time-outs that were set, in seconds.
        is_down: whether no time-out can be set.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.timeouts: list[tuple[str, int]] = []
        self.is_down = False

    @property
    def handed_back(self) -> list[tuple[str, int]]:
        """Return the time-outs that were set after the first, which only precedes the work."""
        return self.timeouts[1:]

    def send_message(self, **request: Any) -> None:
        self.sent.append((request["MessageBody"], request["DelaySeconds"]))

    def change_message_visibility(self, **request: Any) -> None:
        if self.is_down:
            raise ReadTimeoutError(endpoint_url="https://queue.example")
        self.timeouts.append((request["ReceiptHandle"], request["VisibilityTimeout"]))


class FakeSubmitter:
    """Returns the same outcome every time, or raises it."""

    def __init__(self, outcome: Settled | Requeue | Exception) -> None:
        self.outcome = outcome
        self.submitted: list[Upload] = []
        self.redelivered: list[bool] = []
        self.seconds: list[float] = []

    def submit(self, upload: Upload, *, seconds: float, redelivered: bool) -> Settled | Requeue:
        self.submitted.append(upload)
        self.redelivered.append(redelivered)
        self.seconds.append(seconds)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Given:
    """A queue handler with a fake queue and a fake submitter."""

    def __init__(self, outcome: Settled | Requeue | Exception = SETTLED) -> None:
        self.queue = RecordingQueue()
        self.submitter = FakeSubmitter(outcome)
        client: Any = self.queue
        submitter: Any = self.submitter
        self.handler = QueueHandler(submitter, UploadQueue(client, "https://queue.example"), "uploads")

    def handle(self, body: str = json.dumps(EVENT), *, receives: int = 1) -> bool:
        return self.handler.handle(Message(body, RECEIPT, receives), seconds=60)


def test_a_message_is_read_from_a_lambda_record() -> None:
    record = {
        "messageId": "m",
        "receiptHandle": RECEIPT,
        "body": "text",
        "attributes": {"ApproximateReceiveCount": "3"},
    }
    assert Message.from_record(record) == Message("text", RECEIPT, 3)


def test_a_message_about_an_upload_is_submitted_and_deleted() -> None:
    given = Given()
    assert given.handle()
    assert [upload.key for upload in given.submitter.submitted] == ["band/a.txt"]
    assert not given.queue.sent
    assert not given.queue.handed_back


def test_a_redelivered_message_is_submitted_as_such() -> None:
    given = Given()
    for receives in (1, 2, 3):
        given.handle(receives=receives)
    assert given.submitter.redelivered == [False, True, True]


def test_a_message_of_a_killed_worker_returns_after_its_time() -> None:
    given = Given()
    given.handle()
    assert given.queue.timeouts == [(RECEIPT, 60 + AFTER_THE_WORKER)]
    assert timedelta(seconds=AFTER_THE_WORKER) > LEASE_MARGIN


def test_a_message_is_handled_even_if_it_stays_hidden() -> None:
    given = Given()
    given.queue.is_down = True
    assert given.handle()
    assert given.submitter.submitted


def test_hiding_a_message_counts_as_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 119.0])
    monkeypatch.setattr("numberdrop.steps.queue_handler.monotonic", lambda: next(times))
    given = Given()
    given.handle()
    assert given.submitter.seconds == [60 - 19]


def test_a_test_message_submits_nothing() -> None:
    given = Given()
    given.handle('{"Event": "s3:TestEvent"}')
    assert not given.submitter.submitted


@pytest.mark.parametrize(
    ("seconds", "delay"), [(0, 0), (300, 300), (900, 900), (86_400, LONGEST_DELAY), (-3, 0)]
)
def test_a_message_to_requeue_is_sent_again_unchanged(seconds: int, delay: int) -> None:
    given = Given(Requeue(seconds))
    given.handle()
    assert given.queue.sent == [(json.dumps(EVENT), delay)]


@pytest.mark.parametrize(("receives", "pause"), [(1, 15), (2, 30), (3, 60), (5, 240), (20, LONGEST_DELAY)])
def test_a_failed_message_returns_after_a_growing_pause(receives: int, pause: int) -> None:
    given = Given(RuntimeError("storage is down"))
    assert not given.handle(receives=receives)
    assert given.queue.handed_back == [(RECEIPT, pause)]
    assert FIRST_RETRY_SECONDS == 15


def test_a_message_that_is_not_an_upload_returns_at_once() -> None:
    given = Given()
    assert not given.handle("not JSON")
    assert given.queue.handed_back == [(RECEIPT, 0)]
    assert not given.submitter.submitted


def test_a_failed_message_is_counted_instead_of_raised(capsys: pytest.CaptureFixture[str]) -> None:
    """After errors of the function, Lambda would slow down the whole queue."""
    Given(RuntimeError("storage is down")).handle()
    counted = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [json.loads(line)["MessagesFailed"] for line in counted] == [[1.0]]


def test_a_handled_message_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    Given().handle()
    assert "MessagesFailed" not in capsys.readouterr().out
