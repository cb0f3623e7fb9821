"""Fences: each submission leaves a trace that a restored ledger cannot forget."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from functions.submit import app as submit
from local.simulator import Simulator
from numberdrop.aws.fences import (
    PREFIX,
    FenceNotPutUpError,
    Fences,
    UnknownAttemptError,
)
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from tests.support.account import Account, client, resource
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import NOON, a_job
from tests.support.outcomes import ending_of, job_of
from tests.support.refusals import FailingS3, client_error

Spoil = Callable[[Account, Upload], None]


def let_it_time_out(account: Account, upload: Upload, **changes: Any) -> None:
    account.put(a_job(State.CLAIMED, upload=upload, deadline=NOON, lease_until=NOON, **changes))


@pytest.fixture(params=[let_it_time_out, Account.delete])
def spoil(request: pytest.FixtureRequest) -> Spoil:
    """Return what keeps an upload from being sent: its time is over, or it is gone."""
    function: Spoil = request.param
    return function


@pytest.fixture
def fences(account: Account) -> Fences:
    return Fences(client("s3"), account.results_bucket)


def armed(token: str = "token", *known: str) -> Job:
    return a_job(State.SUBMITTING, token=token, fence_tokens=frozenset({token, *known}))


# Putting up


def test_an_attempt_recognises_its_own_fence(fences: Fences) -> None:
    assert fences.put_up(armed()) == fences.put_up(armed())


def test_a_leftover_gives_way(fences: Fences) -> None:
    fences.put_up(armed("first"))
    fence = fences.put_up(armed("second", "first"))
    assert fence.token == "second"
    assert fences.find(fence.job_id) == fence


def test_the_fence_of_an_unknown_attempt_stands(fences: Fences) -> None:
    standing = fences.put_up(armed("forgotten"))
    with pytest.raises(UnknownAttemptError) as unknown:
        fences.put_up(armed("third", "first", "second"))
    assert unknown.value.token == "forgotten"
    assert fences.find(standing.job_id) == standing


def test_an_object_that_somebody_else_made_stands(account: Account, fences: Fences) -> None:
    job = armed()
    client("s3").put_object(Bucket=account.results_bucket, Key=PREFIX + job.job_id)
    with pytest.raises(UnknownAttemptError):
        fences.put_up(job)


def test_only_the_given_fence_is_removed(fences: Fences) -> None:
    first = fences.put_up(armed("first"))
    second = fences.put_up(armed("second", "first"))
    fences.remove(first)
    assert fences.find(second.job_id) == second


def test_fences_that_come_and_go_stop_the_attempt(fences: Fences, monkeypatch: pytest.MonkeyPatch) -> None:
    fences.put_up(armed("other"))
    monkeypatch.setattr(Fences, "find", lambda *_: None)
    with pytest.raises(FenceNotPutUpError):
        fences.put_up(armed())


def test_a_fence_is_empty_and_holds_no_data(account: Account, fences: Fences) -> None:
    fence = fences.put_up(armed())
    (stored,) = resource("s3").Bucket(account.results_bucket).objects.all()
    assert (stored.key, stored.size) == (f"armed/{fence.job_id}", 0)
    assert stored.Object().metadata == {"token": "token"}


# Sending


def test_a_charged_file_leaves_a_fence(account: Account, functions: Functions) -> None:
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    fence = account.fence(upload)
    assert fence
    assert fence.token == job_of(account, upload).token


def test_a_doubt_leaves_a_fence(account: Account, simulator: Simulator, functions: Functions) -> None:
    simulator.inject_fault("submit", "reset_after_work")
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    assert job_of(account, upload).state is State.IN_DOUBT
    assert account.fence(upload)


@pytest.mark.parametrize("status", [400, 401, 402, 429, 500])
def test_an_attempt_that_cost_nothing_leaves_no_fence(
    account: Account, simulator: Simulator, functions: Functions, status: int
) -> None:
    simulator.inject_fault("submit", "http_error", status=status)
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    assert (simulator.calls["submit"], account.fence(upload)) == (1, None)


def test_an_attempt_forgotten_by_the_ledger_is_in_doubt(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    account.forget_job(upload)
    for _ in range(3):
        functions.submit(upload)
        account.expire_lease(upload)
    assert ending_of(account, upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    reason = job_of(account, upload).reason
    assert reason
    assert "forgotten" in reason.message
    assert len(simulator.charges) == 1


def test_a_fence_that_could_not_be_removed_gives_way(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise client_error("SlowDown", "DeleteObject")

    simulator.inject_fault("submit", "http_error", status=429)
    upload = account.drop("band/a.txt", file_of())
    with monkeypatch.context() as patch:
        patch.setattr(Fences, "remove", fail)
        functions.submit(upload)
    assert account.fence(upload)
    account.expire_lease(upload)
    functions.submit(upload)
    assert (job_of(account, upload).state, len(simulator.charges)) == (State.SUBMITTED, 1)


def test_nothing_is_sent_without_a_fence(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())
    healthy = submit.queue_handler()
    s3: Any = FailingS3(client_error("AccessDenied", "PutObject"))
    submitter = dataclasses.replace(healthy.submitter, fences=Fences(s3, account.results_bucket))
    failing = dataclasses.replace(healthy, submitter=submitter)
    with monkeypatch.context() as patch:
        patch.setattr(submit, "queue_handler", lambda: failing)
        assert not functions.submit(upload)
    assert (job_of(account, upload).state, simulator.calls["submit"]) == (State.CLAIMED, 0)
    functions.submit(upload)
    assert (job_of(account, upload).state, len(simulator.charges)) == (State.SUBMITTED, 1)


def test_an_attempt_without_a_fence_does_not_hide_another(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    account.forget_job(upload)

    def fail(*_: object) -> None:
        raise client_error("SlowDown", "PutObject")

    with monkeypatch.context() as patch:
        patch.setattr(Fences, "put_up", fail)
        assert not functions.submit(upload)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    assert len(simulator.charges) == 1


def test_the_tokens_of_leftovers_do_not_pile_up(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "http_error", times=None, status=429)
    upload = account.drop("band/a.txt", file_of())
    for _ in range(4):
        functions.submit(upload)
        account.expire_lease(upload)
    job = job_of(account, upload)
    assert (job.attempts, job.fence_tokens) == (4, frozenset({job.token}))


# Ending without sending


def test_a_forgotten_charge_is_never_denied(
    account: Account, simulator: Simulator, functions: Functions, spoil: Spoil
) -> None:
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    account.forget_job(upload)
    spoil(account, upload)
    assert functions.submit(upload)
    assert ending_of(account, upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    reason = job_of(account, upload).reason
    assert reason
    assert "Nothing was charged" not in reason.message
    assert len(simulator.charges) == 1


def test_reconcile_never_denies_a_forgotten_charge(
    account: Account, fences: Fences, functions: Functions
) -> None:
    upload = account.drop("band/a.txt", file_of())
    let_it_time_out(account, upload)
    fences.put_up(a_job(State.SUBMITTING, upload=upload, token="forgotten"))
    assert functions.reconcile({"detail-type": "Scheduled Event"}) == {"put in doubt": 1}
    assert ending_of(account, upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    assert job_of(account, upload).fence_tokens == {"forgotten"}


def test_a_time_out_without_a_fence_costs_nothing(account: Account, functions: Functions) -> None:
    upload = account.drop("band/a.txt", file_of())
    let_it_time_out(account, upload)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.TIMED_OUT, False)


def test_a_leftover_does_not_turn_a_time_out_into_a_doubt(
    account: Account, fences: Fences, functions: Functions
) -> None:
    upload = account.drop("band/a.txt", file_of())
    let_it_time_out(account, upload, fence_tokens=frozenset({"leftover"}))
    fences.put_up(a_job(State.SUBMITTING, upload=upload, token="leftover"))
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.TIMED_OUT, False)


def test_no_job_ends_while_the_fences_cannot_be_read(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise client_error("AccessDenied", "HeadObject")

    upload = account.drop("band/a.txt", b"\n")
    with monkeypatch.context() as patch:
        patch.setattr(Fences, "check", fail)
        assert not functions.submit(upload)
    assert job_of(account, upload).state is State.CLAIMED
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.EMPTY_FILE, False)
