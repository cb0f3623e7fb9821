"""The submit function while the circuit breaker is open: an outage, or a refusal of some files only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from local.simulator import Simulator
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.jobs.breaker import Cause, OpenBreaker
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.gatekeeper import FAILURES_OF_THE_BALANCE
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import a_job, an_upload
from tests.support.outcomes import ending_of, job_of

SCHEDULED = {"detail-type": "Scheduled Event"}
OUTAGES: list[tuple[str, dict[str, Any]]] = [
    ("http_error", {"status": 503}),
    ("http_error", {"status": 404, "html": True}),
    ("http_error", {"status": 405}),
    ("reset_after_headers", {}),
    ("redirect", {"status": 301}),
    ("http_error", {"status": 504, "html": True}),
]


def break_vendor(simulator: Simulator, fault: str = "http_error", **parameters: Any) -> None:
    """Let something else than the vendor answer every file and every request for the balance."""
    for operation in ("submit", "balance"):
        simulator.inject_fault(operation, fault, times=None, **parameters)


def breaker_of(account: Account) -> OpenBreaker | None:
    return CircuitBreaker(boto3.client("dynamodb"), account.jobs_table).state()


def states_of(account: Account, uploads: list[Upload]) -> list[State | None]:
    jobs = [account.job(upload) for upload in uploads]
    return [job.state if job else None for job in jobs]


def drop(account: Account, *keys: str) -> list[Upload]:
    return [account.drop(key, file_of()) for key in keys]


@pytest.mark.parametrize(("fault", "parameters"), OUTAGES)
def test_an_outage_of_any_length_costs_one_doubt(
    account: Account, simulator: Simulator, functions: Functions, fault: str, parameters: dict[str, Any]
) -> None:
    break_vendor(simulator, fault, **parameters)
    uploads = drop(account, *(f"band/{number}.txt" for number in range(4)))
    for _ in range(3):
        for upload in uploads:
            functions.submit(upload)
        account.end_pause()
    assert states_of(account, uploads) == [State.IN_DOUBT, None, None, None]
    assert (simulator.calls["submit"], simulator.calls["balance"]) == (1, 2)


def test_a_balance_that_stays_broken_holds_no_upload_for_good(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    """After an hour, the vendor's words about a task show that it is back."""
    break_vendor(simulator, status=503)
    first, second = drop(account, "band/0.txt", "band/1.txt")
    functions.submit(first)
    simulator.clear_faults()
    simulator.inject_fault("balance", "http_error", times=None, status=503)
    for failures in range(FAILURES_OF_THE_BALANCE):
        account.end_pause()
        functions.submit(second)
        state = breaker_of(account)
        assert state
        assert (state.failures, account.job(second)) == (failures + 1, None)

    account.end_pause()
    functions.submit(second)
    assert states_of(account, [first, second]) == [State.IN_DOUBT, State.SUBMITTED]
    assert breaker_of(account) is None


def test_uploads_go_on_after_an_outage(account: Account, simulator: Simulator, functions: Functions) -> None:
    break_vendor(simulator, status=503)
    uploads = drop(account, "band/0.txt", "band/1.txt", "band/2.txt")
    for upload in uploads:
        functions.submit(upload)
    simulator.clear_faults()
    functions.submit(uploads[1])
    assert simulator.calls["submit"] == 1, "its pause is not over"

    account.end_pause()
    for upload in uploads:
        functions.submit(upload)
    assert states_of(account, uploads) == [State.IN_DOUBT, State.SUBMITTED, State.SUBMITTED]
    assert breaker_of(account) is None
    assert len(simulator.charges) == 2


def test_a_vendor_that_answers_but_fails_gets_one_file(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "http_error", times=None, status=502)
    uploads = drop(account, *(f"band/{number}.txt" for number in range(5)))
    functions.submit(uploads[0])
    account.end_pause()
    for upload in uploads[1:]:
        functions.submit(upload)
    assert states_of(account, uploads) == [State.IN_DOUBT, State.IN_DOUBT, None, None, None]
    breaker = breaker_of(account)
    assert breaker
    assert (breaker.doubts, breaker.holder) == (1, uploads[1].job_id)


