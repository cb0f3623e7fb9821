"""The vendor's traffic goes through the proxy of the settings, and nothing else does."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from time import monotonic

import pytest
import requests

from numberdrop.vendor.client import BALANCE_PATH
from numberdrop.vendor.download import Downloader, LinkUntrustedError
from numberdrop.vendor.outcomes import Accepted, InDoubt, Retryable
from tests.support.files import file_of
from tests.support.tunnel import Tunnel, refusing_tunnel, tunnel
from tests.support.vendor_client import client, submit

HOST = "api.vendor.example"
ACCEPTED = b'{"task_id": "abc", "total": 100}'
EXPORT = b"the export"


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)


def trust(running: Tunnel, patch: pytest.MonkeyPatch) -> None:
    """Let sessions trust the test's authority; they ignore the environment."""
    original = requests.Session.__init__

    def trusting(self: requests.Session) -> None:
        original(self)
        self.verify = running.ca_file

    patch.setattr(requests.Session, "__init__", trusting)


def test_a_file_is_sent_through_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tunnel(HOST, answer(ACCEPTED), str(tmp_path)) as running:
        trust(running, monkeypatch)
        vendor = replace(client(f"https://{HOST}"), proxy=running.url)
        assert submit(vendor) == Accepted("abc", 100)
    (received,) = running.received
    assert file_of() in received


def test_the_proxy_sees_the_host_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tunnel(HOST, answer(b'{"balance": 1}'), str(tmp_path)) as running:
        trust(running, monkeypatch)
        assert replace(client(f"https://{HOST}"), proxy=running.url).answers()
    (seen,) = running.seen
    assert seen.startswith(f"CONNECT {HOST}:443 HTTP/1.")
    assert "test-key" not in seen
    assert BALANCE_PATH not in seen
    assert b"test-key" in running.received[0]


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_refuses_means_not_sent(status: str) -> None:
    """No byte of the file leaves before the tunnel and its TLS are there."""
    with refusing_tunnel(status) as running:
        outcome = submit(replace(client(f"https://{HOST}"), proxy=running.url))
    assert isinstance(outcome, Retryable)
    assert "before anything was sent" in outcome.cause


def test_a_proxy_that_is_down_means_not_sent() -> None:
    outcome = submit(replace(client(f"https://{HOST}"), proxy="http://127.0.0.1:9"))
    assert isinstance(outcome, Retryable)


def test_an_untrusted_vendor_behind_the_proxy_gets_nothing(tmp_path: Path) -> None:
    with tunnel(HOST, answer(ACCEPTED), str(tmp_path)) as running:
        outcome = submit(replace(client(f"https://{HOST}"), proxy=running.url))
    assert isinstance(outcome, Retryable)
    assert running.received in ([], [b""])


def test_a_broken_tunnel_leaves_a_submission_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tunnel(HOST, b"", str(tmp_path)) as running:
        trust(running, monkeypatch)
        assert isinstance(submit(replace(client(f"https://{HOST}"), proxy=running.url)), InDoubt)


def test_a_session_through_a_proxy_keeps_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"
    with tunnel(HOST, endless, str(tmp_path)) as running:
        trust(running, monkeypatch)
        vendor = replace(client(f"https://{HOST}"), proxy=running.url)
        start = monotonic()
        assert isinstance(submit(vendor, seconds=1), InDoubt)
        assert monotonic() - start < 4


def test_an_export_is_downloaded_through_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection's address is the proxy's, so only the host's name can be checked."""
    file = BytesIO()
    with tunnel(HOST, answer(EXPORT), str(tmp_path)) as running:
        trust(running, monkeypatch)
        downloader = Downloader((HOST,), running.url)
        with downloader.open(f"https://{HOST}/export.zip?signature=s", file, seconds=5) as download:
            download.finish()
    assert file.getvalue() == EXPORT
    assert "signature" not in running.seen[0]


def test_a_host_that_is_not_listed_is_refused_before_the_proxy() -> None:
    downloader = Downloader((HOST,), "http://127.0.0.1:9")
    with (
        pytest.raises(LinkUntrustedError, match="not allowed"),
        downloader.open("https://169.254.169.254/latest", BytesIO(), seconds=5),
    ):
        pytest.fail("The download was opened.")
