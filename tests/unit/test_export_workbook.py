"""Workbooks that come from outside, as exports or within them."""

import io
import tracemalloc
import warnings
import zipfile
from datetime import datetime

import pytest
from openpyxl import Workbook

from numberdrop.files.formats import workbook_guard
from numberdrop.files.formats.archive import MIB, ArchiveLimits
from tests.support.exports import (
    EXPECTED,
    HEADER,
    ROWS,
    SHARED_STRINGS,
    Exports,
    unzipped,
    with_member,
    with_shared_strings,
    workbook,
    zipped,
)


def test_cells_of_a_sheet_are_read_as_text(given_an: Exports) -> None:
    rows: list[list[object]] = [
        ["number", "a", "b", "c"],
        [41790000001, True, None, "yes"],
        [None, None, None, None],
        [41790000002.0, 1.5, "=1+1"],
    ]

    assert given_an.rows(workbook(rows)) == [
        ("41790000001", ["true", "", "yes"]),
        ("41790000002", ["1.5", "", ""]),
    ]


def test_a_sheet_that_claims_another_size_is_read_in_full(given_an: Exports) -> None:
    content = with_member(
        workbook([HEADER, *ROWS]),
        "xl/worksheets/sheet1.xml",
        {b'<dimension ref="A1:B3"': b'<dimension ref="A1:A1"'},
    )

    assert given_an.rows(content) == EXPECTED


def test_a_number_that_is_marked_as_a_date_is_quoted_in_no_warning(given_an: Exports) -> None:
    content = with_member(
        workbook([HEADER, ("41790000001", datetime(2025, 1, 1))]),  # noqa: DTZ001 - sheets know no zones
        "xl/worksheets/sheet1.xml",
        {b"<v>45658</v>": b"<v>41790000002</v>"},
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = given_an.rows(content)

    assert rows == [("41790000001", ["#VALUE!"])]
    assert not caught


@pytest.mark.parametrize(
    "row", [b'<row r="3000000000">', b'<row r="1048576"/><row>', b'<row r=" 3000000000">', b'<row r="3e9">']
)
def test_a_row_beyond_what_sheets_can_have_is_refused_and_not_waited_for(
    given_an: Exports, row: bytes
) -> None:
    content = with_member(workbook([HEADER, *ROWS]), "xl/worksheets/sheet1.xml", {b'<row r="3">': row})

    assert "rows beyond the 1,048,576" in given_an.refusal(content)


def test_the_first_sheet_with_anything_in_it_is_read_and_hidden_ones_last(given_an: Exports) -> None:
    book = Workbook()
    hidden = book.worksheets[0]
    hidden.sheet_state = "hidden"
    hidden.append(["number", "band"])
    hidden.append(["41790000003", "yes"])
    book.create_sheet()
    shown = book.create_sheet()
    for row in [HEADER, *ROWS]:
        shown.append(list(row))
    file = io.BytesIO()
    book.save(file)

    assert given_an.rows(file.getvalue()) == EXPECTED


def test_a_workbook_in_an_archive_with_a_wrong_checksum_is_refused(given_an: Exports) -> None:
    content = bytearray(zipped({"r.xlsx": workbook([HEADER, *ROWS])}, zipfile.ZIP_STORED))
    content[200] ^= 1

    assert "broken" in given_an.refusal(bytes(content))


@pytest.mark.parametrize("nested", [True, False])
def test_a_workbook_that_unzips_to_too_much_is_refused(given_an: Exports, nested: bool) -> None:
    content = workbook([HEADER, *[("x" * 30_000, "yes")] * 10])

    assert "far more" in given_an.refusal(
        zipped({"r.xlsx": content}) if nested else content, ArchiveLimits(workbook=20_000)
    )


def test_a_row_of_endless_empty_cells_is_refused_before_it_is_held_in_memory(given_an: Exports) -> None:
    cells = b"<c/>" * 2_000_000
    hostile = with_member(
        workbook([HEADER, *ROWS]), "xl/worksheets/sheet1.xml", {b"</row>": cells + b"</row>"}
    )

    tracemalloc.start()
    refusal = given_an.refusal(hostile)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "too many cells" in refusal
    assert peak < 30 * MIB


def test_a_part_is_looked_through_whatever_its_name(given_an: Exports) -> None:
    book = unzipped(workbook([HEADER, *ROWS]))
    sheet = book.pop("xl/worksheets/sheet1.xml").replace(b"</row>", b"<c/>" * 2000 + b"</row>", 1)
    parts = {name: part.replace(b"sheet1.xml", b"sheet1.dat") for name, part in book.items()}

    refusal = given_an.refusal(zipped({**parts, "xl/worksheets/sheet1.dat": sheet}))

    assert "too many cells" in refusal


def test_a_picture_in_a_workbook_does_no_harm(given_an: Exports) -> None:
    book = unzipped(workbook([HEADER, *ROWS]))

    assert given_an.rows(zipped({**book, "xl/media/image1.png": b"\x89PNG\r\n\x1a\n\0"})) == EXPECTED


CHAIN = b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%b</calcChain>'
PICTURE = (
    b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    b'"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg xmlns="http://www.w3.org/2000/svg"/>'
)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("xl/calcChain.xml", CHAIN % (b'<c r="B2" i="1"/>' * 1500)),
        ("xl/media/image1.svg", PICTURE),
        ("customXml/item1.xml", b'<data><row r="abc"/><row r=""/></data>'),
    ],
    ids=["an order of formulas", "a drawing with a document type", "rows of another kind"],
)
def test_what_others_put_into_a_workbook_does_no_harm(given_an: Exports, name: str, part: bytes) -> None:
    assert given_an.rows(zipped({**unzipped(workbook([HEADER, *ROWS])), name: part})) == EXPECTED


def test_endless_cells_outside_of_rows_are_refused(
    given_an: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_guard, "MAX_CELLS_OUTSIDE", 2000)
    book = unzipped(workbook([HEADER, *ROWS]))

    assert given_an.rows(zipped({**book, "xl/calcChain.xml": CHAIN % (b"<c/>" * 2000)})) == EXPECTED
    assert "too many cells" in given_an.refusal(
        zipped({**book, "xl/calcChain.xml": CHAIN % (b"<c/>" * 2001)})
    )


def test_a_workbook_too_large_to_unpack_is_refused(given_an: Exports) -> None:
    content = zipped({"r.xlsx": workbook([HEADER, *ROWS])})

    assert "too large" in given_an.refusal(content, ArchiveLimits(workbook=100))


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", SHARED_STRINGS, "xl/workbook.xml"])
def test_an_xml_bomb_is_refused(given_an: Exports, part: str) -> None:
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    book = with_shared_strings(workbook([HEADER, *ROWS]))
    root = unzipped(book)[part]
    start = root[: root.index(b">") + 1] if root.startswith(b"<?xml") else b""
    old = start or root[:10]
    new = old + entities if start else entities + old

    assert "cannot be read" in given_an.refusal(with_member(book, part, {old: new}))


def test_a_document_that_is_no_workbook_is_refused(given_an: Exports) -> None:
    assert "cannot be read" in given_an.refusal(zipped({"[Content_Types].xml": "<Types/>"}))
