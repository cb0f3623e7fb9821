"""Minimal servers that show the exact bytes that a client sends."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Request:
    """One captured request."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Captured:
    """What a server received, for one request.

    Attributes:
        url: the server's address.
        raw: the bytes received so far.
        done: set when the request is complete.
    """

    url: str
    raw: bytes = b""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def request(self) -> Request:
        """The request, once it is complete."""
        assert self.done.wait(5)
        head, _, body = self.raw.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (text.split(": ", 1) for text in lines)}
        return Request(line, headers, body)


@contextmanager
def listening() -> Iterator[tuple[str, socket.socket]]:
    """Listen without accepting; yield the URL and the socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", server


@contextmanager
def served(server: socket.socket, serve: Callable[[], None]) -> Iterator[None]:
    """Accept connections in a thread until the context ends."""
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@contextmanager
def captured_request(answer: bytes) -> Iterator[Captured]:
    """Run a server that answers one request with these bytes."""
    with listening() as (url, server):
        captured = Captured(url)
        with served(server, lambda: _serve(server, captured, answer)):
            yield captured


def _serve(server: socket.socket, captured: Captured, answer: bytes) -> None:
    try:
        connection, _ = server.accept()
    except OSError:
        return
    with connection:
        while not _is_complete(captured.raw) and (block := connection.recv(65536)):
            captured.raw += block
        captured.done.set()
        connection.sendall(answer)


def _is_complete(raw: bytes) -> bool:
    head, end, body = raw.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return bool(end) and len(body) >= (int(lengths[0].partition(b":")[2]) if lengths else 0)


@contextmanager
def full_backlog() -> Iterator[str]:
    """Yield the URL of a listener whose backlog is full, so that connecting to it times out."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        try:
            for connection in waiting:
                connection.setblocking(False)
                connection.connect_ex(server.getsockname())
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            for connection in waiting:
                connection.close()
