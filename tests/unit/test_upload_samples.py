"""Samples of uploads. To add a format, add a file to the samples and a row to a table here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from numberdrop.files.uploads.reading import FileReading, Unread
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import ReasonCode
from tests.support.uploads import SAMPLES, clean, refusal

NUMBERS = ["+12025550101", "+12025550102", "+12025550103"]


@dataclass(frozen=True)
class Sample:
    """How a file is read.

    Attributes:
        header: the names of its columns; None for a plain list.
        kind: what the checker takes.
        region: the default region.
        numbers: the entries to send.
        file: how the file became rows; None if the test does not say.
        rejected: how many rows have no entry.
    """

    header: tuple[str, ...] | None = None
    kind: InputKind = InputKind.PHONE
    region: str | None = None
    numbers: tuple[str, ...] = tuple(NUMBERS)
    file: FileReading | None = None
    rejected: int = 0


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
    "list-of-digits-without-plus.txt": Sample(
        region="international",
        numbers=(
            *("+447700900101", "+447700900102", "+33639980103", "+33639980104", "+919876543210"),
            *("+5511987654321", "+6281234567890", "+12025550107", "+79123456789", "+971501234567"),
            "+4915228817386",
        ),
    ),
    "table-with-zeros-after-country-codes.csv": Sample(
        ("name", "phone"),
        numbers=(
            *("+441614960101", "+441614960102", "+441614960103", "+441614960104", "+493023125105"),
            *("+493023125106", "+33639980107", "+919876543210", "+6281234567890", "+2348031234567"),
            *("+441614960111", "+441614960112"),
        ),
    ),
    "list-of-chat-ids.txt": Sample(numbers=tuple(f"+12025550{last}" for last in range(100, 112))),
    "list-of-chat-links.txt": Sample(numbers=tuple(f"+12025550{last}" for last in range(100, 112))),
    "list-numbered.txt": Sample(region="DE", numbers=tuple(f"+49176040690{last:02}" for last in range(12))),
    "list-of-other-digits-and-dashes.txt": Sample(
        region="JP",
        numbers=(
            *("+81312345678", "+81312345679", "+966501234567"),
            *(f"+12025550{last}" for last in range(101, 107)),
        ),
    ),
    "table-with-extensions.csv": Sample(
        ("Name", "Phone"), numbers=("+12025550105", "+12025550107"), rejected=10
    ),
    "table-with-thousand-separators.csv": Sample(
        ("name", "phone"), region="international", numbers=("+447700900101",), rejected=2
    ),
    "table-with-formulas.csv": Sample(
        ("name", "phone"),
        numbers=("+12025550101", "+12025550102", "+12025550104", "+442079460105", "+12025550106"),
        rejected=1,
    ),
    "list-with-minus-signs.txt": Sample(numbers=("+447700900123", "+447700900124", "+447700900125")),
    "list-of-e-mails-joined.txt": Sample(
        kind=InputKind.EMAIL,
        numbers=("ann@example.com", "bob@example.com", "john@example.com", "jos\u00e9@example.com"),
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
    "list-dos-end-of-file.txt": Sample(numbers=("+12025550101", "+12025550102")),
    "table-dos-end-of-file.csv": Sample(("Nom", "Tel"), numbers=("+33639980101",)),
    "table-gb18030.csv": Sample(
        ("姓名", "联系电话", "城市"),
        numbers=("+8613800138001", "+8613800138002", "+8613800138003"),
        file=FileReading(format="text", encoding="gb18030"),
    ),
    "table-shift-jis.csv": Sample(
        ("氏名", "電話番号", "市"),
        numbers=("+81312345671", "+81312345672"),
        file=FileReading(format="text", encoding="cp932"),
    ),
    "table-utf-16-no-byte-order-mark.csv": Sample(
        ("name", "phone"),
        numbers=("+12025550101",),
        file=FileReading(format="text", encoding="utf-16-le"),
    ),
    "table-mac-roman.csv": Sample(
        ("Prénom", "Téléphone mobile"),
        numbers=("+33639980101", "+33639980102"),
        file=FileReading(format="text", encoding="mac_roman"),
    ),
    "table-windows-1256.csv": Sample(
        ("الاسم", "رقم الهاتف"),
        numbers=("+966501234501", "+966501234502"),
        file=FileReading(format="text", encoding="cp1256"),
    ),
    "table.csv.gz": Sample(
        ("phone",),
        numbers=tuple(f"+12025550{last}" for last in range(100, 112)),
        file=FileReading(format="text in gzip", encoding="utf-8"),
    ),
    "table.zip": Sample(("name", "phone"), file=FileReading(format="text in zip", encoding="utf-8")),
    "workbook.xlsx": Sample(("Name", "Phone", "Since"), region="US"),
    "workbook-of-one-column.xlsx": Sample(("column_1",)),
    "workbook-of-three-sheets.xlsx": Sample(
        ("Name", "Phone"),
        file=FileReading(
            format="xlsx", sheet="North", other_sheets=(Unread("South", 12), Unread("West", 12))
        ),
    ),
    "workbook-hidden-rows.xlsx": Sample(
        ("Name", "Phone"),
        numbers=tuple(f"+12025550{last}" for last in range(101, 113)),
        file=FileReading(format="xlsx", sheet="Sheet", hidden_rows=10),
    ),
    "workbook-plus-in-number-format.xlsx": Sample(
        ("Name", "Phone"), numbers=tuple(f"+441614960{last}" for last in range(100, 112))
    ),
    "workbook-zero-in-number-format.xlsx": Sample(
        ("Name", "Phone"), region="IT", numbers=tuple(f"+3906123456{last:02}" for last in range(12))
    ),
    "workbook-date-format.xlsx": Sample(("Name", "Phone"), numbers=("+12025550199",), rejected=7),
    "workbook-macros.xlsm": Sample(
        ("Name", "Phone"), numbers=tuple(f"+12025550{last}" for last in range(101, 113))
    ),
    "workbook-inline-and-formulas.xlsx": Sample(
        ("Name", "Phone"), numbers=("+12025550101", "+12025550102"), rejected=3
    ),
    "workbook-prefixed-names.xlsx": Sample(("Phone",), numbers=("+12025550101",)),
    "workbook-escaped-line-ends.xlsx": Sample(("number",), numbers=("+447700900123", "+447700900124")),
}

UNREADABLE = {
    "document.docx": "a Word document",
    "document.pdf": "a PDF document",
    "list-utf-32.txt": "UTF-32",
    "old-workbook.xls": "an old Office file",
    "picture.bmp": "bytes that do not occur in text",
    "contacts.vcf": "a vCard file, .* Export the contacts as CSV",
    "contacts.jsonl": "a JSON file. Convert it to CSV",
    "numbers.json": "a JSON file. Convert it to CSV",
    "web-page.xls": r"a web page .* save it as \"Excel workbook \(.xlsx\)\"",
    "workbook-2003.xml": r"an XML spreadsheet .* save it as \"Excel workbook \(.xlsx\)\"",
    "sheet.slk": r"a SYLK spreadsheet .* save it as \"Excel workbook \(.xlsx\)\"",
    "sheet.ods": r"an OpenDocument file, such as .ods. .* save it as \"Excel workbook \(.xlsx\)\"",
    "binary-workbook.xlsb": r"a binary Excel workbook .* save it as \"Excel workbook \(.xlsx\)\"",
    "workbook-with-a-password.xlsx": "protected by a password. Open it, remove the password",
    "workbook-strict.xlsx": r"Strict Open XML, .* save it as \"Excel workbook \(.xlsx\)\"",
    "several-files.zip": "a zip archive of 2 files. Unzip it and upload each file by itself",
    "table-backslash-before-quotes.csv": "In row 14 of the table, a backslash stands before a quotation mark",
}
"""What the refusal says about a file, as a pattern."""

INSTRUCTIONS_FIRST = "workbook-instructions-first.xlsx"


@pytest.mark.parametrize(("name", "sample"), READABLE.items(), ids=READABLE)
def test_a_sample_is_read_as_intended(name: str, sample: Sample) -> None:
    cleaned = clean((SAMPLES / name).read_bytes(), sample.kind, sample.region)

    assert cleaned.header == sample.header
    assert cleaned.numbers == list(sample.numbers)
    assert cleaned.counts.rejected == sample.rejected


@pytest.mark.parametrize(
    ("name", "file"), [(name, sample.file) for name, sample in READABLE.items() if sample.file]
)
def test_the_format_and_encoding_of_a_sample_are_reported(name: str, file: FileReading) -> None:
    with (SAMPLES / name).open("rb") as source, open_upload(source, READABLE[name].kind) as rows:
        assert rows.file == file


@pytest.mark.parametrize(("name", "words"), UNREADABLE.items(), ids=UNREADABLE)
def test_a_file_that_is_not_a_list_or_table_is_refused(name: str, words: str) -> None:
    reason = refusal((SAMPLES / name).read_bytes()).reason

    assert reason.code is ReasonCode.NOT_TEXT
    assert re.search(words, reason.message)


@dataclass(frozen=True)
class Chosen:
    """Which column of a file is read.

    Attributes:
        column: its name; None for a plain list.
        submitted: how many distinct entries are sent.
        first: the first of them.
        region: the default region.
        rejected: how many rows are rejected.
        unread: the other columns that hold numbers, with counts.
        kind: what the checker takes.
        country: the name of the column with the country of each number.
    """

    column: str | None
    submitted: int
    first: str
    region: str | None = None
    rejected: int = 0
    unread: Mapping[str, int] = field(default_factory=dict)
    kind: InputKind = InputKind.PHONE
    country: str | None = None


CHOSEN = {
    "table-of-customer-numbers.csv": Chosen("Telefon geschäftlich", 4, "+493023125001", "DE"),
    "table-of-a-bare-nummer.csv": Chosen(
        "Telefon mobil", 12, "+493023125051", "DE", unread={"Telefon privat": 12}
    ),
    "table-with-calling-codes.csv": Chosen("Phone Number", 12, "+917012345601", "US", country="Country Code"),
    "contacts-of-an-address-book.csv": Chosen(
        "Phone 1 - Value", 8, "+12025550101", unread={"Phone 2 - Value": 2}
    ),
    "contacts-with-few-mails.csv": Chosen(
        "Phone 1 - Value", 8, "+12025550101", unread={"Phone 2 - Value": 2}
    ),
    "contacts-with-mostly-mails.csv": Chosen(
        "Phone 1 - Value", 2, "+12025550101", unread={"Phone 2 - Value": 1}
    ),
    "table-with-dates.csv": Chosen("Tlf.", 12, "+4570101000", "DK"),
    "table-of-padded-customer-numbers.txt": Chosen("Telephone 1", 12, "+441614960100", "GB"),
    "table-of-padded-article-numbers.csv": Chosen("Kontakt", 12, "+493023125000", "DE"),
    "leads-utf-16.csv": Chosen("phone_number", 12, "+12025550100"),
    "list-in-one-line.txt": Chosen(None, 12, "+12025550100"),
    "table-with-a-capital-hint.csv": Chosen("Phone", 2, "+12025550101"),
    "table-with-a-quoted-hint.csv": Chosen("Phone", 1, "+12025550101"),
    "tables-joined.csv": Chosen("Phone", 2, "+12025550101", rejected=1),
    "table-with-two-byte-order-marks.csv": Chosen('\ufeff"Phone"', 1, "+12025550101"),
    "survey-with-three-headers.csv": Chosen("Q3", 12, "+12025550100", rejected=2),
    "table-with-a-sparse-phone.csv": Chosen("MobilePhone", 12, "+12025550100", unread={"Phone": 1}),
    "table-with-two-good-columns.csv": Chosen("phone", 12, "+12025550100", unread={"whatsapp": 12}),
    "table-of-extension-and-number.csv": Chosen("Number", 2, "+12025550101", "US"),
    "report-with-a-preamble.csv": Chosen("Phone", 12, "+12025550100"),
    "table-of-personal-numbers.csv": Chosen("Tfn mobil", 1, "+46701740605", "SE"),
    "table-with-e-mails-and-phones.csv": Chosen("Phone 1", 3, "+12025550101", kind=InputKind.AS_WRITTEN),
    "table-of-a-sparse-contact-number.csv": Chosen(
        "Contact no.", 2, "+49 30 23125101", kind=InputKind.AS_WRITTEN
    ),
    "workbook-with-a-preamble.xlsx": Chosen("Phone", 12, "+12025550101"),
}

REFUSED = {
    "list-of-digits-without-plus.txt": ReasonCode.NO_VALID_NUMBERS,
    "table-of-customer-numbers.csv": ReasonCode.NO_VALID_NUMBERS,
    "table-of-padded-customer-numbers.txt": ReasonCode.NO_VALID_NUMBERS,
    "table-of-padded-article-numbers.csv": ReasonCode.NO_VALID_NUMBERS,
    "table-with-words-for-nothing.csv": ReasonCode.NO_VALID_NUMBERS,
    "list-with-names-and-spaces.txt": ReasonCode.NO_VALID_NUMBERS,
    "table-of-fixed-width.txt": ReasonCode.NO_VALID_NUMBERS,
    "table-of-a-header-alone.csv": ReasonCode.EMPTY_FILE,
    INSTRUCTIONS_FIRST: ReasonCode.NO_VALID_NUMBERS,
}
"""Files that are refused without a default region."""


@pytest.mark.parametrize(("name", "chosen"), CHOSEN.items(), ids=CHOSEN)
def test_the_right_column_of_a_sample_is_read(name: str, chosen: Chosen) -> None:
    phones_only = chosen.kind is InputKind.AS_WRITTEN
    content = (SAMPLES / name).read_bytes()
    cleaned = clean(content, chosen.kind, chosen.region, phones_only=phones_only)

    assert cleaned.reading.column == chosen.column
    assert cleaned.reading.country_column == chosen.country
    assert (cleaned.counts.submitted, cleaned.counts.rejected) == (chosen.submitted, chosen.rejected)
    assert cleaned.numbers[0] == chosen.first
    assert {other.name: other.numbers for other in cleaned.reading.other_columns} == chosen.unread


@pytest.mark.parametrize(("name", "code"), REFUSED.items(), ids=REFUSED)
def test_a_sample_without_a_column_of_numbers_is_refused(name: str, code: ReasonCode) -> None:
    assert refusal((SAMPLES / name).read_bytes()).reason.code is code


def test_the_refusal_names_the_sheets_that_hold_numbers() -> None:
    reason = refusal((SAMPLES / INSTRUCTIONS_FIRST).read_bytes()).reason

    assert reason.code is ReasonCode.NO_VALID_NUMBERS
    assert 'The sheet "Instructions" was read. Numbers are also in: "Contacts" (12).' in reason.message
    assert "numberdrop send --sheet" in reason.message


def test_every_upload_sample_is_used() -> None:
    assert {
        path.name for path in SAMPLES.glob("[!.]*")
    } == READABLE.keys() | UNREADABLE.keys() | CHOSEN.keys() | REFUSED.keys()
