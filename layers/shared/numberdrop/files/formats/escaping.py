"""Escape CSV cells so that a spreadsheet does not run them as formulas."""

import re
from collections.abc import Iterable
from itertools import chain

from numberdrop.files.formats.delimited import csv_lines
from numberdrop.files.formats.entries_file import NUL

_SEPARATOR = NUL
"""Stands between cells that are searched together as one text. No cell holds it."""

_FORMULA = r"(?! *[+\-][0-9 ().,/\-]*{end})(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])"
_FORMULA_AT_START = re.compile(_FORMULA.format(end=r"\Z"))
_FORMULA_IN_ANY_CELL = re.compile(_SEPARATOR + _FORMULA.format(end=rf"(?:{_SEPARATOR}|\Z)"))
"""Finds a formula in a text with a separator before each cell, many times faster than cell by cell."""

_SEPARATES_CELLS = re.compile(r"[;\t\r\n]")
"""What separates cells or rows elsewhere."""

_INNER_FORMULA = re.compile(
    r"(?<=[;\t\r\n])(?![ \"]*[+\-][0-9 ().,/\-]*(?:[;\t\r\n]|\Z))"
    r"(?=(?:[^\S\t\r\n]|\")*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
"""Matches where a formula starts inside a cell, behind what separates cells or rows elsewhere.

There a quotation mark does not keep a cell together, because it is not at the start of one.
"""

_NUMBERS = re.compile(rf"(?:\+?[0-9]*{_SEPARATOR})*+")
"""Matches numbers with a separator after each. Most lists hold nothing else."""


def escaped(cell: str) -> str:
    r"""Return the cell, with a leading apostrophe if a spreadsheet would run it as a formula.

    Following OWASP's page "CSV Injection", a formula starts with a tab, a carriage return or a line feed, or,
    perhaps after white space, with ``=``, ``+``, ``-``, ``@`` or the full-width form of one. A sign followed
    only by digits, spaces and ``().,/-`` is left alone: it cannot run anything, and programs that look up a
    number must find it as it was sent.

    >>> [escaped(cell) for cell in ("=1+1", "+41 79 000 00 01", "yes")]
    ["'=1+1", '+41 79 000 00 01', 'yes']

    Spreadsheets in many languages separate cells by ``;``, and text that is pasted into any spreadsheet by
    tabs. There a cell in quotation marks ends at its line end, too, because the marks are not at its start.
    So what follows any of these inside a cell is escaped like a cell.

    >>> escaped("ok;=1+1"), escaped("ok\n=1+1")
    ("ok;'=1+1", "ok\n'=1+1")
    """
    if _FORMULA_AT_START.match(cell):
        cell = f"'{cell}"
    return _INNER_FORMULA.sub("'", cell) if _SEPARATES_CELLS.search(cell) else cell


def escaped_cells(cells: list[str]) -> list[str]:
    """Return each cell as it is written to a CSV file: escaped, and quoted if necessary.

    >>> escaped_cells(["+41790000001", "a,b"])
    ['+41790000001', '"a,b"']
    """
    if _NUMBERS.fullmatch(_SEPARATOR.join([*cells, ""])) or _is_plain(cells):
        return cells
    return csv_lines([escaped(cell)] for cell in cells)


def escaped_lines(rows: list[list[str]]) -> list[str]:
    """Return each row as a line of CSV, without a line end.

    >>> escaped_lines([["line", "text"], ["2", "=1+1"]])
    ['line,text', "2,'=1+1"]
    """
    if _is_plain(chain(*rows)):
        return list(map(",".join, rows))
    return csv_lines(map(escaped, row) for row in rows)


def _is_plain(cells: Iterable[str]) -> bool:
    """Return whether no cell needs quoting or escaping. All are checked at once, as few ever do."""
    text = _SEPARATOR.join(["", *cells])
    return not (any(character in text for character in '",;\t\r\n') or _FORMULA_IN_ANY_CELL.search(text))
