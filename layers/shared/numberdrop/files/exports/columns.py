"""Name the columns of an export and find the one that has the numbers."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, count

from numberdrop.files.exports.matching import digits_of
from numberdrop.files.exports.verdicts import GENERIC_NAMES, is_verdict_name, normalised
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.jobs.checkers import Checker, InputKind

_MAX_COLUMNS = 200

_PHONE_NAMES = (
    *("number", "phone", "mobile_number", "phone_number", "mobile", "msisdn"),
    *("tel", "telephone", "phone_no", "mobile_no"),
    *("号码", "手机号", "手机号码", "电话号码", "电话", "手机"),
    *("號碼", "手機號", "手機號碼", "電話號碼", "電話", "手機"),
)
_ADDRESS_NAMES = ("email", "邮箱", "电子邮箱", "郵箱", "電子郵箱")
_USER_NAMES = ("username", "用户名")

NUMBER_NAMES = (*_PHONE_NAMES, *_ADDRESS_NAMES, *_USER_NAMES)
"""Known names of the number column; an earlier one takes precedence."""

_WHITE_SPACE = re.compile(r"\s")
_HIDDEN_OR_DIGIT = re.compile(r"[0-9*]")
"""Characters of a phone number, some of which may be hidden (``4179*****01``)."""

FEWEST_DIGITS = 4
"""Digits of a phone number without its country code."""

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
    names = [normalised(name) for name in header]
    filled = max((position for row in rows for position, cell in enumerate(row, 1) if cell), default=0)
    while len(names) > filled and not names[-1]:
        names.pop()
    if not any(names):
        raise InvalidFileError("The export is empty.")
    if len(names) > _MAX_COLUMNS:
        raise InvalidFileError(f"The export has more than {_MAX_COLUMNS} columns.")
    if any(map(_is_number, header)) and not any(name in names for name in NUMBER_NAMES):
        raise InvalidFileError("The export has no header: its first row contains a number.")
    return [name or f"column_{position}" for position, name in enumerate(names, 1)]


def number_index(
    header: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]], checker: Checker
) -> int:
    """Return the index of the column that has the numbers, judged by its name and its cells.

    The first rule that finds a column decides:

    1. the first column whose cells may be entries: of those with a known name, or of all if there are none
    2. the first column that is named clearly, see ``clearly_named``
    3. the first column whose cells look like entries
    4. the first column with a known name
    5. the first column, if another one carries a verdict or the table has a header but no rows

    Args:
        header: the cells of the header row.
        names: the names of the columns, from ``column_names``.
        rows: the first rows of the table.
        checker: the checker of the job.

    Raises:
        InvalidFileError: no rule finds a column.
    """
    kind = checker.input
    cells = filled_cells(names, rows)
    named = _named(names, NUMBER_NAMES)
    for index in named or range(len(names)):
        if may_be_entries(cells[index], kind):
            return index
    for index in clearly_named(names, cells, kind):
        return index
    for index in range(len(names)):
        if _look_like_entries(cells[index], kind):
            return index
    if named:
        return named[0]
    if any(is_verdict_name(name, checker) for name in names) or (not rows and _is_header(header)):
        return 0
    raise InvalidFileError("The export is not a table with a number column.")


def clearly_named(names: Sequence[str], cells: Sequence[Sequence[str]], kind: InputKind) -> list[int]:
    """Return the indexes of the columns that the header names as those of the entries, the likeliest first.

    No other column may be the number column, even if it has more of the entries: an old or a second number of
    somebody may be an entry, too. A column does not count if the cells below such a name are something else:
    row numbers, or flags.

    >>> clearly_named(["old_number", "number"], [["41790000001"], ["079 000 00 02"]], InputKind.PHONE)
    [1]
    >>> clearly_named(["number", "contact"], [["1", "2"], ["41790000001", "41790000002"]], InputKind.PHONE)
    []

    Args:
        names: the names of the columns, from ``column_names``.
        cells: the filled cells of each column, from ``filled_cells``.
        kind: the kind of the entries.
    """
    return [
        index
        for index in _named(names, _PHONE_NAMES if kind is InputKind.PHONE else NUMBER_NAMES)
        if not cells[index] or _resemble_entries(cells[index], kind)
    ]


def filled_cells(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the cells of each column that are not empty."""
    return [[row[index] for row in rows if index < len(row) and row[index]] for index in range(len(names))]


