"""What a stack accepts and how it reads a file. The command applies the same rules before it sends one."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from tempfile import TemporaryFile
from typing import BinaryIO, Self, TextIO

from numberdrop.clock import Clock, utc_now
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import UploadRows, open_upload
from numberdrop.jobs.checkers import Checker, Family, InputKind, checker_for_key
from numberdrop.jobs.job import Counts, JobChanges
from numberdrop.jobs.price_ceiling import ceiling
from numberdrop.jobs.reading_choice import Choice, UploadLayout
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.jobs.upload import LARGEST_UPLOAD, REGION_METADATA, usual_region
from numberdrop.settings import SubmitSettings

LONGEST_READING = timedelta(minutes=6)
"""How long reading a file may take. The collect function reads it again, perhaps on a slower machine, and has
15 minutes for that and for the export."""


@dataclass(frozen=True, slots=True)
class PreparedUpload:
    """An upload that was read: everything that is needed to send it.

    Attributes:
        checker: the checker that the upload's key names.
        region: the region of numbers without a country code, ISO 3166 alpha-2, or None.
        layout: how the upload was read.
        counts: the rows that were read, and how many of them will be sent.
        file: the file to send, open at its start.
        max_usd: the most that it may cost in USD at list price, or None for any amount.
        recalled: the key of the remembered answers, in the memory's bucket; None if nothing is remembered.
    """

    checker: Checker
    region: str | None
    layout: UploadLayout
    counts: Counts
    file: BinaryIO
    max_usd: Decimal | None = None
    recalled: str | None = None

    @property
    def is_answered(self) -> bool:
        """Whether every entry is remembered, so that nothing is sent."""
        return not self.counts.submitted

    @property
    def facts(self) -> JobChanges:
        """The fields of the job that the ledger records with it."""
        return {
            "checker": self.checker.name,
            "task_type": self.checker.task_type,
            "read_error": None,
            "region": self.region,
            "layout": self.layout,
            "counts": self.counts,
            "recalled": self.recalled,
        }


@dataclass(frozen=True)
class UploadRules:
    """What a stack accepts, and how it reads a file.

    >>> from io import BytesIO
    >>> rules = UploadRules(allow_sensitive=False, has_user_id=False, default_region="GB")
    >>> upload, checker = BytesIO(b"020 7946 0124"), rules.checker("band/a.txt")
    >>> rules.read(upload, checker, {}, file=BytesIO()).counts.submitted
    1

    Attributes:
        allow_sensitive: whether checkers that infer personal traits may be used.
        has_user_id: whether the vendor's user id is known, which the legacy checkers need.
        allowed_task_types: task types that may be used although the vendor does not document them.
        default_region: the region of numbers without a country code, ISO 3166 alpha-2 or empty. The upload's
            metadata takes precedence.
        max_usd: the most that a file may cost in USD at list price, or None. Its metadata may lower it.
    """

    allow_sensitive: bool
    has_user_id: bool
    allowed_task_types: Collection[str] = ()
    default_region: str = ""
    max_usd: Decimal | None = None
    now: Clock = utc_now

    @classmethod
    def from_settings(cls, settings: SubmitSettings) -> Self:
        """Return the rules of a stack."""
        return cls(
            allow_sensitive=settings.allow_sensitive_checkers,
            allowed_task_types=settings.allowed_task_types,
            has_user_id=bool(settings.vendor_user_id),
            default_region=settings.default_region,
            max_usd=settings.max_usd_per_upload,
        )

    def checker(self, key: str) -> Checker:
        """Return the checker that an upload's key names.

        Raises:
            JobFailedError: ``UNKNOWN_CHECKER`` or ``CHECKER_NOT_ALLOWED``.
        """
        checker = checker_for_key(
            key, allow_sensitive=self.allow_sensitive, allowed_task_types=self.allowed_task_types
        )
        if checker.family is Family.LEGACY and not self.has_user_id:
            raise JobFailedError(
                ReasonCode.CHECKER_NOT_ALLOWED,
                f"{checker.name} needs the vendor's user id. Deploy with EkycproUserId set.",
            )
        return checker

    def read(
        self,
        source: BinaryIO,
        checker: Checker,
        metadata: Mapping[str, str],
        *,
        file: BinaryIO,
        rejected: TextIO | None = None,
        on_open: Callable[[UploadRows], None] | None = None,
    ) -> PreparedUpload:
        """Write the entries of an upload to ``file``, each of them once.

        Args:
            source: the upload.
            checker: the checker that its key names.
            metadata: the object's metadata, with names in lower case.
            file: takes the entries.
            rejected: takes the rejected rows, as in ``rejected.csv``.
            on_open: called with the rows before they are cleaned.

        Raises:
            JobFailedError: the upload cannot be read, or nothing in it can be sent.
        """
        max_usd = ceiling(metadata, stack=self.max_usd)
        region = self._region(metadata) if checker.input is InputKind.PHONE else None
        check_time = partial(self._check_reading_time, self.now())
        reading = partial(
            open_upload, choice=Choice.from_metadata(metadata), phones_only=checker.takes_only_phones
        )
        with TemporaryFile() as entries, reading(source, checker.input, region) as rows:
            if on_open:
                on_open(rows)
            layout = rows.layout
            cleaned = clean_upload(
                rows, entries=entries, numbers=file, rejected=rejected, after_block=check_time
            )
        file.seek(0)
        counts = Counts(
            lines=cleaned.lines,
            submitted=cleaned.submitted,
            remembered=0,
            refreshed=0,
            rejected=cleaned.rejected,
            duplicates=cleaned.duplicates,
            further=cleaned.further,
        )
        return PreparedUpload(checker, region, layout, counts, file, max_usd)

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


def check_size(size: int) -> None:
    """Check the size of an upload in bytes.

    Raises:
        JobFailedError: ``TOO_LARGE``.
    """
    if size > LARGEST_UPLOAD:
        raise JobFailedError(
            ReasonCode.TOO_LARGE,
            f"The file is larger than {LARGEST_UPLOAD // 1_000_000} MB. Split it and upload the parts.",
        )


def check_rows(rows: int, checker: Checker) -> None:
    """Check how many rows would be sent.

    Raises:
        JobFailedError: ``TOO_LARGE`` or ``TOO_SMALL``.
    """
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
