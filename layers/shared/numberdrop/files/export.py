"""Reading an export: the file that the vendor hands out, which is not trusted."""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from enum import StrEnum
from functools import partial
from itertools import chain, count
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self
from zipfile import ZipFile, ZipInfo

from numberdrop.catalogue import checkers
from numberdrop.files.archive import ExportInvalidError, ExportLimits, open_archive, refusing
from numberdrop.files.table import csv_rows, open_workbook, sheet_rows

__all__ = ["Export", "ExportFormat", "ExportInvalidError", "ExportLimits", "read_export"]

_Table = Callable[[], Generator[list[str], None, None]]
"""Reads a table's rows from the start, its header first."""

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_WORKBOOK_MEMBER = "[Content_Types].xml"
"""Tells an ``.xlsx``, itself a zip, from other archives (ECMA-376, part 2)."""

_STANDARD_LIMITS = ExportLimits()
_MOST_COLUMNS = 200
_NUMBER = re.compile(r"[0-9]{7}")

_NUMBER_NAMES = (
    "number",
    "phone",
    "mobile_number",
    "phone_number",
    "mobile",
    "email",
    "username",
)
"""Names of the column that says whom a row is about; an earlier one goes before a later one."""

_VERDICT_NAMES = (
    "activated",
    "whatsapp",
    "telegram",
    *checkers(),
    "result",
    "status",
    "active",
    "activestatus",
)
"""Names of the column that carries the verdict, from the vendor's pages; an earlier one goes first."""


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
        verdict_column: the one of them that carries the verdict, None when there are none.
    """

    def __init__(
        self, export_format: ExportFormat, table: _Table, header: Sequence[str], files: ExitStack
    ) -> None:
        self.format = export_format
        self._table = table
        self._files = files
        self._number_at = _number_at(header)
        # Some exports have the number twice.
        self._columns_at = [at for at, name in enumerate(header) if name != header[self._number_at]]
        self._width = len(header)
        self.columns = _distinct([header[at] for at in self._columns_at])
        self.verdict_column = _verdict_column(self.columns)

    def rows(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The number and the cells of ``columns`` of each row, read anew at each call in constant memory.

        Numbers and cells are as the export has them; cells that a row lacks are empty.

        Raises:
            ExportInvalidError: a row has no number, or the file is broken or hostile further on.
        """
        with closing(self._table()) as rows:
            next(rows)
            for row in rows:
                if len(row) <= self._number_at:
                    raise ExportInvalidError("A row of the export ends before its number.")
                row.extend([""] * (self._width - len(row)))
                yield row[self._number_at], tuple([row[at] for at in self._columns_at])

    def close(self) -> None:
        """Closes the file; rows can no longer be read."""
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


def read_export(path: Path, *, limits: ExportLimits = _STANDARD_LIMITS) -> Export:
    """Opens an export: a zip with a table in it, an ``.xlsx`` or a CSV, whatever its name says.

    Raises:
        ExportInvalidError: it is none of these, is broken, passes a limit, or has no header.
    """
    with ExitStack() as files:
        export_format, table = _open(path, limits, files)
        return Export(export_format, table, _header(table), files.pop_all())


def _open(path: Path, limits: ExportLimits, files: ExitStack) -> tuple[ExportFormat, _Table]:
    file = files.enter_context(path.open("rb"))
    if file.read(len(_ZIP_STARTS[0])) not in _ZIP_STARTS:
        return ExportFormat.CSV, partial(csv_rows, lambda: path.open("rb"))
    archive = files.enter_context(open_archive(file, limits))
    if _WORKBOOK_MEMBER in archive.namelist():
        return ExportFormat.XLSX, _workbook_table(file, limits, files)
    member = _table_member(archive)
    if _base_name(member).endswith(".csv"):
        return ExportFormat.ZIP, partial(csv_rows, partial(archive.open, member))
    unpacked = _unpacked(archive, member, limits, files)
    return ExportFormat.ZIP, _workbook_table(unpacked, limits, files)


def _table_member(archive: ZipFile) -> ZipInfo:
    """The member with all rows: ``all.csv``, or else the only CSV, or else the only workbook."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    for candidates in (
        [member for member in members if _base_name(member) == "all.csv"],
        [member for member in members if _base_name(member).endswith(".csv")],
        [member for member in members if _base_name(member).endswith(".xlsx")],
    ):
        if len(candidates) == 1:
            return candidates[0]
    raise ExportInvalidError("The export's archive holds no table, or cannot say which is the one.")


def _base_name(member: ZipInfo) -> str:
    return member.filename.rpartition("/")[2].lower()


def _unpacked(archive: ZipFile, member: ZipInfo, limits: ExportLimits, files: ExitStack) -> IO[bytes]:
    """A member in a nameless file, for reading that jumps about."""
    if member.file_size > limits.workbook:
        raise ExportInvalidError("The export's workbook is far too large.")
    unpacked = files.enter_context(TemporaryFile())  # noqa: SIM115 - it is closed with the rest
    with refusing("The export is a zip archive that is broken."), archive.open(member) as packed:
        copyfileobj(packed, unpacked)
    return unpacked


def _workbook_table(file: IO[bytes], limits: ExportLimits, files: ExitStack) -> _Table:
    open_archive(file, replace(limits, unzipped=limits.workbook)).close()
    workbook = open_workbook(file)
    files.callback(workbook.close)
    return partial(sheet_rows, workbook)


def _header(table: _Table) -> list[str]:
    """The names of all columns.

    Raises:
        ExportInvalidError: the first row cannot be a header, so this is no table.
    """
    with closing(table()) as rows:
        names = [_normalised(name) for name in next(rows, [])]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise ExportInvalidError("The export is empty.")
    if len(names) > _MOST_COLUMNS:
        raise ExportInvalidError("The export has far too many columns.")
    if any(_NUMBER.search(name) for name in names):
        raise ExportInvalidError("The export has no header: its first row holds a number.")
    if len(names) == 1 and names[0] not in _NUMBER_NAMES:
        raise ExportInvalidError("The export is no table with a column for the number.")
    return [name or f"column_{at}" for at, name in enumerate(names, 1)]


def _normalised(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def _number_at(names: Sequence[str]) -> int:
    return next((names.index(name) for name in _NUMBER_NAMES if name in names), 0)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, those that repeat an earlier one with ``_2``, ``_3`` ... behind."""
    distinct: list[str] = []
    for name in names:
        repeats = (f"{name}_{number}" for number in count(2))
        distinct.append(next(new for new in chain([name], repeats) if new not in distinct))
    return tuple(distinct)


def _verdict_column(columns: Sequence[str]) -> str | None:
    named = next((name for name in _VERDICT_NAMES if name in columns), None)
    return named or (columns[-1] if columns else None)
