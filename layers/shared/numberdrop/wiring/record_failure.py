"""The record_failure function."""

from numberdrop.settings import LedgerSettings
from numberdrop.steps.failure import FailureRecorder
from numberdrop.wiring.parts import make_announcer, make_ledger


def make_failure_record() -> FailureRecorder:
    """What the record_failure function does."""
    settings = LedgerSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    return FailureRecorder(ledger, make_announcer(settings, ledger))
