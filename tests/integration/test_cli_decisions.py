"""Command line: the decisions that a person may make, their effects, and refusals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from numberdrop.aws.executions import Executions
from numberdrop.aws.fences import Fences
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.queue import UploadQueue
from numberdrop.aws.task_ids import TaskIds
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import upload_from_message
from numberdrop_cli.dead_letters import DeadLetters
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.operations import Operations
from tests.support.command_line import HOURS, NO_EFFECTS, CommandLine, messages_in
from tests.support.invocations import Functions
from tests.support.jobs import NOON, TASK_ID
from tests.support.refusals import RefusingStepFunctions

FOUND = ["--charged", "--task-id", "found-by-a-person"]
NOT_FOUND = ["--not-charged", "--evidence", "The console lists no task since 2026-03-04."]
GIVE_UP = ["--abandon"]
DECISIONS = [FOUND, NOT_FOUND, GIVE_UP]
COMMANDS = [["resolve", *decision] for decision in DECISIONS] + [["collect-again"]]


def operations(run: CommandLine, **changes: Any) -> Operations:
    client = boto3.client("dynamodb")
    ledger = Ledger(client, run.account.jobs_table, now=lambda: NOON)
    default = Operations(
        ledger=ledger,
        task_ids=TaskIds.beside(ledger),
        fences=Fences(boto3.client("s3"), run.account.results_bucket),
        jobs=JobsTable(client, run.account.jobs_table),
        executions=Executions(boto3.client("stepfunctions"), run.account.state_machine),
        queue=UploadQueue(boto3.client("sqs"), run.account.upload_queue),
        job_timeout=timedelta(hours=HOURS),
        now=lambda: NOON,
    )
    return replace(default, **changes)


# resolve


def test_a_job_resolved_as_charged_is_followed(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT)
    before = datetime.now(UTC)
    result = run("resolve", job.job_id, *FOUND, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    after = run.stored(job)
    assert (after.state, after.task_id, after.charged) == (State.SUBMITTED, "found-by-a-person", True)
    assert (after.reason, after.finished_at, after.run) == (None, None, 1)
    assert after.submitted_at
    assert after.submitted_at - before < timedelta(minutes=1)
    assert run.account.executions() == [f"{job.job_id}-1"]
    assert messages_in(run.account.upload_queue) == []


@pytest.mark.parametrize(("lease", "days_ago"), [(timedelta(days=1), 40), (timedelta(days=-41), 41)])
def test_a_charge_found_late_keeps_the_day_of_the_doubt(
    run: CommandLine, lease: timedelta, days_ago: int
) -> None:
    """The lease of a lost worker ended long before reconcile noticed that."""
    doubted = NOON - timedelta(days=40)
    job = run.put(State.IN_DOUBT, finished_at=doubted, lease_until=NOON + lease)
    assert operations(run).mark_charged(job, "found-by-a-person") is None
    assert run.stored(job).submitted_at == NOON - timedelta(days=days_ago)


def test_a_job_resolved_as_charged_gets_a_new_deadline(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT)
    assert operations(run).mark_charged(job, "found-by-a-person") is None
    after = run.stored(job)
    assert after.submitted_at == job.finished_at
    assert after.lease_until == NOON + timedelta(minutes=1)
    assert after.deadline == NOON + timedelta(hours=HOURS)


def test_a_task_of_another_job_is_refused(run: CommandLine) -> None:
    other = run.put(State.COMPLETED, "band/other.txt")
    job = run.put(State.IN_DOUBT)
    result = run("resolve", job.job_id, "--charged", "--task-id", TASK_ID, "--yes")
    assert result.exit_code == 1
    assert other.job_id in result.stderr
    assert run.stored(job) == job


def test_a_task_id_assigned_to_another_job_is_refused(run: CommandLine) -> None:
    TaskIds(boto3.client("dynamodb"), run.account.jobs_table).assign("found-by-a-person", "another job")
    job = run.put(State.IN_DOUBT)
    result = run("resolve", job.job_id, *FOUND, "--yes")
    assert (result.exit_code, run.stored(job)) == (1, job)
    assert "belongs to another job" in result.stderr


def test_a_job_resolved_as_not_charged_is_queued_again(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT)
    result = run("resolve", job.job_id, *NOT_FOUND, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    after = run.stored(job)
    assert (after.state, after.charged, after.evidence) == (State.CLAIMED, False, NOT_FOUND[-1])
    assert (after.reason, after.finished_at) == (None, None)
    (message,) = messages_in(run.account.upload_queue)
    upload = upload_from_message(message, bucket="uploads")
    assert upload
    assert upload.job_id == job.job_id
    assert run.account.executions() == []


def test_a_job_resolved_as_not_charged_has_no_lease(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT)
    assert operations(run).mark_not_charged(job, "evidence") is None
    after = run.stored(job)
    assert after.lease_until == NOON
    assert after.deadline == NOON + timedelta(hours=HOURS)


@pytest.mark.parametrize(
    ("state", "ended", "charged"),
    [
        (State.IN_DOUBT, State.ABANDONED, None),
        (State.BLOCKED, State.FAILED, False),
        (State.CLAIMED, State.FAILED, False),
    ],
)
def test_reconcile_announces_a_job_that_was_given_up(
    run: CommandLine,
    functions: Functions,
    capsys: pytest.CaptureFixture[str],
    state: State,
    ended: State,
    charged: bool | None,
) -> None:
    job = run.put(state)
    result = run("resolve", job.job_id, *GIVE_UP, "--yes")
    assert (result.exit_code, run.effects) == (0, NO_EFFECTS)
    after = run.stored(job)
    assert (after.state, after.charged) == (ended, charged)

    capsys.readouterr()
    functions.reconcile({"detail-type": "Scheduled Event"})
    (event,) = run.account.events()
    assert event["detail-type"] == "Number Check Failed"
    assert (event["detail"]["reason"]["code"], event["detail"]["charged"]) == ("ABORTED", charged)
    assert capsys.readouterr().out.count('"Failed":[1.0]') == 1
    functions.reconcile({"detail-type": "Scheduled Event"})
    assert run.account.events() == []
    assert '"Failed"' not in capsys.readouterr().out


def test_giving_up_an_unsent_upload_is_free_of_charge(run: CommandLine) -> None:
    assert (
        "nothing was charged" in run("resolve", run.put(State.BLOCKED).job_id, *GIVE_UP, answer="y\n").stdout
    )


@pytest.mark.parametrize("state", [State.IN_DOUBT, State.BLOCKED])
def test_a_decision_prints_no_metric(
    run: CommandLine, capfd: pytest.CaptureFixture[str], state: State
) -> None:
    result = run("resolve", run.put(state).job_id, *GIVE_UP, "--yes")
    assert "_aws" not in result.output + capfd.readouterr().out


def test_an_upload_cannot_be_given_up_while_it_is_being_sent(run: CommandLine) -> None:
    job = run.put(State.SUBMITTING)
    result = run("resolve", job.job_id, *GIVE_UP, "--yes")
    assert (result.exit_code, run.stored(job)) == (1, job)
    assert "being sent right now" in result.stderr


@pytest.mark.parametrize("decision", [FOUND, NOT_FOUND])
def test_a_second_doubt_will_be_announced_again(run: CommandLine, decision: list[str]) -> None:
    job = run.put(State.IN_DOUBT, announced=frozenset({"in_doubt:SUBMISSION_IN_DOUBT"}))
    run("resolve", job.job_id, *decision, "--yes")
    assert run.stored(job).announced == frozenset()


def test_resolve_says_what_it_may_cost_before_it_asks(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT)
    plan, _, question = run("resolve", job.job_id, *NOT_FOUND, answer="n\n").stdout.partition("Go on?")
    assert question
    assert "WILL be sent to the vendor again" in plan
    assert "may charge" in plan
    assert "stack numberdrop in us-east-1, account 123456789012" in plan


@pytest.mark.parametrize("answer", ["n\n", ""])
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_done_without_a_yes(run: CommandLine, command: list[str], answer: str) -> None:
    job = run.put(State.FAILED if command == ["collect-again"] else State.IN_DOUBT)
    result = run(command[0], job.job_id, *command[1:], answer=answer)
    assert result.exit_code == 1
    assert run.stored(job) == job
    assert run.effects == NO_EFFECTS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_yes_carries_out_the_decision(run: CommandLine, command: list[str]) -> None:
    job = run.put(State.FAILED if command == ["collect-again"] else State.IN_DOUBT)
    assert run(command[0], job.job_id, *command[1:], answer="y\n").exit_code == 0
    assert run.stored(job) != job


@pytest.mark.parametrize(
    ("state", "decision"),
    [
        (state, decision)
        for state in sorted(set(State) - {State.IN_DOUBT})
        for decision in DECISIONS
        if decision is not GIVE_UP or state not in {State.BLOCKED, State.CLAIMED, State.SUBMITTING}
    ],
)
def test_a_job_that_is_not_in_doubt_is_refused(run: CommandLine, state: State, decision: list[str]) -> None:
    job = run.put(state)
    result = run("resolve", job.job_id, *decision, "--yes")
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: The job is {state}, not in_doubt: there is nothing to resolve.\n",
    )
    assert run.stored(job) == job


@pytest.mark.parametrize("command", COMMANDS)
def test_a_job_that_changed_meanwhile_is_refused(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    job = run.put(State.FAILED if command == ["collect-again"] else State.IN_DOUBT)
    moved = replace(job, last_write="another-write")
    monkeypatch.setattr("click.confirm", lambda *_, **__: run.account.put(moved))
    result = run(command[0], job.job_id, *command[1:])
    assert result.exit_code == 1
    assert "Error: The job has changed since." in result.stderr
    assert run.stored(job) == moved
    assert run.effects == NO_EFFECTS


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--charged"],
        ["--not-charged"],
        ["--task-id", "found-by-a-person"],
        ["--charged", "--task-id", "found-by-a-person", "--evidence", "both"],
        ["--abandon", "--task-id", "found-by-a-person"],
        ["--charged", "--task-id", "../elsewhere"],
        ["--charged", "--task-id", "newline\n"],
        ["--not-charged", "--evidence", " "],
        ["--not-charged", "--evidence", "I called +44 7700 900123."],
        ["--not-charged", "--evidence", "jane@mail.example answered."],
    ],
)
def test_an_invalid_decision_is_a_usage_error(run: CommandLine, arguments: list[str]) -> None:
    job = run.put(State.IN_DOUBT)
    result = run("resolve", job.job_id, *arguments, "--yes")
    assert result.exit_code == 2
    assert "900123" not in result.output
    assert run.stored(job) == job


# The step after the ledger write fails


def test_an_execution_that_cannot_start_is_left_to_reconcile(run: CommandLine) -> None:
    refusing = Executions(RefusingStepFunctions("AccessDeniedException"), run.account.state_machine)  # type: ignore[arg-type]
    job = run.put(State.IN_DOUBT)
    unfinished = operations(run, executions=refusing).mark_charged(job, "found")
    assert unfinished
    assert "AccessDeniedException" in unfinished
    assert run.stored(job).state is State.SUBMITTED


def test_a_step_that_is_left_to_reconcile_is_reported(run: CommandLine) -> None:
    run.cloudformation.outputs["UploadQueueUrl"] = (
        run.cloudformation.outputs["UploadQueueUrl"] + "-that-is-gone"
    )
    job = run.put(State.IN_DOUBT)
    result = run("resolve", job.job_id, *NOT_FOUND, "--yes")
    assert result.exit_code == 0
    assert "The ledger holds the decision" in result.stderr
    assert "back in the queue" not in result.stdout
    assert run.stored(job).state is State.CLAIMED


# collect-again


def test_another_execution_collects_a_task_again(run: CommandLine) -> None:
    job = run.put(State.FAILED, announced=frozenset({"failed:TASK_FAILED"}))
    result = run("collect-again", job.job_id, answer="y\n")
    assert result.exit_code == 0
    assert "never causes a new charge" in result.stdout
    after = run.stored(job)
    assert (after.state, after.run, after.task_id) == (State.SUBMITTED, 2, TASK_ID)
    assert (after.reason, after.finished_at, after.charged) == (None, None, True)
    assert after.announced == frozenset()
    assert run.account.executions() == [f"{job.job_id}-2"]
    assert messages_in(run.account.upload_queue) == []


def test_a_second_collection_gets_a_new_deadline(run: CommandLine) -> None:
    job = run.put(State.FAILED)
    assert operations(run).collect_again(job) is None
    after = run.stored(job)
    assert after.lease_until == NOON + timedelta(minutes=1)
    assert after.deadline == NOON + timedelta(hours=HOURS)


@pytest.mark.parametrize("state", sorted(set(State) - {State.FAILED}))
def test_a_job_that_has_not_failed_is_not_collected_again(run: CommandLine, state: State) -> None:
    job = run.put(state)
    result = run("collect-again", job.job_id, "--yes")
    assert (result.exit_code, run.stored(job)) == (1, job)
    assert f"The job is {state}, not failed" in result.stderr


def test_a_job_without_a_task_is_not_collected_again(run: CommandLine) -> None:
    job = run.put(State.FAILED, task_id=None, charged=False)
    result = run("collect-again", job.job_id, "--yes")
    assert (result.exit_code, run.stored(job)) == (1, job)
    assert "nothing to collect" in result.stderr


# redrive


def test_dead_letters_go_back_to_the_upload_queue(run: CommandLine) -> None:
    sqs = boto3.client("sqs")
    bodies = [f"message {n}" for n in range(12)]
    for body in bodies:
        sqs.send_message(QueueUrl=run.dead_letters, MessageBody=body)
    result = run("redrive", answer="y\n")
    assert result.exit_code == 0
    assert "the ledger knows\nevery job" in result.stdout
    assert "Moved 12 message(s)." in result.stdout
    assert sorted(messages_in(run.account.upload_queue) + messages_in(run.account.upload_queue)) == sorted(
        bodies
    )
    assert run("redrive").stdout == "The dead-letter queue is empty.\n"


def test_dead_letters_stay_without_a_yes(run: CommandLine) -> None:
    boto3.client("sqs").send_message(QueueUrl=run.dead_letters, MessageBody="message")
    assert run("redrive", answer="n\n").exit_code == 1
    assert (messages_in(run.dead_letters), messages_in(run.account.upload_queue)) == (["message"], [])


class TwoQueues:
    """A fake SQS client whose moved messages come straight back, or that has no messages."""

    def __init__(self, *, empty: bool = False) -> None:
        self.empty = empty
        self.sent = 0

    def receive_message(self, **request: Any) -> dict[str, Any]:
        message = {"Body": "message", "ReceiptHandle": "handle"}
        return {} if self.empty else {"Messages": [message] * request["MaxNumberOfMessages"]}

    def send_message(self, **_: Any) -> None:
        self.sent += 1

    def delete_message(self, **_: Any) -> None:
        pass


@pytest.mark.parametrize(("empty", "moved"), [(False, 13), (True, 0)])
def test_a_redrive_ends(*, empty: bool, moved: int) -> None:
    queues = TwoQueues(empty=empty)
    assert DeadLetters(queues, "dead", "upload").redrive(13) == queues.sent == moved  # type: ignore[arg-type]
