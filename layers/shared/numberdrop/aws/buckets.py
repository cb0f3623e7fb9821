"""The two buckets: uploads are read from one, results written to the other.

``listing`` lists the versions of uploads, and ``fences`` has the folder of the results bucket that keeps a
restored ledger from paying twice.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Protocol
from urllib.parse import unquote_plus

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.jobs.upload import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

STREAMING = Config(request_checksum_calculation="when_required", s3={"payload_signing_enabled": False})
"""For a client that stores streams. A stream can be read only once, so its checksum and signature cannot be
computed before it is sent. TLS, which the bucket requires, protects it in transit."""

_GONE = {"NoSuchKey", "NoSuchVersion", "404", "412", "PreconditionFailed"}
_BLOCK = 1024 * 1024

ARCHIVED = "InvalidObjectState"
"""The refusal to read an object in an archive storage class, until a person restores it (S3 API reference,
"GetObject")."""

_PASSING = {
    "ExpiredToken",
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "SlowDown",
}
"""Errors that pass by themselves (S3 API reference, "Error responses")."""


def refuses_writing(error: ClientError) -> bool:
    """Return whether S3 surely refuses a write until a person acts.

    >>> denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    >>> refuses_writing(ClientError(denied, "PutObject"))
    True
    """
    return _status(error) in range(400, 500) and not _is_passing(error)


def _is_passing(error: ClientError) -> bool:
    return _code(error) in _PASSING or _status(error) in {408, 429} or _status(error) >= 500


class ObjectMissingError(Exception):
    """The bucket has no such object or version, or no longer: check the key and the version."""


class ReadRefusedError(Exception):
    """S3 refuses to hand out an upload until a person acts.

    Reasons are denied access, a KMS key that cannot be used, an archived object, or a bucket that is gone.

    Attributes:
        code: S3's error code, such as ``AccessDenied``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"S3 refuses to hand out the upload ({code}).")
        self.code = code


class StreamNotStoredError(Exception):
    """Storing a stream failed, so S3 may not have the object: store the data from a file instead.

    Attributes:
        cause: the class of the error, for logs.
    """

    def __init__(self, error: Exception) -> None:
        self.cause = type(error).__name__
        super().__init__(f"Storing the stream failed ({self.cause}).")


