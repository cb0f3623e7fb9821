"""Repairing jobs after crashes. This reads neither the API key nor uploads, so it cannot spend money."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from aws_lambda_powertools import Logger

from numberdrop.aws.bus import Announcer
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.executions import Executions, ExecutionStatus
from numberdrop.aws.fences import Fences, UnknownAttemptError
from numberdrop.aws.ledger import Ledger, TransitionRefusedError
from numberdrop.aws.queue import UploadQueue
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.breaker import Cause, OpenBreaker
from numberdrop.jobs.job import Job, UnsettledJob, forgotten
from numberdrop.jobs.reasons import WORKER_LOST_WHILE_SENDING, Reason, ReasonCode, not_accepted_in_time
from numberdrop.jobs.transitions import DECLINE, FOLLOWED, FORGOTTEN, WORKER_LOST, State, failure_of
from numberdrop.jobs.upload import message_for
from numberdrop.metrics import OldestJobs, record_reconciliation
from numberdrop.settings import ReconcileSettings

PATIENCE, LONGEST_PATIENCE = timedelta(minutes=5), timedelta(hours=2)
"""How long after its lease a claimed job is left to its own message, before a new message is sent for it.

The patience grows with the age of the claim: while the vendor is unreachable the queue is long, and every
new message makes it longer. The longest patience exceeds the queue's visibility time-out.
"""

EXTENSION_SHARE = 1 / 50
"""Share of the job timeout after which the deadline of a job behind the open breaker is extended again. This
saves a write for each job in each run."""

TIME_TO_PUBLISH = 120
"""Seconds of the function's time that are reserved for the job at hand and for publishing the metrics. If S3
and DynamoDB are slow, looking for a fence takes up to 42 seconds, and a write to the ledger 19."""

FAILED = "failed"
"""The result that is counted for a job that could not be repaired."""

AFTER_DEADLINE = timedelta(minutes=15)
"""How long after its deadline a job is left to its execution, which should end by itself."""

SILENT_ENDINGS = {
    ExecutionStatus.ABORTED: Reason(
        ReasonCode.ABORTED,
        "The execution was stopped. The vendor's task may still finish and can be collected later.",
    ),
    ExecutionStatus.TIMED_OUT: Reason(
        ReasonCode.TIMED_OUT,
        "The execution timed out. The vendor's task may still finish and can be collected later.",
    ),
    ExecutionStatus.FAILED: Reason(
        ReasonCode.INTERNAL,
        "The execution failed before it could record why. See its history; the task can be collected later.",
    ),
    ExecutionStatus.SUCCEEDED: Reason(
        ReasonCode.INTERNAL,
        "The execution ended without completing the job. See its history; the task can be collected later.",
    ),
}
"""Reasons for the failure of submitted jobs whose execution has ended."""

_WITHOUT_TASK = (
    "The execution ended before the remembered answers were stored. Nothing was charged. "
    "Upload the file again."
)
"""The message for jobs that were answered from memory."""

logger = Logger()


@dataclass(frozen=True)
class Reconciler:
    """Looks at every unsettled job, and does what its worker should have done next.

    >>> from numberdrop.aws.clients import make_client
    >>> from numberdrop.aws.failure_files import FailureFiles
    >>> ledger = Ledger.connect("jobs")
    >>> announcer = Announcer(make_client("events"), "default", ledger, FailureFiles.connect("results"))
    >>> reconciler = Reconciler(ledger, CircuitBreaker.beside(ledger), Executions.connect("arn"),
    ...     announcer, Fences.connect("results"), UploadQueue.connect("url"), timedelta(hours=24))
    >>> reconciler.settle("startedByHand", ExecutionStatus.FAILED)
    'left alone'
    """

    ledger: Ledger
    breaker: CircuitBreaker
    executions: Executions
    announcer: Announcer
    fences: Fences
    queue: UploadQueue
    job_timeout: timedelta
    now: Clock = utc_now

    @classmethod
    def from_env(cls) -> Self:
        """Return the reconciler for the environment of the reconcile function."""
        settings = ReconcileSettings.from_env()
        ledger = Ledger.connect(settings.jobs_table)
        return cls(
            ledger=ledger,
            breaker=CircuitBreaker.beside(ledger),
            executions=Executions.connect(settings.state_machine_arn),
            announcer=Announcer.from_settings(settings, ledger),
            fences=Fences.connect(settings.results_bucket),
            queue=UploadQueue.connect(settings.upload_queue_url),
            job_timeout=timedelta(hours=settings.job_timeout_hours),
        )

    def run(self, *, seconds: float | None = None) -> Mapping[str, int]:
        """Repair all jobs that need it; return how often each action was taken, failures included.

        One bad job never stops the others: it is logged and retried in the next run. The metrics are
        published even if time runs out or the ledger cannot be read.

        Args:
            seconds: the time that is left for the function, if it is limited.
        """
        end = self.now() + timedelta(seconds=seconds - TIME_TO_PUBLISH) if seconds is not None else None
        done: Counter[str] = Counter()
        ages = OldestJobs()
        breaker: OpenBreaker | None = None
        is_finished = False
        try:
            breaker = self._open_breaker()
            for job_id, indexed in self.ledger.unsettled():
                if end and self._is_over(end):
                    logger.warning("not all jobs were reached in time; the next run begins with other jobs")
                    break
                done[self._repair_safely(job_id, indexed, breaker, ages)] += 1
            is_finished = True
        finally:
            ages.publish()
            record_reconciliation(
                has_failed=FAILED in done or not is_finished,
                breaker_is_open=breaker is not None and not breaker.is_idle(self.now()),
            )
        logger.info("reconciled", done=dict(done))
        return dict(done)

    def settle(self, execution_name: str, status: ExecutionStatus) -> str:
        """Settle the job of an execution that has just ended; return the action that was taken."""
        job_id, _, run = execution_name.rpartition("-")
        # An execution that was started by hand has a name without a job id.
        job = self.ledger.get(job_id) if job_id else None
        if job is None or str(job.run) != run:
            return "left alone"
        return self._after_execution(job, status)

    def _repair_safely(
        self, job_id: str, indexed: UnsettledJob | None, breaker: OpenBreaker | None, ages: OldestJobs
    ) -> str:
        if indexed and not self._may_be_due(indexed, breaker):
            ages.add(indexed, self._time_spent(indexed))
            return "left alone"
        logger.append_keys(job_id=job_id)
        try:
            job = self.ledger.get(job_id)
            if job is None:
                return "gone"
            ages.add(job, self._time_spent(job))
            return self._repair(job, breaker)
        except TransitionRefusedError:
            return "moved on"
        except Exception:
            logger.exception("a job could not be reconciled")
            return FAILED
        finally:
            logger.remove_keys(["job_id"])

    def _may_be_due(self, job: UnsettledJob, breaker: OpenBreaker | None) -> bool:
        """Return whether ``_repair`` may have to do anything, by the index's copy of the job.

        A write of the last seconds may be missing from the copy. Then the job is due in the next run.
        """
        match job.state:
            case State.CLAIMED if breaker and _waits(job, breaker):
                needs_time = job.deadline < self.now() + self.job_timeout * (1 - EXTENSION_SHARE)
                return needs_time or self._lost_its_message(job)
            case State.CLAIMED:
                return self._is_over(job.lease_until + _patience(self._time_spent(job)))
            case State.SUBMITTING | State.SUBMITTED | State.ANSWERED:
                return self._is_over(job.lease_until)
            case _:
                return True

    def _repair(self, job: Job, breaker: OpenBreaker | None) -> str:
        match job.state:
            case State.CLAIMED if breaker and _waits(job, breaker):
                return self._extend_claim(job)
            case State.CLAIMED if self._is_over(job.lease_until + _patience(self._time_spent(job))):
                return self._time_out(job) if self._is_over(job.deadline) else self._restart(job)
            case State.BLOCKED if self._is_over(job.lease_until):
                return self._restart(job)
            case State.SUBMITTING if self._is_over(job.lease_until):
                return self._put_in_doubt(job)
            case State.SUBMITTED | State.ANSWERED if self._is_over(job.lease_until):
                return self._check_execution(job)
            case State.COMPLETED | State.FAILED | State.IN_DOUBT | State.BLOCKED | State.ABANDONED:
                self.announcer.announce(job)
                return "announced"
            case _:
                return "left alone"

    def _extend_claim(self, job: Job) -> str:
        """Extend the deadline of a job behind the open breaker, whose waiting time does not count.

        The lease shows when the upload last asked for a turn. If that is long ago, its message is lost.
        """
        deadline = self.now() + self.job_timeout
        self.ledger.extend_deadline(job, deadline)
        if self._lost_its_message(job):
            return self._restart(replace(job, deadline=deadline))
        return "left alone"

    def _lost_its_message(self, job: Job | UnsettledJob) -> bool:
        """Return whether a job behind the open breaker has not asked for a turn for too long."""
        return self._is_over(job.lease_until + _patience(self.now() - job.created_at))

    def _time_spent(self, job: Job | UnsettledJob) -> timedelta:
        """Return how long the job has tried, without a break, to submit its file or to finish its task.

        The start is derived from the deadline. It is not exact if ``job_timeout`` was changed since.
        """
        since = max(job.deadline - self.job_timeout, job.created_at)
        return max(self.now() - since, timedelta())

    def _time_out(self, job: Job) -> str:
        """End a job that no worker has ended, for instance because its message cannot be read any more."""
        try:
            self.fences.check(job)
        except UnknownAttemptError as unknown:
            changes = forgotten(job, unknown.token, self.now())
            self.announcer.announce(self.ledger.move(job, FORGOTTEN, **changes))
            return "put in doubt"
        ended = self.ledger.move(
            job, DECLINE, reason=not_accepted_in_time(job.read_error), charged=False, finished_at=self.now()
        )
        self.announcer.announce(ended)
        return "timed out"

    def _restart(self, job: Job) -> str:
        """Take over a job whose worker is gone, and send a new message for its upload."""
        self.announcer.announce(job)
        job = self.ledger.reclaim(job, lease_until=self.now(), timeout=self.job_timeout)
        self.queue.send_again(message_for(job.upload), after_seconds=0)
        return "restarted"

    def _put_in_doubt(self, job: Job) -> str:
        in_doubt = self.ledger.move(
            job, WORKER_LOST, reason=WORKER_LOST_WHILE_SENDING, charged=None, finished_at=self.now()
        )
        self.announcer.announce(in_doubt)
        return "put in doubt"

    def _check_execution(self, job: Job) -> str:
        status = self.executions.status(job)
        if status is None:
            self.executions.start(job)
            return "started"
        if status is ExecutionStatus.RUNNING:
            self.ledger.extend_lease(job, max(job.deadline, self.now()) + AFTER_DEADLINE)
            return "left alone"
        return self._after_execution(job, status)

    def _after_execution(self, job: Job, status: ExecutionStatus) -> str:
        reason = SILENT_ENDINGS.get(status)
        if job.state not in FOLLOWED or reason is None:
            return "left alone"
        if job.task_id is None:
            reason = Reason(reason.code, _WITHOUT_TASK)
        failed = self.ledger.move(job, failure_of(job.state), reason=reason, finished_at=self.now())
        self.announcer.announce(failed)
        return "failed for its execution"

    def _open_breaker(self) -> OpenBreaker | None:
        """Return the state of the circuit breaker, or None if it is closed.

        Closes the breaker after a refusal if its holder no longer waits for the vendor's account.
        """
        breaker = self.breaker.state()
        if breaker is None or breaker.cause is Cause.OUTAGE:
            return breaker
        job = self.ledger.get(breaker.holder)
        if job and job.state in {State.BLOCKED, State.CLAIMED, State.SUBMITTING}:
            return breaker
        self.breaker.close(breaker)
        return None

    def _is_over(self, moment: datetime) -> bool:
        return moment <= self.now()


def _patience(age: timedelta) -> timedelta:
    return min(max(PATIENCE, age / 2), LONGEST_PATIENCE)


def _waits(job: Job | UnsettledJob, breaker: OpenBreaker) -> bool:
    """Return whether a claimed job waits for the open breaker."""
    return breaker.cause is Cause.OUTAGE or breaker.holder != job.job_id
