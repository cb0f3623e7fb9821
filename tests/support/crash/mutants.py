"""Mutants of the package, each with one mistake that the crash tests must find."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from numberdrop.aws.buckets import ResultsBucket, Stream
from numberdrop.aws.bus import Announcer
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.executions import Executions
from numberdrop.aws.fences import Fence, Fences, UnknownAttemptError
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.task_ids import TaskIds
from numberdrop.jobs.breaker import OpenBreaker
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.decision import Decision, PollState
from numberdrop.jobs.job import Counts, Job, StoredResults, UnsettledJob
from numberdrop.jobs.transitions import ARM, RECLAIM, State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.collection import Collector
from numberdrop.steps.message_outcomes import Requeue, Settled
from numberdrop.steps.queue_handler import Message, QueueHandler
from numberdrop.steps.reconciliation import Reconciler
from numberdrop.steps.status_check import StatusChecker
from numberdrop.steps.submission import Submitter
from numberdrop.steps.upload_rules import PreparedUpload
from numberdrop.vendor.download import DownloadFailedError
from numberdrop.vendor.outcomes import InDoubt, Retryable, SubmitOutcome, TaskStatus
from tests.support.crash.breaker_mutants import BREAKER_MUTANTS
from tests.support.crash.failure_file_mutants import FAILURE_FILE_MUTANTS
from tests.support.crash.memory_mutants import MEMORY_MUTANTS
from tests.support.crash.vendor import SeamVendorClient
from tests.support.crash.wiring import Wiring

# Sending


@dataclass(frozen=True)
class _RetryingVendor:
    """A vendor client that sends a file again after a doubtful answer."""

    vendor: SeamVendorClient
    user_id: str = ""

    @property
    def api_key(self) -> Any:
        return self.vendor.api_key

    def answers(self) -> bool:
        return self.vendor.answers()

    def balance(self, *, seconds: float) -> Any:
        return self.vendor.balance(seconds=seconds)

    def answers_about_tasks(self) -> bool:
        return self.vendor.answers_about_tasks()

    def status(self, checker: Checker, task_id: str) -> Any:
        return self.vendor.status(checker, task_id)

    def submit(self, checker: Checker, file: IO[bytes], *, seconds: float) -> SubmitOutcome:
        outcome = self.vendor.submit(checker, file, seconds=seconds)
        if isinstance(outcome, InDoubt):
            file.seek(0)
            outcome = self.vendor.submit(checker, file, seconds=seconds)
        return outcome


class RetriesALostPost(Wiring):
    def _vendor(self) -> Any:
        return _RetryingVendor(super()._vendor())


class _ReleasingSubmitter(Submitter):
    def _record(self, job: Job, outcome: SubmitOutcome) -> Settled | Requeue:
        return super()._record(job, Retryable(1, "?") if isinstance(outcome, InDoubt) else outcome)


class ReleasesADoubtfulJob(Wiring):
    submitter_class = _ReleasingSubmitter


class _LateArmingSubmitter(Submitter):
    def _send(self, job: Job, prepared: PreparedUpload, end: datetime) -> Settled | Requeue:
        outcome = self.vendor.submit(prepared.checker, prepared.file, seconds=60)
        armed = self.ledger.move(job, ARM, checker=prepared.checker.name, counts=prepared.counts)
        return self._record(armed, outcome)


class ArmsAfterThePost(Wiring):
    submitter_class = _LateArmingSubmitter


class _OverReclaimingLedger(Ledger):
    def reclaim(self, job: Job, *, lease_until: datetime, timeout: timedelta) -> Job:
        transition = replace(RECLAIM, sources=RECLAIM.sources | {State.SUBMITTING})
        return self.move(job, transition, token=uuid4().hex, lease_until=lease_until, deadline=job.deadline)


class _OverReclaimingSubmitter(Submitter):
    def _continue(self, job: Job, end: datetime) -> Settled | Requeue:
        if job.state is State.SUBMITTING and job.lease_until <= self.now():
            return self._take_over(job, end)
        return super()._continue(job, end)


class ReclaimsASubmittingJob(Wiring):
    ledger_class = _OverReclaimingLedger
    submitter_class = _OverReclaimingSubmitter


# The ledger


class _UnconditionalLedger(Ledger):
    def claim(self, upload: Upload, *, lease_until: datetime, deadline: datetime) -> Job:
        self.client.delete_item(TableName=self.table, Key={"job_id": {"S": upload.job_id}})
        return super().claim(upload, lease_until=lease_until, deadline=deadline)


class ClaimsUnconditionally(Wiring):
    ledger_class = _UnconditionalLedger


@dataclass(frozen=True)
class _WithoutOwnWrite:
    """A client whose failed conditions never show the caller's own write."""

    client: Any

    def __getattr__(self, operation: str) -> Any:
        return getattr(self.client, operation)

    def update_item(self, **request: Any) -> Any:
        try:
            return self.client.update_item(**request)
        except ClientError as error:
            item: Any = error.response.get("Item")
            if item:
                error.response["Item"] = item | {"last_write": {"S": "another writer's"}}  # type: ignore[typeddict-unknown-key]
            raise