def test_a_rejected_file_ends_an_outage(account: Account, simulator: Simulator, functions: Functions) -> None:
    simulator.inject_fault("submit", "reset_after_headers")
    simulator.inject_fault("submit", "http_error", status=400)
    for upload in drop(account, "band/0.txt", "band/1.txt"):
        functions.submit(upload)
        if breaker_of(account):
            account.end_pause()
    assert breaker_of(account) is None


def test_an_upload_that_cannot_be_sent_passes_its_turn_on(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "reset_after_headers")
    first, empty, third = drop(account, "band/0.txt", "no-such-checker/1.txt", "band/2.txt")
    functions.submit(first)
    account.end_pause()
    functions.submit(empty)
    functions.submit(third)
    assert states_of(account, [first, empty, third]) == [State.IN_DOUBT, State.FAILED, State.SUBMITTED]


def test_a_busy_vendor_keeps_the_breaker_open(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "reset_after_headers")
    simulator.inject_fault("submit", "http_error", status=429)
    first, second = drop(account, "band/0.txt", "band/1.txt")
    functions.submit(first)
    account.end_pause()
    functions.submit(second)
    breaker = breaker_of(account)
    assert breaker
    assert (breaker.prober, breaker.failures, job_of(account, second).state) == (None, 1, State.CLAIMED)


def test_a_refusal_after_an_outage_needs_a_person(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "reset_after_headers")
    first, second = drop(account, "band/0.txt", "band/1.txt")
    functions.submit(first)
    account.events()
    simulator.top_up(-1000)
    account.end_pause()
    functions.submit(second)
    breaker = breaker_of(account)
    assert breaker
    assert (breaker.cause, breaker.holder) == (Cause.BALANCE, second.job_id)
    assert ending_of(account, second) == (State.BLOCKED, ReasonCode.INSUFFICIENT_BALANCE, False)


# Refusals of some files only


