"""Text files as people have them: how one is encoded, and its text in blocks of whole lines."""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
from typing import BinaryIO

from numberdrop.files.formats.archive import EMPTY_ZIP_START, ZIP_START
from numberdrop.files.formats.entries_file import NUL
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

MAX_LINE_LENGTH = 64 * 1024
"""Characters."""

BLOCK = 1024 * 1024
"""Bytes that are read at once."""

_UTF8 = "utf-8-sig"
_UTF16 = "utf-16"
_WINDOWS = "cp1252"

_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_UTF32_BOMS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_BINARY_STARTS = (
    ZIP_START,  # spreadsheets and documents among them
    EMPTY_ZIP_START,
    b"\xd0\xcf\x11\xe0",  # older spreadsheets and documents
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
    """A file, and the encoding of its text."""

    file: BinaryIO
    encoding: str

    def blocks(self) -> Iterator[str]:
        """The text in blocks of whole lines, of about a million characters; begins anew at each call.

        CRLF, CR and LF all become a line feed, and the last line ends with one too.

        Raises:
            JobFailedError: ``NOT_TEXT``: it is no text after all, or has an unreasonably long line.
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
            raise not_text("The file is text in no encoding that is known here.") from None
        if rest:
            yield rest if rest.endswith("\n") else f"{rest}\n"

    def _checked(self, text: str) -> str:
        # Nearly any bytes are text in Windows-1252, so there it takes less to be none.
        if NUL in text or (self.encoding == _WINDOWS and _CONTROL.search(text)):
            raise not_text("The file holds bytes that no text has.")
        return text


def open_text(file: BinaryIO) -> TextFile:
    """Finds out how a file is encoded: UTF-8, UTF-16 with a byte order mark, or else Windows-1252.

    Spreadsheets save "CSV" in Windows-1252. It can only be told from UTF-8 by reading all of the file.

    Raises:
        JobFailedError: ``NOT_TEXT``: the file's first bytes are those of something else.
    """
    file.seek(0)
    start = file.read(8)
    if start.startswith(_BINARY_STARTS):
        raise not_text("The file is an archive, a document, a picture or an old spreadsheet.")
    if start.startswith(_UTF32_BOMS):
        raise not_text("The file is UTF-32.")
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


def not_text(cause: str) -> JobFailedError:
    """The end of a job whose file cannot be read; the cause is a sentence."""
    return JobFailedError(
        ReasonCode.NOT_TEXT,
        f"{cause} Save it as plain text with one entry on each line, as CSV (UTF-8) or as .xlsx, and upload "
        "that.",
    )


def line_too_long() -> JobFailedError:
    """The end of a job whose file has a line that no list or table has."""
    return not_text("The file has a line that is far too long for one entry.")
