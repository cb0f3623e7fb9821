"""Workbooks that are uploaded: the first sheet with anything in it becomes a CSV working file."""

from contextlib import closing
from dataclasses import replace
from io import TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO

from numberdrop.files.formats.archive import ArchiveLimits, open_archive
from numberdrop.files.formats.delimited import csv_writer
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.formats.workbook import first_filled_sheet, open_workbook, sheet_rows
from numberdrop.files.uploads.encoding import not_text
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_TABLE_CHARACTERS = 400_000_000
"""Characters. A workbook's cells share their texts, so its table can be far larger than the file."""

_LIMITS = replace(ArchiveLimits(), unzipped=ArchiveLimits().workbook)


def copy_as_csv(workbook: BinaryIO, table: BinaryIO, *, largest: int = MAX_TABLE_CHARACTERS) -> str:
    """Writes a sheet as CSV in UTF-8, delimited by commas, row for row: empty ones are among them.

    Args:
        workbook: an ``.xlsx`` file, which is not trusted.
        table: takes the CSV; nothing, if no sheet has anything in it.
        largest: the most characters to write.

    Returns:
        The sheet's name; empty if no sheet has anything in it.

    Raises:
        JobFailedError: ``NOT_TEXT``: it is no workbook, or a broken or hostile one; ``TOO_LARGE``.
    """
    try:
        open_archive(workbook, _LIMITS).close()
        with closing(open_workbook(workbook)) as opened:
            sheet_at = first_filled_sheet(opened)
            if sheet_at is None:
                return ""
            _copy(opened, sheet_at, table, largest)
            return opened.worksheets[sheet_at].title
    except InvalidFileError as error:
        raise not_text(str(error)) from None


def _copy(workbook: "Workbook", sheet_at: int, table: BinaryIO, largest: int) -> None:
    # A cell can hold half of a surrogate pair, which UTF-8 cannot.
    out = TextIOWrapper(table, encoding="utf-8", errors="replace", newline="")
    rows = csv_writer(out)
    written = 0
    for row in sheet_rows(workbook, sheet_at):
        written += len(row) + sum(map(len, row))
        if written > largest:
            raise _too_large(largest)
        rows.writerow(row)
    out.detach()


def _too_large(largest: int) -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"The workbook holds more than {largest // 1_000_000:,} MB of text. Split it and upload the parts.",
    )
