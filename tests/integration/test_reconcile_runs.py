"""A run of reconcile: it reads only jobs that may be due, ends in time, and always publishes its metrics."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

import boto3
import pytest

from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.breaker import OpenBreaker
from numberdrop.jobs.job import Job, UnsettledJob
from numberdrop.jobs.transitions import State
from numberdrop.steps.reconciliation import TIME_TO_PUBLISH, Reconciler
from tests.support.account import Account
from tests.support.jobs import NOON, an_upload
from tests.support.reconcilers import A_DAY, VALID_LEASE, reconciler_at, store

RUNNING = (State.CLAIMED, State.SUBMITTING, State.SUBMITTED)


@dataclass(frozen=True)
class CountingLedger(Ledger):
    """A ledger that remembers which jobs were read."""

    read: list[str] = field(default_factory=list)

    def get(self, job_id: str) -> Job | None:
        self.read.append(job_id)
        return super().get(job_id)


@pytest.fixture
def at_noon(account: Account) -> Reconciler:
    real = reconciler_at(account, NOON)
    return replace(real, ledger=CountingLedger(real.ledger.client, real.ledger.table, real.now))


def jobs_read(reconciler: Reconciler) -> list[str]:
    ledger = reconciler.ledger
    assert isinstance(ledger, CountingLedger)
    return ledger.read


@pytest.mark.parametrize("state", RUNNING)
def test_a_job_with_a_valid_lease_is_not_read(account: Account, at_noon: Reconciler, state: State) -> None:
    store(account, state, lease_until=VALID_LEASE)
    assert at_noon.run() == {"left alone": 1}
    assert jobs_read(at_noon) == []


@pytest.mark.parametrize("state", State)
def test_a_job_that_may_be_due_is_read(account: Account, at_noon: Reconciler, state: State) -> None:
    job = store(account, state, lease_until=NOON - timedelta(hours=12), deadline=NOON + A_DAY)
    at_noon.run()
    assert jobs_read(at_noon)[0] == job.job_id


def test_behind_the_breaker_deadlines_are_extended_now_and_then(
    account: Account, at_noon: Reconciler
) -> None:
    holder = store(account, State.BLOCKED, upload=an_upload("band/holder.txt"), lease_until=VALID_LEASE)
    at_noon.breaker.open(OpenBreaker(holder=holder.job_id))
    fresh = store(account, State.CLAIMED, deadline=NOON + A_DAY - timedelta(minutes=5))
    older = store(
        account, State.CLAIMED, upload=an_upload("band/older.txt"), deadline=NOON + timedelta(hours=23)
    )
    at_noon.run()
    assert older.job_id in jobs_read(at_noon)
    assert fresh.job_id not in jobs_read(at_noon)


@pytest.mark.parametrize("attribute", ["upload", "lease_until", "created_at", "deadline"])
def test_a_job_whose_copy_in_the_index_is_incomplete_is_read(
    account: Account, at_noon: Reconciler, attribute: str
) -> None:
    job = store(account, State.SUBMITTED, lease_until=VALID_LEASE)
    boto3.client("dynamodb").update_item(
        TableName=account.jobs_table,
        Key={"job_id": {"S": job.job_id}},
        UpdateExpression=f"REMOVE {attribute}",
    )
    at_noon.run()
    assert jobs_read(at_noon) == [job.job_id]


def test_a_run_ends_before_its_time_out(
    account: Account, at_noon: Reconciler, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(100):
        store(account, State.SUBMITTED, upload=an_upload(f"band/{number}.txt"), lease_until=VALID_LEASE)
    minutes = count()
    hurried = replace(at_noon, now=lambda: NOON + timedelta(seconds=next(minutes)))
    assert 0 < sum(hurried.run(seconds=TIME_TO_PUBLISH + 20).values()) < 20
    printed = capsys.readouterr().out
    assert '"Reconciled":[1.0]' in printed
    assert "OldestTaskAge" in printed


def test_a_run_that_fails_publishes_its_metrics(
    at_noon: Reconciler, capsys: pytest.CaptureFixture[str]
) -> None:
    class BrokenLedger(Ledger):
        def unsettled(self) -> Iterator[tuple[str, UnsettledJob | None]]:
            raise ConnectionError("DynamoDB does not answer.")

    broken = replace(at_noon, ledger=BrokenLedger(at_noon.ledger.client, at_noon.ledger.table))
    with pytest.raises(ConnectionError):
        broken.run()
    assert '"Reconciled":[0.0]' in capsys.readouterr().out
