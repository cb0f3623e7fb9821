import pytest

from numberdrop.files.spreadsheet import harmless


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", "  =1", "\uff1d1", "+41 79 1", "+4179\n"],
)
def test_a_cell_that_would_run_gets_an_apostrophe(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "yes", "N/A", "1=1", "+41790000001", "https://example.com/?a=b"])
def test_any_other_cell_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell
