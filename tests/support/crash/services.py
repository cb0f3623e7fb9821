"""Small services in memory, with the signatures of boto3: buckets, a queue, a bus, a secret."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, UnseekableStreamError

VISIBILITY = timedelta(seconds=5400)
MAX_RECEIVES = 5

Now = Callable[[], datetime]


@dataclass(frozen=True)
class Version:
    """One version of an object."""

    version_id: str
    etag: str
    content: bytes


@dataclass
class Buckets:
    """Amazon S3, every bucket versioned."""

    objects: dict[tuple[str, str], list[Version]] = field(default_factory=dict)

    def put_object(self, **request: Any) -> dict[str, str]:
        content = _sent(request["Body"], request.get("ContentLength"))
        key = request["Key"]
        versions = self.objects.setdefault((request["Bucket"], key), [])
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        versions.append(Version(f"{key}-{len(versions) + 1}", etag, content))
        return {"VersionId": versions[-1].version_id}

    def head_object(self, **request: str) -> dict[str, str]:
        return {"VersionId": self._wanted(request, "HeadObject").version_id}

    def get_object(self, **request: str) -> dict[str, "Body"]:
        return {"Body": Body(self._wanted(request, "GetObject").content)}

    def content(self, bucket: str, key: str) -> bytes | None:
        """What lies under a key now."""
        versions = self.objects.get((bucket, key))
        return versions[-1].content if versions else None

    def _wanted(self, request: Mapping[str, str], operation: str) -> Version:
        versions = self.objects.get((request["Bucket"], request["Key"]), [])
        wanted = request.get("VersionId")
        found = [version for version in versions if wanted in {None, version.version_id}]
        if not found:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "not found"}}, operation)
        if request["IfMatch"] != f'"{found[-1].etag}"':
            raise ClientError({"Error": {"Code": "PreconditionFailed", "Message": "other"}}, operation)
        return found[-1]


def _sent(body: Any, length: int | None) -> bytes:
    """What the SDK sends of a body, with what it raises when that breaks off or cannot be sent again."""
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
    """A body that is read in one piece."""

    content: bytes

    def iter_chunks(self, _size: int) -> Iterator[bytes]:
        yield self.content

    def close(self) -> None:
        """Nothing is held."""


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
        wake: told when a message becomes visible.
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
        """The next visible message, which is then invisible for a while."""
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
        """A person sends the dead letters to the queue again."""
        while self.dead_letters:
            self.send(self.dead_letters.pop().body)

    def _hide(self, message: Message, duration: timedelta) -> None:
        message.visible_at = self.now() + duration
        self.wake(message.visible_at)

    def _received(self, receipt: str) -> list[Message]:
        return [message for message in self.messages if message.receipt == receipt]


@dataclass(frozen=True)
class Bus:
    """Amazon EventBridge, which keeps what it gets.

    Attributes:
        on_event: told of the detail type and the detail of each event.
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

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": self.value}
