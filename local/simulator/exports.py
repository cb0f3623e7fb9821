"""The exports of tasks, correct or malformed on request.

A v1 task exports a zip with ``{task_id}/all.csv``, ``result.xlsx``, ``activated.txt`` and
``unregistered.txt``; a legacy task exports an ``.xlsx``. Column names follow the vendor's page of the
checker if there is one, and newer exports otherwise: ``number`` without ``+``, and ``activated``.
"""

import csv
import gzip
import io
import itertools
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TypeVar

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from local.simulator.model import Task, rows_of
from numberdrop.jobs.checkers import Checker, Family

BIG_TASK_ROWS = 1_000_000
"""Larger tasks get no spreadsheet: a sheet holds at most 1,048,576 rows, and is slow to write."""

YES_PERCENT = 60

SECONDS_TO_WAIT = 3.0
"""How long a status call waits for an export that is due; a small one takes milliseconds."""

_BLOCK = 1 << 20
_ROWS_BETWEEN_CHECKS = 10_000

_T = TypeVar("_T")

SERVICE_COLUMNS = {"wa": "whatsapp", "tg": "telegram", "fb": "facebook", "ins": "instagram"}
"""The verdict's column in legacy exports by service; other services use their own name."""


def verdict(number: str) -> str:
    """Return ``yes`` or ``no``, which depends only on the number, with or without its ``+``.

    >>> verdict("+447700900800") == verdict("447700900800")
    True
    """
    return "yes" if zlib.crc32(_bare(number).encode()) % 100 < YES_PERCENT else "no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export; ``is_verdict`` marks the column with the verdict."""

    header: str
    cell: Callable[[str], str]
    is_verdict: bool = False


Columns = tuple[Column, ...]


class Packing(StrEnum):
    """The kind of file of an export."""

    AS_DOCUMENTED = "as documented"
    WITHOUT_FOLDER = "a zip with all.csv at its root"
    PLAIN_CSV = "only the csv"
    GZIPPED_CSV = "only the csv, in gzip"


def _unchanged(value: _T) -> _T:
    return value


