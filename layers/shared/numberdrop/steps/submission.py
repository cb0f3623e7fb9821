"""Submitting an upload: the only place where money is spent."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Self

from aws_lambda_powertools import Logger

from numberdrop.aws.api_key import ApiKey
from numberdrop.aws.buckets import UploadBucket
from numberdrop.aws.bus import Announcer
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.clients import make_client
from numberdrop.aws.durations import Durations
from numberdrop.aws.executions import Executions
from numberdrop.aws.ledger import Ledger, TransitionRefusedError
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.job import Job, JobChanges
from numberdrop.jobs.reasons import (
    NOT_ACCEPTED_IN_TIME,
    WORKER_LOST_WHILE_SENDING,
    JobFailedError,
    Reason,
    ReasonCode,
    in_doubt,
)
from numberdrop.jobs.transitions import (
    ACCEPT,
    ARM,
    BLOCK,
    DECLINE,
    DOUBT,
    REJECT,
    RELEASE,
    WORKER_LOST,
    State,
    Transition,
)
from numberdrop.jobs.upload import Upload
from numberdrop.metrics import count_charge, count_upload
from numberdrop.settings import SubmitSettings
from numberdrop.steps.preparation import PreparedUpload, Preparer
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import Accepted, Blocked, InDoubt, Rejected, Retryable, SubmitOutcome

LEASE_MARGIN = timedelta(seconds=30)
"""How long after its own end a worker is presumed alive."""

BLOCKED_PAUSE = timedelta(minutes=2)
"""How soon the job that holds the line is tried again; each try is free."""

OPEN_BREAKER_PAUSE = 180
"""Seconds until an upload that waits behind the line looks again."""

CLOCK_SKEW = 5
"""Seconds by which a message may come before its time, as clocks differ."""

EXECUTION_START = timedelta(minutes=1)
"""How long the worker is presumed to be starting the execution."""

MAX_SERVER_ERRORS = 3
"""POSTs answered with 500 before the vendor is taken at its word."""

TIME_TO_RECORD = 15
"""Seconds of the function's time kept for writing down how the POST ended."""

SHORTEST_POST = 30
"""Seconds; a POST that has less would end in doubt too easily, so it is not begun."""

