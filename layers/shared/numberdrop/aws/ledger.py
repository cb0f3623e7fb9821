"""The ledger of jobs in DynamoDB: the only truth about money."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, Unpack
from uuid import uuid4

from botocore.exceptions import ClientError

from numberdrop.aws.clients import make_client
from numberdrop.aws.serialisation import from_attribute, to_attribute
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.job import Job, JobChanges, timestamp, to_item
from numberdrop.jobs.transitions import CLAIM, RECLAIM, Guard, State, Transition
from numberdrop.jobs.upload import Upload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


UNSETTLED_INDEX = "unsettled"
"""The sparse index of jobs that are not settled; its hash key is the first digit of the job id."""

NON_JOB_PREFIX = "the "
"""How the keys of the table's other items begin, which are no jobs; no job id begins so."""

SHARDS = "0123456789abcdef"
"""The index's hash keys: sixteen, so that none of them is hot."""

MAX_KNOWN_AT_ONCE = 100
"""Items that can be asked for at once (DynamoDB API reference, "BatchGetItem")."""

SETTLED_ONCE_ANNOUNCED = {State.COMPLETED, State.FAILED, State.ABANDONED, State.IN_DOUBT}


class JobMissingError(Exception):
    """The ledger has no such job; the execution was started by hand or the table was emptied."""


class TransitionRefusedError(Exception):
    """The ledger has moved on: read the job again and decide anew.

    Attributes:
        current: the job as it stands, or None where there is none.
    """

    def __init__(self, transition: Transition, current: Job | None) -> None:
        state = current.state if current else "missing"
        super().__init__(f"'{transition.name}' does not apply: the job is {state}.")
        self.current = current


