"""The check_status function."""

from numberdrop.jobs.polling import PollingPolicy
from numberdrop.settings import CheckStatusSettings
from numberdrop.steps.status_check import StatusChecker
from numberdrop.wiring.parts import make_ledger
from numberdrop.wiring.vendor import make_vendor


def make_status_check() -> StatusChecker:
    """What the check_status function does."""
    settings = CheckStatusSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    return StatusChecker(ledger, make_vendor(settings), PollingPolicy(settings.max_wait_seconds))
