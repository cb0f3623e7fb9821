"""Write ``results.xlsx``: the results as a workbook that spreadsheets open without changing a cell.

Opening a CSV, a spreadsheet turns ``+41790000001`` into a number and drops leading zeros. Here all cells are
text.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import BinaryIO

from numberdrop.files.formats.entries_file import REJECTED, line_blocks

MAX_ROWS = 200_000
"""Longer results have no workbook: spreadsheets become slow."""

MAX_CELLS = 2_000_000
"""Wider results have no workbook either. So many cells take some 10 seconds of a full CPU."""

MAX_BYTES = 200_000_000
"""Size of ``results.csv`` in bytes. Unpacked, the sheet is about twice as large, and the disk is limited."""

MAX_BYTES_IN_MEMORY = 50_000
"""Size of ``results.csv`` in bytes up to which the workbook is made in memory, without temporary files."""

MAX_COLUMNS = 16_384
"""Columns of a sheet (Microsoft support, "Excel specifications and limits")."""

MAX_CELL = 32_767
"""Characters that a cell can have (Microsoft support, "Excel specifications and limits")."""

SAMPLED_ROWS = 200
"""Rows whose texts decide how wide the columns are."""

NARROWEST, WIDEST = 8, 50
"""Characters."""

REASON_COLUMNS = ("reason", *(f"reason_{number}" for number in range(2, MAX_COLUMNS)))
"""Names for the last column, which is there if rows were rejected. The first that is not taken is used."""


def write_workbook(
    results: Path, out: Path, *, reasons: Iterable[str] | None = None, created: datetime
) -> bool:
    r"""Write the workbook from ``results.csv`` in little memory; return whether it was written.

    Its cells are those of ``results.csv``. The reasons of rejected rows are in a column after them.

    >>> from datetime import UTC
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     results, workbook = Path(folder, "results.csv"), Path(folder, "results.xlsx")
    ...     _ = results.write_text("line,number\n1,+41790000001\n", encoding="utf-8")
    ...     write_workbook(results, workbook, created=datetime(2026, 3, 12, tzinfo=UTC))
    True

    Args:
        results: the file ``results.csv``.
        out: receives the workbook.
        reasons: for each row of the results, why it was rejected, or an empty text; None for no such column.
        created: the time that the workbook names. With it, equal results give equal files.

    Returns:
        False, and nothing is written, if there are too many rows, cells or bytes.
    """
    size = results.stat().st_size
    if size > MAX_BYTES:
        return False
    with results.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        columns = len(next(rows, [])) + (reasons is not None)
        limit = min(MAX_ROWS, MAX_CELLS // max(columns, 1))
        if columns > MAX_COLUMNS or sum(1 for _ in islice(rows, limit + 1)) > limit:
            return False
    with results.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        cells = rows if reasons is None else _with_reasons(rows, reasons)
        _write(cells, out, created, in_memory=size <= MAX_BYTES_IN_MEMORY)
    return True


def reasons_of_rows(entries: BinaryIO, rejected: Iterable[str], *, is_table: bool) -> Iterator[str]:
    r"""Yield why each row of the results was rejected, or an empty text.

    >>> from io import BytesIO
    >>> listing = ["line,text,reason", "2,abc,no digits"]
    >>> list(reasons_of_rows(BytesIO(b"+41790000001\n\0\n\n"), listing, is_table=False))
    ['', 'no digits']

    Args:
        entries: the entries file that ``clean_upload`` wrote.
        rejected: the lines of the list of rejected rows.
        is_table: whether the upload is a table, whose results keep their blank rows.
    """
    listed = (record["reason"] for record in csv.DictReader(rejected))
    for block in line_blocks(entries):
        for line in block:
            if line == REJECTED:
                yield next(listed, "")
            elif line or is_table:
                yield ""


def _with_reasons(rows: Iterator[list[str]], reasons: Iterable[str]) -> Iterator[list[str]]:
    header = next(rows)
    taken = {name.strip().lower() for name in header}
    yield [*header, next(name for name in REASON_COLUMNS if name not in taken)]
    for row, reason in zip(rows, reasons, strict=True):
        yield [*row, reason]


def _write(rows: Iterator[list[str]], out: Path, created: datetime, *, in_memory: bool) -> None:
    # The import takes some 50 ms, and longer results do not need it.
    from xlsxwriter import Workbook  # noqa: PLC0415

    # In memory, each text is kept once for all cells: slower, and the file is larger, if there are many.
    options = {"in_memory": in_memory, "constant_memory": not in_memory, "tmpdir": str(out.parent)}
    with Workbook(str(out), options) as book:
        # Metadata holds a time without a zone, in UTC.
        book.set_properties({"created": created.astimezone(UTC).replace(tzinfo=None)})
        sheet = book.add_worksheet("results")
        first = list(islice(rows, SAMPLED_ROWS))
        for column, width in enumerate(_widths(first)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        # Otherwise spreadsheets mark every number as text that looks like a mistake.
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        row_number = column_count = 0
        for row_number, row in enumerate(chain(first, rows)):
            column_count = max(column_count, len(row))
            for column, cell in enumerate(row):
                if cell:
                    sheet.write_string(row_number, column, cell[:MAX_CELL])
        sheet.autofilter(0, 0, row_number, max(column_count - 1, 0))


def _widths(rows: list[list[str]]) -> list[int]:
    """Return a width in characters for each column, by its longest text with some room for the filter."""
    longest = [max(map(len, cells)) for cells in zip_longest(*rows, fillvalue="")]
    return [min(max(length + 3, NARROWEST), WIDEST) for length in longest]
