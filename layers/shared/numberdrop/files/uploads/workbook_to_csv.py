"""Copy one sheet of an uploaded workbook to a CSV working file, and count the numbers in the others."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import BinaryIO, NamedTuple
from unicodedata import normalize

from numberdrop.files.formats.delimited import csv_writer
from numberdrop.files.formats.sheet import SheetRow
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.formats.workbook import MAX_SHEETS, Sheet, Workbook, open_workbook
from numberdrop.files.uploads.columns import is_address, is_number_like
from numberdrop.files.uploads.errors import no_such_sheet, not_text
from numberdrop.files.uploads.reading import Unread
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

MAX_TABLE_CHARACTERS = 400_000_000
"""Cells of a workbook share their texts, so the table can be far larger than the file."""


class SheetCopy(NamedTuple):
    """What was read of a workbook, and what was not.

    Attributes:
        sheet: the name of the sheet that was written; empty if no sheet has data.
        hidden_rows: how many of its rows with data are hidden.
        other_sheets: the other sheets with numbers, or with addresses if those are the entries.
    """

    sheet: str
    hidden_rows: int = 0
    other_sheets: tuple[Unread, ...] = ()


def copy_as_csv(
    workbook: BinaryIO,
    table: BinaryIO,
    kind: InputKind = InputKind.PHONE,
    *,
    sheet: str | None = None,
    max_characters: int = MAX_TABLE_CHARACTERS,
) -> SheetCopy:
    r"""Write a sheet as UTF-8 CSV, delimited by commas, with one row for each row of the sheet.

    >>> from io import BytesIO
    >>> from openpyxl import Workbook as NewWorkbook
    >>> file, table, book = BytesIO(), BytesIO(), NewWorkbook()
    >>> book.active.append(["Phone", "Name"])
    >>> book.create_sheet("More").append(["+41790000001"])
    >>> book.save(file)
    >>> copy_as_csv(file, table)
    SheetCopy(sheet='Sheet', hidden_rows=0, other_sheets=(Unread(name='More', numbers=1),))
    >>> table.getvalue()
    b'Phone,Name\r\n'

    Args:
        workbook: an ``.xlsx`` file, which is not trusted.
        table: takes the CSV. It stays empty if no sheet has data.
        kind: what the checker takes.
        sheet: the name of the sheet that the user chose, or None for the first with data.
        max_characters: most characters to write.

    Raises:
        JobFailedError: ``NOT_TEXT``: the file is not a workbook, is broken, or is hostile; ``TOO_LARGE``: the
            sheet has more characters than allowed; ``NO_VALID_NUMBERS``: the chosen sheet does not exist.
    """
    try:
        with open_workbook(workbook) as opened:
            if opened.is_strict:
                raise _strict()
            chosen = next(opened.filled_sheets(), None) if sheet is None else _named(sheet, opened.sheets)
            if chosen is None:
                return SheetCopy("")
            hidden_rows = _copy(opened.rows(chosen), table, max_characters)
            return SheetCopy(chosen.name, hidden_rows, tuple(_others(opened, chosen, kind)))
    except InvalidFileError as error:
        raise not_text(str(error)) from None


def _named(name: str, sheets: Sequence[Sheet]) -> Sheet:
    for key in (str, _folded):
        found = [sheet for sheet in sheets if key(sheet.name.strip()) == key(name.strip())]
        if found:
            return found[0]
    raise no_such_sheet(name, [sheet.name for sheet in sheets])


def _folded(name: str) -> str:
    """Return a name in lower case and in one Unicode form: macOS types another than spreadsheets keep."""
    return normalize("NFC", name.casefold())


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


def _others(workbook: Workbook, read: Sheet, kind: InputKind) -> Iterator[Unread]:
    """Yield the sheets that are not read, each with the count of entries in the column with the most."""
    looks_right = is_address if kind is InputKind.EMAIL else is_number_like
    for sheet in workbook.sheets[:MAX_SHEETS]:
        if sheet is read:
            continue
        counts: Counter[int] = Counter()
        # A broken sheet does not matter if it is not read.
        with suppress(InvalidFileError):
            for row in workbook.rows(sheet):
                counts.update(index for index, cell in enumerate(row.cells) if cell and looks_right(cell))
        if counts:
            yield Unread(sheet.name, max(counts.values()))


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
