"""Reading tables that come from outside: CSV, lists of numbers, and the sheets of workbooks.

A row is read as its number and its rest. The rest stays one line of CSV text until somebody asks for its
cells: most exports have few different ones, and so most are never parsed.
"""

import csv
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from io import StringIO
from itertools import chain, islice
from typing import IO, TYPE_CHECKING

from numberdrop.files.formats.delimited import DELIMITERS, csv_cells, csv_lines
from numberdrop.files.formats.entries_file import INNER_LINE_FEED
from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as
from numberdrop.files.formats.workbook import first_filled_sheet, sheet_rows

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

_ROWS = 10_000
"""Rows of a block."""

_SAMPLED = 1000
"""Rows."""

_LONGEST_ROW = 512 * 1024
"""Characters. A quoted cell may go on over lines, so a bound on lines alone would not bound a row."""

_BLOCK = 64 * 1024
_LONGEST_LINE = 128 * 1024
"""Bytes."""

_UTF8_BOM = b"\xef\xbb\xbf"
_STARTS_OF_OTHER_FORMATS = ("<", "{", "[")
"""Web pages, XML and JSON, as error messages come."""

_Rows = list[list[str]]

Split = tuple[list[str], list[str]]
"""The numbers of some rows, and as many texts that are the rest of each row. None holds a line feed."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that can be read any number of times.

    Attributes:
        header: the names of its columns, as they are; empty if the table is.
        delimiter: what stands between the cells of the rest of a row.
        splits: reads the rows that are not empty in blocks, given the column of the number; that of a row
            which ends before is empty. It raises ``InvalidFileError`` if the table is broken or hostile
            further on.
    """

    header: list[str]
    delimiter: str
    splits: Callable[[int], Generator[Split, None, None]]

    def first_rows(self) -> list[list[str]]:
        """The first rows with all their cells.

        Raises:
            InvalidFileError: the table is broken or hostile.
        """
        with closing(self.splits(0)) as splits:
            firsts, rests = next((split for split in splits if split[0]), ([], []))
        some = zip(firsts[:_SAMPLED], rests, strict=False)
        return [[first, *self.cells(rest)] for first, rest in some]

    def cells(self, rest: str) -> list[str]:
        """The cells of a row besides its number, given the rest of the row."""
        return csv_cells(rest.replace(INNER_LINE_FEED, "\n"), self.delimiter)


def csv_table(open_file: Callable[[], IO[bytes]]) -> Table:
    """A CSV file: UTF-8 with or without a byte order mark.

    Its delimiter is the one of ``DELIMITERS`` that its first line has most of.

    Raises:
        InvalidFileError: it is no such file.
    """
    with _refusing_csv(), open_file() as file:
        header, delimiter, _ = _opened(file)
    return Table(header, delimiter, partial(_csv_splits, open_file))


def list_table(header: list[str], lists: Iterable[tuple[str, Callable[[], IO[bytes]]]]) -> Table:
    """Files with a number in each line, as a table that has for each number the word of its list.

    Raises:
        InvalidFileError: while it is read, if a file is no text.
    """
    return Table(header, DELIMITERS[0], partial(_list_splits, list(lists)))


def sheet_table(workbook: "Workbook") -> Table:
    """The first sheet of a workbook with anything in it.

    Raises:
        InvalidFileError: a sheet is broken.
    """
    sheet_at = first_filled_sheet(workbook) or 0
    header = next(_filled_rows(workbook, sheet_at), [])
    return Table(header, DELIMITERS[0], partial(_sheet_splits, workbook, sheet_at))


def _csv_splits(open_file: Callable[[], IO[bytes]], number_at: int) -> Generator[Split, None, None]:
    with _refusing_csv(), open_file() as file:
        _, delimiter, texts = _opened(file)
        if number_at == 0:
            row = re.compile(rf"{re.escape(delimiter)}([^\r\n]*)\r?\n")
            for text in texts:
                split = _split_plainly(text, row)
                if not split:
                    texts = chain([text], texts)
                    break
                yield split
        for rows in _parsed(texts, delimiter):
            yield _split(rows, number_at, delimiter)


def _list_splits(
    lists: list[tuple[str, Callable[[], IO[bytes]]]], _number_at: int
) -> Generator[Split, None, None]:
    for word, open_file in lists:
        with parse_errors_as("The export's list is no text in UTF-8, or is broken."), open_file() as file:
            for text in _texts(file):
                numbers = list(filter(None, map(str.strip, text.splitlines())))
                yield numbers, [word] * len(numbers)


def _sheet_splits(workbook: "Workbook", sheet_at: int, number_at: int) -> Generator[Split, None, None]:
    rows = _filled_rows(workbook, sheet_at)
    next(rows, None)
    while block := list(islice(rows, _ROWS)):
        yield _split(block, number_at, DELIMITERS[0])


