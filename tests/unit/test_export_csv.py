"""CSV in exports: regular, irregular and broken."""

import csv
import tracemalloc
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.formats.archive import MIB
from tests.support.exports import CSV, EXPECTED, Exports, rows_of, zipped


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_any_delimiter_line_end_and_byte_order_mark_is_read(
    exports: Exports, delimiter: str, end: str, mark: str
) -> None:
    content = mark + CSV.replace(",", delimiter).replace("\n", end)

    assert exports.rows(content) == EXPECTED


def test_the_number_column_may_be_any_and_rows_any_length(exports: Exports) -> None:
    rows = exports.rows('a,number,b\n1,41790000001\n\n2,41790000002,"x, ""y""\nz",9\n,,\n')

    assert rows == [("41790000001", ["1", ""]), ("41790000002", ["2", 'x, "y"\nz'])]


ODD_ROWS = {
    "quotes": ('41790000003,"a, b"\n', [("41790000003", ["a, b"])]),
    "a quoted number": ('"41790000003",yes\n', [("41790000003", ["yes"])]),
    "a quote within a cell": ('41790000003,5" wide\n', [("41790000003", ['5" wide'])]),
    "a cell over two lines": ('41790000003,"a\nb"\n', [("41790000003", ["a\nb"])]),
    "no other cell": ("41790000003\n", [("41790000003", [""])]),
    "an empty cell": ("41790000003,\n", [("41790000003", [""])]),
    "no number": (",yes\n", [("", ["yes"])]),
    "more cells than the header": ("41790000003,yes,9\n", [("41790000003", ["yes"])]),
    "an empty line": ("\n", []),
    "only empty cells": (",\n", []),
    "a carriage return as line end": (
        "41790000003,yes\r41790000004,no\r\n",
        [("41790000003", ["yes"]), ("41790000004", ["no"])],
    ),
    "a Unicode line separator": ("41790000003,a\u2028b\n", [("41790000003", ["a\u2028b"])]),
}


@pytest.mark.parametrize(("odd", "expected"), ODD_ROWS.values(), ids=ODD_ROWS)
@pytest.mark.parametrize("before", [0, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("after", [0, pytest.param(10_000, marks=pytest.mark.slow)])
def test_an_irregular_row_is_parsed_as_csv(
    exports: Exports, odd: str, expected: list[tuple[str, list[str]]], before: int, after: int
) -> None:
    first, last = "41790000001,yes\n", "41790000002,no\n"

    rows = exports.rows("Number,band\n" + first * before + odd + last * after)

    assert rows == EXPECTED[:1] * before + expected + EXPECTED[1:] * after


@pytest.mark.parametrize("first", ["number", "band"])
def test_long_rows_may_span_blocks(exports: Exports, first: str) -> None:
    rows = [(f"41790{number:06}", ["x" * number]) for number in range(1500)]
    header, order = (
        ("number,band", slice(None)) if first == "number" else ("band,number", slice(None, None, -1))
    )

    lines = [",".join([number, *cells][order]) for number, cells in rows]

    assert exports.rows("\n".join([header, *lines])) == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("<!DOCTYPE html><title>Sorry, no</title>", "web page"),
        ('\ufeff\n <?xml version="1.0"?><Error>a,b</Error>', "web page"),
        ('{"error": "a", "code": 1}', "web page"),
        ("Access Denied", "not a table with"),
        ("41790000001,yes\n41790000002,no\n", "no header"),
        (b"Number,band\n\xff\xfe\n", "not CSV"),
        (b"Number,band\n\0", "neither"),
        (b"\x1f\x8b\x08\0\0", "gzip file that is cut off or broken"),
        ("Number," + "x," * 300 + "y", "more than 200 columns"),
        ('Number,"band\n41790000001,yes\n41790000002,no\n', "not CSV"),
    ],
)
def test_content_that_is_not_a_table_is_rejected(
    exports: Exports, content: str | bytes, message: str
) -> None:
    assert message in exports.error(content)


@pytest.mark.parametrize("member", ["all.csv", None])
def test_an_endless_line_is_rejected(exports: Exports, member: str | None) -> None:
    content = CSV + "x" * 1_000_000

    assert "long row" in exports.error(zipped({member: content}) if member else content)


LINE = f"{'x' * 100}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "endless", [f'"{LINE * 10_000}', f'"{LINE}",' * 10_000 + "x\n"], ids=["one cell", "many cells"]
)
def test_an_endless_row_is_read_by_line_in_little_memory(exports: Exports, endless: str) -> None:
    with exports.open(CSV + endless) as export:
        tracemalloc.start()
        rows = sum(len(numbers) for numbers, _ in export.row_blocks())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert rows == len(EXPECTED) + endless.count("\n")
    assert peak < 10 * MIB


