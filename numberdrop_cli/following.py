"""Follow jobs: read the ledger, and the vendor's latest counts from the execution history."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.executions import Executions
from numberdrop.aws.ledger import Ledger
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.decision import CHECK_THE_TASK
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload, message_for
from numberdrop_cli.aws_errors import explain, is_temporary
from numberdrop_cli.notices import JobProgress, announced, hint
from numberdrop_cli.obstacles import find_obstacle
from numberdrop_cli.views import View

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection

PAUSE_SECONDS = 3
"""Seconds between two reads of the jobs."""

ROUNDS_PER_SCAN = 5
"""Finding a job by its key reads the whole table, so it is done in one round out of this many."""

HINT_AFTER = timedelta(minutes=2)
"""A file is normally picked up within this time. After it, a hint says what may be wrong."""

ANNOUNCE_AFTER = timedelta(minutes=5)
"""S3 may send no events of a new bucket before this time (S3 user guide, "Enabling Amazon EventBridge")."""

IN_PROGRESS = {State.CLAIMED, State.SUBMITTING, State.SUBMITTED, State.ANSWERED}
"""The states that jobs leave without a person."""

MIN_SHARE = 0.01
"""Below this share of checked numbers, the speed so far is not used to estimate the end."""

RECENT_EVENTS = 50
"""Enough events to include the last check of the task: one round of the loop makes about nine."""


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job at one moment.

    Attributes:
        job: the job, or None if the ledger does not have it yet.
        checked: numbers that the vendor had checked when the workflow last asked, or None if unknown.
        counted_at: when the workflow last asked.
    """

    job: Job | None = None
    checked: int | None = None
    counted_at: datetime | None = None

    def progress(self, now: datetime) -> JobProgress:
        """Return how far the job is. The vendor may count more numbers than it was sent, so cap them."""
        if self.job is None:
            return JobProgress()
        end = _estimated_end(self.job, self.checked, self.counted_at)
        seconds_left = max(0, math.ceil((end - now).total_seconds())) if end else None
        submitted = self.job.counts.submitted
        checked = None if submitted is None or self.checked is None else min(self.checked, submitted)
        return JobProgress(self.job.state, checked, submitted, seconds_left)


@dataclass(frozen=True, slots=True)
class WatchedJob:
    """A job to follow.

    Attributes:
        name: the name of its file, as people see it.
        folder: where to save its results.
        upload: the upload that the job is about.
        job_id: the job's id, or None in a bucket without versions, where only the ledger knows it.
    """

    name: str
    folder: Path
    upload: Upload
    job_id: str | None


def _estimated_end(job: Job, checked: int | None, counted_at: datetime | None) -> datetime | None:
    """Return when the vendor will be done: from the speed so far, else from the expected duration."""
    if job.submitted_at is None:
        return None
    share = min(1, (checked or 0) / (job.counts.submitted or 1))
    if counted_at and share >= MIN_SHARE:
        return job.submitted_at + (counted_at - job.submitted_at) / share
    if job.expected_seconds is not None:
        return job.submitted_at + timedelta(seconds=job.expected_seconds)
    return None


def take_snapshot(ledger: Ledger, executions: Executions, job_id: str) -> JobSnapshot:
    """Return the job's current state, with the vendor's counts while it is being checked."""
    job = ledger.get(job_id)
    if job is None or job.state is not State.SUBMITTED:
        return JobSnapshot(job)
    try:
        history = executions.client.get_execution_history(
            executionArn=executions.execution_arn(job), reverseOrder=True, maxResults=RECENT_EVENTS
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return JobSnapshot(job)
    for event in history["events"]:
        exited = event.get("stateExitedEventDetails", {})
        if exited.get("name") == CHECK_THE_TASK:
            return JobSnapshot(job, _checked_count(json.loads(exited["output"])), event["timestamp"])
    return JobSnapshot(job)


def _checked_count(output: Mapping[str, Any]) -> int | None:
    """Return how many numbers the vendor has checked. Older executions only have the successes."""
    checked: int | None = output.get("done", output.get("success"))
    return checked


@dataclass(frozen=True)
class _UnnoticedFiles:
    """Files that have no job yet: say what may be wrong, then announce them.

    Attributes:
        since: when all files had been sent.
        hinted: the files about which there was a hint.
        announced: the files that were announced, or cannot be.
    """

    connection: "Connection"
    view: View
    since: datetime
    hinted: set[WatchedJob] = field(default_factory=set)
    announced: set[WatchedJob] = field(default_factory=set)

    def help(self, watched: WatchedJob, now: datetime) -> None:
        """Do what is due for a file. Each thing is done once."""
        waited = now - self.since
        if waited >= HINT_AFTER and watched not in self.hinted:
            self.hinted.add(watched)
            self.view.show(hint(watched.name, find_obstacle(self.connection)))
        # Without a version, the announcement and a late event would be two jobs and two charges.
        if waited >= ANNOUNCE_AFTER and watched not in self.announced and watched.upload.version_id:
            self._announce(watched)

    def _announce(self, watched: WatchedJob) -> None:
        """Announce a file, unless it may be waiting: behind the open circuit breaker, or in the queue."""
        try:
            if self.connection.breaker.holder() or self._queue_has_messages():
                return
            self.connection.queue.send_again(message_for(watched.upload), after_seconds=0)
        except (ClientError, BotoCoreError) as error:
            if is_temporary(error):
                return
            self.view.show(hint(watched.name, f"The file cannot be announced. {explain(error)}"))
        else:
            self.view.show(announced(watched.name))
        self.announced.add(watched)

    def _queue_has_messages(self) -> bool:
        """Return whether messages wait in the upload queue; False without permission to look."""
        queue = self.connection.queue
        try:
            answer = queue.client.get_queue_attributes(
                QueueUrl=queue.url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        except ClientError:
            return False
        return answer["Attributes"]["ApproximateNumberOfMessages"] != "0"


def follow(
    connection: "Connection", jobs: Sequence[WatchedJob], view: View, *, now: Clock = utc_now
) -> Iterator[tuple[WatchedJob, Job]]:
    """Yield each job when it ends or needs a person.

    Keeps trying while the connection is broken. There is no time-out.
    """
    ids = {watched: watched.job_id for watched in jobs}
    unnoticed = _UnnoticedFiles(connection, view, now())
    for round_number in count():
        for watched in tuple(ids):
            try:
                if ids[watched] is None and round_number % ROUNDS_PER_SCAN == 0:
                    ids[watched] = connection.jobs.job_of_upload(watched.upload)
                job_id = ids[watched]
                snapshot = (
                    take_snapshot(connection.ledger, connection.executions, job_id)
                    if job_id
                    else JobSnapshot()
                )
            except (ClientError, BotoCoreError) as error:
                if not is_temporary(error):
                    raise
                view.update(watched.name, JobProgress("out_of_reach"))
                continue
            if snapshot.job and snapshot.job.state not in IN_PROGRESS:
                del ids[watched]
                yield watched, snapshot.job
                continue
            view.update(watched.name, snapshot.progress(now()))
            if snapshot.job is None:
                unnoticed.help(watched, now())
        if not ids:
            return
        sleep(PAUSE_SECONDS)
