"""Read ``.xlsx`` workbooks from outside, row by row in constant memory."""

import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from typing import IO, TYPE_CHECKING

from numberdrop.files.formats.untrusted import parse_errors_as
from numberdrop.files.formats.workbook_guard import check_workbook

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

CONTENT_TYPES = "[Content_Types].xml"
"""The part that distinguishes an ``.xlsx``, which is a zip, from other archives (ECMA-376, part 2)."""

MAX_SHEETS = 20
"""Sheets that are searched for data. An empty sheet can take long too, if it has a row far down."""


def open_workbook(file: IO[bytes]) -> "Workbook":
    """Open an ``.xlsx`` file. The caller closes the workbook.

    ``openpyxl`` parses XML with ``defusedxml`` if it is installed.

    Raises:
        InvalidFileError: the file is not a workbook, is broken, or is hostile.
    """
    # The import takes longer than reading most exports.
    from openpyxl import load_workbook  # noqa: PLC0415

    with parse_errors_as("The file is not a workbook, or it cannot be read."), _warnings_off():
        check_workbook(file)
        return load_workbook(file, read_only=True, data_only=True, keep_links=False)


def first_filled_sheet(workbook: "Workbook") -> int | None:
    """Return the index of the first sheet with data, or None. Visible sheets come before hidden ones.

    Raises:
        InvalidFileError: a sheet is broken.
    """
    sheets = workbook.worksheets
    visible_first = sorted(range(len(sheets)), key=lambda index: sheets[index].sheet_state != "visible")
    for sheet_index in visible_first[:MAX_SHEETS]:
        with closing(sheet_rows(workbook, sheet_index)) as rows:
            if any(any(row) for row in rows):
                return sheet_index
    return None


def sheet_rows(workbook: "Workbook", sheet_index: int) -> Generator[list[str], None, None]:
    """Yield all rows of a sheet, empty ones too, each up to its last filled cell.

    >>> from io import BytesIO
    >>> from openpyxl import Workbook
    >>> file, book = BytesIO(), Workbook()
    >>> book.active.append(["Jane", 41790000001.0, None])
    >>> book.save(file)
    >>> with closing(open_workbook(file)) as workbook:
    ...     list(sheet_rows(workbook, 0))
    [['Jane', '41790000001']]

    Raises:
        InvalidFileError: the sheet is broken.
    """
    with parse_errors_as("The workbook's sheet cannot be read."):
        sheet = workbook.worksheets[sheet_index]
        # The size that a sheet states is often wrong.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True)
        while (row := _next(rows)) is not None:
            yield [_text(value) for value in row[: _filled_length(row)]]


def _filled_length(row: Sequence[object]) -> int:
    """Return the number of cells up to the last one with a value. A format alone also creates a cell."""
    length = len(row)
    while length and row[length - 1] in {None, ""}:
        length -= 1
    return length


def _next(rows: Iterator[Sequence[object]]) -> Sequence[object] | None:
    with _warnings_off():
        return next(rows, None)


def _warnings_off() -> AbstractContextManager[None]:
    """Return a context without warnings, because those of ``openpyxl`` would log the content of cells."""
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
