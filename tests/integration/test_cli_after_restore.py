"""Command line: `after-restore` puts in doubt what a restored ledger has forgotten, and sends nothing."""

from typing import Any

import boto3
import pytest

from local.simulator import Simulator
from numberdrop.aws.circuit_breaker import BREAKER_KEY
from numberdrop.aws.fences import Fences
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.task_ids import TaskIds
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import FORGOTTEN, State
from tests.support.account import Account, client
from tests.support.command_line import NO_EFFECTS, CommandLine, messages_in
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import a_job, an_upload

KNOWN = frozenset({"known"})
NOT_CHARGED = ["--not-charged", "--evidence", "The console lists no task.", "--yes"]


def put_up_fence(run: CommandLine, job: Job, token: str = "forgotten") -> None:
    armed = a_job(State.SUBMITTING, upload=job.upload, token=token)
    Fences(client("s3"), run.account.results_bucket).put_up(armed)


def forget(run: CommandLine, job_id: str) -> dict[str, Any]:
    """Delete the job from the ledger; return its item."""
    answer = client("dynamodb").delete_item(
        TableName=run.account.jobs_table, Key={"job_id": {"S": job_id}}, ReturnValues="ALL_OLD"
    )
    return dict(answer["Attributes"])


# What was forgotten


@pytest.mark.parametrize("state", [State.CLAIMED, State.BLOCKED, State.SUBMITTING, State.IN_DOUBT])
def test_a_forgotten_attempt_is_put_in_doubt(run: CommandLine, functions: Functions, state: State) -> None:
    job = run.put(state, fence_tokens=KNOWN, announced=frozenset({"in_doubt:SUBMISSION_IN_DOUBT"}))
    put_up_fence(run, job)
    result = run("after-restore", answer="y\n")
    assert (result.exit_code, result.stderr, run.effects) == (0, "", NO_EFFECTS)
    assert job.job_id[:12] in result.stdout
    after = run.stored(job)
    assert (after.state, after.charged) == (State.IN_DOUBT, None)
    assert after.fence_tokens == KNOWN | {"forgotten"}
    functions.reconcile({"detail-type": "Scheduled Event"})
    (event,) = run.account.events()
    assert event["detail"]["reason"]["code"] == "SUBMISSION_IN_DOUBT"
    assert (run.account.executions(), messages_in(run.account.upload_queue)) == ([], [])
    assert "knows every submission" in run("after-restore").stdout


