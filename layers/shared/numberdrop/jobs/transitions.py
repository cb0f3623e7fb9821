"""The states of a job and the only transitions between them: the money rules as data.

The vendor charges for every submission that it accepts, and it has no idempotency key, no listing and no
cancel (vendor pages, "Status codes": 200 is a charge). So the ledger says ``submitting`` before the first
byte is sent, and only an outcome that was provably not charged leads back to ``claimed``.

>>> ARM.target
<State.SUBMITTING: 'submitting'>
>>> [transition.name for transition in TRANSITIONS if State.FAILED in transition.sources]
['collect again']
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What has happened to a job's money."""

    CLAIMED = "claimed"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    ANSWERED = "answered"
    BLOCKED = "blocked"
    IN_DOUBT = "in_doubt"
    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


ENDED_WITHOUT_RESULTS = frozenset({State.FAILED, State.ABANDONED, State.IN_DOUBT})
"""Nothing more happens to a job in these states until a person decides. A blocked job goes on by itself."""


class Guard(StrEnum):
    """The condition under which a transition is written."""

    NEW = "no job exists"
    TOKEN = "the attempt token matches"  # noqa: S105 - a condition, not a secret
    LEASE_OVER = "the lease has expired"
    TASK = "the task id matches"
    READ = "the job has not changed since it was read"


@dataclass(frozen=True, slots=True)
class Transition:
    """An allowed change of state.

    Attributes:
        name: the name in the ledger's page and in logs.
        sources: states that it starts from; empty if no job exists yet.
        target: the state after it.
        guard: the condition under which it is written.
        when: the situation in which it happens, for people.
    """

    name: str
    sources: frozenset[State]
    target: State
    guard: Guard
    when: str


def _transition(name: str, sources: set[State], target: State, guard: Guard, when: str) -> Transition:
    return Transition(name, frozenset(sources), target, guard, when)


CLAIM = _transition("claim", set(), State.CLAIMED, Guard.NEW, "the upload is seen for the first time")
RECLAIM = _transition(
    "reclaim",
    {State.CLAIMED, State.BLOCKED},
    State.CLAIMED,
    Guard.LEASE_OVER,
    "the worker died before arming, or a retry is due",
)
DECLINE = _transition(
    "decline", {State.CLAIMED}, State.FAILED, Guard.TOKEN, "the upload cannot be used; free of charge"
)
ARM = _transition(
    "arm",
    {State.CLAIMED},
    State.SUBMITTING,
    Guard.TOKEN,
    "everything is ready and the first byte is about to be sent",
)
ANSWER = _transition(
    "answer",
    {State.CLAIMED},
    State.ANSWERED,
    Guard.TOKEN,
    "every entry is remembered, so nothing is sent; free of charge",
)
ACCEPT = _transition(
    "accept",
    {State.SUBMITTING, State.IN_DOUBT},
    State.SUBMITTED,
    Guard.TOKEN,
    "the vendor returned a task id, however late",
)
RELEASE = _transition(
    "release",
    {State.CLAIMED, State.SUBMITTING},
    State.CLAIMED,
    Guard.TOKEN,
    "provably not sent, or refused free of charge; it is retried",
)
BLOCK = _transition(
    "block",
    {State.SUBMITTING, State.CLAIMED},
    State.BLOCKED,
    Guard.TOKEN,
    "401, 402 or 403: a person has to fix it once; or a retry must wait longer",
)
REJECT = _transition(
    "reject", {State.SUBMITTING}, State.FAILED, Guard.TOKEN, "the vendor refused the file; free of charge"
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
    "complete", {State.SUBMITTED}, State.COMPLETED, Guard.TASK, "the export was stored and read"
)
FAIL = _transition("fail", {State.SUBMITTED}, State.FAILED, Guard.TASK, "no export can be collected")
COMPLETE_ANSWERED = _transition(
    "complete answered", {State.ANSWERED}, State.COMPLETED, Guard.TOKEN, "the remembered answers were stored"
)
FAIL_ANSWERED = _transition(
    "fail answered",
    {State.ANSWERED},
    State.FAILED,
    Guard.TOKEN,
    "no results can be written; free of charge",
)
CHARGED = _transition(
    "charged",
    {State.IN_DOUBT},
    State.SUBMITTED,
    Guard.READ,
    "a person confirms the charge and gives the task id",
)
FORGOTTEN = _transition(
    "forgotten",
    {State.CLAIMED, State.SUBMITTING, State.BLOCKED, State.IN_DOUBT},
    State.IN_DOUBT,
    Guard.READ,
    "the table was restored, and a fence shows an attempt that the ledger does not know",
)
NOT_CHARGED = _transition(
    "not charged",
    {State.IN_DOUBT},
    State.CLAIMED,
    Guard.READ,
    "a person gives evidence that nothing was charged; the file is sent again",
)
ABANDON = _transition("abandon", {State.IN_DOUBT}, State.ABANDONED, Guard.READ, "a person gives up")
GIVE_UP = _transition(
    "give up",
    {State.CLAIMED, State.BLOCKED},
    State.FAILED,
    Guard.READ,
    "a person withdraws the upload; free of charge",
)
COLLECT_AGAIN = _transition(
    "collect again",
    {State.FAILED},
    State.SUBMITTED,
    Guard.READ,
    "a person has the same task collected again; never a new charge",
)

TRANSITIONS = (
    CLAIM,
    RECLAIM,
    DECLINE,
    ARM,
    ANSWER,
    ACCEPT,
    RELEASE,
    BLOCK,
    REJECT,
    DOUBT,
    WORKER_LOST,
    COMPLETE,
    FAIL,
    COMPLETE_ANSWERED,
    FAIL_ANSWERED,
    FORGOTTEN,
    CHARGED,
    NOT_CHARGED,
    ABANDON,
    GIVE_UP,
    COLLECT_AGAIN,
)

FOLLOWED = frozenset({State.SUBMITTED, State.ANSWERED})
"""The states of jobs that an execution follows."""


def failure_of(state: State) -> Transition:
    """Return the transition with which a job that an execution follows fails."""
    return FAIL_ANSWERED if state is State.ANSWERED else FAIL
