"""The events that announce how a job ended or that it needs a person.

>>> DETAIL_TYPES[State.COMPLETED]
'Number Check Completed'
"""

from dataclasses import asdict
from enum import StrEnum
from typing import Any

from numberdrop.jobs.checkers import checkers
from numberdrop.jobs.job import Job, timestamp
from numberdrop.jobs.savings import Savings
from numberdrop.jobs.transitions import State

SOURCE = "numberdrop"


class SchemaVersion(StrEnum):
    """The versions of the events, of which the parameter ``EventSchemaVersion`` chooses one.

    In version 2, ``task_id`` and ``results.export_key`` of a completed job may be null, ``tasks`` lists what
    was bought, and ``counts`` and ``saved`` say what was remembered.
    """

    ONE = "1"
    TWO = "2"


DETAIL_TYPES = {
    State.COMPLETED: "Number Check Completed",
    State.FAILED: "Number Check Failed",
    State.ABANDONED: "Number Check Failed",
    State.IN_DOUBT: "Number Check Needs Attention",
    State.BLOCKED: "Number Check Needs Attention",
}
"""The announced states. A job in any other state is still in progress."""


def detail(job: Job, version: SchemaVersion = SchemaVersion.ONE) -> dict[str, Any]:
    """Return the detail of a job's event: it has ``results`` if the job completed, otherwise ``reason``."""
    upload = asdict(job.upload)
    del upload["sequencer"]
    outcome = (
        {"results": asdict(job.results)}
        if job.results
        else {"reason": asdict(job.reason) if job.reason else None}
    )
    return {
        "schema_version": version,
        "job_id": job.job_id,
        "checker": job.checker,
        "task_type": job.task_type,
        "task_id": job.task_id,
        **({} if version is SchemaVersion.ONE else {"tasks": _tasks(job)}),
        "upload": upload,
        **outcome,
        "counts": _counts(job, version),
        "saved": _saved(job, version),
        "charged": job.charged,
        "submitted_at": timestamp(job.submitted_at) if job.submitted_at else None,
        "finished_at": timestamp(job.finished_at) if job.finished_at else None,
    }


def _tasks(job: Job) -> list[dict[str, Any]]:
    """Return one item for each file that the vendor charged for, or may have charged for."""
    if job.charged is False:
        return []
    return [
        {
            "task_id": job.task_id,
            "checker": job.checker,
            "rows": job.counts.submitted,
            "charged": job.charged,
        }
    ]


def _counts(job: Job, version: SchemaVersion) -> dict[str, Any]:
    counts = asdict(job.counts)
    if version is SchemaVersion.ONE:
        del counts["remembered"], counts["refreshed"]
    return counts


def _saved(job: Job, version: SchemaVersion) -> dict[str, Any]:
    saved = asdict(Savings.of(job.counts, checkers().get((job.checker or "").lower())))
    if version is SchemaVersion.ONE:
        del saved["duplicates"], saved["remembered"]
    return saved
