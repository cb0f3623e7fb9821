"""Write ``results.csv``: the rows of the upload, each with what the export has for it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, compress, count, islice, repeat
from pathlib import Path
from typing import BinaryIO, TextIO

from numberdrop.files.exports.export import Export
from numberdrop.files.exports.verdicts import VERDICTS
from numberdrop.files.formats.entries_file import (
    INNER_LINE_FEED,
    REJECTED,
    entry_blocks,
    join_lines,
    write_lines,
)
from numberdrop.files.formats.escaping import escaped_cells, escaped_lines
from numberdrop.files.formats.partitioning import InOrder, Partition, first_appearances
from numberdrop.files.results.answer_lists import AnswerLists
from numberdrop.files.results.countries import by_country
from numberdrop.files.results.join import REPEATED, Answer, Join, JoinCounts, Render, joined
from numberdrop.files.results.sources import (
    FRESH,
    NO_SOURCES,
    REMEMBERED,
    SOURCE_COLUMNS,
    Remembered,
    Sources,
)
from numberdrop.files.uploads.rows import UploadRows
from numberdrop.jobs.checkers import InputKind

LINE_COLUMN = "line"
"""The first column in the results of a plain list: the line in the file, counted from 1."""

ADDED_COLUMNS = ("number", "status", "verdict")
"""Columns added to each row of the upload. The export's columns come after them."""

RESOLVED = "resolved"
UNRESOLVED = "unresolved"
REJECTED_STATUS = "rejected"

_BLOCK = 64 * 1024
"""Bytes."""


@dataclass(frozen=True, slots=True)
class ResultCounts:
    """How the entries match the export and what was remembered.

    Attributes:
        resolved: distinct entries with a row in the export, or with a remembered verdict.
        unresolved: distinct entries with neither.
        extra: distinct numbers in the export that were not submitted.
        doubled: rows of the export that repeat a number.
        verdicts: resolved entries by verdict, without zeros; empty if the export has no verdict column.
        countries: entries by country, as ``country_of`` names it, and by verdict or ``unresolved``. Empty if
            the export has no verdict column or the entries are not phone numbers.
        remembered: distinct entries with a remembered verdict and no row in the export.
    """

    resolved: int
    unresolved: int
    extra: int
    doubled: int
    verdicts: dict[str, int]
    countries: dict[str, dict[str, int]]
    remembered: int = 0


def write_results(
    entries: BinaryIO,
    rows: UploadRows | None,
    export: Export,
    out: TextIO,
    folder: Path | None = None,
    *,
    sources: Sources | None = None,
) -> ResultCounts:
    r"""Write ``results.csv``, with commas between cells and line feeds at the ends of rows.

    For a plain list it has one row per line that is not blank, in the order of the list. Its columns are
    ``line``, ``number`` (empty if the line was rejected), ``status`` (``resolved``, ``rejected``, or
    ``unresolved`` if the export lacks the number), ``verdict``, and the export's columns. For a table it has
    the rows of the table, followed by the same columns except ``line``. An added column whose name is taken
    becomes ``<checker>_<name>``. With ``sources``, ``source`` and ``checked_on`` come last. All cells are
    escaped for spreadsheets.

    >>> from io import BytesIO, StringIO
    >>> from pathlib import Path
    >>> from tempfile import NamedTemporaryFile
    >>> from numberdrop.files.exports.export import read_export
    >>> from numberdrop.jobs.checkers import checkers
    >>> with NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("Number,band\n41790000001,yes\n")
    ...     with read_export(Path(file.name), checkers()["band"]) as export:
    ...         out, entries = StringIO(), BytesIO(b"+41790000001\n")
    ...         counts = write_results(entries, None, export, out)
    >>> out.getvalue()
    'line,number,status,verdict,band\n,+41790000001,resolved,yes,yes\n'

    Args:
        entries: the entries file that ``clean_upload`` wrote.
        rows: the upload's rows, or None if the upload is gone; then ``line`` is empty.
        export: the vendor's export.
        out: receives the CSV; open it with ``newline=""``.
        folder: receives the distinct entries of each verdict that occurs, as ``yes.txt``, ``no.txt`` and
            ``unknown.txt``; None for no lists.
        sources: what is known of the sources of the answers; None if the stack remembers nothing.

    Raises:
        InvalidFileError: a later part of the export is broken or hostile. Discard what was written.
    """
    table = rows if rows and rows.header is not None else None
    own_columns = _table_columns(table) if table else [LINE_COLUMN]
    other_columns = [*export.columns, *(SOURCE_COLUMNS if sources else ())]
    added_columns = _added_columns(own_columns, other_columns, export.checker.name)
    line_numbers = count(1) if rows else repeat("")
    own_lines: Iterator[object] = _table_lines(table, len(own_columns)) if table else line_numbers
    cells = [""] * (len(added_columns) - 2)
    without_entry = {REJECTED: _line([REJECTED_STATUS, *cells]), "": _line(["", *cells]) if table else ""}
    _write(out, escaped_lines([[*own_columns, *added_columns]]))
    with joined(entries, export, _renderer(export, sources), sources or NO_SOURCES) as join:
        counts = _result_counts(join.counts, export)
        starts = {verdict: _line([RESOLVED, verdict]) for verdict in counts.verdicts}
        with AnswerLists(folder, starts) as lists:
            for sent, numbers, marked in _rendered_blocks(entries, join, without_entry):
                lists.add(sent, marked)
                has_marks = join.counts.repeated
                rendered = [line.removeprefix(REPEATED) for line in marked] if has_marks else marked
                line_parts = zip(islice(own_lines, len(numbers)), numbers, rendered, strict=True)
                # Blank lines of a plain list are rendered empty and left out.
                _write(out, [f"{own},{number},{added}" for own, number, added in line_parts if added])
    return counts


