"""The line to the vendor: stopped for every upload when the account or the key is refused.

A refused key or an empty account refuses every file. So one job holds the line and is tried again now and
then, free of charge, while the uploads behind it wait untouched. The line is one item of the jobs table, as
safe as the ledger.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from botocore.exceptions import ClientError

from numberdrop.aws.ledger import NON_JOB_PREFIX, Ledger, is_refused_condition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BREAKER_KEY = f"{NON_JOB_PREFIX}line"
"""The item's key."""


@dataclass(frozen=True)
class CircuitBreaker:
    """Who holds the line, if anybody does."""

    client: "DynamoDBClient"
    table: str

    @classmethod
    def beside(cls, ledger: Ledger) -> Self:
        """Return the circuit breaker that is kept in the ledger's table."""
        return cls(ledger.client, ledger.table)

    def holder(self) -> str | None:
        """The id of the job that holds the line (a consistent read), or None while it is open."""
        answer = self.client.get_item(
            TableName=self.table, Key={"job_id": {"S": BREAKER_KEY}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return item["holder"]["S"] if item else None

    def trip(self, job_id: str) -> bool:
        """Stops the line in a job's name; returns whether that job holds it now."""
        try:
            self.client.put_item(
                TableName=self.table,
                Item={"job_id": {"S": BREAKER_KEY}, "holder": {"S": job_id}},
                ConditionExpression="attribute_not_exists(job_id) OR holder = :job_id",
                ExpressionAttributeValues={":job_id": {"S": job_id}},
            )
        except ClientError as error:
            if not is_refused_condition(error):
                raise
            return False
        return True

    def close(self, holder: str) -> None:
        """Opens the line again, if that job holds it."""
        try:
            self.client.delete_item(
                TableName=self.table,
                Key={"job_id": {"S": BREAKER_KEY}},
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": {"S": holder}},
            )
        except ClientError as error:
            if not is_refused_condition(error):
                raise
