"""A job: everything that numberdrop does about one upload, as the ledger stores it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Self, TypedDict, Union, get_args, get_origin, get_type_hints

from numberdrop.jobs.reading_choice import UploadLayout
from numberdrop.jobs.reasons import FORGOTTEN_SUBMISSION, Reason
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of rows of each kind; None means unknown.

    No decision depends on the vendor's counts (``total``, ``success``, ``failure``).

    Attributes:
        lines: rows of the upload that are not blank: submitted, remembered, rejected and duplicates together.
        submitted: rows sent to the vendor.
        remembered: distinct entries that were not sent, because their answers are remembered.
        refreshed: rows sent although their answers are remembered, to reach the checker's minimum.
        rejected: rows of the upload that were not sent because they contain no valid entry.
        duplicates: rows of the upload that were not sent because they repeat an entry.
        further: numbers that follow another in the same cell. They were not sent, and are in no other count.
        total: rows of the task, from the vendor's latest answer.
        success: rows that the vendor counts as successful.
        failure: rows that the vendor counts as failed.
        resolved: distinct entries that have a row in the export, or a remembered answer.
        unresolved: distinct entries that have neither.
        verdicts: the number of results by verdict.
    """

    lines: int | None = None
    submitted: int | None = None
    remembered: int | None = None
    refreshed: int | None = None
    rejected: int | None = None
    duplicates: int | None = None
    further: int | None = None
    total: int | None = None
    success: int | None = None
    failure: int | None = None
    resolved: int | None = None
    unresolved: int | None = None
    verdicts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Amount:
    """The cost of a task, as reported by the vendor.

    Attributes:
        value: 0 or more, with at most six decimal places.
        currency: three capital letters, for instance ``USD``.
    """

    value: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class StoredResults:
    """The bucket and keys of a completed job's files.

    ``export_key`` is None if nothing was bought. The keys with a default are None if the job has no such
    file, or if an older version collected it.
    """

    bucket: str
    export_key: str | None
    csv_key: str
    manifest_key: str
    report_key: str | None = None
    xlsx_key: str | None = None
    yes_key: str | None = None
    no_key: str | None = None
    unknown_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One item of the ledger.

    Attributes:
        job_id: the key of the item, derived from the upload.
        state: where the job stands, in particular whether it was or may have been charged.
        upload: the upload that the job checks.
        token: the token of the latest attempt; only its holder may write.
        lease_until: nobody else touches the job before this time: its worker may be alive, or its retry is
            scheduled.
        last_write: a unique name of the latest write, by which a writer recognises its own.
        created_at: when the upload was first seen.
        deadline: when to give up: before submission on being accepted by the vendor, afterwards on the task.
        checker: the name of the checker, None until the file is about to be sent.
        task_type: the vendor's word for the check.
        region: the region of numbers without a country code, ISO 3166 alpha-2.
        layout: how the upload was read; None before it is sent, and for jobs of older versions.
        attempts: the number of POSTs that were started.
        server_errors: the number of POSTs that the vendor answered with status 500.
        read_error: S3's answer to the latest attempt to read the upload, if it was refused.
        run: the number of the execution, which is part of its name.
        task_id: the vendor's id of the task, once submitted.
        charged: True, False, or None if unknown.
        submitted_at: when the vendor accepted the file.
        exported_at: when the vendor made the export, by the vendor's clock; None if unknown or implausible.
        recalled: the key of the remembered answers, in the memory's bucket; None if nothing was remembered.
        finished_at: when the job ended, or began to wait for a person.
        counts: the numbers of rows.
        expected_seconds: the predicted duration of the task in seconds, None without a prediction.
        results: where the results are, once completed.
        reason: why the job failed or needs attention.
        evidence: how a person knew that an upload in doubt was not charged.
        fence_tokens: the tokens of the attempts whose fences may stand, see ``numberdrop.aws.fences``; empty
            for jobs that an older version submitted.
        announced: the endings that were announced by an event, see ``ending``.
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
    layout: UploadLayout | None = None
    attempts: int = 0
    server_errors: int = 0
    read_error: str | None = None
    run: int = 1
    task_id: str | None = None
    charged: bool | None = False
    submitted_at: datetime | None = None
    exported_at: datetime | None = None
    recalled: str | None = None
    finished_at: datetime | None = None
    counts: Counts = Counts()
    expected_seconds: int | None = None
    results: StoredResults | None = None
    reason: Reason | None = None
    evidence: str | None = None
    fence_tokens: frozenset[str] = frozenset()
    announced: frozenset[str] = frozenset()

    @property
    def execution_name(self) -> str:
        """Return the name of the execution that follows the task; every attempt to start it uses it."""
        return f"{self.job_id}-{self.run}"

    def task_age(self, now: datetime) -> float:
        """Return the seconds since the vendor accepted the file, or 0 before that."""
        return (now - (self.submitted_at or now)).total_seconds()

    @property
    def ending(self) -> str:
        """Return the name of the state and reason to announce, for instance ``blocked:BAD_API_KEY``."""
        return f"{self.state}:{self.reason.code}" if self.reason else str(self.state)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the job that a ledger item describes.

        Fields are decoded by their type hints. Items of older versions lack attributes: these get their
        defaults. Attributes of newer versions are ignored.

        Args:
            item: plain values by attribute name, as ``to_item`` returns them.

        Raises:
            TypeError: an attribute without a default is missing, or items cannot hold a field's type.

        >>> noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
        >>> upload = Upload("uploads", "band/a.txt", "v1", "etag", 1200, "0A")
        >>> times = {"lease_until": noon, "created_at": noon, "deadline": noon}
        >>> names = {"job_id": upload.job_id, "state": State.CLAIMED, "token": "t", "last_write": "w"}
        >>> Job.from_item(to_item({**names, **times, "upload": upload})).created_at == noon
        True
        """
        return cls(**decoded_fields(cls, item))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsettledJob:
    """The fields of a job by which reconcile decides whether to read the whole job.

    The index of unsettled jobs holds copies of them, which may be some seconds old. All versions wrote them.
    """

    job_id: str
    state: State
    upload: Upload
    lease_until: datetime
    created_at: datetime
    deadline: datetime

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self | None:
        """Return the fields in an item of the index, or None if they cannot be read."""
        try:
            return cls(**decoded_fields(cls, item))
        except (TypeError, ValueError):
            return None


class JobChanges(TypedDict, total=False):
    """The fields of a job that a write to the ledger may set, with their types.

    These are the fields of ``Job``, except those that only the ledger sets: ``job_id``, ``state``,
    ``last_write`` and ``announced``. A test compares the two.
    """

    upload: Upload
    token: str
    lease_until: datetime
    created_at: datetime
    deadline: datetime
    checker: str | None
    task_type: str | None
    region: str | None
    layout: UploadLayout | None
    attempts: int
    server_errors: int
    read_error: str | None
    run: int
    task_id: str | None
    charged: bool | None
    submitted_at: datetime | None
    exported_at: datetime | None
    recalled: str | None
    finished_at: datetime | None
    counts: Counts
    expected_seconds: int | None
    results: StoredResults | None
    reason: Reason | None
    evidence: str | None
    fence_tokens: frozenset[str]


def forgotten(job: Job, token: str, now: datetime) -> JobChanges:
    """Return the changes that put a job in doubt because a restored table has forgotten an attempt.

    Args:
        job: the job as the ledger has it.
        token: the token of that attempt, which its fence shows.
        now: the time of the doubt.
    """
    return {
        "reason": FORGOTTEN_SUBMISSION,
        "charged": None,
        "finished_at": now,
        "fence_tokens": job.fence_tokens | {token},
    }


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a job as plain values: text, numbers, booleans, None, mappings and sets of text.

    >>> to_item({"attempts": 1, "deadline": datetime(2026, 3, 4, 12, tzinfo=UTC)})
    {'attempts': 1, 'deadline': '2026-03-04T12:00:00.000Z'}
    """
    return {name: _encoded(value) for name, value in values.items()}


