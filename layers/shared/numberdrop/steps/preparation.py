"""Reading and checking an upload before it is sent. This costs nothing, and changes no job.

Nothing here may import the verdict memory's code while the memory is off.
"""

from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from numberdrop.aws.buckets import ARCHIVED, ReadRefusedError, UploadBucket
from numberdrop.jobs.job import Job
from numberdrop.jobs.price_ceiling import check_price
from numberdrop.jobs.reasons import UPLOAD_IS_ARCHIVED, JobFailedError, Reason, not_accepted_in_time
from numberdrop.jobs.upload import Upload
from numberdrop.settings import MemorySettings
from numberdrop.steps.upload_rules import PreparedUpload, UploadRules, check_rows, check_size

if TYPE_CHECKING:
    from numberdrop.steps.recalling import Recaller


@dataclass(frozen=True)
class Preparer:
    """Reads an upload, checks it, and writes the file to send.

    >>> from numberdrop.aws.clients import make_client
    >>> client = make_client("s3")
    >>> _ = client.create_bucket(Bucket="uploads")
    >>> stored = client.put_object(Bucket="uploads", Key="band/a.txt", Body=b"+447700900001")
    >>> upload = Upload.from_s3(
    ...     bucket="uploads", key="band/a.txt", version_id=None, etag=stored["ETag"], size=13)
    >>> preparer = Preparer(UploadBucket(client), UploadRules(allow_sensitive=False, has_user_id=False))
    >>> with TemporaryFile() as file:
    ...     preparer.prepare(upload, file).counts.submitted
    1

    Attributes:
        uploads: the bucket to read from.
        rules: what is accepted.
        recaller: finds what is remembered; None if the memory is off.
    """

    uploads: UploadBucket
    rules: UploadRules
    recaller: "Recaller | None" = None

    def prepare(self, upload: Upload, file: BinaryIO, *, token: str = "") -> PreparedUpload:
        """Write the entries of an upload that have to be sent to ``file``, each of them once.

        Rows that are rejected or repeated are listed later, when the results are collected.

        Args:
            upload: the upload.
            file: an empty file; takes the entries.
            token: the token of the attempt.

        Raises:
            JobFailedError: the upload cannot be sent; its reason says why.
        """
        checker = self.rules.checker(upload.key)
        check_size(upload.size)
        with TemporaryFile() as source:
            metadata = self.uploads.copy_to(upload, source)
            prepared = self.rules.read(source, checker, metadata, file=file)
        if self.recaller:
            prepared = self.recaller.recall(prepared, upload, token, metadata)
        if not prepared.is_answered:
            check_rows(prepared.counts.submitted or 0, checker)
        return prepared

    def prepare_job(self, job: Job, file: BinaryIO, *, now: datetime) -> PreparedUpload | Reason:
        """Prepare the upload of a job, or return the reason why it cannot be sent.

        Args:
            job: the job, which is claimed.
            file: an empty file; takes the entries.
            now: the time that the job's deadline is compared with.

        Raises:
            ReadRefusedError: S3 refuses to hand out the upload; later, it may not.
        """
        if now >= job.deadline:
            return not_accepted_in_time(job.read_error)
        try:
            prepared = self.prepare(job.upload, file, token=job.token)
            if not prepared.is_answered:
                check_price(prepared.checker, prepared.counts.submitted or 0, prepared.max_usd)
        except JobFailedError as failure:
            return failure.reason
        except ReadRefusedError as error:
            if error.code == ARCHIVED:
                return UPLOAD_IS_ARCHIVED
            raise
        return prepared


def connect_recaller() -> "Recaller | None":
    """Return the recaller for the environment of the submit function, or None if the memory is off."""
    settings = MemorySettings.from_env()
    if not settings.is_on:
        return None
    from numberdrop.steps.recalling import Recaller  # noqa: PLC0415 - loads the memory's code

    return Recaller.from_settings(settings)
