"""The submit function."""

from datetime import timedelta

from numberdrop.aws.buckets import UploadBucket
from numberdrop.aws.clients import make_client
from numberdrop.aws.executions import Executions
from numberdrop.aws.queue import UploadQueue
from numberdrop.settings import SubmitSettings
from numberdrop.steps.queue_handler import QueueHandler
from numberdrop.steps.submission import Submitter
from numberdrop.wiring.parts import make_announcer, make_breaker, make_durations, make_ledger
from numberdrop.wiring.vendor import make_vendor


def make_queue_handler() -> QueueHandler:
    """What the submit function does."""
    settings = SubmitSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    submission = Submitter(
        ledger=ledger,
        breaker=make_breaker(ledger),
        uploads=UploadBucket(make_client("s3")),
        vendor=make_vendor(settings),
        executions=Executions(make_client("stepfunctions"), settings.state_machine_arn),
        announcer=make_announcer(settings, ledger),
        durations=make_durations(settings.jobs_table),
        job_timeout=timedelta(hours=settings.job_timeout_hours),
        allow_sensitive=settings.allow_sensitive_checkers,
        default_region=settings.default_region,
    )
    queue = UploadQueue(make_client("sqs"), settings.upload_queue_url)
    return QueueHandler(submission, queue, settings.upload_bucket)
