"""The format of an export is guessed from its first bytes, to name it before the rest has arrived."""

import gzip
from io import BytesIO
from zipfile import ZipFile, ZipInfo

import pytest
from openpyxl import Workbook

from numberdrop.files.exports.format import ExportFormat, likely_format


def archive_of(*names: str) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(ZipInfo(name), "content")
    return file.getvalue()


def workbook() -> bytes:
    file = BytesIO()
    Workbook().save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "first", ["all.csv", "dc182mq4iamst270577g/all.csv", "result.xlsx", "xls/a.csv", "x"]
)
def test_an_archive_is_detected_as_zip(first: str) -> None:
    assert likely_format(archive_of(first, "other")) is ExportFormat.ZIP


@pytest.mark.parametrize(
    "first", ["[Content_Types].xml", "_rels/.rels", "docProps/app.xml", "xl/workbook.xml"]
)
def test_an_archive_that_starts_like_a_workbook_is_xlsx(first: str) -> None:
    assert likely_format(archive_of(first, "other")) is ExportFormat.XLSX


def test_a_real_workbook_is_detected_as_xlsx() -> None:
    assert likely_format(workbook()) is ExportFormat.XLSX


def test_a_gzip_file_is_detected() -> None:
    assert likely_format(gzip.compress(b"number,band")) is ExportFormat.GZIP


@pytest.mark.parametrize(
    "start", [b"number,band\n", b"\xef\xbb\xbfnumber", b"<!doctype html>", b"P", b"PK", b"\0"]
)
def test_any_other_file_is_detected_as_csv(start: bytes) -> None:
    assert likely_format(start) is ExportFormat.CSV


@pytest.mark.parametrize("length", [4, 20, 27, 30, 33])
def test_a_few_bytes_of_an_archive_are_detected_as_zip(length: int) -> None:
    assert likely_format(archive_of("all.csv")[:length]) is ExportFormat.ZIP
