"""Checking a task and deciding what the state machine does next."""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from aws_lambda_powertools import Logger

from numberdrop.aws.api_key import ApiKey
from numberdrop.aws.ledger import Ledger
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.checkers import submitted_checker
from numberdrop.jobs.decision import Decision, Next, PollState, already_over
from numberdrop.jobs.job import Job, timestamp
from numberdrop.jobs.polling import LONGEST_SLEEP, PollingPolicy, Progress, jittered
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.settings import CheckStatusSettings
from numberdrop.vendor.client import STATUS_SECONDS, VendorClient
from numberdrop.vendor.outcomes import NoAnswer, StatusOutcome, TaskStatus, TaskUnknown

PATIENCE_WITH_UNKNOWN = timedelta(minutes=10)
"""How long every answer must be 404 before the task counts as not found."""

LONGEST_WAIT_WHILE_UNKNOWN = 60
"""The longest wait in seconds after a 404, so that several answers must agree."""

MAX_LINKLESS_ANSWERS = 5
"""After this many answers "exported" without a link, the export counts as unavailable."""

WAIT_FOR_LINK = 30
"""The shortest wait in seconds after such an answer, so that they span two minutes."""

LONGEST_PROGRESS = timedelta(days=30)
"""How old a task may become while its counts grow. The state machine times out a day later."""

EXTENSION_STEP = timedelta(hours=1)
"""The deadline in the ledger is extended in steps of this, or of a tenth of the time-out if that is less."""

TIME_FOR_ONE_CHECK = 2 * STATUS_SECONDS + 10
"""The most seconds that one check takes: a call, and a second one with a fresh key."""

WAITING_WORDS = {"pending", "processing", "completed"}

logger = Logger()


@dataclass(frozen=True)
class StatusChecker:
    """Asks the vendor about tasks, and decides what the state machine does next.

    Attributes:
        polling: chooses how long to wait between checks.
        job_timeout: how long a task may take without progress.
        sleep: sleeps for some seconds between two checks of one invocation.
        chance: returns a random number from 0 to 1.
    """

    ledger: Ledger
    vendor: VendorClient
    polling: PollingPolicy
    job_timeout: timedelta
    now: Clock = utc_now
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    @classmethod
    def from_env(cls) -> Self:
        """Return the status checker for the environment of the check_status function."""
        settings = CheckStatusSettings.from_env()
        return cls(
            Ledger.connect(settings.jobs_table),
            VendorClient.from_settings(settings, ApiKey.connect(settings.api_key_secret)),
            PollingPolicy(settings.max_wait_seconds),
            timedelta(hours=settings.job_timeout_hours),
        )

    def check(self, job_id: str, seen: Mapping[str, Any], *, seconds: float, retries: int = 0) -> Decision:
        """Ask the vendor about a job's task, within ``seconds``.

        If the next check is due so soon that sleeping costs less than a wait of the state machine, this
        method sleeps and checks again. It does not if a check of this task had to be retried: then the
        account has probably too few concurrent executions, and others wait for this one.

        Args:
            job_id: the job.
            seen: what the previous check remembered, as ``PollState``'s JSON; empty at the first.
            seconds: the time that is left for the function.
            retries: how often the state machine has retried this check.

        Raises:
            JobMissingError: the ledger has no such job.
        """
        logger.append_keys(job_id=job_id)
        end = self.now() + timedelta(seconds=seconds - TIME_FOR_ONE_CHECK)
        job = self.ledger.require(job_id)
        if job.state is State.ANSWERED:
            return Decision(Next.COLLECT)
        if job.state is not State.SUBMITTED or job.task_id is None:
            return already_over(job)
        remembered = PollState.from_payload(seen)
        remembered = replace(remembered, crowded=remembered.crowded or retries > 0)
        decision = self._check_once(job, job.task_id, remembered)
        while self._is_next_check_soon(decision, end):
            self.sleep(decision.wait_seconds)
            decision = self._check_once(job, job.task_id, decision.seen)
        self._extend_deadline(job, decision.seen)
        return decision

    def _extend_deadline(self, job: Job, seen: PollState) -> None:
        """Write a later deadline to the ledger: collect, reconcile and the alarm about old tasks use it.

        The state machine remembers what the deadline follows from, so a failure is logged and nothing more.
        """
        deadline = deadline_after_progress(job, seen, self.job_timeout)
        if deadline - job.deadline < min(EXTENSION_STEP, self.job_timeout / 10):
            return
        try:
            self.ledger.extend_deadline(job, deadline)
        except Exception as error:  # noqa: BLE001 - no error of this write may end a task that is paid for
            logger.warning("the deadline could not be written", cause=type(error).__name__)

    def _check_once(self, job: Job, task_id: str, seen: PollState) -> Decision:
        checker = submitted_checker(job.upload.key)
        outcome = self.vendor.status(checker, task_id)
        now = self.now()
        decision = decide(outcome, seen, job, self.polling, now=now, chance=self.chance())
        deadline = deadline_after_progress(job, decision.seen, self.job_timeout)
        return _apply_deadline(deadline, decision, now)

    def _is_next_check_soon(self, decision: Decision, end: datetime) -> bool:
        pause = decision.wait_seconds
        return (
            decision.next is Next.WAIT
            and not decision.seen.crowded
            and pause <= LONGEST_SLEEP
            and self.now() + timedelta(seconds=pause) <= end
        )


