"""Compact merges every checker, and one that fails does not keep the others from it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import boto3
import pytest
from moto import mock_aws

from numberdrop.aws.memory_bucket import MemoryBucket
from numberdrop.memory.memory import VerdictMemory
from numberdrop.memory.store import listing
from numberdrop.steps.compaction import TIME_TO_MERGE, CompactionFailedError, CompactionReport, Compactor

DAY = date(2026, 3, 4)
ENTRIES = [f"+4477009{number:05}" for number in range(50)]


@pytest.fixture
def bucket() -> Iterator[MemoryBucket]:
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="memory")
        yield MemoryBucket(boto3.client("s3"), "memory")


def learn(bucket: MemoryBucket, checker: str, runs: int) -> None:
    memory = VerdictMemory(bucket, b"key", yes_days=90, no_days=30)
    for number in range(runs):
        memory.learn(checker, f"job{number}", DAY, [(ENTRIES, ["yes"] * len(ENTRIES))])


def test_checkers_with_many_runs_are_merged(bucket: MemoryBucket) -> None:
    learn(bucket, "band", 20)
    learn(bucket, "amazon", 3)
    assert Compactor(bucket, 90).run(seconds=900) == CompactionReport(checkers=2, runs=20, dropped=19 * 50)
    assert [len(listing(bucket, checker).runs) for checker in ("band", "amazon")] == [1, 3]


def test_after_a_month_every_checker_is_merged(bucket: MemoryBucket) -> None:
    learn(bucket, "band", 1)
    learn(bucket, "amazon", 3)
    later = datetime.now(UTC) + timedelta(days=28)
    assert Compactor(bucket, 90, now=lambda: later).run(seconds=900).runs == 4


def test_a_checker_that_fails_does_not_stop_the_others(bucket: MemoryBucket) -> None:
    bucket.write("runs/amazon/000000000001-000000000000-08-2026-03-04-job1", BytesIO(b"broken"))
    for number in range(20):
        bucket.write(f"runs/amazon/000000000001-000000000000-08-2026-03-04-job{number}", BytesIO(b"broken"))
    learn(bucket, "band", 17)
    with pytest.raises(CompactionFailedError, match="1 of 2 checkers"):
        Compactor(bucket, 90).run(seconds=900)
    assert len(listing(bucket, "band").runs) == 1


def test_nothing_is_begun_with_too_little_time(bucket: MemoryBucket) -> None:
    learn(bucket, "band", 17)
    assert Compactor(bucket, 90).run(seconds=TIME_TO_MERGE - 1).runs == 0
