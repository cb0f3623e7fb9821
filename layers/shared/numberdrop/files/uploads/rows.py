"""Read an upload row by row, whether it is a plain list, delimited text or a workbook."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from tempfile import TemporaryFile
from typing import BinaryIO

from numberdrop.files.formats.entries_file import join_lines
from numberdrop.files.uploads.columns import has_plus, is_number_like, is_written_as_phone, of_phones
from numberdrop.files.uploads.compression import unpacked
from numberdrop.files.uploads.countries import by_country, with_country
from numberdrop.files.uploads.entries import EntryRule, entry_rule
from numberdrop.files.uploads.errors import naming_sheets, no_such_sheet, not_text
from numberdrop.files.uploads.headers import Heading, header_of
from numberdrop.files.uploads.layout import (
    delimiter_of_line,
    layout_as_stored,
    layout_of_csv,
    layout_of_text,
)
from numberdrop.files.uploads.notation import MOVED
from numberdrop.files.uploads.reading import FileReading, Reading, Unread
from numberdrop.files.uploads.tables import Layout, Wanted, without_blank_end
from numberdrop.files.uploads.text import WORKING_FILE, TextFile, open_text
from numberdrop.files.uploads.workbook_to_csv import copy_as_csv
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reading_choice import Choice, UploadLayout
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.masking import masked

_LINE_FEED_IN_CELL = "\x1a"
"""Replaces a line feed inside a cell. No entry holds this character, so such a cell is rejected."""

_SAMPLE_LENGTH = 128 * 1024
"""Characters."""
_LINE_SAMPLE = 64 * 1024
"""Bytes that show whether all entries of a list are in one line."""
_MAX_ROW_LENGTH = 1024 * 1024
"""Characters."""

_MAX_COUNTED = 2_000_000
"""Rows in which numbers that are not read are counted. The collect function has little time for more."""

_MAX_TRIED = 1_000
"""Cells of a column in a block that show whether it holds numbers."""

NO_CHOICE = Choice()

MAX_COLUMNS = 500
"""Most columns of a table. In the results, every row is as long as the longest."""

_MAX_CELLS = 1_000_000_000
"""Most rows times columns. A table whose rows are equally long has fewer cells than characters."""


@dataclass(frozen=True, slots=True)
class UploadRows:
    """The rows of an upload, read in blocks of some ten thousand. Only one reader may be active at a time.

    Attributes:
        rule: how the checker's entries are read from the rows.
        file: how the file became rows.
        region: the region of numbers without a country code, or None.
        kind: what the checker takes.
    """

    rule: EntryRule
    file: FileReading
    _text: TextFile
    _layout: Layout | None
    region: str | None = None
    kind: InputKind = InputKind.PHONE

    @property
    def layout(self) -> UploadLayout:
        """How the upload is read, as the ledger stores it."""
        return self._layout.stored if self._layout else UploadLayout(self._text.separator)

    def reading(self) -> Reading:
        """Return what is read of the upload, and what is not. This reads up to 2,000,000 rows of a table."""
        return Reading(
            file=self.file,
            column=self._column,
            country_column=self._name_of(self._layout.country_column) if self._layout else None,
            default_region=self.region,
            other_columns=tuple(self._other_columns()),
        )

    def _other_columns(self) -> Iterator[Unread]:
        """Yield the columns that hold numbers and are not read."""
        if not self._layout or self.kind is InputKind.EMAIL:
            return
        read = {self._layout.entry_column, self._layout.country_column}
        counts: Counter[int] = Counter()
        rows_counted = 0
        for rows in self.table_blocks():
            rows_counted += len(rows)
            if rows_counted > _MAX_COUNTED:
                break
            for index in range(max(map(len, rows), default=0)):
                if index not in read:
                    cells = [row[index] for row in rows if index < len(row) and row[index]]
                    counts[index] += _numbers_among(cells, self._shape_of_numbers(index))
        for index in sorted(+counts):
            yield Unread(self._name_of(index) or "", counts[index])

    def _shape_of_numbers(self, index: int) -> Callable[[str], bool]:
        """Return the function that says whether a cell of an unread column is a number."""
        heading = header_of(self._name_of(index) or "").heading
        if heading is Heading.PHONE:
            return is_number_like
        return has_plus if heading is Heading.OTHER else is_written_as_phone

    def _name_of(self, index: int | None) -> str | None:
        if not self._layout or index is None:
            return None
        return "".join(self._layout.header[index:][:1]).strip() or f"column_{index + 1}"

    @property
    def sheet(self) -> str | None:
        """The name of the sheet that is read, empty if no sheet has data; None without sheets."""
        return self.file.sheet

    @property
    def header(self) -> tuple[str, ...] | None:
        """The column names of a table, ``column_1`` and so on if it has no header; None for a plain list.

        Rows may have more cells than the header.
        """
        return self._layout.header if self._layout else None

    @property
    def first_row_number(self) -> int:
        """The number of the first row below the header, where the first row of the file is 1."""
        return self._layout.first_row + 1 if self._layout else 1

    @property
    def source(self) -> str:
        """The column that the entries are read from, or the file, in words for people."""
        if self._column is None:
            return "the file"
        column = f'the column "{self._column}"'
        return masked(f'{column} of the sheet "{self.sheet}"' if self.sheet else column)

    @property
    def _column(self) -> str | None:
        """The name of the column with the entries; None for a plain list."""
        if not self._layout:
            return None
        return "".join(self._layout.header[self._layout.entry_column :][:1]).strip()

    def table_blocks(self) -> Iterator[list[list[str]]]:
        """Yield the rows of a table below its header, in blocks. Each call starts at the first row.

        Cells are unchanged. Beyond the header's width, a row ends with its last cell that is not blank. Blank
        rows are included.

        Raises:
            JobFailedError: ``NOT_TEXT``: the file is not readable text; ``TOO_LARGE``: a row has too many
                cells.
            TypeError: the upload is a plain list.
        """
        if not self._layout:
            raise TypeError("a plain list is not a table")
        rows_to_skip = self._layout.first_row
        width = len(self._layout.header)
        rows_read = longest = 0
        for parsed in self._parsed_rows(self._layout.delimiter):
            rows = [row if len(row) <= width else _fitted(row, width) for row in parsed]
            lengths = list(map(len, rows))
            longest = max(longest, max(lengths, default=0))
            if longest > MAX_COLUMNS:
                raise _too_many_columns(longest, rows_read + lengths.index(longest) + 1)
            rows_read += len(rows)
            if rows_read * longest > _MAX_CELLS:
                raise _too_ragged(longest)
            skipped = min(rows_to_skip, len(rows))
            rows_to_skip -= skipped
            yield rows[skipped:]

    def entry_texts(self) -> Iterator[str]:
        """Yield the unchecked text of each row's entry as one line, in blocks of text.

        A line feed inside a cell becomes a control character that no entry holds. Each call starts at the
        first row.

        Raises:
            JobFailedError: see ``table_blocks``.
        """
        if not self._layout:
            return self._text.blocks()
        column, country = self._layout.entry_column, self._layout.country_column
        if country is not None:
            return (
                _as_lines(list(map(with_country, self._cells(rows, column), _cells(rows, country))))
                for rows in self.table_blocks()
            )
        return (_as_lines(self._cells(rows, column)) for rows in self.table_blocks())

    def _cells(self, rows: list[list[str]], column: int) -> list[str]:
        """Return the cells of the entries, with a mark on those that moved there from another column.

        A delimiter in a cell without quotation marks moves the cells behind it. The number is then behind
        the last column, and an id may be in its place.
        """
        cells = _cells(rows, column)
        width = len(self.header or ())
        if self.kind is not InputKind.PHONE or max(map(len, rows), default=0) <= width:
            return cells
        return [
            f"{cell}{MOVED}"
            if cell.strip() and not is_written_as_phone(cell) and any(map(is_written_as_phone, row[width:]))
            else cell
            for cell, row in zip(cells, rows, strict=True)
        ]

    def _parsed_rows(self, delimiter: str) -> Iterator[list[list[str]]]:
        rows_read = 0
        rest = ""
        for block in self._text.blocks():
            text = rest + block
            rest = ""
            rows = []
            lines = 0
            reader = csv.reader(StringIO(text), delimiter=delimiter, strict=True)
            try:
                for row in reader:
                    rows.append(row)
                    lines = reader.line_num
            except csv.Error:
                # The last row may continue in the next block.
                rest = text.split("\n", lines)[-1]
            yield rows
            rows_read += len(rows)
            if len(rest) > _MAX_ROW_LENGTH:
                break
        if rest:
            raise _bad_quotes(rest, rows_read + 1)


@contextmanager
def open_upload(
    file: BinaryIO,
    kind: InputKind,
    region: str | None = None,
    *,
    choice: Choice = NO_CHOICE,
    phones_only: bool = False,
    layout: UploadLayout | None = None,
) -> Iterator[UploadRows]:
    r"""Open an upload: a list or table in any usual encoding, or an ``.xlsx`` workbook, perhaps compressed.

    >>> from io import BytesIO
    >>> with open_upload(BytesIO(b"name,phone\nJane,+41790000001\n"), InputKind.PHONE) as rows:
    ...     rows.header, list(rows.entry_texts())
    (('name', 'phone'), ['+41790000001\n'])

    Args:
        file: the upload.
        kind: what the checker takes.
        region: the region of numbers without a country code, as ``entry_rule`` takes it.
        choice: the column and the sheet that the user chose.
        phones_only: whether entries as written must be phone numbers.
        layout: how the upload was read when it was sent, if it was.

    Raises:
        JobFailedError: ``NOT_TEXT``: the file is none of these, or broken; ``TOO_LARGE``: the workbook is too
            large; ``NO_VALID_NUMBERS``: the column with the entries cannot be determined, or the region does
            not exist.
    """
    rule = entry_rule(kind, region)
    if phones_only and kind is InputKind.AS_WRITTEN:
        rule = of_phones(rule)
    wanted = Wanted(kind, rule, choice.column, phones_only=phones_only)
    with unpacked(file) as content, ExitStack() as opened:
        if content.is_workbook:
            table = opened.enter_context(TemporaryFile())
            copied = copy_as_csv(content.file, table, kind, sheet=choice.sheet)
            text = TextFile(table, WORKING_FILE)
            reading = FileReading(
                format=content.format("xlsx"),
                sheet=copied.sheet,
                hidden_rows=copied.hidden_rows,
                other_sheets=copied.other_sheets,
            )
        else:
            if choice.sheet is not None:
                raise no_such_sheet(choice.sheet, [])
            text = _separated(open_text(content.file), wanted, layout)
            reading = FileReading(format=content.format("text"), encoding=text.encoding_in_words)
        start = _start(text)
        layout_of = layout_of_csv if content.is_workbook else layout_of_text
        found = None
        if start.strip() and not text.separator:
            with naming_sheets(reading.sheet or "", reading.other_sheets):
                found = layout_as_stored(start, layout) if layout else layout_of(start, wanted)
        if found and found.country_column is not None:
            rule = by_country(rule)
        yield UploadRows(rule, reading, text, found, region, kind)


def _separated(text: TextFile, wanted: Wanted, layout: UploadLayout | None) -> TextFile:
    """Return the text with the separator of its entries if it is a list in one line."""
    if layout:
        return replace(text, separator=layout.delimiter) if layout.column is None else text
    if wanted.column is not None:
        return text
    start = text.start(_LINE_SAMPLE)
    line, line_end, below = start.strip().partition("\n")
    if line_end or below:
        return text
    return replace(text, separator=delimiter_of_line(line, wanted) or "")


def _start(text: TextFile) -> str:
    """Return the first lines, from which the layout is detected."""
    start = ""
    for block in text.blocks():
        start += block
        if len(start) >= _SAMPLE_LENGTH:
            break
    return start[: start.rfind("\n", 0, _SAMPLE_LENGTH) + 1] or start[:_SAMPLE_LENGTH]


def _numbers_among(cells: list[str], is_number: Callable[[str], bool]) -> int:
    """Return how many cells are numbers. If none of a thousand is, the others are not looked at."""
    few = cells[:: len(cells) // _MAX_TRIED + 1]
    if len(few) < len(cells) and not any(map(is_number, few)):
        return 0
    return sum(map(is_number, cells))


def _cells(rows: list[list[str]], column: int) -> list[str]:
    return [row[column] if column < len(row) else "" for row in rows]


def _as_lines(cells: list[str]) -> str:
    text = join_lines(cells)
    if text.count("\n") == len(cells):
        return text
    return join_lines(cell.strip().replace("\n", _LINE_FEED_IN_CELL) for cell in cells)


def _fitted(row: list[str], width: int) -> list[str]:
    return row[: max(width, len(without_blank_end(row)))]


def _bad_quotes(row: str, row_number: int) -> JobFailedError:
    place = f"In row {row_number:,} of the table,"
    if '\\"' in row.partition("\n")[0]:
        return not_text(
            f"{place} a backslash stands before a quotation mark, as databases export it.",
            'Export the table again with quotation marks inside cells doubled (""), or save it as .xlsx, and '
            "upload that file.",
        )
    return not_text(f"{place} quotation marks do not match.")


def _too_many_columns(columns: int, row: int) -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"Row {row:,} of the table extends to column {columns:,}, and at most {MAX_COLUMNS} columns are "
        "accepted. Delete the cells beyond and upload the file again.",
    )


def _too_ragged(columns: int) -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"One row of the table has {columns:,} cells. The results would have as many in every row, which is "
        "too much. Delete the cells far to the right, or split the file, and upload it again.",
    )
