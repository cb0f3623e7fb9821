"""Reading ``.xlsx`` workbooks that come from outside, row by row in constant memory."""

import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from typing import IO, TYPE_CHECKING

from numberdrop.files.formats.untrusted import parse_errors_as
from numberdrop.files.formats.workbook_guard import check_workbook

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

CONTENT_TYPES = "[Content_Types].xml"
"""The part that tells an ``.xlsx``, itself a zip, from other archives (ECMA-376, part 2)."""

_MAX_SHEETS = 20
"""Sheets that are looked at for one with anything in it: a row far down costs time, however empty it is."""


def open_workbook(file: IO[bytes]) -> "Workbook":
    """An ``.xlsx`` file's workbook, to be closed by the caller.

    Its XML is parsed by ``defusedxml``, which ``openpyxl`` uses when it is installed.

    Raises:
        InvalidFileError: it is no such file, or a hostile one.
    """
    # The import takes longer than most exports do.
    from openpyxl import load_workbook  # noqa: PLC0415

    with parse_errors_as("The file is no workbook, or one that cannot be read."), _warnings_off():
        check_workbook(file)
        return load_workbook(file, read_only=True, data_only=True, keep_links=False)


def first_filled_sheet(workbook: "Workbook") -> int | None:
    """Which sheet is the first with anything in it, from 0: one that is shown, if any of those has.

    Raises:
        InvalidFileError: a sheet is broken.
    """
    sheets = workbook.worksheets
    shown_first = sorted(range(len(sheets)), key=lambda at: sheets[at].sheet_state != "visible")
    for sheet_at in shown_first[:_MAX_SHEETS]:
        with closing(sheet_rows(workbook, sheet_at)) as rows:
            if any(any(row) for row in rows):
                return sheet_at
    return None


def sheet_rows(workbook: "Workbook", sheet_at: int) -> Generator[list[str], None, None]:
    """The rows of one of a workbook's sheets up to their last filled cell, empty ones too.

    Raises:
        InvalidFileError: the sheet is broken.
    """
    with parse_errors_as("The workbook's sheet cannot be read."):
        sheet = workbook.worksheets[sheet_at]
        # The size that a sheet claims to have is often wrong.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True)
        while (row := _next(rows)) is not None:
            yield [_text(value) for value in row[: _filled(row)]]


def _filled(row: Sequence[object]) -> int:
    """How many cells there are up to the last with anything in it: a format alone makes a cell too."""
    length = len(row)
    while length and row[length - 1] in {None, ""}:
        length -= 1
    return length


def _next(rows: Iterator[Sequence[object]]) -> Sequence[object] | None:
    with _warnings_off():
        return next(rows, None)


def _warnings_off() -> AbstractContextManager[None]:
    """Openpyxl's warnings would put cells into the log."""
    return warnings.catch_warnings(action="ignore")


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
