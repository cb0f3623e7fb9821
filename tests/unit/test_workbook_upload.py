"""Uploads of workbooks: usual, odd, broken and hostile ones."""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date

import pytest
from openpyxl import Workbook

from numberdrop.files.formats.entries_file import REJECTED
from numberdrop.files.uploads.workbook_to_csv import copy_as_csv
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from tests.support.uploads import NOT_A_PHONE_NUMBER, clean, refusal, refused_with

A, B, C = "+12025550101", "+12025550102", "+12025550103"


def workbook(*sheets: Sequence[Sequence[object]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(book: bytes, name: str, old: str, new: str) -> bytes:
    """Return the workbook with some XML of a part replaced."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as parts, zipfile.ZipFile(changed, "w") as out:
        for part in parts.namelist():
            xml = parts.read(part).decode()
            if part == name:
                assert re.search(old, xml)
                xml = re.sub(old, new, xml, count=1)
            out.writestr(part, xml)
    return changed.getvalue()


def table(book: bytes) -> str:
    out = io.BytesIO()
    copy_as_csv(io.BytesIO(book), out)
    return out.getvalue().decode()


@pytest.mark.parametrize("cell", [12025550101, 12025550101.0, "12025550101", "202-555-0101"])
def test_a_number_is_read_from_any_type_of_cell(cell: object) -> None:
    assert clean(workbook([["Phone"], [cell]]), region="US").numbers == [A]


def test_a_huge_number_is_not_rounded() -> None:
    book = with_part(
        workbook([["Phone"], [12]]), "xl/worksheets/sheet1.xml", "<v>12</v>", "<v>4.47700900123E+11</v>"
    )

    assert table(book) == "Phone\r\n447700900123\r\n"


def test_cells_become_text_as_people_see_it() -> None:
    row = [None, True, 0.5, -3, date(2024, 1, 2), "a,b", 'c "d"', "e\nf"]

    assert table(workbook([row])) == ',true,0.5,-3,2024-01-02 00:00:00,"a,b","c ""d""","e\nf"\r\n'


def test_the_first_sheet_with_data_is_read() -> None:
    assert clean(workbook([], [[None, ""]], [["Phone"], [A]], [["Phone"], [B]])).numbers == [A]


def test_a_hidden_sheet_is_read_only_if_visible_ones_are_empty() -> None:
    both, first = workbook([["Phone"], [A]], [["Phone"], [B]]), workbook([["Phone"], [A]], [])
    hidden = [
        with_part(book, "xl/workbook.xml", 'state="visible"', 'state="hidden"') for book in (both, first)
    ]

    assert [clean(book).numbers for book in hidden] == [[B], [A]]


def test_only_the_first_20_sheets_are_searched_for_data() -> None:
    empty: list[list[object]] = []

    assert clean(workbook(*[empty] * 19, [["Phone"], [A]])).numbers == [A]
    assert refused_with(workbook(*[empty] * 20, [["Phone"], [A]])) is ReasonCode.EMPTY_FILE


def test_rows_beyond_the_last_possible_one_are_refused() -> None:
    book = with_part(BOOK, "xl/worksheets/sheet1.xml", '<row r="2"', '<row r="1048577"')

    with pytest.raises(JobFailedError, match="rows beyond the 1,048,576") as caught:
        clean(book)

    assert caught.value.reason.code is ReasonCode.NOT_TEXT


def test_row_numbers_are_those_of_the_sheet() -> None:
    cleaned = clean(workbook([[None], ["Name", "Phone"], ["Jane", A], [], ["Rick", "x"]]))

    assert cleaned.entries == [A, "", REJECTED]
    assert cleaned.rejected == [(5, "x", NOT_A_PHONE_NUMBER)]


def test_a_workbook_with_one_column_is_a_table() -> None:
    cleaned = clean(workbook([[A], ['"odd", isn\'t it'], [B]]))

    assert cleaned.header == ("column_1",)
    assert cleaned.entries == [A, REJECTED, B]


def test_rows_of_a_workbook_may_differ_in_length() -> None:
    assert clean(workbook([["Phone", "Note"], [A], [B, "x", "y"]])).numbers == [A, B]


PEOPLE = [["Jane", A, "x"], ["Rick", B, "y"], ["Asa", C, "z"]]


@pytest.mark.parametrize(
    ("above", "entries"),
    [
        ([["Customers"], ["Kunde", "Kontakt", "Ort"]], [REJECTED, A, B, C]),
        ([["Kunde"]], [A, B, C]),
        ([["Zoe"]], [A, B, C]),
        ([["Customers"], ["Name", "Phone", "Ort"]], [A, B, C]),
    ],
    ids=["a title", "a header of one name", "a row without its number", "a title above a named column"],
)
def test_a_short_first_row_does_not_hide_the_number_column(
    above: list[list[str]], entries: list[str]
) -> None:
    assert clean(workbook([*above, *PEOPLE])).entries == entries


@pytest.mark.parametrize(
    ("above", "sent"),
    [
        ([["Customers"], ["Kunde", "Kontakt", "Ort"]], ["Kontakt", A, B, C]),
        ([["Kunde"]], [A, B, C]),
        ([["Customers"], ["Name", "Phone", "Ort"]], [A, B, C]),
        ([["Customers"], [], ["as of", "today"], ["Name", "Phone", "Ort"]], [A, B, C]),
    ],
    ids=["a title", "a header of one name", "a title above a named column", "two titles"],
)
def test_names_below_a_workbook_title_are_not_sent_as_numbers(
    above: list[list[str]], sent: list[str]
) -> None:
    assert clean(workbook([*above, *PEOPLE]), InputKind.AS_WRITTEN).numbers == sent


def test_a_note_beside_a_list_does_not_change_the_column() -> None:
    rows = [["hello"], ["079 1"], ["jane", "a note"], ["x"], ["y"]]

    assert clean(workbook(rows), InputKind.AS_WRITTEN).numbers == ["hello", "079 1", "jane", "x", "y"]


def test_a_format_far_to_the_right_is_not_a_column() -> None:
    far = '<c r="BER1" s="0"/></row>'
    book = with_part(workbook([["Phone"], [A], [B]]), "xl/worksheets/sheet1.xml", "</row>", far)

    assert table(book) == f"Phone\r\n{A}\r\n{B}\r\n"
    assert clean(book).header == ("Phone",)


def test_a_cell_in_the_last_column_is_refused_with_advice() -> None:
    far = '<c r="XFD2" t="inlineStr"><is><t>x</t></is></c></row><row r="3">'
    book = with_part(workbook([["Phone"], [A], [B]]), "xl/worksheets/sheet1.xml", '</row><row r="3">', far)

    with pytest.raises(JobFailedError) as caught:
        clean(book)

    assert caught.value.reason.code is ReasonCode.TOO_LARGE
    assert (
        "Row 2 of the table extends to column 16,384, and at most 500 columns" in caught.value.reason.message
    )


def test_line_ends_inside_a_cell_do_not_add_rows() -> None:
    book = workbook([["Phone", "Note"], [A, "one\rtwo\r\nthree\nfour"], [B, ""]])

    assert clean(book).entries == [A, B]


def test_half_a_surrogate_pair_is_tolerated() -> None:
    book = with_part(workbook([["Phone", "Note"], [A, "odd"]]), "xl/sharedStrings.xml", "odd", "_xD83D_")

    assert clean(book).numbers == [A]


def test_a_workbook_without_data_is_refused_as_empty() -> None:
    assert refused_with(workbook([])) is ReasonCode.EMPTY_FILE
    assert refused_with(workbook([["Phone"]])) is ReasonCode.EMPTY_FILE


def test_formulas_without_values_are_refused_with_advice() -> None:
    with pytest.raises(JobFailedError) as caught:
        clean(workbook([["Phone"], ['="+"&B2']]))

    message = caught.value.reason.message
    assert caught.value.reason.code is ReasonCode.EMPTY_FILE
    assert 'nothing in the column "Phone" of the sheet "Sheet"' in message
    assert "open the workbook in a spreadsheet program, save it" in message


def test_the_refusal_names_the_sheet() -> None:
    with pytest.raises(JobFailedError, match='line of the column "Phone" of the sheet "Sheet1" can be sent'):
        clean(workbook([], [["Phone"], ["x"]]))


def test_the_refusal_masks_numbers_in_the_name_of_a_sheet() -> None:
    book = with_part(workbook([["Phone"], ["x"]]), "xl/workbook.xml", 'name="Sheet"', f'name="{A}"')

    with pytest.raises(JobFailedError, match=r'of the sheet "\[digits\]"'):
        clean(book)


def test_a_workbook_without_a_column_of_numbers_is_refused() -> None:
    assert refused_with(workbook([["a", "b"], [1, 2]])) is ReasonCode.NO_VALID_NUMBERS


BOOK = workbook([["Phone"], [A]])


@pytest.mark.parametrize(
    "broken",
    [
        BOOK[:-30],
        BOOK[:200],
        b"PK\x03\x04" + bytes(1000),
        with_part(BOOK, "xl/worksheets/sheet1.xml", "<sheetData>", "<sheetData><row"),
        with_part(BOOK, "xl/worksheets/sheet1.xml", "^", "<!DOCTYPE x [<!ENTITY e 'x'>]>"),
        with_part(
            BOOK, "xl/worksheets/sheet1.xml", "<sheetData>", "<sheetData><row>" + "<c/>" * 1001 + "</row>"
        ),
    ],
)
def test_a_broken_workbook_is_refused_as_an_upload(broken: bytes) -> None:
    with pytest.raises(JobFailedError) as caught:
        clean(broken)

    assert caught.value.reason.code is ReasonCode.NOT_TEXT
    assert "export" not in caught.value.reason.message


def test_a_workbook_that_unzips_to_far_more_is_refused() -> None:
    bomb = io.BytesIO()
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as parts,
        parts.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range(110):
            part.write(bytes(1024 * 1024))

    assert refused_with(bomb.getvalue()) is ReasonCode.NOT_TEXT


def test_a_small_workbook_with_a_huge_table_is_refused() -> None:
    book = workbook([["x" * 1000]] * 100)

    with pytest.raises(JobFailedError) as caught:
        copy_as_csv(io.BytesIO(book), io.BytesIO(), max_characters=50_000)

    assert caught.value.reason.code is ReasonCode.TOO_LARGE


@pytest.mark.parametrize("header", ["Kunden-Nr.", "REGON", "Mitglieder"])
def test_one_column_of_ids_is_refused(header: str) -> None:
    rows = [[30010000 + row] for row in range(5)]

    assert refused_with(workbook([[header], *rows]), region="DE") is ReasonCode.NO_VALID_NUMBERS
    assert clean(workbook([["Telefon"], *rows]), region="DE").counts.submitted == 5


def test_a_sheet_of_notes_is_refused_with_the_sheet_of_numbers() -> None:
    reason = refusal(workbook([["Info"], ["Read me"]], [["Phone"], [A], [B]])).reason

    assert 'Numbers are also in: "Sheet1" (2). Choose a sheet' in reason.message
