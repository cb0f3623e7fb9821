"""The command line: what may be wrong when a file is not picked up."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop_cli import following
from tests.support.command_line import CommandLine, Meanwhile, interrupt, nothing_more


@pytest.fixture
def eventbridge(run: CommandLine) -> Iterator[None]:
    """The bucket's events go to EventBridge; moto's answer does not say so by itself."""

    def say_so(parsed: dict[str, Any], **_: Any) -> None:
        parsed["EventBridgeConfiguration"] = {}

    assert boto3.DEFAULT_SESSION
    events = boto3.DEFAULT_SESSION.events
    events.register("after-call.s3.GetBucketNotificationConfiguration", say_so)
    yield
    events.unregister("after-call.s3.GetBucketNotificationConfiguration", say_so)


def nothing(_: CommandLine) -> None:
    pass


def a_stopped_line(run: CommandLine) -> None:
    CircuitBreaker(boto3.client("dynamodb"), run.account.jobs_table).trip("ab" * 32)


def a_dead_letter(run: CommandLine) -> None:
    boto3.client("sqs").send_message(QueueUrl=run.dead_letters, MessageBody="message")


def what_may_not_be_looked_at(run: CommandLine) -> None:
    run.cloudformation.outputs["DeadLetterQueueUrl"] += "-that-is-gone"


@pytest.mark.usefixtures("eventbridge")
@pytest.mark.parametrize(
    ("obstacle", "told"),
    [
        (a_stopped_line, "It waits behind the job abababababab"),
        (a_dead_letter, "About 1 message(s) could not be taken in"),
        (nothing, "none of the usual causes was found"),
        (what_may_not_be_looked_at, "none of the usual causes was found"),
    ],
)
def test_a_file_that_is_not_picked_up_in_time_gets_a_hint(
    run: CommandLine,
    meanwhile: Meanwhile,
    monkeypatch: pytest.MonkeyPatch,
    obstacle: Callable[[CommandLine], None],
    told: str,
) -> None:
    obstacle(run)
    monkeypatch.setattr(following, "HINT_AFTER", timedelta(0))
    meanwhile += [nothing_more, interrupt]
    assert run("send", "leads.txt", "--checker", "band", "--watch").stdout.count(told) == 1


def test_a_bucket_that_does_not_tell_eventbridge_is_told(
    run: CommandLine, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "HINT_AFTER", timedelta(0))
    meanwhile += [interrupt]
    told = run("send", "leads.txt", "--checker", "band", "--watch").stdout
    assert "The bucket uploads does not send its events to EventBridge" in told
    assert "numberdrop announce" in told


def test_there_is_no_hint_while_it_is_early(run: CommandLine, meanwhile: Meanwhile) -> None:
    a_stopped_line(run)
    meanwhile += [nothing_more, interrupt]
    assert "waits behind" not in run("send", "leads.txt", "--checker", "band", "--watch").stdout
