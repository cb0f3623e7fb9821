"""The first rows of an upload, read as a table with an assumed delimiter."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from itertools import islice

from numberdrop.files.uploads import column_names, columns
from numberdrop.files.uploads.area_codes import check_area_codes
from numberdrop.files.uploads.countries import CountryColumns, by_country, country_columns, with_country
from numberdrop.files.uploads.entries import EntryRule
from numberdrop.files.uploads.errors import EntryRejectedError, second_table
from numberdrop.files.uploads.headers import Heading, header_of, name_key, words
from numberdrop.files.uploads.plain_lists import check_list, has_data
from numberdrop.files.uploads.tables import NO_DELIMITER, Layout, Wanted, made_up_names, without_blank_end
from numberdrop.jobs.checkers import InputKind

MAX_SAMPLED = 2_000
"""Rows."""

MAX_TITLE_ROWS = 50
"""Rows that are searched for a header below a title, a report's settings or a note."""

_MAX_WIDTH = 1_000
"""Columns that are looked at."""

_HINT = "sep="
"""Starts a line before the table that tells spreadsheets the delimiter: ``sep=;``, in any case."""

_PHONE_LIKE = re.compile(r"(?:[\s+().\[\]/\-\u2010-\u2015]*[0-9]){6,15}")
_ADDRESS_LIKE = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True)
class TableSample:
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
    def read(cls, text: str, delimiter: str, wanted: Wanted) -> "TableSample":
        """Return the sample of a text, below its title if it has one."""
        hints = {_HINT, f"{_HINT}{delimiter}"}
        indexed = enumerate(csv.reader(StringIO(text), delimiter=delimiter))
        filled = (
            (index, row)
            for index, row in indexed
            if any(cell.strip() for cell in row) and row[0].strip("\ufeff").casefold() not in hints
        )
        sample = list(islice(filled, MAX_SAMPLED + 1)) or [(0, [""])]
        rows = [row for _, row in sample]
        header = _header_index(rows, wanted)
        indexes = [index for index, _ in sample[header:]]
        return cls(delimiter, sample[header][0], header > 0, rows[header:], sample[:header], indexes)

    def with_usual_width(self) -> "TableSample":
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
        if any(is_likely_entry(cell, wanted) or _is_address(cell) for cell in first):
            return None
        return first

    def named_column(self, wanted: Wanted) -> int | None:
        """Return a column that the first row names as one of the kind, or None."""
        first = self.rows[0]
        if len(first) > 1 and self.names(wanted) is None:
            return None
        if len(first) == 1 and columns.has_a_number(first[0]):
            return None
        return _named_column(first, wanted)

    def layout(self, wanted: Wanted) -> Layout | None:
        """Return the layout, or None if no column holds entries.

        Raises:
            JobFailedError: ``NO_VALID_NUMBERS``: several columns may hold the entries.
        """
        first = self.rows[0]
        if len(first) == 1:
            check_list([row[0].strip() for row in self.rows if row], wanted)
            return self._layout(0, has_header=self.named_column(wanted) == 0)
        names = self.names(wanted)
        below = self.rows if names is None else self.rows[1:]
        rows = [without_blank_end(row[:_MAX_WIDTH]) for row in below]
        countries = self._country_columns(names, rows, wanted)
        column = columns.choose_column(
            without_blank_end(first[:_MAX_WIDTH]) if names else None,
            rows or [first],
            wanted.kind,
            wanted.rule,
            read_cell=_reader_with_countries(wanted.rule, countries) if countries.indexes else None,
            phones_only=wanted.phones_only,
        )
        if column is None:
            return None
        country = countries.of(column)
        self._check_area_codes(names, rows, column, wanted)
        if names and wanted.kind is InputKind.PHONE:
            self._check_second_table(names, column)
        cell = first[column] if column < len(first) else ""
        has_header = names is not None and _is_header_cell(cell, wanted)
        return self._layout(column, has_header=has_header, country=country)

    def layout_below(self, choice: str, wanted: Wanted) -> Layout | None:
        """Return the layout below the first row that has the chosen header, or None."""
        places = [*self.above, *zip(self.indexes, self.rows, strict=True)]
        for index, row in places[:MAX_TITLE_ROWS]:
            column = column_names.column_named(choice, row)
            if column is not None:
                rows = [below for place, below in places if place > index]
                self._check_area_codes(row, rows, column, wanted)
                country = self._country_columns(row, rows, wanted).of(column)
                return Layout(
                    self.delimiter, without_blank_end(row), column, index + 1, country_column=country
                )
        return None

    def layout_of_letter(self, choice: str, wanted: Wanted) -> Layout | None:
        """Return the layout with the column of the chosen letter, or None."""
        width = max(map(len, self.rows))
        names = self.names(wanted)
        column = column_names.column_of_letter(choice, width)
        if column is None or (self.delimiter == NO_DELIMITER and len(self.rows[0]) != 1):
            return None
        cell = self.rows[0][column] if column < len(self.rows[0]) else ""
        has_header = names is not None and _is_header_cell(cell, wanted)
        rows = self.rows[1:] if has_header else self.rows
        countries = self._country_columns(names, rows, wanted)
        self._check_area_codes(names, rows, column, wanted)
        return self._layout(column, has_header=has_header, country=countries.of(column))

    def _country_columns(
        self, names: Sequence[str] | None, rows: Sequence[Sequence[str]], wanted: Wanted
    ) -> CountryColumns:
        return country_columns(names, rows) if wanted.kind is InputKind.PHONE else CountryColumns((), None)

    def _check_area_codes(
        self, names: Sequence[str] | None, rows: Sequence[Sequence[str]], column: int, wanted: Wanted
    ) -> None:
        if wanted.kind is InputKind.PHONE:
            check_area_codes(names, rows, column, self._country_columns(names, rows, wanted).of(column))

    def _check_second_table(self, names: Sequence[str], column: int) -> None:
        """Refuse a table below which another one stands that has no phone numbers in the column.

        Raises:
            JobFailedError: ``NO_VALID_NUMBERS``.
        """
        known = {name_key(name) for name in names if name.strip()}
        for index, row in zip(self.indexes[1:], self.rows[1:], strict=True):
            cell = row[column].strip() if column < len(row) else ""
            if header_of(cell).heading is not Heading.OTHER or any(map(has_data, row)):
                continue
            if any(name_key(other) in known for place, other in enumerate(row) if place != column):
                raise second_table(index + 1, cell, names[column].strip())

    def _layout(self, column: int, *, has_header: bool, country: int | None = None) -> Layout:
        if has_header:
            names = without_blank_end(self.rows[0])
            return Layout(self.delimiter, names, column, self.start + 1, country_column=country)
        width = max(len(without_blank_end(row)) for row in self.rows)
        names = made_up_names(width)
        return Layout(self.delimiter, names, column, self.start, has_header=False, country_column=country)


