"""What is told about a file that is sent or followed: in words for people, in facts for programs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.job import Job, StoredResults
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.printing import job_document, safe_to_print, short_id

STATES = {
    "waiting": "waiting to be picked up",
    "out_of_reach": "AWS does not answer; the job goes on, and so does this once it does",
    State.CLAIMED: "picked up",
    State.SUBMITTING: "being sent to the vendor",
    State.SUBMITTED: "the vendor is checking",
}
"""What the state of a file on its way means to the person who waits for it."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far one file is.

    Attributes:
        state: the job's state, ``waiting`` before there is a job, ``out_of_reach`` while AWS is.
        checked: numbers that the vendor has checked, as far as that is known.
        submitted: numbers that the vendor was sent.
        seconds_left: until the vendor has checked all, as far as that can be told; 0 where it is overdue.
    """

    state: str = "waiting"
    checked: int | None = None
    submitted: int | None = None
    seconds_left: int | None = None

    @property
    def text(self) -> str:
        """The step in words."""
        words = STATES[self.state]
        if self.checked is not None and self.submitted is not None:
            if self.checked == self.submitted:
                return f"all {self.submitted:,} are checked, the results come next"
            words = f"{self.checked:,} of {self.submitted:,} checked"
        return f"{words}, {_time_left(self.seconds_left)}" if self.seconds_left else words


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be told about one file.

    Attributes:
        event: what kind of thing, for programs.
        text: what people read.
        facts: what programs read besides.
    """

    file: str
    event: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def priced(file: str, checker: Checker, lines: int | None) -> Notice:
    """What sending a file may cost at the list price; ``lines`` is None where they cannot be counted."""
    usd = checker.list_price(lines)
    counted = "lines not counted" if lines is None else f"{lines:,} line{'' if lines == 1 else 's'}"
    cost = "list price not known" if usd is None else f"{_cents(usd)} at list price for all"
    facts = {"checker": checker.name, "lines": lines, "list_price_usd": usd}
    return Notice(file, "priced", f"for {checker.name}: {counted}; {cost}", facts)


def sent(file: str, upload: Upload, job_id: str | None) -> Notice:
    """A file lies in the upload bucket."""
    job = (
        f"job {short_id(job_id)}" if job_id else "its job is found by the key, as the bucket has no versions"
    )
    facts = {
        "job_id": job_id,
        "bucket": upload.bucket,
        "key": safe_to_print(upload.key),
        "version_id": upload.version_id,
    }
    return Notice(file, "sent", f"sent as {safe_to_print(upload.key)}; {job}", facts)


def hint(file: str, text: str) -> Notice:
    """What may be wrong; the text names no file."""
    return Notice(file, "hint", text, {"text": text})


def in_progress(file: str, progress: JobProgress) -> Notice:
    """How far a file is."""
    return Notice(file, "progress", progress.text, asdict(progress))


def stopped(file: str, job: Job) -> Notice:
    """A job has ended, or waits for a person."""
    document = job_document(job, None)
    facts = {name: document[name] for name in ("job_id", "state", "reason", "charged", "counts", "results")}
    return Notice(file, "stopped", _ending(job), facts)


def saved(file: str, paths: Sequence[Path]) -> Notice:
    """Results were saved beside the file."""
    names = [safe_to_print(str(path)) for path in paths]
    return Notice(file, "saved", f"saved {', '.join(names)}", {"paths": names})


def not_saved(file: str, why: str, results: StoredResults) -> Notice:
    """Results could not be saved; they stay in the bucket."""
    parent, _, digits_of_job = results.csv_key.removesuffix("/results.csv").rpartition("/")
    folder = f"s3://{results.bucket}/{safe_to_print(parent)}/{digits_of_job}/"
    return Notice(file, "not_saved", f"{why} They stay in {folder}", {"why": why, "folder": folder})


def _ending(job: Job) -> str:
    short = short_id(job.job_id)
    why = f"{job.reason.code}: {safe_to_print(job.reason.message)}" if job.reason else "no reason is known"
    match job.state:
        case State.COMPLETED:
            return f"completed; {_counts(job)}"
        case State.IN_DOUBT:
            return (
                f"needs a person. {why} See: numberdrop show {short}. Decide: numberdrop resolve {short}. "
                "docs/runbook.md tells how to find out."
            )
        case State.BLOCKED:
            return f"needs a person. {why} Nothing was charged. Then follow it with: numberdrop watch {short}"
        case State.FAILED if job.task_id:
            return (
                f"failed. {why} It was charged; to collect it again, free: numberdrop collect-again {short}"
            )
        case _:
            charged = " Nothing was charged." if job.charged is False else ""
            return f"{job.state}. {why}{charged}"


def _counts(job: Job) -> str:
    counts = job.counts
    verdicts = ", ".join(f"{verdict} {count:,}" for verdict, count in sorted(counts.verdicts.items()))
    answered = f"{counts.resolved or 0:,} resolved, {counts.unresolved or 0:,} unresolved"
    return f"{answered}; {safe_to_print(verdicts)}" if verdicts else answered


def _cents(usd: float) -> str:
    return "less than 0.01 USD" if usd < 0.01 else f"{usd:,.2f} USD"


def _time_left(seconds: int) -> str:
    if seconds < 60:
        return "less than a minute left"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"about {hours} h {minutes} min left" if hours else f"about {minutes} min left"
