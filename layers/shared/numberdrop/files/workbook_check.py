"""A look through a workbook's XML before it is read for good, so that it cannot flood the memory.

The reader holds a row, and all shared texts, in memory as objects. XML that is nothing but empty cells makes
some 80 times its size of them, so limits on bytes are not enough. A DTD is refused, and entities with it.
"""

from typing import IO
from xml.parsers import expat
from zipfile import ZipFile

from numberdrop.files.archive import ExportInvalidError

MOST_CELLS = 1000
"""Cells of a row; the vendor's exports have fewer than ten."""

MOST_SHARED_TEXTS = 10_000_000
"""Ten cells of text in each row that a sheet can have."""

_BLOCK = 1024 * 1024


def check_workbook(file: IO[bytes]) -> None:
    """Reads all XML of a workbook once, in constant memory.

    Raises:
        ExportInvalidError: a row has too many cells, there are too many shared texts, or a DTD.
    """
    with ZipFile(file) as archive:
        for member in archive.infolist():
            if member.filename.lower().endswith((".xml", ".rels")):
                with archive.open(member) as xml:
                    _Counter().read(xml)


class _Counter:
    """Counts what becomes objects."""

    def __init__(self) -> None:
        self._cells = self._texts = 0

    def read(self, xml: IO[bytes]) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.StartDoctypeDeclHandler = self._refuse_dtd
        while block := xml.read(_BLOCK):
            parser.Parse(block)
        parser.Parse(b"", True)

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._cells = 0
            case "c":
                self._cells += 1
                if self._cells > MOST_CELLS:
                    raise ExportInvalidError("A row of the export's sheet has far too many cells.")
            case "si":
                self._texts += 1
                if self._texts > MOST_SHARED_TEXTS:
                    raise ExportInvalidError("The export's workbook has far too many texts.")

    def _refuse_dtd(self, *_declaration: object) -> None:
        raise ExportInvalidError("The export's workbook has a document type, so it cannot be read.")
