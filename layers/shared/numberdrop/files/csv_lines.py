"""Rows as lines of CSV text (RFC 4180), and back."""

import csv
from collections.abc import Iterable


def csv_lines(rows: Iterable[Iterable[str]], delimiter: str = ",") -> list[str]:
    """Each row as CSV, without the line end; a cell that holds a line end or the delimiter is quoted."""
    # Only with both in the line's end does the writer quote cells that hold either.
    writer = csv.writer(_Echo(), delimiter=delimiter, lineterminator="\r\n")
    return [writer.writerow(row)[:-2] for row in rows]


def csv_cells(line: str, delimiter: str = ",") -> list[str]:
    """The cells of one row."""
    return next(csv.reader([line], delimiter=delimiter), [])


class _Echo:
    """A file that gives back what is written to it, and so does a csv writer that writes to it."""

    def write(self, text: str) -> str:
        return text
