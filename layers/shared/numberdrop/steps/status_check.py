"""Looking at a task and deciding what the workflow does next."""

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
from numberdrop.jobs.checkers import checker_for_key
from numberdrop.jobs.decision import Decision, Next, PollState, already_over
from numberdrop.jobs.job import Job, timestamp
from numberdrop.jobs.polling import LONGEST_SLEEP, PollingPolicy, Progress, jittered
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.settings import CheckStatusSettings
from numberdrop.vendor.client import STATUS_SECONDS, VendorClient
from numberdrop.vendor.outcomes import NoAnswer, StatusOutcome, TaskStatus, TaskUnknown

PATIENCE_WITH_UNKNOWN = timedelta(minutes=10)
"""How long the vendor must not know a task, each time it answers, before it is taken at its word."""

LONGEST_WAIT_WHILE_UNKNOWN = 60
"""Seconds between such answers at most, so that many must agree."""

MAX_LINKLESS_ANSWERS = 5
"""Answers "exported" without a link before the export counts as unavailable."""

WAIT_FOR_LINK = 30
"""Seconds between such answers at least, so that they span two minutes."""

TIME_FOR_ONE_CHECK = 2 * STATUS_SECONDS + 10
"""Seconds of the function's time that a look may take: a call, and another with a fresh key."""

WAITING_WORDS = {"pending", "processing", "completed"}

logger = Logger()


@dataclass(frozen=True)
class StatusChecker:
    """Looks at tasks.

    Attributes:
        polling: chooses how long to wait between looks.
        sleep: lets seconds pass between looks of one call.
        chance: a number from 0 to 1, another each time.
    """

    ledger: Ledger
    vendor: VendorClient
    polling: PollingPolicy
    now: Clock = utc_now
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    @classmethod
    def from_env(cls) -> Self:
        """Return the checker that the check_status function's environment describes."""
        settings = CheckStatusSettings.from_env()
        return cls(
            Ledger.connect(settings.jobs_table),
            VendorClient.from_settings(settings, ApiKey.connect(settings.api_key_secret)),
            PollingPolicy(settings.max_wait_seconds),
        )

    def check(self, job_id: str, seen: Mapping[str, Any], *, seconds: float) -> Decision:
        """Asks the vendor about a job's task, within ``seconds``.

        Where the next look is due so soon that sleeping costs less than the state machine's wait, it is taken
        here, and so on.

        Raises:
            JobMissingError: the ledger has no such job.
        """
        logger.append_keys(job_id=job_id)
        end = self.now() + timedelta(seconds=seconds - TIME_FOR_ONE_CHECK)
        job = self.ledger.require(job_id)
        if job.state is not State.SUBMITTED or job.task_id is None:
            return already_over(job)
        decision = self._ask(job, job.task_id, PollState.from_payload(seen))
        while self._stays(decision, end):
            self.sleep(decision.wait_seconds)
            decision = self._ask(job, job.task_id, decision.seen)
        return decision

    def _ask(self, job: Job, task_id: str, seen: PollState) -> Decision:
        checker = checker_for_key(job.upload.key, allow_sensitive=True)
        outcome = self.vendor.status(checker, task_id)
        now = self.now()
        decision = decide(outcome, seen, job, self.polling, now=now, chance=self.chance())
        return _within(job.deadline, decision, now)

    def _stays(self, decision: Decision, end: datetime) -> bool:
        pause = decision.wait_seconds
        return (
            decision.next is Next.WAIT
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
    """What an answer of the vendor means, the deadline apart.

    Args:
        outcome: the answer.
        seen: what the look before left behind.
        job: the job, submitted.
        polling: chooses how long to wait.
        now: when the answer came.
        chance: from 0 to 1; shortens the wait a little, see ``jittered``.
    """

    def wait(look: Progress, before: Progress | None = None) -> int:
        return round(jittered(polling.next_wait(look, before, job.expected_seconds), chance))

    blind = wait(Progress(job.task_age(now)))
    match outcome:
        case NoAnswer(after_seconds=pause, cause=cause):
            logger.warning("nothing was learnt about the task", cause=cause)
            return Decision(Next.WAIT, max(blind, pause), replace(seen, unknown_since=None))
        case TaskUnknown():
            return _unknown(seen, min(blind, LONGEST_WAIT_WHILE_UNKNOWN), now)
        case TaskStatus(word="exported", result_url=None):
            decision = _linkless(seen, max(blind, WAIT_FOR_LINK))
        case TaskStatus():
            paced = wait(_look(outcome, job, now), _look_before(seen, job))
            decision = _known(outcome, _having_counted(seen, outcome, now), paced)
    seen = replace(decision.seen, unknown_since=None)
    return replace(decision, seen=seen, total=outcome.total, success=outcome.success)


def _look(status: TaskStatus, job: Job, now: datetime) -> Progress:
    """The answer as the pacing sees it; where the vendor gives no total, what was sent stands for it."""
    return Progress(
        age=job.task_age(now),
        done=_done(status),
        total=status.total or job.counts.submitted or 0,
        processed=status.word == "completed",
    )


def _look_before(seen: PollState, job: Job) -> Progress | None:
    if seen.done is None or seen.done_since is None:
        return None
    return Progress(job.task_age(datetime.fromisoformat(seen.done_since)), seen.done)


def _having_counted(seen: PollState, status: TaskStatus, now: datetime) -> PollState:
    done = _done(status)
    return seen if done == seen.done else replace(seen, done=done, done_since=timestamp(now))


def _done(status: TaskStatus) -> int:
    return (status.success or 0) + (status.failure or 0)


def _unknown(seen: PollState, wait: int, now: datetime) -> Decision:
    since = datetime.fromisoformat(seen.unknown_since) if seen.unknown_since else now
    if now - since >= PATIENCE_WITH_UNKNOWN:
        reason = Reason(
            ReasonCode.TASK_NOT_FOUND,
            "The vendor says that it does not know the task, though it took the file. Ask the vendor.",
        )
        return Decision(Next.FAIL, reason=reason)
    return Decision(Next.WAIT, wait, replace(seen, unknown_since=timestamp(since)))


def _known(status: TaskStatus, seen: PollState, wait: int) -> Decision:
    match status.word:
        case "exported":
            return Decision(Next.COLLECT, seen=seen)
        case "failed":
            reason = Reason(ReasonCode.TASK_FAILED, "The vendor says that the task failed. Ask the vendor.")
            return Decision(Next.FAIL, reason=reason)
        case word:
            if word not in WAITING_WORDS:
                logger.warning("the vendor uses a status word that is not known", length=len(word))
            return Decision(Next.WAIT, wait, seen)


def _linkless(seen: PollState, wait: int) -> Decision:
    seen = replace(seen, linkless=seen.linkless + 1)
    if seen.linkless >= MAX_LINKLESS_ANSWERS:
        reason = Reason(
            ReasonCode.RESULT_UNAVAILABLE,
            "The vendor says that the export is ready but gives no link to it. Ask the vendor.",
        )
        return Decision(Next.FAIL, reason=reason)
    return Decision(Next.WAIT, wait, seen)


def _within(deadline: datetime, decision: Decision, now: datetime) -> Decision:
    """The decision, unless waiting on would pass the deadline."""
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
