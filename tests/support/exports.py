"""Exports for tests: sample files, and archives and workbooks made on the fly."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from numberdrop.files.exports.export import Export, read_export
from numberdrop.files.formats.archive import ArchiveLimits
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.jobs.checkers import InputKind, checkers

SAMPLES = Path(__file__).parent.parent / "samples" / "exports"

SHARED_STRINGS = "xl/sharedStrings.xml"
HEADER = ("Number", "band")
ROWS = [("41790000001", "yes"), ("41790000002", "no")]
CSV = "Number,band\n41790000001,yes\n41790000002,no\n"
EXPECTED = [("41790000001", ["yes"]), ("41790000002", ["no"])]

STANDARD_LIMITS = ArchiveLimits()

Rows = list[tuple[str, list[str]]]


def rows_of(export: Export) -> Rows:
    """Return the number and the cells of each row."""
    return [
        (number, export.cells(rest))
        for numbers, rests in export.row_blocks()
        for number, rest in zip(numbers, rests, strict=True)
    ]


class Exports:
    """Write an export to disk and read it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "export.bin"

    def open(
        self,
        content: str | bytes,
        limits: ArchiveLimits = STANDARD_LIMITS,
        kind: InputKind = InputKind.PHONE,
    ) -> Export:
        self.path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_export(self.path, replace(checkers()["band"], input=kind), limits=limits)

    def rows(self, content: str | bytes, kind: InputKind = InputKind.PHONE) -> Rows:
        with self.open(content, kind=kind) as export:
            return rows_of(export)

    def columns(self, header: str) -> tuple[str, ...]:
        with self.open(header + "\n") as export:
            return export.columns

    def error(self, content: str | bytes, limits: ArchiveLimits = STANDARD_LIMITS) -> str:
        with pytest.raises(InvalidFileError) as raised, self.open(content, limits) as export:
            rows_of(export)
        message = str(raised.value)
        assert "4179" not in message
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
        return message


def zipped(
    members: Mapping[str, str] | Mapping[str, bytes] | Mapping[str, str | bytes],
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def unzipped(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {info.filename: opened.read(info) for info in opened.infolist()}


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_member(archive: bytes, name: str, change: Mapping[bytes, bytes]) -> bytes:
    """Return the archive with bytes of a member replaced."""
    members = unzipped(archive)
    for old, new in change.items():
        assert old in members[name]
        members[name] = members[name].replace(old, new, 1)
    return zipped(members)


def with_shared_strings(book: bytes) -> bytes:
    """Return the workbook as Excel writes it, with its texts in a part of their own."""
    texts: list[bytes] = []

    def share(cell: re.Match[bytes]) -> bytes:
        texts.append(cell[1])
        return b't="s"><v>%d</v></c>' % (len(texts) - 1)

    members = unzipped(book)
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = re.sub(rb't="inlineStr"><is><t>([^<]*)</t></is></c>', share, members[sheet])
    members[SHARED_STRINGS] = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        + b"".join(b"<si><t>%s</t></si>" % text for text in texts)
        + b"</sst>"
    )
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/'
        b'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml" /></Types>',
    )
    return zipped(members)
