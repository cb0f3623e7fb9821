"""A daily look at the bucket against the ledger, for uploads that no event ever announced.

It reports and does nothing else: what it finds is for a person to look at, since sending a file costs money.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from aws_lambda_powertools import Logger

from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.clients import make_client
from numberdrop.aws.ledger import MAX_KNOWN_AT_ONCE, Ledger
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.upload import Upload
from numberdrop.masking import masked
from numberdrop.settings import AuditSettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OLD_ENOUGH = timedelta(days=1)
"""Younger uploads may still be in the queue."""

TOO_OLD = timedelta(days=14)
"""Older uploads were looked at every day, and reported as often."""

logger = Logger()


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a look at the bucket found.

    Attributes:
        compared: versions that were looked up in the ledger.
        unannounced: those that the ledger does not know.
    """

    compared: int
    unannounced: int


@dataclass(frozen=True, slots=True)
class Listed:
    """An upload as the bucket lists it.

    Attributes:
        upload: the version.
        written_at: when it came into the bucket.
        is_latest: whether it was neither replaced nor deleted since.
    """

    upload: Upload
    written_at: datetime
    is_latest: bool


@dataclass(frozen=True)
class Auditor:
    """Compares the bucket's listing with the ledger, without reading a file."""

    client: "S3Client"
    bucket: str
    ledger: Ledger
    breaker: CircuitBreaker
    now: Clock = utc_now

    @classmethod
    def from_env(cls) -> Self:
        """Return the auditor that the audit function's environment describes."""
        settings = AuditSettings.from_env()
        ledger = Ledger.connect(settings.jobs_table)
        return cls(make_client("s3"), settings.upload_bucket, ledger, CircuitBreaker.beside(ledger))

    def run(self) -> AuditReport | None:
        """Compares uploads of the last days; None while the line is stopped and uploads wait behind it."""
        if self.breaker.holder() is not None:
            logger.info("the line is stopped and uploads wait behind it; nothing can be said today")
            return None
        compared = unannounced = 0
        for batch in self._batches():
            missing = self._missing(batch)
            for listed in missing:
                logger.warning(
                    "an upload was never announced",
                    object_key=masked(listed.upload.key),
                    version_id=listed.upload.version_id,
                )
            compared += len(batch)
            unannounced += len(missing)
        logger.info("the bucket was compared with the ledger", compared=compared, unannounced=unannounced)
        return AuditReport(compared, unannounced)

    def unannounced(self) -> Iterator[Listed]:
        """The uploads that the ledger does not know, as ``run`` counts them."""
        for batch in self._batches():
            yield from self._missing(batch)

    def _missing(self, batch: list[Listed]) -> list[Listed]:
        known = self.ledger.known([listed.upload.job_id for listed in batch])
        return [listed for listed in batch if listed.upload.job_id not in known]

    def _batches(self) -> Iterator[list[Listed]]:
        return _batched(self._uploads(), MAX_KNOWN_AT_ONCE)

    def _uploads(self) -> Iterator[Listed]:
        """The versions that can be compared; the ledger cannot know what was there before it."""
        earliest = max(self.now() - TOO_OLD, self.ledger.created_at())
        latest = self.now() - OLD_ENOUGH
        for version in self._versions():
            if not earliest <= version["LastModified"] <= latest:
                continue
            upload = Upload.from_s3(
                bucket=self.bucket,
                key=version["Key"],
                version_id=version["VersionId"],
                etag=version["ETag"],
                size=version["Size"],
            )
            # Objects that were written before the bucket was versioned have no version to look up.
            if upload.version_id and not upload.is_folder_marker:
                yield Listed(upload, version["LastModified"], version["IsLatest"])

    def _versions(self) -> Iterator[Mapping[str, Any]]:
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        for page in pages:
            yield from page.get("Versions", [])


def _batched(uploads: Iterable[Listed], size: int) -> Iterator[list[Listed]]:
    iterator = iter(uploads)
    while batch := list(islice(iterator, size)):
        yield batch
