"""What a user chose to be read of an upload, and how the upload was read when it was sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Self
from urllib.parse import quote, unquote

COLUMN_METADATA = "column"
"""The object's metadata with the header or the letter of the column to read."""

SHEET_METADATA = "sheet"
"""The object's metadata with the name of the sheet to read."""

_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user chose to be read.

    Attributes:
        column: the header or letter of a column, or None.
        sheet: the name of a sheet, or None.
    """

    column: str | None = None
    sheet: str | None = None

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Return the choice in an object's metadata.

        >>> Choice.from_metadata({"column": "Tel%C3%A9fono", "sheet": "=?UTF-8?Q?Teilnehmer_K=C3=B6ln?="})
        Choice(column='Teléfono', sheet='Teilnehmer Köln')
        """
        column, sheet = (metadata_text(metadata.get(name, "")) for name in (COLUMN_METADATA, SHEET_METADATA))
        return cls(column or None, sheet or None)

    @property
    def metadata(self) -> dict[str, str]:
        """The object's metadata for this choice, in ASCII: S3's REST API takes nothing else."""
        chosen = {COLUMN_METADATA: self.column, SHEET_METADATA: self.sheet}
        return {name: quote(text, safe=" ") for name, text in chosen.items() if text}


def metadata_text(value: str) -> str:
    """Return the text of a value of an object's metadata.

    S3 returns characters beyond ASCII encoded by RFC 2047 (S3 user guide, "Working with object metadata").
    Programs that cannot send them write UTF-8 with percent signs.

    >>> metadata_text("Telefon gesch%C3%A4ftlich"), metadata_text("100 %")
    ('Telefon geschäftlich', '100 %')
    """
    text = value.strip()
    if _ENCODED_WORD.search(text):
        try:
            text = str(make_header(decode_header(text)))
        except (HeaderParseError, LookupError, ValueError):
            return text
    try:
        return unquote(text, errors="strict").strip()
    except UnicodeDecodeError:
        return text


@dataclass(frozen=True, slots=True)
class UploadLayout:
    """How an upload was read when it was sent. It is read in the same way when its results are collected.

    Attributes:
        delimiter: the character between cells, or between the entries of a list in one line. Empty if there
            is none.
        column: the index of the column with the entries; None for a plain list.
        first_row: the index of the first row below the header.
        has_header: whether the row above it is the header.
        country_column: the index of the column with the country of each number, or None.
    """

    delimiter: str = ""
    column: int | None = None
    first_row: int = 0
    has_header: bool = False
    country_column: int | None = None