@dataclass(frozen=True, slots=True)
class UploadHead:
    """What S3 knows about one object without reading it.

    Attributes:
        upload: the requested version.
        written_at: when it was written.
        metadata: the object's own metadata, with names in lower case.
    """

    upload: Upload
    written_at: datetime
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An object in the results bucket: its key, and its size in bytes."""

    key: str
    size: int


@dataclass(frozen=True)
class UploadBucket:
    """Reads uploads, always the exact version that was announced.

    >>> import boto3
    >>> s3 = boto3.client("s3")
    >>> _ = s3.create_bucket(Bucket="uploads-example")
    >>> _ = s3.put_object(Bucket="uploads-example", Key="band/a.txt", Body=b"+447700900001")
    >>> UploadBucket(s3).head("uploads-example", "band/a.txt").upload.size
    13
    """

    client: "S3Client"

    def with_version(self, upload: Upload) -> Upload:
        """Return the upload with its version id, which the event may lack.

        S3 sends no version id for buckets without versioning; some emulators never send one. Returns the
        upload unchanged if the object has been replaced or deleted since.
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

    def with_decoded_key(self, upload: Upload) -> Upload:
        """Return the upload under the key that the bucket has, if its event has the key URL-encoded.

        S3 does not encode the keys in its events to EventBridge, but its user guide does not say so. It does
        encode those in its own notifications (S3 user guide, "Event message structure"). The job must have
        the bucket's key: ``numberdrop announce`` would not recognise it under another one, and the file could
        be paid for twice. Only the same version counts: no other object is ever taken for the upload.
        """
        decoded = unquote_plus(upload.key)
        if upload.version_id is None or decoded == upload.key or self._has(upload):
            return upload
        candidate = replace(upload, key=decoded)
        return candidate if self._has(candidate) else upload

    def _has(self, upload: Upload) -> bool:
        """Return whether the bucket has this version. True if S3 does not say."""
        try:
            self.head(upload.bucket, upload.key, upload.version_id)
        except ObjectMissingError:
            return False
        except ClientError:
            # The cause shows, and is recorded, when the upload is read.
            return True
        return True

    def head(self, bucket: str, key: str, version_id: str | None = None) -> UploadHead:
        """Look up one version of an object, or its latest version.

        Raises:
            ObjectMissingError: there is no such object or version.
        """
        version: dict[str, Any] = {} if version_id is None else {"VersionId": version_id}
        try:
            head = self.client.head_object(Bucket=bucket, Key=key, **version)
        except ClientError as error:
            # 405: the version is a delete marker. 400: no version can have this id. There is no error code to
            # check, because answers to HEAD have no body (S3 API reference, "HeadObject").
            missing = {404, 405} if version_id is None else {400, 404, 405}
            if _status(error) not in missing:
                raise
            raise ObjectMissingError("The bucket has no such object or version.") from None
        upload = Upload.from_s3(
            bucket=bucket,
            key=key,
            version_id=head.get("VersionId"),
            etag=head["ETag"],
            size=head["ContentLength"],
        )
        return UploadHead(upload, head["LastModified"], _lower_names(head.get("Metadata", {})))

    def copy_to(self, upload: Upload, file: BinaryIO) -> Mapping[str, str]:
        """Copy the upload's bytes to a file, in constant memory.

        Returns:
            The object's own metadata, with names in lower case.

        Raises:
            JobFailedError: ``UPLOAD_GONE``, this version no longer exists.
            ReadRefusedError: S3 refuses to hand it out until a person acts.
            ClientError, BotoCoreError: S3 cannot be reached or is busy. Try again.
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
            if _is_passing(error):
                raise
            raise ReadRefusedError(_code(error)) from None
        with closing(answer["Body"]) as body:
            for block in body.iter_chunks(_BLOCK):
                file.write(block)
        return _lower_names(answer.get("Metadata", {}))


class Stream(Protocol):
    """Bytes that can be read once."""

    def read(self, _size: int = -1) -> bytes:
        """Return the next block, or nothing at the end."""


@dataclass(frozen=True)
class ResultsBucket:
    """Writes to the results bucket. Each object is stored by a single request, so it is never partial.

    A single request can store up to 5 GB (S3 user guide, "Uploading objects").

    >>> import boto3
    >>> from io import BytesIO
    >>> s3 = boto3.client("s3", config=STREAMING)
    >>> _ = s3.create_bucket(Bucket="results-example")
    >>> results = ResultsBucket(s3, "results-example")
    >>> results.put("band/a.txt/results.csv", BytesIO(b"number"), "text/csv")
    >>> list(results.files("band/a.txt/"))
    [StoredFile(key='band/a.txt/results.csv', size=6)]

    Attributes:
        client: a client that is configured with ``STREAMING``.
        bucket: the bucket's name.
    """

    client: "S3Client"
    bucket: str

    def put(self, key: str, file: IO[bytes], content_type: str) -> None:
        """Store a whole file, whatever its current position."""
        file.seek(0)
        self.client.put_object(
            Bucket=self.bucket, Key=key, Body=file, ContentType=content_type, ChecksumAlgorithm="CRC32"
        )

    def put_stream(self, key: str, stream: Stream, *, length: int, content_type: str) -> None:
        """Store a stream while it is read.

        Args:
            key: the object's key.
            stream: the bytes to store.
            length: how many bytes the stream has.
            content_type: the object's content type.

        Raises:
            StreamNotStoredError: the stream or the request was interrupted, or S3 refused it. The request is
                not repeated, because a stream can be read only once.
        """
        try:
            self.client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=stream,  # type: ignore[arg-type] # anything with ``read`` works
                ContentLength=length,
                ContentType=content_type,
            )
        except (BotoCoreError, ClientError) as error:
            raise StreamNotStoredError(error) from error

    def files(self, prefix: str) -> Iterator[StoredFile]:
        """Yield the objects whose keys start with ``prefix``."""
        for stored in objects_in(self.client, self.bucket, prefix):
            yield StoredFile(stored["Key"], stored["Size"])


def objects_in(client: "S3Client", bucket: str, prefix: str) -> "Iterator[ObjectTypeDef]":
    """Yield what S3 says about each object of a bucket whose key starts with ``prefix``, in their order."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", [])


def _lower_names(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in metadata.items()}


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
