"""Reading an export: the file that the vendor hands out, which is not trusted."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from numberdrop.files.exports.columns import column_names, distinct_names, number_column
from numberdrop.files.exports.format import ExportFormat
from numberdrop.files.exports.members import archived_table, workbook_table
from numberdrop.files.exports.table import Split, Table, csv_table
from numberdrop.files.exports.verdicts import verdict_column
from numberdrop.files.formats.archive import EMPTY_ZIP_START, ZIP_START, ArchiveLimits, open_archive
from numberdrop.files.formats.workbook import CONTENT_TYPES
from numberdrop.jobs.checkers import InputKind

_STANDARD_LIMITS = ArchiveLimits()


class Export:
    """An open export, made by ``read_export``. Close it, or use it as a context manager.

    Attributes:
        format: what the file is.
        columns: names of the columns besides the number, in the export's order: lower case, words joined by
            ``_``, no two the same.
        verdict_column: the one of them that carries the verdict, None when there is none.
    """

    def __init__(
        self,
        export_format: ExportFormat,
        table: Table,
        names: Sequence[str],
        number_at: int,
        files: ExitStack,
    ) -> None:
        self.format = export_format
        self._table = table
        self._files = files
        self._number_at = number_at
        others = [*names[: self._number_at], *names[self._number_at + 1 :]]
        # Some exports have the number twice.
        self._columns_at = [at for at, name in enumerate(others) if name != names[self._number_at]]
        self._width = len(others)
        self.columns = distinct_names([others[at] for at in self._columns_at])
        self.verdict_column = verdict_column(self.columns)

    def answers(self) -> Iterator[Split]:
        """The numbers and what the export says of each, read anew at each call, in blocks.

        Numbers are as the export has them. What it says is a text that ``cells`` understands.

        Raises:
            InvalidFileError: the file is broken or hostile further on.
        """
        return self._table.splits(self._number_at)

    def cells(self, answer: str) -> list[str]:
        """What a row has in each of ``columns``, as the export has it; empty where the row ends before."""
        cells = self._table.cells(answer)
        cells += [""] * (self._width - len(cells))
        return [cells[at] for at in self._columns_at]

    def close(self) -> None:
        """Closes the file; answers can no longer be read."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read_export(path: Path, kind: InputKind, *, limits: ArchiveLimits = _STANDARD_LIMITS) -> Export:
    """Opens an export, whatever its name says: a zip with a table or lists in it, an ``.xlsx`` or a CSV.

    Args:
        path: the file.
        kind: what was submitted.
        limits: what it may hold at most.

    Raises:
        InvalidFileError: it is none of these, is broken, passes a limit, or has no column for the number.
    """
    with ExitStack() as files:
        export_format, table = _open(path, limits, files)
        rows = table.first_rows()
        names = column_names(table.header, rows)
        number_at = number_column(table.header, names, rows, kind)
        return Export(export_format, table, names, number_at, files.pop_all())


def _open(path: Path, limits: ArchiveLimits, files: ExitStack) -> tuple[ExportFormat, Table]:
    file = files.enter_context(path.open("rb"))
    if file.read(len(ZIP_START)) not in {ZIP_START, EMPTY_ZIP_START}:
        return ExportFormat.CSV, csv_table(lambda: path.open("rb"))
    archive = files.enter_context(open_archive(file, limits))
    if CONTENT_TYPES in archive.namelist():
        return ExportFormat.XLSX, workbook_table(file, limits, files)
    return ExportFormat.ZIP, archived_table(archive, limits, files)
