"""Lay out tables and times for a terminal, whose lines are short."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

GAP = "  "
"""Between two columns."""

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

OLD = timedelta(days=30)
"""Older moments are shown as dates."""


def table_lines(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int, shortest: Mapping[str, int]
) -> Iterator[str]:
    r"""Yield a header and one line for each row, shortened if necessary.

    >>> print("\n".join(table_lines(("job", "key"), [("330d", "band/spring/leads.txt")], 20, {"key": 8})))
    job   key
    330d  band/sp…ds.txt

    Args:
        header: the names of the columns.
        rows: the cells, printable text without line ends.
        width: the columns of the terminal.
        shortest: the columns that may be shortened, in this order, each with its shortest width.
    """
    from rich.cells import cell_len, set_cell_size

    table = [header, *rows]
    widths = [max(cell_len(row[index]) for row in table) for index in range(len(header))]
    for name, least in shortest.items():
        excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
        index = header.index(name)
        widths[index] = max(widths[index] - max(excess, 0), min(widths[index], least))
    for row in table:
        cells = (set_cell_size(shortened(cell, size), size) for cell, size in zip(row, widths, strict=True))
        yield GAP.join(cells).rstrip()


def shortened(text: str, width: int) -> str:
    """Return a text that fits into so many columns; leave its middle out if necessary.

    >>> shortened("band/spring/leads.txt", 15), shortened("leads.txt", 15)
    ('band/sp…ads.txt', 'leads.txt')
    """
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    end = ""
    for letter in reversed(text):
        if cell_len(letter + end) > (width - 1) // 2:
            break
        end = letter + end
    return set_cell_size(text, width - 1 - cell_len(end)) + ELLIPSIS + end


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment was, or its date if that is long ago.

    >>> noon = datetime.fromisoformat("2026-03-04T12:00Z")
    >>> [ago(noon - timedelta(minutes=minutes), noon) for minutes in (0, 5, 200, 4000, 99999)]
    ['0 s ago', '5 min ago', '3 h ago', '2 d ago', '2025-12-25']
    """
    past = max(now - moment, timedelta())
    if past >= OLD:
        return f"{moment:%Y-%m-%d}"
    for unit, length in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if past >= length:
            return f"{past // length} {unit} ago"
    return f"{past.seconds} s ago"
