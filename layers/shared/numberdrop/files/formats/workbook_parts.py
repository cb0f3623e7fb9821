"""Read the parts of a workbook to which its cells refer: relations, sheets, shared texts and number formats.

The parts are described in ECMA-376, part 1, section 18, and part 2, section 9.3.
"""

import re
from array import array
from collections.abc import Sized

from numberdrop.files.formats.number_formats import NumberFormat, number_format
from numberdrop.files.formats.untrusted import InvalidFileError

MAX_LISTED = 100_000
"""Most sheets, relations or formats. Excel has at most 65,490 formats of cells."""

MAX_SHARED_TEXTS = 10_000_000
"""Most shared texts: ten text cells in each row that a sheet can have."""

MAX_SHARED_BYTES = 256 * 1024 * 1024
"""Bytes of all shared texts, which are held in memory."""

MAX_TEXT_LENGTH = 1024 * 1024
"""Characters of a text. Excel accepts 32,767."""

STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
"""Namespace of Strict Open XML (ISO/IEC 29500, part 1)."""

_NAMESPACES = {"http://schemas.openxmlformats.org/spreadsheetml/2006/main", STRICT}
_ID_ATTRIBUTES = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships id",
    "http://purl.oclc.org/ooxml/officeDocument/relationships id",
)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TRUE = {"1", "true", "on"}


def local_name(name: str) -> str:
    """Return the local name of an element of SpreadsheetML, or an empty text for any other element."""
    namespace, _, local = name.rpartition(" ")
    return local if namespace in _NAMESPACES else ""


def is_true(value: str | None) -> bool:
    """Return whether an attribute has one of the spellings of true (ECMA-376, part 1, section 22.9.2.1)."""
    return value in _TRUE


def unescaped(text: str) -> str:
    r"""Return a text with its escaped characters (section 22.9.2.19). Those that no text holds become U+FFFD.

    >>> unescaped("+41790000001_x000D_"), unescaped("_x005F_x000D_"), unescaped("_xD83D_")
    ('+41790000001\r', '_x000D_', '\ufffd')
    """
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(escaped: re.Match[str]) -> str:
    character = chr(int(escaped[1], 16))
    return "\ufffd" if character == "\0" or "\ud800" <= character <= "\udfff" else character


class RelationsReader:
    """Reads to which other parts of the workbook a part refers.

    Attributes:
        relations: the type of each relation (its last word, such as ``styles``), its id and its target.
    """

    taken = 0

    def __init__(self) -> None:
        self.relations: list[tuple[str, str, str]] = []

    def start(self, name: str, attributes: dict[str, str], _depth: int) -> None:
        """Keep a relation."""
        if name.rpartition(" ")[2] == "Relationship" and attributes.get("TargetMode") != "External":
            _check_length(self.relations)
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.relations.append((kind, attributes.get("Id", ""), attributes.get("Target", "")))

    def end(self, name: str, depth: int) -> None:
        """Ignore the end of an element."""

    def text(self, text: str) -> None:
        """Ignore text."""


class SheetsReader:
    """Reads the list of sheets.

    Attributes:
        sheets: the name, relation id and visibility of each, in the order of the tabs.
        is_strict: whether the workbook is written in Strict Open XML.
        from_1904: whether days are counted from 1904.
    """

    taken = 0

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.is_strict = self.from_1904 = False

    def start(self, name: str, attributes: dict[str, str], depth: int) -> None:
        """Keep a sheet."""
        if depth == 1:
            self.is_strict = name == f"{STRICT} workbook"
        match local_name(name):
            case "workbookPr":
                self.from_1904 = is_true(attributes.get("date1904"))
            case "sheet":
                _check_length(self.sheets)
                relation_id = next((attributes[key] for key in _ID_ATTRIBUTES if key in attributes), "")
                is_visible = attributes.get("state", "visible") == "visible"
                self.sheets.append((unescaped(attributes.get("name", "")), relation_id, is_visible))

    def end(self, name: str, depth: int) -> None:
        """Ignore the end of an element."""

    def text(self, text: str) -> None:
        """Ignore text."""


