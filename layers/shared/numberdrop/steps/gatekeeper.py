"""Deciding whether an upload may be sent now, or waits behind the open circuit breaker."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.ledger import Ledger
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.breaker import MESSAGE_PAUSE, Cause, OpenBreaker, growing
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import Blocked

SHORTEST_WAIT, LONGEST_WAIT = 30, round(MESSAGE_PAUSE.total_seconds())
"""Seconds until an upload that waits behind the breaker asks again."""

HALF_OPEN_WAIT = 60
"""Seconds until an upload asks again while another one has the turn."""

BLOCKED_PAUSE, LONGEST_BLOCKED_PAUSE = timedelta(minutes=2), timedelta(minutes=30)
"""How soon a blocked job asks again. After repeated refusals of this file only, the pause grows."""

FAILURES_OF_THE_BALANCE = 12
"""After this many failed calls for the balance, about an hour, another free call may show that the vendor is
back."""

logger = Logger()


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether an upload may be sent.

    Attributes:
        wait: seconds until it should ask again, or None if it may be sent now.
        job: its job, if it has to wait and has one.
        turn: the state of the open breaker in which it has the turn, or None.
    """

    wait: int | None = None
    job: Job | None = None
    turn: OpenBreaker | None = None


@dataclass(frozen=True)
class Gatekeeper:
    """Gives out turns while the breaker is open, and opens and closes it.

    At most one upload has the turn. Nobody takes it over from a job that the ledger shows as ``submitting``,
    and each prober confirms it after that state was written and before the file is sent. So clocks decide how
    soon a turn is taken over, but never whether two files are sent at once.
    """

    breaker: CircuitBreaker
    ledger: Ledger
    vendor: VendorClient
    now: Clock = utc_now

    def admit(self, upload: Upload, *, until: datetime) -> Admission:
        """Return whether the upload may be sent now; if the breaker is open, with a turn ``until`` a time."""
        state = self.breaker.state()
        if state is None:
            return Admission()
        job = self.ledger.get(upload.job_id)
        now = self.now()
        if job and not _is_sendable(job, now):
            return Admission()
        if self._is_probing(state, upload, now):
            return Admission(HALF_OPEN_WAIT, job)
        due = state.due_for(upload)
        if now < due and not self._has_newer_key(state, upload):
            return Admission(_wait(now, due), job)
        if state.cause is Cause.OUTAGE and not self._vendor_answers(state):
            failed = state.after_failure(self.now())
            self.breaker.change(state, failed)
            return Admission(_wait(self.now(), failed.due_for(upload)), job)
        turn = self.breaker.change(state, state.with_turn(upload, until))
        return Admission(turn=turn) if turn else Admission(HALF_OPEN_WAIT, job)

    def confirm(self, job: Job) -> bool:
        """Return whether an armed job's file may really be sent: nobody else has taken the turn."""
        state = self.breaker.state()
        if state is None:
            return True
        return state.prober == job.job_id and self.breaker.change(state, state) is not None

    def leave(self, admission: Admission) -> None:
        """Pass the turn on if it was not used."""
        if admission.turn:
            self.breaker.change(admission.turn, admission.turn.passed_on(self.now()))

    # After the vendor's answer

    def accepted(self, job: Job) -> None:
        """Close the breaker if this job had the turn."""
        state = self.breaker.state()
        if state and state.prober == job.job_id:
            self.breaker.close(state)

    def rejected(self, job: Job) -> None:
        """End the turn of a job whose file the vendor rejected: an outage is over, a refusal perhaps not."""
        state = self.breaker.state()
        if state is None or state.prober != job.job_id:
            return
        if state.cause is Cause.OUTAGE:
            self.breaker.close(state)
        else:
            self.breaker.change(state, state.passed_on(self.now()))

    def not_sent(self, job: Job) -> None:
        """End the turn of a job whose file the vendor neither accepted nor refused."""
        state = self.breaker.state()
        if state and state.prober == job.job_id:
            self.breaker.change(state, state.after_failure(self.now()))

    def in_doubt(self, job: Job) -> None:
        """Open the breaker after a doubt, or keep it open for longer."""
        state = self.breaker.state()
        if state is None:
            self.breaker.open(OpenBreaker.opened(job.upload, Cause.OUTAGE, self.now()))
        elif state.prober == job.job_id:
            self.breaker.change(state, state.after_doubt(job.upload, self.now()))

    def refused(self, job: Job, outcome: Blocked) -> timedelta | None:
        """Open the breaker after a refusal, or keep it open for longer.

        Returns:
            How long the job is blocked, or None if it is released because another job opened the breaker.
        """
        cause = Cause.KEY if outcome.concerns_key else Cause.BALANCE
        version = self.vendor.api_key.version if outcome.concerns_key else None
        opened = OpenBreaker.opened(job.upload, cause, self.now(), key_version=version)
        state = self.breaker.state()
        if state is None:
            if job.reason:
                # It was refused before, and the vendor has accepted others since. They must not wait for it.
                return growing(BLOCKED_PAUSE, job.attempts, longest=LONGEST_BLOCKED_PAUSE)
            return BLOCKED_PAUSE if self.breaker.open(opened) else None
        if state.prober == job.job_id:
            if state.cause is Cause.OUTAGE:
                self.breaker.change(state, opened)
                return BLOCKED_PAUSE
            self.breaker.change(state, state.after_refusal(job.upload, self.now(), key_version=version))
        return BLOCKED_PAUSE if job.reason or state.holder == job.job_id else None

    def _vendor_answers(self, state: OpenBreaker) -> bool:
        """Return whether a free call shows that the outage is over.

        If only the call for the balance stays broken, the vendor's words about a task will do after an hour.
        """
        if self.vendor.answers():
            return True
        return state.failures >= FAILURES_OF_THE_BALANCE and self.vendor.answers_about_tasks()

    def _is_probing(self, state: OpenBreaker, upload: Upload, now: datetime) -> bool:
        """Return whether another upload has the turn."""
        if state.prober in {None, upload.job_id}:
            return False
        if state.turn_until and now < state.turn_until:
            return True
        prober = self.ledger.get(state.prober or "")
        return prober is not None and prober.state is State.SUBMITTING

    def _has_newer_key(self, state: OpenBreaker, upload: Upload) -> bool:
        """Return whether the secret has changed since its key was refused. Only the breaker's holder asks."""
        if state.key_version is None or upload.job_id != state.holder:
            return False
        self.vendor.api_key.refresh()
        return self.vendor.api_key.version != state.key_version


def _is_sendable(job: Job, now: datetime) -> bool:
    return job.state in {State.CLAIMED, State.BLOCKED} and job.lease_until <= now


def _wait(now: datetime, due: datetime) -> int:
    return min(max(math.ceil((due - now).total_seconds()), SHORTEST_WAIT), LONGEST_WAIT)
