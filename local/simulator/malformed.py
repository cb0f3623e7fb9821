"""The ways in which an export can be wrong: its rows, its columns, or an archive that attacks."""

import itertools
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from local.simulator.exports import Columns, Packing, Shape

_LOCAL_HEADER_SIZE = 30
_ZEROS = b"0" * (1 << 20)


def missing_rows(rows: int = 1) -> Shape:
    """The first numbers are not in the export."""
    return Shape(rows=lambda numbers: itertools.islice(numbers, rows, None))


def extra_rows(rows: int = 1) -> Shape:
    """Numbers that nobody submitted stand at the end."""
    return Shape(rows=lambda numbers: itertools.chain(numbers, (f"+99900{n:07d}" for n in range(rows))))


def duplicate_rows(rows: int = 1) -> Shape:
    """The first numbers stand there twice."""

    def doubled(numbers: Iterator[str]) -> Iterator[str]:
        for place, number in enumerate(numbers):
            yield number
            if place < rows:
                yield number

    return Shape(rows=doubled)


def renamed_columns(number: str = "Mobile Number", verdict: str = "Result") -> Shape:
    """The number's and the verdict's columns have other names."""

    def renamed(columns: Columns) -> Columns:
        first, *others = columns
        return replace(first, header=number), *(
            replace(column, header=verdict) if column.is_verdict else column for column in others
        )

    return Shape(columns=renamed)


def no_verdict_column() -> Shape:
    """The column with the answers is not there."""
    return Shape(columns=lambda columns: tuple(c for c in columns if not c.is_verdict))


def duplicate_number_column() -> Shape:
    """The column with the numbers stands there twice under one name."""
    return Shape(columns=lambda columns: (columns[0], *columns))


def other_delimiter(delimiter: str = ";") -> Shape:
    """The cells of the csv are kept apart by something else."""
    return Shape(delimiter=delimiter)


def plain_csv() -> Shape:
    """The csv itself, where an archive was promised."""
    return Shape(packing=Packing.PLAIN_CSV)


def zip_without_folder() -> Shape:
    """A zip whose members lie at its root; legacy tasks get one too."""
    return Shape(packing=Packing.WITHOUT_FOLDER)


def lists_only() -> Shape:
    """A zip with nothing in it but the lists: of the numbers that are active, and of the others."""
    return Shape(packing=Packing.WITHOUT_FOLDER, spoil=_drop_tables)


def zip_bomb(megabytes: int = 64) -> Shape:
    """The main member grows a thousandfold when it is unpacked."""
    return Shape(spoil=partial(_swell_main_member, megabytes=megabytes))


def many_members(members: int = 1000) -> Shape:
    """Beside the true members stand many empty ones."""
    return Shape(spoil=partial(_add_members, names=[f"{n}.txt" for n in range(members)]))


def path_traversal(name: str = "../../all.csv") -> Shape:
    """One member's name leads out of the folder it would be unpacked to."""
    return Shape(spoil=partial(_add_members, names=[name]))


def overlapping_members() -> Shape:
    """The bytes of the main member lie inside those of another one."""
    return Shape(spoil=_overlap_main_member)


def _drop_tables(archive: Path, _main_member: str) -> None:
    members = _read_members(archive)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as rewritten:
        for name, content in members.items():
            if name.endswith(".txt"):
                rewritten.writestr(name, content)


def _swell_main_member(archive: Path, main_member: str, *, megabytes: int) -> None:
    members = _read_members(archive)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as rewritten:
        for name, content in members.items():
            if name != main_member:
                rewritten.writestr(name, content)
        with rewritten.open(main_member, "w", force_zip64=True) as member:
            for _ in range(megabytes):
                member.write(_ZEROS)


def _add_members(archive: Path, _main_member: str, *, names: list[str]) -> None:
    with zipfile.ZipFile(archive, "a") as appended:
        for name in names:
            appended.writestr(name, b"")


def _overlap_main_member(archive: Path, main_member: str) -> None:
    """Store a member whose content is the main member's record, and list that record as well."""
    content = _read_members(archive)[main_member]
    with zipfile.ZipFile(archive, "w") as inner:
        inner.writestr(main_member, content)
        record = archive.read_bytes()[: inner.start_dir]
        listed = inner.getinfo(main_member)
    with zipfile.ZipFile(archive, "w") as outer:
        outer.writestr("cover.bin", record)
        listed.header_offset = _LOCAL_HEADER_SIZE + len("cover.bin")
        outer.filelist.append(listed)


def _read_members(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}
