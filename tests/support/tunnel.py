"""A proxy that makes tunnels (RFC 9110, "CONNECT"), and a vendor behind it that speaks TLS."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import trustme

from tests.support.bare_server import listening, served


@dataclass
class Tunnel:
    """A running proxy.

    Attributes:
        url: the proxy's address.
        ca_file: a file with the certificate of the vendor's authority.
        seen: what the proxy could read: the requests for tunnels.
        received: what the vendor received inside its tunnels.
    """

    url: str
    ca_file: str = ""
    seen: list[str] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)


Handler = Callable[[socket.socket, Tunnel], None]


@contextmanager
def tunnel(host: str, answer: bytes, folder: str) -> Iterator[Tunnel]:
    """Run a proxy; behind it is a vendor of this name, which answers every request with these bytes."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    authority.cert_pem.write_to_path(f"{folder}/authority.pem")
    with _serving(lambda connection, running: _connect(connection, running, context, answer)) as running:
        running.ca_file = f"{folder}/authority.pem"
        yield running


@contextmanager
def refusing_tunnel(status: str) -> Iterator[Tunnel]:
    """Run a proxy that refuses every tunnel with a status."""
    with _serving(lambda connection, running: _refuse(connection, running, status)) as running:
        yield running


@contextmanager
def _serving(handle: Handler) -> Iterator[Tunnel]:
    with listening() as (url, server):
        running = Tunnel(url)
        with served(server, lambda: _accept(server, handle, running)):
            yield running


def _accept(server: socket.socket, handle: Handler, running: Tunnel) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            handle(connection, running)


def _refuse(connection: socket.socket, running: Tunnel, status: str) -> None:
    running.seen.append(_head(connection).decode())
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


def _connect(connection: socket.socket, running: Tunnel, context: ssl.SSLContext, answer: bytes) -> None:
    running.seen.append(_head(connection).decode())
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    try:
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.settimeout(5)
            received = _head(inside)
            while b"content-length" in received.lower() and not received.endswith(b"--\r\n"):
                received += inside.recv(65536)
            running.received.append(received)
            if answer:
                inside.sendall(answer)
                inside.recv(1)  # until the client closes the connection
    except OSError:
        running.received.append(b"")


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (block := connection.recv(65536)):
        head += block
    return head
