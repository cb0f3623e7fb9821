"""Read the rows of a workbook's sheet from its XML (ECMA-376, part 1, section 18.3)."""

import re
from collections.abc import Iterator, Sequence
from math import isinf
from typing import IO, NamedTuple

from numberdrop.files.formats.number_formats import NumberFormat
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.formats.workbook_parts import (
    MAX_TEXT_LENGTH,
    TextCollector,
    TextsReader,
    is_true,
    local_name,
    unescaped,
)
from numberdrop.files.formats.xml_part import read_part

MAX_CELLS = 1000
"""Most cells of a row. The vendor's exports have fewer than ten."""

MAX_ROWS = 1_048_576
"""Most rows of a sheet (Microsoft, "Excel specifications and limits")."""

MAX_COLUMNS = 16_384
"""Most columns of a sheet (as above)."""

MAX_ROW_LENGTH = 1024 * 1024
"""Characters in the cells of a row."""

_DATA, _ROW, _CELL, _VALUE = 2, 3, 4, 5
"""Depths of the elements ``sheetData``, ``row`` and ``c``, and of ``v`` and ``is``."""

_LETTERS = re.compile(r"[A-Za-z]{1,4}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[Ee][+-]?[0-9]{1,3})?")
_LONGEST_NUMBER = 300
"""Characters. Excel writes at most some 25."""


class SheetRow(NamedTuple):
    """A row of a sheet.

    Attributes:
        cells: its cells up to the last one with a value.
        is_hidden: whether a spreadsheet hides it, perhaps because of a filter.
    """

    cells: list[str]
    is_hidden: bool


def sheet_rows(
    part: IO[bytes], texts: TextsReader, formats: Sequence[NumberFormat | None]
) -> Iterator[SheetRow]:
    """Yield all rows of a sheet, empty ones too.

    Args:
        part: the sheet's XML.
        texts: the shared texts.
        formats: how the numbers of each style are shown.

    Raises:
        InvalidFileError: the sheet exceeds a bound, or its rows or cells are not in order.
        ExpatError: the sheet is not well-formed.
    """
    reader = _SheetReader(formats)
    last_number = 0
    for _ in read_part(part, reader):
        for row in reader.rows:
            for _ in range(row.number - last_number - 1):
                yield SheetRow([], is_hidden=False)
            last_number = row.number
            yield SheetRow(row.cells(texts), row.is_hidden)
        reader.rows.clear()


class _Row(NamedTuple):
    """A row as it is written. Shared texts are still indexes, because a small sheet may repeat a long one."""

    number: int
    is_hidden: bool
    columns: list[int]
    values: list[str | int]

    def cells(self, texts: TextsReader) -> list[str]:
        values = [value if isinstance(value, str) else texts[value] for value in self.values]
        if sum(map(len, values)) > MAX_ROW_LENGTH:
            raise InvalidFileError("A row of the sheet has far too much text.")
        while values and not values[-1]:
            values.pop()
        if not values or self.columns[len(values) - 1] == len(values):
            return values
        cells = [""] * self.columns[len(values) - 1]
        for column, value in zip(self.columns, values, strict=False):
            cells[column - 1] = value
        return cells


