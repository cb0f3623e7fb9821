"""The collect function."""

from numberdrop.aws.buckets import STREAMING, ResultsBucket, UploadBucket
from numberdrop.aws.clients import make_client
from numberdrop.settings import CollectSettings
from numberdrop.steps.collection import Collection
from numberdrop.vendor.download import Downloader
from numberdrop.wiring.parts import make_announcer, make_ledger, make_paces
from numberdrop.wiring.vendor import make_vendor


def make_collection() -> Collection:
    """What the collect function does."""
    settings = CollectSettings.from_env()
    ledger = make_ledger(settings.jobs_table)
    s3 = make_client("s3", STREAMING)
    return Collection(
        ledger=ledger,
        uploads=UploadBucket(s3),
        vendor=make_vendor(settings),
        downloader=Downloader(settings.result_hosts),
        results=ResultsBucket(s3, settings.results_bucket),
        announcer=make_announcer(settings, ledger),
        paces=make_paces(settings.jobs_table),
    )
