"""An upload: one version of one object in the upload bucket, as EventBridge announces it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_KEY_BYTES = 1024
"""The longest object key (S3 user guide, "Naming Amazon S3 objects")."""

LONGEST_RESULT_NAME = "export.unreadable"
"""Of the files that may lie beside one another in the results bucket."""


class NotAnUploadError(Exception):
    """The message does not announce an upload; it belongs in the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of one object.

    Attributes:
        bucket: the bucket's name.
        key: the object's key, not URL-encoded (EventBridge does not encode keys).
        version_id: the version, or None in a bucket that was never versioned.
        etag: the entity tag without quotes.
        size: bytes.
        sequencer: hexadecimal text that differs for each write of a key; tells apart the objects that
            followed one another under one key of an unversioned bucket.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size: int
    sequencer: str

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


def version_named(version_id: str | None) -> str | None:
    """The version of an object, if it has one to be known by.

    While versioning is off or suspended, Amazon S3 calls what is written "null", time after time (S3 user
    guide, "Working with objects in a versioning-suspended bucket").
    """
    return None if version_id == "null" else version_id


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
        return Upload(
            bucket=str(detail["bucket"]["name"]),
            key=str(described["key"]),
            version_id=version_named(described.get("version-id")),
            etag=str(described["etag"]).strip('"'),
            size=int(described["size"]),
            sequencer=str(described.get("sequencer", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotAnUploadError("The event does not describe an object.") from None
