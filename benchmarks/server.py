"""A minimal server on loopback, in a separate process.

It replaces every remote end. ``GET`` returns a file, as the vendor's storage does. Request bodies are
discarded; the answer is the vendor's to a file, or Amazon S3's to an object in one or several parts.
"""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter, sleep
from typing import ClassVar

LOOPBACK = "127.0.0.1"
CA = "ca.pem"

_BLOCK = 256 * 1024
_BEGUN = b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
_COMPLETED = b'<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>'

_ACCEPTED = b'{"task_id": "1", "status": "pending"}'


@contextmanager
def served(file: Path, *, certificates: Path | None = None, rate: float = 0) -> Iterator[str]:
    """Run a server that returns a file, and yield its address.

    Args:
        file: what ``GET`` returns for every path.
        certificates: a folder from ``make_certificates``, for TLS.
        rate: limit in bytes per second for each connection and direction; 0 for none.
    """
    command = [sys.executable, "-m", __name__, str(file), str(certificates or ""), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def make_certificates(folder: Path) -> Path:
    """Write a certificate authority and a certificate for loopback to a folder; return the folder."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / CA))
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    return folder


class _Throttle:
    """Limits a connection to a rate."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._start = perf_counter()
        self._bytes = 0

    def count(self, size: int) -> None:
        self._bytes += size
        if self._rate:
            sleep(max(0.0, self._bytes / self._rate - (perf_counter() - self._start)))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rbufsize = _BLOCK
    file: ClassVar[Path]
    rate: ClassVar[float]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(self.file.stat().st_size))
        self.end_headers()
        with self.file.open("rb") as file:
            if not self.rate:
                self.connection.sendfile(file)
                return
            throttle = _Throttle(self.rate)
            while block := file.read(_BLOCK):
                self.wfile.write(block)
                throttle.count(len(block))

    def do_PUT(self) -> None:
        self._discard_body()
        self._answer(b"")

    def do_POST(self) -> None:
        self._discard_body()
        answers = {"uploads": _BEGUN, "uploadId=1": _COMPLETED}
        self._answer(answers.get(self.path.partition("?")[2], _ACCEPTED))

    def _discard_body(self) -> None:
        throttle = _Throttle(self.rate)
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                self._discard(size, throttle)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            self._discard(int(self.headers.get("Content-Length", 0)), throttle)

    def _discard(self, size: int, throttle: _Throttle) -> None:
        buffer = memoryview(bytearray(min(size, _BLOCK)))
        while size:
            read = self.rfile.readinto(buffer[:size])
            if not read:
                raise ConnectionError("The body ended too early.")
            throttle.count(read)
            size -= read

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _serve(file: str, certificates: str, rate: str) -> None:
    _Handler.file, _Handler.rate = Path(file), float(rate)
    server = ThreadingHTTPServer((LOOPBACK, 0), _Handler)
    if certificates:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(Path(certificates) / "server.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"{'https' if certificates else 'http'}://{LOOPBACK}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
