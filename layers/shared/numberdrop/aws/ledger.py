"""The ledger of jobs in DynamoDB: the only source of truth about charges."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, Unpack
from uuid import uuid4

from botocore.exceptions import ClientError

from numberdrop.aws.clients import PROMPT, make_client
from numberdrop.aws.serialisation import from_attributes, to_attributes
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.job import Job, JobChanges, UnsettledJob, timestamp, to_item
from numberdrop.jobs.transitions import (
    CLAIM,
    RECLAIM,
    RELEASE,
    Guard,
    State,
    Transition,
)
from numberdrop.jobs.upload import Upload

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


UNSETTLED_INDEX = "unsettled_jobs"
"""The sparse index of unsettled jobs, with the fields of ``UnsettledJob``. Its hash key is the attribute
``unsettled``, the first digit of the job id."""

INDEXED = tuple(field.name for field in fields(UnsettledJob) if field.name != "job_id")
"""The attributes of a job that the index holds."""

MONTH_INDEX = "jobs_by_month"
"""The index of all jobs by ``created_month``, such as 2026-03, and ``created_at``. It also holds ``upload``.
None of these attributes changes, so the index costs one write for each job."""

NON_JOB_PREFIX = "the "
"""The prefix of the keys of items that are not jobs. Job ids are hexadecimal, so none starts like this."""

SHARDS = "0123456789abcdef"
"""The hash keys of the index: sixteen, to spread the load."""

MAX_KNOWN_AT_ONCE = 100
"""The most items that one request can read (DynamoDB API reference, "BatchGetItem")."""

SETTLED_ONCE_ANNOUNCED = {State.COMPLETED, State.FAILED, State.ABANDONED, State.IN_DOUBT}


class JobMissingError(Exception):
    """The ledger has no such job: the execution was started by hand, or the table was emptied."""


class TransitionRefusedError(Exception):
    """The job has changed since it was read: read it again and decide again.

    Attributes:
        current: the job as it is now, or None if there is none.
    """

    def __init__(self, transition: Transition, current: Job | None) -> None:
        state = current.state if current else "missing"
        super().__init__(f"'{transition.name}' does not apply: the job is {state}.")
        self.current = current


@dataclass(frozen=True)
class Ledger:
    """Reads jobs, and writes each transition under its own condition.

    botocore repeats a request whose answer was lost. The repeated request then fails its condition, because
    the first one was applied. So every write stores a unique name, and a failed condition counts only if the
    item has the name of another write.

    >>> from numberdrop.jobs.transitions import DECLINE
    >>> client = make_client("dynamodb")
    >>> _ = client.create_table(TableName="jobs", BillingMode="PAY_PER_REQUEST",
    ...     AttributeDefinitions=[{"AttributeName": "job_id", "AttributeType": "S"}],
    ...     KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}])
    >>> ledger = Ledger(client, "jobs")
    >>> upload, soon = Upload("uploads", "band/a.txt", "v1", "etag", 1200, "0A"), utc_now()
    >>> job = ledger.claim(upload, lease_until=soon, deadline=soon)
    >>> ledger.move(job, DECLINE, finished_at=utc_now()).state == ledger.require(job.job_id).state == "failed"
    True
    """

    client: "DynamoDBClient"
    table: str
    now: Clock = utc_now

    @classmethod
    def connect(cls, table: str) -> Self:
        """Return the ledger in a table, with its own client."""
        return cls(make_client("dynamodb", PROMPT), table)

    def get(self, job_id: str) -> Job | None:
        """Return the job as it is now (a consistent read), or None."""
        answer = self.client.get_item(
            TableName=self.table, Key={"job_id": {"S": job_id}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return _job(item) if item else None

    def require(self, job_id: str) -> Job:
        """Return the job as it is now.

        Raises:
            JobMissingError: there is no such job.
        """
        job = self.get(job_id)
        if job is None:
            raise JobMissingError("The ledger has no such job.")
        return job

    def created_at(self) -> datetime:
        """Return when the table was created, to the second. The ledger knows no earlier upload."""
        created = self.client.describe_table(TableName=self.table)["Table"]["CreationDateTime"]
        return created.replace(microsecond=0)

    def known(self, job_ids: Sequence[str]) -> set[str]:
        """Return those of the job ids, at most ``MAX_KNOWN_AT_ONCE``, for which there is a job."""
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
        """Create the job of an upload that is seen for the first time.

        Raises:
            TransitionRefusedError: the job exists already; it is the error's ``current``.
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
        """Take over a job whose lease has expired, with a new token.

        The deadline of a blocked job is reset, because the time it waited for a person does not count.

        Raises:
            TransitionRefusedError: somebody else took it over first, or its lease has not expired.
        """
        deadline = self.now() + timeout if job.state is State.BLOCKED else job.deadline
        return self.move(job, RECLAIM, token=uuid4().hex, lease_until=lease_until, deadline=deadline)

    def end_claim(self, job_id: str) -> None:
        """End the lease of a job that is claimed, so that it can be taken over at once.

        If its worker is still at work after all, no money is at risk: it can send the file only with the
        job's token, which changes when the job is taken over.
        """
        job = self.get(job_id)
        if job and job.state is State.CLAIMED and job.lease_until > self.now():
            with suppress(TransitionRefusedError):
                self.move(job, RELEASE, lease_until=self.now())

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
        """Extend the lease of a job, unless the job has changed since it was read."""
        self._update_if_unchanged(job, "SET lease_until = :until", {":until": timestamp(until)})

    def extend_deadline(self, job: Job, deadline: datetime) -> None:
        """Extend the deadline of a job, unless the job has changed since it was read."""
        self._update_if_unchanged(job, "SET deadline = :deadline", {":deadline": timestamp(deadline)})

    def mark_announced(self, job: Job) -> None:
        """Record that the event of the job's ending was emitted. Repeating this changes nothing.

        It settles a job that has ended or that waits for a person's decision.
        """
        settle = " REMOVE unsettled" if job.state in SETTLED_ONCE_ANNOUNCED else ""
        self._update_if_unchanged(job, f"ADD announced :ending{settle}", {":ending": frozenset({job.ending})})

    def unsettled(self) -> Iterator[tuple[str, UnsettledJob | None]]:
        """Yield the ids of unsettled jobs, each with what the index knows about the job.

        The index may lack the writes of the last seconds. None means that its copy cannot be read.

        The shards are rotated every minute, so that runs that are cut short do not always skip the same ones.
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
                for item in map(from_attributes, page["Items"]):
                    yield item["job_id"], UnsettledJob.from_item(item)

    def _update_if_unchanged(self, job: Job, expression: str, values: Mapping[str, Any]) -> None:
        try:
            self.client.update_item(
                TableName=self.table,
                Key={"job_id": {"S": job.job_id}},
                UpdateExpression=expression,
                ConditionExpression="last_write = :read",
                ExpressionAttributeValues=to_attributes({**values, ":read": job.last_write}),
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
        month = {"created_month": month_of(changes["created_at"])} if "created_at" in changes else {}
        attributes = to_item({**changes, **always, **month})
        sources = {f":from{n}": state for n, state in enumerate(sorted(transition.sources))}
        guard = {} if expected is None else {":expected": expected}
        values = {f":{name}": value for name, value in attributes.items()} | sources | guard
        assignments = ", ".join(f"#{name} = :{name}" for name in attributes)
        # After a person's decision, a job may end the same way again; that must be announced again.
        forget_announced = " REMOVE announced" if transition.guard is Guard.READ else ""
        names = {f"#{name}": name for name in attributes}
        try:
            answer = self.client.update_item(
                TableName=self.table,
                Key={"job_id": {"S": job_id}},
                UpdateExpression=f"SET {assignments}{forget_announced}",
                ConditionExpression=_condition(transition, sources),
                ExpressionAttributeNames=names | {"#guarded": _GUARDED[transition.guard]},
                ExpressionAttributeValues=to_attributes(values),
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
"""The attribute that each guard compares."""


def month_of(moment: datetime) -> str:
    """Return the month of a moment in UTC.

    >>> month_of(datetime.fromisoformat("2026-04-01T00:30+02:00"))
    '2026-03'
    """
    return timestamp(moment)[:7]


def is_refused_condition(error: ClientError) -> bool:
    """Return whether DynamoDB refused a write because its condition does not hold."""
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


def _job(item: Mapping[str, Any]) -> Job:
    return Job.from_item(from_attributes(item))
