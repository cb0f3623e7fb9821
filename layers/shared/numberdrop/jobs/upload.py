"""An upload: one version of one object in the upload bucket, as EventBridge announces it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

MAX_KEY_BYTES = 1024
"""The longest object key (S3 user guide, "Naming Amazon S3 objects")."""

LONGEST_RESULT_NAME = "export.unreadable"
"""Of the files that may lie beside one another in the results bucket."""


class NotAnUploadError(Exception):
    """The message does not announce an upload; it belongs in the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of one object in the upload bucket.

    Build it with ``from_s3``, which normalises what S3 returns.

    Attributes:
        bucket: the bucket's name.
        key: the object's key, not URL-encoded (EventBridge does not encode keys).
        version_id: the version, or None in a bucket without versioning.
        etag: the entity tag without quotation marks.
        size: size in bytes.
        sequencer: hexadecimal text that differs for every write of a key. It distinguishes objects that
            were written to the same key of an unversioned bucket; empty if unknown.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size: int
    sequencer: str

    @classmethod
    def from_s3(
        cls, *, bucket: str, key: str, version_id: str | None, etag: str, size: int, sequencer: str = ""
    ) -> Self:
        """Return the upload that an S3 event or an answer of the S3 API describes.

        Drops the quotation marks that the API puts around ETags, and the version "null", which is not unique:
        S3 gives it to every object that is written while versioning is off or suspended (S3 user guide,
        "Working with objects in a versioning-suspended bucket").

        >>> head = {"VersionId": "null", "ETag": '"0cc175b9"', "ContentLength": 1400}
        >>> upload = Upload.from_s3(
        ...     bucket="uploads",
        ...     key="band/leads.txt",
        ...     version_id=head.get("VersionId"),
        ...     etag=head["ETag"],
        ...     size=head["ContentLength"],
        ... )
        >>> upload.etag, upload.version_id
        ('0cc175b9', None)
        """
        return cls(
            bucket=bucket,
            key=key,
            version_id=None if version_id == "null" else version_id,
            etag=etag.strip('"'),
            size=size,
            sequencer=sequencer,
        )

    @property
    def job_id(self) -> str:
        """64 hexadecimal digits, the same each time this upload is announced."""
        version = self.version_id or f"unversioned:{self.sequencer}"
        identity = json.dumps([self.bucket, self.key, version], ensure_ascii=True)
        return hashlib.sha256(identity.encode()).hexdigest()

    @property
    def is_folder_marker(self) -> bool:
        """Whether the key ends in ``/``: consoles make such empty objects for folders."""
        return self.key.endswith("/")

    def results_prefix(self, checker: str) -> str:
        """Where the results of this upload go in the results bucket, ending in ``/``.

        Below the upload's key and the first digits of the job id, or below the checker and the whole job id
        where a file's key would be too long otherwise.
        """
        prefix = f"{self.key}/{self.job_id[:12]}/"
        if len(prefix.encode()) + len(LONGEST_RESULT_NAME) > MAX_KEY_BYTES:
            return f"{checker}/{self.job_id}/"
        return prefix


def upload_from_message(body: str, *, bucket: str) -> Upload | None:
    """The upload that a queue message announces, or None for S3's own test messages.

    The message is an EventBridge event "Object Created" (S3 user guide, "EventBridge event message
    structure"). The version is missing where the bucket is not versioned.

    Raises:
        NotAnUploadError: the body is no such event, or is about another bucket.
    """
    try:
        message = json.loads(body)
    except ValueError:
        raise NotAnUploadError("The message body is not JSON.") from None
    if not isinstance(message, Mapping):
        raise NotAnUploadError("The message body is not a JSON object.")
    if message.get("Event") == "s3:TestEvent" or message.get("Records") == []:
        return None
    if message.get("source") != "aws.s3" or message.get("detail-type") != "Object Created":
        raise NotAnUploadError("The message is no 'Object Created' event of Amazon S3.")
    upload = _from_detail(message.get("detail"))
    if upload.bucket != bucket:
        raise NotAnUploadError("The event is about a bucket that is not the upload bucket.")
    return upload


def message_for(upload: Upload) -> str:
    """The message that announces an upload, made anew; ``upload_from_message`` reads it."""
    described = {"key": upload.key, "etag": upload.etag, "size": upload.size, "sequencer": upload.sequencer}
    if upload.version_id:
        described["version-id"] = upload.version_id
    return json.dumps(
        {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": upload.bucket}, "object": described},
        }
    )


def _from_detail(detail: Any) -> Upload:
    try:
        described = detail["object"]
        return Upload.from_s3(
            bucket=str(detail["bucket"]["name"]),
            key=str(described["key"]),
            version_id=described.get("version-id"),
            etag=str(described["etag"]),
            size=int(described["size"]),
            sequencer=str(described.get("sequencer", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotAnUploadError("The event does not describe an object.") from None
