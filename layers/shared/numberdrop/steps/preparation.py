"""Reading and checking an upload before it is sent. This costs nothing and changes nothing in AWS."""

from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import BinaryIO

from numberdrop.aws.buckets import UploadBucket
from numberdrop.jobs.upload import Upload
from numberdrop.steps.upload_rules import PreparedUpload, UploadRules, check_rows, check_size


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
    """

    uploads: UploadBucket
    rules: UploadRules

    def prepare(self, upload: Upload, file: BinaryIO) -> PreparedUpload:
        """Write the entries of an upload to ``file``, each of them once.

        Rows that are rejected or repeated are listed later, when the results are collected.

        Raises:
            JobFailedError: the upload cannot be sent; its reason says why.
        """
        checker = self.rules.checker(upload.key)
        check_size(upload.size)
        with TemporaryFile() as source:
            metadata = self.uploads.copy_to(upload, source)
            prepared = self.rules.read(source, checker, metadata, file=file)
        check_rows(prepared.counts.submitted or 0, checker)
        return prepared