class TrustsAFailedConditionOnItsOwnWrite(Wiring):
    def _ledger(self) -> Ledger:
        ledger = super()._ledger()
        return replace(ledger, client=_WithoutOwnWrite(ledger.client))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _KeepingAnnounced:
    """A client that never removes the attribute ``announced``."""

    client: Any

    def __getattr__(self, operation: str) -> Any:
        return getattr(self.client, operation)

    def update_item(self, **request: Any) -> Any:
        expression = request["UpdateExpression"].removesuffix(" REMOVE announced")
        return self.client.update_item(**request | {"UpdateExpression": expression})


class AnnouncesARepeatedEndingOnlyOnce(Wiring):
    def _ledger(self) -> Ledger:
        ledger = super()._ledger()
        return replace(ledger, client=_KeepingAnnounced(ledger.client))  # type: ignore[arg-type]


class _NotExtendingLedger(Ledger):
    def extend_deadline(self, job: Job, deadline: datetime) -> None:
        """Leave the deadline unchanged."""


class CountsTheTimeBehindTheBreaker(Wiring):
    ledger_class = _NotExtendingLedger


class _StuckBreaker(CircuitBreaker):
    def close(self, read: OpenBreaker) -> None:
        """Leave it open."""


class NeverClosesTheBreaker(Wiring):
    breaker_class = _StuckBreaker


class _TrustingTaskIds(TaskIds):
    def assign(self, task_id: str, job_id: str) -> bool:
        return True


class AcceptsTheTaskOfAnotherFile(Wiring):
    task_ids_class = _TrustingTaskIds


class _NoFences(Fences):
    def put_up(self, job: Job) -> Fence:
        return Fence(job.job_id, job.token, "none")


class SkipsTheFence(Wiring):
    fences_class = _NoFences


class _BlindFences(Fences):
    def put_up(self, job: Job) -> Fence:
        while standing := self.find(job.job_id):
            self.remove(standing)
        return super().put_up(job)


class IgnoresTheFenceOfAnUnknownAttempt(Wiring):
    fences_class = _BlindFences


class _UncheckedFences(Fences):
    def check(self, job: Job) -> Fence | None:
        return self.find(job.job_id)


class DeniesAForgottenCharge(Wiring):
    fences_class = _UncheckedFences


class _ForgetfulFences(Fences):
    def put_up(self, job: Job) -> Fence:
        fence = self._put(job)
        if fence is None:
            raise UnknownAttemptError(job.token)
        return fence


class DoubtsItsOwnFence(Wiring):
    fences_class = _ForgetfulFences


class _CountingFences(Fences):
    def put_up(self, job: Job) -> Fence:
        # A job that was sent before is taken to know every fence.
        standing = self.find(job.job_id) if job.attempts > 1 else None
        return super().put_up(replace(job, fence_tokens=frozenset({standing.token})) if standing else job)


class CountsAttemptsInsteadOfTokens(Wiring):
    fences_class = _CountingFences


class _StandingFences(Fences):
    def remove(self, fence: Fence) -> None:
        """Leave it."""


