"""Command line: hints when a file is not picked up."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.jobs.breaker import Cause, OpenBreaker
from numberdrop_cli import following
from tests.support.command_line import CommandLine, Meanwhile, interrupt, nothing_happens


@pytest.fixture
def eventbridge(run: CommandLine) -> Iterator[None]:
    """Make the bucket send its events to EventBridge. moto's response does not include that setting."""

    def add_setting(parsed: dict[str, Any], **_: Any) -> None:
        parsed["EventBridgeConfiguration"] = {}

    assert boto3.DEFAULT_SESSION
    events = boto3.DEFAULT_SESSION.events
    events.register("after-call.s3.GetBucketNotificationConfiguration", add_setting)
    yield
    events.unregister("after-call.s3.GetBucketNotificationConfiguration", add_setting)


def nothing(_: CommandLine) -> None:
    pass


def an_open_breaker(run: CommandLine) -> None:
    CircuitBreaker(boto3.client("dynamodb"), run.account.jobs_table).open(OpenBreaker(holder="ab" * 32))


def an_outage(run: CommandLine) -> None:
    opened = OpenBreaker(holder="ab" * 32, cause=Cause.OUTAGE)
    CircuitBreaker(boto3.client("dynamodb"), run.account.jobs_table).open(opened)


def a_dead_letter(run: CommandLine) -> None:
    boto3.client("sqs").send_message(QueueUrl=run.dead_letters, MessageBody="message")


def a_queue_that_cannot_be_read(run: CommandLine) -> None:
    run.cloudformation.outputs["DeadLetterQueueUrl"] += "-that-is-gone"


@pytest.mark.usefixtures("eventbridge")
@pytest.mark.parametrize(
    ("obstacle", "hint"),
    [
        (an_open_breaker, "the file waits behind job abababababab"),
        (an_outage, "the vendor did not answer for job abababababab"),
        (a_dead_letter, "About 1 message(s) failed"),
        (nothing, "none of the usual causes was found"),
        (a_queue_that_cannot_be_read, "none of the usual causes was found"),
    ],
)
def test_a_file_that_is_not_picked_up_gets_a_hint(
    run: CommandLine,
    meanwhile: Meanwhile,
    monkeypatch: pytest.MonkeyPatch,
    obstacle: Callable[[CommandLine], None],
    hint: str,
) -> None:
    obstacle(run)
    monkeypatch.setattr(following, "HINT_AFTER", timedelta(0))
    meanwhile += [nothing_happens, interrupt]
    assert run("send", "leads.txt", "--checker", "band", "--watch").stdout.count(hint) == 1


def test_a_bucket_that_sends_no_events_is_reported(
    run: CommandLine, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "HINT_AFTER", timedelta(0))
    meanwhile += [interrupt]
    output = run("send", "leads.txt", "--checker", "band", "--watch").stdout
    assert "The bucket uploads does not send its events to EventBridge" in output
    assert "numberdrop announce" in output


def test_there_is_no_hint_in_the_first_minutes(run: CommandLine, meanwhile: Meanwhile) -> None:
    an_open_breaker(run)
    meanwhile += [nothing_happens, interrupt]
    assert "waits behind" not in run("send", "leads.txt", "--checker", "band", "--watch").stdout
