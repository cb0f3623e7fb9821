"""Reading tables that come from outside, CSV or XLSX, row by row in constant memory."""

import csv
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from io import TextIOWrapper
from itertools import chain
from typing import IO, TYPE_CHECKING, TextIO

from openpyxl import load_workbook

from numberdrop.files.archive import ExportInvalidError, refusing
from numberdrop.files.workbook_check import check_workbook

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

_LONGEST_ROW = 128 * 1024
"""Characters; also the most that the csv module takes in one cell unless told otherwise."""

_DELIMITERS = (",", ";", "\t")
_STARTS_OF_OTHER_FORMATS = ("<", "{", "[")
"""Web pages, XML and JSON, as error messages come."""

_MOST_SHEET_ROWS = 1_048_576
"""What a sheet has at most (Microsoft, "Excel specifications and limits")."""


def csv_rows(open_file: Callable[[], IO[bytes]]) -> Generator[list[str], None, None]:
    """The rows of a CSV file that are not empty, its header first.

    UTF-8 with or without BOM; delimited by comma, semicolon or tab, whichever the first line has most of.

    Raises:
        ExportInvalidError: it is no such file, or a row is unreasonably long.
    """
    with (
        refusing("The export's table is no CSV in UTF-8, or is broken."),
        open_file() as file,
        TextIOWrapper(file, encoding="utf-8-sig", newline="") as text,
    ):
        lines = _Lines(text)
        header = next((line for line in lines if line.strip()), "")
        if header.lstrip().startswith(_STARTS_OF_OTHER_FORMATS):
            raise ExportInvalidError("The export is a web page or a message, not a table.")
        delimiter = max(_DELIMITERS, key=header.count)
        for row in csv.reader(chain([header], lines), delimiter=delimiter):
            lines.begin_row()
            if any(row):
                yield row


class _Lines:
    """A text's lines with their ends, as long as no row grows too long over however many lines.

    A quoted cell may go on over lines, so a bound on lines alone would not bound a row.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._left = _LONGEST_ROW

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise ExportInvalidError("The export's table has an unreasonably long row.")
        if "\0" in line:
            raise ExportInvalidError("The export is neither an archive nor text.")
        if not line:
            raise StopIteration
        return line

    def begin_row(self) -> None:
        self._left = _LONGEST_ROW


def open_workbook(file: IO[bytes]) -> "Workbook":
    """An ``.xlsx`` file's workbook, to be closed by the caller.

    Its XML is parsed by ``defusedxml``, which ``openpyxl`` uses when it is installed.

    Raises:
        ExportInvalidError: it is no such file, or a hostile one.
    """
    with refusing("The export is a workbook that cannot be read."), _warnings_off():
        check_workbook(file)
        return load_workbook(file, read_only=True, data_only=True, keep_links=False)


def sheet_rows(workbook: "Workbook") -> Generator[list[str], None, None]:
    """The rows of a workbook's first sheet that are not empty, its header first.

    Raises:
        ExportInvalidError: the sheet is broken.
    """
    with refusing("The export's sheet cannot be read."):
        sheet = workbook.worksheets[0]
        # The size that a sheet claims to have is often wrong.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=_MOST_SHEET_ROWS, values_only=True)
        while (row := _next(rows)) is not None:
            cells = [_text(value) for value in row]
            if any(cells):
                yield cells


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
