"""The files that the vendor hands out for a task, well-formed or misshapen on request.

v1 tasks give a zip with ``{task_id}/all.csv``, ``result.xlsx``, ``activated.txt`` and
``unregistered.txt``; legacy tasks give an ``.xlsx``. Column names follow the vendor's pages where a
checker has one, and otherwise what newer exports say: ``number`` without ``+``, and ``activated``.
"""

import csv
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
"""Above this there is no spreadsheet: a sheet holds 1,048,576 rows, and slowly."""

YES_PERCENT = 60

SECONDS_TO_WAIT = 3.0
"""How long a status call waits for an export that is due; small ones take some milliseconds."""

_BLOCK = 1 << 20
_ROWS_BETWEEN_LOOKS = 10_000

_T = TypeVar("_T")

SERVICE_COLUMNS = {"wa": "whatsapp", "tg": "telegram", "fb": "facebook", "ins": "instagram"}
"""How legacy exports name the verdict of a service; other services are named by their own word."""


def verdict(number: str) -> str:
    """``yes`` or ``no``, decided by the number alone, with or without its ``+``."""
    return "yes" if zlib.crc32(_bare(number).encode()) % 100 < YES_PERCENT else "no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an export; ``is_verdict`` marks the one that holds the answer."""

    header: str
    cell: Callable[[str], str]
    is_verdict: bool = False


Columns = tuple[Column, ...]


class Packing(StrEnum):
    """What kind of file an export is."""

    AS_DOCUMENTED = "as documented"
    WITHOUT_FOLDER = "a zip with all.csv at its root"
    PLAIN_CSV = "the csv alone"


def _unchanged(value: _T) -> _T:
    return value


def _nothing_more(_archive: Path, _main_member: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Shape:
    """How an export departs from the true one.

    Attributes:
        rows: which numbers appear, given those that were submitted.
        columns: which columns appear, given the right ones.
        delimiter: between the cells of a csv.
        packing: the kind of file.
        spoil: what is done to the finished archive, given it and the name of its main member.
    """

    rows: Callable[[Iterator[str]], Iterator[str]] = _unchanged
    columns: Callable[[Columns], Columns] = _unchanged
    delimiter: str = ","
    packing: Packing = Packing.AS_DOCUMENTED
    spoil: Callable[[Path, str], None] = _nothing_more


CORRECT_SHAPE = Shape()


class Exports:
    """Makes exports on disk: the true one of each task beforehand, a misshapen one for each request."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._makers = ThreadPoolExecutor(thread_name_prefix="export")
        self._made: dict[str, Future[Path]] = {}
        self._count = itertools.count()
        self._closed = False

    def begin(self, task: Task) -> None:
        """Start to make the true export of a task, in the background."""
        self._made[task.task_id] = self._makers.submit(self._make, task, CORRECT_SHAPE)

    def is_made(self, task: Task) -> bool:
        """Whether the true export of a task is there, or is so within a moment."""
        return bool(wait([self._made[task.task_id]], SECONDS_TO_WAIT).done)

    def file_for(self, task: Task, shape: Shape) -> Path:
        """The export of a task. Whoever asks while it is being made waits for it."""
        return self._made[task.task_id].result() if shape is CORRECT_SHAPE else self._make(task, shape)

    def close(self) -> None:
        """Give up the exports that are not made yet."""
        self._closed = True
        self._makers.shutdown(cancel_futures=True)

    def _make(self, task: Task, shape: Shape) -> Path:
        target = self._folder / f"export-{next(self._count)}"
        write_export(task, replace(shape, rows=lambda rows: self._until_closed(shape.rows(rows))), target)
        return target

    def _until_closed(self, rows: Iterator[str]) -> Iterator[str]:
        """The rows, as long as anybody wants them; the file is ended in good order."""
        for count, row in enumerate(rows, start=1):
            if count % _ROWS_BETWEEN_LOOKS == 0 and self._closed:
                return
            yield row


def suffix_of(task: Task) -> str:
    """How the link to a task's export ends."""
    return ".xlsx" if _is_spreadsheet(task) else ".zip"


def write_export(task: Task, shape: Shape, target: Path) -> None:
    """Write a task's export in a shape to a new file."""
    if shape.packing is Packing.PLAIN_CSV:
        with target.open("wb") as raw:
            _write_csv(task, shape, _rows(task, shape), raw)
        return
    if _is_spreadsheet(task) and shape.packing is Packing.AS_DOCUMENTED:
        with target.open("wb") as raw:
            _write_spreadsheet(task, shape, raw)
        shape.spoil(target, "xl/worksheets/sheet1.xml")
        return
    folder = "" if shape.packing is Packing.WITHOUT_FOLDER else f"{task.task_id}/"
    _write_archive(task, shape, target, folder)
    shape.spoil(target, f"{folder}all.csv")


def columns_of(checker: Checker) -> Columns:
    """The columns of a checker's export, by its page or by what newer exports say."""
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
    """Newer exports begin with a byte order mark."""
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
    """A column that says something only of numbers that have an account."""

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
        rows = _sorted_out(_rows(task, shape), activated, unregistered)
        with archive.open(f"{folder}all.csv", "w", force_zip64=True) as member:
            _write_csv(task, shape, rows, member)
        _store(archive, f"{folder}activated.txt", activated)
        _store(archive, f"{folder}unregistered.txt", unregistered)
        if task.rows <= BIG_TASK_ROWS:
            with TemporaryFile("w+b") as sheet:
                _write_spreadsheet(task, shape, sheet)
                _store(archive, f"{folder}result.xlsx", sheet)


def _sorted_out(rows: Iterator[str], activated: IO[bytes], unregistered: IO[bytes]) -> Iterator[str]:
    """Hand the rows through, noting each in the list it belongs to: big files are read once."""
    for row in rows:
        noted = activated if verdict(row) == "yes" else unregistered
        noted.write(_bare(row).encode() + b"\n")
        yield row


def _store(archive: zipfile.ZipFile, name: str, content: IO[bytes]) -> None:
    content.seek(0)
    with archive.open(name, "w", force_zip64=True) as member:
        shutil.copyfileobj(content, member, _BLOCK)


def _write_csv(task: Task, shape: Shape, rows: Iterator[str], raw: IO[bytes]) -> None:
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
