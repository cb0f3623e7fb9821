"""Fetching exports over real sockets: whole, in time, without the key, from nowhere else."""

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


def test_the_key_is_not_sent_along(simulator: Simulator, link: str) -> None:
    fetch(link)
    (download,) = simulator.downloads
    assert (download.status, download.api_key_sent) == (200, False)


def test_nothing_but_the_bytes_themselves_is_asked_for() -> None:
    with captured_request(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx") as server:
        assert fetch(server.url + "/a?b=c") == b"x"
        request = server.request
    assert request.line == "GET /a?b=c HTTP/1.1"
    assert request.headers["accept-encoding"] == "identity"
    assert not {"x-api-key", "authorization", "cookie"} & request.headers.keys()


# What is handed on while it comes


def answer_of(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *(headers or (f"Content-Length: {len(body)}",)), "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


@contextmanager
def opened(answer: bytes) -> Iterator[tuple[Download, BytesIO]]:
    """A download of this answer, and the file that it goes to."""
    file = BytesIO()
    with captured_request(answer) as server, LOOPBACK.open(server.url, file, seconds=10) as download:
        yield download, file


BIG = bytes(range(256)) * 8000


def test_every_block_is_in_the_file_when_it_is_handed_on() -> None:
    with opened(answer_of(BIG)) as (download, file):
        passed_on = b""
        while block := download.read(16384):
            passed_on += block
            assert file.getvalue() == passed_on
        assert download.length == len(passed_on)
    assert passed_on == BIG


def test_the_start_can_be_looked_at_before_it_is_read() -> None:
    with opened(answer_of(BIG)) as (download, _):
        assert BIG.startswith(download.start)
        assert download.start
        assert download.read(16384) == download.start


def test_whoever_asks_for_all_gets_all_that_is_left() -> None:
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
    ids=["chunked", "until the end", "encoded unasked"],
)
def test_a_length_that_the_host_does_not_say_is_not_known(answer: bytes) -> None:
    with opened(answer) as (download, file):
        assert download.length is None
        download.finish()
    assert file.getvalue() == BIG


@pytest.mark.parametrize("came", [1000, len(BIG) - 1])
def test_what_came_of_a_body_that_breaks_off_is_in_the_file(came: int) -> None:
    with opened(answer_of(BIG[:came], f"Content-Length: {len(BIG)}")) as (download, file):
        for _ in range(2):  # an end that another reader could take for the right one never comes
            with pytest.raises(DownloadFailedError):
                download.finish()
    assert file.getvalue() == BIG[:came]


def test_a_length_beyond_the_limit_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("numberdrop.vendor.download.LARGEST_EXPORT", len(BIG) - 1)
    with pytest.raises(JobFailedError) as caught, opened(answer_of(b"", f"Content-Length: {len(BIG)}")):
        pytest.fail("It was opened.")
    assert caught.value.reason.code is ReasonCode.RESULT_INVALID


def test_a_download_of_no_known_length_is_stopped_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numberdrop.vendor.download.LARGEST_EXPORT", len(BIG) - 1)
    answer = answer_of(chunked(BIG), "Transfer-Encoding: chunked")
    with opened(answer) as (download, _), pytest.raises(JobFailedError) as caught:
        download.finish()
    assert caught.value.reason.code is ReasonCode.RESULT_INVALID


def test_a_file_that_cannot_be_written_is_no_failed_download() -> None:
    class FullDisk(BytesIO):
        def write(self, _: object) -> int:
            raise OSError(ENOSPC, "No space left on device")

    with (
        captured_request(answer_of(BIG)) as server,
        pytest.raises(OSError, match="No space left"),
        LOOPBACK.open(server.url, FullDisk(), seconds=10),
    ):
        pytest.fail("It was opened.")


# Links that do not work


def test_an_expired_link_is_refused(simulator: Simulator, link: str) -> None:
    simulator.advance(7200)
    with pytest.raises(LinkRefusedError, match="403"):
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
def test_a_download_that_is_not_whole_has_failed(
    simulator: Simulator, link: str, fault: str, parameters: dict[str, object]
) -> None:
    simulator.inject_fault("download", fault, **parameters)  # type: ignore[arg-type]
    with pytest.raises(DownloadFailedError):
        fetch(link)


def test_an_empty_export_has_failed() -> None:
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


def test_a_refused_connection_has_failed() -> None:
    with listening() as (url, _):
        pass
    with pytest.raises(DownloadFailedError, match="ConnectionError"):
        fetch(url)


def test_a_connection_that_is_never_made_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numberdrop.vendor.download.CONNECT_SECONDS", 0.2)
    with full_backlog() as url, pytest.raises(DownloadFailedError, match="ConnectTimeout"):
        fetch(url)


def test_a_public_name_at_a_private_address_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name passes the list of hosts; only the address behind it tells."""
    with captured_request(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx") as server:
        port = int(server.url.rpartition(":")[2])
        here = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: here)
        # Plain http is for loopback hosts only, so the check is tried below the rules for links.
        monkeypatch.setattr(Downloader, "_check_link", lambda *_: urlsplit("http://storage.example/a.zip"))
        storage = Downloader(("storage.example",))
        with (
            pytest.raises(LinkUntrustedError, match="not public"),
            storage.open("http://storage.example/a.zip", BytesIO(), seconds=5),
        ):
            pytest.fail("It was opened.")
        assert server.raw == b""


def test_errors_do_not_repeat_the_link(simulator: Simulator, link: str) -> None:
    simulator.inject_fault("download", "reset_after_headers")
    with pytest.raises(DownloadFailedError) as caught:
        fetch(link)
    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# Sessions with an end


def test_a_session_reads_nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with session_with_deadline(5) as session:
        settings = session.merge_environment_settings("https://host.example", {}, None, None, None)
    assert not settings["proxies"]


def test_a_connection_made_after_the_end_is_cut() -> None:
    start = monotonic()
    with (
        listening() as (url, _),
        session_with_deadline(0) as session,
        pytest.raises(requests.RequestException),
    ):
        session.get(url, timeout=30)
    assert monotonic() - start < 3
