"""Open zip archives that come from outside without letting them exhaust memory or disk.

Members are only read as streams. Their names select what to read and never become part of a path.
"""

from dataclasses import dataclass
from io import SEEK_END
from itertools import pairwise
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as

MIB = 1024 * 1024

ZIP_START = b"PK\x03\x04"
"""First bytes of an archive, and so of an ``.xlsx`` (zip specification, section 4.3.7)."""

EMPTY_ZIP_START = b"PK\x05\x06"
"""First bytes of an archive without members (section 4.3.16)."""

_LOCAL_HEADER_SIZE = 30
"""Bytes of a member's local header without its name (section 4.3.7)."""

_ENCRYPTED_FLAG = 0x1
_MAX_READ = MIB


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive or workbook from outside may hold. Sizes are in bytes.

    Attributes:
        members: most members of an archive.
        unzipped: most bytes that all members unzip to together. The function's disk holds them twice.
        ratio: most bytes that they unzip to, as a multiple of the archive's size.
        ratio_free: the ratio is ignored up to this unzipped size, because tables compress well.
        workbook: most bytes that an ``.xlsx`` unzips to, because its shared strings are held in memory.
    """

    members: int = 1000
    unzipped: int = 3072 * MIB
    ratio: int = 200
    ratio_free: int = 100 * MIB
    workbook: int = 512 * MIB


def open_archive(file: IO[bytes], limits: ArchiveLimits) -> ZipFile:
    """Open an archive and check that its members are safe to read. The caller still closes the file.

    The sizes come from the archive's directory. They are safe upper bounds: ``zipfile`` reads no more of a
    member than the size that the directory states, and then compares the checksum.

    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> with ZipFile(file, "w") as archive:
    ...     archive.writestr("all.csv", "number,band")
    >>> open_archive(file, ArchiveLimits()).namelist()
    ['all.csv']

    Raises:
        InvalidFileError: the file is not an archive, is cut off, or exceeds a limit.
    """
    with parse_errors_as("The file is a zip archive that is cut off or broken."):
        archive = ZipFile(_GuardedFile(file))
    _check_members(archive.infolist(), file.seek(0, SEEK_END), limits)
    return archive


class _GuardedFile:
    """A file that refuses large reads.

    ``zipfile`` reads an archive's directory in one piece and creates an object for each entry before anybody
    can count them. A directory with a million members must therefore not be read at all.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_READ:
            raise InvalidFileError("The archive has far too many members.")
        return self._file.read(size)


def _check_members(members: list[ZipInfo], size: int, limits: ArchiveLimits) -> None:
    if len(members) > limits.members:
        raise InvalidFileError(f"The archive has more than {limits.members:,} members.")
    unzipped = sum(member.file_size for member in members)
    if unzipped > limits.unzipped or unzipped > max(limits.ratio_free, limits.ratio * size):
        raise InvalidFileError("The archive unzips to far more than it should.")
    for member in members:
        if member.flag_bits & _ENCRYPTED_FLAG:
            raise InvalidFileError("The archive is encrypted.")
        if member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise InvalidFileError("The archive uses an unusual compression method.")
    _check_ranges(members, size)


def _check_ranges(members: list[ZipInfo], size: int) -> None:
    """Check that no two members share bytes, which would let them unzip to more than their sizes state."""
    ranges = sorted(
        (
            member.header_offset,
            member.header_offset + _LOCAL_HEADER_SIZE + len(member.orig_filename) + member.compress_size,
        )
        for member in members
    )
    for (_, end), (start, _) in pairwise([*ranges, (size, size)]):
        if end > start:
            raise InvalidFileError("The archive has overlapping members.")
