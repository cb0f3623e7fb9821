"""Keeps cells from being run as formulas when a person opens a CSV file in a spreadsheet."""

import re
from collections.abc import Iterable
from itertools import chain

from numberdrop.files.formats.delimited import csv_lines

_FORMULA = r"(?! *[+\-][0-9 ().,/\-]*{end})(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])"
_FORMULA_AT_START = re.compile(_FORMULA.format(end=r"\Z"))
_FORMULA_AMONG = re.compile(r"\0" + _FORMULA.format(end=r"(?:\0|\Z)"))
"""Finds one among texts with a NUL before each, many times faster than by looking at each."""

_NUMBERS = re.compile(r"(?:\+?[0-9]*\0)*+")
"""Numbers with a NUL behind each, which is what most lists are made of."""


def escaped(cell: str) -> str:
    """The cell, with a leading apostrophe if a spreadsheet would run it as a formula.

    Which cells those are comes from OWASP's page "CSV Injection": they start, perhaps after white space, with
    ``=``, ``+``, ``-``, ``@`` or the full-width form of one. A sign with nothing behind it but digits, spaces
    and ``().,/-`` stays as it is: there is nothing in it to run, and programs that look up a number must find
    it as it was sent.
    """
    return f"'{cell}" if _FORMULA_AT_START.match(cell) else cell


def escaped_cells(cells: list[str]) -> list[str]:
    """Each cell as it stands in a CSV file: escaped, and quoted where it must be."""
    if _NUMBERS.fullmatch("\0".join([*cells, ""])) or _is_plain(cells):
        return cells
    return csv_lines([escaped(cell)] for cell in cells)


def escaped_lines(rows: list[list[str]]) -> list[str]:
    """Each row as a line of CSV, without the line end."""
    if _is_plain(chain(*rows)):
        return list(map(",".join, rows))
    return csv_lines(map(escaped, row) for row in rows)


def _is_plain(cells: Iterable[str]) -> bool:
    """Whether no cell needs care: a look at all of them together, as nearly always there is none."""
    text = "\0".join(["", *cells])
    return not (any(character in text for character in '",\r\n') or _FORMULA_AMONG.search(text))
