"""Small in-memory services with the signatures of boto3: buckets, a queue, a bus, a secret, and logs."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, UnseekableStreamError

from tests.support.jobs import NOON

VISIBILITY = timedelta(seconds=5400)
MAX_RECEIVES = 5

Now = Callable[[], datetime]


@dataclass(frozen=True)
class Version:
    """One version of an object."""

    version_id: str
    etag: str
    content: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Buckets:
    """Amazon S3; every bucket is versioned.

    Attributes:
        withheld: the prefix of keys whose objects cannot be read for now, or None.
    """

    objects: dict[tuple[str, str], list[Version]] = field(default_factory=dict)
    written: int = 0
    withheld: str | None = None

    def put_object(self, **request: Any) -> dict[str, str]:
        content = _sent(request["Body"], request.get("ContentLength")) if "Body" in request else b""
        key = request["Key"]
        versions = self.objects.setdefault((request["Bucket"], key), [])
        if versions and request.get("IfNoneMatch") == "*":
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": "exists"}}, "PutObject")
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self.written += 1
        metadata = request.get("Metadata", {})
        versions.append(Version(f"{key}-{self.written}", etag, content, metadata))
        return {"VersionId": versions[-1].version_id}

    def withhold(self, prefix: str | None) -> None:
        """Refuse to read the objects whose keys have a prefix; None: refuse no more."""
        self.withheld = prefix

    def delete_object(self, **request: str) -> None:
        """Delete one version for good, or the whole object; deleting what does not exist succeeds."""
        versions = self.objects.get((request["Bucket"], request["Key"]), [])
        deleted = request.get("VersionId")
        versions[:] = [version for version in versions if deleted not in {None, version.version_id}]

    def head_object(self, **request: str) -> dict[str, Any]:
        found = self._find(request, "HeadObject")
        return {"VersionId": found.version_id, "Metadata": dict(found.metadata)}

    def list_objects_v2(self, **request: str) -> dict[str, Any]:
        found = [
            key
            for (bucket, key), versions in self.objects.items()
            if bucket == request["Bucket"] and key.startswith(request["Prefix"]) and versions
        ]
        sizes = {key: len(self.objects[request["Bucket"], key][-1].content) for key in sorted(found)}
        contents = [{"Key": key, "Size": size, "LastModified": NOON} for key, size in sizes.items()]
        return {"Contents": contents}

    def list_object_versions(self, **request: str) -> dict[str, Any]:
        found = [
            {
                "Key": key,
                "VersionId": version.version_id,
                "ETag": version.etag,
                "Size": len(version.content),
                "LastModified": None,
                "IsLatest": version is versions[-1],
            }
            for (bucket, key), versions in self.objects.items()
            for version in versions
            if bucket == request["Bucket"] and key.startswith(request.get("Prefix", ""))
        ]
        answer: dict[str, Any] = {"Versions": found, "IsTruncated": False}
        if delimiter := request.get("Delimiter"):
            folders = {str(version["Key"]).partition(delimiter)[0] + delimiter for version in found}
            answer = {"CommonPrefixes": [{"Prefix": name} for name in sorted(folders)], "IsTruncated": False}
        return answer

    def metadata(self, bucket: str, key: str) -> Mapping[str, str]:
        """Return the metadata of a key's current version; empty if there is none."""
        versions = self.objects.get((bucket, key))
        return versions[-1].metadata if versions else {}

    def get_object(self, **request: str) -> dict[str, "Body"]:
        if self.withheld and request["Key"].startswith(self.withheld):
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "reduce your rate"}}, "GetObject")
        content = self._find(request, "GetObject").content
        if wanted := request.get("Range"):
            start, end = wanted.removeprefix("bytes=").split("-")
            content = content[int(start) : int(end) + 1]
        return {"Body": Body(content)}

    def content(self, bucket: str, key: str) -> bytes | None:
        """Return the current content of a key, or None."""
        versions = self.objects.get((bucket, key))
        return versions[-1].content if versions else None

    def _find(self, request: Mapping[str, str], operation: str) -> Version:
        versions = self.objects.get((request["Bucket"], request["Key"]), [])
        version_id = request.get("VersionId")
        found = [version for version in versions if version_id in {None, version.version_id}]
        if not found:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "not found"}}, operation)
        if request.get("IfMatch", f'"{found[-1].etag}"') != f'"{found[-1].etag}"':
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": "other"}}, operation)
        return found[-1]


