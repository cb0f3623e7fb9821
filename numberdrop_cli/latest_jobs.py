"""List the latest jobs, if possible by the index of all jobs by month."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from numberdrop.aws.ledger import MAX_KNOWN_AT_ONCE, MONTH_INDEX, month_of
from numberdrop.aws.serialisation import from_attributes
from numberdrop.jobs.checkers import documented_checker
from numberdrop.jobs.job import timestamp
from numberdrop.jobs.transitions import State
from numberdrop_cli.jobs_table import JobsTable, Summary, summary_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WITHOUT_INDEX = {"ValidationException", "ResourceNotFoundException"}
"""The error codes for an index that a table does not have, because its stack is of an older version."""

CLOCK_DIFFERENCE = timedelta(days=1)
"""Clocks of functions may be ahead of this computer's."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs to list.

    Attributes:
        limit: the most jobs, or None for all.
        since: no job that was created before, or None.
        checker: only jobs for this checker, as ``--checker`` names it, or None.
        state: only jobs in this state, or None.
    """

    limit: int | None
    since: datetime | None = None
    checker: str | None = None
    state: State | None = None

    def includes(self, summary: Summary) -> bool:
        """Return whether a job is wanted, whatever the limit."""
        is_late_enough = self.since is None or summary.created_at >= timestamp(self.since)
        return is_late_enough and self.state in {None, summary.state} and self.includes_key(summary.key)

    def includes_key(self, key: str) -> bool:
        """Return whether an upload is for the checker."""
        checker, folder = documented_checker(key), key.partition("/")[0]
        return self.checker is None or self.checker.lower() in {
            folder.lower(),
            checker.name.lower() if checker else None,
        }


@dataclass(frozen=True, slots=True)
class Listing:
    """The latest of the wanted jobs, oldest first, and whether there are more."""

    summaries: Sequence[Summary]
    has_more: bool


@dataclass(frozen=True)
class LatestJobs:
    """The jobs of a table, latest first.

    Attributes:
        oldest: no job that the index holds is older than the month of this moment.
    """

    client: "DynamoDBClient"
    jobs: JobsTable
    oldest: datetime

    def find(self, wanted: Wanted, now: datetime) -> Listing:
        """Return the latest of the wanted jobs.

        The index lacks the jobs of older versions. So if it ends too early, the whole table is read.
        """
        if wanted.limit is None or _is_rare(wanted):
            return self._by_scan(wanted)
        try:
            found = self._by_index(wanted, wanted.limit, now)
        except ClientError as error:
            if error.response["Error"]["Code"] not in WITHOUT_INDEX:
                raise
            found = None
        return self._by_scan(wanted) if found is None else _listing(found, wanted)

    def _by_scan(self, wanted: Wanted) -> Listing:
        return _listing(filter(wanted.includes, self.jobs.summaries(wanted.state)), wanted)

    def _by_index(self, wanted: Wanted, limit: int, now: datetime) -> list[Summary] | None:
        """Return more than ``limit`` wanted jobs or all of them, or None if the index may lack some."""
        size = min(limit + 1, MAX_KNOWN_AT_ONCE)
        since = timestamp(wanted.since) if wanted.since else ""
        found: list[Summary] = []
        batch: list[str] = []
        for created_at, job_id, key in self._entries(wanted, size, now):
            is_too_old = created_at < since
            if not is_too_old and wanted.includes_key(key):
                batch.append(job_id)
            if is_too_old or len(batch) == size:
                found += filter(wanted.includes, self._summaries(batch))
                batch = []
                if is_too_old or len(found) > limit:
                    return found
        return None

    def _entries(self, wanted: Wanted, size: int, now: datetime) -> Iterator[tuple[str, str, str]]:
        """Yield when each job in the index was created, its id and its upload's key, latest first."""
        pages_of = self.client.get_paginator("query").paginate
        # If most entries are skipped, full pages save requests.
        paging: Any = {} if wanted.checker or wanted.state else {"PaginationConfig": {"PageSize": size}}
        for month in _months(self.oldest, now + CLOCK_DIFFERENCE):
            pages = pages_of(
                TableName=self.jobs.table,
                IndexName=MONTH_INDEX,
                KeyConditionExpression="created_month = :month",
                ExpressionAttributeValues={":month": {"S": month}},
                ExpressionAttributeNames={"#upload": "upload", "#key": "key"},
                ProjectionExpression="created_at, job_id, #upload.#key",
                ScanIndexForward=False,
                **paging,
            )
            for page in pages:
                for item in page["Items"]:
                    yield item["created_at"]["S"], item["job_id"]["S"], item["upload"]["M"]["key"]["S"]

    def _summaries(self, ids: Sequence[str]) -> Iterator[Summary]:
        """Yield the jobs with these ids, at most ``MAX_KNOWN_AT_ONCE``."""
        if not ids:
            return
        request: Any = {"Keys": [{"job_id": {"S": job_id}} for job_id in ids], "ConsistentRead": True}
        wanted = {self.jobs.table: request}
        while wanted:
            answer: Any = self.client.batch_get_item(RequestItems=wanted)
            for item in answer["Responses"].get(self.jobs.table, []):
                yield summary_of(from_attributes(item))
            wanted = answer["UnprocessedKeys"]


def _is_rare(wanted: Wanted) -> bool:
    """Return whether reading the whole table is faster than looking jobs up one by one."""
    return wanted.state not in {None, State.COMPLETED} and wanted.since is None


def _listing(summaries: Iterable[Summary], wanted: Wanted) -> Listing:
    """Return the latest of the summaries."""
    if wanted.limit is None:
        latest, has_more = list(summaries), False
    else:
        latest = nlargest(wanted.limit + 1, summaries, key=lambda summary: summary.created_at)
        has_more = len(latest) > wanted.limit
        latest = latest[: wanted.limit]
    return Listing(sorted(latest, key=lambda summary: summary.since), has_more)


def _months(first: datetime, last: datetime) -> Iterator[str]:
    """Yield the months between two moments, the last one first.

    >>> list(_months(datetime(2025, 12, 31), datetime(2026, 2, 1)))
    ['2026-02', '2026-01', '2025-12']
    """
    day = last.replace(day=1)
    while month_of(day) >= month_of(first):
        yield month_of(day)
        day = (day - timedelta(days=1)).replace(day=1)
