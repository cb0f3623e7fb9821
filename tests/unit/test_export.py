import io
import random
import re
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from numberdrop.files.archive import MIB
from numberdrop.files.export import (
    Export,
    ExportFormat,
    ExportInvalidError,
    ExportLimits,
    read_export,
)

SHARED_STRINGS = "xl/sharedStrings.xml"
HEADER = ("Number", "band")
ROWS = [("41790000001", "yes"), ("41790000002", "no")]
CSV = "Number,band\n41790000001,yes\n41790000002,no\n"
EXPECTED = [("41790000001", ("yes",)), ("41790000002", ("no",))]


def zipped(
    members: Mapping[str, str] | Mapping[str, bytes] | Mapping[str, str | bytes],
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def unzipped(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {info.filename: opened.read(info) for info in opened.infolist()}


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_member(archive: bytes, name: str, change: Mapping[bytes, bytes]) -> bytes:
    """The archive, with bytes of a member replaced."""
    members = unzipped(archive)
    for old, new in change.items():
        assert old in members[name]
        members[name] = members[name].replace(old, new, 1)
    return zipped(members)


def with_shared_strings(book: bytes) -> bytes:
    """The workbook as Excel writes it, with its texts in a part of their own."""
    texts: list[bytes] = []

    def share(cell: re.Match[bytes]) -> bytes:
        texts.append(cell[1])
        return b't="s"><v>%d</v></c>' % (len(texts) - 1)

    members = unzipped(book)
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = re.sub(rb't="inlineStr"><is><t>([^<]*)</t></is></c>', share, members[sheet])
    members[SHARED_STRINGS] = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        + b"".join(b"<si><t>%s</t></si>" % text for text in texts)
        + b"</sst>"
    )
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/'
        b'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml" /></Types>',
    )
    return zipped(members)


