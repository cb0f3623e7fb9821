"""Reading ``.xlsx`` workbooks that come from outside, row by row in constant memory."""

import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import IO, TYPE_CHECKING

from numberdrop.files.archive import refusing
from numberdrop.files.workbook_check import check_workbook

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

CONTENT_TYPES = "[Content_Types].xml"
"""The part that tells an ``.xlsx``, itself a zip, from other archives (ECMA-376, part 2)."""

_MOST_SHEET_ROWS = 1_048_576
"""What a sheet has at most (Microsoft, "Excel specifications and limits")."""


def open_workbook(file: IO[bytes]) -> "Workbook":
    """An ``.xlsx`` file's workbook, to be closed by the caller.

    Its XML is parsed by ``defusedxml``, which ``openpyxl`` uses when it is installed.

    Raises:
        ExportInvalidError: it is no such file, or a hostile one.
    """
    # The import takes longer than most exports do.
    from openpyxl import load_workbook  # noqa: PLC0415

    with refusing("The export is a workbook that cannot be read."), _warnings_off():
        check_workbook(file)
        return load_workbook(file, read_only=True, data_only=True, keep_links=False)


def all_rows(workbook: "Workbook", sheet_at: int) -> Generator[list[str], None, None]:
    """The rows of one of a workbook's sheets up to their last filled cell, empty ones too.

    Raises:
        ExportInvalidError: the sheet is broken.
    """
    with refusing("The export's sheet cannot be read."):
        sheet = workbook.worksheets[sheet_at]
        # The size that a sheet claims to have is often wrong.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=_MOST_SHEET_ROWS, values_only=True)
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
