"""The package with one mistake each: what a harness must not let live."""

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
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.decision import Decision
from numberdrop.jobs.job import Counts, Job, StoredResults
from numberdrop.jobs.transitions import ARM, RECLAIM, State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.collection import Collector
from numberdrop.steps.preparation import PreparedUpload
from numberdrop.steps.queue_handler import Message, QueueHandler
from numberdrop.steps.reconciliation import Reconciler
from numberdrop.steps.submission import Requeue, Settled, Submitter
from numberdrop.vendor.download import DownloadFailedError
from numberdrop.vendor.outcomes import InDoubt, Retryable, SubmitOutcome
from tests.support.crash.vendor import VendorAtTheSeam
from tests.support.crash.wiring import Wiring

# Sending


@dataclass(frozen=True)
class _PersistentVendor:
    """Stands before the vendor."""

    vendor: VendorAtTheSeam
    user_id: str = ""

    @property
    def api_key(self) -> Any:
        return self.vendor.api_key

    def status(self, checker: Checker, task_id: str) -> Any:
        return self.vendor.status(checker, task_id)

    def submit(self, checker: Checker, file: IO[bytes], *, seconds: float) -> SubmitOutcome:
        outcome = self.vendor.submit(checker, file, seconds=seconds)
        if isinstance(outcome, InDoubt):
            file.seek(0)
            outcome = self.vendor.submit(checker, file, seconds=seconds)
        return outcome


class PostsAgainAfterALostAnswer(Wiring):
    def _vendor(self) -> Any:
        return _PersistentVendor(super()._vendor())


class _Releasing(Submitter):
    def _record(self, job: Job, outcome: SubmitOutcome) -> Settled | Requeue:
        return super()._record(job, Retryable(1, "?") if isinstance(outcome, InDoubt) else outcome)


class ReleasesOnADoubt(Wiring):
    submitter_class = _Releasing


class _ArmingLate(Submitter):
    def _send(self, job: Job, prepared: PreparedUpload, end: datetime) -> Settled | Requeue:
        outcome = self.vendor.submit(prepared.checker, prepared.file, seconds=60)
        armed = self.ledger.move(job, ARM, checker=prepared.checker.name, counts=prepared.counts)
        return self._record(armed, outcome)


class ArmsAfterThePost(Wiring):
    submitter_class = _ArmingLate


class _ReclaimingAnything(Ledger):
    def reclaim(self, job: Job, *, lease_until: datetime, timeout: timedelta) -> Job:
        transition = replace(RECLAIM, sources=RECLAIM.sources | {State.SUBMITTING})
        return self.move(job, transition, token=uuid4().hex, lease_until=lease_until, deadline=job.deadline)


class _TakingOverAnything(Submitter):
    def _continue(self, job: Job, end: datetime) -> Settled | Requeue:
        if job.state is State.SUBMITTING and job.lease_until <= self.now():
            return self._take_over(job, end)
        return super()._continue(job, end)


class ReclaimsAJobThatWasBeingSubmitted(Wiring):
    ledger_class = _ReclaimingAnything
    submitter_class = _TakingOverAnything


# The ledger


class _ForgettingFirst(Ledger):
    def claim(self, upload: Upload, *, lease_until: datetime, deadline: datetime) -> Job:
        self.client.delete_item(TableName=self.table, Key={"job_id": {"S": upload.job_id}})
        return super().claim(upload, lease_until=lease_until, deadline=deadline)


class ClaimsWithoutACondition(Wiring):
    ledger_class = _ForgettingFirst


@dataclass(frozen=True)
class _Misreporting:
    """A client whose refusals never bear the caller's own write."""

    client: Any

    def __getattr__(self, operation: str) -> Any:
        return getattr(self.client, operation)

    def update_item(self, **request: Any) -> Any:
        try:
            return self.client.update_item(**request)
        except ClientError as error:
            item: Any = error.response.get("Item")
            if item:
                error.response["Item"] = item | {"last_write": {"S": "somebody else's"}}  # type: ignore[typeddict-unknown-key]
            raise


class BelievesAFailedConditionAgainstItsOwnWrite(Wiring):
    def _ledger(self) -> Ledger:
        ledger = super()._ledger()
        return replace(ledger, client=_Misreporting(ledger.client))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Remembering:
    """A client that never takes an attribute away which says what was announced."""

    client: Any

    def __getattr__(self, operation: str) -> Any:
        return getattr(self.client, operation)

    def update_item(self, **request: Any) -> Any:
        expression = request["UpdateExpression"].removesuffix(" REMOVE announced")
        return self.client.update_item(**request | {"UpdateExpression": expression})


class AnnouncesEachEndingOnlyOnce(Wiring):
    def _ledger(self) -> Ledger:
        ledger = super()._ledger()
        return replace(ledger, client=_Remembering(ledger.client))  # type: ignore[arg-type]


class _Impatient(Ledger):
    def extend_deadline(self, job: Job, deadline: datetime) -> None:
        """Lets the deadline pass."""


class CountsTheTimeBehindTheLine(Wiring):
    ledger_class = _Impatient


class _Unmoved(CircuitBreaker):
    def close(self, holder: str) -> None:
        """Leaves it stopped."""


class NeverOpensTheLine(Wiring):
    breaker_class = _Unmoved


# Telling


class _MarkingFirst(Announcer):
    def announce(self, job: Job) -> None:
        if job.ending not in job.announced:
            self.ledger.mark_announced(job)
        super().announce(job)


class MarksBeforeItEmits(Wiring):
    announcer_class = _MarkingFirst


class _NeverMarking(Ledger):
    def mark_announced(self, job: Job) -> None:
        """Forgets it."""