class LeavesTheFenceOfAFreeAttempt(Wiring):
    fences_class = _StandingFences


class _TidySubmitter(Submitter):
    def _send(self, job: Job, prepared: PreparedUpload, end: datetime) -> Settled | Requeue:
        result = super()._send(job, prepared, end)
        fence = self.fences.find(job.job_id)
        if fence:
            self.fences.remove(fence)
        return result


class RemovesTheFenceOfAChargedAttempt(Wiring):
    submitter_class = _TidySubmitter


# Announcing


class _EarlyMarkingAnnouncer(Announcer):
    def announce(self, job: Job) -> None:
        if job.ending not in job.announced:
            self.ledger.mark_announced(job)
        super().announce(job)


class MarksBeforeItEmits(Wiring):
    announcer_class = _EarlyMarkingAnnouncer


class _NotMarkingLedger(Ledger):
    def mark_announced(self, job: Job) -> None:
        """Do nothing."""


class NeverMarks(Wiring):
    ledger_class = _NotMarkingLedger


class _SwallowingQueueHandler(QueueHandler):
    def handle(self, message: Message, *, seconds: float) -> bool:
        with suppress(Exception):
            super().handle(message, seconds=seconds)
        return True


class DropsFailedMessages(Wiring):
    queue_handler_class = _SwallowingQueueHandler


# Executions and collection


class _ImpatientStatusChecker(StatusChecker):
    def _check_once(self, job: Job, task_id: str, seen: PollState) -> Decision:
        return super()._check_once(job, task_id, replace(seen, done=None, grown_at=None))


class TimesOutATaskThatMakesProgress(Wiring):
    status_checker_class = _ImpatientStatusChecker


class _RandomlyNamedExecutions(Executions):
    def start(self, job: Job) -> None:
        self.client.start_execution(
            stateMachineArn=self.state_machine_arn, name=uuid4().hex, input=json.dumps({"job_id": job.job_id})
        )


class NamesExecutionsAtRandom(Wiring):
    executions_class = _RandomlyNamedExecutions


@dataclass(frozen=True)
class _LateStoringResults(ResultsBucket):
    pending: list[tuple[str, bytes, str]] = field(default_factory=list)

    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        self.pending.append((key, file.read(), content_type))

    def put_stream(self, key: str, stream: Stream, *, length: int, content_type: str) -> None:
        self.pending.append((key, stream.read(), content_type))

    def store(self) -> None:
        while self.pending:
            key, content, content_type = self.pending.pop(0)
            super().put(key, io.BytesIO(content), content_type)


class _TruncatingResults(ResultsBucket):
    def put_stream(self, key: str, stream: Stream, *, length: int, content_type: str) -> None:
        content = b""
        with suppress(DownloadFailedError):
            content = stream.read()
        super().put(key, io.BytesIO(content), content_type)


class StoresATruncatedExport(Wiring):
    results_class = _TruncatingResults


class _ReportlessResults(ResultsBucket):
    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        if not key.endswith("/report.html"):
            super().put(key, file, content_type)


class StoresNoReport(Wiring):
    results_class = _ReportlessResults


class _EarlyCompletingCollector(Collector):
    def _complete(
        self, job: Job, counts: Counts, stored: StoredResults, status: TaskStatus | None
    ) -> Decision:
        decision = super()._complete(job, counts, stored, status)
        assert isinstance(self.results, _LateStoringResults)
        self.results.store()
        return decision


class CompletesBeforeItStores(Wiring):
    collector_class = _EarlyCompletingCollector
    results_class = _LateStoringResults


# Reconciling


class _IgnoringReconcile(Wiring):
    """Its reconcile ignores the jobs in some states."""

    ignored: frozenset[State] = frozenset()

    def reconciliation(self) -> Reconciler:
        real = super().reconciliation()
        ledger = real.ledger
        ignored = self.ignored

        class IgnoringLedger(Ledger):
            def unsettled(self) -> Iterator[tuple[str, UnsettledJob | None]]:
                for job_id, indexed in super().unsettled():
                    job = self.get(job_id)
                    if job and job.state not in ignored:
                        yield job_id, indexed

        return replace(real, ledger=IgnoringLedger(ledger.client, ledger.table, ledger.now))


