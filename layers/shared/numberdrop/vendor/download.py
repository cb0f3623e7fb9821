"""Downloads the vendor's export from the link in a status answer.

The link is not trusted, because the answer may be broken or hostile. It must use https and point to an
allowed host with a public address. The request carries no key, and redirects are not followed.
"""

import ipaddress
import re
import socket
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import IO, Any
from urllib.parse import SplitResult, urlsplit

import requests
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.vendor.session import CONNECT_SECONDS, session_with_deadline

READ_SECONDS = 60
"""Read time-out in seconds."""

LARGEST_EXPORT = 1024**3
"""Limit in bytes. The function's disk can hold it; ten million rows of yes and no are about a tenth of it."""

_BUSY = {408, 429}
"""Statuses of a host that is too busy (RFC 9110 and RFC 6585). Like 5xx, they say nothing about the link."""

_BLOCK = 512 * 1024
_GZIP_START = b"\x1f\x8b"
_GZIP_ONLY = 16 + zlib.MAX_WBITS
"""Makes zlib expect the header and the checksum of gzip (zlib manual, ``inflateInit2``)."""

_PLAIN_LINK = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Visible ASCII without the backslash, because programs disagree whether it ends a host name."""
_PLAIN_HOST = re.compile(r"[a-z0-9.:-]+", re.ASCII)


class LinkRefusedError(Exception):
    """The storage refuses the link, most likely because it has expired: ask for a new link."""


class ExportMissingError(Exception):
    """The storage has no such file, or not yet: ask for a new link, and give it some minutes."""


class DownloadFailedError(Exception):
    """The download failed or is incomplete: download it again."""


class LinkUntrustedError(JobFailedError):
    """The link breaks a rule. Nothing was fetched."""

    def __init__(self, problem: str, advice: str = "Nothing was fetched. Ask the vendor.") -> None:
        super().__init__(ReasonCode.RESULT_UNTRUSTED, f"{problem} {advice}")


class Download:
    """An export that is being downloaded to a file, in constant memory; made by ``Downloader``.

    ``read`` returns each block after writing it to the file, so that the caller can pass it on.

    Attributes:
        length: the size in bytes, or None if the host does not say.
        start: the first block; ``read`` returns it again.
    """

    def __init__(self, raw: HTTPResponse, file: IO[bytes], end: float) -> None:
        # If the host encodes the body, although it was asked not to, the length is that of the encoded bytes.
        self._body = _Body(raw)
        self.length = None if self._body.is_encoded else self._body.length
        self._file = file
        self._end = end
        self._written = 0
        _check_size(self.length or 0)
        self.start = self._ahead = self._fetch_block()
        if not self.start:
            raise DownloadFailedError("The export is empty.")

    def read(self, size: int = -1) -> bytes:
        """Return the next block, or nothing at the end.

        Args:
            size: if negative, return all that is left; otherwise ignored.

        Raises:
            DownloadFailedError: the download failed, took too long or was shorter than its Content-Length. If
                the length is known, every later call raises it too.
            JobFailedError: the export exceeds the size limit.
        """
        return self._next_block() if size >= 0 else b"".join(iter(self._next_block, b""))

    def finish(self) -> None:
        """Download the rest to the file. Raises the same errors as ``read``."""
        while self._next_block():
            pass

    def _next_block(self) -> bytes:
        block, self._ahead = self._ahead, b""
        return block or self._fetch_block()

    def _fetch_block(self) -> bytes:
        with _network_errors_translated():
            block = self._body.read()
        self._written += self._file.write(block)
        _check_size(self._written)
        if monotonic() > self._end:
            raise DownloadFailedError("The download took too long.")
        if not block and self.length not in {None, self._written}:
            raise DownloadFailedError("The download is shorter than its Content-Length.")
        return block


class _Body:
    """The body of an answer, decoded if it is encoded.

    Some storages keep a ``Content-Encoding: gzip`` with files that are not, so the first bytes decide.

    Attributes:
        length: the bytes to come, or None if the host does not say.
        is_encoded: whether the body is encoded.
    """

    def __init__(self, raw: HTTPResponse) -> None:
        encoding = raw.headers.get("Content-Encoding", "").strip().lower()
        self.length = raw.length_remaining
        self.is_encoded = bool(encoding)
        self._raw = raw
        self._gzip: Any = None
        self._ahead = b""
        if encoding in {"gzip", "x-gzip"}:
            with _network_errors_translated():
                self._ahead = raw.read(_BLOCK, decode_content=False)
            self.is_encoded = self._ahead.startswith(_GZIP_START)
            self._gzip = zlib.decompressobj(_GZIP_ONLY) if self.is_encoded else None

    def read(self) -> bytes:
        """Return the next block of at most ``_BLOCK`` bytes, or nothing at the end."""
        if not self._gzip:
            ahead, self._ahead = self._ahead, b""
            return ahead or self._raw.read(_BLOCK, decode_content=self.is_encoded)
        while not self._gzip.eof:
            packed = self._gzip.unconsumed_tail or self._ahead or self._raw.read(_BLOCK, decode_content=False)
            self._ahead = b""
            if not packed:
                raise DownloadFailedError("The download breaks off.")
            if block := self._gzip.decompress(packed, _BLOCK):
                return bytes(block)
        return b""


@dataclass(frozen=True, slots=True)
class Downloader:
    """Checks links to exports and downloads from them.

    >>> from io import BytesIO
    >>> downloader = Downloader(("*.ekycpro.com",))
    >>> with downloader.open("http://files.ekycpro.com/a.zip", BytesIO(), seconds=60) as download:
    ...     download.finish()
    Traceback (most recent call last):
    ...
    numberdrop.vendor.download.LinkUntrustedError: RESULT_UNTRUSTED: The link to the export is not https. ...

    Attributes:
        hosts: allowed host names in lower case; ``*.suffix`` allows any host below the suffix. A loopback
            host that is listed by name may be reached by plain http.
        proxy: the URL of the proxy for https, or empty for none. The proxy resolves the host's name, so then
            only the proxy knows whether the address is public.
    """

    hosts: Sequence[str]
    proxy: str = ""

    @contextmanager
    def open(self, link: str, file: IO[bytes], *, seconds: float) -> Iterator[Download]:
        """Request the export and yield it as a ``Download`` that writes to a file.

        Args:
            link: the link from the status answer.
            file: receives the bytes.
            seconds: deadline for the whole download.

        Raises:
            LinkUntrustedError: the link, or the address that it resolves to, breaks a rule.
            ExportMissingError: the storage answered 404.
            LinkRefusedError: the storage answered any other 4xx, except 408 and 429.
            DownloadFailedError: the request failed in any other way, or the export is empty.
            JobFailedError: the export exceeds the size limit.
        """
        target = self._check_link(link)
        loopback = _is_loopback(target.hostname or "")
        is_proxied = bool(self.proxy) and target.scheme == "https"

        def check_address(connected: socket.socket) -> None:
            if is_proxied:
                return
            address = ipaddress.ip_address(connected.getpeername()[0])
            if not (address.is_loopback if loopback else address.is_global):
                raise LinkUntrustedError("The export's host has an address that is not public.")

        end = monotonic() + seconds
        with session_with_deadline(seconds, on_connect=check_address, proxy=self.proxy) as session:
            with _network_errors_translated():
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

    def _check_link(self, link: str) -> SplitResult:
        try:
            target = urlsplit(link)
            host = (target.hostname or "").rstrip(".")
            port = target.port
        except ValueError:
            raise LinkUntrustedError("The link to the export is malformed.") from None
        if not (_PLAIN_LINK.fullmatch(link) and _PLAIN_HOST.fullmatch(host)):
            raise LinkUntrustedError("The link to the export contains characters that are not allowed.")
        if target.username is not None or target.password is not None:
            raise LinkUntrustedError("The link to the export contains a user name or password.")
        if not any(_matches(host, allowed) for allowed in self.hosts):
            raise LinkUntrustedError(
                "The link to the export points to a host that is not allowed.",
                "If the vendor's exports really come from there, add the host to ResultHosts.",
            )
        plain_loopback = target.scheme == "http" and _is_loopback(host)
        if target.scheme != "https" and not plain_loopback:
            raise LinkUntrustedError("The link to the export is not https.")
        if target.scheme == "https" and port not in {None, 443}:
            raise LinkUntrustedError("The link to the export points to an unusual port.")
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
        raise JobFailedError(ReasonCode.RESULT_INVALID, "The export is larger than 1 GiB. Ask the vendor.")


def _check_status(status: int) -> None:
    if status == 200:
        return
    if 300 <= status < 400:
        raise LinkUntrustedError("The link to the export redirects.")
    if status == 404:
        raise ExportMissingError(f"The export's host answered {status}.")
    if 400 <= status < 500 and status not in _BUSY:
        raise LinkRefusedError(f"The export's host answered {status}.")
    raise DownloadFailedError(f"The export's host answered {status}.")


@contextmanager
def _network_errors_translated() -> Iterator[None]:
    try:
        yield
    except (requests.RequestException, HTTPError, OSError, ValueError, zlib.error) as error:
        raise DownloadFailedError(f"The download failed ({type(error).__name__}).") from None
