"""Search all jobs by reading the whole table. Only commands that people run do this."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numberdrop.aws.ledger import NON_JOB_PREFIX
from numberdrop.aws.serialisation import from_attributes
from numberdrop.jobs.transitions import FORGOTTEN, State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.errors import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MAY_REPEAT = FORGOTTEN.sources
"""The states from which a file can be sent, perhaps after a person's decision."""

ID_DIGITS = 64
"""Hexadecimal digits of a whole job id."""


OF_SUMMARY = (
    "job_id",
    "state",
    "checker",
    "upload",
    "created_at",
    "submitted_at",
    "finished_at",
    "reason",
)
"""The attributes of an item from which a summary is made."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a listing shows about a job.

    Attributes:
        since: when the job ended or began to wait for a person, else when it was submitted, else when it was
            created. ISO 8601 in UTC.
        reason: the reason code, or None.
        created_at: when the upload was first seen. ISO 8601 in UTC.
    """

    job_id: str
    state: str
    checker: str | None
    key: str
    since: str
    reason: str | None
    created_at: str


@dataclass(frozen=True)
class JobsTable:
    """The ledger's table, as something to scan."""

    client: "DynamoDBClient"
    table: str

    def summaries(self, state: State | None = None) -> Iterator[Summary]:
        """Yield all jobs, or those in one state, in no order."""
        if state is None:
            found = self._scan("NOT begins_with(#job_id, :value)", NON_JOB_PREFIX, OF_SUMMARY)
        else:
            found = self._scan("#state = :value", state, OF_SUMMARY)
        return map(summary_of, found)

    def full_id(self, prefix: str) -> str:
        """Return the id of the one job whose id begins with these digits.

        A whole id is returned without a look at the table.

        Raises:
            RefusedError: no job matches, or several do.
        """
        if len(prefix) == ID_DIGITS:
            return prefix
        found = [
            str(item["job_id"]) for item in self._scan("begins_with(#job_id, :value)", prefix, ["job_id"])
        ]
        if not found:
            raise RefusedError(f"No job id begins with {prefix}.")
        if len(found) > 1:
            raise RefusedError(f"{len(found)} job ids begin with {prefix}. Give more digits.")
        return found[0]

    def job_of_upload(self, upload: Upload) -> str | None:
        """Return the id of the latest job with the key and ETag of an upload, or None.

        For uploads without a version, whose job id cannot be computed.
        """
        found = [
            (str(item["created_at"]), str(item["job_id"]))
            for item in self._scan("#upload.#key = :value", upload.key, ["job_id", "created_at", "upload"])
            if item["upload"]["etag"] == upload.etag
        ]
        return max(found)[1] if found else None

    def job_of_task(self, task_id: str) -> str | None:
        """Return the id of the job that a task belongs to, or None."""
        found = self._scan("#task_id = :value", task_id, ["job_id", "task_id"])
        return next((item["job_id"] for item in found), None)

    def remembered_entries(self) -> Counter[str]:
        """Return how many entries completed jobs did not send because they were remembered, by checker."""
        remembered: Counter[str] = Counter()
        for item in self._scan("#state = :value", State.COMPLETED, ["state", "counts", "checker"]):
            if count := item["counts"].get("remembered"):
                remembered[item["checker"]] += count
        return remembered

    def fence_tokens_of_repeatable_jobs(self) -> dict[str, set[str] | None]:
        """Return all jobs by id: the fence tokens of a job that may be sent again, None for any other job."""
        wanted = ["job_id", "state", "fence_tokens"]
        found = self._scan("NOT begins_with(#job_id, :value)", NON_JOB_PREFIX, wanted)
        return {
            item["job_id"]: item.get("fence_tokens", set()) if item["state"] in _MAY_REPEAT else None
            for item in found
        }

    def _scan(self, condition: str, value: str, attributes: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield some attributes of all items for which a condition holds.

        Args:
            condition: names attributes as ``#name``, and the value as ``:value``.
            value: the text to compare with.
            attributes: the attributes to return. The fewer there are, the less is sent and parsed.
        """
        names = {f"#{name}": name for name in attributes}
        if "#key" in condition:
            names["#key"] = "key"
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table,
            ConsistentRead=True,
            FilterExpression=condition,
            ExpressionAttributeValues={":value": {"S": value}},
            ExpressionAttributeNames=names,
            ProjectionExpression=", ".join(f"#{name}" for name in attributes),
        )
        for page in pages:
            for item in page["Items"]:
                yield from_attributes(item)


def summary_of(item: Mapping[str, Any]) -> Summary:
    """Return the summary of an item, given as plain values."""
    return Summary(
        job_id=item["job_id"],
        state=item["state"],
        checker=item.get("checker"),
        key=item["upload"]["key"],
        since=item.get("finished_at") or item.get("submitted_at") or item["created_at"],
        reason=(item.get("reason") or {}).get("code"),
        created_at=item["created_at"],
    )
