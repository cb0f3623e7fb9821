"""The circuit breaker: one job holds it open, and only that job can close it."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.ledger import Ledger
from tests.support.account import Account
from tests.support.jobs import a_job
from tests.support.refusals import FailingDynamoDB, client_error

HOLDER, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def breaker(account: Account) -> CircuitBreaker:
    return CircuitBreaker(boto3.client("dynamodb"), account.jobs_table)


def test_the_breaker_is_closed_until_it_is_tripped(breaker: CircuitBreaker) -> None:
    assert breaker.holder() is None
    assert breaker.trip(HOLDER)
    assert breaker.holder() == HOLDER


def test_an_open_breaker_keeps_its_holder(breaker: CircuitBreaker) -> None:
    breaker.trip(HOLDER)
    assert not breaker.trip(OTHER)
    assert breaker.holder() == HOLDER


def test_the_holder_can_trip_the_breaker_again(breaker: CircuitBreaker) -> None:
    """The SDK may repeat a request whose answer was lost; the repeat must get the same answer."""
    breaker.trip(HOLDER)
    assert breaker.trip(HOLDER)


def test_the_holder_closes_the_breaker(breaker: CircuitBreaker) -> None:
    breaker.trip(HOLDER)
    breaker.close(HOLDER)
    assert breaker.holder() is None
    assert breaker.trip(OTHER)


def test_only_the_holder_closes_the_breaker(breaker: CircuitBreaker) -> None:
    breaker.trip(HOLDER)
    breaker.close(OTHER)
    assert breaker.holder() == HOLDER


def test_the_breaker_can_be_closed_twice(breaker: CircuitBreaker) -> None:
    breaker.trip(HOLDER)
    for _ in range(2):
        breaker.close(HOLDER)
    assert breaker.holder() is None


def test_an_open_breaker_is_not_listed_as_a_job(
    account: Account, ledger: Ledger, breaker: CircuitBreaker
) -> None:
    account.put(a_job())
    breaker.trip(HOLDER)
    assert list(ledger.unsettled()) == [a_job().job_id]
    assert ledger.get(HOLDER) is None


def test_a_table_error_is_not_mistaken_for_another_holder() -> None:
    dynamodb: Any = FailingDynamoDB(client_error("ProvisionedThroughputExceededException", "Write"))
    breaker = CircuitBreaker(dynamodb, "jobs")
    for change in (breaker.trip, breaker.close):
        with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
            change(HOLDER)
