"""Name the columns of an export and find the one that has the numbers."""

import re
from collections.abc import Sequence
from itertools import chain, count

from numberdrop.files.exports.matching import digits_of
from numberdrop.files.exports.verdicts import VERDICT_COLUMNS
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.jobs.checkers import InputKind

_MAX_COLUMNS = 200

_NUMBER_NAMES = (
    *("number", "phone", "mobile_number", "phone_number", "mobile", "msisdn"),
    *("tel", "telephone", "phone_no", "mobile_no", "email", "username"),
)
"""Known names of the number column; an earlier one takes precedence."""

_WHITE_SPACE = re.compile(r"\s")

_PHONE_NUMBER_LENGTHS = range(7, 18)
"""Digits of a phone number with its country code, possibly after ``00``."""


def column_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the names of all columns: lower case, words joined by ``_``.

    A column without a name becomes ``column_<n>``. Trailing columns without a name are dropped if the first
    rows have nothing in them.

    Args:
        header: the cells of the header row.
        rows: the first rows below it.

    Raises:
        InvalidFileError: the first row is not a header, so the file is not a table.
    """
    names = [re.sub(r"\W+", "_", name.lower()).strip("_") for name in header]
    filled = max((position for row in rows for position, cell in enumerate(row, 1) if cell), default=0)
    while len(names) > filled and not names[-1]:
        names.pop()
    if not any(names):
        raise InvalidFileError("The export is empty.")
    if len(names) > _MAX_COLUMNS:
        raise InvalidFileError(f"The export has more than {_MAX_COLUMNS} columns.")
    if any(map(_is_number, header)) and not any(name in names for name in _NUMBER_NAMES):
        raise InvalidFileError("The export has no header: its first row contains a number.")
    return [name or f"column_{position}" for position, name in enumerate(names, 1)]


def number_column(
    header: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]], kind: InputKind
) -> int:
    """Return the index of the column that has the numbers.

    The first rule that finds a column decides:

    1. the first column whose cells may be entries: of those with a known name, or of all if there are none
    2. the first column whose cells look like entries
    3. the first column with a known name
    4. the first column, if another one carries a verdict or the table has a header but no rows

    Args:
        header: the cells of the header row.
        names: the names of the columns, from ``column_names``.
        rows: the first rows of the table.
        kind: the kind of entries that were submitted.

    Raises:
        InvalidFileError: no rule finds a column.
    """
    named: list[int] = [names.index(name) for name in _NUMBER_NAMES if name in names]
    cells = [[row[index] for row in rows if index < len(row) and row[index]] for index in range(len(names))]
    for index in named or range(len(names)):
        if _may_be_entries(cells[index], kind):
            return index
    for index in range(len(names)):
        if _look_like_entries(cells[index], kind):
            return index
    if named:
        return named[0]
    if any(name in VERDICT_COLUMNS for name in names) or (not rows and _is_header(header)):
        return 0
    raise InvalidFileError("The export is not a table with a number column.")


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names in order; repeated ones get ``_2``, ``_3`` and so on appended.

    >>> distinct_names(["band", "note", "band"])
    ('band', 'note', 'band_2')
    """
    distinct: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(2))
        distinct.append(next(new for new in chain([name], numbered) if new not in distinct))
    return tuple(distinct)


def _may_be_entries(cells: Sequence[str], kind: InputKind) -> bool:
    """Return whether the filled cells of a column may be the entries that were submitted."""
    if kind in {InputKind.PHONE, InputKind.EMAIL}:
        return _look_like_entries(cells, kind)
    # Entries of other kinds may look like anything, but a column that counts the rows is not likely one.
    row_counts = ([str(first + index) for index in range(len(cells))] for first in (0, 1))
    return len(cells) == 1 or bool(cells and list(cells) not in row_counts)


def _look_like_entries(cells: Sequence[str], kind: InputKind) -> bool:
    """Return whether most of the filled cells of a column look like entries of a kind."""
    looks_valid = {InputKind.PHONE: _is_phone_number, InputKind.EMAIL: _is_address}.get(kind, _is_number)
    return sum(map(looks_valid, cells)) > len(cells) / 2


def _is_header(row: Sequence[str]) -> bool:
    """Return whether the only row of a table is a header. An error message is one cell, or has spaces."""
    return len(row) > 1 and not any(map(_WHITE_SPACE.search, row))


def _is_number(cell: str) -> bool:
    return _is_phone_number(cell) or _is_address(cell)


def _is_phone_number(cell: str) -> bool:
    return len(digits_of(cell)) in _PHONE_NUMBER_LENGTHS


def _is_address(cell: str) -> bool:
    return "@" in cell
