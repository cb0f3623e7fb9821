"""Open an export, the file that the vendor returns, without trusting its content."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from numberdrop.files.exports.columns import column_names, distinct_names, number_column
from numberdrop.files.exports.format import ExportFormat
from numberdrop.files.exports.members import archived_table, workbook_table
from numberdrop.files.exports.table import RowBlock, Table, csv_table
from numberdrop.files.exports.verdicts import verdict_column
from numberdrop.files.formats.archive import EMPTY_ZIP_START, ZIP_START, ArchiveLimits, open_archive
from numberdrop.files.formats.workbook import CONTENT_TYPES
from numberdrop.jobs.checkers import InputKind

_STANDARD_LIMITS = ArchiveLimits()


class Export:
    """An open export, returned by ``read_export``. Close it, or use it as a context manager.

    Attributes:
        format: the file format.
        columns: names of the columns other than the number, in the export's order: lower case, words joined
            by ``_``, all different.
        verdict_column: the one of ``columns`` that carries the verdict, or None.
    """

    def __init__(
        self,
        export_format: ExportFormat,
        table: Table,
        names: Sequence[str],
        number_index: int,
        files: ExitStack,
    ) -> None:
        self.format = export_format
        self._table = table
        self._files = files
        self._number_index = number_index
        others = [*names[:number_index], *names[number_index + 1 :]]
        # Some exports have the number column twice.
        self._kept = [index for index, name in enumerate(others) if name != names[number_index]]
        self._width = len(others)
        self.columns = distinct_names([others[index] for index in self._kept])
        self.verdict_column = verdict_column(self.columns)

    def row_blocks(self) -> Iterator[RowBlock]:
        """Read the rows in blocks, from the start at each call.

        Returns:
            For each block, the numbers as the export has them, and the rest of each row as a text for
            ``cells``.

        Raises:
            InvalidFileError: a later part of the file is broken or hostile.
        """
        return self._table.row_blocks(self._number_index)

    def cells(self, rest: str) -> list[str]:
        """Return the cell for each of ``columns``, as the export has it; empty where the row ends before.

        Args:
            rest: the rest of the row, from ``row_blocks``.
        """
        cells = self._table.cells(rest)
        cells += [""] * (self._width - len(cells))
        return [cells[index] for index in self._kept]

    def close(self) -> None:
        """Close the file. Its rows can no longer be read."""
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
    r"""Open an export: a CSV file, an ``.xlsx`` workbook, or a zip archive of either or of lists.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("Number,band\n41790000001,yes\n")
    ...     with read_export(Path(file.name), InputKind.PHONE) as export:
    ...         print(export.format, export.columns, next(export.row_blocks()))
    csv ('band',) (['41790000001'], ['yes'])

    Args:
        path: the file. Its name does not matter.
        kind: the kind of entries that were submitted.
        limits: the most that the file may cost to read.

    Raises:
        InvalidFileError: the file has another format, is broken, exceeds a limit or has no number column.
    """
    with ExitStack() as files:
        export_format, table = _open(path, limits, files)
        rows = table.first_rows()
        names = column_names(table.header, rows)
        number_index = number_column(table.header, names, rows, kind)
        return Export(export_format, table, names, number_index, files.pop_all())


def _open(path: Path, limits: ArchiveLimits, files: ExitStack) -> tuple[ExportFormat, Table]:
    file = files.enter_context(path.open("rb"))
    if file.read(len(ZIP_START)) not in {ZIP_START, EMPTY_ZIP_START}:
        return ExportFormat.CSV, csv_table(lambda: path.open("rb"))
    archive = files.enter_context(open_archive(file, limits))
    if CONTENT_TYPES in archive.namelist():
        return ExportFormat.XLSX, workbook_table(file, limits, files)
    return ExportFormat.ZIP, archived_table(archive, limits, files)
