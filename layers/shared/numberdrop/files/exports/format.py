"""Detect the file format of an export from its first bytes."""

from enum import StrEnum

from numberdrop.files.formats.archive import ZIP_START
from numberdrop.files.formats.unpacking import GZIP_START
from numberdrop.files.formats.workbook import CONTENT_TYPES

_NAME_LENGTH, _NAME_START = slice(26, 28), 30
"""Position of the name in the first member's local header (zip specification, section 4.3.7)."""

_WORKBOOK_STARTS = (CONTENT_TYPES.encode(), b"_rels/", b"docProps/", b"xl/")
"""Parts of an ``.xlsx`` (ECMA-376, part 1). Programs differ in which part they write first."""


class ExportFormat(StrEnum):
    """The file format of an export, whatever the file is called."""

    ZIP = "zip"
    XLSX = "xlsx"
    CSV = "csv"
    GZIP = "gz"

    @property
    def extension(self) -> str:
        """The file name extension, without the dot."""
        return self.value


def likely_format(start: bytes) -> ExportFormat:
    """Guess the format of a file from its first bytes, to name it before the rest has arrived.

    Only the complete archive shows for certain whether it is a workbook.

    >>> likely_format(b"number,band")
    <ExportFormat.CSV: 'csv'>
    """
    if start.startswith(GZIP_START):
        return ExportFormat.GZIP
    if not start.startswith(ZIP_START):
        return ExportFormat.CSV
    length = int.from_bytes(start[_NAME_LENGTH], "little")
    name = start[_NAME_START : _NAME_START + length]
    return ExportFormat.XLSX if name.startswith(_WORKBOOK_STARTS) else ExportFormat.ZIP
