"""The audit function."""

from numberdrop.aws.clients import make_client
from numberdrop.settings import AuditSettings
from numberdrop.steps.audit import Auditor
from numberdrop.wiring.parts import make_breaker, make_ledger


def make_audit() -> Auditor:
    """What the audit function does."""
    settings = AuditSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    return Auditor(make_client("s3"), settings.upload_bucket, ledger, make_breaker(ledger))
