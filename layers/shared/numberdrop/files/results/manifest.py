"""The manifest of a job's results, for programs."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numberdrop.files.results.collected import CollectedJob
from numberdrop.jobs.job import timestamp

SCHEMA_VERSION = "1"


def manifest(collected: CollectedJob, files: Mapping[str, Path]) -> dict[str, Any]:
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
        "verdicts_by_country": collected.verdicts_by_country,
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
        "collected_at": timestamp(collected.collected_at),
    }


def _described(key: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"key": key, "size": path.stat().st_size, "sha256": digest}
