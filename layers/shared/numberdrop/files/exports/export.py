"""Reading an export: the file that the vendor hands out, which is not trusted."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain, count
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self
from zipfile import ZipFile, ZipInfo

from numberdrop.files.exports.matching import digits_of
from numberdrop.files.exports.table import Split, Table, csv_table, list_table, sheet_table
from numberdrop.files.exports.verdicts import VERDICT_COLUMNS, verdict_column
from numberdrop.files.formats.archive import (
    EMPTY_ZIP_START,
    ZIP_START,
    ExportInvalidError,
    ExportLimits,
    open_archive,
    refusing,
)
from numberdrop.files.formats.workbook import CONTENT_TYPES, open_workbook
from numberdrop.jobs.checkers import InputKind

__all__ = ["Export", "ExportFormat", "ExportInvalidError", "ExportLimits", "read_export"]

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

_STANDARD_LIMITS = ExportLimits()
_MAX_COLUMNS = 200

_NUMBER_NAMES = (
    *("number", "phone", "mobile_number", "phone_number", "mobile", "msisdn"),
    *("tel", "telephone", "phone_no", "mobile_no", "email", "username"),
)
"""Names of the column that says whom a row is about; an earlier one goes before a later one."""

_WHITE_SPACE = re.compile(r"\s")

_DIGITS_OF_A_NUMBER = range(7, 18)
"""Of a phone number with its country code, perhaps with ``00`` before it."""


_NAME_LENGTH, _NAME_AT = slice(26, 28), 30
"""Where the first member's local header has its name (zip specification, section 4.3.7)."""

_WORKBOOK_STARTS = (CONTENT_TYPES.encode(), b"_rels/", b"docProps/", b"xl/")
"""The parts of an ``.xlsx`` (ECMA-376, part 1); programs differ in which they write first."""


class ExportFormat(StrEnum):
    """What an export is, by its bytes."""

    ZIP = "zip"
    XLSX = "xlsx"
    CSV = "csv"

    @property
    def extension(self) -> str:
        """What the name of such a file ends with, without the dot."""
        return self.value


class Export:
    """An open export, made by ``read_export``. Close it, or use it as a context manager.

    Attributes:
        format: what the file is.
        columns: names of the columns besides the number, in the export's order: lower case, words joined by
            ``_``, no two the same.
        verdict_column: the one of them that carries the verdict, None when there is none.
    """

    def __init__(
        self,
        export_format: ExportFormat,
        table: Table,
        names: Sequence[str],
        number_at: int,
        files: ExitStack,
    ) -> None:
        self.format = export_format
        self._table = table
        self._files = files
        self._number_at = number_at
        others = [*names[: self._number_at], *names[self._number_at + 1 :]]
        # Some exports have the number twice.
        self._columns_at = [at for at, name in enumerate(others) if name != names[self._number_at]]
        self._width = len(others)
        self.columns = _distinct([others[at] for at in self._columns_at])
        self.verdict_column = verdict_column(self.columns)

    def answers(self) -> Iterator[Split]:
        """The numbers and what the export says of each, read anew at each call, in blocks.

        Numbers are as the export has them. What it says is a text that ``cells`` understands.

        Raises:
            ExportInvalidError: the file is broken or hostile further on.
        """
        return self._table.splits(self._number_at)

    def cells(self, answer: str) -> list[str]:
        """What a row has in each of ``columns``, as the export has it; empty where the row ends before."""
        cells = self._table.cells(answer)
        cells += [""] * (self._width - len(cells))
        return [cells[at] for at in self._columns_at]

    def close(self) -> None:
        """Closes the file; answers can no longer be read."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read_export(path: Path, kind: InputKind, *, limits: ExportLimits = _STANDARD_LIMITS) -> Export:
    """Opens an export, whatever its name says: a zip with a table or lists in it, an ``.xlsx`` or a CSV.

    Args:
        path: the file.
        kind: what was submitted.
        limits: what it may hold at most.

    Raises:
        ExportInvalidError: it is none of these, is broken, passes a limit, or has no column for the number.
    """
    with ExitStack() as files:
        export_format, table = _open(path, limits, files)
        rows = table.first_rows()
        names = _names(table.header, rows)
        number_at = _number_column(table.header, names, rows, kind)
        return Export(export_format, table, names, number_at, files.pop_all())


def _open(path: Path, limits: ExportLimits, files: ExitStack) -> tuple[ExportFormat, Table]:
    file = files.enter_context(path.open("rb"))
    if file.read(len(ZIP_START)) not in {ZIP_START, EMPTY_ZIP_START}:
        return ExportFormat.CSV, csv_table(lambda: path.open("rb"))
    archive = files.enter_context(open_archive(file, limits))
    if CONTENT_TYPES in archive.namelist():
        return ExportFormat.XLSX, _workbook_table(file, limits, files)
    return ExportFormat.ZIP, _archived_table(archive, limits, files)


def _archived_table(archive: ZipFile, limits: ExportLimits, files: ExitStack) -> Table:
    members = [(_base_name(member), member) for member in archive.infolist() if not member.is_dir()]
    members = [(name, member) for name, member in members if not name.startswith(_HIDDEN)]
    tables = [[found for found in members if fnmatchcase(found[0], pattern)] for pattern in _TABLES]
    only = next((found[0] for found in tables if len(found) == 1), None)
    if only:
        name, member = only
        if name.endswith(".csv"):
            return csv_table(partial(archive.open, member))
        return _workbook_table(_unpacked(archive, member, limits, files), limits, files)
    lists = [(_LISTS[name], partial(archive.open, member)) for name, member in members if name in _LISTS]
    if any(tables) or not lists:
        raise ExportInvalidError("The export's archive holds no table, or cannot say which is the one.")
    return list_table(_LIST_HEADER, lists)


def _base_name(member: ZipInfo) -> str:
    return re.split(r"[/\\]", member.filename)[-1].lower()


def _unpacked(archive: ZipFile, member: ZipInfo, limits: ExportLimits, files: ExitStack) -> IO[bytes]:
    """A member in a nameless file, for reading that jumps about."""
    if member.file_size > limits.workbook:
        raise ExportInvalidError("The workbook is far too large.")
    unpacked = files.enter_context(TemporaryFile())  # noqa: SIM115 - it is closed with the rest
    with refusing("The archive is broken."), archive.open(member) as packed:
        copyfileobj(packed, unpacked)
    return unpacked


def _workbook_table(file: IO[bytes], limits: ExportLimits, files: ExitStack) -> Table:
    open_archive(file, replace(limits, unzipped=limits.workbook)).close()
    workbook = open_workbook(file)
    files.callback(workbook.close)
    return sheet_table(workbook)


def _names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of all columns. Those without get one, except the last if the first rows have nothing there.

    Raises:
        ExportInvalidError: the first row cannot be a header, so this is no table.
    """
    names = [re.sub(r"\W+", "_", name.lower()).strip("_") for name in header]
    filled = max((at for row in rows for at, cell in enumerate(row, 1) if cell), default=0)
    while len(names) > filled and not names[-1]:
        names.pop()
    if not any(names):
        raise ExportInvalidError("The export is empty.")
    if len(names) > _MAX_COLUMNS:
        raise ExportInvalidError("The export has far too many columns.")
    if any(map(_is_number, header)) and not any(name in names for name in _NUMBER_NAMES):
        raise ExportInvalidError("The export has no header: its first row holds a number.")
    return [name or f"column_{at}" for at, name in enumerate(names, 1)]


