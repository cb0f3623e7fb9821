"""The check_status function: what the state machine does next."""

import json

import pytest

from local.simulator import Simulator
from numberdrop.aws.ledger import JobMissingError
from numberdrop.jobs.checkers import checkers
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.status_check import TIME_FOR_ONE_CHECK
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import a_job, an_upload

CHECKERS = ["band", "phoneCheck", "wa-deep"]


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_finished_task_is_collected(account: Account, functions: Functions, checker: str) -> None:
    upload = account.drop(f"{checker}/leads.txt", file_of())
    functions.submit(upload)
    decision = functions.check_status(upload)
    assert (decision["next"], decision["total"], decision["success"]) == ("collect", 100, 100)


def test_an_unfinished_task_is_waited_for(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.change_settings(duration_seconds=1000)
    upload = account.drop("band/leads.txt", file_of())
    functions.submit(upload)
    decision = functions.check_status(upload)
    assert (decision["next"], decision["wait_seconds"], decision["reason"]) == ("wait", 3, None)


def test_a_nearly_finished_task_is_checked_again_at_once(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.change_settings(duration_seconds=2)
    upload = account.drop("band/leads.txt", file_of())
    functions.submit(upload)
    assert functions.check_status(upload, seconds=TIME_FOR_ONE_CHECK + 10)["next"] == "collect"
    assert simulator.calls["status"] == 2


@pytest.mark.parametrize("fault", ["zero_total", "counts_fall", "counts_exceed_total"])
def test_nonsensical_counts_stop_nothing(
    account: Account, simulator: Simulator, functions: Functions, fault: str
) -> None:
    simulator.change_settings(duration_seconds=1000)
    upload = account.drop("band/leads.txt", file_of())
    functions.submit(upload)
    simulator.inject_fault("status", fault, times=None)
    first = functions.check_status(upload)
    second = functions.check_status(upload, first["seen"])
    assert [decision["next"] for decision in (first, second)] == ["wait", "wait"]
    assert second["wait_seconds"] == 3


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("unknown_status", {}),
        ("completed_without_file", {}),
        ("exported_without_link", {}),
        ("wrong_task_id", {}),
        ("http_error", {"status": 429}),
        ("http_error", {"status": 503, "html": True}),
        ("html_page", {}),
        ("reset_before_headers", {}),
        ("redirect", {}),
    ],
)
def test_transient_trouble_is_waited_out(
    simulator: Simulator, functions: Functions, upload: Upload, fault: str, parameters: dict[str, object]
) -> None:
    simulator.inject_fault("status", fault, **parameters)  # type: ignore[arg-type]
    first = functions.check_status(upload)
    assert first["next"] == "wait"
    assert functions.check_status(upload, first["seen"])["next"] == "collect"


def test_a_failed_task_fails(simulator: Simulator, functions: Functions, upload: Upload) -> None:
    simulator.inject_fault("status", "failed")
    decision = functions.check_status(upload)
    assert (decision["next"], decision["reason"]["code"]) == ("fail", ReasonCode.TASK_FAILED)


def test_a_task_that_never_finishes_times_out(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("status", "unknown_status")
    account.expire_deadline(upload)
    decision = functions.check_status(upload)
    assert (decision["next"], decision["reason"]["code"]) == ("fail", ReasonCode.TIMED_OUT)


def test_the_poll_state_is_handed_from_check_to_check(
    simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("status", "exported_without_link", times=None)
    seen: dict[str, object] = {}
    branches = []
    for _ in range(5):
        decision = functions.check_status(upload, seen)
        branches.append(decision["next"])
        seen = decision["seen"]
    assert branches == ["wait", "wait", "wait", "wait", "fail"]


def test_a_task_that_the_vendor_does_not_know_gets_time(
    account: Account, functions: Functions, upload: Upload
) -> None:
    job = account.job(upload)
    assert job
    other = an_upload("band/other.txt", bucket=upload.bucket)
    account.put(a_job(upload=other, task_id="unknown-task", deadline=job.deadline))
    decision = functions.check_status(other)
    assert decision["next"] == "wait"
    assert decision["seen"]["unknown_since"]


def test_a_rotated_key_is_read_again_while_checking(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    functions.check_status(upload)
    simulator.change_settings(api_key="a-newer-key")
    account.rotate_key("a-newer-key")
    assert functions.check_status(upload)["next"] == "collect"


def test_a_decision_does_not_contain_the_link(functions: Functions, upload: Upload) -> None:
    text = json.dumps(functions.check_status(upload))
    assert "http" not in text
    assert "Signature" not in text


def test_a_check_does_not_change_the_ledger(account: Account, functions: Functions, upload: Upload) -> None:
    before = account.job(upload)
    functions.check_status(upload)
    assert account.job(upload) == before


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED])
def test_an_ended_job_is_not_checked_at_the_vendor(
    account: Account, simulator: Simulator, functions: Functions, state: State
) -> None:
    job = a_job(state)
    account.put(job)
    decision = functions.check_status(job.upload)
    assert decision["next"] == ("collect" if state is State.COMPLETED else "fail")
    assert simulator.calls["status"] == 0


def test_an_answered_job_is_collected_without_the_vendor(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    job = a_job(State.ANSWERED)
    account.put(job)
    assert functions.check_status(job.upload)["next"] == "collect"
    assert simulator.calls["status"] == 0


def test_a_missing_job_is_an_error(functions: Functions) -> None:
    with pytest.raises(JobMissingError):
        functions.check_status(an_upload())


def test_the_three_checkers_of_this_module_exist() -> None:
    assert {checker.lower() for checker in CHECKERS} <= checkers().keys()
