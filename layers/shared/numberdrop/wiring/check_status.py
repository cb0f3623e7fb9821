"""The check_status function."""

from numberdrop.jobs.polling import Pacing
from numberdrop.settings import CheckStatusSettings
from numberdrop.steps.status_check import StatusCheck
from numberdrop.wiring.parts import make_ledger
from numberdrop.wiring.vendor import make_vendor


def make_status_check() -> StatusCheck:
    """What the check_status function does."""
    settings = CheckStatusSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    return StatusCheck(ledger, make_vendor(settings), Pacing(settings.max_wait_seconds))
