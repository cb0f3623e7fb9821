"""Opening a zip archive that comes from outside, so that it can cost neither memory nor disk.

Members are only ever read as streams. Their names choose what to read and never reach a path.
"""

from dataclasses import dataclass
from io import SEEK_END
from itertools import pairwise
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as

MIB = 1024 * 1024

ZIP_START = b"PK\x03\x04"
"""How an archive begins, and so an ``.xlsx`` (zip specification, section 4.3.7)."""

EMPTY_ZIP_START = b"PK\x05\x06"
"""How an archive without members begins (section 4.3.16)."""

_LOCAL_HEADER = 30
"""Bytes of a member's local header without the name (zip specification, section 4.3.7)."""

_ENCRYPTED = 0x1
_LARGEST_READ = MIB


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What a file from outside may cost; sizes in bytes.

    Attributes:
        members: most members of an archive.
        unzipped: most that an archive's members unzip to, together; the function's disk holds them twice.
        ratio: most that they unzip to, as a multiple of the archive's size.
        ratio_free: up to this unzipped size the ratio does not matter; tables compress well.
        workbook: most that an ``.xlsx`` unzips to; its shared texts are held in memory.
    """

    members: int = 1000
    unzipped: int = 3072 * MIB
    ratio: int = 200
    ratio_free: int = 100 * MIB
    workbook: int = 512 * MIB


def open_archive(file: IO[bytes], limits: ArchiveLimits) -> ZipFile:
    """An archive whose members can be read without harm; the file stays the caller's to close.

    Sizes are taken from the archive's directory. They can be trusted as upper bounds: ``zipfile`` ends a
    member at the size that its entry states and then compares the checksum.

    Raises:
        InvalidFileError: it is no archive, is cut off, or passes a limit.
    """
    with parse_errors_as("The file is a zip archive that is cut off or broken."):
        archive = ZipFile(_GuardedFile(file))
    _check_members(archive.infolist(), file.seek(0, SEEK_END), limits)
    return archive


class _GuardedFile:
    """Refuses to be read in huge pieces.

    ``zipfile`` reads an archive's directory in one piece and makes an object of each entry before anything
    can be counted, so a directory of a million members must not be read at all.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _LARGEST_READ:
            raise InvalidFileError("The archive has far too many members.")
        return self._file.read(size)


def _check_members(members: list[ZipInfo], size: int, limits: ArchiveLimits) -> None:
    if len(members) > limits.members:
        raise InvalidFileError(f"The archive has more than {limits.members:,} members.")
    unzipped = sum(member.file_size for member in members)
    if unzipped > limits.unzipped or unzipped > max(limits.ratio_free, limits.ratio * size):
        raise InvalidFileError("The archive unzips to far more than it should.")
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise InvalidFileError("The archive is encrypted.")
        if member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise InvalidFileError("The archive uses an unusual compression.")
    _check_ranges(members, size)


def _check_ranges(members: list[ZipInfo], size: int) -> None:
    """Each member has bytes of its own; shared ones would unzip to more than the sizes tell."""
    ranges = sorted(
        (
            member.header_offset,
            member.header_offset + _LOCAL_HEADER + len(member.orig_filename) + member.compress_size,
        )
        for member in members
    )
    for (_, end), (start, _) in pairwise([*ranges, (size, size)]):
        if end > start:
            raise InvalidFileError("The archive has overlapping members.")
