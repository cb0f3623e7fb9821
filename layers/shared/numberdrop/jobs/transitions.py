"""The states of a job and the only ways from one to another: the money rules as data.

A submission that the vendor accepted is charged, and the vendor has no idempotency key, no listing and
no cancel (vendor pages, "Status codes": 200 is a charge). So the ledger says ``submitting`` before the
first byte leaves, and only an outcome that is provably uncharged leads back to ``claimed``.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What is true of a job's money."""

    CLAIMED = "claimed"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    BLOCKED = "blocked"
    IN_DOUBT = "in_doubt"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Guard(StrEnum):
    """What must still hold for a transition to be written."""

    NEW = "no job exists"
    TOKEN = "the attempt token is mine"  # noqa: S105 - a condition, not a secret
    LEASE_OVER = "the lease is over"
    TASK = "the task id is the same"
    READ = "nothing was written since it was read"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step; an empty ``sources`` means that no job exists yet."""

    name: str
    sources: frozenset[State]
    target: State
    guard: Guard
    when: str


def _transition(name: str, sources: set[State], target: State, guard: Guard, when: str) -> Transition:
    return Transition(name, frozenset(sources), target, guard, when)


CLAIM = _transition("claim", set(), State.CLAIMED, Guard.NEW, "first sight of the upload")
RECLAIM = _transition(
    "reclaim",
    {State.CLAIMED, State.BLOCKED},
    State.CLAIMED,
    Guard.LEASE_OVER,
    "the worker died before arming, or it is time to try again",
)
DECLINE = _transition("decline", {State.CLAIMED}, State.FAILED, Guard.TOKEN, "the upload itself is bad: free")
ARM = _transition(
    "arm",
    {State.CLAIMED},
    State.SUBMITTING,
    Guard.TOKEN,
    "just before the first byte, all else ready",
)
ACCEPT = _transition(
    "accept",
    {State.SUBMITTING, State.IN_DOUBT},
    State.SUBMITTED,
    Guard.TOKEN,
    "the vendor answered with a task id, however late",
)
RELEASE = _transition(
    "release",
    {State.CLAIMED, State.SUBMITTING},
    State.CLAIMED,
    Guard.TOKEN,
    "provably not sent, or a free refusal, and worth another try",
)
BLOCK = _transition(
    "block",
    {State.SUBMITTING},
    State.BLOCKED,
    Guard.TOKEN,
    "401, 402, 403: one person fixes it once",
)
REJECT = _transition(
    "reject", {State.SUBMITTING}, State.FAILED, Guard.TOKEN, "the vendor refused the file: free"
)
DOUBT = _transition(
    "doubt", {State.SUBMITTING}, State.IN_DOUBT, Guard.TOKEN, "any other outcome of the submission"
)
WORKER_LOST = _transition(
    "worker lost",
    {State.SUBMITTING},
    State.IN_DOUBT,
    Guard.LEASE_OVER,
    "the worker died while submitting",
)
COMPLETE = _transition(
    "complete", {State.SUBMITTED}, State.COMPLETED, Guard.TASK, "the export is stored and read"
)
FAIL = _transition("fail", {State.SUBMITTED}, State.FAILED, Guard.TASK, "there is no export to be had")
CHARGED = _transition(
    "charged", {State.IN_DOUBT}, State.SUBMITTED, Guard.READ, "a person says: charged, with this task id"
)
NOT_CHARGED = _transition(
    "not charged",
    {State.IN_DOUBT},
    State.CLAIMED,
    Guard.READ,
    "a person says, with evidence: not charged; it is sent again",
)
ABANDON = _transition("abandon", {State.IN_DOUBT}, State.ABANDONED, Guard.READ, "a person gives up")
GIVE_UP = _transition(
    "give up",
    {State.CLAIMED, State.BLOCKED},
    State.FAILED,
    Guard.READ,
    "a person no longer wants the upload sent: free",
)
COLLECT_AGAIN = _transition(
    "collect again",
    {State.FAILED},
    State.SUBMITTED,
    Guard.READ,
    "a person asks to collect the same task again: never a new charge",
)

TRANSITIONS = (
    CLAIM,
    RECLAIM,
    DECLINE,
    ARM,
    ACCEPT,
    RELEASE,
    BLOCK,
    REJECT,
    DOUBT,
    WORKER_LOST,
    COMPLETE,
    FAIL,
    CHARGED,
    NOT_CHARGED,
    ABANDON,
    GIVE_UP,
    COLLECT_AGAIN,
)
