"""Looking through all jobs. It reads the whole table, which only a person may ask for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numberdrop.aws.ledger import NON_JOB_PREFIX
from numberdrop.aws.serialisation import from_attribute
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.errors import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ID_DIGITS = 64
"""Hexadecimal digits of a job id."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One line about a job.

    Attributes:
        since: when it ended or stopped to wait for a person, else when it was submitted, else when it was
            first seen; ISO 8601 in UTC.
        reason: the reason's code, if there is one.
    """

    job_id: str
    state: str
    checker: str | None
    key: str
    since: str
    reason: str | None


@dataclass(frozen=True)
class JobsTable:
    """The ledger's table, read from end to end."""

    client: "DynamoDBClient"
    table: str

    def summaries(self, state: State | None = None) -> list[Summary]:
        """All jobs, or those in one state; the latest last."""
        if state is None:
            found = self._scan("NOT begins_with(job_id, :value)", NON_JOB_PREFIX)
        else:
            found = self._scan("#state = :value", state, names={"#state": "state"})
        return sorted(map(_summary, found), key=lambda summary: summary.since)

    def full_id(self, prefix: str) -> str:
        """The id of the one job whose id begins so.

        Raises:
            RefusedError: there is none, or there are several.
        """
        if len(prefix) == ID_DIGITS:
            return prefix
        found = [str(item["job_id"]) for item in self._scan("begins_with(job_id, :value)", prefix)]
        if not found:
            raise RefusedError(f"No job's id begins with {prefix}.")
        if len(found) > 1:
            raise RefusedError(f"{len(found)} jobs' ids begin with {prefix}. Give more digits.")
        return found[0]

    def job_of_upload(self, upload: Upload) -> str | None:
        """The id of the latest job about an upload whose version and sequencer are not known."""
        found = [
            (str(item["created_at"]), str(item["job_id"]))
            for item in self._scan(
                "#upload.#key = :value", upload.key, names={"#upload": "upload", "#key": "key"}
            )
            if item["upload"]["etag"] == upload.etag
        ]
        return max(found)[1] if found else None

    def job_of_task(self, task_id: str) -> str | None:
        """The id of the job that a task belongs to, if the ledger knows the task."""
        return next((item["job_id"] for item in self._scan("task_id = :value", task_id)), None)

    def _scan(
        self, condition: str, value: str, *, names: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]:
        named: Any = {"ExpressionAttributeNames": names} if names else {}
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table,
            ConsistentRead=True,
            FilterExpression=condition,
            ExpressionAttributeValues={":value": {"S": value}},
            **named,
        )
        for page in pages:
            for item in page["Items"]:
                yield {name: from_attribute(attribute) for name, attribute in item.items()}


def _summary(item: Mapping[str, Any]) -> Summary:
    return Summary(
        job_id=item["job_id"],
        state=item["state"],
        checker=item.get("checker"),
        key=item["upload"]["key"],
        since=item.get("finished_at") or item.get("submitted_at") or item["created_at"],
        reason=(item.get("reason") or {}).get("code"),
    )
