"""The real thing behind each function: clients and settings put together.

Functions call these once, at their first event, and keep what they get. Nothing else in the package
opens a client or reads the environment.
"""

from datetime import timedelta

import boto3

from numberdrop.announcement import Announcer
from numberdrop.api_key import ApiKey
from numberdrop.audit import Audit
from numberdrop.collection import Collection
from numberdrop.download import Downloader
from numberdrop.failure import FailureRecord
from numberdrop.intake import Intake
from numberdrop.ledger import Ledger
from numberdrop.line import Line
from numberdrop.queue import UploadQueue
from numberdrop.reconciliation import Reconciliation
from numberdrop.settings import (
    AuditSettings,
    CollectSettings,
    LedgerSettings,
    ReconcileSettings,
    SubmitSettings,
    VendorSettings,
)
from numberdrop.storage import ResultsBucket, UploadBucket
from numberdrop.submission import Submission
from numberdrop.vendor import VendorClient
from numberdrop.watching import Watch
from numberdrop.workflow import Workflow


def intake() -> Intake:
    """What the submit function does."""
    settings = SubmitSettings.from_env()
    ledger = _ledger(settings)
    submission = Submission(
        ledger=ledger,
        line=_line(ledger),
        uploads=UploadBucket(boto3.client("s3")),
        vendor=_vendor(settings),
        workflow=Workflow(boto3.client("stepfunctions"), settings.state_machine_arn),
        announcer=_announcer(settings, ledger),
        job_timeout=timedelta(hours=settings.job_timeout_hours),
        allow_sensitive=settings.allow_sensitive_checkers,
    )
    queue = UploadQueue(boto3.client("sqs"), settings.upload_queue_url)
    return Intake(submission, queue, settings.upload_bucket)


def reconciliation() -> Reconciliation:
    """What the reconcile function does."""
    settings = ReconcileSettings.from_env()
    ledger = _ledger(settings)
    return Reconciliation(
        ledger=ledger,
        line=_line(ledger),
        workflow=Workflow(boto3.client("stepfunctions"), settings.state_machine_arn),
        announcer=_announcer(settings, ledger),
        queue=UploadQueue(boto3.client("sqs"), settings.upload_queue_url),
        job_timeout=timedelta(hours=settings.job_timeout_hours),
    )


def audit() -> Audit:
    """What the audit function does."""
    settings = AuditSettings.from_env()
    ledger = Ledger(boto3.client("dynamodb"), settings.jobs_table)
    return Audit(boto3.client("s3"), settings.upload_bucket, ledger, _line(ledger))


def watch() -> Watch:
    """What the check_status function does."""
    settings = VendorSettings.from_env()
    return Watch(_ledger(settings), _vendor(settings))


def collection() -> Collection:
    """What the collect function does."""
    settings = CollectSettings.from_env()
    ledger = _ledger(settings)
    s3 = boto3.client("s3")
    return Collection(
        ledger=ledger,
        uploads=UploadBucket(s3),
        vendor=_vendor(settings),
        downloader=Downloader(settings.result_hosts),
        results=ResultsBucket(s3, settings.results_bucket),
        announcer=_announcer(settings, ledger),
    )


def failure_record() -> FailureRecord:
    """What the record_failure function does."""
    settings = LedgerSettings.from_env()
    ledger = _ledger(settings)
    return FailureRecord(ledger, _announcer(settings, ledger))


def _ledger(settings: LedgerSettings) -> Ledger:
    return Ledger(boto3.client("dynamodb"), settings.jobs_table)


def _line(ledger: Ledger) -> Line:
    return Line(ledger.client, ledger.table)


def _announcer(settings: LedgerSettings, ledger: Ledger) -> Announcer:
    return Announcer(boto3.client("events"), settings.event_bus_name, ledger)


def _vendor(settings: VendorSettings) -> VendorClient:
    return VendorClient(
        base_url=settings.vendor_base_url.rstrip("/"),
        api_key=ApiKey(boto3.client("secretsmanager"), settings.api_key_secret),
        user_id=settings.vendor_user_id,
    )
