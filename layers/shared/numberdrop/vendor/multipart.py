"""A multipart/form-data body that streams a file, in constant memory and with a known length."""

import os
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from itertools import chain
from typing import IO
from uuid import uuid4

BLOCK = 512 * 1024
"""Bytes per read."""


class MultipartFile:
    """The body of one request: text fields, then one file (RFC 7578).

    ``requests`` would hold the file in memory twice to encode it. It streams any object with ``read`` and
    ``__len__`` instead, with a Content-Length.

    >>> from io import BytesIO
    >>> body = MultipartFile({"task_type": "band"}, BytesIO(b"+447700900001"))
    >>> len(body) == len(b"".join(iter(body.read, b"")))
    True

    Attributes:
        content_type: the value of the Content-Type header, with the boundary.
        started: whether any byte of the body has been read. While it is False, the server has received
            headers at most, so it cannot have created a task.
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        file: IO[bytes],
        *,
        before_each_read: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare the body; reading starts at the file's current position.

        Args:
            fields: the text fields by name.
            file: a seekable file.
            before_each_read: called before each block is read; an exception it raises stops the request.
        """
        boundary = uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.started = False
        self._before_each_read = before_each_read
        head = _head(fields, boundary)
        tail = f"\r\n--{boundary}--\r\n".encode()
        start = file.tell()
        self._length = len(head) + file.seek(0, os.SEEK_END) - start + len(tail)
        file.seek(start)
        self._blocks = chain(*(_blocks(part) for part in (BytesIO(head), file, BytesIO(tail))))

    def __len__(self) -> int:
        return self._length

    def read(self, _size: int = -1) -> bytes:
        """Return the next block, or nothing at the end. Ignores the requested size."""
        self._before_each_read()
        self.started = True
        return next(self._blocks, b"")


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    while block := source.read(BLOCK):
        yield block


def _head(fields: Mapping[str, str], boundary: str) -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="numbers.txt"\r\n'
        "Content-Type: text/plain\r\n\r\n"
    )
    return "".join(parts).encode()
