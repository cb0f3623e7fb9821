"""What only a person may decide about a job, written into the ledger and carried out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.bus import Announcer, NotAnnouncedError
from numberdrop.aws.executions import Executions
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.queue import UploadQueue
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import ABANDON, CHARGED, COLLECT_AGAIN, GIVE_UP, NOT_CHARGED, State
from numberdrop.jobs.upload import message_for
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import JobsTable

TIME_TO_START = timedelta(minutes=1)
"""How long this command is presumed to be starting the execution; reconcile starts it afterwards."""

GIVEN_UP = Reason(
    ReasonCode.ABORTED,
    "A person gave up on this submission. Whether the vendor charged for it is not known.",
)
GIVEN_UP_UNSENT = Reason(
    ReasonCode.ABORTED,
    "A person gave the upload up before the vendor took it. Nothing was charged.",
)


def must_be_in_doubt(job: Job) -> None:
    """Raises ``RefusedError`` unless nobody knows whether the job was charged."""
    if job.state is not State.IN_DOUBT:
        raise RefusedError(f"The job is {job.state}, not {State.IN_DOUBT}: there is nothing to resolve.")


def must_be_abandonable(job: Job) -> None:
    """Raises ``RefusedError`` unless the job waits for a decision, for the vendor's account, or its turn."""
    if job.state is State.SUBMITTING:
        raise RefusedError("The file is being sent just now. Look again in a minute.")
    if job.state not in {State.CLAIMED, State.BLOCKED}:
        must_be_in_doubt(job)


def must_be_collectable(job: Job) -> None:
    """Raises ``RefusedError`` unless the job failed after the vendor had made a task."""
    if job.state is not State.FAILED:
        raise RefusedError(f"The job is {job.state}, not {State.FAILED}: there is nothing to collect again.")
    if job.task_id is None:
        raise RefusedError(
            "The job failed before the vendor made a task, so there is nothing to collect, and nothing was "
            "charged. Mend what its reason says and upload the file again."
        )


class _Resumption(TypedDict):
    """The fields to reset when a job resumes."""

    reason: None
    finished_at: None
    lease_until: datetime
    deadline: datetime


@dataclass(frozen=True)
class Operations:
    """Each takes the job as the person saw it, and is refused if anything was written since.

    Every operation writes the ledger first. If the next step fails, reconcile finds the job and does it.

    Returns:
        From each, why the step after the ledger could not be done; None if it was.

    Raises:
        RefusedError: from each, it does not fit the job.
        TransitionRefusedError: from each, the job has moved on.
    """

    ledger: Ledger
    jobs: JobsTable
    executions: Executions
    announcer: Announcer
    queue: UploadQueue
    job_timeout: timedelta
    now: Clock = utc_now

    def mark_charged(self, job: Job, task_id: str) -> str | None:
        """The vendor did make this task of the file: follow it. Nothing is sent."""
        must_be_in_doubt(job)
        other = self.jobs.job_of_task(task_id)
        if other:
            raise RefusedError(f"That task belongs to the job {other} already. Look the right one up.")
        moved = self.ledger.move(
            job,
            CHARGED,
            task_id=task_id,
            charged=True,
            submitted_at=self.now(),
            **self._reset_fields(lease=TIME_TO_START),
        )
        return _error_of(lambda: self.executions.start(moved))

    def mark_not_charged(self, job: Job, evidence: str) -> str | None:
        """The vendor made no task of the file: send it again."""
        must_be_in_doubt(job)
        moved = self.ledger.move(
            job,
            NOT_CHARGED,
            evidence=evidence,
            charged=False,
            **self._reset_fields(lease=timedelta()),
        )
        return _error_of(lambda: self.queue.send_again(message_for(moved.upload), after_seconds=0))

    def abandon(self, job: Job) -> str | None:
        """Do nothing more, and say so: nobody will find out, or the vendor need not take the file any more.

        If the job holds the line, reconcile opens it.
        """
        must_be_abandonable(job)
        now = self.now()
        if job.state is not State.IN_DOUBT:
            moved = self.ledger.move(job, GIVE_UP, reason=GIVEN_UP_UNSENT, charged=False, finished_at=now)
        else:
            moved = self.ledger.move(job, ABANDON, reason=GIVEN_UP, charged=None, finished_at=now)
        return _error_of(lambda: self.announcer.announce(moved))

    def collect_again(self, job: Job) -> str | None:
        """Follow the same task once more, with another execution. Nothing is sent."""
        must_be_collectable(job)
        moved = self.ledger.move(
            job, COLLECT_AGAIN, run=job.run + 1, **self._reset_fields(lease=TIME_TO_START)
        )
        return _error_of(lambda: self.executions.start(moved))

    def _reset_fields(self, *, lease: timedelta) -> _Resumption:
        """What every job has that goes on: no ending, and its time anew."""
        return {
            "reason": None,
            "finished_at": None,
            "lease_until": self.now() + lease,
            "deadline": self.now() + self.job_timeout,
        }


def _error_of(next_step: Callable[[], None]) -> str | None:
    """Why the step could not be done, or None once it is."""
    try:
        next_step()
    except (BotoCoreError, ClientError, NotAnnouncedError) as error:
        return str(error)
    return None
