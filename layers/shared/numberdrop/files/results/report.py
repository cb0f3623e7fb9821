"""Collect the facts that the report of a job shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from numberdrop.files.results.collected import CollectedJob
from numberdrop.files.uploads.reading import reading_in_words
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.savings import Savings

VerdictCounts = Mapping[str, int]
"""Number of entries by verdict, or by ``resolved`` and ``unresolved``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of a job.

    Attributes:
        amount: at least 0. The report shows all digits, unless the amount is an estimate.
        currency: as the vendor writes it, such as ``USD``.
        estimated: True if the vendor stated no cost and the amount comes from the list price.
    """

    amount: Decimal
    currency: str
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The facts that the report shows.

    Attributes:
        checker: the checker's name.
        task_type: the vendor's word for the check.
        kind: the kind of entries that were submitted.
        job_id: the job's id.
        task_id: the vendor's id of the task.
        upload_key: the upload's key. The page masks whatever could be a number in it.
        submitted_at: when the vendor accepted the file, or None if unknown.
        collected_at: when the results were collected.
        lines: lines of the upload that are not blank: ``submitted`` + ``remembered`` + ``rejected`` +
            ``duplicates``. None if the upload is gone; then ``rejected`` and ``duplicates`` are unknown too.
        submitted: distinct entries sent to the vendor: ``resolved`` + ``unresolved`` - ``remembered``.
        remembered: distinct entries that were not sent, because their answers are remembered.
        rejected: lines without an entry that the checker takes.
        duplicates: lines that repeat an entry, which is sent and paid for once.
        further: numbers that follow another in the same cell and were not sent.
        resolved: entries with a row in the export or a remembered answer.
        unresolved: entries with neither.
        verdicts: resolved entries by verdict; empty if verdicts cannot be counted.
        countries: entries by country, as ``country_of`` names it, and by verdict or ``unresolved``;
            empty if countries are unknown.
        cost: the cost, or None if unknown.
        saved: what duplicates and remembered entries would have cost, or None if unknown.
        files: names of the files next to the report.
        location: the folder in S3 that has them, as ``bucket/folder``; empty if unknown.
        reading: sentences that say what was read of the upload, and what was not; empty if it is gone.
    """

    checker: str
    task_type: str
    kind: InputKind
    job_id: str
    task_id: str
    upload_key: str
    submitted_at: datetime | None
    collected_at: datetime
    lines: int | None
    submitted: int
    remembered: int = 0
    rejected: int = 0
    duplicates: int = 0
    further: int = 0
    resolved: int
    unresolved: int
    verdicts: VerdictCounts = field(default_factory=dict)
    countries: Mapping[str, VerdictCounts] = field(default_factory=dict)
    cost: Cost | None = None
    saved: Savings | None = None
    files: Sequence[str] = ()
    location: str = ""
    reading: Sequence[str] = ()


def build_report(collected: CollectedJob, files: Mapping[str, Path], bucket: str) -> Report:
    """Return the report of a collected job.

    Args:
        collected: the job.
        files: the files that the report links to, by key.
        bucket: the bucket that has them.
    """
    job, counts = collected.job, collected.counts
    resolved, unresolved = counts.resolved or 0, counts.unresolved or 0
    remembered = counts.remembered or 0
    return Report(
        checker=collected.checker.name,
        task_type=collected.checker.task_type,
        kind=collected.checker.input,
        job_id=job.job_id,
        task_id=job.task_id or "",
        upload_key=job.upload.key,
        submitted_at=job.submitted_at,
        collected_at=collected.collected_at,
        lines=collected.upload.lines if collected.upload else None,
        submitted=resolved + unresolved - remembered,
        remembered=remembered,
        rejected=collected.upload.rejected if collected.upload else 0,
        duplicates=collected.upload.duplicates if collected.upload else 0,
        further=collected.upload.further if collected.upload else 0,
        resolved=resolved,
        unresolved=unresolved,
        verdicts=counts.verdicts,
        countries=collected.verdicts_by_country,
        cost=_cost(collected),
        saved=Savings.of(counts, collected.checker),
        files=[key.rpartition("/")[2] for key in files],
        location=f"{bucket}/{next(iter(files)).rpartition('/')[0]}",
        reading=tuple(reading_in_words(collected.reading.facts())) if collected.reading else (),
    )


def _cost(collected: CollectedJob) -> Cost | None:
    if collected.cost:
        return Cost(amount=collected.cost.value, currency=collected.cost.currency, estimated=False)
    usd = collected.checker.list_price(collected.counts.submitted)
    return None if usd is None else Cost(amount=Decimal(str(usd)), currency="USD", estimated=True)
