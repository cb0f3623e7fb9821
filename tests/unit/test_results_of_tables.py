"""Results of tables: the table as it was, with what the export says of each row behind it."""

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


class Joined:
    """A table and an export, joined."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "export.csv"

    def __call__(self, table: str | bytes, export: str = EXPORT) -> Written:
        self._path.write_bytes(export.encode())
        return results_of(table, self._path)


@pytest.fixture
def joined(tmp_path: Path) -> Joined:
    return Joined(tmp_path)


def test_a_table_comes_back_with_columns_added_behind(joined: Joined) -> None:
    written = joined(
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


def test_a_column_whose_name_is_taken_gets_the_checkers_before_it(joined: Joined) -> None:
    written = joined(f"Number,STATUS,band,Band_Status,x\n{FIRST},a,b,c,d\n")

    assert written.header == [
        *("Number", "STATUS", "band", "Band_Status", "x"),
        *("band_number", "band_status_2", "verdict", "band_band"),
    ]
    assert written.rows == [[FIRST, "a", "b", "c", "d", FIRST, "resolved", "yes", "yes"]]


def test_a_table_without_a_header_gets_one(joined: Joined) -> None:
    written = joined(f"Jane,{FIRST}\nRick,{SECOND}\n")

    assert written.header == ["column_1", "column_2", "number", "status", "verdict", "band"]
    assert written.column("column_1") == ["Jane", "Rick"]


def test_short_rows_are_filled_up_and_the_cells_of_long_ones_keep_columns_of_their_own(
    joined: Joined,
) -> None:
    written = joined(f"phone,name\n{FIRST}\n{SECOND},Doe, Jane,x\n{FIRST},Ann,,\n")

    assert written.header == ["phone", "name", "", "", "number", "status", "verdict", "band"]
    assert written.rows == [
        [FIRST, "", "", "", FIRST, "resolved", "yes", "yes"],
        [SECOND, "Doe", " Jane", "x", SECOND, "resolved", "no", "no"],
        [FIRST, "Ann", "", "", FIRST, "resolved", "yes", "yes"],
    ]


def test_a_blank_cell_far_to_the_right_adds_no_column(joined: Joined) -> None:
    table = f"phone,x{',' * 5000}\n{FIRST}{',' * 60_000}\n\n{SECOND}\n"

    assert joined(table).text == (
        "phone,x,number,status,verdict,band\n"
        "+41790000001,,+41790000001,resolved,yes,yes\n"
        ",,,,,\n"
        "+41790000002,,+41790000002,resolved,no,no\n"
    )


def test_short_rows_beside_a_long_one_take_little_memory(joined: Joined) -> None:
    table = f"phone,x\n{FIRST}{',' * (MAX_COLUMNS - 1)}x\n" + f"{SECOND}\n" * 20_000

    tracemalloc.start()
    written = joined(table)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak - 2 * len(written.text) < 20 * MIB
    last = written.text[written.text.rindex("\n", 0, -1) + 1 :]
    assert last == f"{SECOND}{',' * MAX_COLUMNS}{SECOND},resolved,no,no\n"


def test_a_table_of_more_rows_than_a_block_keeps_its_order(joined: Joined) -> None:
    numbers = [f"+4179{number:07d}" for number in range(30_000)]
    answers = "".join(f"{number},{'yes' if int(number) % 3 else 'no'}\n" for number in reversed(numbers))
    table = "".join(f'{place},"a, {"b" * (place % 50)}",{number}\n' for place, number in enumerate(numbers))

    written = joined(f"id,note,phone\n{table}", f"number,band\n{answers}")

    assert written.rows == [
        [str(place), f"a, {'b' * (place % 50)}", number, number, "resolved", word, word]
        for place, number in enumerate(numbers)
        for word in ["yes" if int(number) % 3 else "no"]
    ]


def test_a_workbook_comes_back_as_csv(joined: Joined) -> None:
    written = joined(workbook([["Name", "Phone"], ["Doe, Jane", FIRST], [None, None], ["Rick", int(SECOND)]]))

    assert written.header == ["Name", "Phone", "number", "status", "verdict", "band"]
    assert written.rows == [
        ["Doe, Jane", FIRST, FIRST, "resolved", "yes", "yes"],
        ["", "", "", "", "", ""],
        ["Rick", SECOND[1:], "", "rejected", "", ""],
    ]
