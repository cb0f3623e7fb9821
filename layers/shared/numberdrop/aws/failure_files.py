"""The files ``failed.json`` and ``failed.txt`` in the results bucket.

People who drop files into S3 look there. Many of them see neither events nor e-mails.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from aws_lambda_powertools import Logger
from botocore.config import Config
from botocore.exceptions import ClientError

from numberdrop.aws.buckets import objects_in, refuses_writing
from numberdrop.aws.clients import make_client
from numberdrop.aws.fences import PREFIX
from numberdrop.jobs.checkers import submitted_checker
from numberdrop.jobs.failure_note import failure_facts, failure_text
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import JobFailedError
from numberdrop.jobs.transitions import ENDED_WITHOUT_RESULTS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOR_PROGRAMS, FOR_PEOPLE = "failed.json", "failed.txt"
COMMON_START = "failed."
"""The start of both names."""

NO_CHECKER = "unknown"
"""Stands in a key for the checker of an upload whose key names none."""

SHORT = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
"""Limits of a client that leaves time for the event: both files take 17 seconds at worst, of the 30 that
record_failure has."""

logger = Logger()


@dataclass(frozen=True)
class FailureFiles:
    """Writes and removes the two files of jobs that ended without results. Both can be repeated.

    Attributes:
        connect_s3: makes the client, at the first use: most runs of a function write no such file.
        bucket: the results bucket.
    """

    connect_s3: Callable[[], "S3Client"]
    bucket: str

    @classmethod
    def connect(cls, bucket: str) -> Self:
        """Return the files in a results bucket, with a client that gives up soon.

        >>> FailureFiles.connect("results-example").bucket
        'results-example'
        """
        return cls(lambda: make_client("s3", SHORT), bucket)

    @cached_property
    def client(self) -> "S3Client":
        """Return the client."""
        return self.connect_s3()

    def write(self, job: Job) -> None:
        """Write both files, if the job ended without results.

        If S3 refuses them until a person acts, they are not written: the event must not wait for that.

        Raises:
            ClientError, BotoCoreError: S3 cannot be reached or is busy. Try again.
        """
        if job.state not in ENDED_WITHOUT_RESULTS:
            return
        folder = failure_folder(job)
        facts = json.dumps(failure_facts(job), indent=2) + "\n"
        try:
            self._put(folder + FOR_PROGRAMS, facts, "application/json")
            self._put(folder + FOR_PEOPLE, failure_text(job), "text/plain; charset=utf-8")
        except ClientError as error:
            _raise_unless_refused(error)

    def remove(self, job: Job) -> None:
        """Remove the files of earlier endings, now that the job has results.

        The bucket is asked which there are: a restored ledger may have forgotten these endings.

        If S3 refuses that until a person acts, they stay: the results must not wait for that.

        Raises:
            ClientError, BotoCoreError: S3 cannot be reached or is busy. Try again.
        """
        folder = failure_folder(job)
        try:
            stored = {found["Key"] for found in objects_in(self.client, self.bucket, folder + COMMON_START)}
            for name in (FOR_PEOPLE, FOR_PROGRAMS):
                if folder + name in stored:
                    self.client.delete_object(Bucket=self.bucket, Key=folder + name)
        except ClientError as error:
            _raise_unless_refused(error)

    def _put(self, key: str, text: str, content_type: str) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), ContentType=content_type)


def failure_folder(job: Job) -> str:
    """Return the folder of both files: that of the results, or ``unknown/<job id>/``.

    The second is for keys that name no checker and are too long, and for those that begin like fences.
    """
    try:
        checker = job.checker or submitted_checker(job.upload.key).name
    except JobFailedError:
        checker = NO_CHECKER
    folder = job.upload.results_prefix(checker)
    return f"{NO_CHECKER}/{job.job_id}/" if folder.startswith(PREFIX) else folder


def _raise_unless_refused(error: ClientError) -> None:
    if not refuses_writing(error):
        raise error
    logger.warning("S3 refuses the files of a failed job", cause=error.response["Error"]["Code"])
