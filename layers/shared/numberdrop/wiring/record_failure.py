"""The record_failure function."""

from numberdrop.settings import LedgerSettings
from numberdrop.steps.failure import FailureRecord
from numberdrop.wiring.parts import make_announcer, make_ledger


def make_failure_record() -> FailureRecord:
    """What the record_failure function does."""
    settings = LedgerSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    return FailureRecord(ledger, make_announcer(settings, ledger))
