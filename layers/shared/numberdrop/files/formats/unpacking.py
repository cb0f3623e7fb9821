"""Unpack compressed files that come from outside, block by block and within limits."""

import gzip
from collections.abc import Iterator
from io import SEEK_END
from typing import IO, TYPE_CHECKING

from numberdrop.files.formats.archive import ArchiveLimits
from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as

if TYPE_CHECKING:
    from _typeshed import SupportsRead

GZIP_START = b"\x1f\x8b"
"""First bytes of a gzip file (RFC 1952, section 2.3.1)."""

_BLOCK = 1024 * 1024


class UnpackedTooLargeError(InvalidFileError):
    """The file unpacks to more bytes than are accepted, although not to more than is plausible."""


def gzip_blocks(packed: IO[bytes], limits: ArchiveLimits, *, largest: int) -> Iterator[bytes]:
    r"""Yield the content of a gzip file in blocks.

    >>> from io import BytesIO
    >>> list(gzip_blocks(BytesIO(gzip.compress(b"+41790000001\n")), ArchiveLimits(), largest=1000))
    [b'+41790000001\n']

    Args:
        packed: the file.
        limits: says how many times its size it may unpack to.
        largest: the most bytes that it may unpack to.

    Raises:
        InvalidFileError: the file is broken or hostile, or ``UnpackedTooLargeError``.
    """
    size = packed.seek(0, SEEK_END)
    packed.seek(0)
    plausible = max(limits.ratio_free, limits.ratio * size)
    with (
        parse_errors_as("The file is a gzip file that is cut off or broken."),
        gzip.GzipFile(fileobj=packed) as content,
    ):
        yield from blocks_within(content, largest=largest, plausible=plausible)


def blocks_within(content: "SupportsRead[bytes]", *, largest: int, plausible: int) -> Iterator[bytes]:
    """Yield unpacked bytes in blocks, up to the limits.

    Args:
        content: the unpacked bytes.
        largest: the most bytes that are accepted.
        plausible: the most bytes that the size of the compressed file makes plausible.

    Raises:
        InvalidFileError: the content has more bytes.
    """
    unpacked = 0
    while block := content.read(_BLOCK):
        unpacked += len(block)
        if unpacked > largest:
            raise UnpackedTooLargeError("The file unpacks to more than is accepted.")
        if unpacked > plausible:
            raise InvalidFileError("The file unpacks to far more than it should.")
        yield block
