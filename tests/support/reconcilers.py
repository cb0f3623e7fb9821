"""A reconciler at a fixed moment, and jobs in the ledger for it to find."""

from datetime import datetime, timedelta
from typing import Any

import boto3

from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.executions import Executions
from numberdrop.aws.fences import Fences
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.queue import UploadQueue
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.steps.reconciliation import Reconciler
from tests.support.account import Account
from tests.support.jobs import NOON, a_job

A_DAY = timedelta(hours=24)
VALID_LEASE = NOON + timedelta(minutes=5)
"""The end of a lease that is still valid at noon."""


def reconciler_at(account: Account, moment: datetime) -> Reconciler:
    """Return a reconciler for which it is this moment."""
    ledger = Ledger(boto3.client("dynamodb"), account.jobs_table, now=lambda: moment)
    return Reconciler(
        ledger=ledger,
        breaker=CircuitBreaker(ledger.client, ledger.table),
        executions=Executions(boto3.client("stepfunctions"), account.state_machine),
        announcer=account.announcer(ledger),
        fences=Fences(boto3.client("s3"), account.results_bucket),
        queue=UploadQueue(boto3.client("sqs"), account.upload_queue),
        job_timeout=A_DAY,
        now=lambda: moment,
    )


def store(account: Account, state: State, **changes: Any) -> Job:
    """Store a job whose lease ends at noon, and return it."""
    job = a_job(state, **changes)
    account.put(job)
    return job