def test_a_refused_checker_does_not_stop_the_others(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    refused, alike, other = drop(account, "phoneCheck/0.txt", "phoneCheck/1.txt", "band/2.txt")
    simulator.inject_fault("submit", "http_error", status=403, message="upgrade your plan")
    functions.submit(refused)
    account.end_pause()
    functions.submit(other)
    assert states_of(account, [refused, other]) == [State.BLOCKED, State.SUBMITTED]
    assert breaker_of(account) is None

    # The refused job is tried again by its own pause. It does not hold the others back a second time.
    simulator.inject_fault("submit", "http_error", status=403, message="upgrade your plan")
    account.expire_lease(refused)
    functions.submit(refused)
    assert job_of(account, refused).state is State.BLOCKED
    assert breaker_of(account) is None
    functions.submit(alike)
    assert job_of(account, alike).state is State.SUBMITTED


def test_a_refused_probe_is_released_without_an_event(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.top_up(-1000)
    first, second, third = drop(account, "band/0.txt", "phoneCheck/1.txt", "wa-deep/2.txt")
    functions.submit(first)
    assert len(account.events()) == 1
    for upload in (second, third):
        account.end_pause()
        functions.submit(upload)
    assert states_of(account, [first, second, third]) == [State.BLOCKED, State.CLAIMED, State.CLAIMED]
    assert (account.events(), simulator.calls["submit"]) == ([], 3)


def test_a_refused_file_is_not_sent_again_under_its_key(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.inject_fault("submit", "http_error", times=None, status=403)
    (upload,) = drop(account, "band/0.txt")
    for _ in range(4):
        functions.submit(upload)
        account.expire_lease(upload)
    assert simulator.calls["submit"] == 1
    assert ending_of(account, upload) == (State.BLOCKED, ReasonCode.BAD_API_KEY, False)


def test_a_newer_key_is_tried_at_once(account: Account, simulator: Simulator, functions: Functions) -> None:
    simulator.change_settings(api_key="a-newer-key")
    (upload,) = drop(account, "band/0.txt")
    functions.submit(upload)
    account.expire_lease(upload)
    functions.submit(upload)
    assert (job_of(account, upload).state, simulator.calls["submit"]) == (State.BLOCKED, 1)

    account.rotate_key("a-newer-key")
    account.expire_lease(upload)
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED
    assert breaker_of(account) is None


def test_a_breaker_that_opens_during_preparation_stops_the_file(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    (upload,) = drop(account, "band/0.txt")
    breaker = CircuitBreaker(boto3.client("dynamodb"), account.jobs_table)
    monkeypatch.setattr(
        "numberdrop.aws.durations.Durations.expected_seconds",
        lambda *_: breaker.open(OpenBreaker(holder="a" * 64)) and None,
    )
    functions.submit(upload)
    job = job_of(account, upload)
    assert (job.state, simulator.calls["submit"], functions.delayed_messages) == (State.CLAIMED, 0, 1)


def test_a_breaker_that_cannot_be_read_leaves_no_doubt(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise RuntimeError("DynamoDB is down")

    (upload,) = drop(account, "band/0.txt")
    with monkeypatch.context() as patch:
        patch.setattr("numberdrop.steps.gatekeeper.Gatekeeper.confirm", fail)
        assert not functions.submit(upload)
    assert (job_of(account, upload).state, simulator.calls["submit"]) == (State.CLAIMED, 0)
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED


def test_a_turn_is_not_taken_from_a_file_being_sent(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    """However late it is by this worker's clock."""
    simulator.inject_fault("submit", "reset_after_headers")
    first, second, third = drop(account, "band/0.txt", "band/1.txt", "band/2.txt")
    functions.submit(first)
    account.end_pause()
    breaker = CircuitBreaker(boto3.client("dynamodb"), account.jobs_table)
    state = breaker.state()
    assert state
    assert state.due_at
    breaker.change(state, state.with_turn(second, state.due_at))
    account.put(replace(job_of(account, first), job_id=second.job_id, upload=second, state=State.SUBMITTING))
    functions.submit(third)
    assert (account.job(third), simulator.calls["submit"]) == (None, 1)


def test_a_waiting_claim_shows_when_it_asked(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = stored_claim(account, timedelta(hours=1))
    open_breaker(account, timedelta())
    functions.submit(upload)
    asked = job_of(account, upload).lease_until
    assert timedelta() <= datetime.now(UTC) - asked < timedelta(minutes=1)
    assert functions.reconcile(SCHEDULED) == {"left alone": 1}
    assert simulator.calls == {}


# Reconciling


def stored_claim(account: Account, asked: timedelta) -> Upload:
    """Store a claimed job that asked for a turn some time ago."""
    (upload,) = drop(account, "band/claimed.txt")
    now = datetime.now(UTC)
    account.put(
        a_job(
            State.CLAIMED,
            upload=upload,
            lease_until=now - asked,
            created_at=now - asked,
            deadline=now - timedelta(minutes=1),
        )
    )
    return upload


def open_breaker(account: Account, since: timedelta) -> None:
    breaker = CircuitBreaker(boto3.client("dynamodb"), account.jobs_table)
    breaker.open(OpenBreaker.opened(an_upload(), Cause.OUTAGE, datetime.now(UTC) - since))


def test_a_claim_in_an_outage_is_left_to_its_message(account: Account, functions: Functions) -> None:
    upload = stored_claim(account, timedelta(minutes=3))
    open_breaker(account, timedelta(minutes=5))
    assert functions.reconcile(SCHEDULED) == {"left alone": 1}
    job = job_of(account, upload)
    assert (job.state, job.deadline > datetime.now(UTC)) == (State.CLAIMED, True)


def test_lost_messages_do_not_keep_the_breaker_open(account: Account, functions: Functions) -> None:
    """If nobody asks for a turn, only a new message can close the breaker."""
    upload = stored_claim(account, timedelta(hours=1))
    open_breaker(account, timedelta(hours=1))
    assert functions.reconcile(SCHEDULED) == {"restarted": 1}
    functions.submit(upload)
    assert (job_of(account, upload).state, breaker_of(account)) == (State.SUBMITTED, None)


@pytest.mark.parametrize(("minutes", "value"), [(5, 1.0), (60, 0.0)])
def test_the_alarm_ends_if_no_upload_waits(
    account: Account, functions: Functions, capsys: pytest.CaptureFixture[str], minutes: int, value: float
) -> None:
    open_breaker(account, timedelta(minutes=minutes))
    functions.reconcile(SCHEDULED)
    assert f'"BreakerOpen":[{value}]' in capsys.readouterr().out


def test_reconcile_does_not_end_an_outage(account: Account, functions: Functions) -> None:
    open_breaker(account, timedelta(hours=1))
    functions.reconcile(SCHEDULED)
    assert breaker_of(account)
