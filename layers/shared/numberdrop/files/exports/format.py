"""What an export is, by its bytes."""

from enum import StrEnum

from numberdrop.files.formats.archive import ZIP_START
from numberdrop.files.formats.workbook import CONTENT_TYPES

_NAME_LENGTH, _NAME_AT = slice(26, 28), 30
"""Where the first member's local header has its name (zip specification, section 4.3.7)."""

_WORKBOOK_STARTS = (CONTENT_TYPES.encode(), b"_rels/", b"docProps/", b"xl/")
"""The parts of an ``.xlsx`` (ECMA-376, part 1); programs differ in which they write first."""


class ExportFormat(StrEnum):
    """What an export is, by its bytes."""

    ZIP = "zip"
    XLSX = "xlsx"
    CSV = "csv"

    @property
    def extension(self) -> str:
        """What the name of such a file ends with, without the dot."""
        return self.value


def likely_format(start: bytes) -> ExportFormat:
    """The format of a file that begins with these bytes. Only the whole of an archive can tell for sure."""
    if not start.startswith(ZIP_START):
        return ExportFormat.CSV
    length = int.from_bytes(start[_NAME_LENGTH], "little")
    name = start[_NAME_AT : _NAME_AT + length]
    return ExportFormat.XLSX if name.startswith(_WORKBOOK_STARTS) else ExportFormat.ZIP
