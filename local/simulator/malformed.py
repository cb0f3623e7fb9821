"""Malformed exports: wrong rows, wrong columns, or a malicious archive."""

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
    """Leave the first numbers out of the export."""
    return Shape(rows=lambda numbers: itertools.islice(numbers, rows, None))


def extra_rows(rows: int = 1) -> Shape:
    """Add numbers that nobody submitted at the end."""
    return Shape(rows=lambda numbers: itertools.chain(numbers, (f"+99900{n:07d}" for n in range(rows))))


def duplicate_rows(rows: int = 1) -> Shape:
    """Repeat the first numbers."""

    def duplicated(numbers: Iterator[str]) -> Iterator[str]:
        for index, number in enumerate(numbers):
            yield number
            if index < rows:
                yield number

    return Shape(rows=duplicated)


def renamed_columns(number: str = "Mobile Number", verdict: str = "Result") -> Shape:
    """Rename the columns of the number and of the verdict."""

    def renamed(columns: Columns) -> Columns:
        first, *others = columns
        return replace(first, header=number), *(
            replace(column, header=verdict) if column.is_verdict else column for column in others
        )

    return Shape(columns=renamed)


def no_verdict_column() -> Shape:
    """Leave out the column of the verdict."""
    return Shape(columns=lambda columns: tuple(c for c in columns if not c.is_verdict))


def duplicate_number_column() -> Shape:
    """Repeat the column of the number under the same name."""
    return Shape(columns=lambda columns: (columns[0], *columns))


def other_delimiter(delimiter: str = ";") -> Shape:
    """Separate the cells of the CSV by another character."""
    return Shape(delimiter=delimiter)


def plain_csv() -> Shape:
    """Send the CSV itself instead of an archive."""
    return Shape(packing=Packing.PLAIN_CSV)


def gzipped_csv() -> Shape:
    """Send the CSV in gzip instead of an archive."""
    return Shape(packing=Packing.GZIPPED_CSV)


def zip_without_folder() -> Shape:
    """Send a zip with its members at the root, also for legacy tasks."""
    return Shape(packing=Packing.WITHOUT_FOLDER)


def lists_only() -> Shape:
    """Send a zip that holds only the two lists, of active and of other numbers."""
    return Shape(packing=Packing.WITHOUT_FOLDER, corrupt=_drop_tables)


def zip_bomb(megabytes: int = 64) -> Shape:
    """Let the main member grow a thousandfold when unpacked."""
    return Shape(corrupt=partial(_inflate_main_member, megabytes=megabytes))


def many_members(members: int = 1000) -> Shape:
    """Add many empty members."""
    return Shape(corrupt=partial(_add_members, names=[f"{n}.txt" for n in range(members)]))


def path_traversal(name: str = "../../all.csv") -> Shape:
    """Add a member whose name leads out of the folder that it is unpacked to."""
    return Shape(corrupt=partial(_add_members, names=[name]))


def overlapping_members() -> Shape:
    """Store the bytes of the main member inside those of another member."""
    return Shape(corrupt=_overlap_main_member)


def _drop_tables(archive: Path, _main_member: str) -> None:
    members = _read_members(archive)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as rewritten:
        for name, content in members.items():
            if name.endswith(".txt"):
                rewritten.writestr(name, content)


def _inflate_main_member(archive: Path, main_member: str, *, megabytes: int) -> None:
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
    """Store a member whose content is the main member's record, and list that record too."""
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
