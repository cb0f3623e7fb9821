"""Looking at a task and deciding what the workflow does next."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from aws_lambda_powertools import Logger

from numberdrop.catalogue import checker_for_key
from numberdrop.clock import Clock, utc_now
from numberdrop.job import Job, timestamp
from numberdrop.ledger import Ledger
from numberdrop.pacing import next_wait
from numberdrop.reasons import Reason, ReasonCode
from numberdrop.transitions import State
from numberdrop.vendor import NoAnswer, StatusOutcome, TaskStatus, TaskUnknown, VendorClient

PATIENCE_WITH_UNKNOWN = timedelta(minutes=10)
"""How long the vendor may not know a task before it is taken at its word."""

MOST_LINKLESS_ANSWERS = 5
"""Answers "exported" without a link before the export counts as unavailable."""

WAITING_WORDS = {"pending", "processing", "completed"}

logger = Logger()


class Next(StrEnum):
    """The branches of the workflow after a look at the task, or an attempt to collect."""

    WAIT = "wait"
    COLLECT = "collect"
    FAIL = "fail"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the workflow remembers between two looks.

    Attributes:
        unknown_since: since when the vendor has not known the task, ISO 8601, or None.
        linkless: answers "exported" without a link so far.
    """

    unknown_since: str | None = None
    linkless: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What the workflow does next; ids and counts only."""

    next: Next
    wait_seconds: int = 0
    seen: Seen = Seen()
    reason: Reason | None = None
    total: int | None = None
    success: int | None = None

    def as_payload(self) -> dict[str, Any]:
        """The decision as JSON for the state machine."""
        return asdict(self)


@dataclass(frozen=True)
class Watch:
    """Looks at tasks."""

    ledger: Ledger
    vendor: VendorClient
    now: Clock = utc_now

    def look(self, job_id: str, seen: Mapping[str, Any]) -> Decision:
        """Asks the vendor about a job's task.

        Raises:
            JobMissingError: the ledger has no such job.
        """
        logger.append_keys(job_id=job_id)
        job = self.ledger.existing(job_id)
        if job.state is not State.SUBMITTED or job.task_id is None:
            return already_over(job)
        checker = checker_for_key(job.upload.key, allow_sensitive=True)
        outcome = self.vendor.status(checker, job.task_id)
        decision = decide(outcome, Seen(**seen), submitted_at=job.submitted_at, now=self.now())
        return _within(job.deadline, decision, self.now())


def decide(outcome: StatusOutcome, seen: Seen, *, submitted_at: datetime | None, now: datetime) -> Decision:
    """What an answer of the vendor means, the deadline apart."""
    wait = math.ceil(next_wait(now - (submitted_at or now)).total_seconds())
    match outcome:
        case NoAnswer(after_seconds=pause, cause=cause):
            logger.warning("nothing was learnt about the task", cause=cause)
            return Decision(Next.WAIT, max(wait, pause), seen)
        case TaskUnknown():
            return _unknown(seen, wait, now)
        case TaskStatus():
            seen = replace(seen, unknown_since=None)
            decision = _known(outcome, seen, wait)
            return replace(decision, total=outcome.total, success=outcome.success)


def _unknown(seen: Seen, wait: int, now: datetime) -> Decision:
    since = datetime.fromisoformat(seen.unknown_since) if seen.unknown_since else now
    if now - since >= PATIENCE_WITH_UNKNOWN:
        reason = Reason(
            ReasonCode.TASK_NOT_FOUND,
            "The vendor says that it does not know the task, though it took the file. Ask the vendor.",
        )
        return Decision(Next.FAIL, reason=reason)
    return Decision(Next.WAIT, wait, replace(seen, unknown_since=timestamp(since)))


def _known(status: TaskStatus, seen: Seen, wait: int) -> Decision:
    match status.word:
        case "exported" if status.result_url:
            return Decision(Next.COLLECT, seen=seen)
        case "exported":
            return _linkless(replace(seen, linkless=seen.linkless + 1), wait)
        case "failed":
            reason = Reason(ReasonCode.TASK_FAILED, "The vendor says that the task failed. Ask the vendor.")
            return Decision(Next.FAIL, reason=reason)
        case word:
            if word not in WAITING_WORDS:
                logger.warning("the vendor uses a status word that is not known", length=len(word))
            return Decision(Next.WAIT, wait, seen)


def _linkless(seen: Seen, wait: int) -> Decision:
    if seen.linkless >= MOST_LINKLESS_ANSWERS:
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


def already_over(job: Job) -> Decision:
    """For an execution that goes on after its job has ended, when it was redriven for instance."""
    if job.state is State.COMPLETED:
        return Decision(Next.COLLECT)
    reason = job.reason or Reason(ReasonCode.ABORTED, f"The job is {job.state}, not submitted.")
    return Decision(Next.FAIL, reason=reason)
