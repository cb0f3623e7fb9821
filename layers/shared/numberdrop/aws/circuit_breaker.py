"""The circuit breaker in front of the vendor: closed in normal running, open while uploads wait.

The state is one item of the jobs table, so it is as durable as the ledger. No item means closed; its rules
are in ``jobs/breaker.py``. Every write has the condition that the item has not changed since it was read, so
no two workers can take the same turn, however different their clocks are.

The item's key is ``the line``, the breaker's name in older versions; existing tables and the IAM policies
use it.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from botocore.exceptions import ClientError

from numberdrop.aws.ledger import NON_JOB_PREFIX, Ledger, is_refused_condition
from numberdrop.aws.serialisation import from_attributes, to_attribute, to_attributes
from numberdrop.jobs.breaker import OpenBreaker

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BREAKER_KEY = f"{NON_JOB_PREFIX}line"
"""The key of the breaker's item in the jobs table."""

_NEW_OR_OWN = "attribute_not_exists(job_id) OR last_write = :own"
_UNCHANGED_OR_OWN = "last_write = :read OR last_write = :own"
_OF_OLDER_VERSION = "holder = :holder AND attribute_not_exists(last_write)"


@dataclass(frozen=True)
class CircuitBreaker:
    """Stores the breaker's state.

    A write whose answer was lost is repeated by botocore. The repeated write succeeds, because each condition
    also accepts the write's own unique name.

    >>> import boto3
    >>> from datetime import UTC, datetime
    >>> from numberdrop.jobs.breaker import Cause
    >>> from numberdrop.jobs.upload import Upload
    >>> dynamodb = boto3.client("dynamodb")
    >>> _ = dynamodb.create_table(
    ...     TableName="breaker-example",
    ...     KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
    ...     AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
    ...     BillingMode="PAY_PER_REQUEST",
    ... )
    >>> breaker = CircuitBreaker(dynamodb, "breaker-example")
    >>> upload = Upload("uploads", "band/a.txt", "v1", "etag", 1200, "0A")
    >>> opened = OpenBreaker.opened(upload, Cause.OUTAGE, datetime.now(UTC))
    >>> breaker.open(opened), breaker.open(opened), breaker.holder() == upload.job_id
    (True, False, True)
    """

    client: "DynamoDBClient"
    table: str

    @classmethod
    def beside(cls, ledger: Ledger) -> Self:
        """Return the circuit breaker that is stored in the ledger's table."""
        return cls(ledger.client, ledger.table)

    def state(self) -> OpenBreaker | None:
        """Return the state of the breaker, or None if it is closed (consistent read)."""
        answer = self.client.get_item(
            TableName=self.table, Key={"job_id": {"S": BREAKER_KEY}}, ConsistentRead=True
        )
        item = answer.get("Item")
        if not item:
            return None
        return OpenBreaker.from_item(from_attributes(item))

    def holder(self) -> str | None:
        """Return the id of the job that opened the breaker, or None if it is closed (consistent read)."""
        state = self.state()
        return state.holder if state else None

    def open(self, opened: OpenBreaker) -> bool:
        """Open the breaker; return False if it was open already."""
        return self._put(opened, _NEW_OR_OWN, {}) is not None

    def change(self, read: OpenBreaker, new: OpenBreaker) -> OpenBreaker | None:
        """Replace the state that was read by a new one.

        Returns:
            The new state as stored, or None if the stored state has changed since it was read.
        """
        condition, values = _if_unchanged(read)
        return self._put(new, condition, values)

    def close(self, read: OpenBreaker) -> None:
        """Close the breaker, unless its state has changed since it was read."""
        condition, values = _if_unchanged(read)
        try:
            self.client.delete_item(
                TableName=self.table,
                Key={"job_id": {"S": BREAKER_KEY}},
                ConditionExpression=condition.partition(" OR ")[0],
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if not is_refused_condition(error):
                raise

    def _put(self, new: OpenBreaker, condition: str, values: dict[str, Any]) -> OpenBreaker | None:
        named = replace(new, last_write=uuid4().hex)
        item = {"job_id": BREAKER_KEY, **named.as_item()}
        try:
            self.client.put_item(
                TableName=self.table,
                Item=to_attributes(item),
                ConditionExpression=condition,
                ExpressionAttributeValues=values | {":own": to_attribute(named.last_write)},
            )
        except ClientError as error:
            if not is_refused_condition(error):
                raise
            return None
        return named


def _if_unchanged(read: OpenBreaker) -> tuple[str, dict[str, Any]]:
    """Return the condition that nobody has written since a state was read, and the condition's values."""
    if read.last_write is None:
        return f"{_OF_OLDER_VERSION} OR last_write = :own", {":holder": to_attribute(read.holder)}
    return _UNCHANGED_OR_OWN, {":read": to_attribute(read.last_write)}
