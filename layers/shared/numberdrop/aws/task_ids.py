"""Which job each task id belongs to, so that one task is never taken for the task of two files.

The vendor should give every file a task of its own. If it repeats a task id, the two jobs would share one
export, and nobody could tell which of the files was charged.

Each task id has one item in the jobs table. Jobs that older versions submitted have none.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from botocore.exceptions import ClientError

from numberdrop.aws.ledger import NON_JOB_PREFIX, Ledger, is_refused_condition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TASK_KEY = NON_JOB_PREFIX + "task {task_id}"
"""The key of a task id's item. The submit function's role names this prefix."""


@dataclass(frozen=True)
class TaskIds:
    """Assigns each task id to one job, for good.

    >>> import boto3
    >>> dynamodb = boto3.client("dynamodb")
    >>> _ = dynamodb.create_table(
    ...     TableName="task-ids-example",
    ...     KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
    ...     AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
    ...     BillingMode="PAY_PER_REQUEST",
    ... )
    >>> task_ids = TaskIds(dynamodb, "task-ids-example")
    >>> task_ids.assign("task-1", "job-1"), task_ids.assign("task-1", "job-2")
    (True, False)
    """

    client: "DynamoDBClient"
    table: str

    @classmethod
    def beside(cls, ledger: Ledger) -> Self:
        """Return the task ids that are stored in the ledger's table."""
        return cls(ledger.client, ledger.table)

    def assign(self, task_id: str, job_id: str) -> bool:
        """Assign a task id to a job; return False if it belongs to another job.

        Repeating this changes nothing.
        """
        try:
            self.client.put_item(
                TableName=self.table,
                Item={"job_id": {"S": TASK_KEY.format(task_id=task_id)}, "belongs_to": {"S": job_id}},
                ConditionExpression="attribute_not_exists(job_id) OR belongs_to = :job_id",
                ExpressionAttributeValues={":job_id": {"S": job_id}},
            )
        except ClientError as error:
            if not is_refused_condition(error):
                raise
            return False
        return True
