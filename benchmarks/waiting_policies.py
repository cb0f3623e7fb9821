"""Polling policies and what each costs; ours runs the package's own code on a simulated clock."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import repeat
from typing import Any

from benchmarks.waiting_tasks import MEDIANS, Task, duration_and_size
from numberdrop.aws.durations import TypicalTask
from numberdrop.aws.executions import first_wait_seconds
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.decision import Next
from numberdrop.jobs.job import Counts, Job
from numberdrop.jobs.polling import PollingPolicy
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.status_check import StatusChecker
from numberdrop.vendor.outcomes import TaskStatus

TRANSITION_USD = 0.025 / 1000
"""AWS Step Functions pricing, Standard workflows, US East."""

REQUEST_USD = 0.20 / 1_000_000
GB_SECOND_USD = 0.0000133334
"""AWS Lambda pricing, arm64, US East."""

MEMORY_GB = 0.25
TIMEOUT = 120.0
"""Memory in GB and time-out in seconds of check_status, as in the template."""

TRANSITIONS = 3
"""State transitions of one turn: wait, check, exported?"""

CALL = 0.4
"""Seconds that a call of the vendor takes."""

BEFORE_CALL = 0.1
"""Seconds from the start of the function to the call."""

BETWEEN = 0.15
"""Seconds from the end of a wait to the start of the function."""

LONGEST_FUNCTION = 900.0
"""Longest run of a function in seconds (AWS Lambda developer guide, "Lambda quotas")."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Effort and delay of following one task to its end.

    Attributes:
        task: the task.
        turns: turns of the state machine.
        calls: calls of the vendor.
        seconds: seconds that functions ran.
        delay: seconds from the export to the end of the check that noticed it.
    """

    task: Task
    turns: int
    calls: int
    seconds: float
    delay: float

    @property
    def usd(self) -> float:
        """Cost on AWS in USD."""
        return (
            self.turns * (TRANSITIONS * TRANSITION_USD + REQUEST_USD)
            + self.seconds * MEMORY_GB * GB_SECOND_USD
        )

    @property
    def share(self) -> float:
        """The delay as a share of the task's duration."""
        return self.delay / self.task.seconds


Policy = Callable[[Task], Outcome]


def fixed(seconds: float) -> Policy:
    """Return a policy that always waits the same time."""
    return _loop(lambda: repeat(seconds))


def growing(first: float, factor: float, longest: float) -> Policy:
    """Return a policy whose waits grow by a factor up to a limit."""

    def waits() -> Iterator[float]:
        wait = first
        while True:
            yield wait
            wait = min(wait * factor, longest)

    return _loop(waits)


def _loop(waits: Callable[[], Iterator[float]]) -> Policy:
    def follow(task: Task) -> Outcome:
        age = 0.0
        for turn, wait in enumerate(waits(), start=1):
            called = age + wait + BETWEEN + BEFORE_CALL
            age = called + CALL
            if called >= task.seconds:
                return Outcome(task, turn, turn, turn * (BEFORE_CALL + CALL), age - task.seconds)
        raise AssertionError("The waits ended.")

    return follow


def inside(every: float) -> Policy:
    """Return a policy that polls inside a function, which is started again when its time is up."""

    def follow(task: Task) -> Outcome:
        age, turns, calls, seconds = 0.0, 0, 0, 0.0
        while True:
            turns += 1
            begin = age + BETWEEN
            called = begin + BEFORE_CALL
            while True:
                calls += 1
                age = called + CALL
                if called >= task.seconds:
                    return Outcome(task, turns, calls, seconds + age - begin, age - task.seconds)
                if age - begin + every + CALL > LONGEST_FUNCTION:
                    break
                called = age + every
            seconds += age - begin

    return follow


def ours(policy: PollingPolicy) -> Policy:
    """Return numberdrop's own policy."""

    def follow(task: Task) -> Outcome:
        return _Simulation(task, policy).run()

    return follow


_JOB_TIMEOUT = timedelta(days=8)


class _Simulation:
    """Replaces the ledger, the vendor and the clock while the real ``StatusChecker`` follows a task."""

    def __init__(self, task: Task, policy: PollingPolicy) -> None:
        self._task = task
        self._age = 0.0
        self._calls = 0
        self._job = _job_of(task)
        fake: Any = self
        chance = random.Random(task.seed).random  # noqa: S311
        self._status_check = StatusChecker(fake, fake, policy, _JOB_TIMEOUT, self.now, self.sleep, chance)

    def run(self) -> Outcome:
        turns, seconds = 0, 0.0
        seen: dict[str, Any] = {}
        wait = first_wait_seconds(self._job)
        while True:
            self.sleep(wait + BETWEEN)
            turns, begin = turns + 1, self._age
            self.sleep(BEFORE_CALL)
            left = TIMEOUT - (self._age - begin)
            decision = self._status_check.check(self._job.job_id, seen, seconds=left)
            seconds += self._age - begin
            if decision.next is Next.COLLECT:
                delay = self._age - self._task.seconds
                return Outcome(self._task, turns, self._calls, seconds, delay)
            payload = decision.as_payload()
            wait, seen = payload["wait_seconds"], payload["seen"]

    def extend_deadline(self, _job: Job, _deadline: datetime) -> None:
        """Do nothing: no simulated task reaches its deadline."""

    def now(self) -> datetime:
        return _START + timedelta(seconds=self._age)

    def sleep(self, seconds: float) -> None:
        self._age += seconds

    def require(self, _job_id: str) -> Job:
        return self._job

    def status(self, _checker: Checker, _task_id: str) -> TaskStatus:
        status = self._task.status(self._age)
        self._calls += 1
        self.sleep(CALL)
        return status


_START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def _job_of(task: Task) -> Job:
    upload = Upload("uploads", "band/numbers.txt", "version", "etag", 0, "00")
    return Job(
        job_id=upload.job_id,
        state=State.SUBMITTED,
        upload=upload,
        token="",
        lease_until=_START,
        last_write="",
        created_at=_START,
        deadline=_START + _JOB_TIMEOUT,
        task_id="task",
        submitted_at=_START,
        counts=Counts(submitted=task.numbers),
        expected_seconds=None if task.is_first else _typical_task(task.median).expected_seconds(task.numbers),
    )


@cache
def _typical_task(median: float) -> TypicalTask:
    """Return what the jobs table has learnt from earlier tasks of the same checker."""
    chance = random.Random(MEDIANS.index(median))  # noqa: S311
    first, *others = (TypicalTask.plausible(*duration_and_size(chance, median)) for _ in range(20))
    typical = first
    for other in others:
        typical = typical.after(other)
    return typical