def _is_header_cell(cell: str, wanted: Wanted) -> bool:
    return not has_data(cell) or _named_column([cell], wanted) == 0


def _header_index(rows: Sequence[Sequence[str]], wanted: Wanted) -> int:
    """Return the index of the header below a title, or 0 if there is no title.

    The header names a column of the kind and has other cells too. If entries can be recognised, that column
    has one below. The title rows above hold no entries, no gaps, and fewer filled cells than the header. The
    first row of a table without a title does not meet these conditions.
    """
    most_filled_above = 0
    for index, row in enumerate(rows[:MAX_TITLE_ROWS]):
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
        column < len(row) and (is_likely_entry(row[column], wanted) or _is_number(row[column], wanted))
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
    # "Tel. 030 23125001" is a letterhead.
    headings = [header_of("" if columns.has_a_number(cell) else cell.strip()) for cell in row]
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


def _may_be_entry(cell: str, wanted: Wanted) -> bool:
    if wanted.is_text:
        return has_data(cell)
    return is_likely_entry(cell, wanted)


def is_likely_entry(cell: str, wanted: Wanted) -> bool:
    """Return whether a cell holds an entry, as far as its shape shows."""
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


def _reader_with_countries(rule: EntryRule, countries: CountryColumns) -> columns.ReadCell:
    """Return the function that reads a cell in the country that its row names."""
    country_of, read_entry = cache(countries.of), by_country(rule).read

    def read(row: Sequence[str], column: int) -> object:
        country = country_of(column)
        name = row[country] if country is not None and country < len(row) else ""
        return read_entry(with_country(row[column].strip(), name))

    return read


def _is_address(cell: str) -> bool:
    return bool(_ADDRESS_LIKE.fullmatch(cell.strip()))