def _filled_rows(workbook: "Workbook", sheet_at: int) -> Iterator[list[str]]:
    return filter(any, sheet_rows(workbook, sheet_at))


def _opened(file: IO[bytes]) -> tuple[list[str], str, Iterator[str]]:
    """The header of a CSV file, its delimiter, and the text below the header."""
    texts = _texts(file)
    start = StringIO(next(filter(str.strip, texts), ""), newline="")
    first_line = next((line for line in start if line.strip()), "")
    if first_line.lstrip().startswith(_STARTS_OF_OTHER_FORMATS):
        raise InvalidFileError("The export is a web page or a message, not a table.")
    delimiter = max(DELIMITERS, key=first_line.count)
    start.seek(0)
    header = _header(start, delimiter)
    return header, delimiter, chain([start.read()], texts)


def _header(start: StringIO, delimiter: str) -> list[str]:
    """The first row that is not empty, which is read.

    Raises:
        csv.Error: a quotation mark in it has no fellow.
    """
    try:
        return next(filter(any, csv.reader(start, delimiter=delimiter, strict=True)), [])
    except csv.Error:
        start.seek(0)
        first_line = next(filter(str.strip, start))
        if first_line.count('"') % 2:
            raise
        return _loosely_read(first_line, delimiter)


def _loosely_read(line: str, delimiter: str) -> list[str]:
    """The cells of a line with quotation marks where none may be.

    Spaces may stand between them and a delimiter; otherwise they are characters like any other.
    """
    closed = re.sub(rf'" +(?=[{re.escape(delimiter)}\r\n]|$)', '"', line)
    try:
        return next(csv.reader([closed], delimiter=delimiter, strict=True))
    except csv.Error:
        return next(csv.reader([line], delimiter=delimiter, quoting=csv.QUOTE_NONE))


def _texts(file: IO[bytes]) -> Iterator[str]:
    """The text in blocks of whole lines, the last line ended too."""
    rest = b""
    block = file.read(_BLOCK).removeprefix(_UTF8_BOM)
    while block:
        if b"\0" in block:
            raise InvalidFileError("The export is neither an archive nor text.")
        block = rest + block
        # A CR at the very end may be half of a CRLF.
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        rest = block[end:]
        if len(rest) > _LONGEST_LINE:
            raise InvalidFileError("The export's table has an unreasonably long row.")
        if end:
            yield block[:end].decode()
        block = file.read(_BLOCK)
    if rest:
        yield f"{rest.decode()}\n"


def _split_plainly(text: str, row: re.Pattern[str]) -> Split | None:
    """Splits rows that begin with their number, or leaves it to a parser where there are quotes or odd rows.

    Args:
        text: the rows.
        row: matches a row from the end of its number on, and the rest as its group.
    """
    numbers_and_rests = row.split(text)
    unmatched = numbers_and_rests.pop()
    numbers, rests = numbers_and_rests[::2], numbers_and_rests[1::2]
    joined = "".join(numbers)
    if unmatched or '"' in text or "" in numbers or "\n" in joined or "\r" in joined:
        return None
    return numbers, rests


def _parsed(texts: Iterable[str], delimiter: str) -> Iterator[_Rows]:
    rest: Sequence[str] = ()
    for text in chain(texts, [""]):
        lines = [*rest, *StringIO(text, newline="")]
        rows, read = _read(lines, delimiter, may_go_on=bool(text))
        rest = lines[read:]
        yield list(filter(any, rows))


def _read(lines: list[str], delimiter: str, *, may_go_on: bool) -> tuple[_Rows, int]:
    """The rows that lines hold, and how many of the lines these are.

    A cell in quotes may go on over lines, the last one over more than there are yet. Where the marks do not
    match, the line is read on its own: rows behind it must not be lost in a cell without an end.
    """
    rows: _Rows = []
    read = 0
    while read < len(lines):
        start = read
        reader = csv.reader(
            map(lines.__getitem__, range(start, len(lines))), delimiter=delimiter, strict=True
        )
        try:
            for row in reader:
                rows.append(row)
                read = start + reader.line_num
        except csv.Error:
            to_the_end = start + reader.line_num == len(lines)
            if may_go_on and to_the_end and sum(map(len, lines[read:])) <= _LONGEST_ROW:
                break
            rows.append(_loosely_read(lines[read], delimiter))
            read += 1
    return rows, read


def _split(rows: _Rows, number_at: int, delimiter: str) -> Split:
    numbers = [row.pop(number_at) if number_at < len(row) else "" for row in rows]
    return _without_line_feeds(numbers), _without_line_feeds(csv_lines(rows, delimiter))


def _without_line_feeds(texts: list[str]) -> list[str]:
    return [text.replace("\n", INNER_LINE_FEED) for text in texts]


def _refusing_csv() -> AbstractContextManager[None]:
    return parse_errors_as("The export's table is no CSV in UTF-8, or is broken.")
