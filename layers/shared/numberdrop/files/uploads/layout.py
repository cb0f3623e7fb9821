"""Detect how an upload is laid out: as a plain list, or as a table with the entries in one column."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from itertools import islice

from numberdrop.files.formats.delimited import DELIMITERS
from numberdrop.files.formats.entries_file import NUL
from numberdrop.files.uploads.entries import EntryRule
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

_NO_DELIMITER = NUL
"""The delimiter of a table with one column. ``csv`` needs one, and no text holds this character."""

_MAX_SAMPLED = 200
"""Rows."""

_MAX_TITLE_ROWS = 5
"""Rows that are searched for a header below a title."""

_HINT = "sep="
"""Starts a line before the table that tells spreadsheets the delimiter: ``sep=;``."""

_PHONE_NAMES = (
    "phone phonenumber mobile mobilephone mobilenumber mobilephonenumber mobileno msisdn cell cellphone "
    "cellnumber whatsapp whatsappnumber tel telephone telephonenumber telno phoneno e164 contactnumber "
    "telefon telefonnummer handy handynummer mobil mobilnummer mobiltelefon rufnummer téléphone portable "
    "teléfono telefono celular móvil telefone cellulare телефон 手机号码 手机号 手机 电话号码 电话 電話番号 "
    "휴대폰번호 휴대폰 전화번호 phones phonenumbers number numbers número numero numéro nummer"
)
_EMAIL_NAMES = "email emailaddress mail mailaddress emails correo courriel"
_USERNAME_NAMES = "username user handle userhandle usernames users nickname"

_COLUMN_NAMES: Mapping[InputKind, Sequence[str]] = {
    InputKind.PHONE: _PHONE_NAMES.split(),
    InputKind.AS_WRITTEN: f"{_PHONE_NAMES} {_EMAIL_NAMES} {_USERNAME_NAMES}".split(),
    InputKind.EMAIL: _EMAIL_NAMES.split(),
}
"""Common names of the column with the entries, the most likely first. Lower case, only letters and digits."""

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


def layout_of_text(text: str, kind: InputKind, rule: EntryRule) -> Layout | None:
    r"""Return the layout of a text, or None for a plain list.

    A text is a table in these cases:

    - Its first line names a column of the kind, alone or with others.
    - Most lines have as many cells as the first, and more than one. Entries taken as written may contain a
      delimiter themselves, so there all lines must.
    - All lines are in quotes. It then has one column.

    >>> from numberdrop.files.uploads.entries import entry_rule
    >>> kind = InputKind.PHONE
    >>> layout_of_text("name;phone\nJane;+41790000001\n", kind, entry_rule(kind))
    Layout(delimiter=';', header=('name', 'phone'), entry_column=1, first_row=1)

    Args:
        text: its first lines, at least one of which is not blank.
        kind: what the checker takes.
        rule: the rule for the entries.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the column with the entries cannot be determined.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    start = "\n".join(lines[:_MAX_TITLE_ROWS])
    samples = [_Sample.read(text, delimiter, kind, rule) for delimiter in DELIMITERS if delimiter in start]
    tables = [sample for sample in samples if sample.is_table(kind, rule)]
    # With the wrong delimiter, a table may seem to start at a row far below its real start.
    tables.sort(key=lambda table: (table.start, table.named_column(kind, rule) is None))
    for table in tables:
        if layout := table.layout(kind, rule):
            return layout
    if tables and kind is not InputKind.AS_WRITTEN:
        raise _no_column(kind, rule)
    column = _Sample.read(text, _NO_DELIMITER, kind, rule)
    if column.named_column(kind, rule) == 0 or all(line[0] == line[-1] == '"' for line in lines):
        return column.layout(kind, rule)
    return None


def layout_of_csv(text: str, kind: InputKind, rule: EntryRule) -> Layout:
    """Return the layout of a text that is known to be a table, delimited by commas.

    Its rows may end with their last filled cell, so the first row does not show how many columns there are.

    Args:
        text: its first lines, at least one of which is not blank.
        kind: what the checker takes.
        rule: the rule for the entries.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the column with the entries cannot be determined.
    """
    layout = _Sample.read(text, ",", kind, rule).with_usual_width().layout(kind, rule)
    if not layout:
        raise _no_column(kind, rule)
    return layout


