"""The content of ``failed.json`` and ``failed.txt``, for jobs that ended without results."""

import re
from datetime import UTC, datetime
from textwrap import fill
from typing import Any

from numberdrop.jobs.events import detail
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.masking import masked

_TITLES = {
    State.FAILED: "This file was not checked.",
    State.ABANDONED: "This file was not checked: a person gave it up.",
    State.IN_DOUBT: "Nobody knows whether this file is being checked. A person must decide.",
}

_CHARGED = {True: "yes", False: "no", None: "nobody knows"}

_LABEL_WIDTH, _LINE_WIDTH = 10, 78
"""Characters."""

_COMMAND = re.compile(r"'numberdrop [^']+'")
_NO_BREAK = "\u00a0"


def failure_facts(job: Job) -> dict[str, Any]:
    """Return the content of ``failed.json``: the detail of the job's event, its state, and what to do.

    >>> from datetime import timedelta
    >>> from numberdrop.jobs.reasons import Reason, ReasonCode
    >>> from numberdrop.jobs.upload import Upload
    >>> now = datetime(2026, 3, 12, tzinfo=UTC)
    >>> job = Job(
    ...     job_id="3f9ac1d0e5b7", state=State.FAILED, token="t", lease_until=now, last_write="w",
    ...     upload=Upload("uploads", "band/a.txt", "1", "e", 14, ""), created_at=now, deadline=now,
    ...     finished_at=now,
    ...     reason=Reason(ReasonCode.EMPTY_FILE, "The file is empty. Upload another one."),
    ... )
    >>> facts = failure_facts(job)
    >>> facts["state"], facts["reason"]["message"], facts["charged"]
    ('failed', 'The file is empty. Upload another one.', False)
    """
    return {**detail(job), "state": str(job.state), "what_to_do": what_to_do(job)}


def failure_text(job: Job) -> str:
    """Return the content of ``failed.txt``. It names no entry of the file, and masks numbers in its name."""
    reason = job.reason
    lines = [
        ("File", masked(job.upload.key)),
        ("Ended", _minute(job.finished_at)),
        ("Checker", job.checker),
        ("Reason", str(reason.code) if reason else None),
        ("", reason.message if reason else None),
        ("Charged", _CHARGED[job.charged]),
        ("Job", job.job_id),
        ("Task", job.task_id),
    ]
    facts = "\n".join(_wrapped(text, label) for label, text in lines if text)
    return (
        f"{_TITLES[job.state]}\n\n{facts}\n\nWhat to do\n{_wrapped(what_to_do(job))}\n\n"
        "This file is removed when the results are there. If results.csv is beside it, ignore this file.\n"
    )


def what_to_do(job: Job) -> str:
    """Return what a person does about a job that ended without results, in whole sentences."""
    job_id = job.job_id[:12]
    if job.state is State.IN_DOUBT:
        return (
            "Do not upload the file again: it may be charged a second time. Ask the person who runs "
            f"numberdrop to look for the task in the vendor's console, and then to run "
            f"'numberdrop resolve {job_id}'."
        )
    if job.state is State.ABANDONED or job.charged is None:
        return (
            "Nobody knows whether the vendor charged for the file. Uploading it again may pay for it a "
            "second time, so ask the person who runs numberdrop first."
        )
    if job.charged:
        return (
            "The vendor has charged for the file, so do not upload it again: that is charged, too. Ask the "
            f"person who runs numberdrop to run 'numberdrop collect-again {job_id}'."
        )
    return (
        "Nothing was charged, and this upload is not tried again. Correct what the reason says, and upload "
        "the file again."
    )


def _wrapped(text: str, label: str | None = None) -> str:
    """Return the text in lines of a readable length, behind a label if there is one. Commands stay whole."""
    start = "" if label is None else f"{label:<{_LABEL_WIDTH}}"
    whole = _COMMAND.sub(lambda command: command[0].replace(" ", _NO_BREAK), text)
    filled = fill(
        start + whole,
        _LINE_WIDTH,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(_NO_BREAK, " ")


def _minute(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else None
