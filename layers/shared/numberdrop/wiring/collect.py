"""The collect function."""

from numberdrop.aws.buckets import STREAMING, ResultsBucket, UploadBucket
from numberdrop.aws.clients import make_client
from numberdrop.settings import CollectSettings
from numberdrop.steps.collection import Collector
from numberdrop.vendor.download import Downloader
from numberdrop.wiring.parts import make_announcer, make_durations, make_ledger
from numberdrop.wiring.vendor import make_vendor


def make_collection() -> Collector:
    """What the collect function does."""
    settings = CollectSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    s3 = make_client("s3", STREAMING)
    return Collector(
        ledger=ledger,
        uploads=UploadBucket(s3),
        vendor=make_vendor(settings),
        downloader=Downloader(settings.result_hosts),
        results=ResultsBucket(s3, settings.results_bucket),
        announcer=make_announcer(settings, ledger),
        durations=make_durations(settings.jobs_table),
    )
