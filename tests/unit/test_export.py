"""Exports: which files are accepted, and how their columns are named and chosen."""

import gzip
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.exports.export import read_export
from numberdrop.files.exports.format import ExportFormat
from numberdrop.files.formats.archive import ArchiveLimits
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.jobs.checkers import InputKind, checkers
from tests.support.exports import (
    CSV,
    EXPECTED,
    HEADER,
    ROWS,
    Exports,
    rows_of,
    with_shared_strings,
    workbook,
    zipped,
)


@pytest.mark.parametrize(
    ("content", "export_format"),
    [
        (CSV.encode(), ExportFormat.CSV),
        (workbook([HEADER, *ROWS]), ExportFormat.XLSX),
        (with_shared_strings(workbook([HEADER, *ROWS])), ExportFormat.XLSX),
        (zipped({"d4g8o46p2jvh04o9uolg/all.csv": CSV}), ExportFormat.ZIP),
        (gzip.compress(CSV.encode(), mtime=0), ExportFormat.GZIP),
        (zipped({"all.csv": CSV}), ExportFormat.ZIP),
        (zipped({"all.csv": CSV}, zipfile.ZIP_STORED), ExportFormat.ZIP),
        (zipped({"t/result.xlsx": workbook([HEADER, *ROWS]), "t/activated.txt": "x"}), ExportFormat.ZIP),
    ],
    ids=[
        "csv",
        "workbook",
        "workbook with shared strings",
        "archive with a folder",
        "gzip",
        "archive without a folder",
        "uncompressed archive",
        "archive with a workbook",
    ],
)
def test_every_format_is_detected_and_read_alike(
    exports: Exports, content: bytes, export_format: ExportFormat
) -> None:
    with exports.open(content) as export:
        assert export.format is export_format
        assert export.format.extension == export_format.value
        assert export.columns == ("band",)
        assert export.verdict_column == "band"
        assert rows_of(export) == EXPECTED


@pytest.mark.parametrize(
    "content",
    [CSV.encode(), gzip.compress(CSV.encode(), mtime=0), zipped({"all.csv": CSV}), workbook([HEADER, *ROWS])],
    ids=["csv", "gzip", "archive", "workbook"],
)
def test_rows_can_be_read_again_after_stopping_halfway(exports: Exports, content: bytes) -> None:
    with exports.open(content) as export:
        next(export.row_blocks())
        assert rows_of(export) == EXPECTED
        assert rows_of(export) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gbk"])
def test_a_gzip_of_a_table_is_read(exports: Exports, encoding: str) -> None:
    text = "\u624b\u673a\u53f7;band\n41790000001;yes\n41790000002;no\n"

    assert exports.rows(gzip.compress(text.encode(encoding), mtime=0)) == EXPECTED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(CSV.encode(), mtime=0)[:-9], "cut off or broken"),
        (gzip.compress(CSV.encode(), mtime=0) + b"x", "cut off or broken"),
        (gzip.compress(zipped({"all.csv": CSV}), mtime=0), "neither an archive nor text"),
        (gzip.compress(gzip.compress(CSV.encode(), mtime=0), mtime=0), "neither an archive nor text"),
    ],
    ids=["cut off", "with more behind it", "an archive in gzip", "gzip in gzip"],
)
def test_a_gzip_file_of_something_else_is_rejected(exports: Exports, content: bytes, message: str) -> None:
    assert message in exports.error(content)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (ArchiveLimits(unzipped=len(CSV) - 1), "more than is accepted"),
        (ArchiveLimits(ratio=1, ratio_free=1), "far more than it should"),
    ],
    ids=["size", "ratio"],
)
def test_a_gzip_bomb_is_rejected(exports: Exports, limits: ArchiveLimits, message: str) -> None:
    content = gzip.compress(CSV.encode() + b"\n" * 10_000, mtime=0)

    assert message in exports.error(content, limits)


def test_a_closed_export_cannot_be_read(exports: Exports) -> None:
    export = exports.open(zipped({"all.csv": CSV}))
    export.close()

    with pytest.raises(InvalidFileError):
        rows_of(export)


def test_the_member_with_all_rows_takes_precedence(exports: Exports) -> None:
    parts: dict[str, str | bytes] = {
        "t/activated.csv": "Number,band\n41790000001,yes\n",
        "t/not_all.csv": "Number,band\n",
        "t/unactivated.txt": "41790000002",
        "t/result.xlsx": workbook([HEADER]),
    }

    assert exports.rows(zipped({**parts, "t/all.csv": CSV})) == EXPECTED
    assert exports.rows(zipped({**parts, "t/ALL.CSV": CSV})) == EXPECTED


