"""Servers of a few lines, to see the very bytes that a client sends."""

import socket
import threading
from collections.abc import Iterator
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
    """What a server of one request was sent."""

    url: str
    raw: bytes = b""
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def request(self) -> Request:
        assert self.done.wait(5)
        head, _, body = self.raw.partition(b"\r\n\r\n")
        line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (text.split(": ", 1) for text in lines)}
        return Request(line, headers, body)


@contextmanager
def listening() -> Iterator[tuple[str, socket.socket]]:
    """A socket that listens; whoever connects waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", server


@contextmanager
def captured_request(answer: bytes) -> Iterator[Captured]:
    """A server that answers one request with these bytes."""
    with listening() as (url, server):
        captured = Captured(url)
        thread = threading.Thread(target=_serve, args=(server, captured, answer))
        thread.start()
        try:
            yield captured
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(server: socket.socket, captured: Captured, answer: bytes) -> None:
    try:
        connection, _ = server.accept()
    except OSError:
        return
    with connection:
        while not _is_whole(captured.raw) and (block := connection.recv(65536)):
            captured.raw += block
        captured.done.set()
        connection.sendall(answer)


def _is_whole(raw: bytes) -> bool:
    head, end, body = raw.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return bool(end) and len(body) >= (int(lengths[0].partition(b":")[2]) if lengths else 0)


@contextmanager
def full_backlog() -> Iterator[str]:
    """A listener that takes no further connection: the handshake is never answered."""
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