logger = Logger()


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more is to be done about this message."""


@dataclass(frozen=True, slots=True)
class Requeue:
    """The message must come again later."""

    after_seconds: int


@dataclass(frozen=True)
class Submitter:
    """Takes an upload from its announcement to a running execution, or to its free end.

    Attributes:
        job_timeout: how long to try to submit, and then how long the task may take.
    """

    ledger: Ledger
    breaker: CircuitBreaker
    uploads: UploadBucket
    preparer: Preparer
    vendor: VendorClient
    executions: Executions
    announcer: Announcer
    durations: Durations
    job_timeout: timedelta
    now: Clock = utc_now

    @classmethod
    def from_settings(cls, settings: SubmitSettings) -> Self:
        """Return the submitter that the settings describe, with clients of its own."""
        ledger = Ledger.connect(settings.jobs_table)
        uploads = UploadBucket(make_client("s3"))
        return cls(
            ledger=ledger,
            breaker=CircuitBreaker.beside(ledger),
            uploads=uploads,
            preparer=Preparer(
                uploads,
                allow_sensitive=settings.allow_sensitive_checkers,
                has_user_id=bool(settings.vendor_user_id),
                default_region=settings.default_region,
            ),
            vendor=VendorClient.from_settings(settings, ApiKey.connect(settings.api_key_secret)),
            executions=Executions.connect(settings.state_machine_arn),
            announcer=Announcer.connect(settings.event_bus_name, ledger),
            durations=Durations.connect(settings.jobs_table),
            job_timeout=timedelta(hours=settings.job_timeout_hours),
        )

    def submit(self, upload: Upload, *, seconds: float) -> Settled | Requeue:
        """Does what the ledger says is to be done about an upload, within ``seconds``."""
        if upload.is_folder_marker:
            return Settled()
        upload = self.uploads.with_version(upload)
        if self._waits_for_the_breaker(upload):
            return Requeue(OPEN_BREAKER_PAUSE)
        end = self.now() + timedelta(seconds=seconds)
        try:
            job = self.ledger.claim(
                upload, lease_until=end + LEASE_MARGIN, deadline=self.now() + self.job_timeout
            )
        except TransitionRefusedError as refused:
            if refused.current is None:
                raise
            return self._continue(refused.current, end)
        count_upload(job)
        return self._attempt(job, end)

    def _waits_for_the_breaker(self, upload: Upload) -> bool:
        if self.breaker.holder() in {None, upload.job_id}:
            return False
        job = self.ledger.get(upload.job_id)
        return job is None or job.state in {State.CLAIMED, State.BLOCKED}

    def _continue(self, job: Job, end: datetime) -> Settled | Requeue:
        """What a message means for a job that exists."""
        logger.append_keys(job_id=job.job_id)
        if job.state in {State.CLAIMED, State.BLOCKED, State.SUBMITTING} and job.lease_until > self.now():
            return self._leave_alone(job)
        match job.state:
            case State.CLAIMED | State.BLOCKED:
                return self._take_over(job, end)
            case State.SUBMITTING:
                self._end(job, WORKER_LOST, WORKER_LOST_WHILE_SENDING, {"charged": None})
            case State.SUBMITTED:
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
        """Leaves a job to the worker that has it, or to the message that it waits for.

        A message that were sent again here would live as long as the job waits, and so would every other.
        Should worker and message be lost, reconcile finds the job.
        """
        seconds = (job.lease_until - self.now()).total_seconds()
        return Requeue(math.ceil(seconds)) if seconds <= CLOCK_SKEW else Settled()

    def _attempt(self, job: Job, end: datetime) -> Settled | Requeue:
        """One attempt by the holder of the job's token."""
        logger.append_keys(job_id=job.job_id)
        with TemporaryFile() as file:
            try:
                self._check_deadline(job)
                prepared = self.preparer.prepare(job.upload, file)
                self._check_that_a_key_is_there()
            except JobFailedError as failure:
                self._end(job, DECLINE, failure.reason, {"charged": False})
                return Settled()
            except Exception:
                # The lease is given up, so that the queue's next try need not wait for its end.
                self.ledger.move(job, RELEASE, lease_until=self.now())
                raise
            if self._seconds_to_post(end) < SHORTEST_POST:
                logger.warning("too little time is left to send the file; it waits for the next try")
                return self._after_lease(job)
            return self._send(job, prepared, end)

    def _check_deadline(self, job: Job) -> None:
        if self.now() >= job.deadline:
            raise JobFailedError(NOT_ACCEPTED_IN_TIME.code, NOT_ACCEPTED_IN_TIME.message)

    def _check_that_a_key_is_there(self) -> None:
        """Read the API key while failing is still free.

        Once the ledger says ``submitting``, a secret that cannot be read would look like a doubtful charge.

        Raises:
            ApiKeyInvalidError: the secret does not hold a key.
        """
        self.vendor.api_key.get()

    def _send(self, job: Job, prepared: PreparedUpload, end: datetime) -> Settled | Requeue:
        checker, counts = prepared.checker, prepared.counts
        job = self.ledger.move(
            job,
            ARM,
            checker=checker.name,
            task_type=checker.task_type,
            attempts=job.attempts + 1,
            region=prepared.region,
            counts=counts,
            expected_seconds=self.durations.expected_seconds(checker.name, counts.submitted),
        )
        outcome = self.vendor.submit(checker, prepared.file, seconds=self._seconds_to_post(end))
        key_refused = isinstance(outcome, Blocked) and outcome.concerns_key
        if key_refused and self.vendor.api_key.refresh():
            prepared.file.seek(0)
            outcome = self.vendor.submit(checker, prepared.file, seconds=self._seconds_to_post(end))
        return self._record(job, outcome)

    def _record(self, job: Job, outcome: SubmitOutcome) -> Settled | Requeue:
        match outcome:
            case Accepted():
                self._accept(job, outcome)
            case Rejected(message=message):
                reason = Reason(ReasonCode.VENDOR_REJECTED, message)
                self._end(job, REJECT, reason, {"charged": False})
            case InDoubt(cause=cause):
                self._end(job, DOUBT, in_doubt(cause), {"charged": None})
            case Blocked():
                return self._block(job, outcome)
            case Retryable():
                return self._release(job, outcome)
        return Settled()

    def _accept(self, job: Job, outcome: Accepted) -> None:
        # Logged before it is written: if the write fails, a person finds the task id here.
        logger.info("the vendor made a task", task_id=outcome.task_id)
        now = self.now()
        accepted = self.ledger.move(
            job,
            ACCEPT,
            task_id=outcome.task_id,
            charged=True,
            reason=None,
            submitted_at=now,
            finished_at=None,
            deadline=now + self.job_timeout,
            lease_until=now + EXECUTION_START,
        )
        if job.reason:
            # It was blocked until now: what stopped the line is put right.
            self.breaker.close(job.job_id)
        count_charge(accepted)
        self.executions.start(accepted)

    def _block(self, job: Job, outcome: Blocked) -> Settled | Requeue:
        if not self.breaker.trip(job.job_id):
            self.ledger.move(job, RELEASE, lease_until=self.now())
            return Requeue(OPEN_BREAKER_PAUSE)
        if outcome.concerns_key:
            reason = Reason(
                ReasonCode.BAD_API_KEY,
                f"The vendor refuses the API key ({outcome.message}). Put a valid one into the secret; "
                "the upload then goes on by itself.",
            )
        else:
            reason = Reason(
                ReasonCode.INSUFFICIENT_BALANCE,
                f"The vendor's account has too little money ({outcome.message}). Top it up; the upload "
                "then goes on by itself.",
            )
        self._end(job, BLOCK, reason, {"charged": False, "lease_until": self.now() + BLOCKED_PAUSE})
        return Settled()

    def _release(self, job: Job, outcome: Retryable) -> Settled | Requeue:
        server_errors = job.server_errors + outcome.server_error
        if server_errors >= MAX_SERVER_ERRORS:
            reason = Reason(
                ReasonCode.VENDOR_REJECTED,
                f"{outcome.cause} It did so {server_errors} times. Nothing was charged; try again later.",
            )
            self._end(job, REJECT, reason, {"charged": False, "server_errors": server_errors})
            return Settled()
        logger.warning("the vendor did not take the file; it is tried again", cause=outcome.cause)
        self.ledger.move(
            job,
            RELEASE,
            server_errors=server_errors,
            lease_until=self.now() + timedelta(seconds=outcome.after_seconds),
        )
        return Requeue(outcome.after_seconds)

    def _end(self, job: Job, transition: Transition, reason: Reason, changes: JobChanges) -> None:
        """Write that the job ended, or that it needs a person, and announce it."""
        logger.warning("the job stops here", state=transition.target, reason=reason.code)
        ending: JobChanges = {**changes, "reason": reason, "finished_at": self.now()}
        self.announcer.announce(self.ledger.move(job, transition, **ending))

    def _after_lease(self, job: Job) -> Requeue:
        return Requeue(max(0, int((job.lease_until - self.now()).total_seconds())) + 1)

    def _seconds_to_post(self, end: datetime) -> float:
        return (end - self.now()).total_seconds() - TIME_TO_RECORD
