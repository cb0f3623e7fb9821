"""Escaping cells that a spreadsheet would run as formulas, and only those."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.formats.escaping import escaped, escaped_cells, escaped_lines

FORMULAS = [
    *("=1+1", "+1+1", "-1-cmd|' /C calc'!A0", "@SUM(A1)", "\rx", "\nx", "  =1", "\uff1d1"),
    *("\t+1", "+4179\n", "+41 79 x", "+1;2", "-A1", "-a1", "+1e5", "--1=", "  @a"),
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
}

NOT_FORMULAS = [
    *("a;b", "a;+41790000002", "a; -5;b", "a;b=1", "a;\n", "a, =1", "a\tb"),
    *("", "yes", "N/A", "1=1", "https://example.com/?a=b", "a\n=1"),
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


@given(st.lists(cells | st.from_regex(r"\+?[0-9]{0,9}", fullmatch=True)))
def test_cells_are_quoted_if_necessary(column: list[str]) -> None:
    read = [next(csv.reader(StringIO(f"x,{cell}", newline="")))[1] for cell in escaped_cells(column)]

    assert read == [escaped(cell) for cell in column]


@pytest.mark.parametrize("cell", FORMULAS)
@pytest.mark.parametrize("others", [[], ["+41790000001"], ["a", "-5"]])
def test_a_formula_is_found_in_any_cell(cell: str, others: list[str]) -> None:
    (line,) = escaped_lines([[*others, cell, *others]])

    assert escaped(cell) in next(csv.reader(StringIO(line, newline="")))
