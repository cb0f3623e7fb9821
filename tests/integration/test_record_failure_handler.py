"""The record_failure function: a failure is announced once, and an ended job never changes."""

import pytest

from numberdrop.aws.ledger import JobMissingError
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from tests.support.account import Account
from tests.support.invocations import Functions
from tests.support.jobs import TASK_ID, a_job, an_upload


def test_a_submitted_job_fails_and_is_announced(account: Account, functions: Functions) -> None:
    account.put(a_job(State.SUBMITTED))
    reason = functions.record_failure(an_upload(), ReasonCode.TIMED_OUT, "Not in time.")
    job = account.job(an_upload())
    (event,) = account.events()
    assert job
    assert reason == {"code": "TIMED_OUT", "message": "Not in time."} == event["detail"]["reason"]
    assert (job.state, job.reason) == (State.FAILED, Reason(ReasonCode.TIMED_OUT, "Not in time."))
    assert (event["detail-type"], event["detail"]["charged"]) == ("Number Check Failed", True)
    assert event["detail"]["task_id"] == TASK_ID
    assert job.finished_at


def test_an_answered_job_fails_free_of_charge(account: Account, functions: Functions) -> None:
    account.put(a_job(State.ANSWERED))
    functions.record_failure(an_upload(), ReasonCode.INTERNAL, "No results.")
    (event,) = account.events()
    assert (event["detail-type"], event["detail"]["charged"]) == ("Number Check Failed", False)
    assert event["detail"]["task_id"] is None


def test_a_second_failure_keeps_the_first_reason(account: Account, functions: Functions) -> None:
    account.put(a_job(State.SUBMITTED))
    functions.record_failure(an_upload(), ReasonCode.TASK_FAILED, "First.")
    reason = functions.record_failure(an_upload(), ReasonCode.INTERNAL, "Second.")
    assert reason == {"code": "TASK_FAILED", "message": "First."}
    assert len(account.events()) == 1


def test_a_stale_execution_does_not_fail_the_job(account: Account, functions: Functions) -> None:
    followed_again = a_job(State.SUBMITTED, run=2)
    account.put(followed_again)
    reason = functions.record_failure(
        an_upload(), ReasonCode.INTERNAL, "First run.", execution=f"{followed_again.job_id}-1"
    )
    assert reason == {"code": "INTERNAL", "message": "First run."}
    assert (account.job(an_upload()), account.events()) == (followed_again, [])


def test_the_current_execution_fails_its_job(account: Account, functions: Functions) -> None:
    account.put(a_job(State.SUBMITTED, run=2))
    functions.record_failure(
        an_upload(), ReasonCode.INTERNAL, execution=a_job(State.SUBMITTED, run=2).execution_name
    )
    assert [event["detail-type"] for event in account.events()] == ["Number Check Failed"]


def test_a_completed_job_stays_completed(account: Account, functions: Functions) -> None:
    account.put(a_job(State.COMPLETED))
    reason = functions.record_failure(an_upload(), ReasonCode.INTERNAL)
    job = account.job(an_upload())
    assert job
    assert (job.state, reason["code"]) == (State.COMPLETED, ReasonCode.ABORTED)
    assert [event["detail-type"] for event in account.events()] == ["Number Check Completed"]


@pytest.mark.parametrize("state", [State.CLAIMED, State.SUBMITTING])
def test_a_job_without_a_task_is_left_to_its_worker(
    account: Account, functions: Functions, state: State
) -> None:
    account.put(a_job(state))
    reason = functions.record_failure(an_upload(), ReasonCode.INTERNAL)
    assert reason["code"] == ReasonCode.ABORTED
    assert account.job(an_upload()) == a_job(state)
    assert account.events() == []


def test_a_job_in_doubt_stays_in_doubt(account: Account, functions: Functions) -> None:
    account.put(a_job(State.IN_DOUBT))
    assert functions.record_failure(an_upload(), ReasonCode.INTERNAL)["code"] == "SUBMISSION_IN_DOUBT"


def test_a_missing_job_is_an_error(account: Account, functions: Functions) -> None:
    with pytest.raises(JobMissingError):
        functions.record_failure(an_upload(), ReasonCode.INTERNAL)
    assert account.events() == []


def test_an_unknown_reason_code_is_an_error(account: Account, functions: Functions) -> None:
    account.put(a_job(State.SUBMITTED))
    code: ReasonCode = "SOMETHING"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="SOMETHING"):
        functions.record_failure(an_upload(), code)
    assert account.job(an_upload()) == a_job(State.SUBMITTED)
