"""A look through a workbook's XML before it is read for good, so that it cannot flood the memory.

The reader holds a row, and all shared texts, in memory as objects. XML that is nothing but empty cells makes
some 80 times its size of them, so limits on bytes are not enough. A document type that declares anything is
refused, and entities with it; pictures name one that is elsewhere, which nobody fetches.
"""

from typing import IO
from xml.parsers import expat
from zipfile import ZipFile

from numberdrop.files.formats.untrusted import InvalidFileError

MAX_CELLS = 1000
"""Cells of a row; the vendor's exports have fewer than ten."""

MAX_ROWS = 1_048_576
"""What a sheet has at most (Microsoft, "Excel specifications and limits")."""

MAX_CELLS_OUTSIDE = 2 * MAX_ROWS
"""Cells in no row, as in the list of formulas: two in each row that a sheet can have."""

MAX_SHARED_TEXTS = 10_000_000
"""Ten cells of text in each row that a sheet can have."""

_BLOCK = 1024 * 1024


def check_workbook(file: IO[bytes]) -> None:
    """Reads all XML of a workbook once, in constant memory.

    A part may have any name (ECMA-376, part 2): what is no XML fails at its first bytes, as it would later.

    Raises:
        InvalidFileError: a row has too many cells, there are too many shared texts or cells in no row, rows
            that no sheet can have, or a document type that declares something.
        ExpatError: a part that is called XML is none.
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
    """Counts what becomes objects."""

    def __init__(self) -> None:
        self._cells = self._texts = self._row = 0
        self._most_cells = MAX_CELLS_OUTSIDE

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
                self._most_cells = MAX_CELLS
                self._row = _whole_number(attributes.get("r", "")) or self._row + 1
                if self._row > MAX_ROWS:
                    raise InvalidFileError(f"The sheet has rows beyond the {MAX_ROWS:,} that one can have.")
            case "c":
                self._cells += 1
                if self._cells > self._most_cells:
                    raise InvalidFileError(
                        f"A row of the sheet has far too many cells: more than {self._most_cells:,}."
                    )
            case "si":
                self._texts += 1
                if self._texts > MAX_SHARED_TEXTS:
                    raise InvalidFileError("The workbook has far too many texts.")

    def _refuse_declarations(
        self, _name: str, _system: str | None, _public: str | None, has_declarations: bool
    ) -> None:
        if has_declarations:
            raise InvalidFileError("The workbook has a document type, so it cannot be read.")


def _whole_number(text: str) -> int | None:
    """What the reader takes for the place of a row, None where it takes the text for none."""
    for number in (int, float):
        try:
            return int(number(text))
        except (ValueError, OverflowError):
            continue
    return None
