"""A server on loopback, in a process of its own, that does as little as can be.

It stands in for everyone at the other end: ``GET`` hands out a file, as the vendor's storage does, and
whatever is sent to it is swallowed, with the vendor's answer to an upload, or those of Amazon S3 to an object
in one part or many.
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
    """Runs a server that hands out a file, and yields its address.

    Args:
        file: what ``GET`` hands out, whatever its path.
        certificates: a folder from ``make_certificates`` for TLS.
        rate: the most bytes a second that it sends or takes on one connection; 0 for no limit.
    """
    command = [sys.executable, "-m", __name__, str(file), str(certificates or ""), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def make_certificates(folder: Path) -> Path:
    """Puts a certificate authority and a certificate for loopback into a folder, and returns the folder."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / CA))
    authority.issue_cert(LOOPBACK).private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    return folder


class _Pace:
    """Holds a connection to its rate."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._start = perf_counter()
        self._bytes = 0

    def passed(self, size: int) -> None:
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
            pace = _Pace(self.rate)
            while block := file.read(_BLOCK):
                self.wfile.write(block)
                pace.passed(len(block))

    def do_PUT(self) -> None:
        self._swallow()
        self._answer(b"")

    def do_POST(self) -> None:
        self._swallow()
        answers = {"uploads": _BEGUN, "uploadId=1": _COMPLETED}
        self._answer(answers.get(self.path.partition("?")[2], _ACCEPTED))

    def _swallow(self) -> None:
        pace = _Pace(self.rate)
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                self._drop(size, pace)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            self._drop(int(self.headers.get("Content-Length", 0)), pace)

    def _drop(self, size: int, pace: _Pace) -> None:
        buffer = memoryview(bytearray(min(size, _BLOCK)))
        while size:
            read = self.rfile.readinto(buffer[:size])
            if not read:
                raise ConnectionError("The body ended too early.")
            pace.passed(read)
            size -= read

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


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
