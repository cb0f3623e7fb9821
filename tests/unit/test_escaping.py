"""Escaping cells that a spreadsheet would run as formulas, and only those."""

import csv
import re
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.formats.escaping import escaped, escaped_cells, escaped_lines

FORMULAS = [
    *("=1+1", "+1+1", "-1-cmd|' /C calc'!A0", "@SUM(A1)", "\rx", "\nx", "\tx", "  =1", "\uff1d1"),
    *("\t+1", "\n+1", "\r-5", "+4179\n", "+41 79 x", "+1;2", "-A1", "-a1", "+1e5", "--1=", "  @a"),
]

INNER_FORMULAS = {
    "ok;=1+1": "ok;'=1+1",
    "ok; =1+1": "ok;' =1+1",
    "x\t@SUM(A1)": "x\t'@SUM(A1)",
    "a;-A1;+B1": "a;'-A1;'+B1",
    'a;"=1+1"': 'a;\'"=1+1"',
    "a;\uff1d1": "a;'\uff1d1",
    "\t=1": "'\t'=1",
    "=1;=2": "'=1;'=2",
    "a\n=1": "a\n'=1",
    "a\r=1": "a\r'=1",
    "a\r\n @b": "a\r\n' @b",
    "\n=1": "'\n'=1",
    "\r\n=1": "'\r\n'=1",
    " \n-A1": "' \n'-A1",
    "a;\n=1": "a;\n'=1",
    'a\n"=1"': 'a\n\'"=1"',
}

NOT_FORMULAS = [
    *("a;b", "a;+41790000002", "a; -5;b", "a;b=1", "a;\n", "a, =1", "a\tb"),
    *("", "yes", "N/A", "1=1", "https://example.com/?a=b", "a\nb=1", "a\n+41790000002\r\n-5"),
    *("+41790000001", "+44 7700 900000", "-5", "-5.25", "-1,000.00", "+41 (0)79-000.00/01", " +44 7700", "-"),
]

# No cell holds NUL: text with it is refused.
cells = st.text(
    st.sampled_from("=+-@\uff1d\t\r\n ,;\"'a1().") | st.characters(exclude_characters="\0"), max_size=6
)


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert escaped(cell) == "'" + cell


@pytest.mark.parametrize(("cell", "expected"), INNER_FORMULAS.items())
def test_a_formula_after_another_delimiter_is_escaped(cell: str, expected: str) -> None:
    assert escaped(cell) == expected
    assert next(csv.reader(escaped_lines([["x", cell]]))) == ["x", expected]
    assert next(csv.reader(escaped_cells([cell]))) == [expected]


@pytest.mark.parametrize("cell", NOT_FORMULAS)
def test_any_other_cell_is_unchanged(cell: str) -> None:
    assert escaped(cell) == cell


@given(st.lists(st.lists(cells, min_size=2, max_size=3)))
def test_rows_become_lines_of_csv_with_escaped_cells(rows: list[list[str]]) -> None:
    lines = escaped_lines(rows)

    assert [next(csv.reader(StringIO(line, newline=""))) for line in lines] == [
        [escaped(cell) for cell in row] for row in rows
    ]


@given(cells)
def test_no_separator_inside_a_cell_starts_a_formula(cell: str) -> None:
    parts = re.split(r"[;\t\r\n]", escaped(cell))

    starts = [re.sub(r'^[\s"]+', "", part) for part in parts]
    formulas = [start for start in starts if re.match("[=+@\uff1d-]", start)]
    assert all(re.fullmatch("[+-][0-9 ().,/-]*", formula) for formula in formulas)


@given(st.lists(cells | st.from_regex(r"\+?[0-9]{0,9}", fullmatch=True)))
def test_cells_are_quoted_if_necessary(column: list[str]) -> None:
    read = [next(csv.reader(StringIO(f"x,{cell}", newline="")))[1] for cell in escaped_cells(column)]

    assert read == [escaped(cell) for cell in column]


@pytest.mark.parametrize("cell", FORMULAS)
@pytest.mark.parametrize("others", [[], ["+41790000001"], ["a", "-5"]])
def test_a_formula_is_found_in_any_cell(cell: str, others: list[str]) -> None:
    (line,) = escaped_lines([[*others, cell, *others]])

    assert escaped(cell) in next(csv.reader(StringIO(line, newline="")))
