"""Rows as lines of CSV text (RFC 4180), and back."""

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Writer

    from _typeshed import SupportsWrite

DELIMITERS = (",", ";", "\t", "|")
"""What stands between cells in the tables that are read."""


def csv_lines(rows: Iterable[Iterable[str]], delimiter: str = ",") -> list[str]:
    """Each row as CSV, without the line end; a cell that holds a line end or the delimiter is quoted."""
    writer = csv_writer(_Echo(), delimiter)
    return [writer.writerow(row)[:-2] for row in rows]


def csv_writer(out: "SupportsWrite[str]", delimiter: str = ",") -> "Writer":
    """A writer of rows that ends lines with CRLF."""
    # Only with both in the line's end does the writer quote cells that hold either.
    return csv.writer(out, delimiter=delimiter, lineterminator="\r\n")


def csv_cells(line: str, delimiter: str = ",") -> list[str]:
    """The cells of one row."""
    return next(csv.reader([line], delimiter=delimiter), [])


class _Echo:
    """A file that gives back what is written to it, and so does a csv writer that writes to it."""

    def write(self, text: str) -> str:
        return text
