"""An upload whose entries are all remembered does not wait behind the open circuit breaker."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from local.simulator import Simulator
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.jobs.breaker import Cause, OpenBreaker
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.preparation import Preparer
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import an_upload
from tests.support.outcomes import ending_of, job_of

LIST = [f"+447700900{n:03d}" for n in range(120)]


@pytest.fixture
def remembered(account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """Switch the memory on; return an upload of a list that was checked before."""
    for name, value in account.variables_of_memory().items():
        monkeypatch.setenv(name, value)
    first = account.drop("band/first.txt", file_of(*LIST))
    assert functions.submit(first)
    functions.collect(first)
    account.events()
    return account.drop("band/again.txt", file_of(*LIST))


@pytest.fixture(params=Cause)
def _open_breaker(request: pytest.FixtureRequest, account: Account, remembered: Upload) -> None:
    """Open the circuit breaker, after something was remembered."""
    del remembered
    opened = OpenBreaker.opened(an_upload(), request.param, datetime.now(UTC))
    breaker = CircuitBreaker(boto3.client("dynamodb"), account.jobs_table)
    assert breaker.open(opened)


def breaker_of(account: Account) -> OpenBreaker | None:
    return CircuitBreaker(boto3.client("dynamodb"), account.jobs_table).state()


@pytest.mark.usefixtures("_open_breaker")
def test_a_remembered_upload_needs_no_turn(
    account: Account, simulator: Simulator, functions: Functions, remembered: Upload
) -> None:
    calls = dict(simulator.calls)
    assert functions.submit(remembered)
    assert job_of(account, remembered).state is State.ANSWERED
    assert functions.delayed_messages == 0
    assert functions.collect(remembered)["next"] == "done"
    state = breaker_of(account)
    assert state
    assert (dict(simulator.calls), state.prober) == (calls, None)


@pytest.mark.usefixtures("_open_breaker")
def test_any_other_upload_is_read_once_and_waits(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Upload] = []
    prepare = Preparer.prepare

    def recorded(preparer: Preparer, upload: Upload, *arguments: Any, **named: Any) -> Any:
        read.append(upload)
        return prepare(preparer, upload, *arguments, **named)

    monkeypatch.setattr(Preparer, "prepare", recorded)
    new = account.drop("band/new.txt", file_of(*LIST, "+447700901000"))
    calls = dict(simulator.calls)
    for _ in range(3):
        assert functions.submit(new)
    assert (job_of(account, new).state, read) == (State.CLAIMED, [new])
    assert functions.delayed_messages == 3
    assert (dict(simulator.calls), account.fence(new)) == (calls, None)


@pytest.mark.usefixtures("_open_breaker")
def test_an_upload_that_waited_is_sent_in_its_turn(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    new = account.drop("phoneCheck/new.txt", file_of(*LIST, "+447700901000"))
    functions.submit(new)
    account.end_pause()
    functions.submit(new)
    assert job_of(account, new).state is State.SUBMITTED
    assert breaker_of(account) is None
    assert len(simulator.charges) == 2


@pytest.mark.usefixtures("_open_breaker")
def test_an_unusable_upload_fails_without_a_turn(account: Account, functions: Functions) -> None:
    blank = account.drop("band/blank.txt", b"\n")
    functions.submit(blank)
    assert ending_of(account, blank) == (State.FAILED, ReasonCode.EMPTY_FILE, False)


@pytest.mark.usefixtures("_open_breaker")
def test_another_workers_job_is_left_alone_behind_the_breaker(
    account: Account, functions: Functions, remembered: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert functions.submit(remembered)
    answered = job_of(account, remembered)
    monkeypatch.setattr("numberdrop.aws.ledger.Ledger.get", lambda *_: None)
    assert functions.submit(remembered)
    monkeypatch.undo()
    assert job_of(account, remembered) == answered
