"""The submit function."""

from datetime import timedelta

from numberdrop.aws.buckets import UploadBucket
from numberdrop.aws.clients import make_client
from numberdrop.aws.executions import Workflow
from numberdrop.aws.queue import UploadQueue
from numberdrop.settings import SubmitSettings
from numberdrop.steps.queue_handler import Intake
from numberdrop.steps.submission import Submission
from numberdrop.wiring.parts import make_announcer, make_ledger, make_line, make_paces
from numberdrop.wiring.vendor import make_vendor


def make_intake() -> Intake:
    """What the submit function does."""
    settings = SubmitSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    submission = Submission(
        ledger=ledger,
        line=make_line(ledger),
        uploads=UploadBucket(make_client("s3")),
        vendor=make_vendor(settings),
        workflow=Workflow(make_client("stepfunctions"), settings.state_machine_arn),
        announcer=make_announcer(settings, ledger),
        paces=make_paces(settings.jobs_table),
        job_timeout=timedelta(hours=settings.job_timeout_hours),
        allow_sensitive=settings.allow_sensitive_checkers,
        default_region=settings.default_region,
    )
    queue = UploadQueue(make_client("sqs"), settings.upload_queue_url)
    return Intake(submission, queue, settings.upload_bucket)
