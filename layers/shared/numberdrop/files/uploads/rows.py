"""An upload's rows, whatever its format: a plain list, delimited text or a workbook."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from tempfile import TemporaryFile
from typing import BinaryIO

from numberdrop.files.formats.archive import ZIP_START
from numberdrop.files.formats.entries_file import join_lines
from numberdrop.files.uploads.encoding import TextFile, not_text, open_text
from numberdrop.files.uploads.entries import EntryRule, entry_rule
from numberdrop.files.uploads.layout import Layout, layout_of_csv, layout_of_text, without_blank_end
from numberdrop.files.uploads.workbook_to_csv import copy_as_csv
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.masking import masked

_SUBSTITUTE = "\x1a"
_SAMPLE = 64 * 1024
"""Characters."""
_LONGEST_ROW = 1024 * 1024

MAX_COLUMNS = 500
"""Columns of a table: in the results every row is as long as the longest."""

_MAX_CELLS = 1_000_000_000
"""Rows times columns. A table whose rows are equally long has less than one for each character."""


@dataclass(frozen=True, slots=True)
class UploadRows:
    """The rows, to be read in blocks of some ten thousand. Only one reading may be under way at a time.

    Attributes:
        rule: what the checker takes from each row.
        sheet: the name of the workbook's sheet that is read, empty if all are; None if it is no workbook.
    """

    rule: EntryRule
    _text: TextFile
    _layout: Layout | None
    sheet: str | None = None

    @property
    def header(self) -> tuple[str, ...] | None:
        """The names of a table's columns, ``column_1`` and so on where it has none; None for a plain list.

        Rows may have cells behind the last of them.
        """
        return self._layout.header if self._layout else None

    @property
    def first_row(self) -> int:
        """The place of the first row in the file, from 1: those before it are a header, or blank."""
        return self._layout.first_row + 1 if self._layout else 1

    @property
    def source(self) -> str:
        """Where the entries are looked for, in words for people: a column by its name, or the file."""
        if not self._layout:
            return "the file"
        column = f'the column "{"".join(self._layout.header[self._layout.entry_at :][:1]).strip()}"'
        return masked(f'{column} of the sheet "{self.sheet}"' if self.sheet else column)

    def table_blocks(self) -> Iterator[list[list[str]]]:
        """The rows of a table below its header; begins anew at each call.

        Cells are as they are, but a row has more than the header only up to the last that is not blank. Blank
        rows are among them.

        Raises:
            JobFailedError: ``NOT_TEXT``; ``TOO_LARGE``: a row has too many cells.
        """
        if not self._layout:
            raise TypeError("a plain list is no table")
        to_skip = self._layout.first_row
        width = len(self._layout.header)
        done = longest = 0
        for records in self._records(self._layout.delimiter):
            rows = [row if len(row) <= width else _fitted(row, width) for row in records]
            lengths = list(map(len, rows))
            longest = max(longest, max(lengths, default=0))
            if longest > MAX_COLUMNS:
                raise _too_many_columns(longest, done + lengths.index(longest) + 1)
            done += len(rows)
            if done * longest > _MAX_CELLS:
                raise _too_ragged(longest)
            skipped = min(to_skip, len(rows))
            to_skip -= skipped
            yield rows[skipped:]

    def entry_texts(self) -> Iterator[str]:
        """What each row of a list or table has for an entry, as it is: a line for each, in blocks of text.

        Line feeds inside a cell become a control character that no entry holds. Begins anew at each call.

        Raises:
            JobFailedError: as ``table_blocks``.
        """
        if not self._layout:
            return self._text.blocks()
        at = self._layout.entry_at
        return (_as_lines([row[at] if at < len(row) else "" for row in rows]) for rows in self.table_blocks())

    def _records(self, delimiter: str) -> Iterator[list[list[str]]]:
        done = 0
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
                # The last row may be one that goes on in the next block.
                rest = text.split("\n", lines)[-1]
            yield rows
            done += len(rows)
            if len(rest) > _LONGEST_ROW:
                break
        if rest:
            raise not_text(f"In row {done + 1:,} of the table, quotation marks do not match.")


@contextmanager
def open_upload(file: BinaryIO, kind: InputKind, region: str | None = None) -> Iterator[UploadRows]:
    """Finds out what an upload is: text in any usual encoding, list or table, or an ``.xlsx`` workbook.

    Args:
        file: the upload.
        kind: what the checker takes.
        region: whose numbers those without a country code are, ISO 3166 alpha-2; tells only of phone numbers.

    Raises:
        JobFailedError: ``NOT_TEXT``: it is none of these, or broken; ``TOO_LARGE``: it is a huge workbook;
            ``NO_VALID_NUMBERS``: the column of the entries cannot be told, or there is no such region.
    """
    rule = entry_rule(kind, region)
    file.seek(0)
    if file.read(len(ZIP_START)) != ZIP_START:
        text = open_text(file)
        start = _start(text)
        yield UploadRows(rule, text, layout_of_text(start, kind, rule) if start.strip() else None)
        return
    with TemporaryFile() as table:
        sheet = copy_as_csv(file, table)
        text = TextFile(table, "utf-8")
        start = _start(text)
        yield UploadRows(rule, text, layout_of_csv(start, kind, rule) if start.strip() else None, sheet)


def _start(text: TextFile) -> str:
    """The first lines, as many as tell how a text is laid out."""
    start = ""
    for block in text.blocks():
        start += block
        if len(start) >= _SAMPLE:
            break
    return start[: start.rfind("\n", 0, _SAMPLE) + 1] or start[:_SAMPLE]


def _as_lines(cells: list[str]) -> str:
    text = join_lines(cells)
    if text.count("\n") == len(cells):
        return text
    return join_lines(cell.strip().replace("\n", _SUBSTITUTE) for cell in cells)


def _fitted(row: list[str], width: int) -> list[str]:
    return row[: max(width, len(without_blank_end(row)))]


def _too_many_columns(columns: int, row: int) -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"Row {row:,} of the table goes on to column {columns:,}, and at most {MAX_COLUMNS} are taken. "
        "Delete what stands so far to the right and upload the file again.",
    )


def _too_ragged(columns: int) -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"One row of the table has {columns:,} cells. With all rows as long, the table is larger than can be "
        "given back. Delete what stands far to the right, or split the file, and upload it again.",
    )
