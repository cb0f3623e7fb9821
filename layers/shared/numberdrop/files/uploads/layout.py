"""How an upload is laid out: as a plain list, or as a table with the entries in one of its columns."""

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
"""The delimiter of a table with one column: a reader of CSV must be given one, and no text holds this."""

_MAX_SAMPLED = 200
"""Rows."""

_MAX_ABOVE = 5
"""Rows, in which a header is looked for below a title."""

_HINT = "sep="
"""Begins a line before the table that tells spreadsheets the delimiter: ``sep=;``."""

_PHONE_NAMES = (
    "phone phonenumber mobile mobilephone mobilenumber mobilephonenumber mobileno msisdn cell cellphone "
    "cellnumber whatsapp whatsappnumber tel telephone telephonenumber telno phoneno e164 contactnumber "
    "telefon telefonnummer handy handynummer mobil mobilnummer mobiltelefon rufnummer téléphone portable "
    "teléfono telefono celular móvil telefone cellulare телефон 手机号码 手机号 手机 电话号码 电话 電話番号 "
    "휴대폰번호 휴대폰 전화번호 phones phonenumbers number numbers número numero numéro nummer"
)
_EMAIL_NAMES = "email emailaddress mail mailaddress emails correo courriel"
_USERNAME_NAMES = "username user handle userhandle usernames users nickname"

_NAMES: Mapping[InputKind, Sequence[str]] = {
    InputKind.PHONE: _PHONE_NAMES.split(),
    InputKind.AS_WRITTEN: f"{_PHONE_NAMES} {_EMAIL_NAMES} {_USERNAME_NAMES}".split(),
    InputKind.EMAIL: _EMAIL_NAMES.split(),
}
"""How people name the column, the likeliest first; in lower case, and only letters and digits."""

