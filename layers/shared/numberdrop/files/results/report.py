"""What the report of a job tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from numberdrop.files.results.collected import CollectedJob
from numberdrop.jobs.checkers import InputKind

VerdictCounts = Mapping[str, int]
"""How often each verdict occurs, and other words of ``_WORDS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a job cost.

    Attributes:
        amount: at least 0. All its digits are shown, unless it is an estimate: let there not be too many.
        currency: as the vendor writes it, such as ``USD``.
        estimated: whether it follows from the list price, the vendor having said nothing.
    """

    amount: Decimal
    currency: str
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What there is to tell of a job whose results were collected.

    Attributes:
        checker: the checker's name.
        task_type: the vendor's word for the check.
        kind: what was submitted.
        job_id: from the upload.
        task_id: the vendor's id of the task.
        upload_key: the upload's key; what could be a number in it is masked on the page.
        submitted_at: when the vendor accepted the file, None where that is not known.
        collected_at: when the results were collected.
        lines: lines of the upload that are not blank, the sum of ``submitted``, ``rejected`` and
            ``duplicates``; None where the upload is gone, and then those two are not known either.
        submitted: distinct entries sent to the vendor, the sum of ``resolved`` and ``unresolved``.
        rejected: lines that hold no entry the checker takes.
        duplicates: lines that repeat an entry; it is sent, and paid for, once.
        resolved: submitted entries that the export answers.
        unresolved: submitted entries that it lacks.
        verdicts: how often each of ``VERDICTS`` occurs among the resolved; empty where none can be counted.
        countries: how often each of ``VERDICTS``, and ``unresolved``, occurs among the submitted, by what
            ``country_of`` calls the country; empty where countries are not known.
        cost: None where it is not known.
        files: names of the files beside the page.
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
    rejected: int = 0
    duplicates: int = 0
    resolved: int
    unresolved: int
    verdicts: VerdictCounts = field(default_factory=dict)
    countries: Mapping[str, VerdictCounts] = field(default_factory=dict)
    cost: Cost | None = None
    files: Sequence[str] = ()


def build_report(collected: CollectedJob, files: Mapping[str, Path]) -> Report:
    """The content of ``report.html``; the arguments are those of ``manifest``."""
    job, counts = collected.job, collected.counts
    resolved, unresolved = counts.resolved or 0, counts.unresolved or 0
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
        submitted=resolved + unresolved,
        rejected=collected.upload.rejected if collected.upload else 0,
        duplicates=collected.upload.duplicates if collected.upload else 0,
        resolved=resolved,
        unresolved=unresolved,
        verdicts=counts.verdicts,
        countries=collected.verdicts_by_country,
        cost=_cost(collected),
        files=[key.rpartition("/")[2] for key in files],
    )


def _cost(collected: CollectedJob) -> Cost | None:
    if collected.cost:
        return Cost(amount=collected.cost.value, currency=collected.cost.currency, estimated=False)
    usd = collected.checker.list_price(collected.counts.submitted)
    return None if usd is None else Cost(amount=Decimal(str(usd)), currency="USD", estimated=True)