STRAY = {
    "an unclosed quote": (
        '41790000003,"odd\n41790000004,yes\n41790000005,no\n',
        [("41790000003", ['"odd']), ("41790000004", ["yes"]), ("41790000005", ["no"])],
    ),
    "an unclosed quote before a quoted cell": (
        '41790000003,"odd\n41790000004,yes\n41790000005,"a, b"\n',
        [("41790000003", ['"odd']), ("41790000004", ["yes"]), ("41790000005", ["a, b"])],
    ),
    "quotes that are not doubled": (
        '41790000003,"so "called" x"\n41790000004,"a ""b"""\n',
        [("41790000003", ['"so "called" x"']), ("41790000004", ['a "b"'])],
    ),
    "spaces after quotes": (
        '"41790000003" ,"yes, so" \n41790000004,"no"  \n',
        [("41790000003", ["yes, so"]), ("41790000004", ["no"])],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("odd", "expected"), STRAY.values(), ids=STRAY)
@pytest.mark.parametrize("before", [1, 10_000])
@pytest.mark.parametrize("after", [1, 100_000])
def test_no_row_is_lost_to_a_stray_quotation_mark(
    exports: Exports, odd: str, expected: list[tuple[str, list[str]]], before: int, after: int
) -> None:
    first, last = "41790000001,yes\n", "41790000002,no\n"

    rows = exports.rows("Number,band\n" + first * before + odd + last * after)

    assert rows == EXPECTED[:1] * before + expected + EXPECTED[1:] * after


@pytest.mark.parametrize("header", ['"number" ,"band"', 'number,"band" '])
def test_spaces_after_quotes_in_the_header_are_ignored(exports: Exports, header: str) -> None:
    with exports.open(f"{header}\n41790000001,yes\n41790000002,no\n") as export:
        assert export.columns == ("band",)
        assert rows_of(export) == EXPECTED


def test_a_row_that_ends_before_its_number_has_none(exports: Exports) -> None:
    assert exports.rows("band,number\nyes,41790000001\nTotal\n") == [
        ("41790000001", ["yes"]),
        ("", ["Total"]),
    ]


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("before", [0, 10_000])
def test_chinese_words_are_read_in_any_usual_encoding(exports: Exports, encoding: str, before: int) -> None:
    first, last = "41790000001,yes\n", "41790000002,\u5df2\u6ce8\u518c\n"
    text = "number,band\n" + first * before + last * 2

    rows = exports.rows(text.encode(encoding))

    assert rows == EXPECTED[:1] * before + [("41790000002", ["\u5df2\u6ce8\u518c"])] * 2


def test_a_chinese_header_is_understood(exports: Exports) -> None:
    text = "\u624b\u673a\u53f7,\u5907\u6ce8,\u662f\u5426\u6ce8\u518c\n41790000001,x,\u672a\u6ce8\u518c\n"

    with exports.open(text.encode("gbk")) as export:
        assert export.verdict_column == "\u662f\u5426\u6ce8\u518c"
        assert [export.verdict(cells) for _, cells in rows_of(export)] == ["no"]


TITLES = [
    "Check of 19 January\n",
    '"Check of ""band"""\n',
    "sep=,\n",
    '"sep=,"\r\n',
    "SEP=,\nTitle\n",
    "2025-01-19\nTotal: 2\n",
]


@pytest.mark.parametrize(
    "above",
    [
        *(f"{title}{header}" for title in TITLES for header in ("Number,band\n", "whoever,band\n")),
        "Check, of 19 January\n\nNumber,band\n",
    ],
)
def test_lines_above_the_header_are_skipped(exports: Exports, above: str) -> None:
    with exports.open(f"{above}41790000001,yes\n41790000002,no\n") as export:
        assert export.columns == ("band",)
        assert rows_of(export) == EXPECTED


def test_a_cell_with_a_known_name_is_not_a_header(exports: Exports) -> None:
    assert exports.rows("whoever,kind\n41790000001,mobile\n") == [("41790000001", ["mobile"])]


@pytest.mark.parametrize("declared", [";", "\t", "|", "^"])
def test_a_declared_delimiter_is_used(exports: Exports, declared: str) -> None:
    assert exports.rows(f"sep={declared}\n" + CSV.replace(",", declared)) == EXPECTED


texts = st.text(st.sampled_from('ab,;"\n\r= \u2028'), max_size=5)


@pytest.mark.slow
@given(
    rows=st.lists(st.tuples(st.from_regex(r"[1-9][0-9]{6,9}", fullmatch=True), texts, texts)),
    number_at=st.integers(0, 2),
    delimiter=st.sampled_from(",;"),
)
def test_everything_a_csv_writer_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], number_at: int, delimiter: str
) -> None:
    exports = Exports(tmp_path_factory.getbasetemp())
    out = StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    for number, *others in [("number", "a", "b"), *rows]:
        writer.writerow([*others[:number_at], number, *others[number_at:]])

    assert exports.rows(out.getvalue()) == [(number, [*others]) for number, *others in rows]
