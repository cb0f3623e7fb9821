"""``results.xlsx`` holds the cells of ``results.csv`` as text, for up to 200,000 rows."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.worksheet import Worksheet

from numberdrop.files.results import workbook
from numberdrop.files.results.workbook import reasons_of_rows, write_workbook
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind

CREATED = datetime(2026, 3, 4, 12, tzinfo=UTC)

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)


@pytest.fixture(scope="module", params=["in memory", "on disk"], autouse=True)
def _place(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make small workbooks in memory, as usual, and on disk, as large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "on disk":
            patch.setattr(workbook, "MAX_BYTES_IN_MEMORY", 0)
        yield


def written(folder: Path, rows: list[list[str]], reasons: Iterable[str] | None = None) -> Worksheet:
    """Return the sheet of the workbook that is written for these results."""
    results, out = folder / "results.csv", folder / "results.xlsx"
    with results.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    assert write_workbook(results, out, reasons=reasons, created=CREATED)
    (sheet,) = openpyxl.load_workbook(out).worksheets
    assert isinstance(sheet, Worksheet)
    return sheet


def cells_of(sheet: Worksheet) -> list[list[str]]:
    return [[unescape(str(cell or "")) for cell in row] for row in sheet.iter_rows(values_only=True)]


def test_numbers_keep_their_plus_and_leading_zeros(tmp_path: Path) -> None:
    rows = [["line", "number", "id"], ["1", "+41790000001", "007"], ["2", "'=1+1", "1E5"]]
    sheet = written(tmp_path, rows)
    assert cells_of(sheet) == rows
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}


def test_the_header_is_frozen_and_can_be_filtered(tmp_path: Path) -> None:
    sheet = written(tmp_path, [["line", "number"], ["1", "+41790000001"], ["2", "+41790000002"]])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B3"
    assert sheet.column_dimensions["B"].width > sheet.column_dimensions["A"].width


@pytest.mark.slow
@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_any_text_comes_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    rows = [["one", "other"], *rows, ["end", "end"]]
    assert cells_of(written(tmp_path_factory.mktemp("workbook"), rows)) == rows


def test_equal_results_give_equal_workbooks(tmp_path: Path) -> None:
    rows = [["line", "number"], ["1", "+41790000001"]]
    contents = []
    for _ in range(2):
        written(tmp_path, rows)
        contents.append((tmp_path / "results.xlsx").read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_ROWS", 2), ("MAX_CELLS", 5), ("MAX_COLUMNS", 1), ("MAX_BYTES", 20)]
)
def test_longer_or_wider_results_have_no_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    results, out = tmp_path / "results.csv", tmp_path / "results.xlsx"
    results.write_text("line,number\n1,a\n2,b\n3,c\n", encoding="utf-8")
    monkeypatch.setattr(workbook, limit, value)
    assert not write_workbook(results, out, created=CREATED)
    assert not out.exists()


def reasons_of(upload: str) -> list[str]:
    entries, rejected = io.BytesIO(), io.StringIO(newline="")
    with open_upload(io.BytesIO(upload.encode()), InputKind.PHONE) as rows:
        clean_upload(rows, entries=entries, rejected=rejected)
        is_table = rows.header is not None
    rejected.seek(0)
    return list(reasons_of_rows(entries, rejected, is_table=is_table))


def test_rejected_rows_of_a_table_carry_their_reason() -> None:
    table = "name,phone\nA,+447911123456\nB,none\n,\nC,+447911123457\nD,12\n"
    reasons = reasons_of(table)
    assert [bool(reason) for reason in reasons] == [False, True, False, False, True]


def test_rejected_lines_of_a_list_carry_their_reason() -> None:
    reasons = reasons_of("+447911123456\n\nnone\n\n+447911123457\n")
    assert [bool(reason) for reason in reasons] == [False, True, False]


def test_the_reason_column_gets_a_name_that_is_free(tmp_path: Path) -> None:
    sheet = written(tmp_path, [["Reason", "number"], ["a", ""], ["b", "1"]], reasons=["bad", ""])
    assert cells_of(sheet) == [["Reason", "number", "reason_2"], ["a", "", "bad"], ["b", "1", ""]]
