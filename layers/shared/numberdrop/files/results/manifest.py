"""What lies beside the results: the manifest for programs, and the report for people."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from numberdrop.files.results.report import Cost, Report, report_html
from numberdrop.files.results.results import ResultCounts
from numberdrop.files.uploads.cleaning import UploadCounts
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.job import Amount, Counts, Job, timestamp

SCHEMA_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Collected:
    """A job whose results were written.

    Attributes:
        job: as the ledger has it.
        checker: what was asked.
        upload: what became of the upload's rows, None if the upload is gone.
        counts: rows, those of the results included.
        read: how the export answered.
        cost: what the vendor says it charged, if it says so.
        at: when they were written.
    """

    job: Job
    checker: Checker
    upload: UploadCounts | None
    counts: Counts
    read: ResultCounts
    cost: Amount | None
    at: datetime


def manifest(collected: Collected, files: Mapping[str, Path]) -> dict[str, Any]:
    """The content of ``manifest.json``.

    Args:
        collected: the job.
        files: the files beside it, by key.
    """
    job, upload, counts, read = collected.job, collected.upload, collected.counts, collected.read
    price = collected.checker.list_price
    return {
        "schema_version": SCHEMA_VERSION,
        "job_id": job.job_id,
        "checker": job.checker,
        "task_type": job.task_type,
        "task_id": job.task_id,
        "upload": asdict(job.upload),
        "upload_counts": asdict(upload) if upload else None,
        "counts": asdict(counts),
        "verdicts_by_country": _countries(collected),
        "export_counts": {
            "extra": read.extra + read.resolved - (counts.resolved or 0),
            "doubled": read.doubled,
        },
        "cost": {"amount": str(collected.cost.value), "currency": collected.cost.currency}
        if collected.cost
        else None,
        "list_price": {"usd_per_10k": collected.checker.usd_per_10k, "usd": price(counts.submitted)},
        "saved": {"numbers": counts.duplicates, "usd": price(counts.duplicates)},
        "files": {key.rpartition("/")[2]: _described(key, path) for key, path in files.items()},
        "submitted_at": timestamp(job.submitted_at) if job.submitted_at else None,
        "collected_at": timestamp(collected.at),
    }


def report(collected: Collected, files: Mapping[str, Path]) -> str:
    """The content of ``report.html``; the arguments are those of ``manifest``."""
    job, counts = collected.job, collected.counts
    resolved, unresolved = counts.resolved or 0, counts.unresolved or 0
    return report_html(
        Report(
            checker=collected.checker.name,
            task_type=collected.checker.task_type,
            kind=collected.checker.input,
            job_id=job.job_id,
            task_id=job.task_id or "",
            upload_key=job.upload.key,
            submitted_at=job.submitted_at,
            collected_at=collected.at,
            lines=collected.upload.lines if collected.upload else None,
            submitted=resolved + unresolved,
            rejected=collected.upload.rejected if collected.upload else 0,
            duplicates=collected.upload.duplicates if collected.upload else 0,
            resolved=resolved,
            unresolved=unresolved,
            verdicts=counts.verdicts,
            countries=_countries(collected),
            cost=_cost(collected),
            files=[key.rpartition("/")[2] for key in files],
        )
    )


def _countries(collected: Collected) -> Mapping[str, Mapping[str, int]]:
    """Verdicts by country, as long as all that the export answers is known to be what was submitted."""
    return collected.read.countries if collected.read.resolved == collected.counts.resolved else {}


def _cost(collected: Collected) -> Cost | None:
    if collected.cost:
        return Cost(amount=collected.cost.value, currency=collected.cost.currency, estimated=False)
    usd = collected.checker.list_price(collected.counts.submitted)
    return None if usd is None else Cost(amount=Decimal(str(usd)), currency="USD", estimated=True)


def _described(key: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"key": key, "size": path.stat().st_size, "sha256": digest}
