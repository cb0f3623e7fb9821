"""Detect how an upload is laid out: as a plain list, or as a table with the entries in one column."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from itertools import islice

from numberdrop.files.formats.delimited import DELIMITERS
from numberdrop.files.formats.entries_file import NUL
from numberdrop.files.uploads import columns
from numberdrop.files.uploads.entries import EntryRule
from numberdrop.files.uploads.errors import EntryRejectedError, choose_a_column, no_such_column
from numberdrop.files.uploads.headers import Heading, header_of, name_key, words
from numberdrop.jobs.checkers import InputKind

NO_DELIMITER = NUL
"""The delimiter of a table with one column. ``csv`` needs one, and no text holds this character."""

_MAX_SAMPLED = 2_000
"""Rows."""

_MAX_TITLE_ROWS = 50
"""Rows that are searched for a header below a title, a report's settings or a note."""

_MAX_WIDTH = 1_000
"""Columns that are looked at."""

_HINT = "sep="
"""Starts a line before the table that tells spreadsheets the delimiter: ``sep=;``, in any case."""

_PHONE_LIKE = re.compile(r"(?:[\s+().\[\]/\-\u2010-\u2015]*[0-9]){6,15}")
_ADDRESS_LIKE = re.compile(r"[^\s@]+@[^\s@]+")
_DATA_LIKE = re.compile(r"@|(?:[0-9]\D?){4}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table has its entries.

    Attributes:
        delimiter: the character between cells.
        header: the names of the columns up to the last that has one. If the table has no header, they are
            ``column_1`` and so on.
        entry_column: the index of the column with the entries.
        first_row: the index of the first row below the header.
    """

    delimiter: str
    header: tuple[str, ...]
    entry_column: int
    first_row: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for in an upload.

    Attributes:
        kind: what the checker takes.
        rule: the rule for the entries.
        column: the header or letter of the column that the user chose, or None.
        phones_only: whether entries as written must be phone numbers.
    """

    kind: InputKind
    rule: EntryRule
    column: str | None = None
    phones_only: bool = False

    @property
    def is_text(self) -> bool:
        """Whether any text may be an entry."""
        return self.kind is InputKind.AS_WRITTEN


def layout_of_text(text: str, wanted: Wanted) -> Layout | None:
    r"""Return the layout of a text, or None for a plain list.

    A text is a table in these cases:

    - Its first line names a column of the kind, alone or with others.
    - Most lines have as many cells as the first, and more than one. Entries taken as written may contain a
      delimiter themselves, so there all lines must.
    - All lines are in quotes. It then has one column.
    - The user chose a column of it.

    >>> from numberdrop.files.uploads.entries import entry_rule
    >>> kind = InputKind.PHONE
    >>> layout_of_text("name;phone\nJane;+41790000001\n", Wanted(kind, entry_rule(kind)))
    Layout(delimiter=';', header=('name', 'phone'), entry_column=1, first_row=1)

    Args:
        text: its first lines, at least one of which is not blank.
        wanted: what to look for.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the column with the entries cannot be determined, or the column
            that the user chose does not exist.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    start = "\n".join(lines[:_MAX_TITLE_ROWS])
    samples = [_Sample.read(text, delimiter, wanted) for delimiter in DELIMITERS if delimiter in start]
    tables = [sample for sample in samples if sample.is_table(wanted)]
    # With the wrong delimiter, a table may seem to start at a row far below its real start.
    tables.sort(key=lambda table: (table.start, table.named_column(wanted) is None))
    column = _Sample.read(text, NO_DELIMITER, wanted)
    if wanted.column is not None:
        return _layout_of_choice([*tables, *samples, column], wanted.column, wanted)
    for table in tables:
        if layout := table.layout(wanted):
            return layout
    if tables and (not wanted.is_text or wanted.phones_only):
        raise columns.no_entries(wanted.kind, wanted.rule)
    if column.named_column(wanted) == 0 or all(line[0] == line[-1] == '"' for line in lines):
        return column.layout(wanted)
    _check_list(lines, wanted)
    return None


def layout_of_csv(text: str, wanted: Wanted) -> Layout:
    """Return the layout of a text that is known to be a table, delimited by commas.

    Its rows may end with their last filled cell, so the first row does not show how many columns there are.

    Args:
        text: its first lines, at least one of which is not blank.
        wanted: what to look for.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the column with the entries cannot be determined, or the column
            that the user chose does not exist.
    """
    sample = _Sample.read(text, ",", wanted).with_usual_width()
    if wanted.column is not None:
        return _layout_of_choice([sample], wanted.column, wanted)
    layout = sample.layout(wanted)
    if not layout:
        raise columns.no_entries(wanted.kind, wanted.rule)
    return layout


def delimiter_of_line(line: str, wanted: Wanted) -> str | None:
    """Return the delimiter of a list whose entries are all in one line; None for other lines.

    >>> from numberdrop.files.uploads.entries import entry_rule
    >>> delimiter_of_line("+41790000001, +41790000002", Wanted(InputKind.PHONE, entry_rule(InputKind.PHONE)))
    ','
    """
    for delimiter in DELIMITERS:
        cells = [cell for cell in line.split(delimiter) if cell.strip()]
        entries = sum(_is_likely_entry(cell, wanted) or columns.is_number_like(cell) for cell in cells)
        # With the wrong delimiter, the first cell of a table of one row may be an entry too.
        if len(cells) > 1 and entries == len(cells):
            return delimiter
    return None


def _layout_of_choice(samples: Sequence["_Sample"], choice: str, wanted: Wanted) -> Layout:
    """Return the layout of the first sample that has the column that the user chose.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: none has it.
    """
    for sample in samples:
        if layout := sample.layout_below(choice):
            return layout
    for sample in samples:
        if layout := sample.layout_of_letter(choice, wanted):
            return layout
    names = [name.strip() for name in samples[0].names(wanted) or () if name.strip()]
    raise no_such_column(choice, names if len(samples[0].rows[0]) > 1 else ())


def _check_list(lines: Sequence[str], wanted: Wanted) -> None:
    """Refuse a list whose first line says that the others are not phone numbers, and a list of dates.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``.
    """
    if wanted.kind is InputKind.EMAIL or (wanted.is_text and not wanted.phones_only):
        return
    first, rest = lines[0], lines[1:_MAX_SAMPLED]
    says_other = header_of(first).heading is Heading.OTHER and not _DATA_LIKE.search(first)
    numbers = sum(map(columns.is_number_like, rest))
    if says_other and numbers > len(rest) / 2 and sum(map(columns.has_plus, rest)) <= len(rest) / 2:
        raise choose_a_column([first], are_weak=True)
    if sum(map(columns.is_date_like, lines)) > len(lines) / 2:
        raise columns.no_entries(wanted.kind, wanted.rule)


@dataclass(frozen=True, slots=True)
class _Sample:
    """The first rows of a text if it has this delimiter, without blank rows and titles.

    Attributes:
        delimiter: the assumed delimiter.
        start: the index of the first of the rows in the text.
        below_title: whether a title stands above them.
        rows: the rows.
        above: the rows above them that are not blank, each with its index in the text.
        indexes: the index in the text of each of the rows.
    """

    delimiter: str
    start: int
    below_title: bool
    rows: list[list[str]]
    above: list[tuple[int, list[str]]]
    indexes: list[int]

    @classmethod
    def read(cls, text: str, delimiter: str, wanted: Wanted) -> "_Sample":
        hints = {_HINT, f"{_HINT}{delimiter}"}
        indexed = enumerate(csv.reader(StringIO(text), delimiter=delimiter))
        filled = (
            (index, row)
            for index, row in indexed
            if any(cell.strip() for cell in row) and row[0].strip("\ufeff").casefold() not in hints
        )
        sample = list(islice(filled, _MAX_SAMPLED + 1)) or [(0, [""])]
        rows = [row for _, row in sample]
        header = _header_index(rows, wanted)
        indexes = [index for index, _ in sample[header:]]
        return cls(delimiter, sample[header][0], header > 0, rows[header:], sample[:header], indexes)

    def with_usual_width(self) -> "_Sample":
        """Return the sample with its first row padded to the median length of the rows."""
        width = sorted(map(len, self.rows))[len(self.rows) // 2]
        first, *others = self.rows
        return replace(self, rows=[first + [""] * (width - len(first)), *others])

    def is_table(self, wanted: Wanted) -> bool:
        """Return whether the rows form a table with several columns.

        Entries taken as written may look like a title. Below one, a named column is therefore not enough.
        """
        width = len(self.rows[0])
        as_wide = sum(len(row) == width for row in self.rows)
        required = len(self.rows) // 2 + 1
        named = self.named_column(wanted) is not None
        if wanted.is_text:
            required = max(len(self.rows), 2 if self.below_title else 1)
            named = named and not self.below_title
        return width > 1 and (as_wide >= required or named)

    def names(self, wanted: Wanted) -> list[str] | None:
        """Return the cells of the first row if it is a header, or None.

        If the first row of several cells holds an entry or an address, it is not a header.
        """
        first = self.rows[0]
        if any(_is_likely_entry(cell, wanted) or _is_address(cell) for cell in first):
            return None
        return first

    def named_column(self, wanted: Wanted) -> int | None:
        """Return a column that the first row names as one of the kind, or None."""
        first = self.rows[0]
        if len(first) > 1 and self.names(wanted) is None:
            return None
        return _named_column(first, wanted)

    def layout(self, wanted: Wanted) -> Layout | None:
        """Return the layout, or None if no column holds entries.

        Raises:
            JobFailedError: ``NO_VALID_NUMBERS``: several columns may hold the entries.
        """
        first = self.rows[0]
        if len(first) == 1:
            return self._layout(0, has_header=self.named_column(wanted) == 0)
        names = self.names(wanted)
        below = self.rows if names is None else self.rows[1:]
        rows = [without_blank_end(row[:_MAX_WIDTH]) for row in below]
        column = columns.choose_column(
            without_blank_end(first[:_MAX_WIDTH]) if names else None,
            rows or [first],
            wanted.kind,
            wanted.rule,
            phones_only=wanted.phones_only,
        )
        if column is None:
            return None
        cell = first[column] if column < len(first) else ""
        return self._layout(column, has_header=names is not None and _is_header_cell(cell, wanted))

    def layout_below(self, choice: str) -> Layout | None:
        """Return the layout below the first row that has the chosen header, or None."""
        places = [*self.above, *zip(self.indexes, self.rows, strict=True)]
        for index, row in places[:_MAX_TITLE_ROWS]:
            column = columns.column_named(choice, row)
            if column is not None:
                return Layout(self.delimiter, without_blank_end(row), column, index + 1)
        return None

    def layout_of_letter(self, choice: str, wanted: Wanted) -> Layout | None:
        """Return the layout with the column of the chosen letter, or None."""
        width = max(map(len, self.rows))
        names = self.names(wanted)
        column = columns.column_of_letter(choice, width)
        if column is None or (self.delimiter == NO_DELIMITER and len(self.rows[0]) != 1):
            return None
        cell = self.rows[0][column] if column < len(self.rows[0]) else ""
        return self._layout(column, has_header=names is not None and _is_header_cell(cell, wanted))

    def _layout(self, column: int, *, has_header: bool) -> Layout:
        if has_header:
            return Layout(self.delimiter, without_blank_end(self.rows[0]), column, self.start + 1)
        width = max(len(without_blank_end(row)) for row in self.rows)
        return Layout(self.delimiter, made_up_names(width), column, self.start)


def made_up_names(width: int) -> tuple[str, ...]:
    """Return the names of the columns of a table that has no header."""
    return tuple(f"column_{number}" for number in range(1, width + 1))


def _is_header_cell(cell: str, wanted: Wanted) -> bool:
    return not _DATA_LIKE.search(cell) or _named_column([cell], wanted) == 0


def _header_index(rows: Sequence[Sequence[str]], wanted: Wanted) -> int:
    """Return the index of the header below a title, or 0 if there is no title.

    The header names a column of the kind and has other cells too. If entries can be recognised, that column
    has one below. The title rows above hold no entries, no gaps, and fewer filled cells than the header. The
    first row of a table without a title does not meet these conditions.
    """
    most_filled_above = 0
    for index, row in enumerate(rows[:_MAX_TITLE_ROWS]):
        if any(_may_be_entry(cell, wanted) for cell in row):
            return 0
        filled = _filled_cells(row)
        named = _named_column(row, wanted) if len(row) > 1 and filled > most_filled_above else None
        if named is not None and _has_entries(rows[index + 1 :], named, wanted):
            return index
        if len(without_blank_end(row)) > filled:
            return 0
        most_filled_above = max(most_filled_above, filled)
    return 0


def _has_entries(rows: Sequence[Sequence[str]], column: int, wanted: Wanted) -> bool:
    """Return whether a row has an entry in the column; true if there are no rows or any text is an entry."""
    if wanted.is_text or not rows:
        return True
    return any(
        column < len(row) and (_is_likely_entry(row[column], wanted) or _is_number(row[column], wanted))
        for row in rows
    )


def _is_number(cell: str, wanted: Wanted) -> bool:
    return wanted.kind is InputKind.PHONE and columns.is_number_like(cell)


def _filled_cells(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _named_column(row: Sequence[str], wanted: Wanted) -> int | None:
    """Return the first column that a row names as one of the kind, or None."""
    names = [name_key(cell) for cell in row]
    if wanted.kind is InputKind.EMAIL:
        return _first(names, words("email"))
    headings = [header_of(cell.strip()) for cell in row]
    if wanted.is_text:
        # Any longer text may itself be an entry taken as written.
        phones = [header.heading is Heading.PHONE and header.preference == _ALONE for header in headings]
        numbers = [header.heading is Heading.NUMBER for header in headings]
    else:
        phones = [header.heading is Heading.PHONE for header in headings]
        numbers = [header.heading is Heading.NUMBER for header in headings]
    for named in (phones, numbers):
        if True in named:
            return named.index(True)
    # A line with only "user" or "mail" may itself be an entry taken as written.
    if wanted.is_text and not wanted.phones_only and len(row) > 1:
        return _first(names, [*words("email"), *words("user name")])
    return None


_ALONE = 2
"""The preference of a header without words beside "phone"."""


def _first(names: Sequence[str], known: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def without_blank_end(row: Sequence[str]) -> tuple[str, ...]:
    """Return the cells of a row up to the last that is not blank."""
    length = len(row)
    while length and not row[length - 1].strip():
        length -= 1
    return tuple(row[:length])


def _may_be_entry(cell: str, wanted: Wanted) -> bool:
    if wanted.is_text:
        return bool(_DATA_LIKE.search(cell))
    return _is_likely_entry(cell, wanted)


def _is_likely_entry(cell: str, wanted: Wanted) -> bool:
    text = cell.strip()
    if columns.is_date_like(text):
        return False
    if wanted.is_text:
        return bool(_PHONE_LIKE.fullmatch(text))
    try:
        wanted.rule.read(text)
    except EntryRejectedError:
        return False
    return True


def _is_address(cell: str) -> bool:
    return bool(_ADDRESS_LIKE.fullmatch(cell.strip()))
