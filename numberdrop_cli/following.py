"""Following jobs from afar: what the ledger says, and what the workflow last heard from the vendor."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from time import sleep
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.executions import Executions
from numberdrop.aws.ledger import Ledger
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.decision import CHECK_THE_TASK
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.aws_errors import is_temporary
from numberdrop_cli.connection import Connection
from numberdrop_cli.notices import JobProgress, hint
from numberdrop_cli.obstacles import find_obstacle
from numberdrop_cli.views import View

PAUSE_SECONDS = 3
"""Between two looks at the jobs that are on their way."""

ROUNDS_FOR_A_SCAN = 5
"""Finding a job by its key reads the whole table, so only one round of so many does it."""

HINT_AFTER = timedelta(minutes=2)
"""By when a file is picked up if nothing is in its way."""

IN_PROGRESS = {State.CLAIMED, State.SUBMITTING, State.SUBMITTED}
"""The states that jobs leave by themselves."""

SMALLEST_SHARE = 0.01
"""Before this share of the numbers is checked, the pace says nothing about the end."""

RECENT_EVENTS = 50
"""Events of an execution that hold its last look at the task; a turn of its loop makes about nine."""


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job as it was seen.

    Attributes:
        job: the job, or None before the ledger has it.
        checked: numbers that the vendor had checked when the workflow last asked, as far as that is known.
        counted_at: when that was.
    """

    job: Job | None = None
    checked: int | None = None
    counted_at: datetime | None = None

    def progress(self, now: datetime) -> JobProgress:
        """How far the job is; the vendor's counts may pass what it was sent."""
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
        name: what people call its file.
        folder: where its results are to be saved.
        upload: what the job is about.
        job_id: its id, or None where only the ledger can tell: in a bucket without versions.
    """

    name: str
    folder: Path
    upload: Upload
    job_id: str | None


def _estimated_end(job: Job, checked: int | None, counted_at: datetime | None) -> datetime | None:
    """When the vendor has checked all: by the pace so far, or before there is one, as was expected."""
    if job.submitted_at is None:
        return None
    share = min(1, (checked or 0) / (job.counts.submitted or 1))
    if counted_at and share >= SMALLEST_SHARE:
        return job.submitted_at + (counted_at - job.submitted_at) / share
    if job.expected_seconds is not None:
        return job.submitted_at + timedelta(seconds=job.expected_seconds)
    return None


def take_snapshot(ledger: Ledger, executions: Executions, job_id: str) -> JobSnapshot:
    """The job as it stands, with the vendor's counts while the vendor is at it."""
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
        left = event.get("stateExitedEventDetails", {})
        if left.get("name") == CHECK_THE_TASK:
            return JobSnapshot(job, _checked_count(json.loads(left["output"])), event["timestamp"])
    return JobSnapshot(job)


def _checked_count(output: Mapping[str, Any]) -> int | None:
    """How many numbers the task has an answer for; executions of older versions tell only the successes."""
    done: int | None = output.get("done", output.get("success"))
    return done


def follow(
    connection: Connection, watched: Sequence[WatchedJob], view: View, *, now: Clock = utc_now
) -> Iterator[tuple[WatchedJob, Job]]:
    """Each job once it has ended or waits for a person, in the order in which they do.

    A broken connection is waited out, and there is no time-out.
    """
    ids = {each: each.job_id for each in watched}
    hint_after = now() + HINT_AFTER
    hinted: set[WatchedJob] = set()
    for round_number in count():
        for each in tuple(ids):
            try:
                if ids[each] is None and round_number % ROUNDS_FOR_A_SCAN == 0:
                    ids[each] = connection.jobs.job_of_upload(each.upload)
                job_id = ids[each]
                snapshot = (
                    take_snapshot(connection.ledger, connection.executions, job_id)
                    if job_id
                    else JobSnapshot()
                )
            except (ClientError, BotoCoreError) as error:
                if not is_temporary(error):
                    raise
                view.update(each.name, JobProgress("out_of_reach"))
                continue
            if snapshot.job and snapshot.job.state not in IN_PROGRESS:
                del ids[each]
                yield each, snapshot.job
                continue
            view.update(each.name, snapshot.progress(now()))
            if snapshot.job is None and each not in hinted and now() >= hint_after:
                hinted.add(each)
                view.show(hint(each.name, find_obstacle(connection)))
        if not ids:
            return
        sleep(PAUSE_SECONDS)
