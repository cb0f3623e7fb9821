"""A job: what numberdrop does about one upload, as the ledger remembers it."""

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload


@dataclass(frozen=True, slots=True)
class Counts:
    """What is known of a job's rows; counts of the vendor are information only.

    Attributes:
        lines: rows of the upload that are not blank: those submitted, rejected and duplicate.
        submitted: rows sent to the vendor.
        rejected: rows of the upload that were left out because they hold no entry.
        duplicates: rows of the upload that were left out because they repeat an entry.
        total: rows of the task, as the vendor last said.
        success: rows the vendor calls successful.
        failure: rows the vendor calls failed.
        resolved: submitted rows that the export answers.
        unresolved: submitted rows that the export lacks.
        verdicts: how often each verdict occurs in the results.
    """

    lines: int | None = None
    submitted: int | None = None
    rejected: int | None = None
    duplicates: int | None = None
    total: int | None = None
    success: int | None = None
    failure: int | None = None
    resolved: int | None = None
    unresolved: int | None = None
    verdicts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Amount:
    """What the vendor says a task cost.

    Attributes:
        value: at least 0, with at most six decimals.
        currency: three capital letters.
    """

    value: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class StoredResults:
    """Where a completed job's files are in the results bucket."""

    bucket: str
    export_key: str
    csv_key: str
    manifest_key: str
    report_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One item of the ledger.

    Attributes:
        job_id: the item's key, from the upload.
        state: what is true of the money.
        upload: the upload the job is about.
        token: who may write: the latest attempt's token.
        lease_until: until when the holder of the token is presumed alive, or must be left to wait.
        last_write: names the latest write, so that a writer recognises its own.
        created_at: when the upload was first seen.
        deadline: when to give up: on being taken by the vendor, then on the task.
        checker: the checker's name, None while unknown.
        task_type: the vendor's word for the check.
        region: whose numbers those of the upload without a country code are, ISO 3166 alpha-2.
        attempts: POSTs that were begun.
        server_errors: POSTs that the vendor answered with 500.
        run: number of the execution; a part of its name.
        task_id: the vendor's id, once submitted.
        charged: True, False, or None for unknown.
        submitted_at: when the vendor accepted the file.
        exported_at: when the vendor made the export, by its own clock; None where it says nothing credible.
        finished_at: when the job ended, or stopped to wait for a person.
        counts: rows.
        expected_seconds: how long the task was expected to take before it was sent, None where nothing told.
        results: where the results are, once completed.
        reason: why the job failed or needs attention.
        evidence: what a person went by who resolved a doubt.
        announced: which endings were announced by an event, see ``ending``.
    """

    job_id: str
    state: State
    upload: Upload
    token: str
    lease_until: datetime
    last_write: str
    created_at: datetime
    deadline: datetime
    checker: str | None = None
    task_type: str | None = None
    region: str | None = None
    attempts: int = 0
    server_errors: int = 0
    run: int = 1
    task_id: str | None = None
    charged: bool | None = False
    submitted_at: datetime | None = None
    exported_at: datetime | None = None
    finished_at: datetime | None = None
    counts: Counts = Counts()
    expected_seconds: int | None = None
    results: StoredResults | None = None
    reason: Reason | None = None
    evidence: str | None = None
    announced: frozenset[str] = frozenset()

    @property
    def execution_name(self) -> str:
        """The name of the execution that follows this job's task; the same each time it is asked for."""
        return f"{self.job_id}-{self.run}"

    def task_age(self, now: datetime) -> float:
        """Seconds since the vendor accepted the file; 0 before that."""
        return (now - (self.submitted_at or now)).total_seconds()

    @property
    def ending(self) -> str:
        """Names the state and reason that an event announces, for instance ``blocked:BAD_API_KEY``."""
        return f"{self.state}:{self.reason.code}" if self.reason else str(self.state)

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Self:
        """The job of a ledger item with plain Python values, as ``to_item`` makes them.

        What a newer version has written besides is passed over.
        """
        return cls(**{name: _decoded(name, value) for name, value in _known(cls, item).items()})


def to_item(changes: dict[str, Any]) -> dict[str, Any]:
    """Attributes of a job as plain values: text, numbers, booleans, mappings and sets of text."""
    return {name: _encoded(value) for name, value in changes.items()}


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds; such texts sort as the moments do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _encoded(value: Any) -> Any:
    match value:
        case datetime():
            return timestamp(value)
        case Upload() | Counts() | StoredResults() | Reason():
            return asdict(value)
        case frozenset():
            return set(value)
        case _:
            return value


def _known(kind: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that a dataclass has a field for."""
    names = {column.name for column in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _decoded(name: str, value: Any) -> Any:
    match name:
        case "state":
            return State(value)
        case "upload":
            return Upload(**_known(Upload, value))
        case "counts":
            return Counts(**_known(Counts, value))
        case "results":
            return StoredResults(**_known(StoredResults, value)) if value else None
        case "reason":
            return Reason(ReasonCode(value["code"]), value["message"]) if value else None
        case "announced":
            return frozenset(value)
        case "lease_until" | "created_at" | "deadline" | "submitted_at" | "exported_at" | "finished_at":
            return datetime.fromisoformat(value) if value else None
        case _:
            return value
