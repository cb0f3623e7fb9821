"""A file into the upload bucket, as exactly one version: a further one would be another job and charge."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.buckets import ObjectMissingError, UploadBucket
from numberdrop.jobs.upload import MAX_KEY_BYTES, Upload
from numberdrop.masking import without_numbers
from numberdrop_cli.aws_errors import error_code, explain, http_status
from numberdrop_cli.errors import OutcomeUnknownError, RefusedError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SEND_ID = "numberdrop-send-id"
"""Metadata that tells whether an object is the one that this very call was sending."""

AMBIGUOUS_REFUSALS = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload"}
"""Refusals that an earlier try of the same request may have caused, whose answer was lost."""


def key_for(checker_folder: str, prefix: str | None, name: str, now: datetime) -> str:
    """The key to send a file under; without a prefix, one that no other file has.

    Raises:
        RefusedError: it would be longer than keys can be.
    """
    folder = prefix or f"sent/{now:%Y-%m-%d-%H%M%S}-{token_hex(3)}"
    key = f"{checker_folder}/{folder}/{name}"
    if len(key.encode()) > MAX_KEY_BYTES:
        raise RefusedError(f"The key would have more than {MAX_KEY_BYTES} bytes. Take shorter names.")
    return key


@dataclass
class _FinalRequest:
    """The request that makes the object: it was begun, and then answered, or not."""

    begun: bool = False
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Uploader:
    """Puts files into the upload bucket, and never replaces one that is there.

    boto3 repeats a request whose answer was lost, and in a bucket with versions the repeat would be a second
    upload. So the request that makes the object is conditional (Amazon S3 user guide, "Conditional writes"),
    and if it fails, the object itself is asked whether it is ours.
    """

    client: "S3Client"
    bucket: str

    def put(self, path: Path, key: str, metadata: Mapping[str, str], sent: Callable[[int], None]) -> Upload:
        """Sends a file, a large one in parts; ``sent`` is told of bytes as they go.

        Returns:
            The upload, without its sequencer, and without a version where the bucket has none.

        Raises:
            RefusedError: nothing was sent.
            OutcomeUnknownError: it may have been sent.
        """
        send_id = uuid4().hex
        extra = {"Metadata": {**metadata, SEND_ID: send_id}}
        with path.open("rb") as file, self._conditional_requests() as final:
            try:
                self.client.upload_fileobj(file, self.bucket, key, ExtraArgs=extra, Callback=sent)
            except (ClientError, BotoCoreError) as error:
                return self._find_after_failure(key, send_id, error, begun=final.begun)
        return Upload.from_s3(
            bucket=self.bucket,
            key=key,
            version_id=final.answer.get("VersionId"),
            etag=final.answer["ETag"],
            size=path.stat().st_size,
        )

    @contextmanager
    def _conditional_requests(self) -> Iterator[_FinalRequest]:
        """Makes the final request of an upload conditional, and tells how it went.

        boto3's transfers take no condition and return nothing, so both go by events of the client (boto3
        guide, "Extensibility guide").
        """
        final = _FinalRequest()

        def begin(params: dict[str, Any], **_: Any) -> None:
            params["IfNoneMatch"] = "*"
            final.begun = True

        def end(parsed: dict[str, Any], **_: Any) -> None:
            final.answer = parsed

        handlers = [
            (f"{event}.s3.{request}", handler)
            for event, handler in (("before-parameter-build", begin), ("after-call", end))
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
        self, key: str, send_id: str, failure: ClientError | BotoCoreError, *, begun: bool
    ) -> Upload:
        """The object, if it was made and only the answer was lost."""
        why = without_numbers(explain(failure))
        refused = 400 <= http_status(failure) < 500
        if not begun or (refused and error_code(failure) not in AMBIGUOUS_REFUSALS):
            raise RefusedError(f"It was not sent. {why}")
        try:
            head = UploadBucket(self.client).head(self.bucket, key)
        except (ClientError, BotoCoreError, ObjectMissingError):
            raise OutcomeUnknownError(
                "It may have been sent, and may be charged. Look for it with 'numberdrop jobs' before you "
                f"send it again. {why}"
            ) from None
        if head.metadata.get(SEND_ID) != send_id:
            raise RefusedError("It was not sent: another file has that key. Take another --prefix.")
        return head.upload
