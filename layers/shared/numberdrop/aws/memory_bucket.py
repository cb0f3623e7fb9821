"""The bucket of the verdict memory, and the secret under which its entries are hashed."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.buckets import objects_in
from numberdrop.aws.clients import PROMPT, make_client
from numberdrop.memory.errors import MemoryUnreadableError, MemoryUnwritableError, ObjectGoneError
from numberdrop.memory.memory import VerdictMemory
from numberdrop.memory.reading import READERS
from numberdrop.memory.store import StoredObject
from numberdrop.settings import MemorySettings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

PARALLEL = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=READERS,
    response_checksum_validation="when_required",
)
"""For a client that many threads use. Runs have checksums of their own, which also cover parts of an object.

A request to a bucket that does not answer fails after some 70 seconds, so submit and collect still have time
to go on without the memory. botocore's defaults wait 60 seconds five times.
"""

_TRIES = 3

_MAX_KEY_LENGTH = 64
"""Bytes of a key of BLAKE2b (RFC 7693)."""


@dataclass(frozen=True)
class MemoryBucket:
    """Stores runs in S3. Each is stored by a single request, so it is never partial.

    >>> import boto3
    >>> from io import BytesIO
    >>> s3 = boto3.client("s3")
    >>> _ = s3.create_bucket(Bucket="memory")
    >>> bucket = MemoryBucket(s3, "memory")
    >>> bucket.write("runs/band/one", BytesIO(b"0123"))
    >>> bucket.read("runs/band/one", 1, 3)
    b'12'

    Attributes:
        client: a client, configured with ``PARALLEL`` where threads use it.
        bucket: the bucket's name.
    """

    client: "S3Client"
    bucket: str

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects whose keys start with ``prefix``.

        Raises:
            MemoryUnreadableError: the bucket cannot be listed.
        """
        try:
            for item in objects_in(self.client, self.bucket, prefix):
                yield StoredObject(item["Key"], item["Size"], item["LastModified"])
        except (BotoCoreError, ClientError) as error:
            raise MemoryUnreadableError(_cause(error)) from None

    def read(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of an object from ``start`` to before ``end``.

        Raises:
            ObjectGoneError: the object does not exist.
            MemoryUnreadableError: the object cannot be read.
        """
        cause = ""
        for _ in range(_TRIES):
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={start}-{end - 1}")
                with closing(answer["Body"]) as body:
                    return body.read()
            except ClientError as error:
                if _cause(error) == "NoSuchKey":
                    raise ObjectGoneError from None
                raise MemoryUnreadableError(_cause(error)) from None
            except (BotoCoreError, OSError) as error:
                # botocore repeats a request, but not the reading of its answer.
                cause = _cause(error)
        raise MemoryUnreadableError(cause)

    def write(self, key: str, file: BinaryIO) -> None:
        """Store a whole file, whatever its current position.

        Raises:
            MemoryUnwritableError: the file may not be stored.
        """
        file.seek(0)
        try:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=file, ChecksumAlgorithm="CRC32")
        except (BotoCoreError, ClientError) as error:
            raise MemoryUnwritableError(_cause(error)) from None

    def delete(self, key: str) -> None:
        """Delete an object, if it exists.

        Raises:
            MemoryUnwritableError: the object may still exist.
        """
        try:
            self.client.delete_object(Bucket=self.bucket, Key=key)
        except (BotoCoreError, ClientError) as error:
            raise MemoryUnwritableError(_cause(error)) from None


def connect_bucket(name: str) -> MemoryBucket:
    """Return the bucket with this name, with a client of its own."""
    return MemoryBucket(make_client("s3", PARALLEL), name)


def connect_memory(settings: MemorySettings) -> VerdictMemory:
    """Return the verdict memory for these settings, with clients of its own.

    Raises:
        MemoryUnreadableError: the secret cannot be read, or is empty.
    """
    yes_days, no_days = settings.lives
    key = hash_key(make_client("secretsmanager", PROMPT), settings.memory_key_secret)
    return VerdictMemory(connect_bucket(settings.memory_bucket), key, yes_days, no_days)


def hash_key(client: "SecretsManagerClient", secret_id: str) -> bytes:
    """Return the key under which entries are hashed.

    Raises:
        MemoryUnreadableError: the secret cannot be read, or is empty.
    """
    try:
        secret = client.get_secret_value(SecretId=secret_id)
    except (BotoCoreError, ClientError) as error:
        raise MemoryUnreadableError(_cause(error)) from None
    key = secret.get("SecretString", "").strip().encode()[:_MAX_KEY_LENGTH]
    if not key:
        raise MemoryUnreadableError("empty secret")
    return bytes(key)


def _cause(error: Exception) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
