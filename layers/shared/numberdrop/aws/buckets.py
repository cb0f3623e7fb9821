"""The two buckets: reading uploads, writing results."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol

from botocore.config import Config
from botocore.exceptions import ClientError

from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.jobs.upload import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STREAMING = Config(request_checksum_calculation="when_required", s3={"payload_signing_enabled": False})
"""For a client that stores what it can read only once: such a body can be neither summed up nor signed before
it is sent. TLS, which the bucket insists on, keeps it whole on its way."""

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
        return Upload.from_s3(
            bucket=upload.bucket,
            key=upload.key,
            version_id=head.get("VersionId"),
            etag=upload.etag,
            size=upload.size,
            sequencer=upload.sequencer,
        )

    def copy_to(self, upload: Upload, file: BinaryIO) -> Mapping[str, str]:
        """Writes the upload's bytes to a file, in constant memory.

        Returns:
            The object's own metadata, by names in lower case.

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
        return {name.lower(): value for name, value in answer.get("Metadata", {}).items()}


class Stream(Protocol):
    """Bytes that can be read once."""

    def read(self, _size: int = -1) -> bytes:
        """The next block, or nothing at the end."""


@dataclass(frozen=True)
class ResultsBucket:
    """Writes to the results bucket. Each object is stored by one request: it is there whole, or not at all.

    One request takes up to 5 GB (Amazon S3 user guide, "Uploading objects").

    Attributes:
        client: with ``STREAMING`` as its configuration.
    """

    client: "S3Client"
    bucket: str

    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        """Stores a file from its start."""
        file.seek(0)
        self.client.put_object(
            Bucket=self.bucket, Key=key, Body=file, ContentType=content_type, ChecksumAlgorithm="CRC32"
        )

    def put_stream(self, key: str, stream: Stream, *, length: int, content_type: str) -> None:
        """Stores what can be read of a stream, while it comes.

        Raises:
            BotoCoreError: the stream or the request broke off. What can be read only once is not sent again.
            ClientError: Amazon S3 refused it.
        """
        self.client.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=stream,  # type: ignore[arg-type] # whatever has ``read`` will do
            ContentLength=length,
            ContentType=content_type,
        )


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
