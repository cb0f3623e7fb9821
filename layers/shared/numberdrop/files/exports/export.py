"""Open an export, the file that the vendor returns, without trusting its content."""

import gzip
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from itertools import compress
from pathlib import Path
from typing import BinaryIO, Self

from numberdrop.files.exports.answering import answering_column
from numberdrop.files.exports.columns import column_names, count_entries, number_index, other_names
from numberdrop.files.exports.format import ExportFormat
from numberdrop.files.exports.matching import Matching
from numberdrop.files.exports.members import SEVERAL_TABLES, archived_tables, workbook_tables
from numberdrop.files.exports.number_column import NumberColumn
from numberdrop.files.exports.table import RowBlock, Table, csv_table, joined_tables
from numberdrop.files.exports.verdicts import (
    SERVICE_COLUMNS,
    UNKNOWN,
    certainty,
    is_verdict_name,
    names_other_service,
    normalised,
    verdict_column,
    verdict_of,
)
from numberdrop.files.formats.archive import EMPTY_ZIP_START, ZIP_START, ArchiveLimits, open_archive
from numberdrop.files.formats.delimited import DELIMITERS
from numberdrop.files.formats.entries_file import entry_blocks
from numberdrop.files.formats.unpacking import GZIP_START, gzip_blocks
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.formats.workbook import CONTENT_TYPES
from numberdrop.jobs.checkers import Checker, InputKind

_STANDARD_LIMITS = ArchiveLimits()