def test_a_forgotten_job_is_found_by_its_upload(
    run: CommandLine, account: Account, functions: Functions, simulator: Simulator
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    functions.submit(upload)
    forget(run, upload.job_id)
    assert run("after-restore", "--yes").exit_code == 0
    job = account.job(upload)
    assert job
    assert (job.state, job.upload.key) == (State.IN_DOUBT, upload.key)
    functions.submit(upload)
    assert len(simulator.charges) == 1


def test_fences_without_an_upload_are_counted(run: CommandLine) -> None:
    put_up_fence(run, a_job(upload=an_upload("band/gone.txt")))
    result = run("after-restore", "--yes")
    assert result.exit_code == 0
    assert "1 more submission(s) are unknown" in result.stdout
    assert run.effects == NO_EFFECTS


@pytest.mark.parametrize("state", State)
def test_a_known_attempt_changes_nothing(run: CommandLine, state: State) -> None:
    job = run.put(state, fence_tokens=KNOWN)
    put_up_fence(run, job, "known")
    assert "knows every submission" in run("after-restore", "--yes").stdout
    assert (run.stored(job), run.effects) == (job, NO_EFFECTS)


@pytest.mark.parametrize("state", sorted(set(State) - FORGOTTEN.sources))
def test_a_job_that_is_never_sent_again_stays_as_it_is(run: CommandLine, state: State) -> None:
    job = run.put(state, fence_tokens=KNOWN)
    put_up_fence(run, job)
    assert "knows every submission" in run("after-restore", "--yes").stdout
    assert run.stored(job) == job


def test_nothing_changes_before_the_answer(run: CommandLine) -> None:
    job = run.put(State.CLAIMED)
    put_up_fence(run, job)
    assert run("after-restore", answer="n\n").exit_code == 1
    assert (run.stored(job), run.effects) == (job, NO_EFFECTS)


def test_a_job_that_is_being_sent_is_left_for_later(run: CommandLine, ledger: Ledger) -> None:
    job = run.put(State.SUBMITTING, lease_until=ledger.now().replace(year=2999, microsecond=0))
    put_up_fence(run, job)
    result = run("after-restore", "--yes")
    assert (result.exit_code, run.stored(job)) == (1, job)
    assert "being sent right now" in result.stderr
    assert "Run the command again" in result.stderr


# Deciding afterwards


def test_not_charged_is_refused_for_a_forgotten_attempt(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT, fence_tokens=KNOWN)
    put_up_fence(run, job)
    result = run("resolve", job.job_id, *NOT_CHARGED)
    assert (result.exit_code, run.stored(job), run.effects) == (1, job, NO_EFFECTS)
    assert "numberdrop after-restore" in result.stderr


@pytest.mark.parametrize("state", [State.CLAIMED, State.BLOCKED])
def test_giving_up_is_refused_for_a_forgotten_attempt(run: CommandLine, state: State) -> None:
    job = run.put(state, fence_tokens=KNOWN)
    put_up_fence(run, job)
    result = run("resolve", job.job_id, "--abandon", "--yes")
    assert (result.exit_code, run.stored(job), run.effects) == (1, job, NO_EFFECTS)
    assert "numberdrop after-restore" in result.stderr


def test_not_charged_removes_the_fence(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT, fence_tokens=KNOWN)
    put_up_fence(run, job, "known")
    assert run("resolve", job.job_id, *NOT_CHARGED).exit_code == 0
    assert run.account.fence(job.upload) is None


def test_abandoning_a_doubt_keeps_the_fence(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT, fence_tokens=KNOWN)
    put_up_fence(run, job, "known")
    assert run("resolve", job.job_id, "--abandon", "--yes").exit_code == 0
    assert run.account.fence(job.upload)


def test_a_forgotten_execution_is_not_taken_for_a_new_one(
    run: CommandLine, account: Account, functions: Functions
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    functions.submit(upload)
    forget(run, upload.job_id)
    run("after-restore", "--yes")
    assert run("resolve", upload.job_id, "--charged", "--task-id", "found", "--yes").exit_code == 0
    assert sorted(account.executions()) == [f"{upload.job_id}-1", f"{upload.job_id}-2"]


# Copying from the restored table


def restored_table() -> str:
    client("dynamodb").create_table(
        TableName="restored",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
    )
    return "restored"


def test_jobs_that_the_ledger_lacks_are_copied(run: CommandLine) -> None:
    lost, kept = run.put(State.COMPLETED, "band/lost.txt"), run.put(State.COMPLETED, "band/kept.txt")
    item, source = forget(run, lost.job_id), restored_table()
    dynamodb = boto3.client("dynamodb")
    dynamodb.put_item(TableName=source, Item=item)
    dynamodb.put_item(TableName=source, Item={**item, "job_id": {"S": kept.job_id}})
    TaskIds(dynamodb, source).assign("task-1", lost.job_id)
    dynamodb.put_item(TableName=source, Item={"job_id": {"S": BREAKER_KEY}})
    result = run("after-restore", "--from", source, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Copied 2 item(s)." in result.stdout
    assert (run.stored(lost), run.stored(kept)) == (lost, kept)
    assert not TaskIds(dynamodb, run.account.jobs_table).assign("task-1", "another job")
    key = {"job_id": {"S": BREAKER_KEY}}
    assert "Item" not in dynamodb.get_item(TableName=run.account.jobs_table, Key=key)


def test_a_missing_source_table_is_reported(run: CommandLine) -> None:
    result = run("after-restore", "--from", "no-such-table", "--yes")
    assert result.exit_code == 1
    assert "Error" in result.stderr
