"""Repair a ledger that has forgotten jobs because its table was restored to a point in time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from numberdrop.aws.fences import Fence, Fences
from numberdrop.aws.ledger import NON_JOB_PREFIX, Ledger, is_refused_condition
from numberdrop.aws.listing import UploadListing
from numberdrop.aws.task_ids import TASK_KEY
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.job import Job, forgotten
from numberdrop.jobs.transitions import FORGOTTEN, State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import JobsTable

_TASK_PREFIX = TASK_KEY.format(task_id="")


@dataclass(frozen=True, slots=True)
class ForgottenSubmission:
    """An attempt that has a fence but that the ledger does not know.

    Attributes:
        upload: the upload whose file was about to be sent.
        fence: what shows the attempt.
        job: the job as the ledger has it, or None if the ledger has forgotten that too.
    """

    upload: Upload
    fence: Fence
    job: Job | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The fences compared with the ledger.

    Attributes:
        forgotten: the submissions to put in doubt.
        without_upload: the number of unknown fences whose uploads no longer exist, or have no version.
    """

    forgotten: list[ForgottenSubmission]
    without_upload: int


@dataclass(frozen=True)
class RestoredLedger:
    """Compares the fences with the ledger, and puts forgotten submissions in doubt."""

    ledger: Ledger
    jobs: JobsTable
    fences: Fences
    listing: UploadListing
    job_timeout: timedelta
    now: Clock = utc_now

    def compare(self) -> Comparison:
        """Find the attempts that the ledger does not know. This changes nothing."""
        tokens = self.jobs.fence_tokens_of_repeatable_jobs()
        forgotten: list[ForgottenSubmission] = []
        unknown: set[str] = set()
        for job_id in self.fences.job_ids():
            if job_id not in tokens:
                unknown.add(job_id)
            elif (known := tokens[job_id]) is not None:
                fence = self.fences.find(job_id)
                if fence and fence.token not in known:
                    job = self.ledger.require(job_id)
                    forgotten.append(ForgottenSubmission(job.upload, fence, job))
        found = list(self._without_job(unknown))
        return Comparison(forgotten + found, len(unknown) - len(found))

    def put_in_doubt(self, submission: ForgottenSubmission) -> None:
        """Record that nobody knows whether an upload was charged. Reconcile announces it.

        Raises:
            TransitionRefusedError: the job has changed since.
            RefusedError: the job is being sent right now.
        """
        job, now = submission.job, self.now()
        if job is None:
            job = self.ledger.claim(submission.upload, lease_until=now, deadline=now + self.job_timeout)
        elif job.state is State.SUBMITTING and job.lease_until > now:
            raise RefusedError("The file is being sent right now. Try again in a minute.")
        self.ledger.move(job, FORGOTTEN, **forgotten(job, submission.fence.token, now))

    def _without_job(self, unknown: set[str]) -> Iterator[ForgottenSubmission]:
        """Yield the unknown submissions whose uploads the bucket still has."""
        if not unknown:
            return
        for listed in self.listing.versions():
            if listed.upload.job_id in unknown:
                fence = self.fences.find(listed.upload.job_id)
                if fence:
                    yield ForgottenSubmission(listed.upload, fence, None)


def copy_missing(client: Any, source: str, target: str) -> int:
    """Copy the jobs and task ids that a table lacks from another table; return how many were copied.

    Items that the target has stay as they are: they are newer. Other items are not copied: the
    circuit breaker opens again by itself if it has to.

    Args:
        client: a DynamoDB client.
        source: the name of the restored table.
        target: the name of the stack's table.
    """
    copied = 0
    for page in client.get_paginator("scan").paginate(TableName=source, ConsistentRead=True):
        for item in page["Items"]:
            copied += _is_worth_copying(item) and _put_if_missing(client, target, item)
    return copied


def _is_worth_copying(item: Mapping[str, Any]) -> bool:
    key: str = item["job_id"]["S"]
    return key.startswith(_TASK_PREFIX) or not key.startswith(NON_JOB_PREFIX)


def _put_if_missing(client: Any, table: str, item: Mapping[str, Any]) -> bool:
    try:
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(job_id)")
    except ClientError as error:
        if not is_refused_condition(error):
            raise
        return False
    return True
