"""The audit function."""

from numberdrop.aws.clients import make_client
from numberdrop.settings import AuditSettings
from numberdrop.steps.audit import Audit
from numberdrop.wiring.parts import make_ledger, make_line


def make_audit() -> Audit:
    """What the audit function does."""
    settings = AuditSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    return Audit(make_client("s3"), settings.upload_bucket, ledger, make_line(ledger))