def timestamp(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC with milliseconds; such texts sort like the moments."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _encoded(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, frozenset):
        return set(value)
    if is_dataclass(value):
        return {part.name: _encoded(getattr(value, part.name)) for part in fields(value)}
    return value


def decoded_fields(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a dataclass from plain values; values that it has no field for are dropped."""
    return {name: decode(values[name]) for name, decode in _decoders(kind).items() if name in values}


@cache
def _decoders(kind: type) -> Mapping[str, Callable[[Any], Any]]:
    """Return for each field of a dataclass the function that decodes its plain value."""
    return {name: _decoder(hint) for name, hint in get_type_hints(kind).items()}


def _decoder(hint: Any) -> Callable[[Any], Any]:
    """Return the function that decodes the plain values of fields with this type hint; None stays None."""
    kind, origin = _kind_and_origin(hint)
    if origin in {str, int, bool, dict}:
        return _unchanged
    decode: Callable[[Any], Any]
    if origin is datetime:
        decode = datetime.fromisoformat
    elif origin is frozenset or issubclass(origin, StrEnum):
        decode = origin
    elif is_dataclass(origin):
        decode = partial(_decoded_dataclass, kind)
    else:
        raise TypeError(
            f"A ledger item cannot hold a {origin.__name__}. Add a rule for it to numberdrop.jobs.job."
        )
    return lambda value: None if value is None else decode(value)


def _unchanged(value: Any) -> Any:
    return value


def _decoded_dataclass(kind: type, values: Mapping[str, Any]) -> Any:
    return kind(**decoded_fields(kind, values))


def _kind_and_origin(hint: Any) -> tuple[Any, Any]:
    """Return the one type of ``kind | None``, or the hint itself, and that type without its parameters."""
    kind = hint
    if get_origin(hint) in {UnionType, Union}:
        (kind,) = (member for member in get_args(hint) if member is not NoneType)
    return kind, get_origin(kind) or kind
