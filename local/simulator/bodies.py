"""Read request bodies as streams: both framings, both kinds of form, files straight to disk."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qs

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from local.simulator.model import ReceivedFile, RefusedError, rows_of

_BLOCK = 256 * 1024
_SMALL_FORM = 64 * 1024


class IncompleteBodyError(ConnectionError):
    """The client disconnected in the middle of a body."""


class Body:
    """The body of a request; it can be read once."""

    def __init__(self, stream: BufferedIOBase, headers: Message) -> None:
        self._stream = stream
        self._chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
        self._length = int(headers.get("Content-Length", 0))
        self._blocks = self._read_chunks() if self._chunked else self._read_length()

    @property
    def framing(self) -> str:
        """How the request marks the end of its body: ``chunked`` or ``content-length``."""
        return "chunked" if self._chunked else "content-length"

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    def read_part(self) -> None:
        """Read about half of the body."""
        if self._chunked:
            next(self._blocks, None)
        else:
            self._stream.read(self._length // 2)

    def drain(self) -> None:
        """Read the rest of the body, so that the client goes on to read the answer."""
        for _ in self._blocks:
            pass

    def _read_length(self) -> Iterator[bytes]:
        left = self._length
        while left:
            block = self._read(min(_BLOCK, left))
            left -= len(block)
            yield block

    def _read_chunks(self) -> Iterator[bytes]:
        while size := int(self._line().partition(b";")[0], 16):
            while size:
                block = self._read(min(_BLOCK, size))
                size -= len(block)
                yield block
            self._line()
        while self._line().strip():  # trailers
            pass

    def _read(self, size: int) -> bytes:
        block = self._stream.read(size)
        if not block:
            raise IncompleteBodyError("The body ended early.")
        return block

    def _line(self) -> bytes:
        line = self._stream.readline(_BLOCK)
        if not line:
            raise IncompleteBodyError("The body ended early.")
        return line


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, and its file if it has one."""

    fields: dict[str, str]
    file: ReceivedFile | None


def read_form(body: Body, content_type: str, *, file_path: Path, byte_limit: int) -> Form:
    """Read a form of either kind, and write the part named ``file`` to ``file_path``.

    Raises:
        RefusedError: 400 for an invalid form, 413 for a body over the limit.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"application/x-www-form-urlencoded":
        return Form(_urlencoded_fields(body), file=None)
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise RefusedError(400, "bad_request", "The body must be a form.")
    with file_path.open("wb") as file:
        parts = _Parts(options[b"boundary"], file)
        _feed(parts, body, byte_limit)
    return Form(parts.fields, parts.received_file(file_path, body.framing))


def _urlencoded_fields(body: Body) -> dict[str, str]:
    content = b""
    for block in body:
        content += block
        if len(content) > _SMALL_FORM:
            raise RefusedError(413, "file_too_large", "The form is too large.")
    fields = parse_qs(content.decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _feed(parts: "_Parts", body: Body, byte_limit: int) -> None:
    size = 0
    try:
        for block in body:
            size += len(block)
            if size > byte_limit:
                raise RefusedError(413, "file_too_large", "The file is too large.")
            parts.write(block)
    except FormParserError:
        raise RefusedError(400, "bad_request", "The form cannot be read.") from None
    if not parts.complete:
        raise RefusedError(400, "bad_request", "The form is incomplete.")


class _Parts:
    """Parses a multipart form while it arrives."""

    def __init__(self, boundary: bytes, file: BinaryIO) -> None:
        self.complete = False
        self._file = file
        self._has_file = False
        self._digest = hashlib.sha256()
        self._size = 0
        self._values: dict[str, bytearray] = {}
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._field: str | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._extend_header_name,
                "on_header_value": self._extend_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_content,
                "on_part_data": self._take_content,
                "on_end": self._end,
            },
        )
        self.write = self._parser.write

    @property
    def fields(self) -> dict[str, str]:
        return {name: bytes(value).decode("utf-8", "replace") for name, value in self._values.items()}

    def received_file(self, path: Path, framing: str) -> ReceivedFile | None:
        if not self._has_file:
            return None
        rows = sum(1 for _ in rows_of(path))
        return ReceivedFile(path, rows, self._size, self._digest.hexdigest(), framing)

    def _extend_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _extend_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _begin_content(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if name == "file" and b"filename" in options:
            self._has_file, self._field = True, None
        else:
            self._field = name
            self._values[name] = bytearray()

    def _take_content(self, data: bytes, start: int, end: int) -> None:
        content = data[start:end]
        if self._field is not None:
            self._values[self._field] += content
            return
        self._file.write(content)
        self._digest.update(content)
        self._size += len(content)

    def _end(self) -> None:
        self.complete = True
