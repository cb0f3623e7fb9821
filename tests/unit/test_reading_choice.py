"""The column and sheet that a user chose, in the metadata and in the file."""

import io
from collections.abc import Sequence
from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reading_choice import Choice, metadata_text
from numberdrop.jobs.reasons import ReasonCode
from tests.support.uploads import clean, refusal

A, B, C = "+12025550101", "+12025550102", "+12025550103"
TABLE = f"Name,Phone,WhatsApp\nJane,{A},{B}\nRick,{B},{C}\n"


def workbook(**sheets: Sequence[Sequence[str]]) -> bytes:
    """Return a workbook with sheets of these names."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_a_chosen_name_survives_the_metadata(name: str) -> None:
    metadata = Choice(column=name).metadata

    assert metadata["column"].isascii()
    assert Choice.from_metadata(metadata) == Choice(column=name)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_a_name_is_read_as_s3_returns_it(charset: str) -> None:
    assert metadata_text(Header("Telefon geschäftlich", charset).encode()) == "Telefon geschäftlich"


@pytest.mark.parametrize("odd", ["=?nope?q?x?=", "%ff", "100 %", "a=?b"])
def test_odd_metadata_is_taken_as_it_is(odd: str) -> None:
    assert metadata_text(odd) == odd


@pytest.mark.parametrize("column", ["WhatsApp", "whatsapp", " WHATSAPP ", "C", "c"])
def test_a_column_is_chosen_by_its_header_or_letter(column: str) -> None:
    cleaned = clean(TABLE, choice=Choice(column))

    assert cleaned.numbers == [B, C]
    assert cleaned.header == ("Name", "Phone", "WhatsApp")


def test_a_header_takes_precedence_over_a_letter() -> None:
    assert clean(f"B,A,x\n{A},{B},{C}\n", choice=Choice("B")).numbers == [A]


def test_a_column_below_a_preamble_can_be_chosen() -> None:
    assert clean(
        f"Report,of,May\n\nName,Kontakt 2,Phone\nJane,{A},{B}\n", choice=Choice("Kontakt 2")
    ).numbers == [A]


@pytest.mark.parametrize("column", ["A", "column_1"])
def test_a_column_without_a_header_can_be_chosen(column: str) -> None:
    assert clean(f"{A},{B}\n{B},{C}\n", choice=Choice(column)).numbers == [A, B]


def test_a_column_of_ids_can_be_chosen() -> None:
    assert (
        clean("Kunden-Nr.,Ort\n03012345678,x\n", region="DE", choice=Choice("Kunden-Nr.")).counts.submitted
        == 1
    )


@pytest.mark.parametrize("column", ["Fax", "D", "ZZZ", "Telefon geschäftlich"])
def test_a_column_that_does_not_exist_is_refused_by_name(column: str) -> None:
    reason = refusal(TABLE, choice=Choice(column)).reason

    assert reason.code is ReasonCode.NO_VALID_NUMBERS
    assert f'"{column}"' in reason.message
    assert '"Name", "Phone", "WhatsApp"' in reason.message


def test_a_header_that_two_columns_have_is_refused() -> None:
    assert (
        refusal(f"Phone,Phone\n{A},{B}\n", choice=Choice("Phone")).reason.code is ReasonCode.NO_VALID_NUMBERS
    )


def test_a_column_of_a_list_is_refused() -> None:
    assert "plain list" in refusal(f"{A}\n{B}\n", choice=Choice("Phone")).reason.message


def test_a_column_of_a_workbook_can_be_chosen() -> None:
    assert clean(workbook(Leads=[["Name", "P1", "P2"], ["x", A, B]]), choice=Choice("P2")).numbers == [B]


def test_an_e_mail_column_can_be_chosen() -> None:
    table = "to,cc\na@example.com,b@example.com\n"

    assert clean(table, InputKind.EMAIL, choice=Choice("cc")).numbers == ["b@example.com"]


@pytest.mark.parametrize("sheet", ["S\u00e9cond", " s\u00e9cond ", "Se\u0301cond", "SE\u0301COND"])
def test_a_sheet_is_chosen_by_its_name(sheet: str) -> None:
    sheets = {"First": [["Phone"], [A]], "S\u00e9cond": [["Phone"], [B]]}
    book = workbook(**sheets)

    assert clean(book, choice=Choice(sheet=sheet)).numbers == [B]
    assert clean(book).numbers == [A]


def test_a_sheet_that_does_not_exist_is_refused_by_name() -> None:
    message = refusal(workbook(First=[["Phone"], [A]]), choice=Choice(sheet="Third")).reason.message

    assert '"Third"' in message
    assert '"First"' in message


def test_a_sheet_of_a_text_is_refused() -> None:
    assert "not a workbook" in refusal(TABLE, choice=Choice(sheet="Leads")).reason.message


@pytest.mark.parametrize(
    ("upload", "column"),
    [
        (TABLE, "WhatsApp"),
        (f"{A},{B}\n{B},{C}\n", "B"),
        (f"title\n\nName,Phone\nJane,{A}\n", None),
        (f"Phone\n{A}\n", None),
        (f"{A}\n{B}\n", None),
        (f"{A}, {B}, {C}", None),
        (f"Land;Nummer;Name\nSchweiz;044 668 18 00;x\nUS;{A};y\n", None),
    ],
)
def test_an_upload_is_read_again_as_it_was_sent(upload: str, column: str | None) -> None:
    sent = clean(upload, choice=Choice(column))

    assert clean(upload, layout=sent.layout) == sent
