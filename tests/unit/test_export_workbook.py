"""Workbooks from outside, as exports or inside archives."""

import io
import re
import tracemalloc
import warnings
import zipfile
from datetime import datetime

import pytest
from openpyxl import Workbook

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


def test_cells_of_a_sheet_are_read_as_text(exports: Exports) -> None:
    rows: list[list[object]] = [
        ["number", "a", "b", "c"],
        [41790000001, True, None, "yes"],
        [None, None, None, None],
        [41790000002.0, 1.5, "=1+1"],
    ]

    assert exports.rows(workbook(rows)) == [
        ("41790000001", ["true", "", "yes"]),
        ("41790000002", ["1.5", "", ""]),
    ]


def test_a_sheet_with_a_wrong_size_is_read_in_full(exports: Exports) -> None:
    content = with_member(
        workbook([HEADER, *ROWS]),
        "xl/worksheets/sheet1.xml",
        {b'<dimension ref="A1:B3"': b'<dimension ref="A1:A1"'},
    )

    assert exports.rows(content) == EXPECTED


def test_a_number_formatted_as_a_date_causes_no_warning(exports: Exports) -> None:
    content = with_member(
        workbook([HEADER, ("41790000001", datetime(2025, 1, 1))]),  # noqa: DTZ001 - sheets have no time zones
        "xl/worksheets/sheet1.xml",
        {b"<v>45658</v>": b"<v>41790000002</v>"},
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = exports.rows(content)

    assert rows == [("41790000001", ["#VALUE!"])]
    assert not caught


@pytest.mark.parametrize(
    "row", [b'<row r="3000000000">', b'<row r="1048576"/><row>', b'<row r=" 3000000000">', b'<row r="3e9">']
)
def test_a_row_number_beyond_the_last_possible_is_rejected(exports: Exports, row: bytes) -> None:
    content = with_member(workbook([HEADER, *ROWS]), "xl/worksheets/sheet1.xml", {b'<row r="3">': row})

    assert "rows beyond the 1,048,576" in exports.error(content)


def test_the_first_sheet_with_content_is_read_hidden_ones_last(exports: Exports) -> None:
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

    assert exports.rows(file.getvalue()) == EXPECTED


def test_an_archived_workbook_with_a_bad_checksum_is_rejected(exports: Exports) -> None:
    content = bytearray(zipped({"r.xlsx": workbook([HEADER, *ROWS])}, zipfile.ZIP_STORED))
    content[200] ^= 1

    assert "broken" in exports.error(bytes(content))


@pytest.mark.parametrize("nested", [True, False])
def test_a_workbook_that_unzips_to_too_much_is_rejected(exports: Exports, nested: bool) -> None:
    content = workbook([HEADER, *[("x" * 30_000, "yes")] * 10])

    assert "far more" in exports.error(
        zipped({"r.xlsx": content}) if nested else content, ArchiveLimits(workbook=20_000)
    )


def test_a_row_of_endless_cells_is_rejected_in_little_memory(exports: Exports) -> None:
    cells = b"<c/>" * 2_000_000
    hostile = with_member(
        workbook([HEADER, *ROWS]), "xl/worksheets/sheet1.xml", {b"</row>": cells + b"</row>"}
    )

    tracemalloc.start()
    error = exports.error(hostile)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "too many cells" in error
    assert peak < 30 * MIB


def test_a_sheet_with_an_unusual_name_is_checked_too(exports: Exports) -> None:
    book = unzipped(workbook([HEADER, *ROWS]))
    sheet = book.pop("xl/worksheets/sheet1.xml").replace(b"</row>", b"<c/>" * 2000 + b"</row>", 1)
    parts = {name: part.replace(b"sheet1.xml", b"sheet1.dat") for name, part in book.items()}

    error = exports.error(zipped({**parts, "xl/worksheets/sheet1.dat": sheet}))

    assert "too many cells" in error


def test_a_picture_in_a_workbook_is_ignored(exports: Exports) -> None:
    book = unzipped(workbook([HEADER, *ROWS]))

    assert exports.rows(zipped({**book, "xl/media/image1.png": b"\x89PNG\r\n\x1a\n\0"})) == EXPECTED


SHEET = "xl/worksheets/sheet1.xml"
CHAIN = b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%b</calcChain>'
PICTURE = (
    b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    b'"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg xmlns="http://www.w3.org/2000/svg"/>'
)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("xl/calcChain.xml", CHAIN % (b'<c r="B2" i="1"/>' * 1500)),
        ("docProps/core.xml", b"<not-xml"),
        ("docProps/app.xml", b"<x/>" * 100_000),
        ("xl/theme/theme1.xml", b""),
        ("xl/media/image1.svg", PICTURE),
        ("customXml/item1.xml", b'<data><row r="abc"/><row r=""/></data>'),
    ],
    ids=[
        *("a calculation chain", "broken properties", "long properties", "an empty theme"),
        *("a drawing with a document type", "rows of another kind"),
    ],
)
def test_extra_parts_of_a_workbook_are_ignored(exports: Exports, name: str, part: bytes) -> None:
    assert exports.rows(zipped({**unzipped(workbook([HEADER, *ROWS])), name: part})) == EXPECTED


def test_a_workbook_too_large_to_unpack_is_rejected(exports: Exports) -> None:
    content = zipped({"r.xlsx": workbook([HEADER, *ROWS])})

    assert "too large" in exports.error(content, ArchiveLimits(workbook=100))


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", SHARED_STRINGS, "xl/workbook.xml"])
def test_an_xml_bomb_is_rejected(exports: Exports, part: str) -> None:
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    book = with_shared_strings(workbook([HEADER, *ROWS]))
    root = unzipped(book)[part]
    start = root[: root.index(b">") + 1] if root.startswith(b"<?xml") else b""
    old = start or root[:10]
    new = old + entities if start else entities + old

    assert "cannot be read" in exports.error(with_member(book, part, {old: new}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<fills count="2">', b"<fills><fill/>"),
        (b'<name val="Calibri" />', b'<name val="Calibri" /><color rgb="FFF"/><color theme="x"/>'),
        (b'<sz val="11" />', b'<sz val="big" />'),
        (b"<borders", b"<what/><borders"),
        (b"<borders", b"<borderz"),
        (b"</styleSheet>", b""),
        (b'numFmtId="0"', b'numFmtId="none"'),
    ],
)
def test_odd_styles_do_not_matter(exports: Exports, old: bytes, new: bytes) -> None:
    assert exports.rows(with_member(workbook([HEADER, *ROWS]), "xl/styles.xml", {old: new})) == EXPECTED


@pytest.mark.slow
def test_a_long_text_in_every_row_takes_little_memory(exports: Exports) -> None:
    book = unzipped(with_shared_strings(workbook([HEADER, ("41790000001", "x" * 100_000)])))
    start, row, end = re.split(rb'(<row r="2">.*</row>)', book[SHEET])
    row = re.sub(rb' r="[A-Z]*2"', b"", row)
    long = exports.open(zipped({**book, SHEET: start + row * 5000 + end}))

    tracemalloc.start()
    with long as export:
        count = sum(len(numbers) for numbers, _ in export.row_blocks())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 5000
    assert peak < 100 * MIB


def test_a_document_that_is_not_a_workbook_is_rejected(exports: Exports) -> None:
    assert "cannot be read" in exports.error(zipped({"[Content_Types].xml": "<Types/>"}))