class TextsReader:
    """Reads the shared texts, and holds them as UTF-8, which takes the least memory.

    >>> texts = TextsReader()
    >>> texts.taken
    0
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        self._text = TextCollector()

    @property
    def taken(self) -> int:
        """How many texts were read."""
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        if index < 0:
            raise IndexError
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode()

    def start(self, name: str, _attributes: dict[str, str], depth: int) -> None:
        """Follow the elements of a text."""
        if depth > _TEXT_DEPTH:
            self._text.start(local_name(name), depth - _TEXT_DEPTH)

    def end(self, name: str, depth: int) -> None:
        """Keep a text that is complete."""
        if depth > _TEXT_DEPTH:
            self._text.end()
        elif depth == _TEXT_DEPTH and local_name(name) == "si":
            self._bytes += self._text.take().encode()
            self._ends.append(len(self._bytes))
            if self.taken > MAX_SHARED_TEXTS or len(self._bytes) > MAX_SHARED_BYTES:
                raise InvalidFileError("The workbook has far too many texts.")

    def text(self, text: str) -> None:
        """Collect a part of a text."""
        self._text.add(text)


_TEXT_DEPTH = 2
"""Depth of a shared text, ``si``, in its part."""


class TextCollector:
    """Collects the text of a cell: plain, or in runs of different fonts, but without phonetic hints."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._in_run = self._collects = False

    def start(self, name: str, depth: int) -> None:
        """Follow an element.

        Args:
            name: its local name.
            depth: 1 for an element directly in the text.
        """
        if depth == 1:
            self._in_run = name == "r"
        self._collects = name == "t" and (depth == 1 or (self._in_run and depth == 2))

    def end(self) -> None:
        """Follow the end of an element."""
        self._collects = False

    def add(self, text: str) -> None:
        """Collect text if it belongs to the cell."""
        if not self._collects:
            return
        self._length += len(text)
        if self._length > MAX_TEXT_LENGTH:
            raise InvalidFileError("A cell of the workbook has far too much text.")
        self._pieces.append(text)

    def take(self) -> str:
        """Return the collected text, and start over."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return unescaped(text)


class FormatsReader:
    """Reads how the numbers of cells are shown.

    Attributes:
        formats: the format for each style of cells; None for the plain number.
    """

    taken = 0

    def __init__(self, *, from_1904: bool) -> None:
        self.formats: list[NumberFormat | None] = []
        self._from_1904 = from_1904
        self._codes: dict[int, str] = {}
        self._known: dict[int, NumberFormat | None] = {}
        self._in_cell_formats = False

    def start(self, name: str, attributes: dict[str, str], _depth: int) -> None:
        """Keep the code of a number format, or the number format of a style."""
        match local_name(name):
            case "cellXfs":
                self._in_cell_formats = True
            case "numFmt":
                _check_length(self._codes)
                self._codes[_integer(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
            case "xf" if self._in_cell_formats:
                _check_length(self.formats)
                self.formats.append(self._format(_integer(attributes.get("numFmtId"))))

    def end(self, name: str, _depth: int) -> None:
        """Note the end of the list of styles."""
        if local_name(name) == "cellXfs":
            self._in_cell_formats = False

    def text(self, text: str) -> None:
        """Ignore text."""

    def _format(self, format_id: int) -> NumberFormat | None:
        if format_id not in self._known:
            code = self._codes.get(format_id)
            self._known[format_id] = number_format(format_id, code, from_1904=self._from_1904)
        return self._known[format_id]


def _integer(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _check_length(listed: Sized) -> None:
    if len(listed) >= MAX_LISTED:
        raise InvalidFileError("The workbook has far too many sheets or formats.")
