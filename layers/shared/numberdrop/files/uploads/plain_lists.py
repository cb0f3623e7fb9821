"""Refuse lists whose lines are probably not phone numbers, although their digits may be."""

import re
from collections.abc import Sequence

from numberdrop.files.uploads import columns
from numberdrop.files.uploads.errors import choose_a_column
from numberdrop.files.uploads.headers import Heading, header_of
from numberdrop.files.uploads.tables import Wanted
from numberdrop.jobs.checkers import InputKind

_MAX_SAMPLED = 2_000
"""Lines."""

_FEW = 3
"""Fewer lines may look like dates by chance."""

_COMPACT_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_DATA_LIKE = re.compile(r"@|(?:[0-9]\D?){4}")


def has_data(cell: str) -> bool:
    """Return whether a cell has digits or an at sign, so that it is not the name of a column.

    >>> has_data("Phone 2"), has_data("2025-550-101")
    (False, True)
    """
    return bool(_DATA_LIKE.search(cell))


def check_list(lines: Sequence[str], wanted: Wanted) -> None:
    """Refuse a list whose first line says that the others are not phone numbers, and a list of dates.

    A first line without digits is judged like the header of a table: below one that does not name phones,
    something else than the digits must say that they are.

    >>> from numberdrop.files.uploads.entries import entry_rule
    >>> wanted = Wanted(InputKind.PHONE, entry_rule(InputKind.PHONE, "ES"))
    >>> check_list(["Telefono", "612345678"], wanted)
    >>> check_list(["Socios", "612345678"], wanted)
    Traceback (most recent call last):
    numberdrop.jobs.reasons.JobFailedError: NO_VALID_NUMBERS: The file is a table, and nothing but the ...

    Args:
        lines: the lines that are not blank, without white space around them. At least one.
        wanted: what to look for.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``.
    """
    if wanted.kind is InputKind.EMAIL or (wanted.is_text and not wanted.phones_only):
        return
    first, rest = lines[0], lines[1:_MAX_SAMPLED]
    numbers = sum(map(columns.is_number_like, rest))
    if not has_data(first) and numbers > len(rest) / 2:
        says_other = header_of(first).heading is Heading.OTHER
        if says_other and sum(map(columns.has_plus, rest)) <= len(rest) / 2:
            raise choose_a_column([first], are_weak=True)
        if wanted.kind is InputKind.PHONE:
            columns.choose_column([first], [[line] for line in rest], wanted.kind, wanted.rule)
    dates = sum(map(columns.is_date_like, lines))
    compact = sum(bool(_COMPACT_DATE.fullmatch(line)) for line in lines)
    if dates > len(lines) / 2 or compact > max(len(lines) / 2, _FEW - 1):
        raise columns.no_entries(wanted.kind, wanted.rule)
