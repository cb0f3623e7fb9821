"""An upload: one version of one object in the upload bucket."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

MAX_KEY_BYTES = 1024
"""Longest object key in bytes (S3 user guide, "Naming Amazon S3 objects")."""

LARGEST_UPLOAD = 400_000_000
"""Bytes. The submit function's disk holds such an upload and the file to send. The vendor states no limit."""

REGION_METADATA = "default-region"
"""The object's metadata with the region of numbers without a country code: ISO 3166 alpha-2, or
``INTERNATIONAL``."""

INTERNATIONAL = "international"
"""The region of numbers that begin with a country code although they have no ``+``."""

LONGEST_RESULT_NAME = "export.unreadable"
"""Longest name of a file in the results bucket, without its folder."""


def usual_region(region: str) -> str:
    """Return a region in its usual spelling: a country in capitals, ``international`` in lower case.

    >>> usual_region("gb"), usual_region("International")
    ('GB', 'international')
    """
    return INTERNATIONAL if region.lower() == INTERNATIONAL else region.upper()


class NotAnUploadError(Exception):
    """The message does not announce an upload. Send it to the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of one object in the upload bucket.

    Build it with ``from_s3``, which normalises what S3 returns.

    Attributes:
        bucket: the bucket's name.
        key: the object's key, not URL-encoded.
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
        """64 hexadecimal digits, the same every time this upload is announced."""
        version = self.version_id or f"unversioned:{self.sequencer}"
        identity = json.dumps([self.bucket, self.key, version], ensure_ascii=True)
        return hashlib.sha256(identity.encode()).hexdigest()

    @property
    def is_folder_marker(self) -> bool:
        """Whether the key ends in ``/``: consoles create such empty objects to show folders."""
        return self.key.endswith("/")

    def results_prefix(self, checker: str) -> str:
        """Return the folder of this upload's results in the results bucket, ending in ``/``.

        It is the upload's key and the first digits of the job id, or the checker and the whole job id if a
        key in it would be too long otherwise.
        """
        prefix = f"{self.key}/{self.job_id[:12]}/"
        if len(prefix.encode()) + len(LONGEST_RESULT_NAME) > MAX_KEY_BYTES:
            return f"{checker}/{self.job_id}/"
        return prefix


def upload_from_message(body: str, *, bucket: str) -> Upload | None:
    """Return the upload that a queue message announces, or None for S3's own test messages.

    Args:
        body: an EventBridge event "Object Created" (S3 user guide, "EventBridge event message structure"). It
            has no version if the bucket is not versioned.
        bucket: the upload bucket.

    Raises:
        NotAnUploadError: the body is not such an event, or is about another bucket.
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
        raise NotAnUploadError("The message is not an 'Object Created' event of Amazon S3.")
    upload = _from_detail(message.get("detail"))
    if upload.bucket != bucket:
        raise NotAnUploadError("The event is about another bucket than the upload bucket.")
    return upload


def message_for(upload: Upload) -> str:
    """Return a queue message that announces an upload, as ``upload_from_message`` reads it.

    >>> upload = Upload("uploads", "band/leads.txt", "v1", "0cc175b9", 1400, "00")
    >>> upload_from_message(message_for(upload), bucket="uploads") == upload
    True
    """
    fields: dict[str, Any] = {
        "key": upload.key,
        "etag": upload.etag,
        "size": upload.size,
        "sequencer": upload.sequencer,
    }
    if upload.version_id:
        fields["version-id"] = upload.version_id
    return json.dumps(
        {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {"bucket": {"name": upload.bucket}, "object": fields},
        }
    )


def _from_detail(detail: Any) -> Upload:
    try:
        fields = detail["object"]
        return Upload.from_s3(
            bucket=str(detail["bucket"]["name"]),
            key=str(fields["key"]),
            version_id=fields.get("version-id"),
            etag=str(fields["etag"]),
            size=int(fields["size"]),
            sequencer=str(fields.get("sequencer", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotAnUploadError("The event does not describe an object.") from None
