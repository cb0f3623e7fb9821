"""Read the tables of exports: CSV files, lists of numbers and sheets of workbooks.

A row is read as its number and the rest. The rest stays one line of CSV until its cells are needed. In most
exports few rests differ, so most of them are never parsed.
"""

import csv
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from itertools import chain, islice
from typing import IO

from numberdrop.files.exports.columns import header_index
from numberdrop.files.exports.number_column import NumberColumn
from numberdrop.files.exports.text import text_blocks
from numberdrop.files.formats.delimited import DELIMITERS, csv_cells, csv_lines
from numberdrop.files.formats.entries_file import INNER_LINE_FEED
from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as
from numberdrop.files.formats.workbook import Sheet, Workbook

_ROWS_PER_BLOCK = 10_000

_MAX_BLOCK_LENGTH = 8 * 1024 * 1024
"""Characters. Cells of a workbook share their texts, so a small sheet may repeat a long one in every row."""

_SAMPLED_ROWS = 1000

_LONGEST_ROW = 512 * 1024
"""Characters. A quoted cell may span lines, so limiting the lines alone would not limit a row."""

_TITLE_LINES = 20
"""Lines or rows among which the header is looked for."""

_DECLARED_DELIMITER = re.compile(r"\s*\"?sep=([^\w\s\"]|\t)\"?[ \t]*(?:\r\n?|\n)", re.IGNORECASE)
"""A first line for Excel, such as ``sep=;``."""

_STARTS_OF_OTHER_FORMATS = ("<", "{", "[")
"""HTML, XML and JSON: the formats of error messages."""

_Rows = list[list[str]]

RowBlock = tuple[list[str], list[str]]
"""The numbers of some rows, and the rest of each of these rows. None of the texts contains a line feed."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be read any number of times.

    Attributes:
        header: the names of the columns as they are written; empty if the table is empty.
        delimiter: separates the cells in the rest of a row.
        size: bytes of its text, or an upper bound.
        row_blocks: reads the rows in blocks, given the number column. Empty rows are skipped. A row that ends
            before the number column has an empty number. Raises ``InvalidFileError`` if a later part of the
            table is broken or hostile.
        is_text: whether only delimiters separate its cells.
        is_hidden: whether it is a sheet that spreadsheets do not show.
    """

    header: list[str]
    delimiter: str
    size: int
    row_blocks: Callable[[NumberColumn], Generator[RowBlock, None, None]]
    is_text: bool = True
    is_hidden: bool = False

    def first_rows(self) -> list[list[str]]:
        """Return all cells of the first rows.

        Raises:
            InvalidFileError: the table is broken or hostile.
        """
        with closing(self.row_blocks(NumberColumn(0))) as blocks:
            first_cells, rests = next((block for block in blocks if block[0]), ([], []))
        sample = zip(first_cells[:_SAMPLED_ROWS], rests, strict=False)
        return [[first_cell, *self.cells(rest)] for first_cell, rest in sample]

    def cells(self, rest: str) -> list[str]:
        """Return the cells in the rest of a row."""
        return csv_cells(rest.replace(INNER_LINE_FEED, "\n"), self.delimiter)


def csv_table(open_file: Callable[[], IO[bytes]], size: int) -> Table:
    """Return the table in a CSV file.

    The delimiter is the one that a line such as ``sep=;`` declares, or else the one of ``DELIMITERS`` that
    occurs most often in the header, and as often in the lines below it.

    Args:
        open_file: opens the file.
        size: its bytes.

    Raises:
        InvalidFileError: the file is not CSV.
    """
    with _rejecting_bad_csv(), open_file() as file:
        header, delimiter, _ = _read_header(file)
    return Table(header, delimiter, size, partial(_csv_blocks, open_file))


def list_table(header: list[str], lists: Iterable[tuple[str, Callable[[], IO[bytes]]]], size: int) -> Table:
    """Return a table of the numbers in lists: each number with the word of its list.

    Args:
        header: names of the two columns.
        lists: the word and the file of each list. A file has one number per line.
        size: bytes of all lists.

    Raises:
        InvalidFileError: while the table is read, if a file is not text.
    """
    return Table(header, DELIMITERS[0], size, partial(_list_blocks, list(lists)))


