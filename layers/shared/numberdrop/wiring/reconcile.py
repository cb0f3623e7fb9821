"""The reconcile function."""

from datetime import timedelta

from numberdrop.aws.clients import make_client
from numberdrop.aws.executions import Workflow
from numberdrop.aws.queue import UploadQueue
from numberdrop.settings import ReconcileSettings
from numberdrop.steps.reconciliation import Reconciliation
from numberdrop.wiring.parts import make_announcer, make_ledger, make_line


def make_reconciliation() -> Reconciliation:
    """What the reconcile function does."""
    settings = ReconcileSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    return Reconciliation(
        ledger=ledger,
        line=make_line(ledger),
        workflow=Workflow(make_client("stepfunctions"), settings.state_machine_arn),
        announcer=make_announcer(settings, ledger),
        queue=UploadQueue(make_client("sqs"), settings.upload_queue_url),
        job_timeout=timedelta(hours=settings.job_timeout_hours),
    )
