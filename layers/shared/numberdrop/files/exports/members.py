"""Which member of an archive has the rows."""

import re
from contextlib import ExitStack
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO
from zipfile import ZipFile, ZipInfo

from numberdrop.files.exports.table import Table, csv_table, list_table, sheet_table
from numberdrop.files.formats.archive import ArchiveLimits, open_archive
from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as
from numberdrop.files.formats.workbook import open_workbook

_TABLES = ("all.csv", "*.csv", "*.xlsx")
"""An archive's member with all rows: the only one of such a base name, by the first pattern that has one."""

_HIDDEN = (".", "~$")
"""How the base names begin of what macOS and Office leave beside files, such as ``._all.csv``."""

_LISTS = {
    "activated.txt": "activated",
    "registered.txt": "registered",
    "unregistered.txt": "unregistered",
    "unactivated.txt": "unactivated",
}
"""Members of an archive without tables, by base name, and the vendor's word for the numbers in each."""

_LIST_HEADER = ["number", "list"]


def archived_table(archive: ZipFile, limits: ArchiveLimits, files: ExitStack) -> Table:
    """Return the table of an archive: its CSV, its workbook, or its lists of numbers.

    Args:
        archive: an archive that passed the limits.
        limits: what a workbook in it may hold at most.
        files: closes what stays open for reading.

    Raises:
        InvalidFileError: the archive has no table, or several and none that is preferred.
    """
    members = [(_base_name(member), member) for member in archive.infolist() if not member.is_dir()]
    members = [(name, member) for name, member in members if not name.startswith(_HIDDEN)]
    tables = [[found for found in members if fnmatchcase(found[0], pattern)] for pattern in _TABLES]
    only = next((found[0] for found in tables if len(found) == 1), None)
    if only:
        name, member = only
        if name.endswith(".csv"):
            return csv_table(partial(archive.open, member))
        return workbook_table(_unpacked(archive, member, limits, files), limits, files)
    lists = [(_LISTS[name], partial(archive.open, member)) for name, member in members if name in _LISTS]
    if any(tables) or not lists:
        raise InvalidFileError("The export's archive holds no table, or cannot say which is the one.")
    return list_table(_LIST_HEADER, lists)


def _base_name(member: ZipInfo) -> str:
    return re.split(r"[/\\]", member.filename)[-1].lower()


def _unpacked(archive: ZipFile, member: ZipInfo, limits: ArchiveLimits, files: ExitStack) -> IO[bytes]:
    """A member in a nameless file, for reading that jumps about."""
    if member.file_size > limits.workbook:
        raise InvalidFileError("The workbook is far too large.")
    unpacked = files.enter_context(TemporaryFile())  # noqa: SIM115 - it is closed with the rest
    with parse_errors_as("The archive is broken."), archive.open(member) as packed:
        copyfileobj(packed, unpacked)
    return unpacked


def workbook_table(file: IO[bytes], limits: ArchiveLimits, files: ExitStack) -> Table:
    """Return the table of a workbook.

    Args:
        file: an ``.xlsx``, open for reading.
        limits: what it may hold at most.
        files: closes the workbook.

    Raises:
        InvalidFileError: the workbook passes a limit or cannot be read.
    """
    open_archive(file, replace(limits, unzipped=limits.workbook)).close()
    workbook = open_workbook(file)
    files.callback(workbook.close)
    return sheet_table(workbook)
