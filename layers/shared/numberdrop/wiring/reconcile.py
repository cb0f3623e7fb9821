"""The reconcile function."""

from datetime import timedelta

from numberdrop.aws.clients import make_client
from numberdrop.aws.executions import Executions
from numberdrop.aws.queue import UploadQueue
from numberdrop.settings import ReconcileSettings
from numberdrop.steps.reconciliation import Reconciler
from numberdrop.wiring.parts import make_announcer, make_breaker, make_ledger


def make_reconciliation() -> Reconciler:
    """What the reconcile function does."""
    settings = ReconcileSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    return Reconciler(
        ledger=ledger,
        breaker=make_breaker(ledger),
        executions=Executions(make_client("stepfunctions"), settings.state_machine_arn),
        announcer=make_announcer(settings, ledger),
        queue=UploadQueue(make_client("sqs"), settings.upload_queue_url),
        job_timeout=timedelta(hours=settings.job_timeout_hours),
    )