def write_entries(export: Export, entries: BinaryIO) -> None:
    """Write the distinct numbers of an export as an entries file, for an upload that is gone.

    Args:
        export: the vendor's export.
        entries: receives the file that ``clean_upload`` would have written.

    Raises:
        InvalidFileError: a later part of the export is broken or hostile. Discard what was written.
    """
    with Partition() as partition:
        for numbers, _ in export.row_blocks():
            partition.add(export.matching.row_keys(numbers))
        firsts = InOrder({part: first_appearances(keys) for part, keys in partition.parts().items()})
        for numbers, _ in export.row_blocks():
            keys = export.matching.row_keys(numbers)
            distinct = compress(keys, firsts.answers(keys))
            write_lines(entries, [key.replace(INNER_LINE_FEED, " ") for key in distinct])


def _table_columns(table: UploadRows) -> list[str]:
    """Return the names of a table's columns, with empty names for cells beyond the header."""
    header = table.header or ()
    longest = max((max(map(len, block), default=0) for block in table.table_blocks()), default=0)
    return [*header, *[""] * (longest - len(header))]


def _table_lines(table: UploadRows, width: int) -> Iterator[str]:
    """Return the table's rows as lines of CSV with ``width`` cells each."""
    for rows in table.table_blocks():
        for row, line in zip(rows, escaped_lines(rows), strict=True):
            # Pad the text rather than the row: lists of empty cells would take eight times as much memory.
            yield line + "," * (width - max(len(row), 1))


def _added_columns(taken: Iterable[str], columns: Iterable[str], prefix: str) -> list[str]:
    """Return names for the added columns: all different, and not ``taken``, ignoring case."""
    names = {name.strip().lower() for name in taken}
    added: list[str] = []
    for column in [*ADDED_COLUMNS, *columns]:
        prefixed = f"{prefix}_{column}"
        candidates = chain([column, prefixed], (f"{prefixed}_{number}" for number in count(2)))
        added.append(next(name for name in candidates if name.lower() not in names))
        names.add(added[-1].lower())
    return added


def _renderer(export: Export, sources: Sources | None) -> Render:
    """Return a function that turns an answer into a ``results.csv`` line: status, verdict, cells, source."""
    blanks = [""] * len(export.columns)
    no_source = [""] * len(SOURCE_COLUMNS) if sources else []
    checked_on = sources.checked_on.isoformat() if sources and sources.checked_on else ""
    fresh = [FRESH, checked_on] if sources else []
    unresolved = _line([UNRESOLVED, "", *blanks, *no_source])

    def render(answer: Answer) -> tuple[str, str | None]:
        match answer:
            case None:
                return unresolved, None
            case Remembered(verdict=verdict, checked_on=day):
                return _line([RESOLVED, verdict, *blanks, REMEMBERED, day.isoformat()]), verdict
            case _:
                cells, verdict = export.answer(answer)
                return _line([RESOLVED, verdict, *cells, *fresh]), verdict

    return render


def _line(cells: list[str]) -> str:
    (line,) = escaped_lines([cells])
    return line.replace("\n", INNER_LINE_FEED)


def _rendered_blocks(
    entries: BinaryIO, join: Join, without_entry: Mapping[str, str]
) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """Return, in blocks, the entry of each row, its number as it is written, and its rendered line.

    Args:
        entries: the entries file that ``clean_upload`` wrote.
        join: renders the entries.
        without_entry: what to render for a line of ``entries`` that has no entry, by that line.
    """
    for lines, present in entry_blocks(entries, _BLOCK):
        rendered = join.rendered(present)
        if present is lines:
            yield lines, escaped_cells(lines), rendered
        else:
            following = iter(rendered)
            numbers = [line if line > REJECTED else "" for line in lines]
            yield (
                lines,
                escaped_cells(numbers),
                [next(following) if line > REJECTED else without_entry[line] for line in lines],
            )


def _write(out: TextIO, lines: Iterable[str]) -> None:
    out.write(join_lines(lines).replace(INNER_LINE_FEED, "\n"))


def _result_counts(counts: JoinCounts, export: Export) -> ResultCounts:
    by_verdict: Counter[str | None] = Counter()
    for (_, verdict), numbers in counts.verdicts.items():
        by_verdict[verdict] += numbers
    unresolved = by_verdict.pop(None, 0)
    countries: dict[str, dict[str, int]] = {}
    if export.verdict_column and export.checker.input is InputKind.PHONE:
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
        remembered=counts.remembered,
    )