def header_index(rows: Sequence[Sequence[str]]) -> int:
    """Return the index of the header among the first rows, which may begin with a title.

    The header is the first row without a number that has a known name of the number column and as many cells
    as the rows above it, or a generic name of the verdict column and more cells than those. If there is none,
    it is the first row with more than one cell, or else the first row.

    >>> header_index([["Check of 19 January"], ["Number", "band"], ["41790000001", "yes"]])
    1
    """
    widest = 0
    for index, row in enumerate(rows):
        filled = sum(map(bool, row))
        names = {*map(normalised, row)}
        is_wide = names.intersection(NUMBER_NAMES) if filled == widest else filled > widest
        if is_wide and names.intersection((*NUMBER_NAMES, *GENERIC_NAMES)) and not any(map(_is_number, row)):
            return index
        widest = max(widest, filled)
    return next((index for index, row in enumerate(rows) if sum(map(bool, row)) > 1), 0)


def other_names(names: Sequence[str], index: int) -> tuple[str, ...]:
    """Return the names of the columns other than the number, made distinct.

    Args:
        names: the names of all columns. The number may have two.
        index: the index of the number column.
    """
    return distinct_names([name for name in names if name != names[index]])


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


def may_be_entries(cells: Sequence[str], kind: InputKind) -> bool:
    """Return whether the filled cells of a column may be the entries that were submitted."""
    if kind in {InputKind.PHONE, InputKind.EMAIL}:
        return _look_like_entries(cells, kind)
    # Entries of other kinds may look like anything, but a column that counts the rows is not likely one.
    return len(cells) == 1 or bool(cells and not _count_rows(cells))


def _look_like_entries(cells: Sequence[str], kind: InputKind) -> bool:
    """Return whether most of the filled cells of a column look like entries of a kind."""
    return count_entries(cells, kind) > len(cells) / 2


def count_entries(cells: Iterable[str], kind: InputKind) -> int:
    """Return how many cells look like entries of a kind.

    >>> count_entries(["41790000001", "Total"], InputKind.PHONE)
    1
    """
    looks_valid = {InputKind.PHONE: _is_phone_number, InputKind.EMAIL: _is_address}.get(kind, _is_number)
    return sum(map(looks_valid, cells))


def _named(names: Sequence[str], known: Sequence[str]) -> list[int]:
    """Return the indexes of the columns that have a known name, in the order of the known names."""
    return [index for name in known for index, own in enumerate(names) if own == name]


def _resemble_entries(cells: Sequence[str], kind: InputKind) -> bool:
    """Return whether any of the filled cells of a column may be an entry in some form, known or not."""
    match kind:
        case InputKind.PHONE:
            return any(
                len(_HIDDEN_OR_DIGIT.findall(cell)) >= FEWEST_DIGITS for cell in cells
            ) and not _count_rows(cells)
        case InputKind.EMAIL:
            return any("@" in cell or "*" in cell for cell in cells)
        case _:
            return may_be_entries(cells, kind)


def _count_rows(cells: Sequence[str]) -> bool:
    """Return whether the cells of a column are 0, 1, 2 and so on, or 1, 2, 3."""
    return any(list(cells) == [str(first + index) for index in range(len(cells))] for first in (0, 1))


def _is_header(row: Sequence[str]) -> bool:
    """Return whether the only row of a table is a header. An error message is one cell, or has spaces."""
    return len(row) > 1 and not any(map(_WHITE_SPACE.search, row))


def _is_number(cell: str) -> bool:
    return _is_phone_number(cell) or _is_address(cell)


def _is_phone_number(cell: str) -> bool:
    return len(digits_of(cell)) in _PHONE_NUMBER_LENGTHS


def _is_address(cell: str) -> bool:
    return "@" in cell
