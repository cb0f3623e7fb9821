"""What the state machine does next, and what it remembers between two checks of a task."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State

CHECK_THE_TASK = "Check the task"
"""Name of the state that checks a task, in the state machine's definition and in execution histories."""


class Next(StrEnum):
    """The branches of the state machine after a check of the task or an attempt to collect."""

    WAIT = "wait"
    COLLECT = "collect"
    FAIL = "fail"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PollState:
    """What the state machine remembers between two checks.

    Attributes:
        unknown_since: when the vendor began to answer that it does not know the task, ISO 8601, or None.
        linkless: number of answers "exported" without a link so far.
        done: the most rows that the vendor has reported as processed; None before the first check.
        done_since: when that count was first reported, ISO 8601.
        grown_at: when a count was last seen to exceed all before, ISO 8601; None until then.
        export_missing_since: when the storage began to answer that it has no export, ISO 8601, or None.
        memory_unreadable_since: when the remembered answers of the job were first found unreadable, ISO 8601.
        crowded: whether a check had to be retried, as when Lambda throttles it.
    """

    unknown_since: str | None = None
    linkless: int = 0
    done: int | None = None
    done_since: str | None = None
    grown_at: str | None = None
    export_missing_since: str | None = None
    memory_unreadable_since: str | None = None
    crowded: bool = False

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Return the state that an earlier check left, perhaps one by another version of this function.

        >>> PollState.from_payload({"linkless": 2, "added_by_a_newer_version": 1}) == PollState(linkless=2)
        True
        """
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in payload.items() if name in known})


@dataclass(frozen=True, slots=True)
class Decision:
    """What the state machine does next; ids and counts only.

    Attributes:
        next: the branch.
        wait_seconds: seconds until the next check, if the branch is to wait.
        seen: what the next check needs to know.
        reason: why the job fails, if it does.
        total: rows of the task that the vendor reports.
        success: rows that the vendor reports as successful.
    """

    next: Next
    wait_seconds: int = 0
    seen: PollState = PollState()
    reason: Reason | None = None
    total: int | None = None
    success: int | None = None

    def as_payload(self) -> dict[str, Any]:
        """Return the decision as JSON for the state machine."""
        return asdict(self)


def already_over(job: Job) -> Decision:
    """Return the decision for an execution whose job has ended already, for instance after a redrive."""
    if job.state is State.COMPLETED:
        return Decision(Next.COLLECT)
    reason = job.reason or Reason(ReasonCode.ABORTED, f"The job is {job.state}, not submitted.")
    return Decision(Next.FAIL, reason=reason)
