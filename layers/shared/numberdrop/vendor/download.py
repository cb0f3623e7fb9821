"""Fetching the vendor's export from the link that a status answer carries.

The link is not trusted: it may come from a broken or hostile answer. It must lead by https to an allowed
host at a public address; no key goes with the request, and no redirect is followed.
"""

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import IO
from urllib.parse import SplitResult, urlsplit

import requests
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.vendor.session import CONNECT_SECONDS, session_with_deadline

READ_SECONDS = 60
"""How long nothing may come of a download."""

LARGEST_EXPORT = 1024**3
"""Bytes; the function's disk holds such an export. Ten million rows of yes and no are about a tenth of it."""

_BLOCK = 512 * 1024
_PLAIN_LINK = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Visible ASCII without the backslash, at which programs disagree about where a host's name ends."""
_PLAIN_HOST = re.compile(r"[a-z0-9.:-]+", re.ASCII)


class LinkRefusedError(Exception):
    """The storage refuses the link, most likely because it has expired: get a fresh one."""


class DownloadFailedError(Exception):
    """The download broke off or is not whole: fetch it again."""


class LinkUntrustedError(JobFailedError):
    """The link leads where it must not; nothing was fetched."""

    def __init__(self, why: str, advice: str = "Nothing was fetched. Ask the vendor.") -> None:
        super().__init__(ReasonCode.RESULT_UNTRUSTED, f"{why} {advice}")


class Download:
    """An export on its way from the vendor into a file, in constant memory; made by ``Downloader``.

    Whoever reads it gets each block once it is written to the file, and can pass it on elsewhere.

    Attributes:
        length: bytes of the whole; None where the host does not say.
        start: the first block; ``read`` returns it as well.
    """

    def __init__(self, raw: HTTPResponse, file: IO[bytes], end: float) -> None:
        # An encoding, though none was asked for, would make it a length of other bytes.
        self.length = None if "Content-Encoding" in raw.headers else raw.length_remaining
        self._raw = raw
        self._file = file
        self._end = end
        self._written = 0
        _check_size(self.length or 0)
        self.start = self._ahead = self._fetched_block()
        if not self.start:
            raise DownloadFailedError("The export is empty.")

    def read(self, size: int = -1) -> bytes:
        """The next block, or nothing at the end; the size of a block is ours to choose.

        Args:
            size: if negative, all blocks that are left come as one.

        Raises:
            DownloadFailedError: it broke off, was shorter than announced, or took too long. Where the length
                is known, so does every further call.
            JobFailedError: it is larger than we take.
        """
        return self._next_block() if size >= 0 else b"".join(iter(self._next_block, b""))

    def finish(self) -> None:
        """Lets the rest come into the file; raises as ``read`` does."""
        while self._next_block():
            pass

    def _next_block(self) -> bytes:
        block, self._ahead = self._ahead, b""
        return block or self._fetched_block()

    def _fetched_block(self) -> bytes:
        with _breaking_off():
            block = self._raw.read(_BLOCK, decode_content=self.length is None)
        self._written += self._file.write(block)
        _check_size(self._written)
        if monotonic() > self._end:
            raise DownloadFailedError("The download took too long.")
        if not block and self.length not in {None, self._written}:
            raise DownloadFailedError("The download is shorter than it said.")
        return block


@dataclass(frozen=True, slots=True)
class Downloader:
    """Opens links to exports.

    Attributes:
        hosts: allowed host names in lower case; ``*.suffix`` allows any host below the suffix. A loopback
            host that is listed by name may be reached by plain http.
    """

    hosts: Sequence[str]

    @contextmanager
    def open(self, link: str, file: IO[bytes], *, seconds: float) -> Iterator[Download]:
        """Asks for what the link leads to, and hands it out as it comes into a file.

        Raises:
            LinkUntrustedError: the link, or the address behind it, breaks a rule.
            LinkRefusedError: the storage answered 4xx.
            DownloadFailedError: anything else; nothing came.
            JobFailedError: it is larger than we take.
        """
        target = self._checked(link)
        loopback = _is_loopback(target.hostname or "")

        def check_address(connected: socket.socket) -> None:
            address = ipaddress.ip_address(connected.getpeername()[0])
            if not (address.is_loopback if loopback else address.is_global):
                raise LinkUntrustedError("The export's host is at an address that is not public.")

        end = monotonic() + seconds
        with session_with_deadline(seconds, on_connect=check_address) as session:
            with _breaking_off():
                response = session.get(
                    link,
                    headers={"Accept-Encoding": "identity"},
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    allow_redirects=False,
                    stream=True,
                )
            with response:
                _check_status(response.status_code)
                yield Download(response.raw, file, end)

    def _checked(self, link: str) -> SplitResult:
        try:
            target = urlsplit(link)
            host = (target.hostname or "").rstrip(".")
            port = target.port
        except ValueError:
            raise LinkUntrustedError("The link to the export cannot be read.") from None
        if not (_PLAIN_LINK.fullmatch(link) and _PLAIN_HOST.fullmatch(host)):
            raise LinkUntrustedError("The link to the export has characters that no plain link has.")
        if target.username is not None or target.password is not None:
            raise LinkUntrustedError("The link to the export carries user information.")
        if not any(_matches(host, allowed) for allowed in self.hosts):
            raise LinkUntrustedError(
                "The link to the export leads to a host that is not allowed.",
                "If the vendor's exports really come from there, add the host to ResultHosts.",
            )
        plain_loopback = target.scheme == "http" and _is_loopback(host)
        if target.scheme != "https" and not plain_loopback:
            raise LinkUntrustedError("The link to the export is not https.")
        if target.scheme == "https" and port not in {None, 443}:
            raise LinkUntrustedError("The link to the export leads to an unusual port.")
        return target


def _matches(host: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return host.endswith(allowed[1:]) and len(host) > len(allowed) - 1
    return host == allowed


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_size(size: int) -> None:
    if size > LARGEST_EXPORT:
        raise JobFailedError(ReasonCode.RESULT_INVALID, "The export is larger than 1 GiB; ask the vendor.")


def _check_status(status: int) -> None:
    if status == 200:
        return
    if 300 <= status < 400:
        raise LinkUntrustedError("The link to the export redirects.")
    if 400 <= status < 500:
        raise LinkRefusedError(f"The export's host answered {status}.")
    raise DownloadFailedError(f"The export's host answered {status}.")


@contextmanager
def _breaking_off() -> Iterator[None]:
    try:
        yield
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise DownloadFailedError(f"The download broke off ({type(error).__name__}).") from None
