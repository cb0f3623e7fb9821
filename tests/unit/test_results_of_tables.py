"""Results of tables: the unchanged table, with columns for what the export has for each row."""

import tracemalloc
from pathlib import Path

import pytest

from numberdrop.files.formats.archive import MIB
from numberdrop.files.uploads.rows import MAX_COLUMNS
from tests.support.exports import workbook
from tests.support.results import Written, results_of

FIRST = "+41790000001"
SECOND = "+41790000002"
EXPORT = "number,band\n41790000001,yes\n41790000002,no\n"


class Results:
    """Write the results of a table and an export."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "export.csv"

    def __call__(self, table: str | bytes, export: str = EXPORT) -> Written:
        self._path.write_bytes(export.encode())
        return results_of(table, self._path)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path)


def test_a_table_comes_back_with_columns_appended(results: Results) -> None:
    written = results(
        "Name,Phone,Balance\n"
        f'"Doe, Jane",{SECOND},-5\n'
        "Rick,no number,\n"
        ",,\n"
        "Ann,+41 79 000 00 01,=1+1\n"
        "Bob,+41790000003,1\n"
        f"Jane again,{SECOND},\n"
    )

    assert written.text == (
        "Name,Phone,Balance,number,status,verdict,band\n"
        '"Doe, Jane",+41790000002,-5,+41790000002,resolved,no,no\n'
        "Rick,no number,,,rejected,,\n"
        ",,,,,,\n"
        "Ann,+41 79 000 00 01,'=1+1,+41790000001,resolved,yes,yes\n"
        "Bob,+41790000003,1,+41790000003,unresolved,,\n"
        "Jane again,+41790000002,,+41790000002,resolved,no,no\n"
    )
    assert (written.counts.resolved, written.counts.unresolved) == (2, 1)


def test_a_column_with_a_taken_name_is_prefixed(results: Results) -> None:
    written = results(f"Number,STATUS,band,Band_Status,x\n{FIRST},a,b,c,d\n")

    assert written.header == [
        *("Number", "STATUS", "band", "Band_Status", "x"),
        *("band_number", "band_status_2", "verdict", "band_band"),
    ]
    assert written.rows == [[FIRST, "a", "b", "c", "d", FIRST, "resolved", "yes", "yes"]]


def test_a_table_without_a_header_gets_one(results: Results) -> None:
    written = results(f"Jane,{FIRST}\nRick,{SECOND}\n")

    assert written.header == ["column_1", "column_2", "number", "status", "verdict", "band"]
    assert written.column("column_1") == ["Jane", "Rick"]


def test_short_rows_are_padded_and_long_rows_get_columns(
    results: Results,
) -> None:
    written = results(f"phone,name\n{FIRST}\n{SECOND},Doe, Jane,x\n{FIRST},Ann,,\n")

    assert written.header == ["phone", "name", "", "", "number", "status", "verdict", "band"]
    assert written.rows == [
        [FIRST, "", "", "", FIRST, "resolved", "yes", "yes"],
        [SECOND, "Doe", " Jane", "x", SECOND, "resolved", "no", "no"],
        [FIRST, "Ann", "", "", FIRST, "resolved", "yes", "yes"],
    ]


def test_a_blank_cell_far_to_the_right_adds_no_column(results: Results) -> None:
    table = f"phone,x{',' * 5000}\n{FIRST}{',' * 60_000}\n\n{SECOND}\n"

    assert results(table).text == (
        "phone,x,number,status,verdict,band\n"
        "+41790000001,,+41790000001,resolved,yes,yes\n"
        ",,,,,\n"
        "+41790000002,,+41790000002,resolved,no,no\n"
    )


@pytest.mark.slow
def test_padding_short_rows_takes_little_memory(results: Results) -> None:
    table = f"phone,x\n{FIRST}{',' * (MAX_COLUMNS - 1)}x\n" + f"{SECOND}\n" * 20_000

    tracemalloc.start()
    written = results(table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak - 2 * len(written.text) < 20 * MIB
    last = written.text[written.text.rindex("\n", 0, -1) + 1 :]
    assert last == f"{SECOND}{',' * MAX_COLUMNS}{SECOND},resolved,no,no\n"


@pytest.mark.slow
def test_a_table_longer_than_a_block_keeps_its_order(results: Results) -> None:
    numbers = [f"+4179{number:07d}" for number in range(30_000)]
    rows = "".join(f"{number},{'yes' if int(number) % 3 else 'no'}\n" for number in reversed(numbers))
    table = "".join(f'{index},"a, {"b" * (index % 50)}",{number}\n' for index, number in enumerate(numbers))

    written = results(f"id,note,phone\n{table}", f"number,band\n{rows}")

    assert written.rows == [
        [str(index), f"a, {'b' * (index % 50)}", number, number, "resolved", word, word]
        for index, number in enumerate(numbers)
        for word in ["yes" if int(number) % 3 else "no"]
    ]


def test_a_workbook_comes_back_as_csv(results: Results) -> None:
    written = results(
        workbook([["Name", "Phone"], ["Doe, Jane", FIRST], [None, None], ["Rick", int(SECOND)]])
    )

    assert written.header == ["Name", "Phone", "number", "status", "verdict", "band"]
    assert written.rows == [
        ["Doe, Jane", FIRST, FIRST, "resolved", "yes", "yes"],
        ["", "", "", "", "", ""],
        ["Rick", SECOND[1:], "", "rejected", "", ""],
    ]
