"""Sending an upload to the vendor as multipart/form-data, over plain HTTP to a server that discards it."""

import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks.measuring import FULL, Work, measured, show
from benchmarks.server import served

MEGABYTES = 500 if FULL else 200
ROUNDS = 7
LINE = b"+447700900123\n"


def main() -> None:
    """Measure and print the table."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.txt"
        file.write_bytes(LINE * (MEGABYTES * 1_000_000 // len(LINE)))
        with served(file) as url:
            results = measured(
                {
                    "numberdrop": with_numberdrop,
                    "requests files=": with_requests,
                    "requests-toolbelt": with_toolbelt,
                    "httpx files=": with_httpx,
                    "a bare socket, sendfile": with_sendfile,
                },
                f"{url}/v1/tasks",
                file,
                rounds=ROUNDS,
            )
    show(f"A file of {MEGABYTES} MB", results, unit="MB")


def with_numberdrop(url: str, path: str) -> Work:
    """Send a file as the submit function does, with its deadline."""
    from numberdrop.aws.api_key import ApiKey
    from numberdrop.jobs.checkers import checkers
    from numberdrop.vendor.client import VendorClient
    from numberdrop.vendor.outcomes import Accepted

    class Key(ApiKey):
        def get(self) -> str:
            return "key"

    vendor = VendorClient(url.removesuffix("/v1/tasks"), Key(None, ""), user_id="")  # type: ignore[arg-type]

    def work() -> float:
        with Path(path).open("rb") as file:
            assert isinstance(vendor.submit(checkers()["band"], file, seconds=60), Accepted)
        return MEGABYTES

    return work


def with_requests(url: str, path: str) -> Work:
    """Send with ``files=``."""
    import requests

    def work() -> float:
        with Path(path).open("rb") as file:
            files = {"file": ("numbers.txt", file, "text/plain")}
            requests.post(url, data={"task_type": "band"}, files=files, timeout=60).raise_for_status()
        return MEGABYTES

    return work


def with_toolbelt(url: str, path: str) -> Work:
    """Send with ``MultipartEncoder``, which requests' documentation recommends for large files."""
    import requests
    from requests_toolbelt import MultipartEncoder

    def work() -> float:
        with Path(path).open("rb") as file:
            body = MultipartEncoder({"task_type": "band", "file": ("numbers.txt", file, "text/plain")})
            headers = {"Content-Type": body.content_type}
            requests.post(url, data=body, headers=headers, timeout=60).raise_for_status()
        return MEGABYTES

    return work


def with_httpx(url: str, path: str) -> Work:
    """Send with ``files=``, which httpx streams."""
    import httpx

    def work() -> float:
        with Path(path).open("rb") as file:
            files = {"file": ("numbers.txt", file, "text/plain")}
            httpx.post(url, data={"task_type": "band"}, files=files, timeout=60).raise_for_status()
        return MEGABYTES

    return work


def with_sendfile(url: str, path: str) -> Work:
    """Send the bare file from the kernel to the socket, without a form: the limit of the machine."""
    target = urlsplit(url)

    def work() -> float:
        with Path(path).open("rb") as file, socket.create_connection((target.hostname, target.port)) as sink:
            length = Path(path).stat().st_size
            headers = f"Host: {target.netloc}\r\nConnection: close\r\nContent-Length: {length}"
            sink.sendall(f"POST {target.path} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
            sink.sendfile(file)
            with sink.makefile("rb") as answer:
                assert answer.read().startswith(b"HTTP/1.1 200")
        return MEGABYTES

    return work
