"""Mutants of the circuit breaker, each with one mistake that the crash tests must find."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from numberdrop.jobs.breaker import Cause, OpenBreaker
from numberdrop.jobs.job import Job
from numberdrop.jobs.upload import Upload
from numberdrop.steps.gatekeeper import Admission, Gatekeeper
from numberdrop.steps.reconciliation import Reconciler
from numberdrop.vendor.outcomes import Blocked
from tests.support.crash.vendor import SeamVendorClient
from tests.support.crash.wiring import Wiring


class _CarelessGatekeeper(Gatekeeper):
    def _is_probing(self, state: OpenBreaker, upload: Upload, now: datetime) -> bool:
        return False

    def confirm(self, job: Job) -> bool:
        return True


class ProbesWithTwoUploadsAtOnce(Wiring):
    gatekeeper_class = _CarelessGatekeeper


class _UnconfirmingGatekeeper(Gatekeeper):
    def confirm(self, job: Job) -> bool:
        return True


class SendsWithoutConfirmingTheTurn(Wiring):
    gatekeeper_class = _UnconfirmingGatekeeper


class _ClockTrustingGatekeeper(Gatekeeper):
    def _is_probing(self, state: OpenBreaker, upload: Upload, now: datetime) -> bool:
        later = now + timedelta(minutes=20)
        return state.prober not in {None, upload.job_id} and later < (state.turn_until or later)


class TakesATurnOverByTheClockAlone(Wiring):
    """Its clocks are fast, so turns seem to be over while their files are still being sent."""

    gatekeeper_class = _ClockTrustingGatekeeper


class _OpenGatekeeper(Gatekeeper):
    def admit(self, upload: Upload, *, until: datetime) -> Admission:
        return Admission()

    def confirm(self, job: Job) -> bool:
        return True


class SendsWhileTheBreakerIsOpen(Wiring):
    gatekeeper_class = _OpenGatekeeper


class _NotOpeningGatekeeper(Gatekeeper):
    def in_doubt(self, job: Job) -> None:
        """Leave the breaker as it is."""


class DoesNotOpenAfterADoubt(Wiring):
    gatekeeper_class = _NotOpeningGatekeeper


class _NotClosingGatekeeper(Gatekeeper):
    def accepted(self, job: Job) -> None:
        """Leave the breaker as it is."""


class DoesNotCloseAfterAnAcceptance(Wiring):
    gatekeeper_class = _NotClosingGatekeeper


class _MistakenGatekeeper(Gatekeeper):
    def refused(self, job: Job, outcome: Blocked) -> timedelta | None:
        self.in_doubt(job)
        return None


class TakesARefusalForAnOutage(Wiring):
    gatekeeper_class = _MistakenGatekeeper


class _InsistentGatekeeper(Gatekeeper):
    def _has_newer_key(self, state: OpenBreaker, upload: Upload) -> bool:
        return True


class SendsAgainUnderARefusedKey(Wiring):
    gatekeeper_class = _InsistentGatekeeper


class _SelfishGatekeeper(Gatekeeper):
    def admit(self, upload: Upload, *, until: datetime) -> Admission:
        state = self.breaker.state()
        if state and state.cause is not Cause.OUTAGE and state.holder != upload.job_id:
            return Admission(60, self.ledger.get(upload.job_id))
        return super().admit(upload, until=until)


class LetsARefusalHoldEveryUpload(Wiring):
    """Only the job that was refused may close the breaker."""

    gatekeeper_class = _SelfishGatekeeper


class _ReopeningGatekeeper(Gatekeeper):
    def refused(self, job: Job, outcome: Blocked) -> timedelta | None:
        return super().refused(replace(job, reason=None), outcome)


class OpensAgainForTheSameRefusedJob(Wiring):
    gatekeeper_class = _ReopeningGatekeeper


class _TrustingVendorClient(SeamVendorClient):
    def answers(self) -> bool:
        return True


class SendsWithoutTheFreeProbe(Wiring):
    def _vendor(self) -> Any:
        real = super()._vendor()
        return _TrustingVendorClient(real.vendor, real.seam, real.api_key, real.sender, real.watch_post)


class _ForgetfulReconciler(Reconciler):
    def _extend_claim(self, job: Job) -> str:
        self.ledger.extend_deadline(job, self.now() + self.job_timeout)
        return "left alone"


class ReconcileForgetsJobsWithoutMessages(Wiring):
    reconciler_class = _ForgetfulReconciler


BREAKER_MUTANTS: Mapping[type[Wiring], tuple[str, ...]] = {
    ProbesWithTwoUploadsAtOnce: ("an_outage",),
    SendsWithoutConfirmingTheTurn: ("an_outage",),
    TakesATurnOverByTheClockAlone: ("an_outage",),
    SendsWhileTheBreakerIsOpen: ("an_outage",),
    DoesNotOpenAfterADoubt: ("an_outage",),
    DoesNotCloseAfterAnAcceptance: ("an_outage",),
    TakesARefusalForAnOutage: ("an_account_that_stays_empty",),
    SendsAgainUnderARefusedKey: ("a_refused_key_for_hours",),
    LetsARefusalHoldEveryUpload: ("a_checker_that_stays_refused",),
    OpensAgainForTheSameRefusedJob: ("a_checker_that_stays_refused",),
    SendsWithoutTheFreeProbe: ("an_outage",),
    ReconcileForgetsJobsWithoutMessages: ("messages_lost_in_an_outage",),
}
