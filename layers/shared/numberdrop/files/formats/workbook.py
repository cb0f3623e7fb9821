"""Open ``.xlsx`` workbooks from outside and read their sheets, row by row in little memory.

Only what is needed is read: the list of sheets, the shared texts, the number formats and the cells. Fonts,
colours, properties of the document, drawings and formulas may be odd. ``openpyxl`` is not used. It parses all
of these, keeps elements that it does not know in memory, loses rows whose numbers repeat, and does not say
which rows are hidden.
"""

import posixpath
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import IO, Self, TypeVar
from xml.parsers.expat import ExpatError
from zipfile import ZipFile

from numberdrop.files.formats.archive import ArchiveLimits, open_archive
from numberdrop.files.formats.number_formats import NumberFormat
from numberdrop.files.formats.sheet import SheetRow, sheet_rows
from numberdrop.files.formats.untrusted import InvalidFileError, parse_errors_as
from numberdrop.files.formats.workbook_parts import FormatsReader, RelationsReader, SheetsReader, TextsReader
from numberdrop.files.formats.xml_part import PartReader, read_part

CONTENT_TYPES = "[Content_Types].xml"
"""The part that distinguishes an ``.xlsx``, which is a zip, from other archives (ECMA-376, part 2)."""

MAX_SHEETS = 20
"""Sheets that are searched for data. An empty sheet can take long too, if it has a row far down."""

_STANDARD_LIMITS = ArchiveLimits()
_PACKAGE = ""
"""The whole package, whose relations name the workbook's main part."""

_USUAL_MAIN_PART = "xl/workbook.xml"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of cells.

    Attributes:
        name: its name.
        is_visible: whether a spreadsheet shows it.
        part: the name of its part.
    """

    name: str
    is_visible: bool
    part: str


@dataclass(frozen=True, slots=True)
class Workbook:
    """An open workbook, from ``open_workbook``. Close it, or use it as a context manager.

    Attributes:
        sheets: its sheets in the order in which they are searched: as their tabs, hidden ones last.
        is_strict: whether it is written in Strict Open XML.
        size: bytes of its parts.
    """

    sheets: Sequence[Sheet]
    is_strict: bool
    size: int
    _parts: "_Parts"
    _texts: TextsReader
    _formats: Sequence[NumberFormat | None]

    def rows(self, sheet: Sheet) -> Generator[SheetRow, None, None]:
        """Yield all rows of a sheet, empty ones too, each up to its last filled cell.

        Raises:
            InvalidFileError: the sheet is broken, exceeds a bound, or its rows or cells are not in order.
        """
        with parse_errors_as("The workbook's sheet cannot be read."), self._parts.open(sheet.part) as part:
            yield from sheet_rows(part, self._texts, self._formats)

    def filled_sheets(self) -> Iterator[Sheet]:
        """Yield the sheets with data, of those that are searched.

        Raises:
            InvalidFileError: a sheet is broken.
        """
        for sheet in self.sheets[:MAX_SHEETS]:
            with closing(self.rows(sheet)) as rows:
                if any(any(row.cells) for row in rows):
                    yield sheet

    def close(self) -> None:
        """Close the workbook. The file stays open."""
        self._parts.archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_workbook(
    file: IO[bytes], limits: ArchiveLimits = _STANDARD_LIMITS, *, needs_formats: bool = True
) -> Workbook:
    """Open an ``.xlsx`` file.

    >>> from io import BytesIO
    >>> from openpyxl import Workbook as NewWorkbook
    >>> file, book = BytesIO(), NewWorkbook()
    >>> book.active.append(["Jane", 41790000001.0, None])
    >>> book.save(file)
    >>> with open_workbook(file) as workbook:
    ...     [row.cells for row in workbook.rows(workbook.sheets[0])]
    [['Jane', '41790000001']]

    Args:
        file: the file, which stays open.
        limits: the most that it may cost to read.
        needs_formats: whether a workbook is refused if it cannot be known how its numbers are shown.

    Raises:
        InvalidFileError: the file is not a workbook, is broken, or exceeds a limit.
    """
    archive = open_archive(file, replace(limits, unzipped=limits.workbook))
    with parse_errors_as("The file is not a workbook, or it cannot be read."):
        parts = _Parts(archive)
        main = parts.related(_PACKAGE).get("officeDocument", [("", _USUAL_MAIN_PART)])[0][1]
        sheets = parts.read(main, SheetsReader())
        texts = TextsReader()
        if part := parts.one_of("sharedStrings", main):
            parts.read(part, texts)
        formats = _formats(parts, main, from_1904=sheets.from_1904, needed=needs_formats)
        sheet_parts = dict(parts.related(main).get("worksheet", []))
        listed = [
            Sheet(name, is_visible, sheet_parts[relation_id])
            for name, relation_id, is_visible in sheets.sheets
            if relation_id in sheet_parts
        ]
        if len({sheet.part for sheet in listed}) < len(listed):
            raise InvalidFileError("Two sheets of the workbook share one part.")
        listed.sort(key=lambda sheet: not sheet.is_visible)
        size = sum(member.file_size for member in archive.infolist())
        return Workbook(listed, sheets.is_strict, size, parts, texts, formats)


def _formats(parts: "_Parts", main: str, *, from_1904: bool, needed: bool) -> Sequence[NumberFormat | None]:
    """Return the formats of numbers; none if the part that has them is broken and they are not needed."""
    reader = FormatsReader(from_1904=from_1904)
    if part := parts.one_of("styles", main):
        try:
            parts.read(part, reader)
        except (ExpatError, KeyError, ValueError):
            if needed:
                raise
            return []
    return reader.formats


_Reader = TypeVar("_Reader", bound=PartReader)


class _Parts:
    """The parts of a workbook by name. Programs differ in case and slashes."""

    def __init__(self, archive: ZipFile) -> None:
        self.archive = archive
        self._names = {_normalised(name): name for name in archive.namelist()}

    def open(self, name: str) -> IO[bytes]:
        return self.archive.open(self._names[_normalised(name)])

    def read(self, name: str, reader: _Reader) -> _Reader:
        with self.open(name) as part:
            for _ in read_part(part, reader):
                pass
        return reader

    def related(self, name: str) -> dict[str, list[tuple[str, str]]]:
        """Return the parts to which a part refers: ids and names by type (ECMA-376, part 2, section 9.3)."""
        folder, base = posixpath.split(name)
        relations = f"{folder}/_rels/{base}.rels"
        if _normalised(relations) not in self._names:
            return {}
        related: dict[str, list[tuple[str, str]]] = {}
        for kind, relation_id, target in self.read(relations, RelationsReader()).relations:
            related.setdefault(kind, []).append((relation_id, posixpath.join(f"/{folder}", target)))
        return related

    def one_of(self, kind: str, main: str) -> str | None:
        """Return the part of a kind that the main part names, or one with the usual name, or None."""
        usual = posixpath.join(posixpath.dirname(main), f"{kind}.xml")
        usual_parts = [("", usual)] if _normalised(usual) in self._names else []
        parts = self.related(main).get(kind, usual_parts)
        return parts[0][1] if parts else None


def _normalised(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/").lower()
