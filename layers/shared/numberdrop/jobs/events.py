"""The events that say how a job ended, or that it needs a person: their names and details."""

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
"""The states that are announced. A job in any other state is still on its way."""


def detail(job: Job) -> dict[str, Any]:
    """The event's detail, as the contract has it: ``results`` when completed, ``reason`` otherwise."""
    upload = asdict(job.upload)
    del upload["sequencer"]
    ending = (
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
        **ending,
        "counts": asdict(job.counts),
        "saved": _saved(job),
        "charged": job.charged,
        "submitted_at": timestamp(job.submitted_at) if job.submitted_at else None,
        "finished_at": timestamp(job.finished_at) if job.finished_at else None,
    }


def _saved(job: Job) -> dict[str, Any]:
    """What it saved to send each number once, by the list price where that is known."""
    checker = checkers().get((job.checker or "").lower())
    duplicates = job.counts.duplicates
    return {"numbers": duplicates, "usd": checker.list_price(duplicates) if checker else None}