class Export:
    """An open export, returned by ``read_export``. Close it, or use it as a context manager.

    Attributes:
        format: the file format.
        checker: the checker of the job.
        matching: decides which of its rows answers which entry.
        size: bytes of its text, or an upper bound.
        columns: names of the columns other than the number, in the export's order: lower case, words joined
            by ``_``, all different.
        verdict_column: the one of ``columns`` that carries the verdict, or None.
    """

    def __init__(
        self,
        *,
        export_format: ExportFormat,
        checker: Checker,
        matching: Matching,
        table: Table,
        names: Sequence[str],
        number: NumberColumn,
        files: ExitStack,
    ) -> None:
        self.format = export_format
        self.checker = checker
        self.matching = matching
        self.size = table.size
        self._table = table
        self._files = files
        self._number = number
        others = [*names[: number.index], *names[number.index + 1 :]]
        # Some exports have the number column twice.
        self._kept = [index for index, name in enumerate(others) if name != names[number.index]]
        self._width = len(others)
        self.columns = other_names(names, number.index)
        self.verdict_column = verdict_column(self.columns, checker)
        self._service_indexes = [
            index
            for index, name in enumerate(self.columns)
            if name in SERVICE_COLUMNS and name != self.verdict_column
        ]
        # No cell before the first of the other columns can hold a delimiter.
        self._cells_may_move = table.is_text and self.verdict_column not in {None, *self.columns[:1]}

    def row_blocks(self) -> Iterator[RowBlock]:
        """Read the rows in blocks, from the start at each call.

        Returns:
            For each block, the numbers as the export has them, and the rest of each row as a text for
            ``cells``. Rows that are about another service are left out.

        Raises:
            InvalidFileError: a later part of the file is broken or hostile, or no row is about the checker's
                service.
        """
        blocks = self._table.row_blocks(self._number)
        return self._own_rows(blocks) if self._service_indexes else blocks

    def _own_rows(self, blocks: Iterable[RowBlock]) -> Iterator[RowBlock]:
        are_own: dict[str, bool] = {}
        for numbers, rests in blocks:
            for rest in {*rests} - are_own.keys():
                cells = self.cells(rest)
                services = [cells[index] for index in self._service_indexes]
                are_own[rest] = not any(names_other_service(cell, self.checker) for cell in services)
            is_own = [are_own[rest] for rest in rests]
            yield list(compress(numbers, is_own)), list(compress(rests, is_own))
        if are_own and not any(are_own.values()):
            raise InvalidFileError("The export is about another service.")

    def answer(self, rest: str) -> tuple[list[str], str]:
        """Return the cells of a row, from ``cells``, and its verdict; empty if there is no verdict column.

        A delimiter that was not quoted moves the cells behind it. So if a row of text has more cells than the
        header, the cell in the verdict column may be that of another column, and the verdict is unknown.

        Args:
            rest: the rest of the row, from ``row_blocks``.
        """
        cells = self._table.cells(rest)
        is_moved = self._cells_may_move and any(map(str.strip, cells[self._width :]))
        kept = self._kept_cells(cells)
        return kept, UNKNOWN if is_moved else self.verdict(kept)

    def cells(self, rest: str) -> list[str]:
        """Return the cell for each of ``columns``, as the export has it; empty where the row ends before.

        Args:
            rest: the rest of the row, from ``row_blocks``.
        """
        return self._kept_cells(self._table.cells(rest))

    def verdict(self, cells: Sequence[str]) -> str:
        """Return the verdict of a row; empty if the export has no verdict column.

        Args:
            cells: the cells of the row, from ``cells``.
        """
        column = self.verdict_column
        if not column:
            return ""
        word = cells[self.columns.index(column)]
        return verdict_of(word, has_digits=is_verdict_name(column, self.checker))

    def _kept_cells(self, cells: list[str]) -> list[str]:
        cells += [""] * (self._width - len(cells))
        return [cells[index] for index in self._kept]

    @property
    def is_verdict_alone(self) -> bool:
        """Whether its rows have a number and a verdict, and nothing else."""
        return bool(self.verdict_column) and len(self.columns) == 1

    def close(self) -> None:
        """Close the file. Its rows can no longer be read."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_export(
    path: Path,
    checker: Checker,
    *,
    region: str | None = None,
    entries: BinaryIO | None = None,
    limits: ArchiveLimits = _STANDARD_LIMITS,
) -> Export:
    r"""Open an export: a CSV file or a gzip of one, a workbook, or a zip archive of either or of lists.

    >>> from tempfile import NamedTemporaryFile
    >>> from numberdrop.jobs.checkers import checkers
    >>> with NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("Number,band\n41790000001,yes\n")
    ...     with read_export(Path(file.name), checkers()["band"]) as export:
    ...         print(export.format, export.columns, next(export.row_blocks()))
    csv ('band',) (['41790000001'], ['yes'])

    Args:
        path: the file. Its name does not matter.
        checker: the checker of the job.
        region: the region in which the upload was read, as ``entry_rule`` takes it.
        entries: the entries file that ``clean_upload`` wrote. The number column is the one that has these
            entries. If there is no file, the column is judged by its name and its cells.
        limits: the most that the file may cost to read.

    Raises:
        InvalidFileError: the file has another format, is broken, exceeds a limit, or has no number column or
            several.
    """
    matching = Matching(checker.input, region)
    with ExitStack() as files:
        export_format, tables = _open(path, limits, files)
        table, names, number = _table_with_numbers(tables, checker, matching, entries)
        return Export(
            export_format=export_format,
            checker=checker,
            matching=matching,
            table=table,
            names=names,
            number=number,
            files=files.pop_all(),
        )


def empty_export(checker: Checker, region: str | None = None) -> Export:
    """Return an export without rows, for a job that bought nothing. Its columns are the documented ones.

    >>> from numberdrop.jobs.checkers import checkers
    >>> export = empty_export(checkers()["band"])
    >>> export.columns, list(export.row_blocks())
    (('band',), [])

    Args:
        checker: the checker of the job.
        region: the region in which the upload was read, as ``entry_rule`` takes it.
    """
    names = ["number", *map(normalised, checker.result_columns)]
    return Export(
        export_format=ExportFormat.CSV,
        checker=checker,
        matching=Matching(checker.input, region),
        table=Table(names, DELIMITERS[0], 0, _no_rows),
        names=names,
        number=NumberColumn(0),
        files=ExitStack(),
    )


def _no_rows(_: NumberColumn) -> Generator[RowBlock, None, None]:
    yield from ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A table of an export, with its first rows.

    Attributes:
        count: how many of the first rows have a number.
        certainty: how certain it is that the table has the verdicts; 0 if it has none.
        error: why nobody can say which of its columns has the numbers, or None.
    """

    table: Table
    rows: list[list[str]]
    names: list[str]
    number: NumberColumn
    count: int
    certainty: int
    error: InvalidFileError | None

    @property
    def kind(self) -> tuple[object, ...]:
        """What a table has in common with those that it continues."""
        return self.names, self.number, self.table.delimiter, self.table.is_hidden

    def answers(self, matching: Matching) -> dict[str, list[str]]:
        """Return the first rows by the keys of their numbers."""
        numbers = [self.number.number_in(row).replace("\n", " ") for row in self.rows]
        rows = zip(matching.row_keys(numbers), numbers, self.rows, strict=True)
        return {key: row for key, number, row in rows if count_entries([number], matching.kind)}