def _sent(body: Any, length: int | None) -> bytes:
    """Return what the SDK sends of a body; raise what it raises if reading fails or the length differs."""
    if isinstance(body, bytes):
        return body
    if length is None:
        body.seek(0)
    try:
        content: bytes = body.read()
    except Exception as error:
        raise HTTPClientError(error=error) from error
    if length not in {None, len(content)}:
        raise UnseekableStreamError(stream_object=body)
    return content


@dataclass(frozen=True)
class Body:
    """A body that is read in one block."""

    content: bytes

    def iter_chunks(self, _size: int) -> Iterator[bytes]:
        yield self.content

    def read(self) -> bytes:
        return self.content

    def close(self) -> None:
        """Do nothing."""


@dataclass
class Message:
    """A message of the queue."""

    body: str
    visible_at: datetime
    receives: int = 0
    receipt: str = ""


@dataclass
class Queue:
    """Amazon SQS: one queue with its dead-letter queue.

    Attributes:
        wake: called with the moment at which a message becomes visible.
    """

    now: Now
    wake: Callable[[datetime], None]
    messages: list[Message] = field(default_factory=list)
    dead_letters: list[Message] = field(default_factory=list)
    receipts: int = 0

    def send_message(self, **request: Any) -> None:
        self.send(request["MessageBody"], timedelta(seconds=request["DelaySeconds"]))

    def change_message_visibility(self, **request: Any) -> None:
        for message in self._received(request["ReceiptHandle"]):
            self._hide(message, timedelta(seconds=request["VisibilityTimeout"]))

    def delete_message(self, **request: str) -> None:
        for message in self._received(request["ReceiptHandle"]):
            self.messages.remove(message)

    def send(self, body: str, delay: timedelta = timedelta()) -> None:
        self.messages.append(Message(body, self.now()))
        self._hide(self.messages[-1], delay)

    def receive(self) -> Message | None:
        """Return the next visible message, and hide it for the visibility timeout."""
        for message in [message for message in self.messages if message.visible_at <= self.now()]:
            message.receives += 1
            if message.receives > MAX_RECEIVES:
                self.messages.remove(message)
                self.dead_letters.append(message)
                continue
            self.receipts += 1
            message.receipt = f"receipt-{self.receipts}"
            self._hide(message, VISIBILITY)
            return message
        return None

    def redrive(self) -> None:
        """Move the dead letters back to the queue, as a maintainer can."""
        while self.dead_letters:
            self.send(self.dead_letters.pop().body)

    def _hide(self, message: Message, duration: timedelta) -> None:
        message.visible_at = self.now() + duration
        self.wake(message.visible_at)

    def _received(self, receipt: str) -> list[Message]:
        return [message for message in self.messages if message.receipt == receipt]


@dataclass(frozen=True)
class Bus:
    """Amazon EventBridge.

    Attributes:
        on_event: called with the detail type and the detail of each event.
    """

    on_event: Callable[[str, dict[str, Any]], None]

    def put_events(self, **request: Any) -> dict[str, Any]:
        for entry in request["Entries"]:
            self.on_event(entry["DetailType"], json.loads(entry["Detail"]))
        return {"FailedEntryCount": 0, "Entries": [{} for _ in request["Entries"]]}


@dataclass
class Secrets:
    """AWS Secrets Manager with one secret."""

    value: str
    version: int = 1

    def put(self, value: str) -> None:
        """Store another value, or the same one again."""
        self.value, self.version = value, self.version + 1

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": self.value, "VersionId": f"version-{self.version}"}


LOG_LINES: list[str] = []
"""The lines that the package logged since the list was last cleared, as CloudWatch would receive them."""


class LogCollector(logging.Handler):
    """Appends to ``LOG_LINES`` in the format of the handler that it replaces."""

    def __init__(self, instead_of: logging.Handler) -> None:
        super().__init__()
        self.setFormatter(instead_of.formatter)

    def emit(self, record: logging.LogRecord) -> None:
        LOG_LINES.append(self.format(record))