def sheet_tables(workbook: Workbook, size: int) -> Iterator[Table]:
    """Yield the table in each sheet of a workbook that is not empty, or else one empty table.

    Args:
        workbook: the workbook.
        size: bytes of the workbook's parts.

    Raises:
        InvalidFileError: a sheet is broken.
    """
    is_empty = True
    for sheet in workbook.filled_sheets():
        is_empty = False
        with closing(_filled_rows(workbook, sheet)) as rows:
            first_rows = list(islice(rows, _TITLE_LINES))
        index = header_index(first_rows)
        yield Table(
            first_rows[index],
            DELIMITERS[0],
            size,
            partial(_sheet_blocks, workbook, sheet, index + 1),
            is_text=False,
            is_hidden=not sheet.is_visible,
        )
    if is_empty:
        yield list_table([], [], size)


def joined_tables(tables: Sequence[Table]) -> Table:
    """Return one table of all rows of tables with the same columns, such as sheets that continue each other.

    Args:
        tables: at least one table. All have the same delimiter.
    """
    # The size of a sheet is that of its workbook.
    size = max(tables[0].size, sum(table.size for table in tables if table.is_text))
    return replace(tables[0], size=size, row_blocks=partial(_blocks_of_all, tables))


def _blocks_of_all(tables: Sequence[Table], number: NumberColumn) -> Generator[RowBlock, None, None]:
    for table in tables:
        yield from table.row_blocks(number)


def _csv_blocks(open_file: Callable[[], IO[bytes]], number: NumberColumn) -> Generator[RowBlock, None, None]:
    with _rejecting_bad_csv(), open_file() as file:
        _, delimiter, texts = _read_header(file)
        if number == NumberColumn(0):
            row = re.compile(rf"{re.escape(delimiter)}([^\r\n]*)\r?\n")
            for text in texts:
                block = _split_without_parsing(text, row, delimiter)
                if not block:
                    texts = chain([text], texts)
                    break
                yield block
        for rows in _parsed_rows(texts, delimiter):
            yield _split(rows, number, delimiter)


def _list_blocks(
    lists: list[tuple[str, Callable[[], IO[bytes]]]], _number: NumberColumn
) -> Generator[RowBlock, None, None]:
    for word, open_file in lists:
        with parse_errors_as("A list in the export is not text, or is broken."), open_file() as file:
            for text in text_blocks(file):
                numbers = list(filter(None, map(str.strip, text.splitlines())))
                yield numbers, [word] * len(numbers)


def _sheet_blocks(
    workbook: Workbook, sheet: Sheet, rows_above: int, number: NumberColumn
) -> Generator[RowBlock, None, None]:
    rows = islice(_filled_rows(workbook, sheet), rows_above, None)
    block: _Rows = []
    length = 0
    for row in rows:
        block.append(row)
        length += sum(map(len, row))
        if len(block) == _ROWS_PER_BLOCK or length > _MAX_BLOCK_LENGTH:
            yield _split(block, number, DELIMITERS[0])
            block, length = [], 0
    if block:
        yield _split(block, number, DELIMITERS[0])


def _filled_rows(workbook: Workbook, sheet: Sheet) -> Generator[list[str], None, None]:
    return (row.cells for row in workbook.rows(sheet) if any(row.cells))


def _read_header(file: IO[bytes]) -> tuple[list[str], str, Iterator[str]]:
    """Return the header of a CSV file, its delimiter, and the text below the header in blocks.

    Raises:
        csv.Error: the header has an odd number of quotation marks.
    """
    texts = text_blocks(file)
    start = next(filter(str.strip, texts), "")
    if start.lstrip().startswith(_STARTS_OF_OTHER_FORMATS):
        raise InvalidFileError("The export is a web page or an error message, not a table.")
    declared = _DECLARED_DELIMITER.match(start)
    if declared:
        start = start[declared.end() :]
    lines = StringIO(start, newline="")
    first_lines = list(islice(filter(str.strip, lines), _TITLE_LINES))
    delimiters = [
        declared[1] if declared else _delimiter_of(line, first_lines[index + 1 :])
        for index, line in enumerate(first_lines)
    ]
    rows = list(map(_parse_leniently, first_lines, delimiters))
    title_lines = header_index(rows)
    delimiter = delimiters[title_lines] if delimiters else DELIMITERS[0]
    lines.seek(0)
    for _ in islice(filter(str.strip, lines), title_lines):
        pass
    header = _parse_header(lines, delimiter)
    return header, delimiter, chain([lines.read()], texts)


