"""The manifest of a job's results, for programs."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numberdrop.files.results.collected import CollectedJob
from numberdrop.jobs.job import timestamp
from numberdrop.jobs.savings import Savings

SCHEMA_VERSION = "1"


def manifest(collected: CollectedJob, files: Mapping[str, Path]) -> dict[str, Any]:
    """Return the content of ``manifest.json``.

    >>> from datetime import UTC, datetime
    >>> from numberdrop.files.results.results import ResultCounts
    >>> from numberdrop.jobs.checkers import checkers
    >>> from numberdrop.jobs.job import Counts, Job
    >>> from numberdrop.jobs.transitions import State
    >>> from numberdrop.jobs.upload import Upload
    >>> now = datetime(2026, 3, 12, tzinfo=UTC)
    >>> upload = Upload.from_s3(bucket="uploads", key="band/a.txt", version_id="1", etag="e", size=14)
    >>> job = Job(
    ...     job_id="3f9ac1d0", state=State.SUBMITTED, upload=upload, checker="band", token="t",
    ...     lease_until=now, last_write="w", created_at=now, deadline=now,
    ... )
    >>> counts = Counts(submitted=1, duplicates=0, resolved=1, unresolved=0)
    >>> results = ResultCounts(1, 0, 0, 0, verdicts={"yes": 1}, countries={"+41 CH": {"yes": 1}})
    >>> collected = CollectedJob(job, checkers()["band"], None, counts, results, None, now)
    >>> manifest(collected, {})["verdicts_by_country"]
    {'+41 CH': {'yes': 1}}

    Args:
        collected: the job.
        files: the files that the manifest lists, by key.
    """
    job, upload, counts = collected.job, collected.upload, collected.counts
    results, cost = collected.results, collected.cost
    price = collected.checker.list_price
    return {
        "schema_version": SCHEMA_VERSION,
        "job_id": job.job_id,
        "checker": job.checker,
        "task_type": job.task_type,
        "task_id": job.task_id,
        "upload": asdict(job.upload),
        "read": collected.reading.facts() if collected.reading else None,
        "upload_counts": asdict(upload) if upload else None,
        "counts": asdict(counts),
        "verdicts_by_country": collected.verdicts_by_country,
        "export_counts": {
            "extra": results.extra + results.resolved - (counts.resolved or 0),
            "doubled": results.doubled,
        },
        "cost": {"amount": str(cost.value), "currency": cost.currency} if cost else None,
        "list_price": {"usd_per_10k": collected.checker.usd_per_10k, "usd": price(counts.submitted)},
        "saved": asdict(Savings.of(counts, collected.checker)),
        "files": {key.rpartition("/")[2]: _file_facts(key, path) for key, path in files.items()},
        "submitted_at": timestamp(job.submitted_at) if job.submitted_at else None,
        "collected_at": timestamp(collected.collected_at),
    }


def _file_facts(key: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"key": key, "size": path.stat().st_size, "sha256": digest}
