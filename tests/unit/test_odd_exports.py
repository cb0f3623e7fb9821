"""Exports of odd shapes give each line its own verdict, or none, but never that of another line or column."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.jobs.checkers import InputKind
from tests.support.exports import zipped
from tests.support.results import results_of

NUMBERS = ("41790000001", "41790000002", "41790000003")
UPLOAD = "".join(f"+{number}\n" for number in NUMBERS)
FIRST, SECOND, THIRD = NUMBERS
YES_AND_NO = ["yes", "no", ""]


Rows = Sequence[Sequence[object]]

HEADER = ["Number", "band"]
ROWS = [HEADER, [FIRST, "yes"], [SECOND, "no"]]


def sheets(*contents: Rows, hidden: int | None = None) -> bytes:
    """Return a workbook with a sheet for each of the contents; ``hidden`` is the index of one not shown."""
    book = Workbook()
    for _ in contents[1:]:
        book.create_sheet()
    for index, (sheet, rows) in enumerate(zip(book.worksheets, contents, strict=True)):
        sheet.sheet_state = "hidden" if index == hidden else "visible"
        for row in rows:
            sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


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


@pytest.mark.parametrize(
    "above",
    [
        [["Results of the check"]],
        [["Task", "abc"], ["Rows", 3]],
        [[], ["Check of 2026-01-01"], []],
        [["Contact", None]],
    ],
)
@pytest.mark.parametrize("moved", [0, 1])
def test_rows_above_the_header_of_a_sheet_are_skipped(tmp_path: Path, above: Rows, moved: int) -> None:
    rows = [[*[None] * moved, *row] for row in [*above, *ROWS]]

    assert verdicts(tmp_path, sheets(rows)) == YES_AND_NO


@pytest.mark.parametrize(
    "other",
    [
        [["Number"], [FIRST], [SECOND], [THIRD]],
        [["Number", "carrier"], [FIRST, "No"], [SECOND, "Yes"], [THIRD, "No"]],
        [["Number", "whatsapp"], [FIRST, "no"], [SECOND, "yes"], [THIRD, "yes"]],
        [["country", "numbers"], ["GB", 447700900], ["DE", 4915123456], ["CH", 417900000]],
        [["status", "count"], ["yes", 1], ["no", 1], ["unknown", 0]],
        [["Number", "status"], [FIRST, "invalid"], [SECOND, "valid"], [THIRD, "invalid"]],
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_the_sheet_with_the_verdicts_is_taken(tmp_path: Path, other: Rows, *, is_first: bool) -> None:
    content = sheets(other, ROWS) if is_first else sheets(ROWS, other)

    assert verdicts(tmp_path, content) == YES_AND_NO


def test_a_hidden_sheet_never_replaces_a_shown_one(tmp_path: Path) -> None:
    older = [HEADER, [FIRST, "no"], [SECOND, "yes"], [THIRD, "yes"]]

    assert verdicts(tmp_path, sheets(older, ROWS, hidden=0)) == YES_AND_NO


def test_sheets_that_continue_each_other_are_one_table(tmp_path: Path) -> None:
    first: Rows = [["Page 1"], HEADER, [FIRST, "yes"], ["Total", 1]]
    second: Rows = [["Page 2"], HEADER, [SECOND, "no"], [THIRD, "no"], ["Total", 2]]

    assert verdicts(tmp_path, sheets(first, second)) == ["yes", "no", "no"]


def test_sheets_with_parts_of_another_are_no_more_rows(tmp_path: Path) -> None:
    assert verdicts(tmp_path, sheets(ROWS[:2], ROWS, [HEADER, ROWS[2]])) == YES_AND_NO


def test_sheets_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match="other answers"):
        verdicts(tmp_path, sheets(ROWS, [HEADER, [SECOND, "yes"], [THIRD, "yes"]]))


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (("José", "Zoë"), "cp1252"),
        (("à propos", "é"), "cp1252"),
        (("Müller", "Ärger"), "cp1252"),
        (("Иван", "Ольга"), "cp1251"),
        (("田中", "鈴木"), "cp932"),
        (("王小明", "陳大文"), "big5"),
        (("김철수", "이영희"), "cp949"),
    ],
)
def test_names_in_any_encoding_cost_no_verdict(tmp_path: Path, names: tuple[str, str], encoding: str) -> None:
    rows = f"Number,name,band\n{FIRST},{names[0]},yes\n{SECOND},{names[1]},no\n"

    assert verdicts(tmp_path, rows.encode(encoding)) == YES_AND_NO


@pytest.mark.parametrize("words", ["yes|no", "no|yes"])
def test_no_delimiter_becomes_part_of_a_character(tmp_path: Path, words: str) -> None:
    rows = f"Number|name|band|telegram\n{FIRST}|José|{words}\n{SECOND}|x|no|yes\n"

    assert verdicts(tmp_path, rows.encode("cp1252")) == [words.partition("|")[0], "no", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_chinese_text_is_read_without_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    rows = f"手机号,是否开通\n{FIRST},是\n{SECOND},否\n"

    assert verdicts(tmp_path, rows.encode(encoding)) == YES_AND_NO


def test_traditional_chinese_is_understood(tmp_path: Path) -> None:
    rows = f"號碼,是否註冊\n{FIRST},已註冊\n{SECOND},未註冊\n"

    assert verdicts(tmp_path, rows.encode("big5")) == YES_AND_NO
    assert verdicts(tmp_path, rows) == YES_AND_NO


@pytest.mark.parametrize(
    ("name", "encoding"), [("José", "utf-8"), ("李娜", "gbk"), ("李娜", "utf-8")], ids=["é", "gbk", "utf-8"]
)
@pytest.mark.parametrize("before", [10, 5000])
def test_a_name_that_is_cut_off_costs_no_verdict(
    tmp_path: Path, name: str, encoding: str, before: int
) -> None:
    cut = "é李".encode(encoding, "ignore")[:-1]
    names = [name.encode(encoding)] * before + [cut] + [name.encode(encoding)] * before
    others = b"".join(b"4479%08d,%s,yes\n" % (index, text) for index, text in enumerate(names))
    content = b"Number,name,band\n%s%s,x,yes\n%s,x,no\n" % (others, FIRST.encode(), SECOND.encode())

    assert verdicts(tmp_path, content) == YES_AND_NO


def test_text_in_two_encodings_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"4479{index:08},é,yes\n" for index in range(9000)).encode()
    others = "".join(f"4478{index:08},李娜,yes\n" for index in range(9000)).encode("gbk")

    with pytest.raises(InvalidFileError, match="encoding"):
        verdicts(tmp_path, b"Number,name,band\n" + rows + others)


def test_rows_about_another_service_are_left_out(tmp_path: Path) -> None:
    rows = [
        f"{FIRST},whatsapp,no",
        f"{FIRST},band,yes",
        f"{SECOND},Band,no",
        f"{SECOND},tg-simple,yes",
        f"{THIRD},WhatsApp,yes",
    ]

    assert verdicts(tmp_path, "\n".join(["Number,service,activated", *rows])) == YES_AND_NO


def test_an_export_about_another_service_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match="another service"):
        verdicts(tmp_path, f"Number,task_type,status\n{FIRST},ws,active\n")


@pytest.mark.parametrize("kinds", [("mobile", "landline"), ("Fixed Line", "VOIP"), ("", "unknown")])
def test_a_type_of_number_is_not_a_service(tmp_path: Path, kinds: tuple[str, str]) -> None:
    rows = f"Number,type,activated\n{FIRST},{kinds[0]},yes\n{SECOND},{kinds[1]},no\n"

    assert verdicts(tmp_path, rows) == YES_AND_NO


@pytest.mark.parametrize("name", ["name, title, x", '"a,b,c,d"'])
def test_a_name_with_other_delimiters_splits_no_header(tmp_path: Path, name: str) -> None:
    assert verdicts(tmp_path, f"Number;{name};band\n{FIRST};x;yes\n{SECOND};y;no\n") == YES_AND_NO


PARTS = {"t/1.csv": f"Number,band\n{FIRST},yes\n", "t/2.csv": f"Number,band\n{SECOND},no\n"}


@pytest.mark.parametrize("name", ["t/summary.csv", "t/0.csv"])
def test_files_that_continue_each_other_are_one_table(tmp_path: Path, name: str) -> None:
    assert verdicts(tmp_path, zipped(PARTS)) == YES_AND_NO
    assert verdicts(tmp_path, zipped({**PARTS, name: "total,yes,no\n2,1,1\n"})) == YES_AND_NO


@pytest.mark.parametrize(
    "members",
    [
        {**PARTS, "t/3.csv": f"Number,whatsapp\n{THIRD},yes\n"},
        {**PARTS, "t/3.csv": f"Number,band\n{THIRD},yes\n{SECOND},no\n"},
        {"t/activated.csv": f"Number\n{FIRST}\n", "t/unactivated.csv": f"Number\n{SECOND}\n"},
    ],
    ids=["another table", "the same number", "no verdicts"],
)
def test_files_that_may_not_belong_together_are_refused(tmp_path: Path, members: dict[str, str]) -> None:
    with pytest.raises(InvalidFileError, match="several to choose from"):
        verdicts(tmp_path, zipped(members))


def test_lists_beside_an_empty_table_are_read(tmp_path: Path) -> None:
    members = {"t/all.csv": "Number,band\n", "t/activated.txt": FIRST, "t/unregistered.txt": SECOND}

    assert verdicts(tmp_path, zipped(members)) == YES_AND_NO


def test_a_summary_never_replaces_a_sheet_that_is_refused(tmp_path: Path) -> None:
    rows = [["a", "b", "band"], [FIRST, SECOND, "yes"], [SECOND, FIRST, "no"]]

    with pytest.raises(InvalidFileError, match="Several columns"):
        verdicts(tmp_path, sheets([["status", "count"], ["yes", 1], ["no", 1]], rows))


def test_a_summary_never_replaces_entries_as_written(tmp_path: Path) -> None:
    path = tmp_path / "export"
    rows = [["Number", "phoneCheck"], ["4179 (1)", "valid"], ["4179 (2)", "invalid"]]
    path.write_bytes(sheets([["status", "count"], ["valid", 1], ["invalid", 1]], rows))

    written = results_of("4179 (1)\n4179 (2)\n", path, InputKind.AS_WRITTEN, name="phonecheck")

    assert written.column("verdict") == ["yes", "no"]
