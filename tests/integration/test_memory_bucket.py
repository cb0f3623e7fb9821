"""The bucket of the verdict memory, against moto."""

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from numberdrop.aws.memory_bucket import MemoryBucket, connect_memory
from numberdrop.memory.errors import MemoryUnreadableError, MemoryUnwritableError, ObjectGoneError
from numberdrop.settings import MemorySettings

SECRET = "x" * 64


def settings(secret: str, bucket: str = "memory") -> MemorySettings:
    return MemorySettings(
        remember_yes_days=365,
        remember_no_days=30,
        retention_days=90,
        memory_bucket=bucket,
        memory_key_secret=secret,
    )


def connected(*, value: str = SECRET) -> MemorySettings:
    boto3.client("s3").create_bucket(Bucket="memory")
    stored = boto3.client("secretsmanager").create_secret(Name="memory-key", SecretString=value)
    return settings(stored["ARN"])


@mock_aws
def test_what_is_learnt_is_recalled_from_the_bucket() -> None:
    memory = connect_memory(connected())
    entries = [f"+4477009{number:05}" for number in range(40_000)]
    memory.learn("band", "job1", date(2026, 3, 4), [(entries, ["yes"] * len(entries))])
    memory.learn("band", "job2", date(2026, 3, 4), [(entries[:5], ["no"] * 5)])
    numbers, rest = (
        BytesIO("".join(f"{entry}\n" for entry in [*entries[::2], "+15551234567"]).encode()),
        BytesIO(),
    )
    found = memory.recall("band", numbers, rest, today=date(2026, 3, 5), min_rows=0)
    assert rest.getvalue() == b"+15551234567\n"
    key = memory.freeze(found, "job3-token")
    assert key
    assert all(memory.recalled(key).stamps(entries[:10:2]))


@mock_aws
def test_no_verdict_counts_longer_than_the_results_are_kept() -> None:
    memory = connect_memory(connected())
    assert (memory.yes_days, memory.no_days) == (90, 30)


@mock_aws
def test_an_empty_or_missing_secret_makes_it_unreadable() -> None:
    with pytest.raises(MemoryUnreadableError, match="ResourceNotFoundException"):
        connect_memory(settings("arn:aws:secretsmanager:us-east-1:123456789012:secret:none-abcdef"))
    with pytest.raises(MemoryUnreadableError, match="empty secret"):
        connect_memory(connected(value=" "))


@mock_aws
def test_errors_of_s3_are_distinguished_and_name_no_object() -> None:
    boto3.client("s3").create_bucket(Bucket="memory")
    bucket = MemoryBucket(boto3.client("s3"), "memory")
    with pytest.raises(ObjectGoneError):
        bucket.read("runs/band/one", 0, 3)
    missing = MemoryBucket(boto3.client("s3"), "missing")
    with pytest.raises(MemoryUnreadableError) as unreadable:
        list(missing.objects("runs/"))
    with pytest.raises(MemoryUnwritableError) as unwritable:
        missing.write("runs/band/one", BytesIO(b"0"))
    with pytest.raises(MemoryUnwritableError):
        missing.delete("runs/band/one")
    assert unreadable.value.cause == unwritable.value.cause == "NoSuchBucket"
    assert "band" not in f"{unreadable.value}{unwritable.value}"


@dataclass
class _BreakingOff:
    """An S3 client whose answers break off while they are read."""

    times: int

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": self}

    def read(self) -> bytes:
        self.times -= 1
        if self.times >= 0:
            raise ReadTimeoutError(endpoint_url="s3")
        return b"0123"

    def close(self) -> None:
        pass


def test_an_answer_that_breaks_off_is_read_again() -> None:
    client: Any = _BreakingOff(2)
    assert MemoryBucket(client, "memory").read("runs/band/one", 0, 4) == b"0123"
    client.times = 3
    with pytest.raises(MemoryUnreadableError, match="ReadTimeoutError"):
        MemoryBucket(client, "memory").read("runs/band/one", 0, 4)


@mock_aws
def test_a_deleted_object_may_be_deleted_again() -> None:
    boto3.client("s3").create_bucket(Bucket="memory")
    bucket = MemoryBucket(boto3.client("s3"), "memory")
    bucket.write("runs/band/one", BytesIO(b"0123"))
    bucket.delete("runs/band/one")
    bucket.delete("runs/band/one")
    with pytest.raises(ClientError):
        boto3.client("s3").head_object(Bucket="memory", Key="runs/band/one")
