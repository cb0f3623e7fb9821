"""The events that announce how a job ended or that it needs a person.

>>> DETAIL_TYPES[State.COMPLETED]
'Number Check Completed'
"""

from dataclasses import asdict
from typing import Any

from numberdrop.jobs.checkers import checkers
from numberdrop.jobs.job import Job, timestamp
from numberdrop.jobs.transitions import State

SOURCE = "numberdrop"
SCHEMA_VERSION = "1"

DETAIL_TYPES = {
    State.COMPLETED: "Number Check Completed",
    State.FAILED: "Number Check Failed",
    State.ABANDONED: "Number Check Failed",
    State.IN_DOUBT: "Number Check Needs Attention",
    State.BLOCKED: "Number Check Needs Attention",
}
"""The announced states. A job in any other state is still in progress."""


def detail(job: Job) -> dict[str, Any]:
    """Return the detail of a job's event: it has ``results`` if the job completed, otherwise ``reason``."""
    upload = asdict(job.upload)
    del upload["sequencer"]
    outcome = (
        {"results": asdict(job.results)}
        if job.results
        else {"reason": asdict(job.reason) if job.reason else None}
    )
    return {
        "schema_version": SCHEMA_VERSION,
        "job_id": job.job_id,
        "checker": job.checker,
        "task_type": job.task_type,
        "task_id": job.task_id,
        "upload": upload,
        **outcome,
        "counts": asdict(job.counts),
        "saved": _saved(job),
        "charged": job.charged,
        "submitted_at": timestamp(job.submitted_at) if job.submitted_at else None,
        "finished_at": timestamp(job.finished_at) if job.finished_at else None,
    }


def _saved(job: Job) -> dict[str, Any]:
    """Return what removing duplicates saved: numbers, and USD at list price if that is known."""
    checker = checkers().get((job.checker or "").lower())
    duplicates = job.counts.duplicates
    return {"numbers": duplicates, "usd": checker.list_price(duplicates) if checker else None}
