"""Command line: `events` follows the bus, and leaves nothing behind."""

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from numberdrop.jobs.events import DETAIL_TYPES, SOURCE, detail
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.event_tap import PREFIX, EventTap, LeftBehindError, event_tap
from numberdrop_cli.signals import STOPPING
from tests.support.account import Account
from tests.support.command_line import CommandLine
from tests.support.jobs import a_job, an_upload

Steps = list[Callable[[], Any]]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Return what happens before each look at the queue; the command is stopped afterwards."""
    waiting: Steps = []
    receive = EventTap.receive

    def receive_after_step(tap: EventTap, **_: Any) -> Any:
        if not waiting:
            os.kill(os.getpid(), signal.SIGTERM)
        waiting.pop(0)()
        return receive(tap, wait_seconds=0)

    monkeypatch.setattr(EventTap, "receive", receive_after_step)
    return waiting


def announce(
    account: Account, state: State, upload: Upload | None = None, **changes: Any
) -> Callable[[], Any]:
    """Return a call that emits the event of a job in this state."""
    job = a_job(state, upload=upload or an_upload(), **changes)
    entry: Any = {
        "EventBusName": account.bus,
        "Source": SOURCE,
        "DetailType": DETAIL_TYPES[state],
        "Detail": json.dumps(detail(job)),
    }
    return lambda: boto3.client("events").put_events(Entries=[entry])


def left_behind(account: Account) -> list[str]:
    """Return the queues and rules that a tap has made."""
    queues = boto3.client("sqs").list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", [])
    rules = boto3.client("events").list_rules(EventBusName=account.bus, NamePrefix=PREFIX)["Rules"]
    return [*queues, *(rule["Name"] for rule in rules)]


def test_each_event_is_one_line(run: CommandLine, steps: Steps) -> None:
    steps += [
        announce(run.account, State.COMPLETED),
        announce(run.account, State.BLOCKED, reason=Reason(ReasonCode.BAD_API_KEY, "The key is refused.")),
    ]
    result = run("events")
    completed, blocked = result.stdout.splitlines()
    job = a_job(State.COMPLETED, upload=an_upload()).job_id[:12]
    assert completed.endswith(
        f"{job}  band/spring/leads.txt: completed; 99 resolved, 1 unresolved; no 39, yes 60"
    )
    assert blocked.endswith(
        f"{job}  band/spring/leads.txt: needs attention. BAD_API_KEY: The key is refused."
    )
    assert "Following stack numberdrop in us-east-1, account 123456789012." in result.stderr


def test_json_is_the_event_as_it_came(run: CommandLine, steps: Steps) -> None:
    steps += [announce(run.account, State.COMPLETED)]
    (line,) = run("events", "--json").stdout.splitlines()
    event = json.loads(line)
    assert (event["source"], event["detail-type"]) == ("numberdrop", "Number Check Completed")
    (other,) = run.account.events()
    assert event["detail"] == other["detail"]


def test_events_show_no_phone_number(run: CommandLine, steps: Steps) -> None:
    for arguments in ([], ["--json"]):
        upload = an_upload(f"band/+447700900123{len(arguments)}.txt")
        steps += [announce(run.account, State.FAILED, upload)]
        output = run("events", *arguments).output
        assert "[digits]" in output
        assert "7700" not in output


def test_events_of_another_stack_are_not_shown(run: CommandLine, steps: Steps) -> None:
    other = Upload("other-uploads", "band/leads.txt", "v1", "etag", 1200, "0A")
    steps += [announce(run.account, State.COMPLETED, other)]
    assert run("events").stdout == ""


def test_a_message_that_comes_twice_is_shown_once(
    run: CommandLine, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = EventTap.receive
    monkeypatch.setattr(EventTap, "receive", lambda tap, **_: receive(tap) * 2)
    steps += [announce(run.account, State.COMPLETED)]
    assert len(run("events").stdout.splitlines()) == 1


def test_a_broken_connection_does_not_end_the_command(
    run: CommandLine, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down() -> None:
        raise EndpointConnectionError(endpoint_url="https://sqs")

    pauses: list[float] = []
    monkeypatch.setattr("numberdrop_cli.commands.events.sleep", pauses.append)
    steps += [break_down, announce(run.account, State.COMPLETED)]
    assert len(run("events").stdout.splitlines()) == 1
    assert len(pauses) == 1


# The end


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_removes_the_queue_and_the_rule(
    run: CommandLine, steps: Steps, number: signal.Signals
) -> None:
    before = [signal.getsignal(each) for each in STOPPING]

    def stop() -> None:
        assert len(left_behind(run.account)) == 2
        os.kill(os.getpid(), number)

    steps += [stop]
    result = run("events")
    assert result.exit_code == 128 + number
    assert result.stderr.endswith("Stopped. The queue and the rule were removed.\n")
    assert left_behind(run.account) == []
    assert [signal.getsignal(each) for each in STOPPING] == before


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_that_was_ignored_stays_ignored(
    run: CommandLine, steps: Steps, number: signal.Signals
) -> None:
    """`nohup` starts a command like this."""
    other = signal.SIGTERM if number is not signal.SIGTERM else signal.SIGINT
    before = signal.signal(number, signal.SIG_IGN)
    steps += [
        lambda: os.kill(os.getpid(), number),
        announce(run.account, State.COMPLETED),
        lambda: os.kill(os.getpid(), other),
    ]
    try:
        result = run("events")
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert len(result.stdout.splitlines()) == 1
    assert result.exit_code == 128 + other


def test_an_error_removes_the_queue_and_the_rule(run: CommandLine, steps: Steps) -> None:
    def fail() -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ReceiveMessage")

    steps += [fail]
    result = run("events")
    assert (result.exit_code, left_behind(run.account)) == (1, [])
    assert "AccessDenied" in result.stderr


@pytest.mark.parametrize("operation", ["CreateQueue", "PutTargets", "PutRule"])
def test_a_refused_request_leaves_nothing_behind(run: CommandLine, operation: str) -> None:
    service = "sqs" if operation == "CreateQueue" else "events"
    name = f"before-call.{service}.{operation}"

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    assert boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION.events.register(name, refuse)
    try:
        result = run("events")
    finally:
        boto3.DEFAULT_SESSION.events.unregister(name, refuse)
    assert (result.exit_code, left_behind(run.account)) == (1, [])
    assert operation in result.stderr


def test_what_cannot_be_removed_is_named(account: Account) -> None:
    events, sqs = boto3.client("events"), boto3.client("sqs")

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteQueue")

    sqs.meta.events.register("before-call.sqs.DeleteQueue", refuse)
    with (
        pytest.raises(LeftBehindError, match=f"Could not remove: queue {PREFIX}"),
        event_tap(events, sqs, account.bus, {"source": ["numberdrop"]}),
    ):
        pass
    assert len(left_behind(account)) == 1
