"""The columns of an export: how they are called, and which says whom a row is about."""

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
"""Names of the column that says whom a row is about; an earlier one goes before a later one."""

_WHITE_SPACE = re.compile(r"\s")

_DIGITS_OF_A_NUMBER = range(7, 18)
"""Of a phone number with its country code, perhaps with ``00`` before it."""


def column_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The names of all columns. Those without get one, except the last if the first rows have nothing there.

    Raises:
        InvalidFileError: the first row cannot be a header, so this is no table.
    """
    names = [re.sub(r"\W+", "_", name.lower()).strip("_") for name in header]
    filled = max((at for row in rows for at, cell in enumerate(row, 1) if cell), default=0)
    while len(names) > filled and not names[-1]:
        names.pop()
    if not any(names):
        raise InvalidFileError("The export is empty.")
    if len(names) > _MAX_COLUMNS:
        raise InvalidFileError("The export has far too many columns.")
    if any(map(_is_number, header)) and not any(name in names for name in _NUMBER_NAMES):
        raise InvalidFileError("The export has no header: its first row holds a number.")
    return [name or f"column_{at}" for at, name in enumerate(names, 1)]


def number_column(
    header: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]], kind: InputKind
) -> int:
    """Which column says whom a row is about.

    It is the first of those with a known name, or of all where there is none, whose first cells may be what
    was submitted; otherwise the first whose cells look like it. Where no cells tell, the name does; a table
    with a verdict or without rows has it in its first column.

    Raises:
        InvalidFileError: nothing tells.
    """
    named: list[int] = [names.index(name) for name in _NUMBER_NAMES if name in names]
    cells = [[row[at] for row in rows if at < len(row) and row[at]] for at in range(len(names))]
    for at in named or range(len(names)):
        if _may_be_submitted(cells[at], kind):
            return at
    for at in range(len(names)):
        if _look_submitted(cells[at], kind):
            return at
    if named:
        return named[0]
    if any(name in VERDICT_COLUMNS for name in names) or (not rows and _is_header(header)):
        return 0
    raise InvalidFileError("The export is no table with a column for the number.")


def _may_be_submitted(cells: Sequence[str], kind: InputKind) -> bool:
    """Whether the filled cells of a column may be what was submitted."""
    if kind in {InputKind.PHONE, InputKind.EMAIL}:
        return _look_submitted(cells, kind)
    # It may look like anything, but what counts the rows is hardly it.
    ordinals = ([str(at + first) for at in range(len(cells))] for first in (0, 1))
    return len(cells) == 1 or bool(cells and list(cells) not in ordinals)


def _is_header(row: Sequence[str]) -> bool:
    """Whether the only row of a table names columns: an error message is one cell, or has spaces in it."""
    return len(row) > 1 and not any(map(_WHITE_SPACE.search, row))


def _look_submitted(cells: Sequence[str], kind: InputKind) -> bool:
    """Whether most of the filled cells of a column look like what is submitted of a kind."""
    looks_right = {InputKind.PHONE: _is_phone_number, InputKind.EMAIL: _is_address}.get(kind, _is_number)
    return sum(map(looks_right, cells)) > len(cells) / 2


def _is_number(cell: str) -> bool:
    return _is_phone_number(cell) or _is_address(cell)


def _is_phone_number(cell: str) -> bool:
    return len(digits_of(cell)) in _DIGITS_OF_A_NUMBER


def _is_address(cell: str) -> bool:
    return "@" in cell


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names, those that repeat an earlier one with ``_2``, ``_3`` ... behind."""
    distinct: list[str] = []
    for name in names:
        repeats = (f"{name}_{number}" for number in count(2))
        distinct.append(next(new for new in chain([name], repeats) if new not in distinct))
    return tuple(distinct)
