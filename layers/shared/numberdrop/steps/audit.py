"""Comparing the bucket with the ledger once a day, to find uploads for which no event arrived.

The audit only reports. A person decides about the uploads that it finds, because sending a file costs money.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Self

from aws_lambda_powertools import Logger

from numberdrop.aws.buckets import ListedUpload, UploadBucket
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.clients import make_client
from numberdrop.aws.ledger import MAX_KNOWN_AT_ONCE, Ledger
from numberdrop.clock import Clock, utc_now
from numberdrop.masking import masked
from numberdrop.settings import AuditSettings

MIN_AGE = timedelta(days=1)
"""Younger uploads may still be in the queue."""

MAX_AGE = timedelta(days=14)
"""Older uploads were compared, and reported if necessary, on every day before."""

logger = Logger()


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result of an audit.

    Attributes:
        compared: the number of versions that were looked up in the ledger.
        unannounced: the number of those that have no job.
    """

    compared: int
    unannounced: int


@dataclass(frozen=True)
class Auditor:
    """Compares the bucket's listing with the ledger. It does not read any file.

    >>> s3, dynamodb = make_client("s3"), make_client("dynamodb")
    >>> _ = s3.create_bucket(Bucket="uploads")
    >>> _ = dynamodb.create_table(TableName="jobs", BillingMode="PAY_PER_REQUEST",
    ...     AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
    ...     KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}])
    >>> ledger = Ledger(dynamodb, "jobs")
    >>> Auditor(UploadBucket(s3), "uploads", ledger, CircuitBreaker.beside(ledger)).run()
    AuditReport(compared=0, unannounced=0)
    """

    uploads: UploadBucket
    bucket: str
    ledger: Ledger
    breaker: CircuitBreaker
    now: Clock = utc_now

    @classmethod
    def from_env(cls) -> Self:
        """Return the auditor for the environment of the audit function."""
        settings = AuditSettings.from_env()
        ledger = Ledger.connect(settings.jobs_table)
        return cls(
            UploadBucket(make_client("s3")), settings.upload_bucket, ledger, CircuitBreaker.beside(ledger)
        )

    def run(self) -> AuditReport | None:
        """Compare the uploads of the last days with the ledger and log those that have no job.

        Returns:
            The report, or None while the circuit breaker is open: then uploads without a job are waiting.
        """
        if self.breaker.holder() is not None:
            logger.info("the circuit breaker is open and uploads are waiting; nothing was compared")
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

    def unannounced(self) -> Iterator[ListedUpload]:
        """Yield the uploads that have no job, as ``run`` counts them."""
        for batch in self._batches():
            yield from self._missing(batch)

    def _missing(self, batch: list[ListedUpload]) -> list[ListedUpload]:
        known = self.ledger.known([listed.upload.job_id for listed in batch])
        return [listed for listed in batch if listed.upload.job_id not in known]

    def _batches(self) -> Iterator[list[ListedUpload]]:
        return _batched(self._uploads(), MAX_KNOWN_AT_ONCE)

    def _uploads(self) -> Iterator[ListedUpload]:
        """Yield the versions to compare. Versions older than the ledger cannot have a job."""
        earliest = max(self.now() - MAX_AGE, self.ledger.created_at())
        latest = self.now() - MIN_AGE
        for listed in self.uploads.versions(self.bucket):
            upload = listed.upload
            # Objects that were written before the bucket was versioned have no version to look up.
            if earliest <= listed.written_at <= latest and upload.version_id and not upload.is_folder_marker:
                yield listed


def _batched(uploads: Iterable[ListedUpload], size: int) -> Iterator[list[ListedUpload]]:
    iterator = iter(uploads)
    while batch := list(islice(iterator, size)):
        yield batch
