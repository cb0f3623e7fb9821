"""Write and read rows as lines of CSV text (RFC 4180)."""

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Writer

    from _typeshed import SupportsWrite

DELIMITERS = (",", ";", "\t", "|")
"""Delimiters that a table may use."""


def csv_lines(rows: Iterable[Iterable[str]], delimiter: str = ",") -> list[str]:
    r"""Return each row as CSV without a line end. Cells with a line end or the delimiter are quoted.

    >>> csv_lines([["Jane", "+41790000001"], ["Doe, Rick", ""]])
    ['Jane,+41790000001', '"Doe, Rick",']
    """
    writer = csv_writer(_Echo(), delimiter)
    return [writer.writerow(row)[:-2] for row in rows]


def csv_writer(out: "SupportsWrite[str]", delimiter: str = ",") -> "Writer":
    """Return a CSV writer that ends lines with CRLF."""
    # The writer quotes a cell with a CR or LF only if the character is part of its line terminator.
    return csv.writer(out, delimiter=delimiter, lineterminator="\r\n")


def csv_cells(line: str, delimiter: str = ",") -> list[str]:
    """Return the cells of one row.

    >>> csv_cells('"Doe, Rick",yes')
    ['Doe, Rick', 'yes']
    """
    return next(csv.reader([line], delimiter=delimiter), [])


class _Echo:
    """A file whose ``write`` returns the text, so that ``writerow`` of its CSV writer returns it too."""

    def write(self, text: str) -> str:
        return text
