"""Detect how an upload is laid out: as a plain list, or as a table with the entries in one column."""

import csv
from collections.abc import Sequence
from io import StringIO
from itertools import islice

from numberdrop.files.formats.delimited import DELIMITERS
from numberdrop.files.uploads import columns
from numberdrop.files.uploads.errors import no_such_column
from numberdrop.files.uploads.plain_lists import check_list
from numberdrop.files.uploads.table_sample import (
    MAX_SAMPLED,
    MAX_TITLE_ROWS,
    TableSample,
    is_likely_entry,
)
from numberdrop.files.uploads.tables import NO_DELIMITER, Layout, Wanted, made_up_names, without_blank_end
from numberdrop.jobs.reading_choice import UploadLayout

_MOST = 0.8
"""The share of the cells of a line that must be entries if the line is a list."""


def layout_of_text(text: str, wanted: Wanted) -> Layout | None:
    r"""Return the layout of a text, or None for a plain list.

    A text is a table in these cases:

    - Its first line names a column of the kind, alone or with others.
    - Most lines have as many cells as the first, and more than one. Entries taken as written may contain a
      delimiter themselves, so there all lines must.
    - All lines are in quotes. It then has one column.
    - The user chose a column of it.

    >>> from numberdrop.files.uploads.entries import entry_rule
    >>> from numberdrop.jobs.checkers import InputKind
    >>> kind = InputKind.PHONE
    >>> layout_of_text("name;phone\nJane;+41790000001\n", Wanted(kind, entry_rule(kind)))
    Layout(delimiter=';', header=('name', 'phone'), entry_column=1, first_row=1, ...)

    Args:
        text: its first lines, at least one of which is not blank.
        wanted: what to look for.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the column with the entries cannot be determined, or the column
            that the user chose does not exist.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    start = "\n".join(lines[:MAX_TITLE_ROWS])
    samples = [TableSample.read(text, delimiter, wanted) for delimiter in DELIMITERS if delimiter in start]
    tables = [sample for sample in samples if sample.is_table(wanted)]
    # With the wrong delimiter, a table may seem to start at a row far below its real start.
    tables.sort(key=lambda table: (table.start, table.named_column(wanted) is None))
    column = TableSample.read(text, NO_DELIMITER, wanted)
    if wanted.column is not None:
        return _layout_of_choice([*tables, *samples, column], wanted.column, wanted)
    for table in tables:
        if layout := table.layout(wanted):
            return layout
    if tables and (not wanted.is_text or wanted.phones_only):
        raise columns.no_entries(wanted.kind, wanted.rule)
    if column.named_column(wanted) == 0 or all(line[0] == line[-1] == '"' for line in lines):
        return column.layout(wanted)
    check_list(lines, wanted)
    return None


def layout_of_csv(text: str, wanted: Wanted) -> Layout:
    """Return the layout of a text that is known to be a table, delimited by commas.

    Its rows may end with their last filled cell, so the first row does not show how many columns there are.

    Args:
        text: its first lines, at least one of which is not blank.
        wanted: what to look for.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the column with the entries cannot be determined, or the column
            that the user chose does not exist.
    """
    sample = TableSample.read(text, ",", wanted).with_usual_width()
    if wanted.column is not None:
        return _layout_of_choice([sample], wanted.column, wanted)
    layout = sample.layout(wanted)
    if not layout:
        raise columns.no_entries(wanted.kind, wanted.rule)
    return layout


def layout_as_stored(text: str, stored: UploadLayout) -> Layout | None:
    r"""Return the layout with which an upload was sent, or None for a plain list.

    >>> layout_as_stored("name;phone\nJane;+41790000001\n", UploadLayout(";", 1, 1, has_header=True))
    Layout(delimiter=';', header=('name', 'phone'), entry_column=1, first_row=1, ...)

    Args:
        text: the first lines of the upload.
        stored: the layout that the ledger has.
    """
    if stored.column is None:
        return None
    delimiter = stored.delimiter or NO_DELIMITER
    rows = list(islice(csv.reader(StringIO(text), delimiter=delimiter), stored.first_row + MAX_SAMPLED))
    width = max((len(without_blank_end(row)) for row in rows[stored.first_row :]), default=0)
    has_header = stored.has_header and 0 < stored.first_row <= len(rows)
    header = without_blank_end(rows[stored.first_row - 1]) if has_header else made_up_names(width)
    return Layout(
        delimiter, header, stored.column, stored.first_row, stored.has_header, stored.country_column
    )


def delimiter_of_line(line: str, wanted: Wanted) -> str | None:
    """Return the delimiter of a list whose entries are all in one line; None for other lines.

    >>> from numberdrop.files.uploads.entries import entry_rule
    >>> from numberdrop.jobs.checkers import InputKind
    >>> delimiter_of_line("+41790000001, +41790000002", Wanted(InputKind.PHONE, entry_rule(InputKind.PHONE)))
    ','
    """
    for delimiter in DELIMITERS:
        cells = [cell for cell in line.split(delimiter) if cell.strip()]
        entries = sum(is_likely_entry(cell, wanted) or columns.is_number_like(cell) for cell in cells)
        # With the wrong delimiter, the first cell of a table of one row may be an entry too.
        if len(cells) > 1 and entries >= _MOST * len(cells) and columns.is_number_like(cells[0]):
            return delimiter
    return None


def _layout_of_choice(samples: Sequence["TableSample"], choice: str, wanted: Wanted) -> Layout:
    """Return the layout of the first sample that has the column that the user chose.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: none has it.
    """
    for sample in samples:
        if layout := sample.layout_below(choice, wanted):
            return layout
    for sample in samples:
        if layout := sample.layout_of_letter(choice, wanted):
            return layout
    names = [name.strip() for name in samples[0].names(wanted) or () if name.strip()]
    raise no_such_column(choice, names if len(samples[0].rows[0]) > 1 else ())
