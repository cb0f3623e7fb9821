"""Copy the first sheet with data of an uploaded workbook to a CSV working file."""

from collections.abc import Iterable
from io import TextIOWrapper
from typing import BinaryIO, NamedTuple

from numberdrop.files.formats.delimited import csv_writer
from numberdrop.files.formats.sheet import SheetRow
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.formats.workbook import open_workbook
from numberdrop.files.uploads.errors import not_text
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

MAX_TABLE_CHARACTERS = 400_000_000
"""Cells of a workbook share their texts, so the table can be far larger than the file."""


class SheetCopy(NamedTuple):
    """What was written of a workbook.

    Attributes:
        sheet: the name of the sheet; empty if no sheet has data.
        hidden_rows: how many of its rows with data are hidden.
    """

    sheet: str
    hidden_rows: int


def copy_as_csv(
    workbook: BinaryIO, table: BinaryIO, *, max_characters: int = MAX_TABLE_CHARACTERS
) -> SheetCopy:
    r"""Write a sheet as UTF-8 CSV, delimited by commas, with one row for each row of the sheet.

    >>> from io import BytesIO
    >>> from openpyxl import Workbook
    >>> file, table, book = BytesIO(), BytesIO(), Workbook()
    >>> book.active.append(["Phone", "Name"])
    >>> book.save(file)
    >>> copy_as_csv(file, table)
    SheetCopy(sheet='Sheet', hidden_rows=0)
    >>> table.getvalue()
    b'Phone,Name\r\n'

    Args:
        workbook: an ``.xlsx`` file, which is not trusted.
        table: takes the CSV. It stays empty if no sheet has data.
        max_characters: most characters to write.

    Returns:
        The sheet that is written, and how many of its rows with data are hidden.

    Raises:
        JobFailedError: ``NOT_TEXT``: the file is not a workbook, is broken, or is hostile; ``TOO_LARGE``: the
            sheet has more characters than allowed.
    """
    try:
        with open_workbook(workbook) as opened:
            if opened.is_strict:
                raise _strict()
            sheet = next(opened.filled_sheets(), None)
            if sheet is None:
                return SheetCopy("", 0)
            return SheetCopy(sheet.name, _copy(opened.rows(sheet), table, max_characters))
    except InvalidFileError as error:
        raise not_text(str(error)) from None


def _copy(rows: Iterable[SheetRow], table: BinaryIO, max_characters: int) -> int:
    """Write rows, and return how many of those with data are hidden."""
    out = TextIOWrapper(table, encoding="utf-8", newline="")
    writer = csv_writer(out)
    written = hidden = 0
    for row in rows:
        written += len(row.cells) + sum(map(len, row.cells))
        if written > max_characters:
            raise _too_large(max_characters)
        hidden += row.is_hidden and any(row.cells)
        writer.writerow(row.cells)
    out.detach()
    return hidden


def _strict() -> JobFailedError:
    return not_text(
        "The file is a workbook in the format Strict Open XML, which few programs read.",
        'Open it in a spreadsheet program, save it as "Excel workbook (.xlsx)", without "Strict", and '
        "upload it again.",
    )


def _too_large(max_characters: int) -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"The workbook holds more than {max_characters // 1_000_000:,} MB of text. Split it and upload the "
        "parts.",
    )
