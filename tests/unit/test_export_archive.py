"""Archives that come from outside: damaged, hostile, or merely odd."""

import random
import struct
import zipfile
from pathlib import Path

import pytest

from numberdrop.files.formats.archive import MIB, ArchiveLimits
from numberdrop.files.formats.untrusted import InvalidFileError
from tests.support.exports import CSV, EXPECTED, HEADER, ROWS, Exports, workbook, zipped


@pytest.mark.parametrize("content", [zipped({"all.csv": CSV * 50}), workbook([HEADER, *ROWS])])
@pytest.mark.parametrize("kept", [4, 30, 100, -1, -30])
def test_an_archive_that_is_cut_off_is_refused(given_an: Exports, content: bytes, kept: int) -> None:
    assert given_an.refusal(content[:kept])


def test_a_member_with_a_wrong_checksum_is_refused(given_an: Exports) -> None:
    content = zipped({"all.csv": CSV}, zipfile.ZIP_STORED).replace(b",yes", b",YES")

    assert "broken" in given_an.refusal(content)


def test_an_archive_of_too_many_members_is_refused(given_an: Exports) -> None:
    members = {"all.csv": CSV} | {f"{number}.txt": "" for number in range(1000)}

    assert "more than 1,000 members" in given_an.refusal(zipped(members))


def test_the_directory_of_a_million_members_is_not_even_read(given_an: Exports) -> None:
    # 46 bytes each, all the same entry, without data: more would only take longer to make.
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 16)
    directory = entry * 1_000_000
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9, 9, len(directory), 4, 0)

    assert "far too many" in given_an.refusal(b"PK\x03\x04" + directory + end)


def test_an_archive_that_unzips_to_too_much_is_refused(given_an: Exports) -> None:
    content = zipped({"all.csv": CSV, "x.txt": b"0" * 5000})

    assert "far more" in given_an.refusal(content, ArchiveLimits(unzipped=5000))


def test_an_archive_of_too_high_a_ratio_is_refused(given_an: Exports) -> None:
    bomb = zipped({"all.csv": b"0" * 2 * MIB})

    assert "far more" in given_an.refusal(bomb, ArchiveLimits(ratio_free=MIB))


def test_a_table_that_compresses_well_is_no_bomb(given_an: Exports) -> None:
    assert len(given_an.rows(zipped({"all.csv": CSV + "41790000001,yes\n" * 100_000}))) == 100_002


def test_a_member_that_states_too_small_a_size_yields_no_more_than_that(given_an: Exports) -> None:
    content = bytearray(zipped({"all.csv": CSV + "x" * MIB}))
    directory = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, len(CSV))

    assert "broken" in given_an.refusal(bytes(content))


def test_overlapping_members_are_refused(given_an: Exports) -> None:
    content = bytearray(zipped({"all.csv": CSV, "all.txt": CSV}))
    first, second = content.index(b"PK\x01\x02"), content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = content[first + 42 : first + 46]

    assert "overlapping" in given_an.refusal(bytes(content))


@pytest.mark.parametrize("member", ["all.csv", "other.txt"])
def test_an_encrypted_archive_is_refused(given_an: Exports, member: str) -> None:
    content = bytearray(zipped({"all.csv": CSV, "other.txt": ""}))
    entry = content.rindex(member.encode()) - 46
    content[entry + 8] |= 1

    assert "encrypted" in given_an.refusal(bytes(content))


def test_an_unusual_compression_is_refused(given_an: Exports) -> None:
    assert "unusual" in given_an.refusal(zipped({"all.csv": CSV}, zipfile.ZIP_LZMA))


@pytest.mark.parametrize("name", ["../all.csv", "/tmp/all.csv", "..\\..\\all.csv", "t/../../all.csv"])
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_names_of_members_never_reach_a_path(
    given_an: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, extension: str
) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    content = CSV.encode() if extension == "csv" else workbook([HEADER, *ROWS])

    rows = given_an.rows(zipped({name.replace("csv", extension): content}))

    assert rows == EXPECTED
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [given_an.path.name]


@pytest.mark.parametrize("seed", range(150))
@pytest.mark.parametrize("sample", ["zip", "xlsx", "nested"])
def test_damaged_bytes_are_read_or_refused_but_nothing_else(
    given_an: Exports, sample: str, seed: int
) -> None:
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
    except InvalidFileError as refused:
        assert str(refused).endswith(".")  # noqa: PT017 - both ends are right
    else:
        assert len(rows) <= len(ROWS)
