"""Downloading exports over real sockets: complete, in time, without the key, from the right host."""

import gzip
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOSPC
from io import BytesIO
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit
from zipfile import is_zipfile

import pytest
import requests

from local.simulator import Simulator
from numberdrop.jobs.checkers import checkers
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.vendor.download import (
    Download,
    Downloader,
    DownloadFailedError,
    ExportMissingError,
    LinkRefusedError,
    LinkUntrustedError,
)
from numberdrop.vendor.outcomes import Accepted, TaskStatus
from numberdrop.vendor.session import session_with_deadline
from tests.support.bare_server import captured_request, full_backlog, listening
from tests.support.files import file_of
from tests.support.vendor_client import client

LOOPBACK = Downloader(("127.0.0.1",))


@pytest.fixture
def link(simulator: Simulator) -> str:
    vendor, band = client(simulator.url), checkers()["band"]
    accepted = vendor.submit(band, BytesIO(file_of()), seconds=10)
    assert isinstance(accepted, Accepted)
    status = vendor.status(band, accepted.task_id)
    assert isinstance(status, TaskStatus)
    assert status.result_url
    return status.result_url


def fetch(link: str, *, seconds: float = 10) -> bytes:
    file = BytesIO()
    with LOOPBACK.open(link, file, seconds=seconds) as download:
        download.finish()
    return file.getvalue()


def test_an_export_is_fetched_byte_for_byte(link: str, tmp_path: Path) -> None:
    with requests.Session() as session:
        session.trust_env = False
        expected = session.get(link, timeout=5).content
    assert fetch(link) == expected
    assert is_zipfile(BytesIO(expected))


def test_the_api_key_is_not_sent_to_the_storage(simulator: Simulator, link: str) -> None:
    fetch(link)
    (download,) = simulator.downloads
    assert (download.status, download.api_key_sent) == (200, False)


def test_the_request_has_no_credentials_and_no_encoding() -> None:
    with captured_request(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx") as server:
        assert fetch(server.url + "/a?b=c") == b"x"
        request = server.request
    assert request.line == "GET /a?b=c HTTP/1.1"
    assert request.headers["accept-encoding"] == "identity"
    assert not {"x-api-key", "authorization", "cookie"} & request.headers.keys()


# Reading during the download


def answer_of(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *(headers or (f"Content-Length: {len(body)}",)), "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


@contextmanager
def opened(answer: bytes) -> Iterator[tuple[Download, BytesIO]]:
    """Open a download of this answer; yield it with the file that it writes to."""
    file = BytesIO()
    with captured_request(answer) as server, LOOPBACK.open(server.url, file, seconds=10) as download:
        yield download, file


BIG = bytes(range(256)) * 8000


def test_each_block_is_in_the_file_before_it_is_returned() -> None:
    with opened(answer_of(BIG)) as (download, file):
        returned = b""
        while block := download.read(16384):
            returned += block
            assert file.getvalue() == returned
        assert download.length == len(returned)
    assert returned == BIG


def test_the_first_block_is_available_before_it_is_read() -> None:
    with opened(answer_of(BIG)) as (download, _):
        assert BIG.startswith(download.start)
        assert download.start
        assert download.read(16384) == download.start


def test_reading_without_a_size_returns_the_rest() -> None:
    with opened(answer_of(BIG)) as (download, _):
        first = download.read(16384)
        assert first + download.read() == BIG
        assert download.read() == b""


@pytest.mark.parametrize(
    "answer",
    [
        answer_of(chunked(BIG[:5], BIG[5:]), "Transfer-Encoding: chunked"),
        answer_of(BIG, "Content-Type: text/csv"),
        answer_of(gzip.compress(BIG), "Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(BIG))}"),
    ],
    ids=["chunked", "until the connection closes", "encoded"],
)
def test_the_length_is_none_if_the_host_does_not_send_it(answer: bytes) -> None:
    with opened(answer) as (download, file):
        assert download.length is None
        download.finish()
    assert file.getvalue() == BIG


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_a_plain_file_labelled_as_gzip_is_kept(encoding: str) -> None:
    answer = answer_of(BIG, f"Content-Encoding: {encoding}", f"Content-Length: {len(BIG)}")
    with opened(answer) as (download, file):
        assert download.length == len(BIG)
        assert BIG.startswith(download.start)
        download.finish()
    assert file.getvalue() == BIG


def test_a_gzip_bomb_is_read_in_small_blocks() -> None:
    bomb = gzip.compress(bytes(8_000_000))
    with opened(answer_of(bomb, "Content-Encoding: gzip")) as (download, file):
        assert len(download.start) <= 512 * 1024
        download.finish()
    assert file.getvalue() == bytes(8_000_000)


@pytest.mark.parametrize("cut", [15, -9, -1])
def test_gzip_that_breaks_off_or_is_broken_fails(cut: int) -> None:
    packed = gzip.compress(BIG)
    for body in (packed[:cut], packed[:-8] + b"12345678"):
        with (
            pytest.raises(DownloadFailedError),
            opened(answer_of(body, "Content-Encoding: gzip")) as (download, _),
        ):
            download.finish()


@pytest.mark.parametrize("received", [1000, len(BIG) - 1])
def test_an_interrupted_download_leaves_its_bytes_in_the_file(received: int) -> None:
    with opened(answer_of(BIG[:received], f"Content-Length: {len(BIG)}")) as (download, file):
        for _ in range(2):  # a second reader gets the error too, not an end
            with pytest.raises(DownloadFailedError):
                download.finish()
    assert file.getvalue() == BIG[:received]


def test_a_length_over_the_limit_is_refused_before_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("numberdrop.vendor.download.LARGEST_EXPORT", len(BIG) - 1)
    with pytest.raises(JobFailedError) as caught, opened(answer_of(b"", f"Content-Length: {len(BIG)}")):
        pytest.fail("The download was opened.")
    assert caught.value.reason.code is ReasonCode.RESULT_INVALID


def test_a_download_of_unknown_length_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numberdrop.vendor.download.LARGEST_EXPORT", len(BIG) - 1)
    answer = answer_of(chunked(BIG), "Transfer-Encoding: chunked")
    with opened(answer) as (download, _), pytest.raises(JobFailedError) as caught:
        download.finish()
    assert caught.value.reason.code is ReasonCode.RESULT_INVALID


def test_a_full_disk_is_not_reported_as_a_failed_download() -> None:
    class FullDisk(BytesIO):
        def write(self, _: object) -> int:
            raise OSError(ENOSPC, "No space left on device")

    with (
        captured_request(answer_of(BIG)) as server,
        pytest.raises(OSError, match="No space left"),
        LOOPBACK.open(server.url, FullDisk(), seconds=10),
    ):
        pytest.fail("The download was opened.")


# Links and servers that fail


def test_an_expired_link_is_refused(simulator: Simulator, link: str) -> None:
    simulator.advance(7200)
    with pytest.raises(LinkRefusedError, match="403"):
        fetch(link)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, LinkRefusedError),
        (404, ExportMissingError),
        (408, DownloadFailedError),
        (410, LinkRefusedError),
        (429, DownloadFailedError),
    ],
)
def test_a_busy_storage_is_not_a_refused_link(
    simulator: Simulator, link: str, status: int, error: type[Exception]
) -> None:
    simulator.inject_fault("download", "http_error", status=status)
    with pytest.raises(error, match=str(status)):
        fetch(link)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(simulator: Simulator, link: str, status: int) -> None:
    with captured_request(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx") as elsewhere:
        simulator.inject_fault("download", "redirect", status=status, location=elsewhere.url)
        with pytest.raises(LinkUntrustedError, match="redirects"):
            fetch(link)
        assert elsewhere.raw == b""


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("http_error", {"status": 500}),
        ("http_error", {"status": 503, "html": True}),
        ("reset_before_headers", {}),
        ("reset_after_headers", {}),
        ("reset_after_work", {}),
        ("truncated", {"after": 100}),
        ("wrong_length", {"by": 50}),
    ],
)
def test_an_incomplete_download_fails(
    simulator: Simulator, link: str, fault: str, parameters: dict[str, object]
) -> None:
    simulator.inject_fault("download", fault, **parameters)  # type: ignore[arg-type]
    with pytest.raises(DownloadFailedError):
        fetch(link)


