"""Unpack an upload that is compressed: a gzip file, or a zip archive of one file."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from numberdrop.files.formats.archive import EMPTY_ZIP_START, ZIP_START, ArchiveLimits, open_archive
from numberdrop.files.formats.unpacking import (
    GZIP_START,
    UnpackedTooLargeError,
    blocks_within,
    gzip_blocks,
)
from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as
from numberdrop.files.formats.workbook import CONTENT_TYPES
from numberdrop.files.uploads.errors import not_text
from numberdrop.files.uploads.other_formats import refuse_documents
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

MAX_UNPACKED = 400_000_000
"""Bytes that an upload may unpack to: as many as one that is not compressed may have."""

_LIMITS = replace(ArchiveLimits(), unzipped=ArchiveLimits().workbook)

_HIDDEN = ("__MACOSX/", ".")
"""How the names of files begin that macOS adds to an archive."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a text, a table or a workbook.

    Attributes:
        file: the bytes.
        is_workbook: whether they are an ``.xlsx`` workbook.
        packing: how they were compressed, ``gzip`` or ``zip``; None if they were not.
    """

    file: BinaryIO
    is_workbook: bool
    packing: str | None = None

    def format(self, name: str) -> str:
        """Return a format's name together with the compression.

        >>> from io import BytesIO
        >>> Content(BytesIO(), is_workbook=False, packing="gzip").format("text")
        'text in gzip'
        """
        return f"{name} in {self.packing}" if self.packing else name


@contextmanager
def unpacked(upload: BinaryIO) -> Iterator[Content]:
    r"""Open the content of an upload, which may be compressed once.

    >>> import gzip
    >>> from io import BytesIO
    >>> with unpacked(BytesIO(gzip.compress(b"+41790000001\n"))) as content:
    ...     content.file.read(), content.packing
    (b'+41790000001\n', 'gzip')

    Raises:
        JobFailedError: ``NOT_TEXT``: the file is broken, hostile, compressed more than once, or an archive
            of several files or of another format; ``TOO_LARGE``: it unpacks to too many bytes.
    """
    with ExitStack() as files:
        yield _open(upload, files)


def _open(upload: BinaryIO, files: ExitStack) -> Content:
    try:
        packing, member = _packing(upload)
        if packing == "gzip" or member:
            file = files.enter_context(TemporaryFile())  # noqa: SIM115 - the ExitStack closes it
            _unpack(upload, member, file)
            return Content(file, _is_workbook(file), packing)
        return Content(upload, is_workbook=packing == "zip")
    except UnpackedTooLargeError:
        raise _too_large() from None
    except InvalidFileError as error:
        raise not_text(str(error)) from None


def _is_workbook(unpacked_file: BinaryIO) -> bool:
    packing, member = _packing(unpacked_file)
    if packing == "gzip" or member:
        raise InvalidFileError("The file is compressed more than once.")
    return packing == "zip"


def _packing(file: BinaryIO) -> tuple[str | None, ZipInfo | None]:
    """Return how a file is packed, and the only file in a zip archive that is not a workbook."""
    file.seek(0)
    start = file.read(len(ZIP_START))
    file.seek(0)
    if start.startswith(GZIP_START):
        return "gzip", None
    if start not in {ZIP_START, EMPTY_ZIP_START}:
        return None, None
    with open_archive(file, _LIMITS) as archive:
        return "zip", _only_file(archive)


def _only_file(archive: ZipFile) -> ZipInfo | None:
    """Return the only file of an archive, or None if the archive is a workbook.

    Raises:
        InvalidFileError: the archive has no files.
        JobFailedError: ``NOT_TEXT``: the archive has several files, or is a document of another format.
    """
    refuse_documents(archive)
    if CONTENT_TYPES in archive.namelist():
        return None
    members = [member for member in archive.infolist() if not _is_hidden(member)]
    if not members:
        raise InvalidFileError("The file is a zip archive without files.")
    if len(members) > 1:
        raise not_text(
            f"The file is a zip archive of {len(members):,} files.",
            "Unzip it and upload each file by itself.",
        )
    return members[0]


def _is_hidden(member: ZipInfo) -> bool:
    name = member.filename
    return member.is_dir() or name.startswith(_HIDDEN) or name.rpartition("/")[2].startswith(_HIDDEN)


def _unpack(packed: BinaryIO, member: ZipInfo | None, file: BinaryIO) -> None:
    """Unpack a member of a zip archive, or a gzip file if there is no member."""
    gzipped = gzip_blocks(packed, _LIMITS, largest=MAX_UNPACKED)
    file.writelines(_member_blocks(packed, member) if member else gzipped)
    file.seek(0)


def _member_blocks(packed: BinaryIO, member: ZipInfo) -> Iterator[bytes]:
    with (
        parse_errors_as("The file is a zip archive that is cut off or broken."),
        open_archive(packed, _LIMITS) as archive,
        archive.open(member) as content,
    ):
        yield from blocks_within(content, largest=MAX_UNPACKED, plausible=member.file_size)


def _too_large() -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"The file unpacks to more than {MAX_UNPACKED // 1_000_000} MB. Split it and upload the parts.",
    )
