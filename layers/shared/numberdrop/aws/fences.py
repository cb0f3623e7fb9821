"""Fences: a trace of each submission outside the ledger, which a restored ledger cannot forget.

A table that is restored to a point in time forgets every charge since then. So just before a file is sent, an
empty object ``armed/<job_id>`` is put up in the results bucket, on condition that none is there. It stays if
the file was charged or may have been, and is removed if the attempt provably cost nothing.

A fence carries the token of its attempt. The ledger stores that token before the attempt, and keeps it while
the fence may stand. It allows another attempt only if all earlier ones cost nothing. So a fence with a known
token is a leftover and is replaced. Any other belongs to an attempt that the ledger has forgotten.

Fences are empty because the bucket's lifecycle deletes objects by size: all but empty ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import ClientError

from numberdrop.aws.buckets import objects_in
from numberdrop.aws.clients import make_client
from numberdrop.jobs.job import Job

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "armed/"
"""The folder of the fences. No checker has this name, so no results are there."""

MAX_TRIES = 3
"""How often a fence is put up while leftovers are in its place."""

QUICK = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
"""For a client that leaves time for the POST."""


logger = Logger()


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence that stands.

    Attributes:
        job_id: the job whose file was about to be sent.
        token: the token of that attempt; empty if somebody else made the object.
        version_id: the version of the object, by which exactly this fence is removed.
    """

    job_id: str
    token: str
    version_id: str


class UnknownAttemptError(Exception):
    """A fence stands that is not a leftover: do not send the file.

    Attributes:
        token: the token of the attempt that the ledger does not know.
    """

    def __init__(self, token: str) -> None:
        super().__init__("The bucket has the fence of an attempt that the ledger does not know.")
        self.token = token


class FenceNotPutUpError(Exception):
    """Others put up and removed fences of the same job meanwhile. Nothing was sent; try again."""


@dataclass(frozen=True)
class Fences:
    """Puts up and removes the fences in the results bucket.

    >>> import boto3
    >>> s3 = boto3.client("s3")
    >>> _ = s3.create_bucket(Bucket="fences-example")
    >>> fences = Fences(s3, "fences-example")
    >>> fences.find("1f") is None, list(fences.job_ids())
    (True, [])
    """

    client: "S3Client"
    bucket: str

    @classmethod
    def connect(cls, bucket: str) -> Self:
        """Return the fences in a results bucket, with a client that gives up quickly."""
        return cls(make_client("s3", QUICK), bucket)

    def put_up(self, job: Job) -> Fence:
        """Put up the fence of a job's current attempt, whose token the ledger has already.

        Repeating this is harmless: an attempt recognises its own fence.

        Raises:
            UnknownAttemptError: the ledger does not know the attempt that put up the fence that stands there.
            FenceNotPutUpError: fences come and go; nothing stands.
        """
        for _ in range(MAX_TRIES):
            if new := self._put(job):
                return new
            standing = self.find(job.job_id)
            if standing is None:
                continue
            if standing.token == job.token:
                return standing
            if standing.token not in job.fence_tokens:
                raise UnknownAttemptError(standing.token)
            self.remove(standing)
        raise FenceNotPutUpError("The fence could not be put up.")

    def check(self, job: Job) -> Fence | None:
        """Check that the ledger knows every attempt to send a job's file; return the fence that stands.

        Raises:
            UnknownAttemptError: the ledger does not know the attempt that put up the fence that stands there.
        """
        standing = self.find(job.job_id)
        if standing and standing.token not in job.fence_tokens:
            raise UnknownAttemptError(standing.token)
        return standing

    def find(self, job_id: str) -> Fence | None:
        """Return the fence of a job, or None."""
        try:
            head = self.client.head_object(Bucket=self.bucket, Key=PREFIX + job_id)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
                raise
            return None
        return Fence(job_id, head.get("Metadata", {}).get("token", ""), head["VersionId"])

    def remove(self, fence: Fence) -> None:
        """Remove exactly this fence, whether or not another has been put up since."""
        self.client.delete_object(Bucket=self.bucket, Key=PREFIX + fence.job_id, VersionId=fence.version_id)

    def try_to_remove(self, fence: Fence) -> None:
        """Remove the fence of an attempt that cost nothing. If that fails, it gives way as a leftover."""
        try:
            self.remove(fence)
        except Exception as error:  # noqa: BLE001 - the attempt is recorded, and a leftover is harmless
            logger.warning("a fence could not be removed", cause=type(error).__name__)

    def job_ids(self, first_digits: str = "") -> Iterator[str]:
        """Yield the id of every job that has a fence, or of those whose ids begin with some digits."""
        for stored in objects_in(self.client, self.bucket, PREFIX + first_digits):
            yield stored["Key"].removeprefix(PREFIX)

    def _put(self, job: Job) -> Fence | None:
        """Put up the fence; return None if another stands there (S3 user guide, "Conditional writes")."""
        try:
            answer = self.client.put_object(
                Bucket=self.bucket,
                Key=PREFIX + job.job_id,
                IfNoneMatch="*",
                Metadata={"token": job.token},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"412", "PreconditionFailed"}:
                raise
            return None
        return Fence(job.job_id, job.token, answer["VersionId"])
