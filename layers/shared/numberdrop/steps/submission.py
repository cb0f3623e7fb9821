"""Sending an upload to the vendor: the only place where money is spent."""

import logging
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Self

from aws_lambda_powertools import Logger

from numberdrop.aws.api_key import ApiKey
from numberdrop.aws.buckets import ReadRefusedError, UploadBucket
from numberdrop.aws.bus import Announcer
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.clients import make_client
from numberdrop.aws.durations import Durations
from numberdrop.aws.executions import Executions
from numberdrop.aws.fences import Fences, UnknownAttemptError
from numberdrop.aws.ledger import Ledger, TransitionRefusedError
from numberdrop.aws.task_ids import TaskIds
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.job import Job, JobChanges, forgotten
from numberdrop.jobs.reasons import (
    REPEATED_TASK_ID,
    WORKER_LOST_WHILE_SENDING,
    Reason,
    ReasonCode,
    in_doubt,
    refused,
)
from numberdrop.jobs.transitions import (
    ACCEPT,
    ANSWER,
    ARM,
    BLOCK,
    DECLINE,
    DOUBT,
    FORGOTTEN,
    REJECT,
    RELEASE,
    WORKER_LOST,
    State,
    Transition,
)
from numberdrop.jobs.upload import Upload
from numberdrop.metrics import count_answered, count_charge, count_upload
from numberdrop.settings import SubmitSettings
from numberdrop.steps.balance_watch import BalanceWatch
from numberdrop.steps.gatekeeper import BLOCKED_PAUSE, HALF_OPEN_WAIT, Admission, Gatekeeper
from numberdrop.steps.message_outcomes import Requeue, Settled
from numberdrop.steps.posting import Poster
from numberdrop.steps.preparation import Preparer, connect_recaller
from numberdrop.steps.upload_rules import PreparedUpload, UploadRules
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import Accepted, Blocked, InDoubt, Rejected, Retryable, SubmitOutcome

LEASE_MARGIN = timedelta(seconds=30)
"""How long after its time limit a worker is still presumed alive."""

CLOCK_SKEW = 5
"""Seconds by which a message may arrive too early, because clocks differ."""

EXECUTION_START = timedelta(minutes=1)
"""How long a worker may take to start the execution before reconcile does it."""

MAX_SERVER_ERRORS = 3
"""After this many POSTs answered with status 500, the upload counts as rejected."""

logger = Logger()


