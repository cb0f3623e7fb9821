"""Detect the encoding of an uploaded text file, and read it in blocks of whole lines."""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
from typing import BinaryIO

from numberdrop.files.formats.archive import EMPTY_ZIP_START, ZIP_START
from numberdrop.files.formats.entries_file import NUL
from numberdrop.files.uploads.errors import line_too_long, not_text

MAX_LINE_LENGTH = 64 * 1024
"""Characters."""

BLOCK = 1024 * 1024
"""Bytes per read."""

_UTF8 = "utf-8-sig"
_UTF16 = "utf-16"
_WINDOWS = "cp1252"

_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_UTF32_BOMS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_BINARY_STARTS = (
    ZIP_START,  # includes new spreadsheets and documents
    EMPTY_ZIP_START,
    b"\xd0\xcf\x11\xe0",  # old spreadsheets and documents
    b"\x1f\x8b",
    b"%PDF-",
    b"{\\rtf",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file and its encoding."""

    file: BinaryIO
    encoding: str

    def blocks(self) -> Iterator[str]:
        """Yield the text in blocks of whole lines, of about a million characters.

        CRLF, CR and LF all become a line feed, and the last line ends with one too. Each call starts at the
        beginning of the file.

        Raises:
            JobFailedError: ``NOT_TEXT``: the file turns out not to be text, or has a line that is too long.
        """
        decoder = IncrementalNewlineDecoder(getincrementaldecoder(self.encoding)(), translate=True)
        rest = ""
        self.file.seek(0)
        try:
            while read := self.file.read(BLOCK):
                text = self._checked(rest + decoder.decode(read))
                end = text.rfind("\n") + 1
                rest = text[end:]
                if len(rest) > MAX_LINE_LENGTH:
                    raise line_too_long()
                if end:
                    yield text[:end]
            rest = self._checked(rest + decoder.decode(b"", final=True))
        except UnicodeDecodeError:
            raise not_text("The file is text in an unknown encoding.") from None
        if rest:
            yield rest if rest.endswith("\n") else f"{rest}\n"

    def _checked(self, text: str) -> str:
        # Nearly any bytes decode as Windows-1252, so control characters show that such a file is not text.
        if NUL in text or (self.encoding == _WINDOWS and _CONTROL.search(text)):
            raise not_text("The file contains bytes that do not occur in text.")
        return text


def open_text(file: BinaryIO) -> TextFile:
    r"""Detect a file's encoding: UTF-8, UTF-16 with a byte order mark, or otherwise Windows-1252.

    Spreadsheets save "CSV" as Windows-1252. Only reading the whole file tells it from UTF-8.

    >>> from io import BytesIO
    >>> list(open_text(BytesIO("Müller;5 €\r\n".encode("cp1252"))).blocks())
    ['Müller;5 €\n']

    Raises:
        JobFailedError: ``NOT_TEXT``: the first bytes are those of another format.
    """
    file.seek(0)
    start = file.read(8)
    if start.startswith(_BINARY_STARTS):
        raise not_text("The file is an archive, a document, a picture or an old spreadsheet.")
    if start.startswith(_UTF32_BOMS):
        raise not_text("The file is encoded in UTF-32.")
    if start.startswith(_UTF16_BOMS):
        return TextFile(file, _UTF16)
    return TextFile(file, _UTF8 if _is_utf8(file) else _WINDOWS)


def _is_utf8(file: BinaryIO) -> bool:
    decoder = getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while block := file.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
