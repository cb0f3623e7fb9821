"""Recording that a task ended without results: the only failure path of the state machine."""

from dataclasses import dataclass
from typing import Self

from aws_lambda_powertools import Logger

from numberdrop.aws.bus import Announcer
from numberdrop.aws.ledger import Ledger, TransitionRefusedError
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import failure_of
from numberdrop.settings import RecordFailureSettings

logger = Logger()


@dataclass(frozen=True)
class FailureRecorder:
    """Marks jobs as failed in the ledger and announces the failures."""

    ledger: Ledger
    announcer: Announcer
    now: Clock = utc_now

    @classmethod
    def from_env(cls) -> Self:
        """Return the recorder for the environment of the record_failure function."""
        settings = RecordFailureSettings.from_env()
        ledger = Ledger.connect(settings.jobs_table)
        return cls(ledger, Announcer.from_settings(settings, ledger))

    def record(self, job_id: str, reason: Reason, *, execution: str | None = None) -> Reason:
        """Mark a job as failed; return the reason that the ledger has afterwards.

        A job that has ended already does not change; its event is emitted if it never was. A job that another
        execution follows by now does not change either: a person asked to collect it again.

        Args:
            job_id: the job.
            reason: why its execution ends.
            execution: the name of that execution; None from older versions of the state machine.

        Raises:
            JobMissingError: the ledger has no such job.
        """
        logger.append_keys(job_id=job_id)
        job = self.ledger.require(job_id)
        if execution not in {None, job.execution_name}:
            logger.warning("another execution follows the job now", reason=reason.code)
            return reason
        try:
            job = self.ledger.move(job, failure_of(job.state), reason=reason, finished_at=self.now())
        except TransitionRefusedError as refused:
            job = refused.current or job
        logger.warning("the job failed", reason=reason.code)
        self.announcer.announce(job)
        return job.reason or Reason(ReasonCode.ABORTED, f"The job is {job.state}.")
