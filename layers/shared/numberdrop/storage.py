"""The two buckets: reading uploads, writing results."""

from contextlib import closing
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from numberdrop.reasons import JobFailedError, ReasonCode
from numberdrop.upload import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = {"NoSuchKey", "NoSuchVersion", "404", "412", "PreconditionFailed"}
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class UploadBucket:
    """Reads uploads, always the very version that was announced."""

    client: "S3Client"

    def with_version(self, upload: Upload) -> Upload:
        """The upload with its version, which an event may lack.

        Amazon S3 leaves the version out for buckets that are not versioned; some emulators always do. An
        object that has changed since has no version to be found, and the upload stays as it is.
        """
        if upload.version_id:
            return upload
        try:
            head = self.client.head_object(Bucket=upload.bucket, Key=upload.key, IfMatch=f'"{upload.etag}"')
        except ClientError as error:
            if _code(error) in _GONE:
                return upload
            raise
        version = head.get("VersionId")
        return replace(upload, version_id=version) if version and version != "null" else upload

    def copy_to(self, upload: Upload, file: BinaryIO) -> None:
        """Writes the upload's bytes to a file, in constant memory.

        Raises:
            JobFailedError: ``UPLOAD_GONE`` when this version no longer exists.
        """
        version: dict[str, Any] = {"VersionId": upload.version_id} if upload.version_id else {}
        try:
            answer = self.client.get_object(
                Bucket=upload.bucket, Key=upload.key, IfMatch=f'"{upload.etag}"', **version
            )
        except ClientError as error:
            if _code(error) in _GONE:
                raise JobFailedError(
                    ReasonCode.UPLOAD_GONE,
                    "The upload was deleted or replaced before it was read. Upload it again.",
                ) from None
            raise
        with closing(answer["Body"]) as body:
            for block in body.iter_chunks(_BLOCK):
                file.write(block)


@dataclass(frozen=True)
class ResultsBucket:
    """Writes to the results bucket."""

    client: "S3Client"
    bucket: str

    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        """Stores a file from its start in one request: it is there whole, or not at all.

        One request takes up to 5 GB (Amazon S3 user guide, "Uploading objects").
        """
        file.seek(0)
        self.client.put_object(Bucket=self.bucket, Key=key, Body=file, ContentType=content_type)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
