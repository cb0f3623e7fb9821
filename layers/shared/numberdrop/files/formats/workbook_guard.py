"""Scan a workbook's XML before it is read, so that a hostile file cannot exhaust memory.

``openpyxl`` holds a row and all shared strings as objects. XML with nothing but empty cells turns into
objects of some 80 times its size, so limits on bytes are not enough. A document type with declarations is
refused, and all entities with it. Pictures may name an external document type, which is never fetched.
"""

from typing import IO
from xml.parsers import expat
from zipfile import ZipFile

from numberdrop.files.formats.untrusted import InvalidFileError

MAX_CELLS = 1000
"""Most cells of a row. The vendor's exports have fewer than ten."""

MAX_ROWS = 1_048_576
"""Most rows of a sheet (Microsoft, "Excel specifications and limits")."""

MAX_CELLS_OUTSIDE = 2 * MAX_ROWS
"""Most cells outside rows, as in the list of formulas: two for each row that a sheet can have."""

MAX_SHARED_TEXTS = 10_000_000
"""Most shared strings: ten text cells in each row that a sheet can have."""

_BLOCK = 1024 * 1024


def check_workbook(file: IO[bytes]) -> None:
    """Parse all XML of a workbook once, in constant memory, and raise if it exceeds a limit.

    A part may have any name (ECMA-376, part 2), so all parts are parsed. One that is not XML fails at its
    first bytes, as it would later in ``openpyxl``.

    Raises:
        InvalidFileError: a row has too many cells, there are too many shared strings or cells outside rows, a
            row number is beyond what a sheet can have, or a document type has declarations.
        ExpatError: a part whose name says XML is not XML.
    """
    with ZipFile(file) as archive:
        for member in archive.infolist():
            with archive.open(member) as part:
                try:
                    _Counter().read(part)
                except expat.ExpatError:
                    if member.filename.lower().endswith((".xml", ".rels")):
                        raise


class _Counter:
    """Counts the elements that ``openpyxl`` turns into objects."""

    def __init__(self) -> None:
        self._cells = self._texts = self._row = 0
        self._max_cells = MAX_CELLS_OUTSIDE

    def read(self, xml: IO[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = self._refuse_declarations
        while block := xml.read(_BLOCK):
            parser.Parse(block)
        parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._cells = 0
                self._max_cells = MAX_CELLS
                self._row = _row_number(attributes.get("r", "")) or self._row + 1
                if self._row > MAX_ROWS:
                    raise InvalidFileError(
                        f"The sheet has rows beyond the {MAX_ROWS:,} that a sheet can have."
                    )
            case "c":
                self._cells += 1
                if self._cells > self._max_cells:
                    raise InvalidFileError(
                        f"A row of the sheet has too many cells: more than {self._max_cells:,}."
                    )
            case "si":
                self._texts += 1
                if self._texts > MAX_SHARED_TEXTS:
                    raise InvalidFileError("The workbook has far too many texts.")

    def _refuse_declarations(
        self, _name: str, _system: str | None, _public: str | None, has_declarations: bool
    ) -> None:
        if has_declarations:
            raise InvalidFileError(
                "The workbook has a document type with declarations, so it cannot be read."
            )


def _row_number(text: str) -> int | None:
    """Return the row number as ``openpyxl`` reads it, or None if it takes the text for none."""
    for number in (int, float):
        try:
            return int(number(text))
        except (ValueError, OverflowError):
            continue
    return None
