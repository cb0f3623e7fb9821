"""The line to the vendor: one job holds it, and only that job gives it up."""

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


def test_a_line_is_open_until_it_is_stopped(breaker: CircuitBreaker) -> None:
    assert breaker.holder() is None
    assert breaker.trip(HOLDER)
    assert breaker.holder() == HOLDER


def test_a_stopped_line_keeps_its_holder(breaker: CircuitBreaker) -> None:
    breaker.trip(HOLDER)
    assert not breaker.trip(OTHER)
    assert breaker.holder() == HOLDER


def test_the_holder_may_stop_the_line_again(breaker: CircuitBreaker) -> None:
    """So a request that the SDK repeats, because its answer was lost, is answered as the first was."""
    breaker.trip(HOLDER)
    assert breaker.trip(HOLDER)


def test_the_holder_opens_the_line(breaker: CircuitBreaker) -> None:
    breaker.trip(HOLDER)
    breaker.close(HOLDER)
    assert breaker.holder() is None
    assert breaker.trip(OTHER)


def test_nobody_else_opens_the_line(breaker: CircuitBreaker) -> None:
    breaker.trip(HOLDER)
    breaker.close(OTHER)
    assert breaker.holder() == HOLDER


def test_a_line_may_be_opened_twice(breaker: CircuitBreaker) -> None:
    breaker.trip(HOLDER)
    for _ in range(2):
        breaker.close(HOLDER)
    assert breaker.holder() is None


def test_a_stopped_line_is_no_job(account: Account, ledger: Ledger, breaker: CircuitBreaker) -> None:
    account.put(a_job())
    breaker.trip(HOLDER)
    assert list(ledger.unsettled()) == [a_job().job_id]
    assert ledger.get(HOLDER) is None


def test_a_failure_of_the_table_is_not_taken_for_another_holder() -> None:
    dynamodb: Any = FailingDynamoDB(client_error("ProvisionedThroughputExceededException", "Write"))
    breaker = CircuitBreaker(dynamodb, "jobs")
    for change in (breaker.trip, breaker.close):
        with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
            change(HOLDER)
