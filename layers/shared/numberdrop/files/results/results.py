"""Writing results: the upload as it was, with what the export says of each row behind it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, compress, count, islice, repeat
from typing import BinaryIO, TextIO

from numberdrop.files.exports.export import Export
from numberdrop.files.exports.matching import names_of_numbers
from numberdrop.files.exports.verdicts import VERDICTS, verdict_of
from numberdrop.files.formats.entries_file import (
    INNER_LINE_FEED,
    REJECTED,
    line_blocks,
    present_entries,
    write_lines,
)
from numberdrop.files.formats.escaping import escaped_cells, escaped_lines
from numberdrop.files.formats.partitioning import InOrder, Partition, first_appearances
from numberdrop.files.results.countries import by_country
from numberdrop.files.results.join import Join, JoinCounts, Render, joined
from numberdrop.files.uploads.rows import UploadRows
from numberdrop.jobs.checkers import Checker, InputKind

PLACE = "line"
"""The first column of the results of a plain list: where in the file a row was, from 1."""

ADDED_COLUMNS = ("number", "status", "verdict")
"""What is added behind each row of the upload; the export's columns follow."""

RESOLVED = "resolved"
UNRESOLVED = "unresolved"
REJECTED_STATUS = "rejected"

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class ResultCounts:
    """How an export answered what was submitted.

    Attributes:
        resolved: submitted numbers that the export answers; each counts once, on however many rows it is.
        unresolved: submitted numbers that it lacks.
        extra: distinct numbers of the export that were not submitted.
        doubled: rows of the export that repeat a number.
        verdicts: how often each of ``VERDICTS`` occurs among the resolved. Empty when the export has no
            column of verdicts.
        countries: the same for each country, as ``country_of`` calls it, and how many of its numbers are
            ``unresolved``. Empty also where entries are not phone numbers.
    """

    resolved: int
    unresolved: int
    extra: int
    doubled: int
    verdicts: dict[str, int]
    countries: dict[str, dict[str, int]]


def write_results(
    entries: BinaryIO, rows: UploadRows | None, export: Export, checker: Checker, out: TextIO
) -> ResultCounts:
    """Writes ``results.csv``: delimited by commas, lines ended by a line feed.

    Of a plain list it has a row for every line that is not blank, in the order of the list: ``line``,
    ``number`` (empty if the line was left out), ``status`` (``resolved``, ``unresolved`` where the export
    lacks the number, or ``rejected``), ``verdict``, and the export's columns. Of a table it has the table
    itself, row by row, with the same columns except ``line`` behind its own. A column whose name is taken is
    called ``<checker>_<name>``. All cells are made escaped for spreadsheets.

    Args:
        entries: as ``clean_upload`` wrote them.
        rows: the upload they are from; None if it is gone, and then ``line`` stays empty.
        export: what the vendor answered.
        checker: what was asked.
        out: takes the CSV; open it with ``newline=""``.

    Raises:
        InvalidFileError: the export breaks off or turns hostile; what was written by then is of no use.
    """
    table = rows if rows and rows.header is not None else None
    own_columns = _columns(table) if table else [PLACE]
    added_columns = _added_columns(own_columns, export.columns, checker.name)
    places = map(str, count(1)) if rows else repeat("")
    own_lines = _table_lines(table, len(own_columns)) if table else places
    cells = [""] * (len(added_columns) - 2)
    without_entry = {REJECTED: _line([REJECTED_STATUS, *cells]), "": _line(["", *cells]) if table else ""}
    _write(out, escaped_lines([[*own_columns, *added_columns]]))
    with joined(entries, export, checker.input, _tell(export)) as join:
        for numbers, told in _told_blocks(entries, join, without_entry):
            lines = map(",".join, zip(islice(own_lines, len(numbers)), numbers, told, strict=True))
            # Blank lines of a plain list have nothing told of them.
            _write(out, compress(lines, told))
    return _counts(join.counts, export, checker.input)


