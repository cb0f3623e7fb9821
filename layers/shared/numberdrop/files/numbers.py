"""Reading an upload: plain text with one entry a line, cleaned before money is spent on it."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from numberdrop.catalogue import InputKind
from numberdrop.files.spreadsheet import harmless
from numberdrop.reasons import JobFailedError, ReasonCode

REJECTED_COLUMNS = ("line", "text", "reason")
"""The header of the list of rejected lines."""

_BLOCK = 1024 * 1024
_LONGEST_LINE = 64 * 1024
_LONGEST_REJECTED_TEXT = 100

_UTF8_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_BINARY_STARTS = (
    b"PK\x03\x04",  # zip, and the spreadsheets and documents that are zips
    b"PK\x05\x06",
    b"\xd0\xcf\x11\xe0",  # older spreadsheets and documents
    b"\x1f\x8b",
    b"%PDF-",
    b"{\\rtf",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
)

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_INVISIBLE = "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_PUNCTUATION = re.compile(rf"[\s().\[\]\-\u2010-\u2015{_INVISIBLE}]+")
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS = re.compile(r"([^\s@,;:<>()\[\]\"\\]{1,64})@([\w-]+(?:\.[\w-]+)+)")
_USERNAME = re.compile(r"@?([A-Za-z0-9_.]{3,64})")
_LONGEST_AS_WRITTEN = 64
_LONGEST_ADDRESS = 254

_WANTED: Mapping[InputKind, str] = {
    InputKind.PHONE: "a phone number in international form, +<country><number>",
    InputKind.AS_WRITTEN: f"an entry of at most {_LONGEST_AS_WRITTEN} characters",
    InputKind.EMAIL: "an e-mail address",
    InputKind.USERNAME: "a user name of letters, digits, '_' and '.'",
}


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """What became of an upload's lines; ``lines`` is the sum of the others.

    Attributes:
        lines: lines that are not blank.
        sent: distinct entries, to be sent to the vendor.
        rejected: lines that hold no entry the checker takes.
        duplicates: lines that repeat an entry.
    """

    lines: int
    sent: int
    rejected: int
    duplicates: int


class _UnusableError(Exception):
    """A line holds no entry of the wanted kind; the reason is for the list of rejected lines."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def clean_upload(
    source: BinaryIO, kind: InputKind, *, numbers: BinaryIO, rejected: TextIO, max_rows: int
) -> UploadCounts:
    """Writes each distinct entry of an upload once, in the order of first appearance.

    The upload is read in blocks, but what was seen is remembered to tell duplicates: a set of ints for phone
    numbers (about 65 bytes each), of text otherwise (about 85 bytes each and its length).

    Args:
        source: the upload's bytes, from where it stands.
        kind: what a line must be.
        numbers: takes the entries, UTF-8, each ended by a line feed.
        rejected: takes CSV rows ``line,text,reason``, lines counted from 1; nothing if none is rejected.
        max_rows: the most distinct entries the checker takes.

    Raises:
        JobFailedError: ``EMPTY_FILE``, ``NOT_TEXT``, ``NO_VALID_NUMBERS`` or ``TOO_LARGE``; what was written
            by then is of no use.
    """
    read = _RULES[kind]
    listing = csv.writer(rejected, lineterminator="\n")
    seen: set[int | str] = set()
    lines = left_out = 0
    for place, text in _entries(source):
        lines += 1
        try:
            entry, identity = read(text)
        except _UnusableError as unusable:
            if not left_out:
                listing.writerow(REJECTED_COLUMNS)
            listing.writerow((place, harmless(text[:_LONGEST_REJECTED_TEXT]), unusable.reason))
            left_out += 1
            continue
        if identity in seen:
            continue
        if len(seen) == max_rows:
            raise _too_large(max_rows)
        seen.add(identity)
        numbers.write(entry.encode() + b"\n")
    if not lines:
        raise _empty()
    if not seen:
        raise _no_valid_numbers(kind)
    return UploadCounts(lines, len(seen), left_out, duplicates=lines - len(seen) - left_out)


