"""What the state machine does next, and what it remembers between two checks of a task."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State

CHECK_THE_TASK = "Check the task"
"""The name of the state that checks a task, in the state machine's definition and in execution histories."""


class Next(StrEnum):
    """The branches of the workflow after a look at the task, or an attempt to collect."""

    WAIT = "wait"
    COLLECT = "collect"
    FAIL = "fail"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PollState:
    """What the workflow remembers between two looks.

    Attributes:
        unknown_since: since when the vendor has not known the task, ISO 8601, or None.
        linkless: answers "exported" without a link so far.
        done: rows that the vendor had dealt with at the latest look, or None before the first.
        done_since: when that count was first seen, ISO 8601.
    """

    unknown_since: str | None = None
    linkless: int = 0
    done: int | None = None
    done_since: str | None = None

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """What another look left behind, perhaps one of an older or a newer version of this function."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in payload.items() if name in known})


@dataclass(frozen=True, slots=True)
class Decision:
    """What the workflow does next; ids and counts only.

    Attributes:
        next: the branch.
        wait_seconds: before the next look, where the branch is to wait.
        seen: what the next look wants to know.
        reason: why the job fails, where it does.
        total: rows of the task, as the vendor says.
        success: rows that the vendor calls successful.
    """

    next: Next
    wait_seconds: int = 0
    seen: PollState = PollState()
    reason: Reason | None = None
    total: int | None = None
    success: int | None = None

    def as_payload(self) -> dict[str, Any]:
        """The decision as JSON for the state machine."""
        return asdict(self)


def already_over(job: Job) -> Decision:
    """For an execution that goes on after its job has ended, when it was redriven for instance."""
    if job.state is State.COMPLETED:
        return Decision(Next.COLLECT)
    reason = job.reason or Reason(ReasonCode.ABORTED, f"The job is {job.state}, not submitted.")
    return Decision(Next.FAIL, reason=reason)
