"""Stream the XML parts of workbooks from outside, so that no part can exhaust memory.

``expat`` keeps the open elements, every name and prefix that it has seen, and each tag or comment until it
ends. These are bounded here. What a reader keeps of a part, the reader bounds.
"""

from collections.abc import Iterator
from typing import IO, Protocol
from xml.parsers import expat

from numberdrop.files.formats.untrusted import InvalidFileError

MAX_OTHER_ELEMENTS = 2_000_000
"""Most elements of a part from which a reader takes nothing, such as merged cells."""

ELEMENTS_EACH = 20
"""Most elements of each thing that is taken, on average. A text in several fonts has some."""

MAX_DEPTH = 100
"""Most elements that may be open at once. A sheet needs eight."""

MAX_NAMES = 10_000
"""Most names of elements and attributes. The schemas of workbooks have some 2,000."""

MAX_PREFIXES = 1000
"""Most prefixes of namespaces. Workbooks have some ten."""

MAX_TAG_LENGTH = 1024 * 1024
"""Bytes of a tag with its attributes, or of a comment."""

_BLOCK = 64 * 1024
"""Bytes. What a reader collects of a block is small too."""


class PartReader(Protocol):
    """Receives the content of a part.

    The name of an element is its namespace and its local name, with a space between them. Attributes without
    a prefix have no namespace. ``depth`` counts the open elements, the named one included.
    """

    @property
    def taken(self) -> int:
        """How many things were taken from the part so far, such as cells or texts."""

    def start(self, name: str, attributes: dict[str, str], depth: int) -> None:
        """Receive the start of an element."""

    def end(self, name: str, depth: int) -> None:
        """Receive the end of an element."""

    def text(self, text: str) -> None:
        """Receive text. That of one element may come in pieces."""


def read_part(part: IO[bytes], reader: PartReader) -> Iterator[None]:
    """Pass the content of a part to a reader, and pause after each block.

    >>> from io import BytesIO
    >>> class Names:
    ...     taken = 0
    ...     def start(self, name, attributes, depth):
    ...         print(depth, name, attributes)
    ...     def end(self, name, depth):
    ...         pass
    ...     text = print
    >>> for _ in read_part(BytesIO(b'<a xmlns="x"><b c="1">d</b></a>'), Names()):
    ...     pass
    1 x a {}
    2 x b {'c': '1'}
    d

    Raises:
        InvalidFileError: the part exceeds a bound, or has a document type with declarations, which may be
            entities.
        ExpatError: the part is not well-formed XML.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise InvalidFileError("The workbook's XML is nested far too deeply.")
        reader.start(name, attributes, depth)

    def end(name: str) -> None:
        nonlocal depth
        reader.end(name, depth)
        depth -= 1

    prefixes: set[str | None] = set()

    def start_namespace(prefix: str | None, _address: str) -> None:
        prefixes.add(prefix)
        if len(prefixes) > MAX_PREFIXES:
            raise InvalidFileError("The workbook's XML has far too many namespaces.")

    parser.StartNamespaceDeclHandler = start_namespace
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_declarations
    tags = size = 0
    while block := part.read(_BLOCK):
        parser.Parse(block)
        size += len(block)
        tags += block.count(b"<")
        elements = tags // 2
        if elements > MAX_OTHER_ELEMENTS + ELEMENTS_EACH * reader.taken or len(parser.intern) > MAX_NAMES:
            raise InvalidFileError("The workbook has far too many elements.")
        if size - parser.CurrentByteIndex > MAX_TAG_LENGTH:
            raise InvalidFileError("The workbook's XML has an element that is far too long.")
        yield
    parser.Parse(b"", True)
    yield


def _refuse_declarations(
    _name: str, _system: str | None, _public: str | None, has_declarations: bool
) -> None:
    if has_declarations:
        raise InvalidFileError("The workbook has a document type with declarations, so it cannot be read.")
