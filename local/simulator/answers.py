"""HTTP answers, and how they are sent or deliberately not sent."""

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


class Delivery(StrEnum):
    """Whether an answer reaches the client."""

    SENT = "sent"
    CONNECTION_RESET = "the connection is reset instead"
    NEVER_SENT = "the client waits until it gives up"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer.

    Attributes:
        status: HTTP status.
        body: the bytes, or the file that holds them.
        content_type: the type of the body.
        headers: further headers.
        delivery: whether it is sent at all.
        seconds_per_byte: the pause after each byte; 0 sends whole blocks without a pause.
        stop_after: the number of bytes of the body to send before closing the connection; None for all.
        length_error: the difference between the announced and the true length, in bytes.
    """

    status: int
    body: bytes | Path = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.SENT
    seconds_per_byte: float = 0.0
    stop_after: int | None = None
    length_error: int = 0

    @property
    def keeps_connection(self) -> bool:
        """Whether the client may send another request on the same connection."""
        return self.stop_after is None and self.length_error == 0


def json_answer(status: int, content: object) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(status, json.dumps(content).encode("utf-8"))


def error_answer(status: int, code: str, message: str) -> Answer:
    """Return a refusal in the vendor's format."""
    return json_answer(status, {"error": code, "message": message})


def html_answer(status: int) -> Answer:
    """Return the HTML error page of a gateway in front of the vendor."""
    phrase = HTTPStatus(status).phrase
    page = f"<!doctype html><title>{status} {phrase}</title><h1>{phrase}</h1>"
    return Answer(status, page.encode("utf-8"), "text/html; charset=utf-8")


def storage_error(code: str) -> Answer:
    """Return the error of object storage for an invalid or expired link."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Answer(403, body.encode("utf-8"), "application/xml")


def send(answer: Answer, stream: BufferedIOBase, *, closing: threading.Event) -> None:
    """Write an answer to a stream; setting ``closing`` aborts a slow one."""
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
    """Let the next close of a connection send a TCP reset."""
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
    """Yield the body in blocks, up to where it is truncated."""
    length = _length(answer.body)
    left = length if answer.stop_after is None else min(length, answer.stop_after)
    if isinstance(answer.body, bytes):
        yield answer.body[:left]
        return
    with answer.body.open("rb") as file:
        while left and (block := file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block
