"""Upload a file as exactly one version. A second version would be a second job and a second charge."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from secrets import choice
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.buckets import ObjectMissingError, UploadBucket
from numberdrop.jobs.upload import MAX_KEY_BYTES, Upload
from numberdrop.masking import without_personal_data
from numberdrop_cli.aws_errors import error_code, explain, http_status
from numberdrop_cli.errors import OutcomeUnknownError, RefusedError
from numberdrop_cli.names import composed
from numberdrop_cli.printing import safe_to_print

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SEND_ID = "numberdrop-send-id"
"""Metadata with a random id, to recognise the object that this call sent."""

AMBIGUOUS_REFUSALS = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload"}
"""Error codes that may mean that an earlier attempt succeeded and its response was lost."""


MAY_HAVE_BEEN_SENT = (
    "The file may have been sent, and may be charged. Look for it with 'numberdrop jobs' before you send it "
    "again. {reason}"
)


def key_for(checker_folder: str, prefix: str | None, name: str, now: datetime) -> str:
    """Return the key for a file, in one Unicode form. Without a prefix, the key is unique.

    >>> key_for("band", "spring", "leads.txt", datetime(2026, 3, 4))
    'band/spring/leads.txt'
    >>> key_for("band", None, "leads.txt", datetime(2026, 3, 4))
    'band/sent/2026-03-04-000000-.../leads.txt'

    Raises:
        RefusedError: the key would be too long.
    """
    # Letters only: digits next to a date may be masked as a number.
    distinction = "".join(choice(ascii_lowercase) for _ in range(5))
    folder = prefix or f"sent/{now:%Y-%m-%d-%H%M%S}-{distinction}"
    key = composed(f"{checker_folder}/{folder}/{name}")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise RefusedError(
            f"Not sent. The key of {safe_to_print(name)} would have more than {MAX_KEY_BYTES} bytes. "
            "Use shorter names."
        )
    return key


def _opened(path: Path) -> BinaryIO:
    """Return the open file, or raise ``RefusedError``."""
    try:
        return path.open("rb")
    except OSError as error:
        raise RefusedError(f"Not sent ({error.strerror}).") from None


@dataclass
class _FinalRequest:
    """The request that creates the object: whether it was started, and its response if there was one."""

    started: bool = False
    response: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Uploader:
    """Put files into the upload bucket without ever replacing one.

    boto3 retries a request when the response was lost. In a bucket with versions, the retry would make a
    second upload. So the request that creates the object is conditional (Amazon S3 user guide, "Conditional
    writes"). If it fails, the object's metadata shows whether this call created it.
    """

    client: "S3Client"
    bucket: str

    def put(
        self, path: Path, key: str, metadata: Mapping[str, str], on_bytes: Callable[[int], None]
    ) -> Upload:
        """Send a file, in parts if it is large.

        Args:
            path: the file.
            key: the object's key.
            metadata: the object's metadata.
            on_bytes: called with the number of bytes sent since the last call.

        Returns:
            The upload. It has no sequencer, and no version if the bucket has no versions.

        Raises:
            RefusedError: nothing was sent.
            OutcomeUnknownError: the file may have been sent.
        """
        send_id = uuid4().hex
        extra = {"Metadata": {**metadata, SEND_ID: send_id}}
        with _opened(path) as file, self._conditional_requests() as final:
            size = os.fstat(file.fileno()).st_size
            try:
                self.client.upload_fileobj(file, self.bucket, key, ExtraArgs=extra, Callback=on_bytes)
                return Upload.from_s3(
                    bucket=self.bucket,
                    key=key,
                    version_id=final.response.get("VersionId"),
                    etag=final.response["ETag"],
                    size=size,
                )
            except (ClientError, BotoCoreError) as error:
                return self._find_after_failure(key, send_id, error, started=final.started)
            except Exception as error:
                # The file can no longer be read, the progress cannot be printed, or the like.
                reason = f"The transfer failed ({getattr(error, 'strerror', None) or type(error).__name__})."
                if not final.started:
                    raise RefusedError(f"Not sent. {reason}") from error
                raise OutcomeUnknownError(MAY_HAVE_BEEN_SENT.format(reason=reason)) from error

    @contextmanager
    def _conditional_requests(self) -> Iterator[_FinalRequest]:
        """Make the final request of an upload conditional, and record its response.

        boto3's transfers accept no condition and return nothing, so handlers of the client's events do both
        (boto3 guide, "Extensibility guide").
        """
        final = _FinalRequest()

        def add_condition(params: dict[str, Any], **_: Any) -> None:
            params["IfNoneMatch"] = "*"
            final.started = True

        def keep_response(parsed: dict[str, Any], **_: Any) -> None:
            final.response = parsed

        handlers = [
            (f"{event}.s3.{request}", handler)
            for event, handler in (("before-parameter-build", add_condition), ("after-call", keep_response))
            for request in ("PutObject", "CompleteMultipartUpload")
        ]
        for event, handler in handlers:
            self.client.meta.events.register(event, handler)
        try:
            yield final
        finally:
            for event, handler in handlers:
                self.client.meta.events.unregister(event, handler)

    def _find_after_failure(
        self, key: str, send_id: str, failure: ClientError | BotoCoreError, *, started: bool
    ) -> Upload:
        """Return the upload if the object was created and only the response was lost."""
        reason = without_personal_data(explain(failure))
        refused = 400 <= http_status(failure) < 500
        if not started or (refused and error_code(failure) not in AMBIGUOUS_REFUSALS):
            raise RefusedError(f"Not sent. {reason}")
        try:
            head = UploadBucket(self.client).head(self.bucket, key)
        except (ClientError, BotoCoreError, ObjectMissingError):
            raise OutcomeUnknownError(MAY_HAVE_BEEN_SENT.format(reason=reason)) from None
        if head.metadata.get(SEND_ID) != send_id:
            raise RefusedError("Not sent. Another file has that key. Choose another --prefix.")
        return head.upload