class Given:
    """Exports on disk, for reading."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "export.bin"

    def export(self, content: str | bytes, limits: ExportLimits = ExportLimits()) -> Export:  # noqa: B008 - it is frozen
        self.path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_export(self.path, limits=limits)

    def rows(self, content: str | bytes) -> list[tuple[str, tuple[str, ...]]]:
        with self.export(content) as export:
            return list(export.rows())

    def columns(self, header: str) -> tuple[str, ...]:
        with self.export(header + "\n") as export:
            return export.columns

    def verdict_column(self, header: str) -> str | None:
        with self.export(header + "\n") as export:
            return export.verdict_column

    def refusal(self, content: str | bytes, limits: ExportLimits = ExportLimits()) -> str:  # noqa: B008 - it is frozen
        with pytest.raises(ExportInvalidError) as refused, self.export(content, limits) as export:
            for _ in export.rows():
                pass
        message = str(refused.value)
        assert "4179" not in message
        assert refused.value.__suppress_context__ or refused.value.__context__ is None
        return message


@pytest.fixture
def given_an(tmp_path: Path) -> Given:
    return Given(tmp_path)


@pytest.mark.parametrize(
    ("content", "export_format"),
    [
        (CSV.encode(), ExportFormat.CSV),
        (workbook([HEADER, *ROWS]), ExportFormat.XLSX),
        (with_shared_strings(workbook([HEADER, *ROWS])), ExportFormat.XLSX),
        (zipped({"d4g8o46p2jvh04o9uolg/all.csv": CSV}), ExportFormat.ZIP),
        (zipped({"all.csv": CSV}), ExportFormat.ZIP),
        (zipped({"all.csv": CSV}, zipfile.ZIP_STORED), ExportFormat.ZIP),
        (zipped({"t/result.xlsx": workbook([HEADER, *ROWS]), "t/activated.txt": "x"}), ExportFormat.ZIP),
    ],
)
def test_each_format_is_known_by_its_bytes_and_reads_alike(
    given_an: Given, content: bytes, export_format: ExportFormat
) -> None:
    with given_an.export(content) as export:
        assert export.format is export_format
        assert export.format.extension == export_format.value
        assert export.columns == ("band",)
        assert export.verdict_column == "band"
        assert list(export.rows()) == EXPECTED


@pytest.mark.parametrize("content", [CSV.encode(), zipped({"all.csv": CSV}), workbook([HEADER, *ROWS])])
def test_rows_can_be_read_again_and_left_halfway(given_an: Given, content: bytes) -> None:
    with given_an.export(content) as export:
        for _ in export.rows():
            break
        assert list(export.rows()) == EXPECTED
        assert list(export.rows()) == EXPECTED


def test_an_export_can_be_closed_by_hand(given_an: Given) -> None:
    export = given_an.export(zipped({"all.csv": CSV}))
    export.close()

    with pytest.raises(ExportInvalidError):
        list(export.rows())


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_delimiter_line_ends_and_byte_order_mark_make_no_difference(
    given_an: Given, delimiter: str, end: str, mark: str
) -> None:
    content = mark + CSV.replace(",", delimiter).replace("\n", end)

    assert given_an.rows(content) == EXPECTED


def test_the_member_with_all_rows_is_preferred(given_an: Given) -> None:
    parts: dict[str, str | bytes] = {
        "t/activated.csv": "Number,band\n41790000001,yes\n",
        "t/not_all.csv": "Number,band\n",
        "t/unactivated.txt": "41790000002",
        "t/result.xlsx": workbook([HEADER]),
    }

    assert given_an.rows(zipped({**parts, "t/all.csv": CSV})) == EXPECTED
    assert given_an.rows(zipped({**parts, "t/ALL.CSV": CSV})) == EXPECTED


def test_the_only_csv_is_taken_before_a_workbook(given_an: Given) -> None:
    members: dict[str, str | bytes] = {
        "t/": "",
        "t/report.csv": CSV,
        "t/result.xlsx": workbook([HEADER]),
        "t/x.txt": "x",
    }

    assert given_an.rows(zipped(members)) == EXPECTED


@pytest.mark.parametrize(
    "members",
    [{}, {"t/activated.txt": "+41790000001"}, {"a.csv": CSV, "b.csv": CSV}, {"all.csv/": ""}],
)
def test_an_archive_without_one_table_is_refused(given_an: Given, members: dict[str, str]) -> None:
    assert "no table" in given_an.refusal(zipped(members))


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
def test_columns_are_named_alike_and_leave_the_number_out(
    given_an: Given, header: str, columns: tuple[str, ...]
) -> None:
    assert given_an.columns(header) == columns


@pytest.mark.parametrize(
    ("header", "verdict_column"),
    [
        ("Number,band", "band"),
        ("number,activated,activetime,business", "activated"),
        ("Number,age,avatar,whatsapp,note", "whatsapp"),
        ("Number,phoneCheck,region", "phonecheck"),
        ("Mobile Number,Result,note", "result"),
        ("Number,ActiveStatus,note", "activestatus"),
        ("number,number_type,carrier", "carrier"),
        ("number", None),
    ],
)
def test_the_verdict_stands_in_a_known_column_or_the_last(
    given_an: Given, header: str, verdict_column: str | None
) -> None:
    assert given_an.verdict_column(header) == verdict_column


def test_the_number_may_stand_in_any_column_and_rows_may_be_short_or_long(given_an: Given) -> None:
    rows = given_an.rows('a,number,b\n1,41790000001\n\n2,41790000002,"x, ""y""\nz",9\n,,\n')

    assert rows == [("41790000001", ("1", "")), ("41790000002", ("2", 'x, "y"\nz'))]


def test_cells_of_a_sheet_are_read_as_text(given_an: Given) -> None:
    rows: list[list[object]] = [
        ["number", "a", "b", "c"],
        [41790000001, True, None, "yes"],
        [None, None, None, None],
        [41790000002.0, 1.5, "=1+1"],
    ]

    assert given_an.rows(workbook(rows)) == [
        ("41790000001", ("true", "", "yes")),
        ("41790000002", ("1.5", "", "")),
    ]


def test_a_sheet_that_claims_another_size_is_read_in_full(given_an: Given) -> None:
    content = with_member(
        workbook([HEADER, *ROWS]),
        "xl/worksheets/sheet1.xml",
        {b'<dimension ref="A1:B3"': b'<dimension ref="A1:A1"'},
    )

    assert given_an.rows(content) == EXPECTED


def test_a_number_that_is_marked_as_a_date_is_quoted_in_no_warning(given_an: Given) -> None:
    content = with_member(
        workbook([HEADER, ("41790000001", datetime(2025, 1, 1))]),  # noqa: DTZ001 - sheets know no zones
        "xl/worksheets/sheet1.xml",
        {b"<v>45658</v>": b"<v>41790000002</v>"},
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = given_an.rows(content)

    assert rows == [("41790000001", ("#VALUE!",))]
    assert not caught


def test_a_row_beyond_what_sheets_can_have_is_not_waited_for(given_an: Given) -> None:
    content = with_member(
        workbook([HEADER, *ROWS]), "xl/worksheets/sheet1.xml", {b'<row r="3"': b'<row r="3000000000"'}
    )

    assert given_an.rows(content) == EXPECTED[:1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("<!DOCTYPE html><title>Sorry, no</title>", "web page"),
        ('\ufeff\n <?xml version="1.0"?><Error>a,b</Error>', "web page"),
        ('{"error": "a", "code": 1}', "web page"),
        ("Access Denied", "no table"),
        ("41790000001,yes\n41790000002,no\n", "no header"),
        (b"Number,band\n\xff\xfe\n", "no CSV"),
        (CSV.encode("utf-16"), "no CSV"),
        (b"Number,band\n\0", "neither"),
        (b"\x1f\x8b\x08\0\0", "no CSV"),
        ("Number," + "x," * 300 + "y", "too many columns"),
        ("band,number\nyes\n", "before its number"),
    ],
)
def test_what_is_no_table_is_refused(given_an: Given, content: str | bytes, message: str) -> None:
    assert message in given_an.refusal(content)


@pytest.mark.parametrize("member", ["all.csv", None])
def test_a_line_without_end_is_refused(given_an: Given, member: str | None) -> None:
    content = CSV + "x" * 1_000_000

    assert "long row" in given_an.refusal(zipped({member: content}) if member else content)


@pytest.mark.parametrize("endless", ['"' + "x\n" * 500_000, '"x\n",' * 200_000])
def test_a_row_without_end_is_refused_over_however_many_lines(given_an: Given, endless: str) -> None:
    assert "long row" in given_an.refusal(CSV + endless)


@pytest.mark.parametrize("content", [zipped({"all.csv": CSV * 50}), workbook([HEADER, *ROWS])])
@pytest.mark.parametrize("kept", [4, 30, 100, -1, -30])
def test_an_archive_that_is_cut_off_is_refused(given_an: Given, content: bytes, kept: int) -> None:
    assert given_an.refusal(content[:kept])


def test_a_member_with_a_wrong_checksum_is_refused(given_an: Given) -> None:
    content = zipped({"all.csv": CSV}, zipfile.ZIP_STORED).replace(b",yes", b",YES")

    assert "broken" in given_an.refusal(content)


def test_a_workbook_in_an_archive_with_a_wrong_checksum_is_refused(given_an: Given) -> None:
    content = bytearray(zipped({"r.xlsx": workbook([HEADER, *ROWS])}, zipfile.ZIP_STORED))
    content[200] ^= 1

    assert "broken" in given_an.refusal(bytes(content))


def test_an_archive_of_too_many_members_is_refused(given_an: Given) -> None:
    members = {"all.csv": CSV} | {f"{number}.txt": "" for number in range(1000)}

    assert "more than 1,000 members" in given_an.refusal(zipped(members))


def test_the_directory_of_a_million_members_is_not_even_read(given_an: Given) -> None:
    # 46 bytes each, all the same entry, without data: more would only take longer to make.
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 16)
    directory = entry * 1_000_000
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9, 9, len(directory), 4, 0)

    assert "far too many" in given_an.refusal(b"PK\x03\x04" + directory + end)


def test_an_archive_that_unzips_to_too_much_is_refused(given_an: Given) -> None:
    content = zipped({"all.csv": CSV, "x.txt": b"0" * 5000})

    assert "far more" in given_an.refusal(content, ExportLimits(unzipped=5000))


def test_an_archive_of_too_high_a_ratio_is_refused(given_an: Given) -> None:
    bomb = zipped({"all.csv": b"0" * 2 * MIB})

    assert "far more" in given_an.refusal(bomb, ExportLimits(ratio_free=MIB))


def test_a_table_that_compresses_well_is_no_bomb(given_an: Given) -> None:
    with given_an.export(zipped({"all.csv": CSV + "41790000001,yes\n" * 100_000})) as export:
        assert sum(1 for _ in export.rows()) == 100_002


@pytest.mark.parametrize("nested", [True, False])
def test_a_workbook_that_unzips_to_too_much_is_refused(given_an: Given, nested: bool) -> None:
    content = workbook([HEADER, *[("x" * 30_000, "yes")] * 10])

    assert "far more" in given_an.refusal(
        zipped({"r.xlsx": content}) if nested else content, ExportLimits(workbook=20_000)
    )


def test_a_row_of_endless_empty_cells_is_refused_before_it_is_held_in_memory(given_an: Given) -> None:
    cells = b"<c/>" * 2_000_000
    hostile = with_member(
        workbook([HEADER, *ROWS]), "xl/worksheets/sheet1.xml", {b"</row>": cells + b"</row>"}
    )

    tracemalloc.start()
    refusal = given_an.refusal(hostile)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "too many cells" in refusal
    assert peak < 30 * MIB


def test_a_workbook_too_large_to_unpack_is_refused(given_an: Given) -> None:
    content = zipped({"r.xlsx": workbook([HEADER, *ROWS])})

    assert "too large" in given_an.refusal(content, ExportLimits(workbook=100))


def test_a_member_that_states_too_small_a_size_yields_no_more_than_that(given_an: Given) -> None:
    content = bytearray(zipped({"all.csv": CSV + "x" * MIB}))
    directory = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, len(CSV))

    assert "broken" in given_an.refusal(bytes(content))


def test_overlapping_members_are_refused(given_an: Given) -> None:
    content = bytearray(zipped({"all.csv": CSV, "all.txt": CSV}))
    first, second = content.index(b"PK\x01\x02"), content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = content[first + 42 : first + 46]

    assert "overlapping" in given_an.refusal(bytes(content))


@pytest.mark.parametrize("member", ["all.csv", "other.txt"])
def test_an_encrypted_archive_is_refused(given_an: Given, member: str) -> None:
    content = bytearray(zipped({"all.csv": CSV, "other.txt": ""}))
    entry = content.rindex(member.encode()) - 46
    content[entry + 8] |= 1

    assert "encrypted" in given_an.refusal(bytes(content))


def test_an_unusual_compression_is_refused(given_an: Given) -> None:
    assert "unusual" in given_an.refusal(zipped({"all.csv": CSV}, zipfile.ZIP_LZMA))


@pytest.mark.parametrize("name", ["../all.csv", "/tmp/all.csv", "..\\..\\all.csv", "t/../../all.csv"])
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_names_of_members_never_reach_a_path(
    given_an: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, extension: str
) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    content = CSV.encode() if extension == "csv" else workbook([HEADER, *ROWS])

    rows = given_an.rows(zipped({name.replace("csv", extension): content}))

    assert rows == EXPECTED
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [given_an.path.name]


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", SHARED_STRINGS, "xl/workbook.xml"])
def test_an_xml_bomb_is_refused(given_an: Given, part: str) -> None:
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    book = with_shared_strings(workbook([HEADER, *ROWS]))
    root = unzipped(book)[part]
    start = root[: root.index(b">") + 1] if root.startswith(b"<?xml") else b""
    old = start or root[:10]
    new = old + entities if start else entities + old

    assert "cannot be read" in given_an.refusal(with_member(book, part, {old: new}))


def test_a_document_that_is_no_workbook_is_refused(given_an: Given) -> None:
    assert "cannot be read" in given_an.refusal(zipped({"[Content_Types].xml": "<Types/>"}))


def test_a_missing_file_is_not_the_exports_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_export(tmp_path / "missing.zip")


@pytest.mark.parametrize("seed", range(150))
@pytest.mark.parametrize("sample", ["zip", "xlsx", "nested"])
def test_damaged_bytes_are_read_or_refused_but_nothing_else(given_an: Given, sample: str, seed: int) -> None:
    content = bytearray(
        {
            "zip": zipped({"t/all.csv": CSV}),
            "xlsx": workbook([HEADER, *ROWS]),
            "nested": zipped({"r.xlsx": workbook([HEADER, *ROWS])}),
        }[sample]
    )
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 8)):
        content[chance.randrange(4, len(content))] = chance.randrange(256)

    try:
        rows = given_an.rows(bytes(content))
    except ExportInvalidError as refused:
        assert str(refused).endswith(".")  # noqa: PT017 - both ends are right
    else:
        assert len(rows) <= len(ROWS)


cells = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)


@given(st.lists(st.tuples(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True), cells)))
def test_csv_zip_and_workbook_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    given_an = Given(tmp_path_factory.mktemp("exports"))
    text = "number,band\n" + "".join(
        f'{number},"{cell.replace(chr(34), chr(34) * 2)}"\n' for number, cell in rows
    )
    expected = [(number, (cell,)) for number, cell in rows]

    assert given_an.rows(text) == expected
    assert given_an.rows(zipped({"t/all.csv": text})) == expected