def _table_with_numbers(
    tables: Iterable[Table], checker: Checker, matching: Matching, entries: BinaryIO | None
) -> tuple[Table, list[str], NumberColumn]:
    """Return a table, the names of its columns, and its number column.

    Of several tables, the one with the most numbers is taken, because workbooks may begin with a summary. One
    that is shown precedes hidden ones, and one with verdicts of the checker precedes others, such as lists of
    what was sent. Tables with the same columns and other numbers continue it, because a sheet can have only a
    million rows.

    Raises:
        InvalidFileError: no table has a number column, or nobody can say which, or a table with the same
            columns has other answers.
    """
    found: list[_Candidate] = []
    errors: list[InvalidFileError] = []
    for table in tables:
        try:
            found.append(_candidate(table, checker, matching, entries))
        except InvalidFileError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    best = max(
        found,
        key=lambda each: (not each.table.is_hidden, each.certainty if each.count else 0, each.count),
    )
    if best.error:
        raise best.error
    kind = best.kind
    alike = [each for each in found if each.kind == kind and not each.error]
    if best.table.is_text and any(each.count for each in found if each.kind != kind):
        raise InvalidFileError(SEVERAL_TABLES)
    parts = _parts(best, alike, matching)
    return joined_tables([each.table for each in parts]), best.names, best.number


def _parts(best: _Candidate, alike: Iterable[_Candidate], matching: Matching) -> list[_Candidate]:
    """Return the tables that have numbers of their own, in their order; the best one is among them.

    Raises:
        InvalidFileError: a table has another answer for a number of the best one, or a file the same numbers.
    """
    answers = best.answers(matching)
    parts: list[_Candidate] = []
    for each in alike:
        others = each.answers(matching)
        if any(others[key] != answers[key] for key in others.keys() & answers.keys()):
            raise InvalidFileError("Several sheets of the export have the same numbers with other answers.")
        is_part = each.certainty and others.keys().isdisjoint(answers)
        if each is not best and each.table.is_text and not is_part:
            # Without verdicts, the names of the files may say what their numbers have in common.
            raise InvalidFileError(SEVERAL_TABLES)
        if each is best or others.keys().isdisjoint(answers):
            parts.append(each)
    return parts


def _candidate(table: Table, checker: Checker, matching: Matching, entries: BinaryIO | None) -> _Candidate:
    """Read the first rows of a table.

    Raises:
        InvalidFileError: it has no number column.
    """
    rows = table.first_rows()
    names = column_names(table.header, rows)
    number = error = None
    if entries:
        blocks = (present for _, present in entry_blocks(entries))
        try:
            number = answering_column(names, rows, matching, blocks)
        except InvalidFileError as refusal:
            error = refusal
    if number is None:
        number = NumberColumn(number_index(table.header, names, rows, checker))
    return _Candidate(
        table,
        rows,
        names,
        number,
        count=_count(list(map(number.number_in, rows)), checker.input),
        certainty=certainty(other_names(names, number.index), checker),
        error=error,
    )


def _count(numbers: list[str], kind: InputKind) -> int:
    """Return how many cells of a number column may be entries. Those sent as written may be any text."""
    return sum(map(bool, numbers)) if kind is InputKind.AS_WRITTEN else count_entries(numbers, kind)


def _open(path: Path, limits: ArchiveLimits, files: ExitStack) -> tuple[ExportFormat, Iterator[Table]]:
    file = files.enter_context(path.open("rb"))
    start = file.read(len(ZIP_START))
    if start.startswith(GZIP_START):
        size = sum(map(len, gzip_blocks(file, limits, largest=limits.unzipped)))
        return ExportFormat.GZIP, iter([csv_table(lambda: BufferedReader(gzip.open(path)), size)])
    if start not in {ZIP_START, EMPTY_ZIP_START}:
        return ExportFormat.CSV, iter([csv_table(lambda: path.open("rb"), path.stat().st_size)])
    archive = files.enter_context(open_archive(file, limits))
    if CONTENT_TYPES in archive.namelist():
        return ExportFormat.XLSX, workbook_tables(file, limits, files)
    return ExportFormat.ZIP, archived_tables(archive, limits, files)
