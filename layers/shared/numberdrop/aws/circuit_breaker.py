"""The circuit breaker in front of the vendor: closed in normal running, open while uploads wait.

If the vendor refuses the API key, or the account has no money, it refuses every file. So the first job that
is refused opens the breaker and becomes its holder. Only the holder's file is sent again now and then
(half-open), which costs nothing as long as it is refused. All other uploads wait until the breaker closes.

The state is one item of the jobs table, so it is as durable as the ledger. No item means closed. The item's
key is ``the line``, the breaker's name in older versions; existing tables and the IAM policies use it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from botocore.exceptions import ClientError

from numberdrop.aws.ledger import NON_JOB_PREFIX, Ledger, is_refused_condition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BREAKER_KEY = f"{NON_JOB_PREFIX}line"
"""The key of the breaker's item in the jobs table."""


@dataclass(frozen=True)
class CircuitBreaker:
    """Opens and closes the breaker, and says which job holds it open.

    >>> import boto3
    >>> dynamodb = boto3.client("dynamodb")
    >>> _ = dynamodb.create_table(
    ...     TableName="breaker-example",
    ...     KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
    ...     AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
    ...     BillingMode="PAY_PER_REQUEST",
    ... )
    >>> breaker = CircuitBreaker(dynamodb, "breaker-example")
    >>> breaker.trip("job-1"), breaker.trip("job-2"), breaker.holder()
    (True, False, 'job-1')
    """

    client: "DynamoDBClient"
    table: str

    @classmethod
    def beside(cls, ledger: Ledger) -> Self:
        """Return the circuit breaker that is stored in the ledger's table."""
        return cls(ledger.client, ledger.table)

    def holder(self) -> str | None:
        """Return the id of the job that holds the breaker open, or None if it is closed (consistent read)."""
        answer = self.client.get_item(
            TableName=self.table, Key={"job_id": {"S": BREAKER_KEY}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return item["holder"]["S"] if item else None

    def trip(self, job_id: str) -> bool:
        """Open the breaker in a job's name; return whether that job holds it now.

        Returns False if another job holds it already.
        """
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
        """Close the breaker if that job holds it; otherwise do nothing."""
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
