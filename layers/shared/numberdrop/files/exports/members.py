"""Find the table inside an archive."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from fnmatch import fnmatchcase
from functools import partial
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO
from zipfile import ZipFile, ZipInfo

from numberdrop.files.exports.table import Table, csv_table, list_table, sheet_tables
from numberdrop.files.formats.archive import ArchiveLimits
from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as
from numberdrop.files.formats.workbook import open_workbook

_TABLES = ("all.csv", "*.csv", "*.xlsx")
"""Base names of the member that has all rows. The first pattern that exactly one member matches decides."""

_PARTS = "*.csv"
"""Base names of members that may have the rows together, if no pattern decides."""

SEVERAL_TABLES = "The export's archive contains no table, or several to choose from."

_HIDDEN = (".", "~$")
"""Prefixes of the files that macOS and Office create next to others, such as ``._all.csv``."""

_LISTS = {
    "activated.txt": "activated",
    "registered.txt": "registered",
    "unregistered.txt": "unregistered",
    "unactivated.txt": "unactivated",
    **{f"{word}.txt": word for word in ("已激活", "未激活", "已注册", "未注册")},
}
"""Base names of lists in an archive without tables, and the vendor's word for the numbers in each."""

_LIST_HEADER = ["number", "list"]


def archived_tables(archive: ZipFile, limits: ArchiveLimits, files: ExitStack) -> Iterator[Table]:
    """Return the tables of an archive: of its CSV files, its workbook or its lists of numbers.

    Lists count if there is no table, or if it has no rows. Several CSV files may be parts of one table.

    Args:
        archive: an archive that is within the limits.
        limits: limits for a workbook in the archive.
        files: closes the files that must stay open while the table is read.

    Raises:
        InvalidFileError: the archive has no table, or several and none takes precedence.
    """
    members = [(_base_name(member), member) for member in archive.infolist() if not member.is_dir()]
    members = [(name, member) for name, member in members if not name.startswith(_HIDDEN)]
    candidates = [[found for found in members if fnmatchcase(found[0], pattern)] for pattern in _TABLES]
    table = next((found[0] for found in candidates if len(found) == 1), None)
    named = [(_LISTS[name], member) for name, member in members if name in _LISTS]
    if table and table[0].endswith(".xlsx"):
        return workbook_tables(_unpack(archive, table[1], limits, files), limits, files)
    parts = [table] if table else candidates[_TABLES.index(_PARTS)]
    tables = [csv_table(partial(archive.open, member), member.file_size) for _, member in parts]
    if tables and not (table and named and not tables[0].first_rows()):
        return iter(tables)
    if not named or (any(candidates) and not table):
        raise InvalidFileError(SEVERAL_TABLES)
    lists = [(word, partial(archive.open, member)) for word, member in named]
    return iter([list_table(_LIST_HEADER, lists, sum(member.file_size for _, member in named))])


def _base_name(member: ZipInfo) -> str:
    return re.split(r"[/\\]", member.filename)[-1].lower()


def _unpack(archive: ZipFile, member: ZipInfo, limits: ArchiveLimits, files: ExitStack) -> IO[bytes]:
    """Copy a member to a temporary file without a name, for random access."""
    if member.file_size > limits.workbook:
        raise InvalidFileError("The workbook is too large to unpack.")
    unpacked = files.enter_context(TemporaryFile())  # noqa: SIM115 - the ExitStack closes it
    with parse_errors_as("The archive is broken."), archive.open(member) as packed:
        copyfileobj(packed, unpacked)
    return unpacked


def workbook_tables(file: IO[bytes], limits: ArchiveLimits, files: ExitStack) -> Iterator[Table]:
    """Return the tables of a workbook, one for each sheet that is not empty.

    Args:
        file: an ``.xlsx`` file, open for reading.
        limits: limits for the workbook.
        files: closes the workbook.

    Raises:
        InvalidFileError: the workbook exceeds a limit or cannot be read.
    """
    workbook = files.enter_context(open_workbook(file, limits, needs_formats=False))
    return sheet_tables(workbook, workbook.size)
