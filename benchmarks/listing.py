"""Listing: how long `numberdrop jobs` takes to find the latest of a million jobs.

The DynamoDB client is the real one. Only its connection is replaced: it answers after 20 ms with pages as
large as DynamoDB's, from a table that is computed rather than stored. So the time covers signing, parsing,
filtering and a network, but not DynamoDB itself, nor the start of the command.
"""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from rich.console import Console
from rich.table import Table

from numberdrop.aws.clients import make_client
from numberdrop.aws.ledger import month_of
from numberdrop.aws.serialisation import to_attribute
from numberdrop.jobs.job import to_item
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.latest_jobs import LatestJobs, Wanted

JOBS = 1_000_000
CHECKERS = 40
"""Every fortieth job is for the checker `ws`, the others are for `band`."""

SCANNED = 20_000
"""Jobs of the run that reads the whole table. Its time grows in proportion."""

LATENCY_SECONDS = 0.02
LARGEST_PAGE = 1024 * 1024
"""Bytes of items in one answer (DynamoDB API reference, "Query")."""

BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
INTERVAL = timedelta(seconds=31)
"""Between two jobs: a million take about a year."""


class _Body:
    """The body of an answer, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def _item(number: int) -> dict[str, Any]:
    """Return the item of a completed job, in DynamoDB's JSON."""
    created = BEGIN + number * INTERVAL
    checker = "band" if number % CHECKERS else "ws"
    values = {
        "job_id": f"{number:064x}",
        "state": "completed",
        "checker": checker,
        "upload": {"bucket": "numberdrop-uploads", "key": f"{checker}/{created:%Y/%m/%d}/leads-{number}.csv"},
        "created_at": created,
        "submitted_at": created,
        "finished_at": created,
        "unused": "0" * 600,
    }
    return {name: to_attribute(value) for name, value in to_item(values).items()}


class _Connection:
    """Answers requests about a table of ``jobs`` jobs.

    Attributes:
        requests: how many there were.
        seconds: how long the answers were computed, which DynamoDB would do.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.requests = 0
        self.seconds = 0.0

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        self.requests += 1
        sleep(LATENCY_SECONDS)
        start = monotonic()
        asked = json.loads(request.body)
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        content = json.dumps(getattr(self, f"_{operation}")(asked)).encode()
        self.seconds += monotonic() - start
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body(content))

    def _Query(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        month = asked["ExpressionAttributeValues"][":month"]["S"]
        first = self.jobs - 1
        if "ExclusiveStartKey" in asked:
            first = int(asked["ExclusiveStartKey"]["job_id"]["S"], 16) - 1
        else:
            end = datetime.fromisoformat(f"{month}-28T00:00Z") + timedelta(days=4)
            first = min(first, (end.replace(day=1) - BEGIN) // INTERVAL)
        held = ("job_id", "created_at", "upload")
        return self._page(range(first, -1, -1), held, held, asked, month)

    def _Scan(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        first = int(asked["ExclusiveStartKey"]["job_id"]["S"], 16) + 1 if "ExclusiveStartKey" in asked else 0
        wanted = tuple(asked["ExpressionAttributeNames"].values())
        return self._page(range(first, self.jobs), tuple(_item(0)), wanted, asked, None)

    def _BatchGetItem(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        ((table, keys),) = asked["RequestItems"].items()
        found = [_item(int(key["job_id"]["S"], 16)) for key in keys["Keys"]]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _page(
        self,
        numbers: range,
        held: tuple[str, ...],
        wanted: tuple[str, ...],
        asked: Mapping[str, Any],
        month: str | None,
    ) -> dict[str, Any]:
        """Return a page, whose size counts all attributes of an item, also the unwanted ones."""
        items: list[dict[str, Any]] = []
        size = 0
        for number in numbers:
            item = {name: value for name, value in _item(number).items() if name in held}
            if month and month_of(BEGIN + number * INTERVAL) != month:
                return {"Items": items}
            items.append({name: value for name, value in item.items() if name in wanted})
            size += len(json.dumps(item))
            if len(items) == asked.get("Limit") or size > LARGEST_PAGE:
                return {"Items": items, "LastEvaluatedKey": {"job_id": item["job_id"]}}
        return {"Items": items}


def _seconds(wanted: Wanted, jobs: int) -> tuple[float, int]:
    """Return the seconds and the requests until the wanted jobs are found."""
    connection, client = _Connection(jobs), make_client("dynamodb")
    client.meta.events.register("before-send.dynamodb", connection.answer)
    now = BEGIN + jobs * INTERVAL
    start = monotonic()
    listing = LatestJobs(client, JobsTable(client, "jobs"), BEGIN).find(wanted, now)
    seconds = monotonic() - start - connection.seconds
    if len(listing.summaries) != (wanted.limit or jobs):
        raise RuntimeError(f"The listing has {len(listing.summaries)} jobs.")
    return seconds, connection.requests


def main() -> None:
    """Measure and print the table."""
    os.environ |= {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "-", "AWS_SECRET_ACCESS_KEY": "-"}
    now = BEGIN + JOBS * INTERVAL
    table = Table(f"of {JOBS:,} jobs", "seconds", "requests")
    for name, wanted in {
        "numberdrop jobs": Wanted(50),
        "numberdrop jobs --since 7d --limit 500": Wanted(500, since=now - timedelta(days=7)),
        "numberdrop jobs --checker ws": Wanted(50, checker="ws"),
    }.items():
        seconds, requests = _seconds(wanted, JOBS)
        table.add_row(name, f"{seconds:.2f}", str(requests))
    seconds, requests = _seconds(Wanted(None), SCANNED)
    scale = JOBS / SCANNED
    table.add_row("numberdrop jobs --all (estimated)", f"{seconds * scale:.0f}", f"{requests * scale:.0f}")
    Console(highlight=False).print(table)
