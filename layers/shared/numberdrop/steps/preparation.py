"""Reading and checking an upload before it is sent. This costs nothing and changes nothing in AWS."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO

from numberdrop.aws.buckets import UploadBucket
from numberdrop.clock import Clock, utc_now
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import Checker, Family, InputKind, checker_for_key
from numberdrop.jobs.job import Counts
from numberdrop.jobs.reading_choice import Choice, UploadLayout
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.jobs.upload import LARGEST_UPLOAD, REGION_METADATA, Upload, usual_region

LONGEST_READING = timedelta(minutes=6)
"""How long reading a file may take. The collect function reads it again, perhaps on a slower machine, and has
15 minutes for that and for the export."""


@dataclass(frozen=True, slots=True)
class PreparedUpload:
    """An upload that was read and checked: everything that is needed to send it.

    Attributes:
        checker: the checker that the upload's key names.
        region: the region of numbers without a country code, ISO 3166 alpha-2, or None.
        layout: how the upload was read.
        counts: the rows that were read, and how many of them will be sent.
        file: the file to send, open at its start.
    """

    checker: Checker
    region: str | None
    layout: UploadLayout
    counts: Counts
    file: BinaryIO


@dataclass(frozen=True)
class Preparer:
    """Reads an upload, checks it, and writes the file to send.

    >>> from numberdrop.aws.clients import make_client
    >>> client = make_client("s3")
    >>> _ = client.create_bucket(Bucket="uploads")
    >>> stored = client.put_object(Bucket="uploads", Key="band/a.txt", Body=b"+447700900001")
    >>> upload = Upload.from_s3(
    ...     bucket="uploads", key="band/a.txt", version_id=None, etag=stored["ETag"], size=13)
    >>> preparer = Preparer(UploadBucket(client), allow_sensitive=False, has_user_id=False)
    >>> with TemporaryFile() as file:
    ...     preparer.prepare(upload, file).counts.submitted
    1

    Attributes:
        uploads: the bucket to read from.
        allow_sensitive: whether checkers that infer personal traits may be used.
        has_user_id: whether the vendor's user id is known, which the legacy checkers need.
        allowed_task_types: task types that may be used although the vendor does not document them.
        default_region: the region of numbers without a country code, ISO 3166 alpha-2 or empty. The upload's
            metadata takes precedence.
    """

    uploads: UploadBucket
    allow_sensitive: bool
    has_user_id: bool
    allowed_task_types: Collection[str] = ()
    default_region: str = ""
    now: Clock = utc_now

    def prepare(self, upload: Upload, file: BinaryIO) -> PreparedUpload:
        """Write the entries of an upload to ``file``, each of them once.

        Rows that are rejected or repeated are listed later, when the results are collected.

        Raises:
            JobFailedError: the upload cannot be sent; its reason says why.
        """
        checker = self._checker(upload)
        _check_size(upload)
        with TemporaryFile() as source, TemporaryFile() as entries:
            metadata = self.uploads.copy_to(upload, source)
            region = self._region(metadata) if checker.input is InputKind.PHONE else None
            check_time = partial(self._check_reading_time, self.now())
            reading = partial(
                open_upload, choice=Choice.from_metadata(metadata), phones_only=checker.takes_only_phones
            )
            with reading(source, checker.input, region) as rows:
                layout = rows.layout
                cleaned = clean_upload(rows, entries=entries, numbers=file, after_block=check_time)
        _check_rows(cleaned.submitted, checker)
        file.seek(0)
        counts = Counts(
            lines=cleaned.lines,
            submitted=cleaned.submitted,
            rejected=cleaned.rejected,
            duplicates=cleaned.duplicates,
        )
        return PreparedUpload(checker, region, layout, counts, file)

    def _checker(self, upload: Upload) -> Checker:
        checker = checker_for_key(
            upload.key, allow_sensitive=self.allow_sensitive, allowed_task_types=self.allowed_task_types
        )
        if checker.family is Family.LEGACY and not self.has_user_id:
            raise JobFailedError(
                ReasonCode.CHECKER_NOT_ALLOWED,
                f"{checker.name} needs the vendor's user id. Deploy with EkycproUserId set.",
            )
        return checker

    def _region(self, metadata: Mapping[str, str]) -> str | None:
        region = metadata.get(REGION_METADATA, "").strip() or self.default_region
        return usual_region(region) or None

    def _check_reading_time(self, started_at: datetime) -> None:
        if self.now() - started_at > LONGEST_READING:
            raise JobFailedError(
                ReasonCode.TOO_LARGE,
                "The file takes too long to read, so its results could not be collected in time. Split it "
                "and upload the parts, or write its numbers as +<country><number>, which is faster to read.",
            )


def _check_size(upload: Upload) -> None:
    if upload.size > LARGEST_UPLOAD:
        raise JobFailedError(
            ReasonCode.TOO_LARGE,
            f"The file is larger than {LARGEST_UPLOAD // 1_000_000} MB. Split it and upload the parts.",
        )


def _check_rows(rows: int, checker: Checker) -> None:
    if rows > checker.max_rows:
        raise JobFailedError(
            ReasonCode.TOO_LARGE,
            f"The file has {rows:,} distinct entries, and {checker.name} accepts at most "
            f"{checker.max_rows:,} in one file. Split it and upload the parts.",
        )
    if rows < checker.min_rows:
        raise JobFailedError(
            ReasonCode.TOO_SMALL,
            f"The file has {rows:,} distinct valid entries, and {checker.name} needs at least "
            f"{checker.min_rows:,} in one file. Combine it with other files.",
        )
