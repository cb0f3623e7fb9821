"""What a table of an upload is: where its entries are, and what is looked for in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from numberdrop.files.formats.entries_file import NUL
from numberdrop.files.uploads.entries import EntryRule
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reading_choice import UploadLayout

NO_DELIMITER = NUL
"""The delimiter of a table with one column. ``csv`` needs one, and no text holds this character."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table has its entries.

    Attributes:
        delimiter: the character between cells.
        header: the names of the columns up to the last that has one. If the table has no header, they are
            ``column_1`` and so on.
        entry_column: the index of the column with the entries.
        first_row: the index of the first row below the header.
        has_header: whether the table has a header.
        country_column: the index of the column with the country of each number, or None.
    """

    delimiter: str
    header: tuple[str, ...]
    entry_column: int
    first_row: int
    has_header: bool = True
    country_column: int | None = None

    @property
    def stored(self) -> UploadLayout:
        """The layout as the ledger stores it."""
        delimiter = "" if self.delimiter == NO_DELIMITER else self.delimiter
        return UploadLayout(
            delimiter, self.entry_column, self.first_row, self.has_header, self.country_column
        )


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


def made_up_names(width: int) -> tuple[str, ...]:
    """Return the names of the columns of a table that has no header."""
    return tuple(f"column_{number}" for number in range(1, width + 1))


def without_blank_end(row: Sequence[str]) -> tuple[str, ...]:
    """Return the cells of a row up to the last that is not blank."""
    length = len(row)
    while length and not row[length - 1].strip():
        length -= 1
    return tuple(row[:length])