def test_an_empty_export_fails() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with captured_request(answer) as server, pytest.raises(DownloadFailedError, match="empty"):
        fetch(server.url)


@pytest.mark.parametrize("fault", ["drip", "never_answer"])
@pytest.mark.parametrize("seconds", [0.5, 0, -1])
def test_a_download_ends_by_its_deadline(simulator: Simulator, link: str, fault: str, seconds: float) -> None:
    simulator.inject_fault("download", fault)
    start = monotonic()
    with pytest.raises(DownloadFailedError):
        fetch(link, seconds=seconds)
    assert monotonic() - start < 3


def test_a_refused_connection_fails_the_download() -> None:
    with listening() as (url, _):
        pass
    with pytest.raises(DownloadFailedError, match="ConnectionError"):
        fetch(url)


def test_a_connect_timeout_fails_the_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numberdrop.vendor.download.CONNECT_SECONDS", 0.2)
    with full_backlog() as url, pytest.raises(DownloadFailedError, match="ConnectTimeout"):
        fetch(url)


def test_a_public_name_with_a_private_address_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host name is allowed; only its address gives it away."""
    with captured_request(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx") as server:
        port = int(server.url.rpartition(":")[2])
        loopback = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: loopback)
        # Plain http is allowed for loopback hosts only, so the rules for links are replaced here.
        monkeypatch.setattr(Downloader, "_check_link", lambda *_: urlsplit("http://storage.example/a.zip"))
        storage = Downloader(("storage.example",))
        with (
            pytest.raises(LinkUntrustedError, match="not public"),
            storage.open("http://storage.example/a.zip", BytesIO(), seconds=5),
        ):
            pytest.fail("The download was opened.")
        assert server.raw == b""


def test_errors_do_not_contain_the_link(simulator: Simulator, link: str) -> None:
    simulator.inject_fault("download", "reset_after_headers")
    with pytest.raises(DownloadFailedError) as caught:
        fetch(link)
    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# Sessions with a deadline


def test_a_session_reads_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with session_with_deadline(5) as session:
        settings = session.merge_environment_settings("https://host.example", {}, None, None, None)
    assert not settings["proxies"]


def test_a_connection_made_after_the_deadline_is_closed() -> None:
    start = monotonic()
    with (
        listening() as (url, _),
        session_with_deadline(0) as session,
        pytest.raises(requests.RequestException),
    ):
        session.get(url, timeout=30)
    assert monotonic() - start < 3