class ReconcileNeverAnnounces(_IgnoringReconcile):
    ignored = frozenset({State.COMPLETED, State.FAILED, State.ABANDONED, State.IN_DOUBT})


class ReconcileIgnoresClaimed(_IgnoringReconcile):
    ignored = frozenset({State.CLAIMED})


class ReconcileIgnoresSubmitting(_IgnoringReconcile):
    ignored = frozenset({State.SUBMITTING})


class ReconcileIgnoresSubmitted(_IgnoringReconcile):
    ignored = frozenset({State.SUBMITTED})


class ReconcileIgnoresAnswered(_IgnoringReconcile):
    ignored = frozenset({State.ANSWERED})


class ReconcileIgnoresBlocked(_IgnoringReconcile):
    ignored = frozenset({State.BLOCKED})


class _ResubmittingReconciler(Reconciler):
    def _put_in_doubt(self, job: Job) -> str:
        ledger = _OverReclaimingLedger(self.ledger.client, self.ledger.table, self.now)
        return replace(self, ledger=ledger)._restart(job)


class ReconcileResubmitsASubmittingJob(Wiring):
    reconciler_class = _ResubmittingReconciler


class IgnoresTheCeiling(Wiring):
    max_usd = None


MUTANTS: Mapping[type[Wiring], tuple[str, ...]] = {
    **BREAKER_MUTANTS,
    **FAILURE_FILE_MUTANTS,
    **MEMORY_MUTANTS,
    RetriesALostPost: ("one_upload",),
    ReleasesADoubtfulJob: ("one_upload",),
    ArmsAfterThePost: ("one_upload",),
    ReclaimsASubmittingJob: ("an_event_repeated_after_the_lease",),
    ClaimsUnconditionally: ("one_upload",),
    TrustsAFailedConditionOnItsOwnWrite: ("one_upload",),
    AnnouncesARepeatedEndingOnlyOnce: ("a_repeated_doubt", "a_task_that_fails_twice"),
    CountsTheTimeBehindTheBreaker: ("an_upload_claimed_before_a_long_open_breaker",),
    SkipsTheFence: ("a_table_restored_to_before_the_post",),
    IgnoresTheFenceOfAnUnknownAttempt: ("a_table_restored_to_before_the_post",),
    DeniesAForgottenCharge: ("a_table_restored_after_the_deadline",),
    DoubtsItsOwnFence: ("one_upload",),
    CountsAttemptsInsteadOfTokens: ("a_table_restored_to_before_the_upload",),
    LeavesTheFenceOfAFreeAttempt: ("a_refused_file_in_a_restored_table",),
    RemovesTheFenceOfAChargedAttempt: ("a_table_restored_to_before_the_upload",),
    IgnoresTheCeiling: ("an_upload_above_the_ceiling",),
    AcceptsTheTaskOfAnotherFile: ("two_files_with_one_task_id",),
    NeverClosesTheBreaker: ("an_empty_account",),
    MarksBeforeItEmits: ("one_upload",),
    NeverMarks: ("one_upload",),
    DropsFailedMessages: ("one_upload",),
    TimesOutATaskThatMakesProgress: ("a_slow_task_that_makes_progress",),
    NamesExecutionsAtRandom: ("one_upload",),
    StoresATruncatedExport: ("one_upload",),
    StoresNoReport: ("one_upload",),
    CompletesBeforeItStores: ("one_upload",),
    ReconcileNeverAnnounces: ("an_invalid_upload", "an_abandoned_doubt"),
    ReconcileIgnoresClaimed: ("lost_messages",),
    ReconcileIgnoresSubmitting: ("lost_messages",),
    ReconcileIgnoresSubmitted: ("a_doubt_that_was_charged",),
    ReconcileIgnoresAnswered: ("an_answered_upload_without_its_message",),
    ReconcileIgnoresBlocked: ("an_empty_account",),
    ReconcileResubmitsASubmittingJob: ("one_upload",),
}
"""The mutants, each with the scenarios whose single faults must expose it at least once."""
