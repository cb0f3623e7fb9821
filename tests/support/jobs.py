"""Uploads and jobs for tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from numberdrop.jobs.job import Counts, Job, StoredResults
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.operations import GIVEN_UP

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TASK_ID = "task-of-a-test"
TOKEN = "token-of-a-test"


def an_upload(key: str = "band/spring/leads.txt", **changes: Any) -> Upload:
    """Return an upload with a version."""
    upload = Upload(
        bucket="uploads", key=key, version_id="version-one", etag="etag-one", size=1200, sequencer="0A"
    )
    return replace(upload, **changes)


def a_job(state: State = State.SUBMITTED, *, upload: Upload | None = None, **changes: Any) -> Job:
    """Return a job with the attributes that jobs in a state have; its lease expires at noon."""
    upload = upload or an_upload()
    job = Job(
        job_id=upload.job_id,
        state=state,
        upload=upload,
        token=TOKEN,
        lease_until=NOON,
        last_write="write-of-a-test",
        created_at=NOON - timedelta(minutes=10),
        deadline=NOON + timedelta(hours=24),
        **_OF_STATE[state],
    )
    return replace(job, **changes)


COUNTED = Counts(
    lines=120,
    submitted=100,
    remembered=0,
    refreshed=0,
    rejected=8,
    duplicates=12,
    further=3,
    total=100,
    success=98,
    failure=2,
    resolved=99,
    unresolved=1,
    verdicts={"yes": 60, "no": 39},
)
"""The counts of a completed job."""

_SENT = {
    "checker": "band",
    "task_type": "band",
    "attempts": 1,
    "counts": Counts(
        lines=120, submitted=100, remembered=0, refreshed=0, rejected=8, duplicates=12, further=3
    ),
}
_SUBMITTED = {**_SENT, "task_id": TASK_ID, "charged": True, "submitted_at": NOON - timedelta(minutes=9)}
_FINISHED = {"finished_at": NOON - timedelta(minutes=1)}

_OF_STATE: dict[State, dict[str, Any]] = {
    State.CLAIMED: {},
    State.SUBMITTING: _SENT,
    State.SUBMITTED: _SUBMITTED,
    State.ANSWERED: {
        "checker": "band",
        "task_type": "band",
        "recalled": "recalled/of-a-test",
        "counts": Counts(lines=120, submitted=0, remembered=100, rejected=8, duplicates=12, further=3),
    },
    State.BLOCKED: {**_SENT, **_FINISHED, "reason": Reason(ReasonCode.BAD_API_KEY, "Put in a valid one.")},
    State.IN_DOUBT: {
        **_SENT,
        **_FINISHED,
        "charged": None,
        "reason": Reason(ReasonCode.SUBMISSION_IN_DOUBT, "Look it up."),
    },
    State.COMPLETED: {
        **_SUBMITTED,
        **_FINISHED,
        "counts": COUNTED,
        "results": StoredResults(
            "results",
            "prefix/export.zip",
            "prefix/results.csv",
            "prefix/manifest.json",
            "prefix/report.html",
        ),
    },
    State.ABANDONED: {**_SENT, **_FINISHED, "charged": None, "reason": GIVEN_UP},
    State.FAILED: {**_SUBMITTED, **_FINISHED, "reason": Reason(ReasonCode.TASK_FAILED, "Ask the vendor.")},
}
