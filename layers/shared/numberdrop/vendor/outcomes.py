"""What a call to the vendor can mean, and what the caller does next.

submit   Accepted     charged                    store the task id, wait for the task
         Rejected     free, the file is refused    fail the job
         Blocked      free, refused for now        open the circuit breaker, ask a person
         Retryable    free, nothing was created    submit again after a pause
         InDoubt      perhaps charged              open the circuit breaker, let a person decide

status   TaskStatus   the task as the vendor sees it    wait, collect or fail, by its ``word``
         TaskUnknown  the vendor has no such task       ask again for a while, then fail
         NoAnswer     nothing was learned               ask again after a pause
"""

from dataclasses import dataclass
from datetime import datetime

from numberdrop.jobs.job import Amount


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor created a task, and charges for it (vendor pages, "Status codes": 200).

    Attributes:
        task_id: the task's id.
        total: how many rows the vendor counted, or None if it did not say.
    """

    task_id: str
    total: int | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The vendor refused this file, free of charge. Sending it again would not help.

    Attributes:
        status: the HTTP status.
        message: the vendor's message, masked, without the API key and the user id.
    """

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The vendor refuses the file, and perhaps every file, free of charge, until a person acts.

    Attributes:
        status: the HTTP status: 401, 402 or 403.
        message: the vendor's message, masked, without the API key and the user id.
    """

    status: int
    message: str

    @property
    def concerns_key(self) -> bool:
        """Whether a new key could help; if not, the account has no money."""
        return self.status != 402


@dataclass(frozen=True, slots=True)
class Retryable:
    """Nothing was charged, and a later attempt may succeed.

    Attributes:
        after_seconds: how long to wait, 1 to 900.
        cause: what happened, for people.
        server_error: whether the vendor answered 500, which should be retried only a few times.
    """

    after_seconds: int
    cause: str
    server_error: bool = False


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The file may have been charged. Only a person may decide to send it again.

    Attributes:
        cause: what happened, for people.
    """

    cause: str


SubmitOutcome = Accepted | Rejected | Blocked | Retryable | InDoubt


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """What the vendor says about a task.

    The counts are information only: they may go down or exceed the total.

    Attributes:
        word: ``pending``, ``processing``, ``completed``, ``exported``, ``failed``, or an unknown word.
        total: rows of the task.
        success: rows that succeeded.
        failure: rows that failed.
        result_url: a bearer link to the export; never store, log or announce it.
        updated_at: when the task last changed, by the vendor's clock; once exported, when it was exported.
        cost: what was charged, if the vendor says so (vendor OpenAPI, ``actual_amount``).
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
    """The vendor has no such task, or not yet: a 404 whose words are about the task, unlike a gateway's."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing was learned about the task: ask again later.

    Attributes:
        after_seconds: how long to wait, 1 to 900.
        cause: what happened, for people.
    """

    after_seconds: int
    cause: str


StatusOutcome = TaskStatus | TaskUnknown | NoAnswer