def _entries(source: BinaryIO) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, with its place in the file and without white space around it."""
    for place, line in enumerate(_lines(source), 1):
        text = line.strip()
        if len(text) > _LONGEST_LINE:
            raise _line_too_long()
        if text:
            yield place, text


def _lines(source: BinaryIO) -> Iterator[str]:
    """The lines without their ends: CRLF, CR or LF, and none of the others that ``splitlines`` knows."""
    for block in _blocks(source):
        try:
            text = block.decode()
        except UnicodeDecodeError:
            raise _not_text("The file is not UTF-8.") from None
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if not lines[-1]:
            lines.pop()
        yield from lines


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    """The upload in blocks of whole lines."""
    rest = b""
    block = _without_bom(source.read(_BLOCK))
    while block:
        if b"\0" in block:
            raise _not_text("The file holds bytes that no text has.")
        block = rest + block
        # A CR at the very end may be half of a CRLF.
        end = max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        rest = block[end:]
        if len(rest) > _LONGEST_LINE:
            raise _line_too_long()
        yield block[:end]
        block = source.read(_BLOCK)
    yield rest


def _without_bom(start: bytes) -> bytes:
    if start.startswith(_OTHER_BOMS):
        raise _not_text("The file is UTF-16 or UTF-32.")
    if start.startswith(_BINARY_STARTS):
        raise _not_text("The file is a spreadsheet, an archive, a document or a picture.")
    return start.removeprefix(_UTF8_BOM)


def _phone(text: str) -> tuple[str, int]:
    if _E164.fullmatch(text):
        return text, int(text)
    if _TRUNK_ZERO.search(text):
        raise _UnusableError("(0) is dialled only inside the country: leave it out")
    plain = _PUNCTUATION.sub("", text)
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    if not _E164.fullmatch(plain):
        raise _UnusableError(_why_no_phone(plain))
    return plain, int(plain)


def _why_no_phone(plain: str) -> str:
    digits = plain.removeprefix("+")
    if any(letter.isdigit() and not letter.isascii() for letter in plain):
        return "digits other than 0-9"
    if not digits.isdigit():
        return "not a phone number"
    if digits == plain:
        return "no country code: write it as +<country><number>"
    return "an international number has 7 to 15 digits after the +, and the first is not 0"


def _as_written(text: str) -> tuple[str, str]:
    if len(text) > _LONGEST_AS_WRITTEN:
        raise _UnusableError(f"longer than {_LONGEST_AS_WRITTEN} characters")
    if _CONTROL.search(text):
        raise _UnusableError("holds control characters")
    return text, text


def _email(text: str) -> tuple[str, str]:
    address = _ADDRESS.fullmatch(text)
    if not address or len(text) > _LONGEST_ADDRESS or _CONTROL.search(text):
        raise _UnusableError("not an e-mail address")
    # Only the domain is the same in any case (RFC 5321, section 2.4).
    return text, f"{address[1]}@{address[2].lower()}"


def _username(text: str) -> tuple[str, str]:
    name = _USERNAME.fullmatch(text)
    if not name:
        raise _UnusableError("not a user name")
    return name[1], name[1]


_RULES: Mapping[InputKind, Callable[[str], tuple[str, int | str]]] = {
    InputKind.PHONE: _phone,
    InputKind.AS_WRITTEN: _as_written,
    InputKind.EMAIL: _email,
    InputKind.USERNAME: _username,
}
"""For each kind, what turns a line's text into the entry to send and that by which entries are the same."""


def _empty() -> JobFailedError:
    return JobFailedError(
        ReasonCode.EMPTY_FILE,
        "The file is empty or has only blank lines. Upload one with an entry on each line.",
    )


def _not_text(cause: str) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NOT_TEXT,
        f"{cause} Save it as plain text (UTF-8) with one entry on each line and upload that.",
    )


def _line_too_long() -> JobFailedError:
    return _not_text("The file has a line that is far too long for one entry.")


def _no_valid_numbers(kind: InputKind) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"No line of the file can be sent: each must be {_WANTED[kind]}. Correct it and upload it again.",
    )


def _too_large(max_rows: int) -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"The file has more than the {max_rows:,} distinct entries that this checker takes at once. "
        "Split it and upload the parts.",
    )
