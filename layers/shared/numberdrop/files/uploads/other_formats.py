"""Recognise files of formats that are not read, by their content, to say what they are and what to do."""

import re
from typing import BinaryIO
from zipfile import ZipFile

from numberdrop.files.formats.archive import EMPTY_ZIP_START, ZIP_START
from numberdrop.files.uploads.errors import not_text
from numberdrop.jobs.reasons import JobFailedError

_SAVE_SHEET = (
    'Open it in a spreadsheet program, save it as "Excel workbook (.xlsx)" or as CSV (UTF-8), and upload '
    "that file."
)
_COPY_NUMBERS = "Copy the numbers into a text file, one number on each line, and upload that file."
_UNPACK = "Unpack it and upload the file inside. Only zip and gzip are unpacked here."
_EXPORT_CSV = "Export the contacts as CSV, and upload that file."
_CONVERT = "Convert it to CSV, with one row per number and a header, and upload that file."

_BINARY_STARTS: dict[bytes, tuple[str, str]] = {
    b"%PDF-": ("a PDF document", _COPY_NUMBERS),
    b"{\\rtf": ("a document in rich text (RTF)", _COPY_NUMBERS),
    b"\x89PNG": ("a picture (PNG)", _COPY_NUMBERS),
    b"\xff\xd8\xff": ("a picture (JPEG)", _COPY_NUMBERS),
    b"GIF8": ("a picture (GIF)", _COPY_NUMBERS),
    b"7z\xbc\xaf": ("a 7-Zip archive", _UNPACK),
    b"Rar!": ("a RAR archive", _UNPACK),
    b"BZh": ("compressed with bzip2", _UNPACK),
    b"\xfd7zXZ": ("compressed with xz", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("compressed with Zstandard", _UNPACK),
    b"SQLite format 3": ("a SQLite database", _CONVERT),
    b"PAR1": ("a Parquet table", _CONVERT),
}
"""First bytes of formats, what a file of the format is, and what to do."""

_OLE_START = b"\xd0\xcf\x11\xe0"
"""First bytes of a compound file (Microsoft, [MS-CFB], section 2.2)."""

_OLE_STREAMS: dict[str, tuple[str, str]] = {
    "EncryptedPackage": (
        "a workbook or document that is protected by a password",
        "Open it, remove the password (File, Info, Protect), save it, and upload it again.",
    ),
    "WordDocument": ("an old Word document (.doc)", _COPY_NUMBERS),
    "PowerPoint Document": ("an old presentation (.ppt)", _COPY_NUMBERS),
    "Workbook": ("an old Excel workbook (.xls)", _SAVE_SHEET),
    "Book": ("an old Excel workbook (.xls)", _SAVE_SHEET),
}
"""Names of streams in compound files ([MS-OFFCRYPTO], [MS-DOC], [MS-PPT], [MS-XLS])."""

_OLE_OTHERS = ("an old Office file, such as .xls or .doc", _SAVE_SHEET)

_ZIP_PARTS: dict[str, tuple[str, str]] = {
    "xl/workbook.bin": ("a binary Excel workbook (.xlsb)", _SAVE_SHEET),
    "word/document.xml": ("a Word document (.docx)", _COPY_NUMBERS),
    "ppt/presentation.xml": ("a presentation (.pptx)", _COPY_NUMBERS),
    "Index/Document.iwa": ("an Apple Numbers or Pages document", _SAVE_SHEET),
    "META-INF/manifest.xml": ("an OpenDocument file, such as .ods", _SAVE_SHEET),
}
"""Members of archives that are documents."""

_TEXT_STARTS: dict[str, tuple[str, str]] = {
    r"BEGIN:VCARD\b": ("a vCard file, which holds the contacts of an address book", _EXPORT_CSV),
    r"BEGIN:VCALENDAR\b": ("a calendar (iCalendar)", _COPY_NUMBERS),
    r"ID;P": ("a SYLK spreadsheet (.slk)", _SAVE_SHEET),
    r"MIME-Version:": ("a web archive (MHTML) or an e-mail", _SAVE_SHEET),
    r"dn: ?\S+=": ("an LDIF file, which holds the entries of a directory", _EXPORT_CSV),
    r"(?s:<\?xml\b.{0,400}urn:schemas-microsoft-com:office:spreadsheet)": (
        "an XML spreadsheet of Excel 2003",
        _SAVE_SHEET,
    ),
    r"(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|meta|style|body|table|tr|div)\b": (
        "a web page (HTML), even if its name ends with .xls",
        _SAVE_SHEET,
    ),
    r"<\?xml\b": ("an XML file", _CONVERT),
    r'\{\s*"': ("a JSON file", _CONVERT),
    r'\[\s*(?:["{\[]|-?[0-9]+\s*,)': ("a JSON file", _CONVERT),
}
"""Starts of texts in other formats, as patterns."""

_TEXT_LENGTH = 2000
"""Characters of a text's start that are compared."""

_BLOCK = 1024 * 1024


def refuse_binary(file: BinaryIO) -> None:
    """Refuse a file whose first bytes are those of a document, a picture or an archive.

    >>> from io import BytesIO
    >>> refuse_binary(BytesIO(b"%PDF-1.7"))
    Traceback (most recent call last):
    numberdrop.jobs.reasons.JobFailedError: NOT_TEXT: The file is a PDF document. Copy the numbers ...

    Raises:
        JobFailedError: ``NOT_TEXT``; the message names the format.
    """
    file.seek(0)
    start = file.read(16)
    for known, format_ in _BINARY_STARTS.items():
        if start.startswith(known):
            raise _is(*format_)
    if start.startswith(_OLE_START):
        raise _is(*_compound_format(file))
    if start.startswith((ZIP_START, EMPTY_ZIP_START)):
        raise _is("a zip archive", _UNPACK)


def refuse_documents(archive: ZipFile) -> None:
    """Refuse an archive that is a document or a spreadsheet of another format.

    Raises:
        JobFailedError: ``NOT_TEXT``; the message names the format.
    """
    names = set(archive.namelist())
    for part, format_ in _ZIP_PARTS.items():
        if part in names:
            raise _is(*format_)


def refuse_other_text(start: str) -> None:
    r"""Refuse a text that is a vCard, JSON, HTML, XML or SYLK file.

    >>> refuse_other_text("+41790000001\n")

    Args:
        start: the first lines.

    Raises:
        JobFailedError: ``NOT_TEXT``; the message names the format.
    """
    start = start[:_TEXT_LENGTH].lstrip("\ufeff \t\r\n")
    for pattern, format_ in _TEXT_STARTS.items():
        if re.match(pattern, start, re.IGNORECASE):
            raise _is(*format_)


def _is(what: str, advice: str) -> JobFailedError:
    return not_text(f"The file is {what}.", advice)


def _compound_format(file: BinaryIO) -> tuple[str, str]:
    """Return what a compound file is, by the names of its streams."""
    names = {name: f"{name}\0".encode("utf-16-le") for name in _OLE_STREAMS}
    overlap = max(map(len, names.values()))
    found: set[str] = set()
    end = b""
    file.seek(0)
    while block := file.read(_BLOCK):
        searched = end + block
        found.update(name for name, bytes_ in names.items() if bytes_ in searched)
        end = searched[-overlap:]
    return next((format_ for name, format_ in _OLE_STREAMS.items() if name in found), _OLE_OTHERS)