def test_a_single_csv_takes_precedence_over_a_workbook(exports: Exports) -> None:
    members: dict[str, str | bytes] = {
        "t/": "",
        "t/report.csv": CSV,
        "t/result.xlsx": workbook([HEADER]),
        "t/x.txt": "x",
    }

    assert exports.rows(zipped(members)) == EXPECTED


@pytest.mark.parametrize(
    "members", [{}, {"all.csv/": ""}, {"t/all.txt": "+41790000001"}, {"a.csv": CSV, "b.csv": CSV}]
)
def test_an_archive_without_a_clear_table_is_rejected(exports: Exports, members: dict[str, str]) -> None:
    assert "contains no table" in exports.error(zipped(members))


def test_lists_do_not_replace_ambiguous_tables(exports: Exports) -> None:
    members = {"a.csv": CSV, "b.csv": CSV, "activated.txt": "41790000001"}

    assert "several to choose from" in exports.error(zipped(members))


def test_a_number_in_a_list_gets_the_name_of_the_list(exports: Exports) -> None:
    content = zipped(
        {
            "t/unactivated.txt": "\ufeff41790000001\r\n\r\n+41790000002\r\n",
            "t/Activated.txt": "41790000003",
            "t/not_activated.txt": "41790000004\n",
            "t/registered.txt": "",
        }
    )

    with exports.open(content) as export:
        assert export.columns == ("list",)
        assert export.verdict_column == "list"
        assert rows_of(export) == [
            ("41790000001", ["unactivated"]),
            ("+41790000002", ["unactivated"]),
            ("41790000003", ["activated"]),
        ]


@pytest.mark.parametrize("content", [b"4179\xff", b"4179\0", b"4" * 200_000])
def test_a_list_that_is_not_text_is_rejected(exports: Exports, content: bytes) -> None:
    assert exports.error(zipped({"activated.txt": content}))


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Number,band", ("band",)),
        ("band,number", ("band",)),
        ("Mobile Number,Result", ("result",)),
        ("NUMBER,phoneCheck,Hair Color", ("phonecheck", "hair_color")),
        ("Email,Active", ("active",)),
        ("username,activated", ("activated",)),
        ("number,number,activated", ("activated",)),
        ("number,activated,Number,activated", ("activated", "activated_2")),
        ("number,a,a_2,a", ("a", "a_2", "a_3")),
        ("whoever,band", ("band",)),
        ("number,,band", ("column_2", "band")),
        ("number,band,,", ("band",)),
        ("number", ()),
    ],
)
def test_column_names_are_normalised_and_exclude_the_number(
    exports: Exports, header: str, columns: tuple[str, ...]
) -> None:
    assert exports.columns(header) == columns


@pytest.mark.parametrize(
    ("table", "numbers"),
    [
        ("id,msisdn,activated\n1,41790000001,yes\n", ["41790000001"]),
        ("activated,tel\nyes,+41790000001\n", ["+41790000001"]),
        ("activated,Phone No\nyes,41790000001\n", ["41790000001"]),
        ("number,phone,activated\n1,41790000001,yes\n2,41790000002,no\n", ["41790000001", "41790000002"]),
        ("number,number,activated\n,41790000001,yes\n", ["41790000001"]),
        ("id,to,activated\n7,41790000001,yes\n,All,\n8,0041 79-1,no\n", ["41790000001", "All", "0041 79-1"]),
        ("kontakt\n41790000001\n", ["41790000001"]),
        ("User,to,activated\n0,41790000001,yes\n1,41790000002,yes\n", ["41790000001", "41790000002"]),
        ("number,to,activated\n2,41790000002,yes\n1,41790000001,yes\n", ["41790000002", "41790000001"]),
        ("checked,to,band\n01/19/2025,41790000001,yes\n", ["41790000001"]),
        ("contact,account\n41790000001,yes\n", ["41790000001"]),
        ("contact,tel\n41790000001,yes\n", ["41790000001"]),
        ("ws,email\n41790000001,jane@example.com\n", ["41790000001"]),
        ("whatsapp number,user\n41790000001,jane\n", ["41790000001"]),
        ("whoever,carrier\n", []),
    ],
)  # fmt: skip
def test_the_number_column_is_found_by_name_and_content(
    exports: Exports, table: str, numbers: list[str]
) -> None:
    assert [number for number, _ in exports.rows(table)] == numbers