@dataclass(frozen=True, slots=True)
class _Sample:
    """The first rows of a text if it has this delimiter, without blank rows and titles.

    Attributes:
        delimiter: the assumed delimiter.
        start: the index of the first of the rows in the text.
        below_title: whether a title stands above them.
        rows: the rows.
    """

    delimiter: str
    start: int
    below_title: bool
    rows: list[list[str]]

    @classmethod
    def read(cls, text: str, delimiter: str, kind: InputKind, rule: EntryRule) -> "_Sample":
        hints = {_HINT, f"{_HINT}{delimiter}"}
        indexed = enumerate(csv.reader(StringIO(text), delimiter=delimiter))
        filled = (
            (index, row)
            for index, row in indexed
            if any(cell.strip() for cell in row) and row[0] not in hints
        )
        sample = list(islice(filled, _MAX_SAMPLED + 1)) or [(0, [""])]
        rows = [row for _, row in sample]
        header = _header_index(rows, kind, rule)
        return cls(delimiter, sample[header][0], header > 0, rows[header:])

    def with_usual_width(self) -> "_Sample":
        """Return the sample with its first row padded to the median length of the rows."""
        width = sorted(map(len, self.rows))[len(self.rows) // 2]
        first, *others = self.rows
        return replace(self, rows=[first + [""] * (width - len(first)), *others])

    def is_table(self, kind: InputKind, rule: EntryRule) -> bool:
        """Return whether the rows form a table with several columns.

        Entries taken as written may look like a title. Below one, a named column is therefore not enough.
        """
        width = len(self.rows[0])
        as_wide = sum(len(row) == width for row in self.rows)
        required = len(self.rows) // 2 + 1
        named = self.named_column(kind, rule) is not None
        if kind is InputKind.AS_WRITTEN:
            required = max(len(self.rows), 2 if self.below_title else 1)
            named = named and not self.below_title
        return width > 1 and (as_wide >= required or named)

    def named_column(self, kind: InputKind, rule: EntryRule) -> int | None:
        """Return the column that the first row names as one of the kind, or None.

        If the first row of several cells holds an entry or an address, it is not a header.
        """
        first = self.rows[0]
        if len(first) > 1 and any(_is_likely_entry(cell, kind, rule) or _is_address(cell) for cell in first):
            return None
        return _named_column(first, kind)

    def layout(self, kind: InputKind, rule: EntryRule) -> Layout | None:
        """Return the layout, or None if no column holds entries.

        Raises:
            JobFailedError: ``NO_VALID_NUMBERS``: several columns hold entries.
        """
        first = self.rows[0]
        named = self.named_column(kind, rule)
        if named is not None:
            return Layout(self.delimiter, without_blank_end(first), named, self.start + 1)
        column = 0 if len(first) == 1 else self._entry_column(kind, rule)
        if column is None:
            return None
        if len(first) > 1 and not _DATA_LIKE.search(first[column]):
            return Layout(self.delimiter, without_blank_end(first), column, self.start + 1)
        width = max(len(without_blank_end(row)) for row in self.rows)
        made_up = tuple(f"column_{number}" for number in range(1, width + 1))
        return Layout(self.delimiter, made_up, column, self.start)

    def _entry_column(self, kind: InputKind, rule: EntryRule) -> int | None:
        """Return the only column in which most cells look like entries, or None.

        Entries taken as written may also be e-mail addresses, if no column holds phone numbers.
        """
        columns = self._columns(lambda cell: _is_likely_entry(cell, kind, rule))
        if not columns and kind is InputKind.AS_WRITTEN:
            columns = self._columns(_is_address)
        if len(columns) > 1:
            raise _many_columns(kind)
        return columns[0] if columns else None

    def _columns(self, accepts: Callable[[str], bool]) -> list[int]:
        """Return the columns in which most cells are accepted."""
        rows = self.rows[1:] or self.rows
        return [
            column
            for column in range(len(self.rows[0]))
            if sum(column < len(row) and accepts(row[column]) for row in rows) > len(rows) / 2
        ]


def _header_index(rows: Sequence[Sequence[str]], kind: InputKind, rule: EntryRule) -> int:
    """Return the index of the header below a title, or 0 if there is no title.

    The header names a column of the kind and has other cells too. If entries can be recognised, that column
    has one below. The title rows above hold no entries, no gaps, and fewer filled cells than the header. The
    first row of a table without a title does not meet these conditions.
    """
    most_filled_above = 0
    for index, row in enumerate(rows[:_MAX_TITLE_ROWS]):
        if any(_may_be_entry(cell, kind, rule) for cell in row):
            return 0
        filled = _filled_cells(row)
        named = _named_column(row, kind) if len(row) > 1 and filled > most_filled_above else None
        if named is not None and _has_entries(rows[index + 1 :], named, kind, rule):
            return index
        if len(without_blank_end(row)) > filled:
            return 0
        most_filled_above = max(most_filled_above, filled)
    return 0


def _has_entries(rows: Sequence[Sequence[str]], column: int, kind: InputKind, rule: EntryRule) -> bool:
    """Return whether a row has an entry in the column; true if there are no rows or any text is an entry."""
    if kind is InputKind.AS_WRITTEN or not rows:
        return True
    return any(column < len(row) and _is_likely_entry(row[column], kind, rule) for row in rows)


def _filled_cells(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _named_column(row: Sequence[str], kind: InputKind) -> int | None:
    names = [re.sub(r"[\W_]+", "", cell.casefold()) for cell in row]
    # A line with only "user" or "mail" may itself be an entry taken as written.
    is_line = kind is InputKind.AS_WRITTEN and len(row) == 1
    known = _COLUMN_NAMES[InputKind.PHONE if is_line else kind]
    return next((names.index(name) for name in known if name in names), None)


def without_blank_end(row: Sequence[str]) -> tuple[str, ...]:
    """Return the cells of a row up to the last that is not blank."""
    length = len(row)
    while length and not row[length - 1].strip():
        length -= 1
    return tuple(row[:length])


def _may_be_entry(cell: str, kind: InputKind, rule: EntryRule) -> bool:
    if kind is InputKind.AS_WRITTEN:
        return bool(_DATA_LIKE.search(cell))
    return _is_likely_entry(cell, kind, rule)


def _is_likely_entry(cell: str, kind: InputKind, rule: EntryRule) -> bool:
    if kind is InputKind.AS_WRITTEN:
        return bool(_PHONE_LIKE.fullmatch(cell.strip()))
    try:
        rule.read(cell.strip())
    except EntryRejectedError:
        return False
    return True


def _is_address(cell: str) -> bool:
    return bool(_ADDRESS_LIKE.fullmatch(cell.strip()))


def _no_column(kind: InputKind, rule: EntryRule) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        "The file is a table, but no column consists mostly of valid entries: each must be "
        f"{rule.description}. "
        f'Name the column "{_COLUMN_NAMES[kind][0]}" in the first row and upload the file again.',
    )


def _many_columns(kind: InputKind) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        "The file is a table, and several columns hold valid entries. Name the column to check "
        f'"{_COLUMN_NAMES[kind][0]}" in the first row and upload the file again.',
    )
