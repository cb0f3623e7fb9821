"""What the command says about a file: text for people, facts for programs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from numberdrop.files.uploads.reading import reading_in_words
from numberdrop.jobs.job import Job, StoredResults
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.inspection import Inspection
from numberdrop_cli.printing import job_document, safe_to_print, short_id
from numberdrop_cli.summary import document, masked_reading, summary

STATES = {
    "waiting": "waiting to be picked up",
    "out_of_reach": "AWS does not answer; the job goes on, and this command keeps trying",
    State.CLAIMED: "picked up",
    State.SUBMITTING: "being sent to the vendor",
    State.SUBMITTED: "the vendor is checking",
    State.ANSWERED: "answered from memory, the results come next",
}
"""What each state means to the person who waits for the results."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far one file is.

    >>> JobProgress(State.SUBMITTED, checked=73, submitted=120, seconds_left=720).text
    '73 of 120 checked, about 12 min left'

    Attributes:
        state: the job's state, ``waiting`` while there is no job, ``out_of_reach`` while AWS does not answer.
        checked: numbers that the vendor has checked, or None if unknown.
        submitted: numbers that were sent to the vendor, or None if unknown.
        seconds_left: estimated seconds until the vendor has checked them all, 0 if overdue, None if unknown.
    """

    state: str = "waiting"
    checked: int | None = None
    submitted: int | None = None
    seconds_left: int | None = None

    @property
    def text(self) -> str:
        """The progress in words."""
        text = STATES[self.state]
        if self.checked is not None and self.submitted is not None:
            if self.checked == self.submitted:
                return f"all {self.submitted:,} checked, the results come next"
            text = f"{self.checked:,} of {self.submitted:,} checked"
        return f"{text}, {_time_left(self.seconds_left)}" if self.seconds_left else text


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to say about one file.

    Attributes:
        file: the file's name.
        event: the kind of notice, for programs.
        text: what people read.
        facts: what programs read, in addition to ``event`` and ``file``.
    """

    file: str
    event: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def priced(inspection: Inspection, *, shows_entries: bool) -> Notice:
    """Say what would be sent of a file, and what it would cost. See ``summary``."""
    lines = summary(inspection, shows_entries=shows_entries)
    return Notice(inspection.file.name, "priced", "\n".join(lines), document(inspection))


def sent(file: str, upload: Upload, job_id: str | None) -> Notice:
    """Say that a file is in the upload bucket. ``job_id`` is None in a bucket without versions."""
    job = (
        f"job {short_id(job_id)}"
        if job_id
        else "the bucket has no versions, so the job will be found by its key"
    )
    facts = {
        "job_id": job_id,
        "bucket": upload.bucket,
        "key": safe_to_print(upload.key),
        "version_id": upload.version_id,
    }
    return Notice(file, "sent", f"sent as {safe_to_print(upload.key)}; {job}", facts)


def hint(file: str, text: str) -> Notice:
    """Say what may be wrong. The text must not contain the file's name."""
    return Notice(file, "hint", text, {"text": text})


def announced(file: str) -> Notice:
    """Say that a file was announced because its event did not come."""
    return Notice(
        file,
        "announced",
        "no event came within five minutes, so the file was announced; a late event changes nothing",
    )


def in_progress(file: str, progress: JobProgress) -> Notice:
    """Say how far a file is."""
    return Notice(file, "progress", progress.text, asdict(progress))


def stopped(file: str, job: Job) -> Notice:
    """Say that a job has ended, or waits for a person."""
    document = job_document(job, None)
    facts = {name: document[name] for name in ("job_id", "state", "reason", "charged", "counts", "results")}
    return Notice(file, "stopped", _ending(job), facts)


def saved(file: str, paths: Sequence[Path]) -> Notice:
    """Say where the results were saved: all in one folder."""
    names = [safe_to_print(path.name) for path in paths]
    folder = safe_to_print(str(paths[0].parent))
    facts = {"paths": [safe_to_print(str(path)) for path in paths]}
    return Notice(file, "saved", f"saved in {folder}: {', '.join(names)}", facts)


def read(file: str, facts: Mapping[str, Any]) -> Notice:
    """Say what was read of the file, and what was not.

    Args:
        file: the file's name.
        facts: the member ``read`` of its manifest.
    """
    return Notice(file, "read", safe_to_print(" ".join(reading_in_words(facts))), masked_reading(facts))


def not_saved(file: str, why: str, results: StoredResults) -> Notice:
    """Say that the results could not be saved, and where they are."""
    parent, _, job_digits = results.csv_key.removesuffix("/results.csv").rpartition("/")
    folder = f"s3://{results.bucket}/{safe_to_print(parent)}/{job_digits}/"
    return Notice(file, "not_saved", f"{why} They are still in {folder}", {"why": why, "folder": folder})


def _ending(job: Job) -> str:
    short = short_id(job.job_id)
    why = f"{job.reason.code}: {safe_to_print(job.reason.message)}" if job.reason else "No reason is known."
    match job.state:
        case State.COMPLETED:
            return f"completed; {_counts(job)}"
        case State.IN_DOUBT:
            return (
                f"needs a person. {why} Look at it: numberdrop show {short}. "
                f"Decide: numberdrop resolve {short}. docs/runbook.md says how to find out."
            )
        case State.BLOCKED:
            return (
                f"needs a person. {why} Nothing was charged. "
                f"Afterwards, follow it again: numberdrop watch {short}"
            )
        case State.FAILED if job.task_id:
            return (
                f"failed. {why} It was charged. "
                f"Collect it again, free of charge: numberdrop collect-again {short}"
            )
        case _:
            charged = " Nothing was charged." if job.charged is False else ""
            return f"{job.state}. {why}{charged}"


def _counts(job: Job) -> str:
    counts = job.counts
    verdicts = ", ".join(f"{verdict} {count:,}" for verdict, count in sorted(counts.verdicts.items()))
    parts = [f"{counts.resolved or 0:,} resolved, {counts.unresolved or 0:,} unresolved"]
    if verdicts:
        parts.append(safe_to_print(verdicts))
    if counts.remembered:
        parts.append(f"{counts.remembered:,} answered from memory")
    if counts.further:
        were = "number in a cell was" if counts.further == 1 else "numbers in a cell were"
        parts.append(f"{counts.further:,} further {were} not sent")
    return "; ".join(parts)


def _time_left(seconds: int) -> str:
    if seconds < 60:
        return "less than a minute left"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"about {hours} h {minutes} min left" if hours else f"about {minutes} min left"
