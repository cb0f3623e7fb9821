"""Comparing the bucket with the ledger every day, to find uploads for which no event arrived.

The audit only reports. A person decides about the uploads that it finds, because sending a file costs money.
An audit of a large bucket takes several runs, each of which continues where the one before stopped.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from aws_lambda_powertools import Logger

from numberdrop.aws.audit_progress import AuditProgress, AuditProgressItem
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.clients import make_client
from numberdrop.aws.ledger import MAX_KNOWN_AT_ONCE, Ledger
from numberdrop.aws.listing import ListedUpload, Position, UploadListing
from numberdrop.clock import Clock, utc_now
from numberdrop.masking import masked
from numberdrop.settings import AuditSettings

MIN_AGE = timedelta(days=1)
"""Younger uploads may still be in the queue."""

MAX_AGE = timedelta(days=14)
"""Older uploads were compared, and reported if necessary, on every day before."""

INTERVAL = timedelta(hours=23, minutes=30)
"""How long after the beginning of an audit the next one is due; the function is invoked every hour."""

TIME_TO_END = 60
"""Seconds of the function's time that are left for the last page and for writing the progress."""

logger = Logger()


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The result of an audit so far.

    Attributes:
        compared: the number of versions that were looked up in the ledger.
        unannounced: the number of those that have no job.
        is_complete: whether the whole bucket was compared; if not, the next run continues.
    """

    compared: int
    unannounced: int
    is_complete: bool = True


@dataclass(frozen=True)
class Auditor:
    """Compares the bucket's listing with the ledger. It does not read any file.

    >>> s3, dynamodb = make_client("s3"), make_client("dynamodb")
    >>> _ = s3.create_bucket(Bucket="uploads")
    >>> _ = dynamodb.create_table(TableName="jobs", BillingMode="PAY_PER_REQUEST",
    ...     AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
    ...     KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}])
    >>> Auditor.of(UploadListing(s3, "uploads"), Ledger(dynamodb, "jobs")).run(seconds=900)
    AuditReport(compared=0, unannounced=0, is_complete=True)
    """

    listing: UploadListing
    ledger: Ledger
    breaker: CircuitBreaker
    progress: AuditProgressItem
    now: Clock = utc_now

    @classmethod
    def of(cls, listing: UploadListing, ledger: Ledger) -> Self:
        """Return the auditor of a bucket and a ledger."""
        return cls(listing, ledger, CircuitBreaker.beside(ledger), AuditProgressItem.beside(ledger))

    @classmethod
    def from_env(cls) -> Self:
        """Return the auditor for the environment of the audit function."""
        settings = AuditSettings.from_env()
        listing = UploadListing(make_client("s3"), settings.upload_bucket)
        return cls.of(listing, Ledger.connect(settings.jobs_table))

    def run(self, *, seconds: float, if_due: bool = False) -> AuditReport | None:
        """Compare the uploads of the last days with the ledger and log those that have no job.

        Args:
            seconds: the time that is left for the function.
            if_due: begin no new audit if the latest one began within the last day.

        Returns:
            The report, or None if nothing is due, or while the circuit breaker is open: then uploads without
            a job are waiting.
        """
        end = self.now() + timedelta(seconds=seconds - TIME_TO_END)
        progress = self.progress.read()
        if progress is None or progress.is_complete:
            if progress and if_due and self.now() < progress.began_at + INTERVAL:
                return None
            progress = AuditProgress.beginning(self.now(), progress)
        if self.breaker.holder() is not None:
            logger.info("the circuit breaker is open and uploads are waiting; nothing was compared")
            return None
        for listed_uploads, position in self._parts(progress):
            missing = self._missing(listed_uploads)
            _log(missing)
            progress = replace(
                progress.at(position),
                compared=progress.compared + len(listed_uploads),
                unannounced=progress.unannounced + len(missing),
            )
            if self.now() >= end:
                break
        self.progress.write(progress)
        report = AuditReport(progress.compared, progress.unannounced, progress.is_complete)
        logger.info(
            "the bucket was compared with the ledger",
            compared=report.compared,
            unannounced=report.unannounced,
            complete=report.is_complete,
        )
        return report

    def unannounced(self) -> Iterator[ListedUpload]:
        """Yield the uploads that have no job, as a whole audit counts them."""
        for listed_uploads, _ in self._parts(AuditProgress.beginning(self.now(), self.progress.read())):
            yield from self._missing(listed_uploads)

    def _missing(self, listed_uploads: list[ListedUpload]) -> list[ListedUpload]:
        job_ids = [listed.upload.job_id for listed in listed_uploads]
        known: set[str] = set()
        for first in range(0, len(job_ids), MAX_KNOWN_AT_ONCE):
            known |= self.ledger.known(job_ids[first : first + MAX_KNOWN_AT_ONCE])
        return [listed for listed in listed_uploads if listed.upload.job_id not in known]

    def _parts(self, progress: AuditProgress) -> Iterator[tuple[list[ListedUpload], Position | None]]:
        """Yield the versions to compare, page by page, and the position after each page.

        Versions older than the ledger cannot have a job.
        """
        latest = self.now() - MIN_AGE
        earliest = max(self._oldest_compared(progress), self.ledger.created_at())
        for page in self.listing.pages(progress.start):
            yield [listed for listed in page.uploads if _is_due(listed, earliest, latest)], page.next

    def _oldest_compared(self, progress: AuditProgress) -> datetime:
        """Return the time from which on versions are compared, so that slow audits leave no gap.

        The former audit compared every version that was a day old when that audit began.
        """
        oldest = self.now() - MAX_AGE
        return min(oldest, progress.former_began_at - MIN_AGE) if progress.former_began_at else oldest


def _is_due(listed: ListedUpload, earliest: datetime, latest: datetime) -> bool:
    # Objects that were written before the bucket was versioned have no version to look up.
    is_upload = bool(listed.upload.version_id) and not listed.upload.is_folder_marker
    return is_upload and earliest <= listed.written_at <= latest


def _log(missing: list[ListedUpload]) -> None:
    for listed in missing:
        logger.warning(
            "an upload was never announced",
            object_key=masked(listed.upload.key),
            version_id=listed.upload.version_id,
        )
