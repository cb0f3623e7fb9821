"""A multipart/form-data body that streams a file in constant memory with a known length."""

import os
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from itertools import chain
from typing import IO
from uuid import uuid4

BLOCK = 512 * 1024
"""Bytes handed to the socket at a time."""


class MultipartFile:
    """The body of one upload: text fields, then one file (RFC 7578).

    ``requests`` holds a file twice in memory when it encodes it itself. Given an object with ``read`` and
    ``__len__`` instead, it sends Content-Length and reads as it sends.

    Attributes:
        content_type: the request's Content-Type, with the boundary.
        started: whether any byte of the body was handed out. While it is False the server has at most
            seen headers, so no task can exist.
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        file: IO[bytes],
        *,
        before_each_read: Callable[[], None] = lambda: None,
    ) -> None:
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
        """The next block, or nothing at the end; the size of a block is ours to choose."""
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
