"""Detect the encoding of an uploaded text file."""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

UTF8 = "utf-8-sig"
UTF16 = "utf-16"
WINDOWS = "cp1252"
"""Spreadsheets of Western Europe and America save "CSV" in this encoding."""

BLOCK = 1024 * 1024
"""Bytes per read."""

_FEW = 8
"""How many times as many zero bytes one half of a text in UTF-16 must have as the other half."""

_ANY_BYTES = "latin-1"
"""Decodes whatever is not text, so that the reader can say so."""

_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

_OTHERS = (
    *("mac_roman", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp874"),
    *("koi8_r", "mac_cyrillic", "cp866", "gb18030", "big5", "cp932", "euc_jp", "cp949"),
)
"""Encodings besides Windows-1252 in which spreadsheets and databases of some country save CSV. Rare ones are
left out: a short text looks plausible in too many of them."""

_MAX_SAMPLE = 32 * 1024
"""Bytes of text that are judged. Lines in plain ASCII do not count."""

_MIN_EVIDENCE = 4
"""Bytes beyond ASCII without which a guess is worth nothing."""

_MOST_MESS = 0.1
"""Most implausible characters, as a share of a text that is decoded rightly ("chaos" in the library)."""

_CLEARLY_LESS = 0.05
"""How much less mess than Windows-1252 another encoding must make."""

_EQUAL = 0.01
"""Difference below which two encodings are equally likely."""

_MULTI_BYTE = {"gb18030", "big5", "cp932", "euc_jp", "cp949"}
"""Encodings that few texts in other encodings decode as. Among them the library's order decides."""

_ASCII = bytes(range(0x80))
_NOT_SYNTAX = bytes(range(0x40, 0x100))
"""All bytes but ASCII's digits, plus signs, delimiters, quotation marks and line ends."""


def detect_encoding(file: BinaryIO) -> tuple[str, bool]:
    r"""Return a text file's encoding, and whether it is certain.

    UTF-8 and UTF-16 are certain. Otherwise ``charset_normalizer`` judges the lines that are not ASCII. Its
    answer is used if the text is plausible in that encoding, clearly more so than in Windows-1252, and if
    every digit, delimiter and line end stays what it is in ASCII. Otherwise the text is read as Windows-1252.

    >>> from io import BytesIO
    >>> detect_encoding(BytesIO("氏名,電話番号\n山田,+81312345671\n".encode("cp932")))
    ('cp932', True)

    Args:
        file: a file that is probably text.
    """
    file.seek(0)
    start = file.read(_MAX_SAMPLE)
    if start.startswith(_UTF16_BOMS):
        return UTF16, True
    if b"\0" in start:
        without_mark = utf16_without_mark(start)
        return (without_mark, True) if without_mark else (_ANY_BYTES, False)
    if _decodes(file, UTF8):
        return UTF8, True
    return _guess(file)


def utf16_without_mark(start: bytes) -> str | None:
    """Return the byte order of UTF-16 without a byte order mark, or None if the bytes are something else.

    Digits and delimiters have a zero byte in one of the two places. Few characters have one in the other.
    """
    start = start[: len(start) // 2 * 2]
    for encoding, zeros, others in (
        ("utf-16-le", start[1::2], start[::2]),
        ("utf-16-be", start[::2], start[1::2]),
    ):
        if zeros.count(0) > max(len(zeros) / 4, _FEW * others[: len(others) - 1].count(0)):
            return encoding
    return None


def _guess(file: BinaryIO) -> tuple[str, bool]:
    # Only some uploads need this import, which is slow.
    from charset_normalizer import from_bytes  # noqa: PLC0415

    sample = _lines_beyond_ascii(file)
    if len(sample.translate(None, _ASCII)) < _MIN_EVIDENCE:
        return WINDOWS, False
    matches = from_bytes(sample, cp_isolation=[WINDOWS, *_OTHERS], threshold=_MOST_MESS + _CLEARLY_LESS)
    likely = [match for match in matches if match.chaos <= _MOST_MESS]
    if not likely:
        return WINDOWS, False
    best = likely[0]
    windows = [match.chaos for match in matches if WINDOWS in match.could_be_from_charset]
    has_rival = any(_equally_likely(best, other) for other in likely[1:])
    if windows and windows[0] - best.chaos < _CLEARLY_LESS:
        return WINDOWS, not has_rival
    is_certain = best.encoding in _MULTI_BYTE or not has_rival
    is_better = is_certain or not _decodes(file, WINDOWS)
    if is_better and _keeps_syntax(file, best.encoding):
        return best.encoding, is_certain
    return WINDOWS, False


def _equally_likely(one: "CharsetMatch", other: "CharsetMatch") -> bool:
    return abs(one.chaos - other.chaos) < _EQUAL and abs(one.coherence - other.coherence) < _EQUAL


def _lines_beyond_ascii(file: BinaryIO) -> bytes:
    """Return the first lines that are not ASCII, up to the size of a sample."""
    lines: list[bytes] = []
    size = 0
    for block in _blocks(file):
        if block.isascii():
            continue
        for line in block.splitlines():
            if not line.isascii():
                lines.append(line[:_MAX_SAMPLE])
                size += len(lines[-1]) + 1
            if size >= _MAX_SAMPLE:
                return b"\n".join(lines)
    return b"\n".join(lines)


def _keeps_syntax(file: BinaryIO, encoding: str) -> bool:
    """Return whether all of a file decodes, and whether digits, delimiters and line ends stay ASCII's."""
    decoder = getincrementaldecoder(encoding)()
    expected, actual = b"", b""
    try:
        for block in chain(_blocks(file), [b""]):
            text = decoder.decode(block, final=not block)
            expected += block.translate(None, _NOT_SYNTAX)
            actual += text.encode("ascii", "ignore").translate(None, _NOT_SYNTAX)
            # A character at the end of a block may end in the next one.
            if not expected.startswith(actual):
                return False
            expected, actual = expected[len(actual) :], b""
    except UnicodeDecodeError:
        return False
    return not expected


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = getincrementaldecoder(encoding)()
    try:
        for block in chain(_blocks(file), [b""]):
            decoder.decode(block, final=not block)
    except UnicodeDecodeError:
        return False
    return True


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(BLOCK):
        yield block
