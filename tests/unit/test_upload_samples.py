"""Samples of uploads. To add a format, add a file to the samples and a row to a table here."""

from dataclasses import dataclass

import pytest

from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import ReasonCode
from tests.support.uploads import SAMPLES, clean, refused_with

NUMBERS = ["+12025550101", "+12025550102", "+12025550103"]


@dataclass(frozen=True)
class Sample:
    """How a file is read.

    Attributes:
        header: the names of its columns; None for a plain list.
        kind: what the checker takes.
        region: the default region.
        numbers: the entries to send.
    """

    header: tuple[str, ...] | None = None
    kind: InputKind = InputKind.PHONE
    region: str | None = None
    numbers: tuple[str, ...] = tuple(NUMBERS)


READABLE = {
    "list.txt": Sample(),
    "list-crlf.txt": Sample(),
    "list-cr.txt": Sample(),
    "list-byte-order-mark.txt": Sample(),
    "list-utf-16-le.txt": Sample(),
    "list-utf-16-be.txt": Sample(),
    "list-punctuated.txt": Sample(),
    "list-national.txt": Sample(region="US"),
    "list-spoilt-by-a-spreadsheet.txt": Sample(region="us"),
    "list-header.txt": Sample(("Phone",)),
    "list-in-quotes.csv": Sample(("column_1",)),
    "list-as-written.txt": Sample(
        kind=InputKind.AS_WRITTEN, numbers=("(202) 555-0101, evenings", "+1 202 555 0102")
    ),
    "table-comma.csv": Sample(("ID", "Name", "Phone Number")),
    "table-semicolon-windows-1252.csv": Sample(("Name", "Telefon", "Betrag")),
    "table-tab-utf-16.tsv": Sample(("name", "MSISDN")),
    "table-pipe.txt": Sample(("city", "mobile", "note")),
    "table-unnamed.csv": Sample(("id", "contact", "since")),
    "table-without-header.csv": Sample(("column_1", "column_2")),
    "table-ragged.csv": Sample(("phone", "note", "more")),
    "table-with-a-hint.csv": Sample(("name", "tel")),
    "table-of-e-mails.csv": Sample(
        ("name", "E-Mail"), InputKind.EMAIL, numbers=("jane@example.com", "rick@example.org")
    ),
    "table-of-user-names.csv": Sample(
        ("name", "Handle"), InputKind.AS_WRITTEN, numbers=("@jane_doe", "rick.roe")
    ),
    "table-as-written.csv": Sample(
        ("name", "call me"), InputKind.AS_WRITTEN, numbers=("(202) 555-0101", "+1 202 555 0102")
    ),
    "workbook.xlsx": Sample(("Name", "Phone", "Since"), region="US"),
    "workbook-of-one-column.xlsx": Sample(("column_1",)),
}

UNREADABLE = {
    "document.docx",
    "document.pdf",
    "list-utf-32.txt",
    "old-workbook.xls",
    "picture.bmp",
}


@pytest.mark.parametrize(("name", "sample"), READABLE.items(), ids=READABLE)
def test_a_sample_is_read_as_intended(name: str, sample: Sample) -> None:
    cleaned = clean((SAMPLES / name).read_bytes(), sample.kind, sample.region)

    assert cleaned.header == sample.header
    assert cleaned.numbers == list(sample.numbers)
    assert cleaned.listing == ""


@pytest.mark.parametrize("name", sorted(UNREADABLE))
def test_a_file_that_is_not_a_list_or_table_is_refused(name: str) -> None:
    assert refused_with((SAMPLES / name).read_bytes()) is ReasonCode.NOT_TEXT


def test_every_upload_sample_is_used() -> None:
    assert {path.name for path in SAMPLES.glob("[!.]*")} == READABLE.keys() | UNREADABLE
