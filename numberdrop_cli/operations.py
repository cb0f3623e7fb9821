"""Decisions that only a person may make about a job: write them to the ledger and carry them out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.executions import Executions
from numberdrop.aws.fences import Fence, Fences, UnknownAttemptError
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.queue import UploadQueue
from numberdrop.aws.task_ids import TaskIds
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import ABANDON, CHARGED, COLLECT_AGAIN, GIVE_UP, NOT_CHARGED, State
from numberdrop.jobs.upload import message_for
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import JobsTable

TIME_TO_START = timedelta(minutes=1)
"""Lease for this command to start the execution. After that, reconcile starts it."""

GIVEN_UP = Reason(
    ReasonCode.ABORTED,
    "A person gave up on this submission. Nobody knows whether the vendor charged for it.",
)
GIVEN_UP_UNSENT = Reason(
    ReasonCode.ABORTED,
    "A person gave up on this upload before the vendor accepted it. Nothing was charged.",
)


def must_be_in_doubt(job: Job) -> None:
    """Raise ``RefusedError`` unless it is unknown whether the job was charged."""
    if job.state is not State.IN_DOUBT:
        raise RefusedError(f"The job is {job.state}, not {State.IN_DOUBT}: there is nothing to resolve.")


def must_be_abandonable(job: Job) -> None:
    """Raise ``RefusedError`` unless the job is in doubt, blocked or waiting to be sent."""
    if job.state is State.SUBMITTING:
        raise RefusedError("The file is being sent right now. Try again in a minute.")
    if job.state not in {State.CLAIMED, State.BLOCKED}:
        must_be_in_doubt(job)


def must_be_collectable(job: Job) -> None:
    """Raise ``RefusedError`` unless the job failed after the vendor had created a task."""
    if job.state is not State.FAILED:
        raise RefusedError(f"The job is {job.state}, not {State.FAILED}: there is nothing to collect again.")
    if job.task_id is None:
        raise RefusedError(
            "The job failed before the vendor created a task, so there is nothing to collect, and nothing "
            "was charged. Fix the reason that 'numberdrop show' prints, then upload the file again."
        )


class _Resumption(TypedDict):
    """The fields to reset when a job resumes."""

    reason: None
    finished_at: None
    lease_until: datetime
    deadline: datetime


@dataclass(frozen=True)
class Operations:
    """The operations on a job, one method each.

    Each method takes the job as the person saw it, and is refused if the job has changed since. It writes the
    ledger first. If the step after that fails, reconcile finds the job and takes that step.

    Every method returns None, or the error of the step after the ledger write. Every method raises:

    - ``RefusedError`` if the operation does not apply to the job,
    - ``TransitionRefusedError`` if the job has changed.
    """

    ledger: Ledger
    task_ids: TaskIds
    fences: Fences
    jobs: JobsTable
    executions: Executions
    queue: UploadQueue
    job_timeout: timedelta
    now: Clock = utc_now

    def mark_charged(self, job: Job, task_id: str) -> str | None:
        """Record that the vendor created this task, and start an execution for it. Nothing is sent."""
        must_be_in_doubt(job)
        other = self.jobs.job_of_task(task_id)
        if other or not self.task_ids.assign(task_id, job.job_id):
            raise RefusedError(
                f"That task already belongs to {f'job {other}' if other else 'another job'}. "
                "Look up the right one."
            )
        moved = self.ledger.move(
            job,
            CHARGED,
            task_id=task_id,
            charged=True,
            run=self._free_run(job),
            submitted_at=self._sent_at(job),
            **self._reset_fields(lease=TIME_TO_START),
        )
        return _error_of(lambda: self.executions.start(moved))

    def mark_not_charged(self, job: Job, evidence: str) -> str | None:
        """Record that the vendor created no task, and announce the upload again, so that it is sent again."""
        must_be_in_doubt(job)
        fence = self._known_fence(job)
        moved = self.ledger.move(
            job,
            NOT_CHARGED,
            evidence=evidence,
            charged=False,
            **self._reset_fields(lease=timedelta()),
        )
        return _error_of(lambda: self._send_again(moved, fence))

    def abandon(self, job: Job) -> None:
        """Give the job up for good.

        Reconcile emits its event, because the metrics that belong to it come from functions only. If the job
        holds the circuit breaker open, reconcile closes it too.
        """
        must_be_abandonable(job)
        now = self.now()
        if job.state is not State.IN_DOUBT:
            self._known_fence(job)
            self.ledger.move(job, GIVE_UP, reason=GIVEN_UP_UNSENT, charged=False, finished_at=now)
        else:
            self.ledger.move(job, ABANDON, reason=GIVEN_UP, charged=None, finished_at=now)

    def collect_again(self, job: Job) -> str | None:
        """Start another execution that follows the same task. Nothing is sent."""
        must_be_collectable(job)
        run = self._free_run(replace(job, run=job.run + 1))
        moved = self.ledger.move(job, COLLECT_AGAIN, run=run, **self._reset_fields(lease=TIME_TO_START))
        return _error_of(lambda: self.executions.start(moved))

    def _known_fence(self, job: Job) -> Fence | None:
        """Return the fence of a job, if any. Refuse to say "not charged" if the ledger does not know it."""
        try:
            return self.fences.check(job)
        except UnknownAttemptError:
            raise RefusedError(
                "The file was about to be sent later, but the ledger has forgotten that: its table was "
                "restored. Run 'numberdrop after-restore' first, then look in the vendor's console."
            ) from None

    def _send_again(self, job: Job, fence: Fence | None) -> None:
        self.queue.send_again(message_for(job.upload), after_seconds=0)
        if fence:
            self.fences.remove(fence)

    def _sent_at(self, job: Job) -> datetime:
        """Return when the file of a job in doubt was sent: not later than its doubt and its worker's lease.

        The verdicts are of that day, however late a person finds the task. With a later day, they would be
        remembered for too long, and numbers that were erased meanwhile would be remembered again.
        """
        return min(job.finished_at or self.now(), job.lease_until)

    def _free_run(self, job: Job) -> int:
        """Return the first run, from the job's own on, that no execution has.

        A restored ledger may have forgotten executions.
        """
        while self.executions.status(job) is not None:
            job = replace(job, run=job.run + 1)
        return job.run

    def _reset_fields(self, *, lease: timedelta) -> _Resumption:
        """Return the fields to reset when a job resumes."""
        return {
            "reason": None,
            "finished_at": None,
            "lease_until": self.now() + lease,
            "deadline": self.now() + self.job_timeout,
        }


def _error_of(next_step: Callable[[], None]) -> str | None:
    """Run the step. Return None, or its error as text."""
    try:
        next_step()
    except (BotoCoreError, ClientError) as error:
        return str(error)
    return None
