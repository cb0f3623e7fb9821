"""Build the steps with the world's clients, clock and vendor; mutants replace parts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from numberdrop.aws.api_key import ApiKey
from numberdrop.aws.buckets import ResultsBucket, UploadBucket
from numberdrop.aws.bus import Announcer
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.durations import Durations
from numberdrop.aws.executions import Executions
from numberdrop.aws.failure_files import FailureFiles
from numberdrop.aws.fences import Fences
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.listing import UploadListing
from numberdrop.aws.memory_bucket import MemoryBucket, hash_key
from numberdrop.aws.queue import UploadQueue
from numberdrop.aws.task_ids import TaskIds
from numberdrop.jobs.events import SchemaVersion
from numberdrop.jobs.polling import PollingPolicy
from numberdrop.memory.memory import VerdictMemory
from numberdrop.steps.balance_watch import BalanceWatch
from numberdrop.steps.collection import Collector
from numberdrop.steps.failure import FailureRecorder
from numberdrop.steps.gatekeeper import Gatekeeper
from numberdrop.steps.preparation import Preparer
from numberdrop.steps.queue_handler import QueueHandler
from numberdrop.steps.recalling import Recaller
from numberdrop.steps.reconciliation import Reconciler
from numberdrop.steps.remembering import Rememberer
from numberdrop.steps.status_check import StatusChecker
from numberdrop.steps.submission import Submitter
from numberdrop.steps.upload_rules import UploadRules
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.operations import Operations
from numberdrop_cli.restoring import RestoredLedger
from tests.support.crash.table import TABLE

JOB_TIMEOUT = timedelta(hours=1)
LONGEST_WAIT = 300
MAX_USD = Decimal(1)
"""More than any file costs, if the price of its checker is known."""

UPLOADS, RESULTS, MEMORY = "uploads", "results", "memory"
REMEMBERED_DAYS = 60, 2
"""How long a "yes" and a "no" count."""

STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:follow-tasks"


@dataclass(frozen=True)
class Clients:
    """Clients of AWS, the vendor and the downloader; all of them go through the seam."""

    dynamodb: Any
    s3: Any
    sqs: Any
    events: Any
    stepfunctions: Any
    secretsmanager: Any
    memory: Any
    memory_key: Any
    vendor: Callable[[ApiKey], Any]
    downloader: Any


@dataclass(frozen=True)
class Wiring:
    """Builds the steps as each function does on a cold start.

    Attributes:
        sleep: lets seconds of the world's clock pass.
        remembers: whether the verdict memory is on.
    """

    clients: Clients
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    remembers: bool = False

    # Parts that mutants replace

    max_usd: ClassVar[Decimal | None] = MAX_USD
    submitter_class = Submitter
    queue_handler_class = QueueHandler
    status_checker_class = StatusChecker
    collector_class = Collector
    reconciler_class = Reconciler
    ledger_class = Ledger
    breaker_class = CircuitBreaker
    gatekeeper_class = Gatekeeper
    task_ids_class = TaskIds
    fences_class = Fences
    failure_files_class = FailureFiles
    announcer_class = Announcer
    executions_class = Executions
    results_class = ResultsBucket
    recaller_class = Recaller
    rememberer_class = Rememberer

    def queue_handler(self) -> QueueHandler:
        ledger = self._ledger()
        uploads = UploadBucket(self.clients.s3)
        vendor = self._vendor()
        submission = self.submitter_class(
            ledger=ledger,
            gatekeeper=self.gatekeeper_class(self._breaker(), ledger, vendor, self.now),
            task_ids=self._task_ids(),
            fences=self._fences(),
            uploads=uploads,
            preparer=Preparer(
                uploads,
                UploadRules(allow_sensitive=False, has_user_id=False, max_usd=self.max_usd, now=self.now),
                self._recaller(),
            ),
            vendor=vendor,
            executions=self._executions(),
            announcer=self._announcer(ledger),
            durations=self._durations(),
            balance=BalanceWatch(vendor, self.now),
            job_timeout=JOB_TIMEOUT,
            now=self.now,
        )
        return self.queue_handler_class(submission, self._queue(), UPLOADS)

    def status_check(self) -> StatusChecker:
        return self.status_checker_class(
            ledger=self._ledger(),
            vendor=self._vendor(),
            polling=PollingPolicy(LONGEST_WAIT),
            job_timeout=JOB_TIMEOUT,
            now=self.now,
            sleep=self.sleep,
            chance=lambda: 0.0,
        )

    def collection(self) -> Collector:
        ledger = self._ledger()
        return self.collector_class(
            ledger=ledger,
            uploads=UploadBucket(self.clients.s3),
            vendor=self._vendor(),
            downloader=self.clients.downloader,
            results=self.results_class(self.clients.s3, RESULTS),
            announcer=self._announcer(ledger),
            durations=self._durations(),
            rememberer=self._rememberer(),
            now=self.now,
            sleep=self.sleep,
        )

    def failure_record(self) -> FailureRecorder:
        ledger = self._ledger()
        return FailureRecorder(ledger, self._announcer(ledger), self.now)

    def reconciliation(self) -> Reconciler:
        ledger = self._ledger()
        return self.reconciler_class(
            ledger=ledger,
            breaker=self._breaker(),
            executions=self._executions(),
            announcer=self._announcer(ledger),
            fences=self._fences(),
            queue=self._queue(),
            job_timeout=JOB_TIMEOUT,
            now=self.now,
        )

    def operations(self) -> Operations:
        """Build the operations of the command line; no task belongs to another job."""
        ledger = self._ledger()
        return Operations(
            ledger=ledger,
            task_ids=self._task_ids(),
            fences=self._fences(),
            jobs=_NoOtherJobs(),  # type: ignore[arg-type]
            executions=self._executions(),
            queue=self._queue(),
            job_timeout=JOB_TIMEOUT,
            now=self.now,
        )

    def restored(self) -> RestoredLedger:
        ledger = self._ledger()
        return RestoredLedger(
            ledger=ledger,
            jobs=JobsTable(self.clients.dynamodb, TABLE),
            fences=self._fences(),
            listing=UploadListing(self.clients.s3, UPLOADS),
            job_timeout=JOB_TIMEOUT,
            now=self.now,
        )

    def _ledger(self) -> Ledger:
        return self.ledger_class(self.clients.dynamodb, TABLE, self.now)

    def _breaker(self) -> CircuitBreaker:
        return self.breaker_class(self.clients.dynamodb, TABLE)

    def _task_ids(self) -> TaskIds:
        return self.task_ids_class(self.clients.dynamodb, TABLE)

    def _fences(self) -> Fences:
        return self.fences_class(self.clients.s3, RESULTS)

    def _announcer(self, ledger: Ledger) -> Announcer:
        files = self.failure_files_class(lambda: self.clients.s3, RESULTS)
        version = SchemaVersion.TWO if self.remembers else SchemaVersion.ONE
        return self.announcer_class(self.clients.events, "default", ledger, files, version)

    def _recaller(self) -> Recaller | None:
        return self.recaller_class(self._memory, self.sleep, self.now) if self.remembers else None

    def _rememberer(self) -> Rememberer | None:
        return self.rememberer_class(self._memory, self.sleep) if self.remembers else None

    def _memory(self) -> VerdictMemory:
        key = hash_key(self.clients.memory_key, "memory-key")
        return VerdictMemory(MemoryBucket(self.clients.memory, MEMORY), key, *REMEMBERED_DAYS)

    def _durations(self) -> Durations:
        return Durations(self.clients.dynamodb, TABLE)

    def _executions(self) -> Executions:
        return self.executions_class(self.clients.stepfunctions, STATE_MACHINE)

    def _queue(self) -> UploadQueue:
        return UploadQueue(self.clients.sqs, "https://queue.invalid")

    def _vendor(self) -> Any:
        return self.clients.vendor(ApiKey(self.clients.secretsmanager, "key"))


class _NoOtherJobs:
    """Replaces ``JobsTable``, which scans the table."""

    def job_of_task(self, task_id: str) -> str | None:
        return None
