"""Copy the first sheet with data of an uploaded workbook to a CSV working file."""

from contextlib import closing
from dataclasses import replace
from io import TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO

from numberdrop.files.formats.archive import ArchiveLimits, open_archive
from numberdrop.files.formats.delimited import csv_writer
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.formats.workbook import first_filled_sheet, open_workbook, sheet_rows
from numberdrop.files.uploads.errors import no_such_sheet, not_text
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MAX_TABLE_CHARACTERS = 400_000_000
"""Cells of a workbook share their texts, so the table can be far larger than the file."""

_LIMITS = replace(ArchiveLimits(), unzipped=ArchiveLimits().workbook)


def copy_as_csv(
    workbook: BinaryIO,
    table: BinaryIO,
    *,
    sheet: str | None = None,
    max_characters: int = MAX_TABLE_CHARACTERS,
) -> str:
    r"""Write a sheet as UTF-8 CSV, delimited by commas, with one row for each row of the sheet.

    >>> from io import BytesIO
    >>> from openpyxl import Workbook
    >>> file, table, book = BytesIO(), BytesIO(), Workbook()
    >>> book.active.append(["Phone", "Name"])
    >>> book.save(file)
    >>> copy_as_csv(file, table)
    'Sheet'
    >>> table.getvalue()
    b'Phone,Name\r\n'

    Args:
        workbook: an ``.xlsx`` file, which is not trusted.
        table: takes the CSV. It stays empty if no sheet has data.
        sheet: the name of the sheet that the user chose, or None for the first with data.
        max_characters: most characters to write.

    Returns:
        The sheet's name, or an empty text if no sheet has data.

    Raises:
        JobFailedError: ``NOT_TEXT``: the file is not a workbook, is broken, or is hostile; ``TOO_LARGE``: the
            sheet has more characters than allowed; ``NO_VALID_NUMBERS``: the chosen sheet does not exist.
    """
    try:
        open_archive(workbook, _LIMITS).close()
        with closing(open_workbook(workbook)) as opened:
            sheet_index = first_filled_sheet(opened) if sheet is None else _index_of(sheet, opened)
            if sheet_index is None:
                return ""
            _copy(opened, sheet_index, table, max_characters)
            return opened.worksheets[sheet_index].title
    except InvalidFileError as error:
        raise not_text(str(error)) from None


def _index_of(sheet: str, workbook: "Workbook") -> int:
    names = [worksheet.title for worksheet in workbook.worksheets]
    for key in (str.strip, str.casefold):
        found = [index for index, name in enumerate(names) if key(name).strip() == key(sheet).strip()]
        if found:
            return found[0]
    raise no_such_sheet(sheet, names)


def _copy(workbook: "Workbook", sheet_index: int, table: BinaryIO, max_characters: int) -> None:
    # A cell can hold half of a surrogate pair, which UTF-8 cannot encode.
    out = TextIOWrapper(table, encoding="utf-8", errors="replace", newline="")
    rows = csv_writer(out)
    written = 0
    for row in sheet_rows(workbook, sheet_index):
        written += len(row) + sum(map(len, row))
        if written > max_characters:
            raise _too_large(max_characters)
        rows.writerow(row)
    out.detach()


def _too_large(max_characters: int) -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"The workbook holds more than {max_characters // 1_000_000:,} MB of text. Split it and upload the "
        "parts.",
    )