def write_entries(export: Export, kind: InputKind, entries: BinaryIO) -> None:
    """Writes the distinct numbers of an export as ``clean_upload`` would have, for an upload that is gone.

    Raises:
        InvalidFileError: the export breaks off or turns hostile; what was written by then is of no use.
    """
    with Partition() as spread:
        for numbers, _ in export.answers():
            spread.add(names_of_numbers(numbers, kind))
        firsts = InOrder({part: first_appearances(keys) for part, keys in spread.parts().items()})
        for numbers, _ in export.answers():
            names = names_of_numbers(numbers, kind)
            distinct = compress(names, firsts.answers(names))
            write_lines(entries, [name.replace(INNER_LINE_FEED, " ") for name in distinct])


def _columns(table: UploadRows) -> list[str]:
    """The names of a table's columns, empty ones where a row is longer than the header."""
    header = table.header or ()
    longest = max((max(map(len, block), default=0) for block in table.table_blocks()), default=0)
    return [*header, *[""] * (longest - len(header))]


def _table_lines(table: UploadRows, width: int) -> Iterator[str]:
    """The table's rows as lines of CSV, each of ``width`` cells."""
    for rows in table.table_blocks():
        for row, line in zip(rows, escaped_lines(rows), strict=True):
            # As text: lists of as many empty cells would take eight times as much memory.
            yield line + "," * (width - max(len(row), 1))


def _added_columns(taken: Iterable[str], columns: Iterable[str], prefix: str) -> list[str]:
    """Names for the columns that are added, none of them taken in whatever case."""
    names = {name.strip().lower() for name in taken}
    added: list[str] = []
    for column in [*ADDED_COLUMNS, *columns]:
        prefixed = f"{prefix}_{column}"
        candidates = chain([column, prefixed], (f"{prefixed}_{number}" for number in count(2)))
        added.append(next(name for name in candidates if name.lower() not in names))
        names.add(added[-1].lower())
    return added


def _tell(export: Export) -> Render:
    """What is told of an entry: its status and verdict, and all cells that the export has for it."""
    column = export.verdict_column
    unresolved = _line([UNRESOLVED, "", *[""] * len(export.columns)])

    def tell(answer: str | None) -> tuple[str, str | None]:
        if answer is None:
            return unresolved, None
        cells = export.cells(answer)
        verdict = verdict_of(cells[export.columns.index(column)], column) if column else ""
        return _line([RESOLVED, verdict, *cells]), verdict

    return tell


def _line(cells: list[str]) -> str:
    (line,) = escaped_lines([cells])
    return line.replace("\n", INNER_LINE_FEED)


def _told_blocks(
    entries: BinaryIO, join: Join, without_entry: Mapping[str, str]
) -> Iterator[tuple[list[str], list[str]]]:
    """The number of each row, in blocks, and what is told of it.

    Args:
        entries: as ``clean_upload`` wrote them.
        join: tells of entries.
        without_entry: what is told where the line of ``entries`` holds none.
    """
    for lines in line_blocks(entries, _BLOCK):
        present = present_entries(lines)
        told = join.told(present)
        if len(present) == len(lines):
            yield escaped_cells(lines), told
        else:
            following = iter(told)
            numbers = [line if line > REJECTED else "" for line in lines]
            yield (
                escaped_cells(numbers),
                [next(following) if line > REJECTED else without_entry[line] for line in lines],
            )


def _write(out: TextIO, lines: Iterable[str]) -> None:
    out.write("\n".join([*lines, ""]).replace(INNER_LINE_FEED, "\n"))


def _counts(counts: JoinCounts, export: Export, kind: InputKind) -> ResultCounts:
    by_verdict: Counter[str | None] = Counter()
    for (_, verdict), numbers in counts.verdicts.items():
        by_verdict[verdict] += numbers
    unresolved = by_verdict.pop(None, 0)
    countries: dict[str, dict[str, int]] = {}
    if export.verdict_column and kind is InputKind.PHONE:
        countries = by_country(
            (digits, verdict or UNRESOLVED, numbers) for (digits, verdict), numbers in counts.verdicts.items()
        )
    return ResultCounts(
        resolved=by_verdict.total(),
        unresolved=unresolved,
        extra=counts.extra,
        doubled=counts.doubled,
        verdicts={verdict: by_verdict[verdict] for verdict in VERDICTS if by_verdict[verdict]},
        countries=countries,
    )
