"""Reading the sheets of workbooks: the same values as openpyxl, and nothing lost."""

import io
import re
from datetime import date, datetime, time

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.formats.sheet import SheetRow
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.formats.workbook import open_workbook
from tests.support.exports import unzipped, with_member, with_shared_strings, workbook, zipped

SHEET = "xl/worksheets/sheet1.xml"


def rows_of(book: bytes) -> list[SheetRow]:
    with open_workbook(io.BytesIO(book)) as opened:
        return list(opened.rows(opened.sheets[0]))


def cells_of(book: bytes) -> list[list[str]]:
    return [row.cells for row in rows_of(book)]


def with_rows(xml: str) -> bytes:
    """Return a workbook whose only sheet has these rows."""
    book = unzipped(workbook([]))
    sheet = re.sub(rb"<sheetData ?/>|<sheetData>.*</sheetData>", b"", book[SHEET])
    return zipped(
        {**book, SHEET: sheet.replace(b"<pageMargins", f"<sheetData>{xml}</sheetData><pageMargins".encode())}
    )


def text_of(value: object) -> str:
    """Return the text of a value as openpyxl reads it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def cells_by_openpyxl(book: bytes) -> list[list[str]]:
    sheet = openpyxl.load_workbook(io.BytesIO(book), data_only=True).worksheets[0]
    rows = [[text_of(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    for row in rows:
        while row and not row[-1]:
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows


TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn", "Co"]), max_size=9).filter(
    lambda text: not text.startswith("=") and "_x" not in text and text not in {"#N/A", "#VALUE!"}
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(-1e9, 1e9, allow_subnormal=False),
    st.dates(date(1901, 1, 1), date(2199, 12, 31)),
    st.datetimes(datetime(1901, 1, 1), datetime(2199, 12, 31)).map(lambda when: when.replace(microsecond=0)),  # noqa: DTZ001 - sheets have no time zones
    st.times().map(lambda when: when.replace(microsecond=0)),
    TEXTS,
)


@pytest.mark.slow
@given(st.lists(st.lists(VALUES, max_size=5), max_size=5), st.booleans())
def test_cells_have_the_values_that_openpyxl_reads(rows: list[list[object]], shared: bool) -> None:
    book = workbook(rows)
    if shared:
        book = with_shared_strings(book)
    read = cells_of(book)
    while read and not read[-1]:
        read.pop()

    assert read == cells_by_openpyxl(book)


def test_rows_and_cells_without_numbers_follow_one_another() -> None:
    xml = "<row><c><v>1</v></c><c><v>2</v></c></row><row/><row><c/><c><v>3</v></c></row>"

    assert cells_of(with_rows(xml)) == [["1", "2"], [], ["", "3"]]


def test_gaps_between_rows_and_cells_are_kept() -> None:
    second = '<row r="2"><c r="B2"><v>1</v></c><c r="AA2"><v>2</v></c></row>'
    xml = f'{second}<row r="4"><c r="A4"><v>3</v></c></row>'

    assert cells_of(with_rows(xml)) == [[], ["", "1", *[""] * 24, "2"], [], ["3"]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ('<row r="2"/><row r="2"/>', "row 2 stands where row 3"),
        ('<row r="3"/><row r="2"/>', "row 2 stands where row 4"),
        ('<row/><row/><row r="1"/>', "row 1 stands where row 3"),
        ('<row r="0"/>', "row 0 stands where row 1"),
        ('<row r="x"/>', "cannot be read"),
        ('<row r="1"><c r="B1"/><c r="B1"/></row>', "cells in row 1 of the sheet are not in order"),
        ('<row r="1"><c r="B1"/><c r="A1"/></row>', "cells in row 1 of the sheet are not in order"),
        ('<row r="1"><c r="A2"/></row>', "cells in row 1 of the sheet are not in order"),
        ('<row r="1"><c r="A"/></row>', "cells in row 1 of the sheet are not in order"),
        ('<row r="1"><c r="1"/></row>', "cells in row 1 of the sheet are not in order"),
        ('<row r="1"><c r="XFE1"/></row>', "columns beyond the 16,384"),
        ('<row r="1"><c r="ÄÖ1"/></row>', "cells in row 1 of the sheet are not in order"),
        ('<row r="1"><c t="s"><v>0</v></c></row>', "cannot be read"),
        ('<row r="1"><c t="s"><v>-1</v></c></row>', "cannot be read"),
    ],
)
def test_places_that_repeat_or_go_back_are_refused(rows: str, words: str) -> None:
    with pytest.raises(InvalidFileError, match=words):
        rows_of(with_rows(rows))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<c><v>007</v></c>", "7"),
        ("<c><v>4.47700900123E+11</v></c>", "447700900123"),
        ("<c><v>-0.5</v></c>", "-0.5"),
        ("<c><v>1E999</v></c>", "1E999"),
        ("<c><v>1_000</v></c>", "1_000"),
        (f"<c><v>{'9' * 5000}</v></c>", "9" * 5000),
        ("<c><v>&#x661;&#x662;</v></c>", "\u0661\u0662"),
        ('<c t="b"><v>0</v></c>', "false"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="d"><v>2024-01-02T10:00:00</v></c>', "2024-01-02 10:00:00"),
        ('<c t="str"><f>"+1"&amp;A2</f><v>+1 202_x000D_</v></c>', "+1 202\r"),
        ('<c t="inlineStr"><is><r><rPr><b/></rPr><t>+1</t></r><r><t>202</t></r></is></c>', "+1202"),
        ('<c t="inlineStr"><is><t>東京</t><rPh sb="0" eb="1"><t>トウキョウ</t></rPh></is></c>', "東京"),
        ('<c t="inlineStr"><is><t>a<![CDATA[<b>]]>&amp;c</t></is></c>', "a<b>&c"),
        ('<c t="inlineStr"><is><t>_x005F_x000D_ _xD83D_ _x0000_</t></is></c>', "_x000D_ \ufffd \ufffd"),
        ("<c><v/></c><c><v>1</v></c>", ""),
        ("<c><x><v>5</v></x></c><c><v>1</v></c>", ""),
    ],
)
def test_a_cell_is_read_as_it_is_shown(cell: str, text: str) -> None:
    assert cells_of(with_rows(f"<row>{cell}</row>"))[0][0] == text


def test_hidden_rows_are_marked() -> None:
    rows = rows_of(
        with_rows('<row hidden="1"><c><v>1</v></c></row><row hidden="false"><c><v>2</v></c></row>')
    )

    assert rows == [SheetRow(["1"], is_hidden=True), SheetRow(["2"], is_hidden=False)]


def test_names_of_parts_may_differ_in_case_and_slashes() -> None:
    parts = {name.replace("xl/", "XL\\"): part for name, part in unzipped(workbook([[time(1, 2)]])).items()}

    assert cells_of(zipped(parts)) == [["01:02:00"]]


def test_two_sheets_that_share_a_part_are_refused() -> None:
    book = unzipped(workbook([[1]]))
    sheet = re.search(rb"<sheet .*?/>", book["xl/workbook.xml"])
    assert sheet
    twice = book["xl/workbook.xml"].replace(sheet[0], sheet[0] * 2)

    with pytest.raises(InvalidFileError, match="Two sheets"):
        rows_of(zipped({**book, "xl/workbook.xml": twice}))


def test_broken_styles_matter_only_to_who_needs_them() -> None:
    content = with_member(workbook([["41790000001"]]), "xl/styles.xml", {b"</styleSheet>": b""})

    with pytest.raises(InvalidFileError):
        rows_of(content)
    with open_workbook(io.BytesIO(content), needs_formats=False) as book:
        assert [row.cells for row in book.rows(book.sheets[0])] == [["41790000001"]]
