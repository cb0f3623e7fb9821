"""A message that is delivered again continues its upload at once."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from local.simulator import Simulator
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.preparation import Preparer
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions, KilledError
from tests.support.outcomes import job_of


@pytest.fixture
def claim_is_lost(account: Account, functions: Functions) -> Upload:
    """Drop an upload whose claim is written, but not answered, so that its worker fails."""
    upload = account.drop("band/a.txt", file_of())
    claim = Ledger.claim

    def claim_without_answer(ledger: Ledger, *arguments: Any, **named: Any) -> Job:
        claim(ledger, *arguments, **named)
        raise ReadTimeoutError(endpoint_url="https://dynamodb.example")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "claim", claim_without_answer)
        assert not functions.submit(upload)
    return upload


def test_a_claim_with_a_lost_answer_does_not_wait_for_its_lease(
    account: Account, functions: Functions, simulator: Simulator, claim_is_lost: Upload
) -> None:
    assert job_of(account, claim_is_lost).state is State.CLAIMED
    assert functions.submit(claim_is_lost, receives=2)
    assert job_of(account, claim_is_lost).state is State.SUBMITTED
    assert len(simulator.charges) == 1


def test_a_job_of_a_killed_worker_does_not_wait_for_its_lease(
    account: Account, functions: Functions, simulator: Simulator
) -> None:
    upload = account.drop("band/a.txt", file_of())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Preparer, "prepare", _die)
        with pytest.raises(KilledError):
            functions.submit(upload)
    assert functions.submit(upload, receives=2)
    assert job_of(account, upload).state is State.SUBMITTED
    assert len(simulator.charges) == 1


def test_a_duplicate_of_the_event_leaves_the_job_to_its_worker(
    account: Account, functions: Functions, simulator: Simulator, claim_is_lost: Upload
) -> None:
    assert functions.submit(claim_is_lost)
    assert job_of(account, claim_is_lost).state is State.CLAIMED
    assert not simulator.charges


def test_a_worker_whose_job_was_taken_over_sends_nothing(
    account: Account, functions: Functions, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())
    prepare, deliveries = Preparer.prepare, [2]

    def prepare_while_the_message_comes_again(preparer: Preparer, *arguments: Any, **named: Any) -> Any:
        while deliveries:
            assert functions.submit(upload, receives=deliveries.pop())
        return prepare(preparer, *arguments, **named)

    monkeypatch.setattr(Preparer, "prepare", prepare_while_the_message_comes_again)
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED
    assert len(simulator.charges) == 1


@pytest.mark.parametrize("receives", [2, 3])
def test_a_message_received_again_after_the_charge_sends_nothing(
    account: Account, functions: Functions, simulator: Simulator, receives: int
) -> None:
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    assert functions.submit(upload, receives=receives)
    assert len(simulator.charges) == 1


def _die(*_: Any, **__: Any) -> None:
    raise KilledError
