"""Reconciling: unsettled jobs are repaired and announced, and nothing is charged again."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.simulator import Simulator
from numberdrop.aws.executions import ExecutionStatus
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.breaker import OpenBreaker
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import FOLLOWED, State
from numberdrop.jobs.upload import Upload, upload_from_message
from numberdrop.steps.reconciliation import AFTER_DEADLINE, PATIENCE, Reconciler
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions, LogLines
from tests.support.jobs import NOON, a_job, an_upload
from tests.support.outcomes import ending_of, job_of
from tests.support.reconcilers import A_DAY, VALID_LEASE, reconciler_at, store
from tests.support.refusals import RefusingEventBridge

A_MOMENT = timedelta(seconds=1)

ENDINGS = [State.COMPLETED, State.FAILED, State.IN_DOUBT, State.ABANDONED]
SILENT_ENDS = [
    (ExecutionStatus.ABORTED, ReasonCode.ABORTED),
    (ExecutionStatus.TIMED_OUT, ReasonCode.TIMED_OUT),
    (ExecutionStatus.FAILED, ReasonCode.INTERNAL),
    (ExecutionStatus.SUCCEEDED, ReasonCode.INTERNAL),
]


@pytest.fixture
def at_noon(account: Account) -> Reconciler:
    return reconciler_at(account, NOON)


def queued_uploads(account: Account) -> list[Upload | None]:
    """Return the uploads of the messages in the queue."""
    answer = boto3.client("sqs").receive_message(QueueUrl=account.upload_queue, MaxNumberOfMessages=10)
    messages = answer.get("Messages", [])
    return [upload_from_message(message["Body"], bucket=account.upload_bucket) for message in messages]


def announced_reasons(account: Account) -> list[str]:
    return [event["detail"]["reason"]["code"] for event in account.events()]


class UniformStepFunctions:
    """Step Functions that returns the same status for every execution."""

    def __init__(self, status: ExecutionStatus) -> None:
        self._status = status

    def describe_execution(self, **_: str) -> dict[str, str]:
        return {"status": self._status}


def with_execution_status(reconciler: Reconciler, status: ExecutionStatus) -> Reconciler:
    client: Any = UniformStepFunctions(status)
    return replace(reconciler, executions=replace(reconciler.executions, client=client))


# Lost workers


def test_a_claim_without_a_worker_gets_a_new_message(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.CLAIMED, lease_until=NOON - PATIENCE)
    assert at_noon.run() == {"restarted": 1}
    assert queued_uploads(account) == [job.upload]
    restarted = job_of(account, job.upload)
    assert (restarted.state, restarted.lease_until, restarted.deadline) == (State.CLAIMED, NOON, job.deadline)
    assert restarted.token != job.token
    assert account.events() == []


def test_a_claim_is_left_to_its_own_message_at_first(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.CLAIMED, lease_until=NOON - PATIENCE + A_MOMENT)
    assert at_noon.run() == {"left alone": 1}
    assert (queued_uploads(account), job_of(account, job.upload)) == ([], job)


def test_patience_with_a_claim_grows_with_its_age(account: Account) -> None:
    """Otherwise reconcile would fill a slow queue with its messages."""
    late = reconciler_at(account, NOON + timedelta(hours=1))
    job = store(account, State.CLAIMED, deadline=NOON + A_DAY, lease_until=NOON + timedelta(minutes=31))
    assert late.run() == {"left alone": 1}
    account.put(replace(job, lease_until=NOON + timedelta(minutes=29)))
    assert late.run() == {"restarted": 1}


@pytest.mark.parametrize("deadline", [NOON - A_DAY, NOON + 7 * A_DAY])
def test_a_changed_timeout_does_not_make_jobs_look_older(
    account: Account, at_noon: Reconciler, capsys: pytest.CaptureFixture[str], deadline: datetime
) -> None:
    store(account, State.SUBMITTED, created_at=NOON - timedelta(minutes=10), deadline=deadline)
    at_noon.run()
    assert 0 <= metrics_of(capsys)["OldestTaskAge"] <= 600


def test_no_claim_is_left_alone_for_more_than_two_hours(account: Account) -> None:
    very_late = reconciler_at(account, NOON + timedelta(hours=20))
    store(account, State.CLAIMED, deadline=NOON + A_DAY, lease_until=NOON + timedelta(hours=18))
    assert very_late.run() == {"restarted": 1}


def test_a_claim_past_its_deadline_is_ended(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.CLAIMED, lease_until=NOON - A_DAY, deadline=NOON)
    assert at_noon.run() == {"timed out": 1}
    assert queued_uploads(account) == []
    assert ending_of(account, job.upload) == (State.FAILED, ReasonCode.TIMED_OUT, False)
    assert at_noon.run() == {}


def test_a_claim_that_could_not_be_read_ends_with_the_cause(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.CLAIMED, lease_until=NOON - A_DAY, deadline=NOON, read_error="AccessDenied")
    assert at_noon.run() == {"timed out": 1}
    reason = job_of(account, job.upload).reason
    assert reason
    assert "S3 answered AccessDenied" in reason.message


def test_a_timed_out_holder_closes_the_breaker(account: Account, at_noon: Reconciler) -> None:
    holder = store(account, State.CLAIMED, lease_until=NOON - A_DAY, deadline=NOON)
    at_noon.breaker.open(OpenBreaker(holder=holder.job_id))
    assert at_noon.run() == {"timed out": 1}
    at_noon.run()
    assert at_noon.breaker.holder() is None


def test_a_restarted_claim_is_sent_and_charged_once(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = account.drop("band/a.txt", file_of())
    store(account, State.CLAIMED, upload=upload, deadline=datetime.now(NOON.tzinfo) + A_DAY)
    assert functions.reconcile({"detail-type": "Scheduled Event"}) == {"restarted": 1}
    for _ in range(2):
        functions.submit(upload)
    assert (job_of(account, upload).state, len(simulator.charges)) == (State.SUBMITTED, 1)


def test_a_worker_lost_while_sending_leaves_a_doubt(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.SUBMITTING)
    assert at_noon.run() == {"put in doubt": 1}
    assert ending_of(account, job.upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    assert queued_uploads(account) == []
    assert at_noon.run() == {}


@pytest.mark.parametrize("state", [State.SUBMITTING, State.SUBMITTED, State.ANSWERED])
def test_a_job_with_a_valid_lease_is_left_to_its_worker(
    account: Account, at_noon: Reconciler, state: State
) -> None:
    job = store(account, state, lease_until=NOON + A_MOMENT)
    assert at_noon.run() == {"left alone": 1}
    assert (job_of(account, job.upload), account.executions()) == (job, [])


# Executions


@pytest.mark.parametrize("state", [State.SUBMITTED, State.ANSWERED])
def test_an_execution_that_was_never_started_is_started(
    account: Account, at_noon: Reconciler, state: State
) -> None:
    job = store(account, state)
    assert at_noon.run() == {"started": 1}
    assert account.executions() == [job.execution_name]
    assert account.events() == []


@pytest.mark.parametrize("deadline", [NOON + A_DAY, NOON - A_DAY])
def test_a_running_execution_is_left_alone(account: Account, at_noon: Reconciler, deadline: datetime) -> None:
    job = store(account, State.SUBMITTED, deadline=deadline)
    at_noon.executions.start(job)
    assert at_noon.run() == {"left alone": 1}
    extended = job_of(account, job.upload)
    assert extended.lease_until == max(deadline, NOON) + AFTER_DEADLINE
    assert extended.state is State.SUBMITTED


def test_a_stopped_execution_fails_its_job(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.SUBMITTED)
    at_noon.executions.start(job)
    machine = boto3.client("stepfunctions")
    (execution,) = machine.list_executions(stateMachineArn=account.state_machine)["executions"]
    machine.stop_execution(executionArn=execution["executionArn"])
    assert at_noon.run() == {"failed for its execution": 1}
    assert ending_of(account, job.upload) == (State.FAILED, ReasonCode.ABORTED, True)
    assert at_noon.run() == {}


@pytest.mark.parametrize(("status", "code"), SILENT_ENDS)
def test_a_silent_end_of_an_execution_fails_its_job(
    account: Account, at_noon: Reconciler, status: ExecutionStatus, code: ReasonCode
) -> None:
    job = store(account, State.SUBMITTED)
    assert with_execution_status(at_noon, status).run() == {"failed for its execution": 1}
    assert ending_of(account, job.upload) == (State.FAILED, code, True)


@pytest.mark.parametrize(("status", "code"), SILENT_ENDS)
def test_an_answered_job_fails_free_of_charge(
    account: Account, at_noon: Reconciler, status: ExecutionStatus, code: ReasonCode
) -> None:
    job = store(account, State.ANSWERED)
    assert with_execution_status(at_noon, status).run() == {"failed for its execution": 1}
    assert ending_of(account, job.upload) == (State.FAILED, code, False)
    reason = job_of(account, job.upload).reason
    assert reason
    assert "Nothing was charged" in reason.message


def test_a_redriven_execution_is_waited_for(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.SUBMITTED)
    waiting = with_execution_status(at_noon, ExecutionStatus.PENDING_REDRIVE)
    assert waiting.run() == {"left alone": 1}
    assert job_of(account, job.upload) == job


# Executions that have just ended


@pytest.mark.parametrize(("status", "code"), SILENT_ENDS[:3])
def test_the_end_of_an_execution_settles_its_job_at_once(
    account: Account, functions: Functions, status: ExecutionStatus, code: ReasonCode
) -> None:
    job = store(account, State.SUBMITTED, lease_until=VALID_LEASE)
    event = {
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"name": job.execution_name, "status": status},
    }
    assert functions.reconcile(event) == "failed for its execution"
    assert ending_of(account, job.upload) == (State.FAILED, code, True)
    assert functions.reconcile(event) == "left alone"
    assert account.events() == []


@pytest.mark.parametrize("state", [state for state in State if state not in FOLLOWED])
def test_the_end_of_an_execution_changes_only_followed_jobs(
    account: Account, at_noon: Reconciler, state: State
) -> None:
    job = store(account, state)
    assert at_noon.settle(job.execution_name, ExecutionStatus.ABORTED) == "left alone"
    assert (job_of(account, job.upload), account.events()) == (job, [])


def test_the_end_of_an_earlier_run_does_not_affect_the_current(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.SUBMITTED, run=2)
    assert at_noon.settle(f"{job.job_id}-1", ExecutionStatus.FAILED) == "left alone"
    assert job_of(account, job.upload) == job


@pytest.mark.parametrize("name", ["by-hand", "byhand", "-1", "1c3f9b1e-0c5d-4b42-9d53-000000000001"])
def test_the_end_of_a_foreign_execution_is_ignored(at_noon: Reconciler, name: str) -> None:
    assert at_noon.settle(name, ExecutionStatus.FAILED) == "left alone"


# Events


@pytest.mark.parametrize("state", ENDINGS)
def test_an_unannounced_ending_is_announced(account: Account, at_noon: Reconciler, state: State) -> None:
    job = store(account, state)
    assert at_noon.run() == {"announced": 1}
    assert [event["detail"]["job_id"] for event in account.events()] == [job.job_id]
    assert at_noon.run() == {}


def test_a_blocked_job_is_announced_once_and_stays_unsettled(account: Account, at_noon: Reconciler) -> None:
    store(account, State.BLOCKED, lease_until=VALID_LEASE)
    for _ in range(2):
        assert at_noon.run() == {"announced": 1}
    assert announced_reasons(account) == [ReasonCode.BAD_API_KEY]


def test_a_refused_event_is_emitted_in_the_next_run(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.COMPLETED)
    bus: Any = RefusingEventBridge()
    refusing = replace(at_noon, announcer=replace(at_noon.announcer, client=bus))
    assert refusing.run() == {"failed": 1}
    assert job_of(account, job.upload).announced == frozenset()
    assert at_noon.run() == {"announced": 1}
    assert len(account.events()) == 1


def test_a_doubt_with_a_refused_event_is_announced_later(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.SUBMITTING)
    bus: Any = RefusingEventBridge()
    assert replace(at_noon, announcer=replace(at_noon.announcer, client=bus)).run() == {"failed": 1}
    assert at_noon.run() == {"announced": 1}
    assert ending_of(account, job.upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)


# The circuit breaker


def test_the_breakers_holder_is_retried_after_its_pause(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.BLOCKED)
    at_noon.breaker.open(OpenBreaker(holder=job.job_id))
    assert at_noon.run() == {"restarted": 1}
    assert queued_uploads(account) == [job.upload]
    assert announced_reasons(account) == [ReasonCode.BAD_API_KEY]
    restarted = job_of(account, job.upload)
    assert (restarted.state, restarted.deadline) == (State.CLAIMED, NOON + A_DAY)
    assert at_noon.breaker.holder() == job.job_id


def test_a_holder_without_a_worker_is_restarted(account: Account, at_noon: Reconciler) -> None:
    job = store(account, State.CLAIMED, lease_until=NOON - PATIENCE)
    at_noon.breaker.open(OpenBreaker(holder=job.job_id))
    assert at_noon.run() == {"restarted": 1}


def test_a_claim_behind_an_open_breaker_loses_no_time(account: Account, at_noon: Reconciler) -> None:
    holder = store(account, State.BLOCKED, lease_until=VALID_LEASE)
    waiting = store(account, State.CLAIMED, upload=an_upload("b"), lease_until=NOON, deadline=NOON)
    at_noon.breaker.open(OpenBreaker(holder=holder.job_id))
    assert at_noon.run() == {"announced": 1, "left alone": 1}
    assert queued_uploads(account) == []
    assert job_of(account, waiting.upload) == replace(waiting, deadline=NOON + A_DAY)


@pytest.mark.parametrize("state", [*ENDINGS, *sorted(FOLLOWED)])
def test_the_breaker_closes_when_its_holder_has_moved_on(
    account: Account, at_noon: Reconciler, state: State
) -> None:
    holder = store(account, state, lease_until=VALID_LEASE)
    waiting = store(account, State.CLAIMED, upload=an_upload("band/b.txt"), lease_until=NOON - PATIENCE)
    at_noon.breaker.open(OpenBreaker(holder=holder.job_id))
    assert at_noon.run()["restarted"] == 1
    assert at_noon.breaker.holder() is None
    assert queued_uploads(account) == [waiting.upload]


def test_the_breaker_closes_when_its_holder_is_not_a_job(at_noon: Reconciler) -> None:
    at_noon.breaker.open(OpenBreaker(holder="a" * 64))
    at_noon.run()
    assert at_noon.breaker.holder() is None


@pytest.mark.parametrize("state", [State.BLOCKED, State.CLAIMED, State.SUBMITTING])
def test_the_breaker_stays_open_while_its_holder_is_retried(
    account: Account, at_noon: Reconciler, state: State
) -> None:
    holder = store(account, state, lease_until=VALID_LEASE)
    at_noon.breaker.open(OpenBreaker(holder=holder.job_id))
    at_noon.run()
    assert at_noon.breaker.holder() == holder.job_id


# Jobs that cannot be repaired


@dataclass(frozen=True)
class StaleLedger(Ledger):
    """A ledger that returns an outdated job, because somebody else has written since."""

    stale: Job | None = None

    def get(self, job_id: str) -> Job | None:
        return self.stale


def test_an_unreadable_job_does_not_stop_the_others(account: Account, at_noon: Reconciler) -> None:
    other = store(account, State.COMPLETED)
    broken = {"job_id": "0" * 64, "unsettled": "0", "state": "no such state"}
    boto3.resource("dynamodb").Table(account.jobs_table).put_item(Item=broken)
    assert at_noon.run() == {"failed": 1, "announced": 1}
    assert [event["detail"]["job_id"] for event in account.events()] == [other.job_id]


def test_a_job_that_changed_meanwhile_is_left_alone(account: Account, at_noon: Reconciler) -> None:
    stored = store(account, State.SUBMITTED)
    ledger = StaleLedger(at_noon.ledger.client, account.jobs_table, at_noon.now, a_job(State.SUBMITTING))
    assert replace(at_noon, ledger=ledger).run() == {"moved on": 1}
    assert (job_of(account, stored.upload), account.events()) == (stored, [])


def test_a_job_that_is_gone_is_skipped(account: Account, at_noon: Reconciler) -> None:
    store(account, State.SUBMITTED)
    ledger = StaleLedger(at_noon.ledger.client, account.jobs_table, at_noon.now)
    assert replace(at_noon, ledger=ledger).run() == {"gone": 1}


def test_an_unavailable_execution_is_checked_in_the_next_run(account: Account, at_noon: Reconciler) -> None:
    class Throttled:
        def describe_execution(self, **_: str) -> None:
            raise ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "no"}}, "DescribeExecution"
            )

    job = store(account, State.SUBMITTED)
    client: Any = Throttled()
    throttled = replace(at_noon, executions=replace(at_noon.executions, client=client))
    assert throttled.run() == {"failed": 1}
    assert at_noon.run() == {"started": 1}
    assert account.executions() == [job.execution_name]


def metrics_of(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Return the latest value of each metric with the dimension of the stack."""
    embedded = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line]
    return {
        metric["Name"]: line[metric["Name"]][0]
        for line in embedded
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def test_each_run_measures_the_ages_of_jobs(
    account: Account, at_noon: Reconciler, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {"created_at": NOON - A_DAY}
    store(
        account, State.SUBMITTED, upload=an_upload("band/a.txt"), deadline=NOON + timedelta(hours=17), **old
    )
    store(account, State.CLAIMED, upload=an_upload("band/b.txt"), deadline=NOON + timedelta(hours=22), **old)
    at_noon.run()
    assert metrics_of(capsys) == {
        "OldestTaskAge": 7 * 3600,
        "OldestClaimAge": 2 * 3600,
        "Reconciled": 1,
        "BreakerOpen": 0,
    }


def test_the_age_of_a_task_restarts_with_a_new_run(
    account: Account, at_noon: Reconciler, capsys: pytest.CaptureFixture[str]
) -> None:
    store(account, State.SUBMITTED, submitted_at=NOON - 9 * A_DAY, run=2, deadline=NOON + A_DAY)
    at_noon.run()
    assert metrics_of(capsys)["OldestTaskAge"] == 0


def test_each_run_reports_an_open_breaker(
    account: Account, at_noon: Reconciler, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = store(account, State.BLOCKED, lease_until=VALID_LEASE)
    at_noon.breaker.open(OpenBreaker(holder=holder.job_id))
    for _ in range(2):
        at_noon.run()
        assert metrics_of(capsys)["BreakerOpen"] == 1


def test_a_run_with_an_unrepaired_job_is_not_counted(
    account: Account, at_noon: Reconciler, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {"job_id": "0" * 64, "unsettled": "0", "state": "no such state"}
    boto3.resource("dynamodb").Table(account.jobs_table).put_item(Item=broken)
    at_noon.run()
    assert metrics_of(capsys)["Reconciled"] == 0


def test_the_actions_of_a_run_are_logged_without_numbers(
    account: Account, at_noon: Reconciler, logged: LogLines
) -> None:
    store(account, State.SUBMITTING, upload=an_upload("band/+447700900001.txt"))
    at_noon.run()
    assert logged.lines[-1]["done"] == {"put in doubt": 1}
    assert "447700" not in json.dumps(logged.lines)
