"""Archives from outside: damaged, hostile or just unusual."""

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
def test_a_truncated_archive_is_rejected(exports: Exports, content: bytes, kept: int) -> None:
    assert exports.error(content[:kept])


def test_a_member_with_a_wrong_checksum_is_rejected(exports: Exports) -> None:
    content = zipped({"all.csv": CSV}, zipfile.ZIP_STORED).replace(b",yes", b",YES")

    assert "broken" in exports.error(content)


def test_an_archive_with_too_many_members_is_rejected(exports: Exports) -> None:
    members = {"all.csv": CSV} | {f"{number}.txt": "" for number in range(1000)}

    assert "more than 1,000 members" in exports.error(zipped(members))


def test_a_directory_of_a_million_members_is_never_read(exports: Exports) -> None:
    # The same entry of 46 bytes each time, without data: more would only take longer to make.
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", *[0] * 16)
    directory = entry * 1_000_000
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9, 9, len(directory), 4, 0)

    assert "far too many" in exports.error(b"PK\x03\x04" + directory + end)


def test_an_archive_that_unzips_to_too_much_is_rejected(exports: Exports) -> None:
    content = zipped({"all.csv": CSV, "x.txt": b"0" * 5000})

    assert "far more" in exports.error(content, ArchiveLimits(unzipped=5000))


def test_an_archive_with_too_high_a_ratio_is_rejected(exports: Exports) -> None:
    bomb = zipped({"all.csv": b"0" * 2 * MIB})

    assert "far more" in exports.error(bomb, ArchiveLimits(ratio_free=MIB))


@pytest.mark.slow
def test_a_table_that_compresses_well_is_accepted(exports: Exports) -> None:
    assert len(exports.rows(zipped({"all.csv": CSV + "41790000001,yes\n" * 100_000}))) == 100_002


def test_a_member_larger_than_its_stated_size_is_rejected(exports: Exports) -> None:
    content = bytearray(zipped({"all.csv": CSV + "x" * MIB}))
    directory = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, len(CSV))

    assert "broken" in exports.error(bytes(content))


def test_overlapping_members_are_rejected(exports: Exports) -> None:
    content = bytearray(zipped({"all.csv": CSV, "all.txt": CSV}))
    first, second = content.index(b"PK\x01\x02"), content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = content[first + 42 : first + 46]

    assert "overlapping" in exports.error(bytes(content))


@pytest.mark.parametrize("member", ["all.csv", "other.txt"])
def test_an_encrypted_archive_is_rejected(exports: Exports, member: str) -> None:
    content = bytearray(zipped({"all.csv": CSV, "other.txt": ""}))
    entry = content.rindex(member.encode()) - 46
    content[entry + 8] |= 1

    assert "encrypted" in exports.error(bytes(content))


def test_an_unusual_compression_is_rejected(exports: Exports) -> None:
    assert "unusual" in exports.error(zipped({"all.csv": CSV}, zipfile.ZIP_LZMA))


@pytest.mark.parametrize("name", ["../all.csv", "/tmp/all.csv", "..\\..\\all.csv", "t/../../all.csv"])
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_member_names_are_never_used_as_paths(
    exports: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, extension: str
) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    content = CSV.encode() if extension == "csv" else workbook([HEADER, *ROWS])

    rows = exports.rows(zipped({name.replace("csv", extension): content}))

    assert rows == EXPECTED
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [exports.path.name]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(150))
@pytest.mark.parametrize("sample", ["zip", "xlsx", "nested"])
def test_damaged_bytes_are_either_read_or_rejected(exports: Exports, sample: str, seed: int) -> None:
    content = bytearray(
        {
            "zip": zipped({"t/all.csv": CSV}),
            "xlsx": workbook([HEADER, *ROWS]),
            "nested": zipped({"r.xlsx": workbook([HEADER, *ROWS])}),
        }[sample]
    )
    rng = random.Random(seed)
    for _ in range(rng.randint(1, 8)):
        content[rng.randrange(4, len(content))] = rng.randrange(256)

    try:
        rows = exports.rows(bytes(content))
    except InvalidFileError as error:
        assert str(error).endswith(".")  # noqa: PT017 - both outcomes are correct
    else:
        assert len(rows) <= len(ROWS)
