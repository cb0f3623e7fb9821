"""What goes back over the socket, and how badly it may be sent."""

import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from io import BufferedIOBase
from pathlib import Path

_BLOCK = 256 * 1024
_CLOSE_WITH_RESET = struct.pack("ii", 1, 0)


class Fate(StrEnum):
    """What becomes of an answer."""

    SENT = "sent"
    CONNECTION_RESET = "the connection is reset instead"
    NEVER_SENT = "the client waits until it gives up"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer.

    Attributes:
        status: HTTP status.
        body: the bytes, or the file that holds them.
        content_type: of the body.
        headers: further headers.
        fate: whether it is sent at all.
        seconds_per_byte: the pause after each byte; 0 sends in blocks.
        stop_after: bytes of the body after which the connection is closed; None for all.
        length_error: by how much the announced length differs from the true one.
    """

    status: int
    body: bytes | Path = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    fate: Fate = Fate.SENT
    seconds_per_byte: float = 0.0
    stop_after: int | None = None
    length_error: int = 0

    @property
    def keeps_connection(self) -> bool:
        """Whether another request may follow on the same connection."""
        return self.stop_after is None and self.length_error == 0


def json_answer(status: int, content: object) -> Answer:
    """An answer that carries JSON."""
    return Answer(status, json.dumps(content).encode("utf-8"))


def error_answer(status: int, code: str, message: str) -> Answer:
    """The vendor's shape of a refusal."""
    return json_answer(status, {"error": code, "message": message})


def html_answer(status: int) -> Answer:
    """What a gateway in front of the vendor says."""
    phrase = HTTPStatus(status).phrase
    page = f"<!doctype html><title>{status} {phrase}</title><h1>{phrase}</h1>"
    return Answer(status, page.encode("utf-8"), "text/html; charset=utf-8")


def storage_refusal(code: str) -> Answer:
    """What object storage says of a link that does not, or no longer, work."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Answer(403, body.encode("utf-8"), "application/xml")


def send(answer: Answer, stream: BufferedIOBase, *, closing: threading.Event) -> None:
    """Write an answer that is to be sent; ``closing`` ends a slow one early."""
    head = _head(answer)
    if not answer.seconds_per_byte:
        stream.write(head)
        for block in _blocks(answer):
            stream.write(block)
        return
    for byte in head + b"".join(_blocks(answer)):
        stream.write(bytes([byte]))
        if closing.wait(answer.seconds_per_byte):
            return


def reset(connection: socket.socket) -> None:
    """Make the next close of a connection a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_WITH_RESET)


def _head(answer: Answer) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {_length(answer.body) + answer.length_error}",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
    ]
    if not answer.keeps_connection:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _length(body: bytes | Path) -> int:
    return body.stat().st_size if isinstance(body, Path) else len(body)


def _blocks(answer: Answer) -> Iterator[bytes]:
    """The body, up to where it is cut off."""
    length = _length(answer.body)
    left = length if answer.stop_after is None else min(length, answer.stop_after)
    if isinstance(answer.body, bytes):
        yield answer.body[:left]
        return
    with answer.body.open("rb") as file:
        while left and (block := file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block
