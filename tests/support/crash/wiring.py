"""What ``numberdrop.wiring`` does, with the world's clients, clock and vendor; mutants replace parts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from numberdrop.aws.api_key import ApiKey
from numberdrop.aws.buckets import ResultsBucket, UploadBucket
from numberdrop.aws.bus import Announcer
from numberdrop.aws.circuit_breaker import Line
from numberdrop.aws.durations import Paces
from numberdrop.aws.executions import Workflow
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.queue import UploadQueue
from numberdrop.jobs.polling import Pacing
from numberdrop.steps.collection import Collection
from numberdrop.steps.failure import FailureRecord
from numberdrop.steps.queue_handler import Intake
from numberdrop.steps.reconciliation import Reconciliation
from numberdrop.steps.status_check import StatusCheck
from numberdrop.steps.submission import Submission
from numberdrop_cli.operations import Operations
from tests.support.crash.table import TABLE

JOB_TIMEOUT = timedelta(hours=1)
LONGEST_WAIT = 300
UPLOADS, RESULTS = "uploads", "results"
STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:follow-tasks"


@dataclass(frozen=True)
class Clients:
    """Clients of AWS, the vendor and the downloader, all of them at the seam."""

    dynamodb: Any
    s3: Any
    sqs: Any
    events: Any
    stepfunctions: Any
    secretsmanager: Any
    vendor: Callable[[ApiKey], Any]
    downloader: Any


@dataclass(frozen=True)
class Wiring:
    """Puts a cold function together.

    Attributes:
        sleep: lets the seconds of the world pass.
    """

    clients: Clients
    now: Callable[[], datetime]
    sleep: Callable[[float], None]

    # Parts that mutants replace

    submission_class = Submission
    intake_class = Intake
    collection_class = Collection
    reconciliation_class = Reconciliation
    ledger_class = Ledger
    line_class = Line
    announcer_class = Announcer
    workflow_class = Workflow
    results_class = ResultsBucket

    def intake(self) -> Intake:
        ledger = self._ledger()
        submission = self.submission_class(
            ledger=ledger,
            line=self._line(),
            uploads=UploadBucket(self.clients.s3),
            vendor=self._vendor(),
            workflow=self._workflow(),
            announcer=self._announcer(ledger),
            paces=self._paces(),
            job_timeout=JOB_TIMEOUT,
            allow_sensitive=False,
            now=self.now,
        )
        return self.intake_class(submission, self._queue(), UPLOADS)

    def status_check(self) -> StatusCheck:
        return StatusCheck(
            ledger=self._ledger(),
            vendor=self._vendor(),
            pacing=Pacing(LONGEST_WAIT),
            now=self.now,
            sleep=self.sleep,
            chance=lambda: 0.0,
        )

    def collection(self) -> Collection:
        ledger = self._ledger()
        return self.collection_class(
            ledger=ledger,
            uploads=UploadBucket(self.clients.s3),
            vendor=self._vendor(),
            downloader=self.clients.downloader,
            results=self.results_class(self.clients.s3, RESULTS),
            announcer=self._announcer(ledger),
            paces=self._paces(),
            now=self.now,
            sleep=self.sleep,
        )

    def failure_record(self) -> FailureRecord:
        ledger = self._ledger()
        return FailureRecord(ledger, self._announcer(ledger), self.now)

    def reconciliation(self) -> Reconciliation:
        ledger = self._ledger()
        return self.reconciliation_class(
            ledger=ledger,
            line=self._line(),
            workflow=self._workflow(),
            announcer=self._announcer(ledger),
            queue=self._queue(),
            job_timeout=JOB_TIMEOUT,
            now=self.now,
        )

    def operations(self) -> Operations:
        """What the command line does for a person; no task is known to belong to another job."""
        ledger = self._ledger()
        return Operations(
            ledger=ledger,
            jobs=_NoOtherJobs(),  # type: ignore[arg-type]
            workflow=self._workflow(),
            announcer=self._announcer(ledger),
            queue=self._queue(),
            job_timeout=JOB_TIMEOUT,
            now=self.now,
        )

    def _ledger(self) -> Ledger:
        return self.ledger_class(self.clients.dynamodb, TABLE, self.now)

    def _line(self) -> Line:
        return self.line_class(self.clients.dynamodb, TABLE)

    def _announcer(self, ledger: Ledger) -> Announcer:
        return self.announcer_class(self.clients.events, "default", ledger)

    def _paces(self) -> Paces:
        return Paces(self.clients.dynamodb, TABLE)

    def _workflow(self) -> Workflow:
        return self.workflow_class(self.clients.stepfunctions, STATE_MACHINE)

    def _queue(self) -> UploadQueue:
        return UploadQueue(self.clients.sqs, "https://queue.invalid")

    def _vendor(self) -> Any:
        return self.clients.vendor(ApiKey(self.clients.secretsmanager, "key"))


class _NoOtherJobs:
    """Stands in for ``JobsTable``, which looks through the table."""

    def job_of_task(self, task_id: str) -> str | None:
        return None