class _SheetReader:
    """Collects the rows of a sheet. Rows and cells must be in order, or some would hide others.

    Attributes:
        rows: the rows that are complete.
        taken: how many cells and rows were read.
    """

    def __init__(self, formats: Sequence[NumberFormat | None]) -> None:
        self.rows: list[_Row] = []
        self.taken = 0
        self._formats = formats
        self._names = dict.fromkeys(("sheetData", "row", "c", "v", "is"), "")
        self._columns_by_letters: dict[str, int] = {}
        self._in_data = self._in_value = self._in_inline = False
        self._row: _Row | None = None
        self._last_number = 0
        self._number_text = ""
        self._cell: dict[str, str] | None = None
        self._cells = self._column = 0
        self._value = ""
        self._inline = TextCollector()

    def start(self, name: str, attributes: dict[str, str], depth: int) -> None:
        names = self._names
        if depth == _VALUE:
            self._in_value = name == names["v"]
            self._in_inline = name == names["is"]
        elif depth == _CELL:
            if self._row and name == names["c"]:
                self._start_cell(attributes)
        elif depth == _ROW:
            if self._in_data and name == names["row"]:
                self._start_row(attributes)
        elif depth > _VALUE:
            if self._in_inline:
                self._inline.start(local_name(name), depth - _VALUE)
        elif depth == _DATA:
            self._in_data = name == names["sheetData"]
        else:
            self._start_sheet(name)

    def end(self, _name: str, depth: int) -> None:
        if depth == _VALUE:
            self._in_value = self._in_inline = False
        elif depth == _CELL:
            if self._cell is not None:
                self._end_cell(self._cell)
        elif depth == _ROW:
            if self._row:
                self.rows.append(self._row)
                self._row = None
        elif depth > _VALUE:
            self._inline.end()
        else:
            self._in_data = False

    def text(self, text: str) -> None:
        if self._cell is None:
            return
        if self._in_value:
            self._value += text
            if len(self._value) > MAX_TEXT_LENGTH:
                raise InvalidFileError("A cell of the workbook has far too much text.")
        elif self._in_inline:
            self._inline.add(text)

    def _start_sheet(self, name: str) -> None:
        if local_name(name) != "worksheet":
            raise InvalidFileError("The workbook's sheet cannot be read.")
        namespace = name.rpartition(" ")[0]
        self._names = {local: f"{namespace} {local}" for local in self._names}

    def _start_row(self, attributes: dict[str, str]) -> None:
        text = attributes.get("r")
        number = self._last_number + 1 if text is None else _row_number(text)
        if number > MAX_ROWS:
            raise InvalidFileError(f"The sheet has rows beyond the {MAX_ROWS:,} that a sheet can have.")
        if number <= self._last_number:
            raise InvalidFileError(
                f"The rows of the sheet are not in order: row {number:,} stands where row "
                f"{self._last_number + 1:,} or a later one belongs."
            )
        self.taken += 1
        self._last_number = number
        self._number_text = str(number)
        self._cells = self._column = 0
        self._row = _Row(number, is_true(attributes.get("hidden")), [], [])

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.taken += 1
        self._cells += 1
        if self._cells > MAX_CELLS:
            raise InvalidFileError(f"A row of the sheet has too many cells: more than {MAX_CELLS:,}.")
        column = self._column + 1
        if place := attributes.get("r"):
            letters = place.rstrip("0123456789")
            column = self._columns_by_letters.get(letters) or self._column_of(letters)
            if column <= self._column or place[len(letters) :] != self._number_text:
                raise InvalidFileError(
                    f"The cells in row {self._last_number:,} of the sheet are not in order."
                )
        self._column = column
        self._cell = attributes
        self._value = ""

    def _end_cell(self, attributes: dict[str, str]) -> None:
        self._cell = None
        kind = attributes.get("t")
        value: str | int
        if kind == "inlineStr":
            value = self._inline.take()
        elif not self._value:
            return
        elif kind == "s":
            value = int(self._value)
        else:
            value = self._shown(self._value, kind, attributes.get("s"))
        if self._row and value != "":
            self._row.columns.append(self._column)
            self._row.values.append(value)

    def _shown(self, text: str, kind: str | None, style: str | None) -> str:
        """Return what a cell with a value of its own shows."""
        match kind:
            case "n" | None:
                return self._shown_number(text, style)
            case "b":
                return "true" if is_true(text) else "false"
            case "d":
                return text.replace("T", " ")
            case _:
                return unescaped(text)

    def _shown_number(self, text: str, style: str | None) -> str:
        if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
            return text
        number = int(text) if text.isdigit() else float(text)
        if isinf(number):
            return text
        index = int(style) if style else 0
        number_format = self._formats[index] if index < len(self._formats) else None
        shown = number_format(number) if number_format else None
        if shown is not None:
            return shown
        return str(int(number)) if number == number // 1 else str(number)

    def _column_of(self, letters: str) -> int:
        if not _LETTERS.fullmatch(letters):
            raise self._not_in_order()
        column = 0
        for letter in letters.upper():
            column = column * 26 + ord(letter) - ord("A") + 1
        if column > MAX_COLUMNS:
            raise InvalidFileError(f"The sheet has columns beyond the {MAX_COLUMNS:,} that a sheet can have.")
        self._columns_by_letters[letters] = column
        return column

    def _not_in_order(self) -> InvalidFileError:
        return InvalidFileError(f"The cells in row {self._last_number:,} of the sheet are not in order.")


def _row_number(text: str) -> int:
    """Return a row number, of which some programs write ``3.0`` or ``3e0``."""
    try:
        return int(text)
    except ValueError:
        return int(float(text))
