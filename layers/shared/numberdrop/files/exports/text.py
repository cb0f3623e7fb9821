"""Decode the text of an export, block by block."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE, IncrementalDecoder, getincrementaldecoder
from collections.abc import Iterator
from typing import IO

from numberdrop.files.formats.entries_file import NUL
from numberdrop.files.formats.untrusted import InvalidFileError

_BLOCK = 64 * 1024
_LONGEST_LINE = 128 * 1024
"""Characters."""

_SAMPLE = 4096
"""Bytes by which UTF-16 without a byte order mark is recognised."""

_UTF8 = "utf-8-sig"
_CHINESE = "gb18030"
"""GBK with more characters. Chinese programs write it by default."""


def text_blocks(file: IO[bytes]) -> Iterator[str]:
    r"""Read a file in blocks of whole lines. The last line gets a line end if it has none.

    The text may be UTF-8, UTF-16 or GBK, which the vendor's own programs write.

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
    """Decode UTF-16 or UTF-8, and change to GBK at the first bytes that are not UTF-8.

    The change is safe while all earlier bytes were ASCII, which the two encodings share.
    """

    def __init__(self) -> None:
        self._decoder: IncrementalDecoder | None = None
        self._may_change = True

    def decode(self, block: bytes, *, final: bool = False) -> str:
        if self._decoder is None:
            encoding = _utf16_of(block[:_SAMPLE]) or _UTF8
            if encoding == _UTF8 and NUL.encode() in block:
                raise InvalidFileError("The export is neither an archive nor text.")
            self._decoder = getincrementaldecoder(encoding)()
        if not self._may_change:
            return self._decoder.decode(block, final)
        undecoded, _ = self._decoder.getstate()
        try:
            text = self._decoder.decode(block, final)
        except UnicodeDecodeError:
            undecoded += block
            self._decoder = getincrementaldecoder(_CHINESE if _is_chinese(undecoded) else _UTF8)()
            text = self._decoder.decode(undecoded, final)
        self._may_change = text.isascii()
        return text


def _utf16_of(start: bytes) -> str | None:
    """Return the codec if the text is UTF-16: every second byte of Western text is zero."""
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    even, odd = start[::2].count(0), start[1::2].count(0)
    if min(even, odd) or len(start) < 4:
        return None
    half = len(start) / 4
    return "utf-16-be" if even > half else "utf-16-le" if odd > half else None


def _is_chinese(text: bytes) -> bool:
    """Return whether bytes can be text in GBK."""
    try:
        getincrementaldecoder(_CHINESE)().decode(text)
    except UnicodeDecodeError:
        return False
    return True
