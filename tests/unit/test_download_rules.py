"""Which links to exports are followed; decided before anything is sent.

Sockets are disabled: an allowed link fails at the socket, a refused link never gets there.
"""

from io import BytesIO

import pytest
from pytest_socket import SocketBlockedError

from numberdrop.jobs.reasons import ReasonCode
from numberdrop.vendor.download import Downloader, DownloadFailedError, LinkUntrustedError

HOSTS = ("storage.example", "*.ekycpro.com", "127.0.0.1")


class ReachedTheNetworkError(Exception):
    """The link was allowed."""


@pytest.fixture(autouse=True)
def _disable_name_resolution(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise ReachedTheNetworkError

    monkeypatch.setattr("socket.getaddrinfo", resolve)


def fetch(link: str, hosts: tuple[str, ...] = HOSTS) -> None:
    with Downloader(hosts).open(link, BytesIO(), seconds=5):
        pass


def refusal(link: str) -> LinkUntrustedError:
    with pytest.raises(LinkUntrustedError) as caught:
        fetch(link)
    return caught.value


@pytest.mark.parametrize(
    "link",
    [
        "https://storage.example/a/b.zip?X-Amz-Signature=s",
        "https://STORAGE.example/a.zip",
        "https://storage.example:443/a.zip",
        "https://files.ekycpro.com/a.zip",
        "https://a.b.ekycpro.com/a.zip",
        "http://127.0.0.1:8080/a.zip",
        "https://127.0.0.1/a.zip",
    ],
)
def test_links_to_allowed_hosts_are_followed(link: str) -> None:
    with pytest.raises((ReachedTheNetworkError, SocketBlockedError)):
        fetch(link)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "no link",
        "//storage.example/a.zip",
        "https:///a.zip",
        "http://storage.example/a.zip",
        "ftp://storage.example/a.zip",
        "file:///etc/passwd",
        "http://files.ekycpro.com/a.zip",
        "https://elsewhere.example/a.zip",
        "https://ekycpro.com/a.zip",
        "https://.ekycpro.com/a.zip",
        "https://notekycpro.com/a.zip",
        "https://files.ekycpro.com.elsewhere.example/a.zip",
        "https://storage.example.elsewhere.example/a.zip",
        "https://user@storage.example/a.zip",
        "https://user:secret@storage.example/a.zip",
        "https://@storage.example/a.zip",
        "https://storage.example@elsewhere.example/a.zip",
        "https://storage.example:8443/a.zip",
        "https://storage.example:99999/a.zip",
        "https://storage.example:port/a.zip",
        "https://[::1/a.zip",
        "https://[::1]/a.zip",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.7/a.zip",
        "http://localhost/a.zip",
        "http://127.0.0.2/a.zip",
        "http://2130706433/a.zip",
    ],
)
def test_any_other_link_is_not_trusted(link: str) -> None:
    assert refusal(link).reason.code is ReasonCode.RESULT_UNTRUSTED


@pytest.mark.parametrize(
    "link",
    [
        r"https://elsewhere.example\.ekycpro.com/a.zip",
        r"https://elsewhere.example\a.ekycpro.com/a.zip",
        "https://elsewhere.example\t.ekycpro.com/a.zip",
        "https://elsewhere.example\n.ekycpro.com/a.zip",
        "https://elsewhere.example%2f.ekycpro.com/a.zip",
        "https://elsewhere.example .ekycpro.com/a.zip",
        "https://elsewhere.example\u2100.ekycpro.com/a.zip",
        "https://\uff45lsewhere.ekycpro.com/a.zip",
        "https://storage.example\\@elsewhere.example/a.zip",
    ],
)
def test_a_link_that_parsers_read_differently_is_not_trusted(link: str) -> None:
    assert refusal(link).reason.code is ReasonCode.RESULT_UNTRUSTED


def test_a_loopback_host_must_be_listed_by_name() -> None:
    with pytest.raises(LinkUntrustedError):
        fetch("http://localhost/a.zip", hosts=("127.0.0.1",))


def test_without_allowed_hosts_no_link_is_trusted() -> None:
    with pytest.raises(LinkUntrustedError):
        fetch("https://storage.example/a.zip", hosts=())


def test_an_unresolvable_host_name_fails_the_download() -> None:
    label = "a" * 64
    with pytest.raises(DownloadFailedError):
        fetch(f"https://{label}.ekycpro.com/a.zip")


def test_the_error_says_what_to_do_without_the_link() -> None:
    message = refusal("https://elsewhere.example/a.zip?X-Amz-Signature=secret").reason.message
    assert "ResultHosts" in message
    assert "elsewhere" not in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "link",
    [
        "no link",
        "http://storage.example/a.zip",
        "https://user@storage.example/",
        "https://storage.example:8443/",
    ],
)
def test_only_a_host_error_advises_to_add_the_host(link: str) -> None:
    message = refusal(link).reason.message
    assert "ResultHosts" not in message
    assert message.endswith("Nothing was fetched. Ask the vendor.")
