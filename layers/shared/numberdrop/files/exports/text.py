"""Decode the text of an export, block by block."""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, IncrementalDecoder, getincrementaldecoder
from collections.abc import Iterator
from typing import IO

from numberdrop.files.exports.columns import NUMBER_NAMES
from numberdrop.files.exports.verdicts import GENERIC_NAMES, VERDICT_WORDS
from numberdrop.files.formats.entries_file import NUL
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.uploads.encoding import utf16_without_mark

_BLOCK = 64 * 1024
_LONGEST_LINE = 128 * 1024
"""Characters."""

_SAMPLE = 4096
"""Bytes by which UTF-16 without a byte order mark is recognised."""

_UTF8 = "utf-8-sig"
_CHINESE = "gb18030"
"""GBK with more characters. Chinese programs write it by default."""
_TRADITIONAL_CHINESE = "big5"
_WINDOWS = "cp1252"

_CHINESE_WORDS = [
    word for word in (*NUMBER_NAMES, *GENERIC_NAMES, *VERDICT_WORDS) if len(word) > 1 and not word.isascii()
]

_BAR = b"|"
"""The only delimiter that GBK has within characters: a wrong guess would join two cells."""

_LOST = "\ufffd"
"""Stands for bytes that are not text."""
_MOST_LOST = 10
"""Characters of a block that may be lost, if more than those that are not ASCII but are read."""

_BESIDE_A_DELIMITER = re.compile(rb"\w\w[\"']?[,;\t|]|[,;\t|][\"']?\w\w")
"""Matches a cell that starts or ends with two letters or digits of ASCII."""


def text_blocks(file: IO[bytes]) -> Iterator[str]:
    r"""Read a file in blocks of whole lines. The last line gets a line end if it has none.

    The text may be UTF-8, UTF-16 or GBK, which the vendor's own programs write, or Big5. In any other
    encoding, only the cells in ASCII are certain to be right.

    >>> from io import BytesIO
    >>> list(text_blocks(BytesIO("number\n\u5df2\u6ce8\u518c".encode("gbk"))))
    ['number\n', '\u5df2\u6ce8\u518c\n']

    Raises:
        InvalidFileError: the file is not text, or has an extremely long line.
        UnicodeDecodeError: its encoding is unknown.
    """
    decoder = _Decoder()
    rest = ""
    while block := file.read(_BLOCK):
        text = rest + decoder.decode(block)
        if NUL in text:
            raise InvalidFileError("The export is neither an archive nor text.")
        # A CR at the very end may be half of a CRLF.
        end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        rest = text[end:]
        if len(rest) > _LONGEST_LINE:
            raise InvalidFileError("The export has an unreasonably long row.")
        if end:
            yield text[:end]
    rest += decoder.decode(b"", final=True)
    if rest:
        yield f"{rest}\n"


class _Decoder:
    """Decode UTF-16 or UTF-8, and change to another encoding at the first bytes that are not UTF-8.

    The change is safe while all earlier bytes were ASCII, which these encodings share. A character that is
    cut off or in another encoding than the rest is lost, but not its row: the numbers and most words are
    ASCII.
    """

    def __init__(self) -> None:
        self._decoder: IncrementalDecoder | None = None
        self._may_change = True

    def decode(self, block: bytes, *, final: bool = False) -> str:
        if self._decoder is None:
            encoding = _utf16_of(block[:_SAMPLE]) or _UTF8
            if encoding == _UTF8 and NUL.encode() in block:
                raise InvalidFileError("The export is neither an archive nor text.")
            self._may_change = encoding == _UTF8
            self._decoder = getincrementaldecoder(encoding)("strict" if self._may_change else "replace")
        if not self._may_change:
            return _if_few_are_lost(self._decoder.decode(block, final))
        undecoded, _ = self._decoder.getstate()
        try:
            text = self._decoder.decode(block, final)
        except UnicodeDecodeError as error:
            undecoded += block
            other = _other_encoding(undecoded)
            if not other:
                raise error from None
            self._decoder = getincrementaldecoder(other)("replace")
            text = _if_few_are_lost(self._decoder.decode(undecoded, final))
        self._may_change = text.isascii()
        if not self._may_change:
            self._decoder.errors = "replace"
        return text


def _utf16_of(start: bytes) -> str | None:
    """Return the codec if the text is UTF-16."""
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    return utf16_without_mark(start) if len(start) >= 4 else None


def _other_encoding(text: bytes) -> str | None:
    """Return the encoding of bytes that are not all UTF-8, or None if they are not text.

    They are UTF-8 if nearly all characters are. Of the Chinese encodings, GBK is the usual one, and any other
    has words that are known. All others are read as Windows-1252 if they only occur among cells of ASCII.
    """
    as_utf8 = text.decode(errors="replace")
    lost = as_utf8.count(_LOST)
    if _count_beyond_ascii(as_utf8) > 5 * lost:
        return _UTF8
    for encoding in (_CHINESE, _TRADITIONAL_CHINESE):
        decoded = text.decode(encoding, "replace")
        if any(word in decoded for word in _CHINESE_WORDS):
            return encoding
    decoded = getincrementaldecoder(_CHINESE)("replace").decode(text)
    lines = text.splitlines()
    has_bars = 2 * sum(_BAR in line for line in lines) > len(lines)
    keeps_bars = not has_bars or decoded.count(_BAR.decode()) == text.count(_BAR)
    if not decoded.isascii() and _LOST not in decoded and keeps_bars:
        return _CHINESE
    lines = [line for line in lines if not line.isascii()]
    return _WINDOWS if all(map(_BESIDE_A_DELIMITER.search, lines)) else None


def _if_few_are_lost(text: str) -> str:
    """Return a decoded text.

    Raises:
        InvalidFileError: it is hardly text.
    """
    if _LOST in text:
        lost = text.count(_LOST)
        if lost > max(_MOST_LOST, _count_beyond_ascii(text) - lost):
            raise InvalidFileError("The encoding of the export is unknown.")
    return text


def _count_beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))
