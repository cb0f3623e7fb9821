"""What a call to the vendor can mean, as values that say what the caller may do next."""

from dataclasses import dataclass
from datetime import datetime

from numberdrop.jobs.job import Amount


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor made a task: the file is charged (vendor pages, "Status codes": 200)."""

    task_id: str
    total: int | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The vendor refused the file as it is, free of charge; sending it again changes nothing."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The vendor refuses every file until a person acts, free of charge: 401, 402 or 403."""

    status: int
    message: str

    @property
    def concerns_key(self) -> bool:
        """Whether a newer key could help, as opposed to money."""
        return self.status != 402


@dataclass(frozen=True, slots=True)
class Retryable:
    """Nothing was charged, and a later try may succeed.

    Attributes:
        after_seconds: how long to wait, 1 to 900.
        cause: what happened, for people.
        server_error: whether the vendor answered 500, which is worth only a few tries.
    """

    after_seconds: int
    cause: str
    server_error: bool = False


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The file may have been charged. Only a person may decide to send it again."""

    cause: str


SubmitOutcome = Accepted | Rejected | Blocked | Retryable | InDoubt


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """What the vendor says of a task. The counts are information only: they may fall or pass the total.

    Attributes:
        word: ``pending``, ``processing``, ``completed``, ``exported``, ``failed``, or a word not known yet.
        total: rows of the task.
        success: rows called successful.
        failure: rows called failed.
        result_url: a bearer link to the export; never store, log or announce it.
        updated_at: when the task last changed, by the vendor's clock; once exported, when it was exported.
        cost: what was charged, where the vendor says it (vendor OpenAPI, ``actual_amount``).
    """

    word: str
    total: int | None
    success: int | None
    failure: int | None
    result_url: str | None
    updated_at: datetime | None = None
    cost: Amount | None = None

    def __repr__(self) -> str:
        return f"TaskStatus({self.word!r}, {self.success}+{self.failure} of {self.total})"


@dataclass(frozen=True, slots=True)
class TaskUnknown:
    """The vendor knows no such task, or not yet: a 404 in its own words, not a gateway's page."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing was learnt; ask again later."""

    after_seconds: int
    cause: str


StatusOutcome = TaskStatus | TaskUnknown | NoAnswer