@pytest.mark.parametrize("header", ["email,mobile", "mail,username", "mail,phone", "konto,activated"])
def test_the_address_column_is_found_by_name_and_content(exports: Exports, header: str) -> None:
    table = f"{header}\njane@example.com,41790000001\nrick@example.com,41790000002\n"

    assert [address for address, _ in exports.rows(table, InputKind.EMAIL)] == [
        "jane@example.com",
        "rick@example.com",
    ]


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("username,activated,id\njane_doe,yes,75240310\n", ["jane_doe"]),
        ("activated,number\nyes,hello\nno,079\n", ["hello", "079"]),
        ("handle,activated\njane_doe,yes\n", ["jane_doe"]),
        ("number,activated,id\njane_doe,yes,75240310\n", ["jane_doe"]),
        ("handle,activated,id\njane_doe,yes,75240310\n", ["jane_doe"]),
        ("handle,found_there\njane_doe,yes\n", ["jane_doe"]),
        ("Account,found_there\njane_doe,yes\n", ["jane_doe"]),
        ("Number,phoneCheck,checked_at\n12345,invalid,20250119120000\n", ["12345"]),
        ("Number,phoneCheck,E164\n030/12345678,valid,+493012345678\n", ["030/12345678"]),
        ("contact,account\njane_doe,yes\n", ["jane_doe"]),
        ("rank,handle,activated\n1,jane_doe,yes\n2,rick,no\n", ["jane_doe", "rick"]),
        ("Number,phoneCheck,checked_at\n1,invalid,20250119120000\n0,no,20250119120000\n", ["1", "0"]),
        ("Number,phoneCheck,E164\n0,no,41790000001\n", ["0"]),
        ("number,phonecheck\n1,no\n2,no\n", ["1", "2"]),
        ("number,phonecheck,region\n0,no,x\n1,no,x\n2,no,x\n", ["0", "1", "2"]),
    ],
)  # fmt: skip
def test_entries_of_any_form_are_found_in_the_right_column(
    exports: Exports, table: str, names: list[str]
) -> None:
    assert [name for name, _ in exports.rows(table, InputKind.AS_WRITTEN)] == names


@pytest.mark.parametrize(
    "content",
    [
        "Sorry, an error occurred",
        "Sorry, an error occurred\nPlease, try later\n",
        "Access Denied\nRequest 7\n",
        "Access Denied",
        "Error\n",
        "Failed, sorry\n",
        "ref,kunde\n1,Jane\n2,Rick\n",
        workbook([["code", "country"], ["CH", "Switzerland"]]),
    ],
)
def test_a_table_without_a_number_column_is_rejected(exports: Exports, content: str | bytes) -> None:
    assert "not a table with a number column" in exports.error(content)


def test_a_date_in_the_header_is_not_a_number(exports: Exports) -> None:
    assert exports.columns("Number,task_20250119") == ("task_20250119",)
    assert exports.columns("Number,20250119") == ("20250119",)


@pytest.mark.parametrize("first", ["41790000001,yes", "yes,+41 79 000 00 01", "jane@example.com,active"])
def test_a_first_row_with_a_number_is_not_a_header(exports: Exports, first: str) -> None:
    assert "no header" in exports.error(f"{first}\n{first}\n")


def test_an_unnamed_last_column_is_kept_if_it_has_content(exports: Exports) -> None:
    with exports.open("number,band,,\n41790000001,yes,,\n41790000002,no,late,\n") as export:
        assert export.columns == ("band", "column_3")
        assert rows_of(export) == [("41790000001", ["yes", ""]), ("41790000002", ["no", "late"])]


@pytest.mark.parametrize("name", ["__MACOSX/t/._result.csv", "t/.all.csv", "t/~$result.xlsx", "t\\.x.csv"])
def test_hidden_files_of_other_programs_are_ignored(exports: Exports, name: str) -> None:
    assert exports.rows(zipped({"t/result.csv": CSV, name: "junk"})) == EXPECTED


def test_a_missing_file_does_not_make_the_export_invalid(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_export(tmp_path / "missing.zip", checkers()["band"])


cells = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)


@pytest.mark.slow
@given(st.lists(st.tuples(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True), cells)))
def test_csv_reads_the_same_inside_an_archive(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    exports = Exports(tmp_path_factory.mktemp("exports"))
    text = "number,band\n" + "".join(
        f'{number},"{cell.replace(chr(34), chr(34) * 2)}"\n' for number, cell in rows
    )
    expected = [(number, [cell]) for number, cell in rows]

    assert exports.rows(text) == expected
    assert exports.rows(zipped({"t/all.csv": text})) == expected