class NeverMarks(Wiring):
    ledger_class = _NeverMarking


class _SwallowingIntake(QueueHandler):
    def handle(self, message: Message, *, seconds: float) -> None:
        with suppress(Exception):
            super().handle(message, seconds=seconds)


class ForgetsMessagesThatFailed(Wiring):
    queue_handler_class = _SwallowingIntake


# Following and collecting


class _NamingAtRandom(Executions):
    def start(self, job: Job) -> None:
        self.client.start_execution(
            stateMachineArn=self.state_machine_arn, name=uuid4().hex, input=json.dumps({"job_id": job.job_id})
        )


class NamesExecutionsAtRandom(Wiring):
    executions_class = _NamingAtRandom


@dataclass(frozen=True)
class _StoringLate(ResultsBucket):
    waiting: list[tuple[str, bytes, str]] = field(default_factory=list)

    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        self.waiting.append((key, file.read(), content_type))

    def put_stream(self, key: str, stream: Stream, *, length: int, content_type: str) -> None:
        self.waiting.append((key, stream.read(), content_type))

    def store(self) -> None:
        while self.waiting:
            key, content, content_type = self.waiting.pop(0)
            super().put(key, io.BytesIO(content), content_type)


class _StoringParts(ResultsBucket):
    def put_stream(self, key: str, stream: Stream, *, length: int, content_type: str) -> None:
        content = b""
        with suppress(DownloadFailedError):
            content = stream.read()
        super().put(key, io.BytesIO(content), content_type)


class StoresAnExportThatBrokeOff(Wiring):
    results_class = _StoringParts


class _StoringNoReport(ResultsBucket):
    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        if not key.endswith("/report.html"):
            super().put(key, file, content_type)


class StoresNoReport(Wiring):
    results_class = _StoringNoReport


class _CompletingFirst(Collector):
    def _complete(
        self, job: Job, counts: Counts, stored: StoredResults, exported_at: datetime | None
    ) -> Decision:
        decision = super()._complete(job, counts, stored, exported_at)
        assert isinstance(self.results, _StoringLate)
        self.results.store()
        return decision


class CompletesBeforeItStores(Wiring):
    collector_class = _CompletingFirst
    results_class = _StoringLate


# Reconciling


class _Overlooking(Wiring):
    """Its reconcile sees no job in these states."""

    overlooked: frozenset[State] = frozenset()

    def reconciliation(self) -> Reconciler:
        real = super().reconciliation()
        ledger = real.ledger
        overlooked = self.overlooked

        class OverlookingLedger(Ledger):
            def unsettled(self) -> Iterator[str]:
                for job_id in super().unsettled():
                    job = self.get(job_id)
                    if job and job.state not in overlooked:
                        yield job_id

        return replace(real, ledger=OverlookingLedger(ledger.client, ledger.table, ledger.now))


class ReconcileNeverAnnounces(_Overlooking):
    overlooked = frozenset({State.COMPLETED, State.FAILED, State.ABANDONED, State.IN_DOUBT})


class ReconcileIgnoresClaimed(_Overlooking):
    overlooked = frozenset({State.CLAIMED})


class ReconcileIgnoresSubmitting(_Overlooking):
    overlooked = frozenset({State.SUBMITTING})


class ReconcileIgnoresSubmitted(_Overlooking):
    overlooked = frozenset({State.SUBMITTED})


class ReconcileIgnoresBlocked(_Overlooking):
    overlooked = frozenset({State.BLOCKED})


class _RestartingTheDoubtful(Reconciler):
    def _put_in_doubt(self, job: Job) -> str:
        ledger = _ReclaimingAnything(self.ledger.client, self.ledger.table, self.now)
        return replace(self, ledger=ledger)._restart(job)


class ReconcileSendsAgainWhatWasBeingSubmitted(Wiring):
    reconciler_class = _RestartingTheDoubtful


MUTANTS: Mapping[type[Wiring], tuple[str, ...]] = {
    PostsAgainAfterALostAnswer: ("one_upload",),
    ReleasesOnADoubt: ("one_upload",),
    ArmsAfterThePost: ("one_upload",),
    ReclaimsAJobThatWasBeingSubmitted: ("an_event_that_comes_again_when_the_worker_should_be_gone",),
    ClaimsWithoutACondition: ("one_upload",),
    BelievesAFailedConditionAgainstItsOwnWrite: ("one_upload",),
    AnnouncesEachEndingOnlyOnce: ("a_doubt_that_comes_again", "a_task_that_fails_again"),
    CountsTheTimeBehindTheLine: ("an_upload_that_was_claimed_before_the_line_stopped_for_long",),
    NeverOpensTheLine: ("an_empty_account",),
    MarksBeforeItEmits: ("one_upload",),
    NeverMarks: ("one_upload",),
    ForgetsMessagesThatFailed: ("one_upload",),
    NamesExecutionsAtRandom: ("one_upload",),
    StoresAnExportThatBrokeOff: ("one_upload",),
    StoresNoReport: ("one_upload",),
    CompletesBeforeItStores: ("one_upload",),
    ReconcileNeverAnnounces: ("an_upload_that_cannot_be_sent", "a_doubt_given_up"),
    ReconcileIgnoresClaimed: ("messages_that_are_lost",),
    ReconcileIgnoresSubmitting: ("messages_that_are_lost",),
    ReconcileIgnoresSubmitted: ("a_doubt_about_a_charge",),
    ReconcileIgnoresBlocked: ("an_empty_account",),
    ReconcileSendsAgainWhatWasBeingSubmitted: ("one_upload",),
}
"""Each with the scenarios of whose single faults at least one must show the mistake."""
