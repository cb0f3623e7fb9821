"""A collected job: the input of the manifest and the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from numberdrop.files.results.results import ResultCounts
from numberdrop.files.uploads.cleaning import UploadCounts
from numberdrop.files.uploads.reading import Reading
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.job import Amount, Counts, Job


@dataclass(frozen=True, slots=True)
class CollectedJob:
    """A job whose ``results.csv`` has been written.

    Attributes:
        job: the job as the ledger has it.
        checker: the checker of the job.
        upload: counts of the upload's rows; None if the upload is gone.
        counts: the job's final counts, including ``resolved``, ``unresolved`` and ``verdicts``.
        results: how the entries match the export.
        cost: the cost that the vendor states, or None.
        collected_at: when the results were written.
        reading: what was read of the upload; None if the upload is gone.
    """

    job: Job
    checker: Checker
    upload: UploadCounts | None
    counts: Counts
    results: ResultCounts
    cost: Amount | None
    collected_at: datetime
    reading: Reading | None = None

    @property
    def verdicts_by_country(self) -> Mapping[str, Mapping[str, int]]:
        """Verdicts by country; empty if some resolved numbers may not have been submitted."""
        return self.results.countries if self.results.resolved == self.counts.resolved else {}

    @property
    def has_lost_answers(self) -> bool:
        """Whether none of the remembered answers is in the results.

        What was recalled is gone, or it was recalled under another key, or the memory is off by now.
        """
        return bool(self.job.counts.remembered) and not self.results.remembered