def _delimiter_of(line: str, following: Sequence[str]) -> str:
    """Return the delimiter of a line: the one of which most of the following lines have as many.

    If that decides nothing, it is the one that occurs most often.
    """

    def agreement(delimiter: str) -> tuple[int, int]:
        found = line.count(delimiter)
        return sum(other.count(delimiter) == found for other in following) if found else 0, found

    return max(DELIMITERS, key=agreement)


def _parse_header(lines: StringIO, delimiter: str) -> list[str]:
    """Read the first row that is not empty.

    Raises:
        csv.Error: the row has an odd number of quotation marks.
    """
    start = lines.tell()
    try:
        return next(filter(any, csv.reader(lines, delimiter=delimiter, strict=True)), [])
    except csv.Error:
        lines.seek(start)
        first_line = next(filter(str.strip, lines))
        if first_line.count('"') % 2:
            raise
        return _parse_leniently(first_line, delimiter)


def _parse_leniently(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line with misplaced quotation marks.

    Spaces between a quotation mark and a delimiter are ignored. If the line still cannot be parsed, quotation
    marks are treated like any other character.
    """
    trimmed = re.sub(rf'" +(?=[{re.escape(delimiter)}\r\n]|$)', '"', line)
    try:
        return next(csv.reader([trimmed], delimiter=delimiter, strict=True))
    except csv.Error:
        return next(csv.reader([line], delimiter=delimiter, quoting=csv.QUOTE_NONE))


def _split_without_parsing(text: str, row: re.Pattern[str], delimiter: str) -> RowBlock | None:
    """Split rows that begin with their number, or return None if they contain quotes or irregular rows.

    Args:
        text: the rows.
        row: matches a row from the end of its number on, with the rest as its group.
        delimiter: separates the cells.
    """
    if '"' in text or text.startswith(delimiter) or f"\n{delimiter}" in text:
        return None
    numbers_and_rests = row.split(text)
    unmatched = numbers_and_rests.pop()
    numbers, rests = numbers_and_rests[::2], numbers_and_rests[1::2]
    spans_lines = text.count("\n") > len(numbers) or ("\r" in text and "\r" in "".join(numbers))
    if unmatched or spans_lines:
        return None
    return numbers, rests


def _parsed_rows(texts: Iterable[str], delimiter: str) -> Iterator[_Rows]:
    rest: Sequence[str] = ()
    for text in chain(texts, [""]):
        lines = [*rest, *StringIO(text, newline="")]
        rows, used = _parse_lines(lines, delimiter, more_to_come=bool(text))
        rest = lines[used:]
        yield list(filter(any, rows))


def _parse_lines(lines: list[str], delimiter: str, *, more_to_come: bool) -> tuple[_Rows, int]:
    """Return the rows in these lines, and the number of lines that they take up.

    A quoted cell may span lines, and the last cell may continue in lines that have not been read yet. A line
    whose quotation marks do not match is parsed alone, so that an endless cell does not swallow the rows
    after it.

    Args:
        lines: the lines, with their ends.
        delimiter: separates the cells.
        more_to_come: whether more lines follow these.
    """
    rows: _Rows = []
    used = 0
    while used < len(lines):
        start = used
        reader = csv.reader(
            map(lines.__getitem__, range(start, len(lines))), delimiter=delimiter, strict=True
        )
        try:
            for row in reader:
                rows.append(row)
                used = start + reader.line_num
        except csv.Error:
            at_the_end = start + reader.line_num == len(lines)
            if more_to_come and at_the_end and sum(map(len, lines[used:])) <= _LONGEST_ROW:
                break
            rows.append(_parse_leniently(lines[used], delimiter))
            used += 1
    return rows, used


def _split(rows: _Rows, number: NumberColumn, delimiter: str) -> RowBlock:
    numbers = list(map(number.number_in, rows))
    for row in rows:
        del row[number.index : number.index + 1]
    return _without_line_feeds(numbers), _without_line_feeds(csv_lines(rows, delimiter))


def _without_line_feeds(texts: list[str]) -> list[str]:
    return [text.replace("\n", INNER_LINE_FEED) for text in texts]


def _rejecting_bad_csv() -> AbstractContextManager[None]:
    return parse_errors_as("The export is not CSV, or is broken.")
