"""Exports of odd shapes give each line its own verdict, or none, but never that of another line or column."""

from pathlib import Path

import pytest

from tests.support.results import results_of

NUMBERS = ("41790000001", "41790000002", "41790000003")
UPLOAD = "".join(f"+{number}\n" for number in NUMBERS)
FIRST, SECOND, THIRD = NUMBERS
YES_AND_NO = ["yes", "no", ""]


def verdicts(folder: Path, export: str | bytes, checker: str = "band") -> list[str]:
    """Return the verdict of each of the numbers, empty if the export has no row for it."""
    path = folder / "export"
    path.write_bytes(export.encode() if isinstance(export, str) else export)
    return results_of(UPLOAD, path, name=checker).column("verdict")


@pytest.mark.parametrize("words", ["no,yes", "yes,no"])
def test_a_delimiter_in_a_name_moves_no_verdict(tmp_path: Path, words: str) -> None:
    rows = f"Number,name,telegram,band\n{FIRST},Doe, Jane,{words}\n{SECOND},Rick,yes,no\n"

    assert verdicts(tmp_path, rows) == ["unknown", "no", ""]


@pytest.mark.parametrize("rest", ["yes,Doe, Jane", "yes,x,", "yes,,,,"])
def test_a_cell_before_a_moved_one_keeps_its_place(tmp_path: Path, rest: str) -> None:
    assert verdicts(tmp_path, f"Number,band,name\n{FIRST},{rest}\n{SECOND},no,x\n") == YES_AND_NO


def test_empty_cells_at_the_end_move_nothing(tmp_path: Path) -> None:
    rows = f"Number,name,band\n{FIRST},Jane,yes,\n{SECOND},Rick,no,, \n"

    assert verdicts(tmp_path, rows) == YES_AND_NO


@pytest.mark.parametrize(("yes", "no"), [("NO", "GB"), ("no", "en")])
def test_a_country_is_not_a_verdict(tmp_path: Path, yes: str, no: str) -> None:
    assert verdicts(tmp_path, f"Number,country\n{FIRST},{yes}\n{SECOND},{no}\n") == ["", "", ""]
