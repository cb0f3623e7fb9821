"""Command line: hints when a file is not picked up."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.simulator import Simulator
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.clock import utc_now
from numberdrop.jobs.breaker import Cause, OpenBreaker
from numberdrop.jobs.transitions import State
from numberdrop_cli import following
from tests.support.account import object_created
from tests.support.command_line import CommandLine, Meanwhile, interrupt, messages_in, nothing_happens
from tests.support.files import file_of
from tests.support.invocations import Functions


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


def a_new_stack(run: CommandLine) -> None:
    run.cloudformation.created_at = utc_now() - timedelta(minutes=5)


@pytest.mark.usefixtures("eventbridge")
def test_a_new_stack_is_named_as_the_cause(
    run: CommandLine, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_new_stack(run)
    monkeypatch.setattr(following, "HINT_AFTER", timedelta(0))
    meanwhile += [interrupt]
    output = run("send", "leads.txt", "--checker", "band", "--watch").stdout
    assert "S3 takes around five minutes before it sends the events of a new bucket" in output
    assert "numberdrop announce KEY" in output


def test_on_a_new_stack_send_says_how_to_announce(run: CommandLine) -> None:
    assert "announce" not in run("send", "leads.txt", "--checker", "band").stdout
    a_new_stack(run)
    output = run("send", "leads.txt", "--checker", "band").stdout
    assert "S3 takes around five minutes" in output
    assert "numberdrop announce KEY" in output


# Announcing by itself


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "ANNOUNCE_AFTER", timedelta(0))


@pytest.mark.usefixtures("impatient")
def test_a_file_whose_event_does_not_come_is_announced(
    run: CommandLine, meanwhile: Meanwhile, functions: Functions, simulator: Simulator, tmp_path: Path
) -> None:
    def event_comes_after_all() -> None:
        (message,) = messages_in(run.account.upload_queue)
        (upload,) = run.uploads()
        for body in (message, json.dumps(object_created(upload))):
            functions.deliver(body)

    (tmp_path / "leads.txt").write_bytes(file_of())
    meanwhile += [event_comes_after_all, interrupt]
    output = run("send", "leads.txt", "--checker", "band", "--watch").stdout
    assert output.count("so the file was announced") == 1
    assert len(simulator.charges) == 1


@pytest.mark.usefixtures("impatient")
def test_a_file_is_announced_once(run: CommandLine, meanwhile: Meanwhile) -> None:
    meanwhile += [nothing_happens, nothing_happens, interrupt]
    run("send", "leads.txt", "--checker", "band", "--watch")
    assert len(messages_in(run.account.upload_queue)) == 1


def test_no_file_is_announced_in_the_first_minutes(run: CommandLine, meanwhile: Meanwhile) -> None:
    meanwhile += [nothing_happens, interrupt]
    run("send", "leads.txt", "--checker", "band", "--watch")
    assert messages_in(run.account.upload_queue) == []


@pytest.mark.usefixtures("impatient")
def test_a_file_with_a_job_is_not_announced(run: CommandLine, meanwhile: Meanwhile) -> None:
    job = run.put(State.CLAIMED)
    meanwhile += [nothing_happens, interrupt]
    run("watch", job.job_id)
    assert messages_in(run.account.upload_queue) == []


@pytest.mark.usefixtures("impatient")
def test_a_file_behind_the_open_breaker_is_not_announced(run: CommandLine, meanwhile: Meanwhile) -> None:
    an_open_breaker(run)
    meanwhile += [nothing_happens, interrupt]
    run("send", "leads.txt", "--checker", "band", "--watch")
    assert messages_in(run.account.upload_queue) == []


@pytest.mark.usefixtures("impatient")
def test_a_file_is_not_announced_while_others_wait_in_the_queue(
    run: CommandLine, meanwhile: Meanwhile
) -> None:
    queue = run.account.upload_queue
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="another")

    def the_other_is_taken() -> None:
        assert messages_in(queue) == ["another"]

    meanwhile += [the_other_is_taken, interrupt]
    output = run("send", "leads.txt", "--checker", "band", "--watch").stdout
    assert output.count("so the file was announced") == 1
    (announcement,) = messages_in(queue)
    assert "leads.txt" in announcement


@pytest.mark.usefixtures("impatient")
def test_a_file_without_a_version_is_not_announced(run: CommandLine, meanwhile: Meanwhile) -> None:
    boto3.client("s3").create_bucket(Bucket="plain")
    run.cloudformation.outputs["UploadBucketName"] = "plain"
    meanwhile += [nothing_happens, interrupt]
    run("send", "leads.txt", "--checker", "band", "--watch")
    assert messages_in(run.account.upload_queue) == []


@pytest.mark.usefixtures("impatient")
def test_a_refused_announcement_is_reported_once(run: CommandLine, meanwhile: Meanwhile) -> None:
    run.cloudformation.outputs["UploadQueueUrl"] += "-that-is-gone"
    meanwhile += [nothing_happens, interrupt]
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert (result.exit_code, result.stdout.count("The file cannot be announced.")) == (130, 1)


def test_there_is_no_hint_in_the_first_minutes(run: CommandLine, meanwhile: Meanwhile) -> None:
    an_open_breaker(run)
    meanwhile += [nothing_happens, interrupt]
    assert "waits behind" not in run("send", "leads.txt", "--checker", "band", "--watch").stdout