@dataclass(frozen=True)
class Ledger:
    """Reads jobs and writes transitions, each under the transition's own condition.

    DynamoDB can answer that a condition failed because an earlier try of the same request was already
    applied (botocore repeats requests whose answer was lost). So every write carries a name of its own, and
    a failed condition is believed only when the item bears another write's name.
    """

    client: "DynamoDBClient"
    table: str
    now: Clock = utc_now

    @classmethod
    def connect(cls, table: str) -> Self:
        """Return the ledger in a table, with a client of its own."""
        return cls(make_client("dynamodb"), table)

    def get(self, job_id: str) -> Job | None:
        """The job as it stands now (a consistent read), or None."""
        answer = self.client.get_item(
            TableName=self.table, Key={"job_id": {"S": job_id}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return _job(item) if item else None

    def require(self, job_id: str) -> Job:
        """The job as it stands now.

        Raises:
            JobMissingError: there is none.
        """
        job = self.get(job_id)
        if job is None:
            raise JobMissingError("The ledger has no such job.")
        return job

    def created_at(self) -> datetime:
        """Since which second there is this ledger; it knows no upload from before."""
        created = self.client.describe_table(TableName=self.table)["Table"]["CreationDateTime"]
        return created.replace(microsecond=0)

    def known(self, job_ids: Sequence[str]) -> set[str]:
        """Those of at most ``MAX_KNOWN_AT_ONCE`` job ids that the ledger has a job for."""
        wanted: dict[str, Any] = {
            self.table: {
                "Keys": [{"job_id": {"S": job_id}} for job_id in job_ids],
                "ProjectionExpression": "job_id",
            }
        }
        found: set[str] = set()
        while wanted:
            answer = self.client.batch_get_item(RequestItems=wanted)
            found |= {item["job_id"]["S"] for item in answer["Responses"].get(self.table, [])}
            wanted = answer["UnprocessedKeys"]
        return found

    def claim(self, upload: Upload, *, lease_until: datetime, deadline: datetime) -> Job:
        """Makes the job of an upload seen for the first time.

        Raises:
            TransitionRefusedError: the job exists; ``current`` is it.
        """
        return self._write(
            upload.job_id,
            CLAIM,
            {
                "upload": upload,
                "token": uuid4().hex,
                "lease_until": lease_until,
                "created_at": self.now(),
                "deadline": deadline,
            },
        )

    def reclaim(self, job: Job, *, lease_until: datetime, timeout: timedelta) -> Job:
        """Takes over a job whose lease is over, under a new attempt token.

        The time that a blocked job has waited for a person does not count: its deadline starts anew.

        Raises:
            TransitionRefusedError: somebody else took it first, or its lease runs.
        """
        deadline = self.now() + timeout if job.state is State.BLOCKED else job.deadline
        return self.move(job, RECLAIM, token=uuid4().hex, lease_until=lease_until, deadline=deadline)

    def move(self, job: Job, transition: Transition, **changes: Unpack[JobChanges]) -> Job:
        """Write one transition and the fields that change with it; return the job as written.

        Raises:
            TransitionRefusedError: the transition's condition does not hold.
            TypeError: a change is not a field of a job. Nothing was written.
        """
        expected = {
            Guard.TOKEN: job.token,
            Guard.TASK: job.task_id or "",
            Guard.LEASE_OVER: timestamp(self.now()),
            Guard.READ: job.last_write,
        }[transition.guard]
        return self._write(job.job_id, transition, changes, expected=expected)

    def extend_lease(self, job: Job, until: datetime) -> None:
        """Leaves a submitted job alone for a while, unless it has moved on."""
        self._update_if_unchanged(job, "SET lease_until = :until", {":until": timestamp(until)})

    def extend_deadline(self, job: Job, deadline: datetime) -> None:
        """Gives a job until a later deadline, unless it has moved on."""
        self._update_if_unchanged(job, "SET deadline = :deadline", {":deadline": timestamp(deadline)})

    def mark_announced(self, job: Job) -> None:
        """Remembers that the event of the job's ending was emitted. Harmless when repeated.

        A job that has ended, or waits for a person's decision, is settled with that.
        """
        settle = " REMOVE unsettled" if job.state in SETTLED_ONCE_ANNOUNCED else ""
        self._update_if_unchanged(job, f"ADD announced :ending{settle}", {":ending": frozenset({job.ending})})

    def unsettled(self) -> Iterator[str]:
        """The ids of the jobs that are not settled; those of the last seconds may be missing.

        It begins with another shard each minute, so that all have their turn where time does not do for all.
        """
        paginator = self.client.get_paginator("query")
        first = int(self.now().timestamp()) // 60 % len(SHARDS)
        for shard in SHARDS[first:] + SHARDS[:first]:
            for page in paginator.paginate(
                TableName=self.table,
                IndexName=UNSETTLED_INDEX,
                KeyConditionExpression="unsettled = :shard",
                ExpressionAttributeValues={":shard": {"S": shard}},
            ):
                yield from (item["job_id"]["S"] for item in page["Items"])

    def _update_if_unchanged(self, job: Job, expression: str, values: Mapping[str, Any]) -> None:
        try:
            self.client.update_item(
                TableName=self.table,
                Key={"job_id": {"S": job.job_id}},
                UpdateExpression=expression,
                ConditionExpression="last_write = :read",
                ExpressionAttributeValues=_attributes({**values, ":read": job.last_write}),
            )
        except ClientError as error:
            if not is_refused_condition(error):
                raise

    def _write(
        self, job_id: str, transition: Transition, changes: JobChanges, *, expected: str | None = None
    ) -> Job:
        _check_names(changes)
        write_name = uuid4().hex
        always = {"state": transition.target, "last_write": write_name, "unsettled": job_id[0]}
        attributes = to_item({**changes, **always})
        sources = {f":from{n}": state for n, state in enumerate(sorted(transition.sources))}
        guard = {} if expected is None else {":expected": expected}
        values = {f":{name}": value for name, value in attributes.items()} | sources | guard
        assignments = ", ".join(f"#{name} = :{name}" for name in attributes)
        # After a person's decision the job may end as it did before, and that is news.
        forgotten = " REMOVE announced" if transition.guard is Guard.READ else ""
        names = {f"#{name}": name for name in attributes}
        try:
            answer = self.client.update_item(
                TableName=self.table,
                Key={"job_id": {"S": job_id}},
                UpdateExpression=f"SET {assignments}{forgotten}",
                ConditionExpression=_condition(transition, sources),
                ExpressionAttributeNames=names | {"#guarded": _GUARDED[transition.guard]},
                ExpressionAttributeValues=_attributes(values),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_refused_condition(error):
                raise
            item: Any = error.response.get("Item")
            current = _job(item) if item else None
            if current and current.last_write == write_name:
                return current
            raise TransitionRefusedError(transition, current) from None
        return _job(answer["Attributes"])


_GUARDED = {
    Guard.NEW: "job_id",
    Guard.TOKEN: "token",
    Guard.TASK: "task_id",
    Guard.LEASE_OVER: "lease_until",
    Guard.READ: "last_write",
}
"""The attribute that each guard looks at."""


def is_refused_condition(error: ClientError) -> bool:
    """Whether DynamoDB refused a write because its condition did not hold."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _check_names(changes: JobChanges) -> None:
    unknown = sorted(changes.keys() - JobChanges.__optional_keys__)
    if unknown:
        raise TypeError(
            f"The ledger cannot set {', '.join(unknown)}. Name a field of numberdrop.jobs.job.JobChanges."
        )


def _condition(transition: Transition, sources: Mapping[str, State]) -> str:
    match transition.guard:
        case Guard.NEW:
            return "attribute_not_exists(#guarded)"
        case Guard.LEASE_OVER:
            guard = "#guarded <= :expected"
        case Guard.TOKEN | Guard.TASK | Guard.READ:
            guard = "#guarded = :expected"
    return f"#state IN ({', '.join(sources)}) AND {guard}"


def _attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_attribute(value) for name, value in values.items()}


def _job(item: Mapping[str, Any]) -> Job:
    return Job.from_item({name: from_attribute(attribute) for name, attribute in item.items()})
