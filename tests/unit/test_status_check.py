"""The decisions of the status check: what follows from the vendor's answers, the ledger and the deadline."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from numberdrop.aws.ledger import JobMissingError, Ledger
from numberdrop.jobs.decision import Decision, Next, PollState
from numberdrop.jobs.job import Counts, Job
from numberdrop.jobs.polling import LONGEST_SLEEP, PollingPolicy
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.steps.status_check import (
    MAX_LINKLESS_ANSWERS,
    PATIENCE_WITH_UNKNOWN,
    TIME_FOR_ONE_CHECK,
    WAIT_FOR_LINK,
    StatusChecker,
    decide,
)
from numberdrop.vendor.outcomes import NoAnswer, StatusOutcome, TaskStatus, TaskUnknown
from tests.support.jobs import NOON, TASK_ID, a_job
from tests.support.refusals import client_error
from tests.support.template import resources

NOTHING_SEEN = PollState()
POLLING = PollingPolicy(longest_wait=300)
LINK = "https://storage.example/export.zip?signature=s"


def answer(
    word: str, *, link: str | None = None, total: int | None = 100, success: int | None = 40
) -> TaskStatus:
    return TaskStatus(word=word, total=total, success=success, failure=0, result_url=link)


def decision(
    outcome: StatusOutcome,
    seen: PollState = NOTHING_SEEN,
    *,
    age: timedelta = timedelta(minutes=5),
    chance: float = 0.0,
    **job_changes: Any,
) -> Decision:
    job = a_job(submitted_at=NOON - age, **job_changes)
    return decide(outcome, seen, job, POLLING, now=NOON, chance=chance)


@pytest.mark.parametrize("word", ["pending", "processing", "completed", "archiving", "", "EXPORTING"])
def test_any_word_but_exported_and_failed_means_wait(word: str) -> None:
    assert decision(answer(word)).next is Next.WAIT


@pytest.mark.parametrize("word", ["completed", "processing", "failed"])
def test_a_link_counts_only_with_the_word_exported(word: str) -> None:
    assert decision(answer(word, link=LINK)).next is not Next.COLLECT


def test_exported_with_a_link_means_collect() -> None:
    assert decision(answer("exported", link=LINK)).next is Next.COLLECT


@pytest.mark.parametrize(("total", "success"), [(0, 0), (100, 250), (100, 3), (None, None)])
def test_counts_decide_nothing(total: int | None, success: int | None) -> None:
    result = decision(answer("processing", total=total, success=success))
    assert (result.next, result.total, result.success) == (Next.WAIT, total, success)


def test_a_failed_task_ends_the_job() -> None:
    result = decision(answer("failed"))
    assert result.next is Next.FAIL
    assert result.reason
    assert result.reason.code is ReasonCode.TASK_FAILED


# How long to wait


def test_the_wait_grows_with_age_without_progress() -> None:
    assert decision(answer("pending", success=0), age=timedelta(minutes=8)).wait_seconds == 120


def test_progress_shortens_the_wait() -> None:
    assert decision(answer("processing", success=75), age=timedelta(minutes=10)).wait_seconds == 100


def test_failed_rows_count_as_progress() -> None:
    status = TaskStatus("processing", total=100, success=30, failure=45, result_url=None)
    assert decision(status, age=timedelta(minutes=10)).wait_seconds == 100


def test_the_submitted_rows_replace_a_missing_total() -> None:
    sent = Counts(submitted=150)
    for total in (0, None):
        status = answer("processing", total=total, success=75)
        assert decision(status, age=timedelta(minutes=4), counts=sent).wait_seconds == 120


def test_a_higher_speed_since_the_last_check_is_used() -> None:
    seen = PollState(done=10, done_since="2026-03-04T11:59:00.000Z")
    result = decision(answer("processing", success=60), seen, age=timedelta(minutes=10))
    assert result.wait_seconds == 24


def test_a_completed_task_is_checked_soon_for_its_export() -> None:
    assert decision(answer("completed", success=0), age=timedelta(minutes=5)).wait_seconds == 3


def test_the_expected_duration_lengthens_the_first_waits() -> None:
    result = decision(answer("pending", success=0), age=timedelta(seconds=30), expected_seconds=600)
    assert result.wait_seconds == 60


def test_jitter_does_not_shorten_the_vendors_pause() -> None:
    pending = answer("pending", success=0)
    assert decision(pending, age=timedelta(minutes=8), chance=1.0).wait_seconds == 108
    assert decision(NoAnswer(700, "429"), chance=1.0).wait_seconds == 700


def test_a_slow_clock_does_not_break_the_wait() -> None:
    assert decision(answer("processing"), age=timedelta(seconds=-30)).wait_seconds == 3


def test_the_vendors_pause_is_kept() -> None:
    assert decision(NoAnswer(700, "429")).wait_seconds == 700


def test_a_pause_shorter_than_usual_is_lengthened() -> None:
    assert decision(NoAnswer(1, "429"), age=timedelta(minutes=8)).wait_seconds == 120


def test_a_failed_call_keeps_the_poll_state() -> None:
    seen = PollState(None, 3, 40, "2026-03-04T11:30:00.000Z")
    assert decision(NoAnswer(90, "time-out"), seen) == Decision(Next.WAIT, 90, seen)


# The vendor does not know the task (404)


def test_a_task_that_is_unknown_at_first_is_waited_for() -> None:
    result = decision(TaskUnknown())
    assert result.next is Next.WAIT
    assert result.seen.unknown_since == "2026-03-04T12:00:00.000Z"


def test_patience_with_an_unknown_task_counts_from_the_first_404() -> None:
    first = decision(TaskUnknown()).seen
    later = NOON + PATIENCE_WITH_UNKNOWN - timedelta(seconds=1)
    assert decide(TaskUnknown(), first, a_job(), POLLING, now=later).seen == first


def test_even_an_old_task_needs_several_404s() -> None:
    old = a_job(submitted_at=NOON - timedelta(days=6))
    assert decide(TaskUnknown(), PollState(), old, PollingPolicy(900), now=NOON).wait_seconds <= 60


def test_an_unknown_task_fails_after_some_minutes() -> None:
    first = decision(TaskUnknown()).seen
    result = decide(TaskUnknown(), first, a_job(), POLLING, now=NOON + PATIENCE_WITH_UNKNOWN)
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.TASK_NOT_FOUND)


@pytest.mark.parametrize("outcome", [answer("pending"), NoAnswer(900, "503")])
def test_any_other_answer_resets_the_patience(outcome: StatusOutcome) -> None:
    first = decision(TaskUnknown()).seen
    assert decision(outcome, first).seen.unknown_since is None


# Exported without a link


def test_exported_without_a_link_is_checked_a_few_more_times() -> None:
    seen = NOTHING_SEEN
    for _ in range(MAX_LINKLESS_ANSWERS - 1):
        result = decision(answer("exported"), seen)
        assert (result.next, result.wait_seconds) == (Next.WAIT, 75)
        seen = result.seen
    result = decision(answer("exported"), seen)
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.RESULT_UNAVAILABLE)


def test_a_young_task_without_a_link_gets_time() -> None:
    assert decision(answer("exported"), age=timedelta(seconds=20)).wait_seconds == WAIT_FOR_LINK


# What is remembered between two checks


def test_a_poll_state_survives_the_state_machine() -> None:
    seen = PollState("2026-03-04T12:00:00.000Z", 2, 40, "2026-03-04T12:01:00.000Z")
    payload = Decision(Next.WAIT, 10, seen).as_payload()
    assert PollState.from_payload(payload["seen"]) == seen


def test_a_count_is_stored_with_the_time_it_was_first_seen() -> None:
    first = decision(answer("processing", success=40)).seen
    assert (first.done, first.done_since) == (40, "2026-03-04T12:00:00.000Z")
    earlier = replace(first, done_since="2026-03-04T11:58:00.000Z")
    assert decision(answer("processing", success=40), earlier).seen == earlier
    assert decision(answer("processing", success=30), earlier).seen == earlier
    grown = decision(answer("processing", success=41), earlier).seen
    assert (grown.done, grown.done_since) == (41, "2026-03-04T12:00:00.000Z")
    assert (earlier.grown_at, grown.grown_at) == (None, "2026-03-04T12:00:00.000Z")


def test_a_poll_state_of_an_older_version_is_read() -> None:
    assert PollState.from_payload({"unknown_since": None, "linkless": 2}) == PollState(linkless=2)


def test_new_fields_of_a_poll_state_are_ignored() -> None:
    assert PollState.from_payload({"linkless": 2, "mood": "sunny"}) == PollState(linkless=2)


def test_a_poll_state_has_only_flags_counts_and_times() -> None:
    kinds = {field.name: field.type for field in fields(PollState)}
    assert set(kinds.values()) <= {bool, int, int | None, str | None}
    assert {name for name, kind in kinds.items() if kind == str | None} == {
        "unknown_since",
        "done_since",
        "grown_at",
        "export_missing_since",
        "memory_unreadable_since",
    }


def test_a_decision_has_no_link_task_or_number() -> None:
    payload = decision(answer("exported", link=LINK)).as_payload()
    assert set(payload) == {"next", "wait_seconds", "seen", "reason", "total", "success"}
    assert LINK not in str(payload)


# A whole check: the ledger, the vendor and the deadline


TIMEOUT = timedelta(hours=24)


class FakeLedger:
    """A ledger with one job, or none."""

    def __init__(self, job: Job | None, *, denies_writes: bool = False) -> None:
        self.job = job
        self.denies_writes = denies_writes

    def get(self, _job_id: str) -> Job | None:
        return self.job

    def extend_deadline(self, job: Job, deadline: datetime) -> None:
        if self.denies_writes:
            raise client_error("AccessDeniedException", "UpdateItem")
        self.job = replace(job, deadline=deadline)

    require = Ledger.require


@dataclass
class Function:
    """One invocation: the vendor's answer depends on the time, and only sleeping moves the clock."""

    job: Job | None
    answer: Callable[[datetime], StatusOutcome]
    now: datetime = NOON
    calls: list[tuple[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    denies_writes: bool = False

    def check(
        self, seen: PollState = NOTHING_SEEN, *, seconds: float = TIME_FOR_ONE_CHECK, retries: int = 0
    ) -> Decision:
        ledger: Any = FakeLedger(self.job, denies_writes=self.denies_writes)
        vendor: Any = self
        checker = StatusChecker(
            ledger, vendor, POLLING, TIMEOUT, lambda: self.now, self.sleep, chance=lambda: 0.0
        )
        payload = Decision(Next.WAIT, seen=seen).as_payload()["seen"]
        result = checker.check("some-job", payload, seconds=seconds, retries=retries)
        self.job = ledger.job
        return result

    def status(self, checker: Any, task_id: str) -> StatusOutcome:
        self.calls.append((checker.name, task_id))
        return self.answer(self.now)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def check(job: Job | None, outcome: StatusOutcome, *, now: datetime = NOON) -> Decision:
    return Function(job, lambda _: outcome, now).check()


def test_a_task_is_checked_by_its_checker_and_id() -> None:
    function = Function(a_job(), lambda _: answer("pending"))
    function.check()
    assert function.calls == [("band", TASK_ID)]


def test_an_unfinished_task_times_out_at_the_deadline() -> None:
    job = a_job()
    result = check(job, answer("processing"), now=job.deadline)
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.TIMED_OUT)


def follow(function: Function, *, step: timedelta = timedelta(hours=20)) -> timedelta:
    """Check a task again and again; return its age when it fails."""
    begin, seen = function.now, PollState()
    while (result := function.check(seen)).next is Next.WAIT:
        seen = result.seen
        function.now += step
    assert result.reason
    assert result.reason.code is ReasonCode.TIMED_OUT
    return function.now - begin


def test_a_task_that_makes_progress_is_not_timed_out() -> None:
    def grow_for_ten_days(now: datetime) -> StatusOutcome:
        return answer("processing", success=min(now - NOON, timedelta(days=10)) // timedelta(hours=1))

    age = follow(Function(a_job(submitted_at=NOON), grow_for_ten_days))
    assert timedelta(days=11) <= age <= timedelta(days=12)


def test_a_deadline_that_cannot_be_written_ends_no_task() -> None:
    """The file is paid for, and the state machine remembers the growth of the counts."""

    def grow_for_ten_days(now: datetime) -> StatusOutcome:
        return answer("processing", success=min(now - NOON, timedelta(days=10)) // timedelta(hours=1))

    function = Function(a_job(submitted_at=NOON), grow_for_ten_days, denies_writes=True)
    assert timedelta(days=11) <= follow(function) <= timedelta(days=12)
    assert function.job
    assert function.job.deadline == a_job().deadline


def test_no_task_takes_more_than_30_days() -> None:
    def grow(now: datetime) -> StatusOutcome:
        return answer("processing", success=(now - NOON) // timedelta(hours=1))

    age = follow(Function(a_job(submitted_at=NOON), grow))
    assert timedelta(days=30) <= age <= timedelta(days=31)


def test_counts_that_rise_and_fall_are_not_progress() -> None:
    def waver(now: datetime) -> StatusOutcome:
        return answer("processing", success=40 + (now.hour % 2))

    assert follow(Function(a_job(submitted_at=NOON), waver)) <= timedelta(days=4)


def test_the_ledger_learns_of_a_much_later_deadline_only() -> None:
    job, before = a_job(submitted_at=NOON), PollState(done=30, done_since="2026-03-04T12:00:00.000Z")
    function = Function(job, lambda _: answer("processing", success=40), NOON + timedelta(minutes=50))
    function.check(before)
    assert function.job == job
    function.now = NOON + timedelta(hours=5)
    function.check(before)
    assert function.job
    assert function.job.deadline == NOON + timedelta(hours=29)


@pytest.mark.parametrize("outcome", [NoAnswer(900, "503"), TaskUnknown(), answer("exported")])
def test_no_answer_postpones_the_deadline(outcome: StatusOutcome) -> None:
    job = a_job()
    assert check(job, outcome, now=job.deadline).next is Next.FAIL


def test_an_export_after_the_deadline_is_still_collected() -> None:
    job = a_job()
    later = job.deadline + timedelta(hours=1)
    assert check(job, answer("exported", link=LINK), now=later).next is Next.COLLECT


def test_the_last_wait_ends_at_the_deadline() -> None:
    job = a_job()
    result = check(job, answer("processing"), now=job.deadline - timedelta(seconds=7.5))
    assert (result.next, result.wait_seconds) == (Next.WAIT, 8)


def test_a_completed_job_goes_to_the_collector() -> None:
    assert check(a_job(State.COMPLETED), answer("pending")).next is Next.COLLECT


def test_a_failed_job_fails_again_for_the_same_reason() -> None:
    job = a_job(State.FAILED)
    assert check(job, answer("exported", link=LINK)) == Decision(Next.FAIL, reason=job.reason)


@pytest.mark.parametrize("state", [State.CLAIMED, State.SUBMITTING])
def test_a_job_without_a_task_is_not_checked(state: State) -> None:
    result = check(a_job(state), answer("exported", link=LINK))
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.ABORTED)


def test_a_missing_job_is_an_error() -> None:
    with pytest.raises(JobMissingError):
        check(None, answer("pending"))


def test_a_task_of_a_disabled_checker_is_still_followed() -> None:
    job = a_job()
    deep = replace(job, upload=replace(job.upload, key="wa-deep/a.txt"))
    assert check(deep, answer("exported", link=LINK)).next is Next.COLLECT


# Sleeping in the function until the next check

YOUNG = a_job(submitted_at=NOON - timedelta(seconds=10))


def exported_after(seconds: float) -> Callable[[datetime], StatusOutcome]:
    done = NOON + timedelta(seconds=seconds)
    return lambda now: answer("exported", link=LINK) if now >= done else answer("pending", success=0)


def test_a_young_task_is_checked_again_in_the_same_call() -> None:
    function = Function(YOUNG, exported_after(seconds=20))
    assert function.check(seconds=120).next is Next.COLLECT
    assert sum(function.slept) < 20 + 10
    assert len(function.calls) == len(function.slept) + 1


def test_a_long_task_is_not_waited_for_in_the_function() -> None:
    function = Function(a_job(), exported_after(seconds=600))
    result = function.check(seconds=120)
    assert (result.next, result.wait_seconds, function.slept) == (Next.WAIT, 135, [])


@pytest.mark.parametrize("seconds", [0, 50, 60, 120, 900])
def test_a_call_leaves_time_for_one_slow_check(seconds: int) -> None:
    function = Function(YOUNG, exported_after(seconds=3600))
    result = function.check(seconds=seconds)
    stayed = (function.now - NOON).total_seconds()
    assert result.next is Next.WAIT
    assert stayed <= max(0, seconds - TIME_FOR_ONE_CHECK)
    assert result.wait_seconds > min(LONGEST_SLEEP, seconds - TIME_FOR_ONE_CHECK - stayed)


def test_a_throttled_check_does_not_stay() -> None:
    """Other executions wait for the account's few concurrent executions, for as long as this task takes."""
    function = Function(YOUNG, exported_after(seconds=3600))
    first = function.check(seconds=120, retries=1)
    second = function.check(first.seen, seconds=120)
    assert (first.next, second.next, function.slept) == (Next.WAIT, Next.WAIT, [])


def test_the_function_has_time_to_sleep_and_to_check() -> None:
    timeout = resources("AWS::Serverless::Function")["CheckStatusFunction"]["Timeout"]
    assert timeout - TIME_FOR_ONE_CHECK > 3 * LONGEST_SLEEP


def test_the_last_check_of_a_call_is_remembered() -> None:
    function = Function(YOUNG, lambda now: answer("processing", success=now.second))
    result = function.check(seconds=TIME_FOR_ONE_CHECK + 8)
    assert function.slept
    assert result.seen.done == function.now.second


def test_the_vendors_pause_is_not_slept_in_the_function() -> None:
    function = Function(YOUNG, lambda _: NoAnswer(60, "503"))
    assert function.check(seconds=120).wait_seconds == 60
    assert function.slept == []


def test_sleeping_ends_at_the_deadline() -> None:
    job = replace(YOUNG, deadline=NOON + timedelta(seconds=5))
    result = Function(job, exported_after(seconds=3600)).check(seconds=120)
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.TIMED_OUT)
