"""A job whose results were written: what the manifest and the report are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from numberdrop.files.results.results import ResultCounts
from numberdrop.files.uploads.cleaning import UploadCounts
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.job import Amount, Counts, Job


@dataclass(frozen=True, slots=True)
class CollectedJob:
    """A job whose results were written.

    Attributes:
        job: as the ledger has it.
        checker: what was asked.
        upload: what became of the upload's rows, None if the upload is gone.
        counts: rows, those of the results included.
        read: how the export answered.
        cost: what the vendor says it charged, if it says so.
        collected_at: when they were written.
    """

    job: Job
    checker: Checker
    upload: UploadCounts | None
    counts: Counts
    read: ResultCounts
    cost: Amount | None
    collected_at: datetime

    @property
    def verdicts_by_country(self) -> Mapping[str, Mapping[str, int]]:
        """Verdicts by country, as long as all that the export answers is known to be what was submitted."""
        return self.read.countries if self.read.resolved == self.counts.resolved else {}
