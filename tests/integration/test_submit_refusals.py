"""The submit function when the vendor refuses, is busy, or leaves it unclear whether it accepted the file."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.simulator import Simulator
from numberdrop.aws.api_key import ApiKey
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.steps import posting
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import Accepted
from tests.support.account import Account
from tests.support.files import NUMBERS, file_of
from tests.support.invocations import Functions
from tests.support.outcomes import ending_of, job_of


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_rejected_file_is_free_and_its_message_is_masked(
    account: Account, simulator: Simulator, functions: Functions, status: int
) -> None:
    simulator.inject_fault(
        "submit", "http_error", status=status, error="bad_file", message=f"see {NUMBERS[7]}"
    )
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.VENDOR_REJECTED, False)
    reason = job_of(account, upload).reason
    assert reason
    assert reason.message == "bad_file: see [digits]"
    assert simulator.calls["submit"] == 1


def test_an_empty_account_blocks_until_it_is_topped_up(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.top_up(-1000)
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    assert ending_of(account, upload) == (State.BLOCKED, ReasonCode.INSUFFICIENT_BALANCE, False)

    simulator.top_up(1000)
    account.expire_lease(upload)
    account.end_pause()
    functions.submit(upload)
    job = job_of(account, upload)
    assert (job.state, job.reason, job.charged, job.finished_at) == (State.SUBMITTED, None, True, None)
    assert (len(simulator.charges), account.executions()) == (1, [job.execution_name])


def test_other_uploads_wait_while_one_job_is_blocked(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.top_up(-1000)
    first = account.drop("band/first.txt", file_of())
    second = account.drop("band/second.txt", file_of())
    functions.submit(first)
    functions.submit(second)
    assert (account.job(second), simulator.calls["submit"], functions.delayed_messages) == (None, 1, 1)

    simulator.top_up(1000)
    account.expire_lease(first)
    account.end_pause()
    functions.submit(first)
    functions.submit(second)
    assert [job_of(account, upload).state for upload in (first, second)] == [State.SUBMITTED] * 2
    assert len(simulator.charges) == 2


def test_a_job_that_stays_blocked_is_announced_once(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.top_up(-1000)
    upload = account.drop("band/a.txt", file_of())
    for _ in range(3):
        functions.submit(upload)
        account.expire_lease(upload)
        account.end_pause()
    assert ending_of(account, upload) == (State.BLOCKED, ReasonCode.INSUFFICIENT_BALANCE, False)
    assert simulator.calls["submit"] == 3


def test_a_refused_key_blocks_until_the_secret_is_fixed(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.change_settings(api_key="a-newer-key")
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    assert ending_of(account, upload) == (State.BLOCKED, ReasonCode.BAD_API_KEY, False)

    account.rotate_key("a-newer-key")
    account.expire_lease(upload)
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED
    assert len(simulator.charges) == 1


def test_a_rotated_key_is_read_again_while_submitting(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    functions.submit(account.drop("band/a.txt", file_of()))
    simulator.change_settings(api_key="a-newer-key")
    account.rotate_key("a-newer-key")
    upload = account.drop("band/b.txt", file_of())
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED
    assert (len(simulator.charges), simulator.calls["submit"]) == (2, 3)
    assert simulator.submissions[0].sha256 == simulator.submissions[1].sha256


def test_a_late_second_post_is_left_to_the_next_try(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.submit(account.drop("band/a.txt", file_of()))
    simulator.change_settings(api_key="a-newer-key")
    account.rotate_key("a-newer-key")
    refresh = ApiKey.refresh

    def refresh_slowly(api_key: ApiKey) -> bool:
        monkeypatch.setattr(posting, "SHORTEST_POST", functions.context.seconds)
        return refresh(api_key)

    monkeypatch.setattr(ApiKey, "refresh", refresh_slowly)
    upload = account.drop("band/b.txt", file_of())
    functions.submit(upload)
    assert (job_of(account, upload).state, simulator.calls["submit"]) == (State.CLAIMED, 2)
    assert functions.delayed_messages == 1

    monkeypatch.undo()
    account.expire_lease(upload)
    functions.submit(upload)
    assert (job_of(account, upload).state, len(simulator.charges)) == (State.SUBMITTED, 2)


def test_a_secret_that_lost_its_key_blocks_without_doubt(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    functions.submit(account.drop("band/a.txt", file_of()))
    simulator.change_settings(api_key="a-newer-key")
    account.rotate_key("two words")
    upload = account.drop("band/b.txt", file_of())
    functions.submit(upload)
    assert ending_of(account, upload) == (State.BLOCKED, ReasonCode.BAD_API_KEY, False)


def test_a_busy_vendor_is_retried_after_its_pause(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "http_error", status=429, retry_after="120")
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    job = job_of(account, upload)
    assert (job.state, job.attempts, functions.delayed_messages) == (State.CLAIMED, 1, 1)
    assert timedelta(seconds=100) < job.lease_until - datetime.now(UTC) <= timedelta(seconds=120)

    functions.submit(upload)
    assert (simulator.calls["submit"], functions.delayed_messages) == (1, 1)

    account.expire_lease(upload)
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED
    assert (len(simulator.charges), account.events()) == (1, [])


def test_a_busy_vendor_fails_the_job_at_its_deadline(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "http_error", times=None, status=429)
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    account.expire_lease(upload)
    account.expire_deadline(upload)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.TIMED_OUT, False)
    assert simulator.calls["submit"] == 1


def test_a_server_error_is_retried_twice(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "http_error", times=None, status=500)
    upload = account.drop("band/a.txt", file_of())
    for _ in range(5):
        functions.submit(upload)
        account.expire_lease(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.VENDOR_REJECTED, False)
    assert simulator.calls["submit"] == 3


def test_a_job_survives_two_server_errors(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "http_error", times=2, status=500)
    upload = account.drop("band/a.txt", file_of())
    for _ in range(3):
        functions.submit(upload)
        account.expire_lease(upload)
    assert (job_of(account, upload).state, len(simulator.charges)) == (State.SUBMITTED, 1)


def test_an_unreachable_vendor_is_retried(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_BASE_URL", simulator.url.replace("http://", "https://"))
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    assert (job_of(account, upload).state, functions.delayed_messages) == (State.CLAIMED, 1)


# In doubt


@pytest.mark.parametrize(
    ("fault", "parameters", "charges"),
    [
        ("reset_after_headers", {}, 0),
        ("reset_after_work", {}, 1),
        ("http_error", {"status": 502, "html": True, "charged": True}, 1),
        ("http_error", {"status": 504}, 0),
        ("redirect", {"status": 307}, 0),
        ("html_page", {"charged": True}, 1),
        ("no_task_id", {}, 1),
        ("truncated", {}, 1),
    ],
)
def test_a_file_with_an_unclear_answer_is_never_sent_again(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    *,
    fault: str,
    parameters: dict[str, object],
    charges: int,
) -> None:
    simulator.inject_fault("submit", fault, **parameters)  # type: ignore[arg-type]
    upload = account.drop("band/a.txt", file_of())
    for _ in range(3):
        functions.submit(upload)
        account.expire_lease(upload)
    assert ending_of(account, upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    assert (simulator.calls["submit"], len(simulator.charges)) == (1, charges)


def test_a_task_of_another_file_is_in_doubt(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer_with_the_same_task(*_: Any, **__: Any) -> Accepted:
        return Accepted("task-1", 100)

    monkeypatch.setattr(VendorClient, "submit", answer_with_the_same_task)
    first, second = account.drop("band/a.txt", file_of()), account.drop("band/b.txt", file_of())
    functions.submit(first)
    functions.submit(second)
    assert (job_of(account, first).state, job_of(account, first).task_id) == (State.SUBMITTED, "task-1")
    assert ending_of(account, second) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    reason = job_of(account, second).reason
    assert reason
    assert "another file" in reason.message