def _leave_intact(_archive: Path, _main_member: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Shape:
    """How an export differs from the correct one.

    Attributes:
        rows: makes the exported numbers from the submitted ones.
        columns: makes the exported columns from the correct ones.
        delimiter: the character between the cells of a CSV.
        packing: the kind of file.
        corrupt: changes the finished archive, given its path and the name of its main member.
    """

    rows: Callable[[Iterator[str]], Iterator[str]] = _unchanged
    columns: Callable[[Columns], Columns] = _unchanged
    delimiter: str = ","
    packing: Packing = Packing.AS_DOCUMENTED
    corrupt: Callable[[Path, str], None] = _leave_intact


CORRECT_SHAPE = Shape()


class Exports:
    """Writes exports to disk: the correct one of each task in advance, a malformed one per request."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(thread_name_prefix="export")
        self._written: dict[str, Future[Path]] = {}
        self._count = itertools.count()
        self._closed = False

    def begin(self, task: Task) -> None:
        """Start writing the correct export of a task in the background."""
        self._written[task.task_id] = self._pool.submit(self._write, task, CORRECT_SHAPE)

    def is_ready(self, task: Task) -> bool:
        """Return whether the correct export of a task is written, after waiting a moment for it."""
        return bool(wait([self._written[task.task_id]], SECONDS_TO_WAIT).done)

    def file_for(self, task: Task, shape: Shape) -> Path:
        """Return the file of a task's export, waiting until it is written."""
        return self._written[task.task_id].result() if shape is CORRECT_SHAPE else self._write(task, shape)

    def close(self) -> None:
        """Abandon the exports that are not written yet."""
        self._closed = True
        self._pool.shutdown(cancel_futures=True)

    def _write(self, task: Task, shape: Shape) -> Path:
        target = self._folder / f"export-{next(self._count)}"
        write_export(task, replace(shape, rows=lambda rows: self._until_closed(shape.rows(rows))), target)
        return target

    def _until_closed(self, rows: Iterator[str]) -> Iterator[str]:
        """Yield the rows until ``close`` is called; the file is still completed properly."""
        for count, row in enumerate(rows, start=1):
            if count % _ROWS_BETWEEN_CHECKS == 0 and self._closed:
                return
            yield row


def suffix_of(task: Task) -> str:
    """Return the file name suffix of a task's export."""
    return ".xlsx" if _is_spreadsheet(task) else ".zip"


def write_export(task: Task, shape: Shape, target: Path) -> None:
    """Write the export of a task in a shape to a new file."""
    if shape.packing in {Packing.PLAIN_CSV, Packing.GZIPPED_CSV}:
        with target.open("wb") if shape.packing is Packing.PLAIN_CSV else gzip.open(target, "wb") as raw:
            _write_csv(task, shape, _rows(task, shape), raw)
        return
    if _is_spreadsheet(task) and shape.packing is Packing.AS_DOCUMENTED:
        with target.open("wb") as raw:
            _write_spreadsheet(task, shape, raw)
        shape.corrupt(target, "xl/worksheets/sheet1.xml")
        return
    folder = "" if shape.packing is Packing.WITHOUT_FOLDER else f"{task.task_id}/"
    _write_archive(task, shape, target, folder)
    shape.corrupt(target, f"{folder}all.csv")


def columns_of(checker: Checker) -> Columns:
    """Return the columns of a checker's export, by its page or else like newer exports."""
    if checker.family is Family.LEGACY:
        return _legacy_columns(checker)
    match checker.name:
        case "band" | "phoneCheck":
            return _as_submitted("Number"), _verdict(checker.name)
        case "high_value_users":
            return _as_submitted("Mobile Number"), _verdict("Result")
        case _:
            return Column("number", _bare), _verdict("activated")


def _encoding(checker: Checker) -> str:
    """Return the encoding: newer exports begin with a byte order mark."""
    return "utf-8-sig" if columns_of(checker)[0].header == "number" else "utf-8"


def _legacy_columns(checker: Checker) -> Columns:
    service = checker.name.partition("-")[0]
    answer = _verdict(SERVICE_COLUMNS.get(service, service))
    if checker.name != "wa-deep":
        return _as_submitted("Number"), answer
    return (
        _as_submitted("Number"),
        _trait("age", tuple(str(age) for age in range(18, 70))),
        _trait("avatar", tuple(f"https://pictures.example/{n}.jpg" for n in range(1000))),
        _trait("category", ("individual portrait", "pet avatar", "object", "landscape")),
        _trait("gender", ("male", "female")),
        _trait("hair_color", ("black", "brown", "blonde", "grey")),
        _trait("skin_color", ("white", "black", "brown")),
        answer,
    )


def _as_submitted(header: str) -> Column:
    return Column(header, _unchanged)


def _verdict(header: str) -> Column:
    return Column(header, verdict, is_verdict=True)


def _trait(header: str, choices: tuple[str, ...]) -> Column:
    """Return a column that is empty for numbers without an account."""

    def cell(number: str) -> str:
        if verdict(number) == "no":
            return ""
        return choices[zlib.crc32(f"{header} {_bare(number)}".encode()) % len(choices)]

    return Column(header, cell)


def _bare(number: str) -> str:
    return number.removeprefix("+")


def _is_spreadsheet(task: Task) -> bool:
    return task.checker.family is Family.LEGACY and task.rows <= BIG_TASK_ROWS


def _rows(task: Task, shape: Shape) -> Iterator[str]:
    return shape.rows(rows_of(task.numbers))


def _write_archive(task: Task, shape: Shape, target: Path, folder: str) -> None:
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        TemporaryFile("w+b") as activated,
        TemporaryFile("w+b") as unregistered,
    ):
        rows = _listed(_rows(task, shape), activated, unregistered)
        with archive.open(f"{folder}all.csv", "w", force_zip64=True) as member:
            _write_csv(task, shape, rows, member)
        _store(archive, f"{folder}activated.txt", activated)
        _store(archive, f"{folder}unregistered.txt", unregistered)
        if task.rows <= BIG_TASK_ROWS:
            with TemporaryFile("w+b") as sheet:
                _write_spreadsheet(task, shape, sheet)
                _store(archive, f"{folder}result.xlsx", sheet)


def _listed(rows: Iterator[str], activated: IO[bytes], unregistered: IO[bytes]) -> Iterator[str]:
    """Yield the rows, and write each to its list on the way, so that big files are read once."""
    for row in rows:
        target = activated if verdict(row) == "yes" else unregistered
        target.write(_bare(row).encode() + b"\n")
        yield row


def _store(archive: zipfile.ZipFile, name: str, content: IO[bytes]) -> None:
    content.seek(0)
    with archive.open(name, "w", force_zip64=True) as member:
        shutil.copyfileobj(content, member, _BLOCK)


def _write_csv(task: Task, shape: Shape, rows: Iterator[str], raw: IO[bytes] | gzip.GzipFile) -> None:
    columns = shape.columns(columns_of(task.checker))
    cells = [column.cell for column in columns]
    with io.TextIOWrapper(raw, encoding=_encoding(task.checker), newline="") as text:
        writer = csv.writer(text, delimiter=shape.delimiter)
        writer.writerow([column.header for column in columns])
        writer.writerows([cell(row) for cell in cells] for row in rows)


def _write_spreadsheet(task: Task, shape: Shape, raw: IO[bytes]) -> None:
    columns = shape.columns(columns_of(task.checker))
    book = Workbook(write_only=True)
    sheet = book.create_sheet("result")
    sheet.append([column.header for column in columns])
    for row in _rows(task, shape):
        printable = ILLEGAL_CHARACTERS_RE.sub("", row)
        sheet.append([column.cell(printable) for column in columns])
    book.save(raw)
