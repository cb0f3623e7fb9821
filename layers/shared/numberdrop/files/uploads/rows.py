"""Read an upload row by row, whether it is a plain list, delimited text or a workbook."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from tempfile import TemporaryFile
from typing import BinaryIO

from numberdrop.files.formats.entries_file import join_lines
from numberdrop.files.uploads.compression import unpacked
from numberdrop.files.uploads.entries import EntryRule, entry_rule
from numberdrop.files.uploads.errors import not_text
from numberdrop.files.uploads.layout import (
    Layout,
    Wanted,
    layout_of_csv,
    layout_of_text,
    without_blank_end,
)
from numberdrop.files.uploads.reading import FileReading, Reading
from numberdrop.files.uploads.text import WORKING_FILE, TextFile, open_text
from numberdrop.files.uploads.workbook_to_csv import copy_as_csv
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.masking import masked

_LINE_FEED_IN_CELL = "\x1a"
"""Replaces a line feed inside a cell. No entry holds this character, so such a cell is rejected."""

_SAMPLE_LENGTH = 128 * 1024
"""Characters."""
_MAX_ROW_LENGTH = 1024 * 1024
"""Characters."""

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
    """

    rule: EntryRule
    file: FileReading
    _text: TextFile
    _layout: Layout | None
    region: str | None = None

    @property
    def reading(self) -> Reading:
        """What is read of the upload, and what is not."""
        return Reading(file=self.file, column=self._column, default_region=self.region)

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
        column = self._layout.entry_column
        return (
            _as_lines([row[column] if column < len(row) else "" for row in rows])
            for rows in self.table_blocks()
        )

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
def open_upload(file: BinaryIO, kind: InputKind, region: str | None = None) -> Iterator[UploadRows]:
    r"""Open an upload: a list or table in any usual encoding, or an ``.xlsx`` workbook, perhaps compressed.

    >>> from io import BytesIO
    >>> with open_upload(BytesIO(b"name,phone\nJane,+41790000001\n"), InputKind.PHONE) as rows:
    ...     rows.header, list(rows.entry_texts())
    (('name', 'phone'), ['+41790000001\n'])

    Args:
        file: the upload.
        kind: what the checker takes.
        region: the region of numbers without a country code, as ``entry_rule`` takes it.

    Raises:
        JobFailedError: ``NOT_TEXT``: the file is none of these, or broken; ``TOO_LARGE``: the workbook is too
            large; ``NO_VALID_NUMBERS``: the column with the entries cannot be determined, or the region does
            not exist.
    """
    rule = entry_rule(kind, region)
    wanted = Wanted(kind, rule)
    with unpacked(file) as content, TemporaryFile() as table:
        if content.is_workbook:
            copied = copy_as_csv(content.file, table)
            text = TextFile(table, WORKING_FILE)
            reading = FileReading(
                format=content.format("xlsx"), sheet=copied.sheet, hidden_rows=copied.hidden_rows
            )
        else:
            text = open_text(content.file)
            reading = FileReading(format=content.format("text"), encoding=text.encoding_in_words)
        start = _start(text)
        layout_of = layout_of_csv if content.is_workbook else layout_of_text
        layout = layout_of(start, wanted) if start.strip() else None
        yield UploadRows(rule, reading, text, layout, region)


def _start(text: TextFile) -> str:
    """Return the first lines, from which the layout is detected."""
    start = ""
    for block in text.blocks():
        start += block
        if len(start) >= _SAMPLE_LENGTH:
            break
    return start[: start.rfind("\n", 0, _SAMPLE_LENGTH) + 1] or start[:_SAMPLE_LENGTH]


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