@dataclass(frozen=True)
class Submitter:
    """Takes an upload from its event to a running execution, or to a failure that costs nothing.

    Attributes:
        job_timeout: how long to try to submit, and then how long the task may take.
    """

    ledger: Ledger
    gatekeeper: Gatekeeper
    task_ids: TaskIds
    fences: Fences
    uploads: UploadBucket
    preparer: Preparer
    vendor: VendorClient
    executions: Executions
    announcer: Announcer
    durations: Durations
    balance: BalanceWatch
    job_timeout: timedelta
    now: Clock = utc_now

    @classmethod
    def from_settings(cls, settings: SubmitSettings) -> Self:
        """Return the submitter for these settings, with its own clients."""
        ledger = Ledger.connect(settings.jobs_table)
        uploads = UploadBucket(make_client("s3"))
        vendor = VendorClient.from_settings(settings, ApiKey.connect(settings.api_key_secret))
        return cls(
            ledger=ledger,
            gatekeeper=Gatekeeper(CircuitBreaker.beside(ledger), ledger, vendor),
            task_ids=TaskIds.beside(ledger),
            fences=Fences.connect(settings.results_bucket),
            uploads=uploads,
            preparer=Preparer(uploads, UploadRules.from_settings(settings), connect_recaller()),
            vendor=vendor,
            executions=Executions.connect(settings.state_machine_arn),
            announcer=Announcer.from_settings(settings, ledger),
            durations=Durations.connect(settings.jobs_table),
            balance=BalanceWatch(vendor),
            job_timeout=timedelta(hours=settings.job_timeout_hours),
        )

    @property
    def _poster(self) -> Poster:
        return Poster(self.vendor, self.now)

    def submit(self, upload: Upload, *, seconds: float, redelivered: bool = False) -> Settled | Requeue:
        """Do the next thing for an upload, as its job in the ledger requires, within ``seconds``."""
        if upload.is_folder_marker:
            return Settled()
        upload = self.uploads.with_version(self.uploads.with_decoded_key(upload))
        if redelivered:  # the worker of the first delivery failed or died
            self.ledger.end_claim(upload.job_id)
        end = self.now() + timedelta(seconds=seconds)
        admission = self.gatekeeper.admit(upload, until=end + LEASE_MARGIN)
        if admission.wait is not None:
            return self._wait(upload, admission, admission.wait, end)
        try:
            outcome = self._continue_or_claim(upload, end)
        except Exception:
            self.gatekeeper.leave(admission)
            raise
        self.gatekeeper.leave(admission)
        if isinstance(outcome, Settled) and outcome.accepted:
            self.balance.publish(end)
        return outcome

    def _wait(self, upload: Upload, admission: Admission, seconds: int, end: datetime) -> Settled | Requeue:
        """Wait for a turn. A job that was refused stays blocked, and reconcile wakes it."""
        job = admission.job
        if job is None:
            return self._answer_or_wait(upload, seconds, end)
        if job.reason is None:
            # The lease shows reconcile when the upload asked last, so that it finds lost messages.
            self.ledger.extend_lease(job, self.now())
            return Requeue(seconds)
        if job.state is State.CLAIMED:
            try:
                job = self.ledger.reclaim(job, lease_until=end + LEASE_MARGIN, timeout=self.job_timeout)
                self.ledger.move(job, BLOCK, lease_until=self.now() + BLOCKED_PAUSE)
            except TransitionRefusedError:
                logger.info("another worker has the job")
        return Settled()

    def _answer_or_wait(self, upload: Upload, seconds: int, end: datetime) -> Settled | Requeue:
        """Answer an upload from memory, which needs no turn. Otherwise, it waits as a claimed job.

        This is tried once for each upload: reading it again every few minutes would be expensive.
        """
        if self.preparer.recaller is None:
            return Requeue(seconds)
        try:
            job = self._claim(upload, end)
        except TransitionRefusedError:
            return Requeue(seconds)
        return self._attempt(job, end, wait=seconds)

    def _claim(self, upload: Upload, end: datetime) -> Job:
        job = self.ledger.claim(
            upload, lease_until=end + LEASE_MARGIN, deadline=self.now() + self.job_timeout
        )
        count_upload(job)
        return job

    def _continue_or_claim(self, upload: Upload, end: datetime) -> Settled | Requeue:
        try:
            job = self._claim(upload, end)
        except TransitionRefusedError as refused:
            if refused.current is None:
                raise
            return self._continue(refused.current, end)
        return self._attempt(job, end)

    def _continue(self, job: Job, end: datetime) -> Settled | Requeue:
        """Continue with a job that exists already."""
        logger.append_keys(job_id=job.job_id)
        if job.state in {State.CLAIMED, State.BLOCKED, State.SUBMITTING} and job.lease_until > self.now():
            return self._leave_alone(job)
        match job.state:
            case State.CLAIMED | State.BLOCKED:
                return self._take_over(job, end)
            case State.SUBMITTING:
                self._end(job, WORKER_LOST, WORKER_LOST_WHILE_SENDING, {"charged": None})
            case State.SUBMITTED | State.ANSWERED:
                self.executions.start(job)
            case State.IN_DOUBT | State.COMPLETED | State.FAILED | State.ABANDONED:
                self.announcer.announce(job)
        return Settled()

    def _take_over(self, job: Job, end: datetime) -> Settled | Requeue:
        try:
            job = self.ledger.reclaim(job, lease_until=end + LEASE_MARGIN, timeout=self.job_timeout)
        except TransitionRefusedError:
            return Settled()
        return self._attempt(job, end)

    def _leave_alone(self, job: Job) -> Settled | Requeue:
        """Leave a job to the worker that has it, or to the message that is scheduled for it.

        Re-sending every message here would keep all copies alive until the job settles. If both the worker
        and the message are lost, reconcile finds the job.
        """
        seconds = (job.lease_until - self.now()).total_seconds()
        return Requeue(math.ceil(seconds)) if seconds <= CLOCK_SKEW else Settled()

    def _attempt(self, job: Job, end: datetime, *, wait: int | None = None) -> Settled | Requeue:
        """Try once to submit the upload, as the holder of the job's token.

        Args:
            job: the job, which is claimed.
            end: when the function's time is over.
            wait: seconds after which to ask for a turn if the file has to be sent; None if it may be sent.
        """
        logger.append_keys(job_id=job.job_id)
        with TemporaryFile() as file:
            try:
                prepared = self.preparer.prepare_job(job, file, now=self.now())
                if isinstance(prepared, Reason) or prepared.is_answered:
                    # Nothing is sent, so no fence is put up: nothing else would show a forgotten charge.
                    self.fences.check(job)
                elif wait is None:
                    self._poster.check_key()
            except UnknownAttemptError as unknown:
                self._end_forgotten(job, FORGOTTEN, unknown)
                return Settled()
            except Exception as error:
                # End the lease, so that the queue's next try does not have to wait for it.
                code = error.code if isinstance(error, ReadRefusedError) else None
                self.ledger.move(job, RELEASE, lease_until=self.now(), read_error=code or job.read_error)
                raise
            if isinstance(prepared, Reason):
                self._end(job, DECLINE, prepared, {"charged": False})
            elif prepared.is_answered:
                self._answer(job, prepared)
            elif wait is not None:
                self.ledger.move(job, RELEASE, lease_until=self.now())
                return Requeue(wait)
            elif self._poster.has_time(end):
                return self._send(job, prepared, end)
            else:
                logger.warning("too little time is left to send the file; it is sent at the next try")
                return Requeue(max(0, int((job.lease_until - self.now()).total_seconds())) + 1)
            return Settled()

    def _answer(self, job: Job, prepared: PreparedUpload) -> None:
        """Record that every entry is remembered, and have the results written. Nothing is sent."""
        now = self.now()
        changes: JobChanges = {
            **prepared.facts,
            "charged": False,
            "reason": None,
            "finished_at": None,
            "deadline": now + self.job_timeout,
            "lease_until": now + EXECUTION_START,
        }
        answered = self.ledger.move(job, ANSWER, **changes)
        count_answered(answered)
        self.executions.start(answered)

    def _send(self, job: Job, prepared: PreparedUpload, end: datetime) -> Settled | Requeue:
        rows = prepared.counts.submitted
        armed: JobChanges = {
            **prepared.facts,
            "attempts": job.attempts + 1,
            "fence_tokens": job.fence_tokens | {job.token},
            "expected_seconds": self.durations.expected_seconds(prepared.checker.name, rows),
        }
        job = self.ledger.move(job, ARM, **armed)
        try:
            fence = self.fences.put_up(job)
        except UnknownAttemptError as unknown:
            self._end_forgotten(job, DOUBT, unknown)
            return Settled()
        except Exception:
            # Nothing was sent. If the fence was put up after all, the next attempt finds a leftover.
            self.ledger.move(job, RELEASE, lease_until=self.now())
            raise
        job = replace(job, fence_tokens=frozenset({job.token}))  # all leftovers are gone
        if not self._may_be_sent(job):
            self.ledger.move(job, RELEASE, lease_until=self.now(), fence_tokens=job.fence_tokens)
            self.fences.try_to_remove(fence)
            return Requeue(HALF_OPEN_WAIT)
        outcome = self._poster.post(prepared, end)
        result = self._record(job, outcome)
        if not isinstance(outcome, Accepted | InDoubt):
            self.fences.try_to_remove(fence)
        return result

    def _may_be_sent(self, job: Job) -> bool:
        """Ask the gatekeeper again: the breaker may have opened while the file was prepared."""
        try:
            return self.gatekeeper.confirm(job)
        except Exception:
            # Nothing was sent yet. The job must not stay in the state that would mean a doubt.
            self.ledger.move(job, RELEASE, lease_until=self.now())
            raise

    def _record(self, job: Job, outcome: SubmitOutcome) -> Settled | Requeue:
        match outcome:
            case Accepted(task_id=task_id):
                # Log first, at any level: if a write fails, a person finds the task id here.
                at_any_level = max(logger.log_level, logging.INFO)
                logging.getLogger(logger.name).log(
                    at_any_level, "the vendor made a task", extra={"task_id": task_id}
                )
                if self.task_ids.assign(task_id, job.job_id):
                    self._accept(job, task_id)
                    return Settled(accepted=True)
                self.gatekeeper.in_doubt(job)
                self._end(job, DOUBT, REPEATED_TASK_ID, {"charged": None})
            case Rejected(message=message):
                self._end(job, REJECT, Reason(ReasonCode.VENDOR_REJECTED, message), {"charged": False})
                self.gatekeeper.rejected(job)
            case InDoubt(cause=cause):
                # Open the breaker first: the next upload must not be sent before it is open.
                self.gatekeeper.in_doubt(job)
                self._end(job, DOUBT, in_doubt(cause), {"charged": None})
            case Blocked():
                return self._block(job, outcome)
            case Retryable():
                requeue = self._release(job, outcome)
                self.gatekeeper.not_sent(job)
                return requeue
        return Settled()

    def _accept(self, job: Job, task_id: str) -> None:
        now = self.now()
        accepted = self.ledger.move(
            job,
            ACCEPT,
            task_id=task_id,
            charged=True,
            reason=None,
            submitted_at=now,
            finished_at=None,
            deadline=now + self.job_timeout,
            lease_until=now + EXECUTION_START,
        )
        self.gatekeeper.accepted(job)
        count_charge(accepted)
        self.executions.start(accepted)

    def _block(self, job: Job, outcome: Blocked) -> Settled | Requeue:
        try:
            pause = self.gatekeeper.refused(job, outcome)
        except Exception:
            self.ledger.move(job, RELEASE, lease_until=self.now())
            raise
        if pause is None:
            self.ledger.move(job, RELEASE, lease_until=self.now(), fence_tokens=job.fence_tokens)
            return Requeue(HALF_OPEN_WAIT)
        reason = refused(outcome.message, concerns_key=outcome.concerns_key)
        retry_at, tokens = self.now() + pause, job.fence_tokens
        self._end(job, BLOCK, reason, {"charged": False, "lease_until": retry_at, "fence_tokens": tokens})
        return Settled()

    def _release(self, job: Job, outcome: Retryable) -> Settled | Requeue:
        server_errors = job.server_errors + outcome.server_error
        if server_errors >= MAX_SERVER_ERRORS:
            reason = Reason(
                ReasonCode.VENDOR_REJECTED,
                f"{outcome.cause} This happened {server_errors} times. Nothing was charged. Upload it again.",
            )
            self._end(job, REJECT, reason, {"charged": False, "server_errors": server_errors})
            return Settled()
        logger.warning("the vendor did not accept the file; it is tried again", cause=outcome.cause)
        self.ledger.move(
            job,
            RELEASE,
            fence_tokens=job.fence_tokens,
            server_errors=server_errors,
            lease_until=self.now() + timedelta(seconds=outcome.after_seconds),
        )
        return Requeue(outcome.after_seconds)

    def _end(self, job: Job, transition: Transition, reason: Reason, changes: JobChanges) -> None:
        """Record that the job ended, or that it needs a person, and announce it."""
        logger.warning("the job stops here", state=transition.target, reason=reason.code)
        ending: JobChanges = {**changes, "reason": reason, "finished_at": self.now()}
        self.announcer.announce(self.ledger.move(job, transition, **ending))

    def _end_forgotten(self, job: Job, transition: Transition, unknown: UnknownAttemptError) -> None:
        """Record that a restored table has forgotten an attempt, which may have been charged."""
        logger.warning("the ledger has forgotten an attempt", state=transition.target)
        changes = forgotten(job, unknown.token, self.now())
        self.announcer.announce(self.ledger.move(job, transition, **changes))