def _number_column(
    header: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]], kind: InputKind
) -> int:
    """Which column says whom a row is about.

    It is the first of those with a known name, or of all where there is none, whose first cells may be what
    was submitted; otherwise the first whose cells look like it. Where no cells tell, the name does; a table
    with a verdict or without rows has it in its first column.

    Raises:
        ExportInvalidError: nothing tells.
    """
    named: list[int] = [names.index(name) for name in _NUMBER_NAMES if name in names]
    cells = [[row[at] for row in rows if at < len(row) and row[at]] for at in range(len(names))]
    for at in named or range(len(names)):
        if _may_be_submitted(cells[at], kind):
            return at
    for at in range(len(names)):
        if _look_submitted(cells[at], kind):
            return at
    if named:
        return named[0]
    if any(name in VERDICT_COLUMNS for name in names) or (not rows and _is_header(header)):
        return 0
    raise ExportInvalidError("The export is no table with a column for the number.")


def _may_be_submitted(cells: Sequence[str], kind: InputKind) -> bool:
    """Whether the filled cells of a column may be what was submitted."""
    if kind in {InputKind.PHONE, InputKind.EMAIL}:
        return _look_submitted(cells, kind)
    # It may look like anything, but what counts the rows is hardly it.
    ordinals = ([str(at + first) for at in range(len(cells))] for first in (0, 1))
    return len(cells) == 1 or bool(cells and list(cells) not in ordinals)


def _is_header(row: Sequence[str]) -> bool:
    """Whether the only row of a table names columns: an error message is one cell, or has spaces in it."""
    return len(row) > 1 and not any(map(_WHITE_SPACE.search, row))


def _look_submitted(cells: Sequence[str], kind: InputKind) -> bool:
    """Whether most of the filled cells of a column look like what is submitted of a kind."""
    looks_right = {InputKind.PHONE: _is_phone_number, InputKind.EMAIL: _is_address}.get(kind, _is_number)
    return sum(map(looks_right, cells)) > len(cells) / 2


def _is_number(cell: str) -> bool:
    return _is_phone_number(cell) or _is_address(cell)


def _is_phone_number(cell: str) -> bool:
    return len(digits_of(cell)) in _DIGITS_OF_A_NUMBER


def _is_address(cell: str) -> bool:
    return "@" in cell


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, those that repeat an earlier one with ``_2``, ``_3`` ... behind."""
    distinct: list[str] = []
    for name in names:
        repeats = (f"{name}_{number}" for number in count(2))
        distinct.append(next(new for new in chain([name], repeats) if new not in distinct))
    return tuple(distinct)


def likely_format(start: bytes) -> ExportFormat:
    """The format of a file that begins with these bytes. Only the whole of an archive can tell for sure."""
    if not start.startswith(ZIP_START):
        return ExportFormat.CSV
    length = int.from_bytes(start[_NAME_LENGTH], "little")
    name = start[_NAME_AT : _NAME_AT + length]
    return ExportFormat.XLSX if name.startswith(_WORKBOOK_STARTS) else ExportFormat.ZIP
