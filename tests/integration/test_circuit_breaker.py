"""The circuit breaker's item: every write needs the state that was read."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from numberdrop.aws.circuit_breaker import BREAKER_KEY, CircuitBreaker
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.breaker import Cause, OpenBreaker
from tests.support.account import Account
from tests.support.jobs import NOON, a_job, an_upload
from tests.support.refusals import FailingDynamoDB, client_error

UPLOAD, OTHER = an_upload(), an_upload("phoneCheck/other.txt")
OUTAGE = OpenBreaker.opened(UPLOAD, Cause.OUTAGE, NOON)
REFUSAL = OpenBreaker.opened(OTHER, Cause.KEY, NOON, key_version="version-one")


@pytest.fixture
def breaker(account: Account) -> CircuitBreaker:
    return CircuitBreaker(boto3.client("dynamodb"), account.jobs_table)


def state_of(breaker: CircuitBreaker) -> OpenBreaker:
    state = breaker.state()
    assert state
    return state


def test_the_breaker_is_closed_until_it_is_opened(breaker: CircuitBreaker) -> None:
    assert (breaker.state(), breaker.holder()) == (None, None)
    assert breaker.open(OUTAGE)
    assert breaker.holder() == UPLOAD.job_id


@pytest.mark.parametrize("opened", [OUTAGE, REFUSAL, OUTAGE.with_turn(OTHER, NOON)])
def test_a_state_is_read_as_it_was_stored(breaker: CircuitBreaker, opened: OpenBreaker) -> None:
    breaker.open(opened)
    stored = state_of(breaker)
    assert stored.last_write
    assert stored == OpenBreaker.from_item({**opened.as_item(), "last_write": stored.last_write})


def test_an_open_breaker_keeps_its_holder(breaker: CircuitBreaker) -> None:
    breaker.open(OUTAGE)
    assert not breaker.open(REFUSAL)
    assert breaker.holder() == UPLOAD.job_id


def test_a_state_is_changed_only_once(breaker: CircuitBreaker) -> None:
    """Of two workers that read the same state, one gets the turn, whatever their clocks say."""
    breaker.open(OUTAGE)
    read = state_of(breaker)
    assert breaker.change(read, read.with_turn(OTHER, NOON))
    assert not breaker.change(read, read.with_turn(UPLOAD, NOON + timedelta(days=1)))
    assert state_of(breaker).prober == OTHER.job_id


def test_a_closed_breaker_is_not_changed(breaker: CircuitBreaker) -> None:
    breaker.open(OUTAGE)
    read = state_of(breaker)
    breaker.close(read)
    assert breaker.change(read, read.with_turn(OTHER, NOON)) is None
    assert breaker.state() is None


def test_a_changed_breaker_is_not_closed(breaker: CircuitBreaker) -> None:
    breaker.open(OUTAGE)
    read = state_of(breaker)
    breaker.change(read, read.with_turn(OTHER, NOON))
    breaker.close(read)
    assert state_of(breaker).prober == OTHER.job_id


def test_the_breaker_can_be_closed_twice(breaker: CircuitBreaker) -> None:
    breaker.open(OUTAGE)
    read = state_of(breaker)
    for _ in range(2):
        breaker.close(read)
    assert breaker.state() is None


def test_an_item_of_an_older_version_is_understood(account: Account, breaker: CircuitBreaker) -> None:
    """It has the id of the blocked job and nothing else; the next upload may have the turn at once."""
    dynamodb = boto3.client("dynamodb")
    item = {"job_id": {"S": BREAKER_KEY}, "holder": {"S": UPLOAD.job_id}}
    dynamodb.put_item(TableName=account.jobs_table, Item=item)
    read = state_of(breaker)
    assert (read.holder, read.cause, read.prober) == (UPLOAD.job_id, Cause.BALANCE, None)
    assert read.due_for(UPLOAD) < NOON
    assert breaker.change(read, read.with_turn(UPLOAD, NOON))
    assert breaker.change(read, read.with_turn(OTHER, NOON)) is None

    dynamodb.put_item(TableName=account.jobs_table, Item=item)
    breaker.close(read)
    assert breaker.state() is None
    assert breaker.change(read, read.with_turn(UPLOAD, NOON)) is None


def test_an_open_breaker_is_not_listed_as_a_job(
    account: Account, ledger: Ledger, breaker: CircuitBreaker
) -> None:
    account.put(a_job())
    breaker.open(REFUSAL)
    assert [job_id for job_id, _ in ledger.unsettled()] == [a_job().job_id]
    assert ledger.get(OTHER.job_id) is None


class RepeatingDynamoDB:
    """DynamoDB as botocore uses it after an answer was lost: every write is applied and then repeated."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def get_item(self, **request: Any) -> Any:
        return self._client.get_item(**request)

    def put_item(self, **request: Any) -> Any:
        self._client.put_item(**request)
        return self._client.put_item(**request)


def test_a_write_whose_answer_was_lost_is_recognised(breaker: CircuitBreaker) -> None:
    client: Any = RepeatingDynamoDB(breaker.client)
    repeating = CircuitBreaker(client, breaker.table)
    assert repeating.open(OUTAGE)
    read = state_of(repeating)
    assert repeating.change(read, read.with_turn(OTHER, NOON))


def test_a_table_error_is_not_mistaken_for_a_changed_state() -> None:
    dynamodb: Any = FailingDynamoDB(client_error("ProvisionedThroughputExceededException", "Write"))
    breaker = CircuitBreaker(dynamodb, "jobs")
    for write in (
        lambda: breaker.open(OUTAGE),
        lambda: breaker.change(OUTAGE, OUTAGE),
        lambda: breaker.close(OUTAGE),
    ):
        with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
            write()