def decide(
    outcome: StatusOutcome,
    seen: PollState,
    job: Job,
    polling: PollingPolicy,
    *,
    now: datetime,
    chance: float = 0.0,
) -> Decision:
    """Return the decision that an answer of the vendor leads to, regardless of the deadline.

    >>> from numberdrop.jobs.upload import Upload
    >>> upload, noon = Upload("uploads", "band/a.txt", "v1", "etag", 1200, "0A"), utc_now()
    >>> times = dict(created_at=noon, lease_until=noon, deadline=noon)
    >>> job = Job(job_id="1f", state=State.SUBMITTED, upload=upload, token="t", last_write="w", **times)
    >>> exported = TaskStatus("exported", total=9, success=9, failure=0, result_url="https://example.com/e")
    >>> decide(exported, PollState(), job, PollingPolicy(300), now=noon).next.value
    'collect'

    Args:
        outcome: the answer.
        seen: what the previous check remembered.
        job: the job, which is submitted.
        polling: chooses how long to wait.
        now: when the answer came.
        chance: 0 to 1; shortens the wait a little, see ``jittered``.
    """

    def wait(progress: Progress, earlier: Progress | None = None) -> int:
        return round(jittered(polling.next_wait(progress, earlier, job.expected_seconds), chance))

    wait_by_age = wait(Progress(job.task_age(now)))
    match outcome:
        case NoAnswer(after_seconds=pause, cause=cause):
            logger.warning("the vendor gave no usable answer about the task", cause=cause)
            return Decision(Next.WAIT, max(wait_by_age, pause), replace(seen, unknown_since=None))
        case TaskUnknown():
            return _decide_unknown(seen, min(wait_by_age, LONGEST_WAIT_WHILE_UNKNOWN), now)
        case TaskStatus(word="exported", result_url=None):
            decision = _decide_linkless(seen, max(wait_by_age, WAIT_FOR_LINK))
        case TaskStatus():
            wait_by_progress = wait(_progress(outcome, job, now), _earlier_progress(seen, job))
            decision = _decide_by_word(outcome, _with_count(seen, outcome, now), wait_by_progress)
    seen = replace(decision.seen, unknown_since=None)
    return replace(decision, seen=seen, total=outcome.total, success=outcome.success)


def _progress(status: TaskStatus, job: Job, now: datetime) -> Progress:
    """Return the progress of a task; if the vendor gives no total, use the number of submitted rows."""
    return Progress(
        age=job.task_age(now),
        done=_done(status),
        total=status.total or job.counts.submitted or 0,
        processed=status.word == "completed",
    )


def _earlier_progress(seen: PollState, job: Job) -> Progress | None:
    if seen.done is None or seen.done_since is None:
        return None
    return Progress(job.task_age(datetime.fromisoformat(seen.done_since)), seen.done)


def _with_count(seen: PollState, status: TaskStatus, now: datetime) -> PollState:
    done = _done(status)
    if seen.done is None:
        return replace(seen, done=done, done_since=timestamp(now))
    if done <= seen.done:
        return seen
    return replace(seen, done=done, done_since=timestamp(now), grown_at=timestamp(now))


def _done(status: TaskStatus) -> int:
    return (status.success or 0) + (status.failure or 0)


def _decide_unknown(seen: PollState, wait: int, now: datetime) -> Decision:
    since = datetime.fromisoformat(seen.unknown_since) if seen.unknown_since else now
    if now - since >= PATIENCE_WITH_UNKNOWN:
        reason = Reason(
            ReasonCode.TASK_NOT_FOUND,
            "The vendor says that it does not know the task, although it accepted the file. Ask the vendor.",
        )
        return Decision(Next.FAIL, reason=reason)
    return Decision(Next.WAIT, wait, replace(seen, unknown_since=timestamp(since)))


def _decide_by_word(status: TaskStatus, seen: PollState, wait: int) -> Decision:
    match status.word:
        case "exported":
            return Decision(Next.COLLECT, seen=seen)
        case "failed":
            reason = Reason(ReasonCode.TASK_FAILED, "The vendor says that the task failed. Ask the vendor.")
            return Decision(Next.FAIL, reason=reason)
        case word:
            if word not in WAITING_WORDS:
                logger.warning("the vendor uses an unknown status word", length=len(word))
            return Decision(Next.WAIT, wait, seen)


def _decide_linkless(seen: PollState, wait: int) -> Decision:
    seen = replace(seen, linkless=seen.linkless + 1)
    if seen.linkless >= MAX_LINKLESS_ANSWERS:
        reason = Reason(
            ReasonCode.RESULT_UNAVAILABLE,
            "The vendor says that the export is ready but gives no link to it. Ask the vendor.",
        )
        return Decision(Next.FAIL, reason=reason)
    return Decision(Next.WAIT, wait, seen)


def deadline_after_progress(job: Job, seen: PollState, timeout: timedelta) -> datetime:
    """Return the deadline of a task: later than the job's if its counts have grown since.

    The vendor's page on large files shows 11 to 13 rows a second at worst, so 10,000,000 rows take ten days.

    Args:
        job: the job, which is submitted.
        seen: what the checks so far remember.
        timeout: how long a task may take without progress.
    """
    if seen.grown_at is None:
        return job.deadline
    ceiling = (job.submitted_at or job.created_at) + LONGEST_PROGRESS
    return max(job.deadline, min(datetime.fromisoformat(seen.grown_at) + timeout, ceiling))


def _apply_deadline(deadline: datetime, decision: Decision, now: datetime) -> Decision:
    """Limit a wait to the deadline; fail if the deadline has passed."""
    if decision.next is not Next.WAIT:
        return decision
    if now >= deadline:
        return replace(
            decision,
            next=Next.FAIL,
            reason=Reason(
                ReasonCode.TIMED_OUT,
                "The vendor did not finish the task in time. The task can still be collected later.",
            ),
        )
    left = math.ceil((deadline - now).total_seconds())
    return replace(decision, wait_seconds=min(decision.wait_seconds, left))
