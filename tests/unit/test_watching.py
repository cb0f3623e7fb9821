"""What the vendor's answers mean for a task, and what the workflow does next."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from numberdrop.job import Job
from numberdrop.ledger import JobMissingError, Ledger
from numberdrop.reasons import ReasonCode
from numberdrop.transitions import State
from numberdrop.vendor import NoAnswer, StatusOutcome, TaskStatus, TaskUnknown
from numberdrop.watching import (
    MOST_LINKLESS_ANSWERS,
    PATIENCE_WITH_UNKNOWN,
    Decision,
    Next,
    Seen,
    Watch,
    decide,
)
from tests.jobs import NOON, TASK_ID, a_job

NOTHING_SEEN = Seen()
LINK = "https://storage.example/export.zip?signature=s"


def said(
    word: str, *, link: str | None = None, total: int | None = 100, success: int | None = 40
) -> TaskStatus:
    return TaskStatus(word=word, total=total, success=success, failure=0, result_url=link)


def decision(
    outcome: StatusOutcome, seen: Seen = NOTHING_SEEN, *, age: timedelta = timedelta(minutes=5)
) -> Decision:
    return decide(outcome, seen, submitted_at=NOON - age, now=NOON)


@pytest.mark.parametrize("word", ["pending", "processing", "completed", "archiving", "", "EXPORTING"])
def test_any_word_but_exported_and_failed_means_to_wait_on(word: str) -> None:
    assert decision(said(word)).next is Next.WAIT


@pytest.mark.parametrize("word", ["completed", "processing", "failed"])
def test_a_link_counts_only_with_the_word_exported(word: str) -> None:
    assert decision(said(word, link=LINK)).next is not Next.COLLECT


def test_exported_with_a_link_means_to_collect() -> None:
    assert decision(said("exported", link=LINK)).next is Next.COLLECT


@pytest.mark.parametrize(("total", "success"), [(0, 0), (100, 250), (100, 3), (None, None)])
def test_counts_decide_nothing(total: int | None, success: int | None) -> None:
    result = decision(said("processing", total=total, success=success))
    assert (result.next, result.total, result.success) == (Next.WAIT, total, success)


def test_a_task_that_failed_is_over() -> None:
    result = decision(said("failed"))
    assert result.next is Next.FAIL
    assert result.reason
    assert result.reason.code is ReasonCode.TASK_FAILED


def test_the_wait_grows_with_the_tasks_age() -> None:
    assert decision(said("processing"), age=timedelta(minutes=10)).wait_seconds == 120


def test_a_pause_that_the_vendor_asks_for_is_kept() -> None:
    assert decision(NoAnswer(700, "429")).wait_seconds == 700


def test_a_pause_shorter_than_the_usual_one_is_lengthened() -> None:
    assert decision(NoAnswer(1, "429"), age=timedelta(minutes=10)).wait_seconds == 120


def test_no_answer_changes_nothing_of_what_was_seen() -> None:
    seen = Seen(unknown_since="2026-03-04T11:00:00.000Z", linkless=3)
    assert decision(NoAnswer(60, "time-out"), seen) == Decision(Next.WAIT, 60, seen)


# 404


def test_a_task_unknown_at_first_is_waited_for() -> None:
    result = decision(TaskUnknown())
    assert result.next is Next.WAIT
    assert result.seen.unknown_since == "2026-03-04T12:00:00.000Z"


def test_patience_with_an_unknown_task_counts_from_the_first_404() -> None:
    first = decision(TaskUnknown()).seen
    later = NOON + PATIENCE_WITH_UNKNOWN - timedelta(seconds=1)
    assert decide(TaskUnknown(), first, submitted_at=NOON, now=later).seen == first


def test_an_unknown_task_is_given_up_after_some_minutes() -> None:
    first = decision(TaskUnknown()).seen
    result = decide(TaskUnknown(), first, submitted_at=NOON, now=NOON + PATIENCE_WITH_UNKNOWN)
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.TASK_NOT_FOUND)


def test_a_task_that_turns_up_again_gets_new_patience() -> None:
    first = decision(TaskUnknown()).seen
    assert decision(said("pending"), first).seen.unknown_since is None


# Exported without a link


def test_exported_without_a_link_is_asked_about_a_few_more_times() -> None:
    seen = NOTHING_SEEN
    for _ in range(MOST_LINKLESS_ANSWERS - 1):
        result = decision(said("exported"), seen)
        assert result.next is Next.WAIT
        seen = result.seen
    result = decision(said("exported"), seen)
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.RESULT_UNAVAILABLE)


def test_what_was_seen_survives_the_way_through_the_state_machine() -> None:
    seen = Seen(unknown_since="2026-03-04T12:00:00.000Z", linkless=2)
    payload = Decision(Next.WAIT, 10, seen).as_payload()
    assert Seen(**payload["seen"]) == seen


def test_a_decision_carries_neither_link_nor_task_nor_number() -> None:
    payload = decision(said("exported", link=LINK)).as_payload()
    assert set(payload) == {"next", "wait_seconds", "seen", "reason", "total", "success"}
    assert LINK not in str(payload)


# A look: the ledger, the vendor and the deadline


class LedgerOf:
    """A ledger that holds one job, or none."""

    def __init__(self, job: Job | None) -> None:
        self.job = job

    def get(self, _job_id: str) -> Job | None:
        return self.job

    existing = Ledger.existing


class VendorThatSays:
    """A vendor that always gives the same answer, and notes what it was asked."""

    def __init__(self, outcome: StatusOutcome) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, str]] = []

    def status(self, checker: Any, task_id: str) -> StatusOutcome:
        self.asked.append((checker.name, task_id))
        return self.outcome


def look(job: Job | None, outcome: StatusOutcome, *, now: datetime = NOON) -> Decision:
    ledger: Any = LedgerOf(job)
    vendor: Any = VendorThatSays(outcome)
    return Watch(ledger, vendor, now=lambda: now).look("some-job", {})


def test_a_task_is_looked_for_by_its_checker_and_id() -> None:
    vendor: Any = VendorThatSays(said("pending"))
    ledger: Any = LedgerOf(a_job())
    Watch(ledger, vendor, now=lambda: NOON).look("some-job", {})
    assert vendor.asked == [("band", TASK_ID)]


def test_a_task_that_is_not_finished_by_the_deadline_has_timed_out() -> None:
    job = a_job()
    result = look(job, said("processing"), now=job.deadline)
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.TIMED_OUT)


@pytest.mark.parametrize("outcome", [NoAnswer(900, "503"), TaskUnknown(), said("exported")])
def test_no_other_answer_puts_the_deadline_off(outcome: StatusOutcome) -> None:
    job = a_job()
    assert look(job, outcome, now=job.deadline).next is Next.FAIL


def test_an_export_that_comes_after_the_deadline_is_still_collected() -> None:
    job = a_job()
    assert look(job, said("exported", link=LINK), now=job.deadline + timedelta(hours=1)).next is Next.COLLECT


def test_the_last_wait_ends_at_the_deadline() -> None:
    job = a_job()
    result = look(job, said("processing"), now=job.deadline - timedelta(seconds=7.5))
    assert (result.next, result.wait_seconds) == (Next.WAIT, 8)


def test_a_completed_job_goes_on_to_the_collector_which_knows_it() -> None:
    assert look(a_job(State.COMPLETED), said("pending")).next is Next.COLLECT


def test_a_failed_job_fails_again_for_its_own_reason() -> None:
    job = a_job(State.FAILED)
    assert look(job, said("exported", link=LINK)) == Decision(Next.FAIL, reason=job.reason)


@pytest.mark.parametrize("state", [State.CLAIMED, State.SUBMITTING])
def test_a_job_without_a_task_is_not_asked_about(state: State) -> None:
    result = look(a_job(state), said("exported", link=LINK))
    assert result.reason
    assert (result.next, result.reason.code) == (Next.FAIL, ReasonCode.ABORTED)


def test_a_missing_job_is_an_error() -> None:
    with pytest.raises(JobMissingError):
        look(None, said("pending"))


def test_a_sensitive_checkers_task_is_followed_even_once_it_is_switched_off() -> None:
    job = a_job()
    deep = replace(job, upload=replace(job.upload, key="wa-deep/a.txt"))
    assert look(deep, said("exported", link=LINK)).next is Next.COLLECT