_LIKE_A_PHONE_NUMBER = re.compile(r"(?:[\s+().\[\]/\-\u2010-\u2015]*[0-9]){6,15}")
_LIKE_AN_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_DATA = re.compile(r"@|(?:[0-9]\D?){4}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table has its entries.

    Attributes:
        delimiter: what stands between cells.
        header: the names of the columns, as far as they have any; ``column_1`` and so on where the table has
            no header of its own.
        entry_at: the column of the entries, from 0.
        first_row: the first row that is no header, from 0.
    """

    delimiter: str
    header: tuple[str, ...]
    entry_at: int
    first_row: int


def layout_of_text(text: str, kind: InputKind, rule: EntryRule) -> Layout | None:
    """How a text is laid out; None for a plain list.

    A text is a table if its first line names a column of the kind, alone or among others, and also if most of
    its lines have as many cells as the first, and more than one. Entries that are taken as written may hold a
    delimiter themselves, so there all lines must. A text that is all in quotes is a table of one column.

    Args:
        text: its first lines, not all of them blank.
        kind: what the checker takes.
        rule: the rule for the entries.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: which column holds the entries cannot be told.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    start = "\n".join(lines[:_MAX_ABOVE])
    samples = [_Sample.of(text, delimiter, kind, rule) for delimiter in DELIMITERS if delimiter in start]
    tables = [sample for sample in samples if sample.is_table(kind, rule)]
    # A row that begins a table by one delimiter may be a row far inside by another.
    tables.sort(key=lambda table: (table.begins_at, table.named_column(kind, rule) is None))
    for table in tables:
        if layout := table.layout(kind, rule):
            return layout
    if tables and kind is not InputKind.AS_WRITTEN:
        raise _no_column(kind, rule)
    column = _Sample.of(text, _NO_DELIMITER, kind, rule)
    if column.named_column(kind, rule) == 0 or all(line[0] == line[-1] == '"' for line in lines):
        return column.layout(kind, rule)
    return None


def layout_of_csv(text: str, kind: InputKind, rule: EntryRule) -> Layout:
    """How a table is laid out that is known to be one, delimited by commas.

    Its rows may end with their last filled cell, so the first tells little of how many columns there are.

    Args:
        text: its first lines, not all of them blank.
        kind: what the checker takes.
        rule: the rule for the entries.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: which column holds the entries cannot be told.
    """
    layout = _Sample.of(text, ",", kind, rule).as_wide_as_most().layout(kind, rule)
    if not layout:
        raise _no_column(kind, rule)
    return layout


@dataclass(frozen=True, slots=True)
class _Sample:
    """The first rows of a text as they are if this is its delimiter: those that are not blank or a title.

    Attributes:
        delimiter: what may stand between cells.
        begins_at: where the first of the rows is, from 0.
        below_title: whether there is a title above them.
        rows: the rows.
    """

    delimiter: str
    begins_at: int
    below_title: bool
    rows: list[list[str]]

    @classmethod
    def of(cls, text: str, delimiter: str, kind: InputKind, rule: EntryRule) -> "_Sample":
        hints = {_HINT, f"{_HINT}{delimiter}"}
        placed = enumerate(csv.reader(StringIO(text), delimiter=delimiter))
        filled = (
            (at, row) for at, row in placed if any(cell.strip() for cell in row) and row[0] not in hints
        )
        sample = list(islice(filled, _MAX_SAMPLED + 1)) or [(0, [""])]
        rows = [row for _, row in sample]
        first = _header_at(rows, kind, rule)
        return cls(delimiter, sample[first][0], first > 0, rows[first:])

    def as_wide_as_most(self) -> "_Sample":
        """The sample with its first row as long as half of the rows are, or longer."""
        width = sorted(map(len, self.rows))[len(self.rows) // 2]
        first, *others = self.rows
        return replace(self, rows=[first + [""] * (width - len(first)), *others])

    def is_table(self, kind: InputKind, rule: EntryRule) -> bool:
        """Whether the rows are those of a table with several columns.

        A title may also be what is taken as written; there it needs rows as if none were named.
        """
        width = len(self.rows[0])
        as_wide = sum(len(row) == width for row in self.rows)
        enough = len(self.rows) // 2 + 1
        named = self.named_column(kind, rule) is not None
        if kind is InputKind.AS_WRITTEN:
            enough = max(len(self.rows), 2 if self.below_title else 1)
            named = named and not self.below_title
        return width > 1 and (as_wide >= enough or named)

    def named_column(self, kind: InputKind, rule: EntryRule) -> int | None:
        """The column that the first row names as one of the kind; None if the row holds an entry instead."""
        first = self.rows[0]
        if len(first) > 1 and any(_looks_right(cell, kind, rule) or _is_address(cell) for cell in first):
            return None
        return _named_column(first, kind)

    def layout(self, kind: InputKind, rule: EntryRule) -> Layout | None:
        """The layout, None where no column holds entries.

        Raises:
            JobFailedError: ``NO_VALID_NUMBERS``: several columns do.
        """
        first = self.rows[0]
        named = self.named_column(kind, rule)
        if named is not None:
            return Layout(self.delimiter, without_blank_end(first), named, self.begins_at + 1)
        at = 0 if len(first) == 1 else self._filled_column(kind, rule)
        if at is None:
            return None
        if len(first) > 1 and not _DATA.search(first[at]):
            return Layout(self.delimiter, without_blank_end(first), at, self.begins_at + 1)
        columns = max(len(without_blank_end(row)) for row in self.rows)
        made_up = tuple(f"column_{number}" for number in range(1, columns + 1))
        return Layout(self.delimiter, made_up, at, self.begins_at)

    def _filled_column(self, kind: InputKind, rule: EntryRule) -> int | None:
        """The one column in which most cells look like entries.

        What is taken as written may be addresses, where there are no phone numbers.
        """
        columns = self._columns(lambda cell: _looks_right(cell, kind, rule))
        if not columns and kind is InputKind.AS_WRITTEN:
            columns = self._columns(_is_address)
        if len(columns) > 1:
            raise _many_columns(kind, rule)
        return columns[0] if columns else None

    def _columns(self, looks_right: Callable[[str], bool]) -> list[int]:
        """The columns in which most cells look right."""
        rows = self.rows[1:] or self.rows
        return [
            at
            for at in range(len(self.rows[0]))
            if sum(at < len(row) and looks_right(row[at]) for row in rows) > len(rows) / 2
        ]


def _header_at(rows: Sequence[Sequence[str]], kind: InputKind, rule: EntryRule) -> int:
    """Which of the first rows is the header below a title; 0 where none is.

    It names a column of the kind among others, with an entry below if it can be told what is one. The rows
    above hold no entries, no gaps, and fewer filled cells than it has: the first row of a table without a
    title is not like that.
    """
    most_above = 0
    for at, row in enumerate(rows[:_MAX_ABOVE]):
        if any(_may_be_entry(cell, kind, rule) for cell in row):
            return 0
        named = _named_column(row, kind) if len(row) > 1 and _filled(row) > most_above else None
        if named is not None and _has_entries(rows[at + 1 :], named, kind, rule):
            return at
        if len(without_blank_end(row)) > _filled(row):
            return 0
        most_above = max(most_above, _filled(row))
    return 0


def _has_entries(rows: Sequence[Sequence[str]], at: int, kind: InputKind, rule: EntryRule) -> bool:
    """Whether any row has an entry in a column, where that can be told of the kind and there are rows."""
    anything_goes = kind is InputKind.AS_WRITTEN
    return (
        anything_goes or not rows or any(at < len(row) and _looks_right(row[at], kind, rule) for row in rows)
    )


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _named_column(row: Sequence[str], kind: InputKind) -> int | None:
    names = [re.sub(r"[\W_]+", "", cell.casefold()) for cell in row]
    # A lone "user" or "mail" may be what is to be judged.
    is_line = kind is InputKind.AS_WRITTEN and len(row) == 1
    known = _NAMES[InputKind.PHONE if is_line else kind]
    return next((names.index(name) for name in known if name in names), None)


def without_blank_end(row: Sequence[str]) -> tuple[str, ...]:
    """The cells of a row up to the last one that is not blank."""
    length = len(row)
    while length and not row[length - 1].strip():
        length -= 1
    return tuple(row[:length])


def _may_be_entry(cell: str, kind: InputKind, rule: EntryRule) -> bool:
    if kind is InputKind.AS_WRITTEN:
        return bool(_DATA.search(cell))
    return _looks_right(cell, kind, rule)


def _looks_right(cell: str, kind: InputKind, rule: EntryRule) -> bool:
    match kind:
        case InputKind.AS_WRITTEN:
            return bool(_LIKE_A_PHONE_NUMBER.fullmatch(cell.strip()))
        case _:
            try:
                rule.read(cell.strip())
            except EntryRejectedError:
                return False
            return True


def _is_address(cell: str) -> bool:
    return bool(_LIKE_AN_ADDRESS.fullmatch(cell.strip()))


def _no_column(kind: InputKind, rule: EntryRule) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"The file is a table, but most cells of no column can be sent: each must be {rule.wanted}. "
        f"Name the column {_NAMES[kind][0]} in the first row and upload the file again.",
    )


def _many_columns(kind: InputKind, rule: EntryRule) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"The file is a table, and several columns could be the one to be checked: {rule.wanted}. "
        f"Name it {_NAMES[kind][0]} in the first row and upload the file again.",
    )
