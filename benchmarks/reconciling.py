"""Reconciling: the CPU time of a run over many unsettled jobs of which none is due.

The DynamoDB client is the real one. Only its connection is replaced: it answers with pages as large
as DynamoDB's. So the time covers signing, parsing and deciding, but neither the network nor DynamoDB itself.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import fields
from datetime import datetime, timedelta
from io import StringIO
from time import process_time
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import FULL
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.clients import make_client
from numberdrop.aws.ledger import INDEXED, SHARDS, Ledger
from numberdrop.aws.serialisation import to_attribute
from numberdrop.clock import utc_now
from numberdrop.jobs.job import Job, UnsettledJob, to_item
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.reconciliation import Reconciler

SIZES = (10_000, 100_000, *((500_000,) if FULL else ()))

SAMPLE = 2_000
"""Jobs of the run that reads each of them. Its time grows in proportion."""

SHARE_OF_CPU = 512 / 1769
"""Of a full CPU, at 512 MB (AWS Lambda developer guide, "Configure Lambda function memory")."""

LARGEST_PAGE = 1024 * 1024
"""Bytes of items in one answer (DynamoDB API reference, "Query")."""


class _Body:
    """The body of an answer, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def _item(number: int, now: datetime) -> dict[str, Any]:
    """Return the item of a task that is being followed, in DynamoDB's JSON."""
    name = f"band/2026/03/04/leads-{number}.csv"
    upload = Upload("numberdrop-uploads", name, f"version-{number:024}", "0" * 32, 1400, "0" * 18)
    job = Job(
        job_id=upload.job_id,
        state=State.SUBMITTED,
        upload=upload,
        token="0" * 32,
        last_write="0" * 32,
        lease_until=now + timedelta(hours=1),
        created_at=now - timedelta(hours=1),
        deadline=now + timedelta(hours=23),
        checker="band",
        task_id="0" * 20,
    )
    names = [field.name for field in fields(Job) if field.name != "announced"]
    values = to_item({name: getattr(job, name) for name in names})
    return {name: to_attribute(value) for name, value in values.items()}


def _pages(items: Sequence[Mapping[str, Any]]) -> dict[str, list[bytes]]:
    """Return the answers to queries of the index, by shard."""
    texts: dict[str, list[str]] = {shard: [] for shard in SHARDS}
    for item in items:
        indexed = {name: item[name] for name in ("job_id", *INDEXED)}
        texts[item["job_id"]["S"][0]].append(json.dumps(indexed))
    return {shard: list(_pages_of_shard(held)) for shard, held in texts.items()}


def _pages_of_shard(texts: Sequence[str]) -> Iterator[bytes]:
    size = LARGEST_PAGE // max(map(len, texts), default=1)
    for start in range(0, max(len(texts), 1), size):
        page = texts[start : start + size]
        key = f', "LastEvaluatedKey": {{"job_id": {{"S": "{start}"}}}}' if start + size < len(texts) else ""
        yield f'{{"Count": {len(page)}, "Items": [{", ".join(page)}]{key}}}'.encode()


class _ReadingLedger(Ledger):
    """A ledger whose index holds nothing but keys, so that each job must be read."""

    def unsettled(self) -> Iterator[tuple[str, UnsettledJob | None]]:
        return ((job_id, None) for job_id, _ in super().unsettled())


def _reconciler(ledger_class: type[Ledger], jobs: int) -> Reconciler:
    now = utc_now()
    items = [_item(number, now) for number in range(jobs)]
    pages = _pages(items)
    by_id = {item["job_id"]["S"]: json.dumps({"Item": item}).encode() for item in items}
    client = make_client("dynamodb")

    def answer(request: Any, **_: Any) -> AWSResponse:
        asked = json.loads(request.body)
        if "Key" in asked:
            content = by_id.get(asked["Key"]["job_id"]["S"], b"{}")
        else:
            content = pages[asked["ExpressionAttributeValues"][":shard"]["S"]].pop(0)
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body(content))

    client.meta.events.register("before-send.dynamodb", answer)
    ledger = ledger_class(client, "jobs")
    not_needed: Any = None
    return Reconciler(
        ledger=ledger,
        breaker=CircuitBreaker.beside(ledger),
        executions=not_needed,
        announcer=not_needed,
        fences=not_needed,
        queue=not_needed,
        job_timeout=timedelta(hours=24),
    )


def _cpu_seconds(ledger_class: type[Ledger], jobs: int) -> float:
    reconciler = _reconciler(ledger_class, jobs)
    start = process_time()
    with redirect_stdout(StringIO()):
        done = reconciler.run()
    seconds = process_time() - start
    if done != {"left alone": jobs}:
        raise RuntimeError(f"The run was not as expected: {done}.")
    return seconds


def main() -> None:
    """Measure and print the table."""
    os.environ |= {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "-", "AWS_SECRET_ACCESS_KEY": "-"}
    logging.disable()
    each = _cpu_seconds(_ReadingLedger, SAMPLE) / SAMPLE
    table = Table("unsettled jobs, none due", "CPU s", "s at 512 MB", "if each is read")
    for jobs in SIZES:
        seconds = _cpu_seconds(Ledger, jobs)
        table.add_row(
            f"{jobs:,}",
            f"{seconds:.1f}",
            f"{seconds / SHARE_OF_CPU:.0f}",
            f"{jobs * each / SHARE_OF_CPU:,.0f}",
        )
    Console(highlight=False).print(table)
