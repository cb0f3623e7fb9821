"""Read an uploaded text file in blocks of whole lines."""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
from typing import BinaryIO

from numberdrop.files.formats.entries_file import NUL
from numberdrop.files.uploads.encoding import BLOCK, UTF8, UTF16, detect_encoding
from numberdrop.files.uploads.errors import line_too_long, not_text
from numberdrop.files.uploads.other_formats import refuse_binary, refuse_other_text

MAX_LINE_LENGTH = 64 * 1024
"""Characters."""

WORKING_FILE = "utf-8"
"""Encoding of the files that numberdrop writes for itself."""

_UTF32_BOMS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_START = 64 * 1024
"""Bytes that show whether a text has another format."""

_END_OF_FILE = "\x1a"
"""Control-Z, with which programs for DOS end a text file."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file and its encoding.

    Attributes:
        file: its bytes.
        encoding: the name of a codec.
        is_certain: whether the encoding is certain, or only the most usual one.
        separator: the character between the entries of a list in one line, which becomes a line feed. Empty
            if there is none.
    """

    file: BinaryIO
    encoding: str
    is_certain: bool = True
    separator: str = ""

    @property
    def encoding_in_words(self) -> str:
        """The encoding's name for people."""
        name = self.encoding.removesuffix("-sig")
        return name if self.is_certain else f"{name}, not certain"

    def start(self, size: int) -> str:
        """Return what the first bytes hold, with line feeds for all line ends.

        Raises:
            JobFailedError: ``NOT_TEXT``: they are not text in the encoding.
        """
        decoder = IncrementalNewlineDecoder(getincrementaldecoder(self.encoding)(), translate=True)
        self.file.seek(0)
        try:
            return str(decoder.decode(self.file.read(size)))
        except UnicodeDecodeError:
            raise not_text("The file is text in an unknown encoding.") from None

    def blocks(self) -> Iterator[str]:
        """Yield the text in blocks of whole lines, of about a million characters.

        CRLF, CR and LF all become a line feed, and the last line ends with one too. Control-Z at the end is
        left out. Each call starts at the beginning of the file.

        Raises:
            JobFailedError: ``NOT_TEXT``: the file turns out not to be text, or has a line that is too long.
        """
        decoder = IncrementalNewlineDecoder(getincrementaldecoder(self.encoding)(), translate=True)
        rest = ""
        self.file.seek(0)
        try:
            while read := self.file.read(BLOCK):
                text = self._checked(rest + self._separated(decoder.decode(read)))
                end = text.rfind("\n") + 1
                rest = text[end:]
                if len(rest) > MAX_LINE_LENGTH:
                    raise line_too_long()
                if end:
                    yield text[:end]
            rest = self._checked(rest + self._separated(decoder.decode(b"", final=True)))
        except UnicodeDecodeError:
            raise not_text("The file is text in an unknown encoding.") from None
        rest = rest.rstrip(_END_OF_FILE)
        if rest:
            yield rest if rest.endswith("\n") else f"{rest}\n"

    def _separated(self, text: str) -> str:
        return text.replace(self.separator, "\n") if self.separator else text

    def _checked(self, text: str) -> str:
        # Nearly any bytes decode in most encodings, so control characters show that such a file is not text.
        is_guessed = self.encoding not in {UTF8, UTF16, WORKING_FILE}
        if NUL in text or (is_guessed and _CONTROL.search(text.rstrip(_END_OF_FILE))):
            raise not_text("The file contains bytes that do not occur in text.")
        return text


def open_text(file: BinaryIO) -> TextFile:
    r"""Detect a file's encoding, and refuse files of other formats by name.

    >>> from io import BytesIO
    >>> list(open_text(BytesIO("Müller;5 €\r\n".encode("cp1252"))).blocks())
    ['Müller;5 €\n']

    Raises:
        JobFailedError: ``NOT_TEXT``: the first bytes or characters are those of another format.
    """
    refuse_binary(file)
    file.seek(0)
    if file.read(4).startswith(_UTF32_BOMS):
        raise not_text("The file is encoded in UTF-32.")
    encoding, is_certain = detect_encoding(file)
    text = TextFile(file, encoding, is_certain)
    refuse_other_text(text.start(_START))
    return text
