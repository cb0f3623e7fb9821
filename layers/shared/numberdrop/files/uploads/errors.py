"""Errors that reject an entry or fail a job because of its upload.

Their texts are for the person who dropped the file: what is wrong, then what to do.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from numberdrop.files.uploads.reading import Unread
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.masking import masked

HOW_TO_CHOOSE = (
    "Choose it with the object's metadata column (a header, or a letter such as C) or with numberdrop send "
    '--column, or name it "{}" in the first row, and upload the file again.'
)
_MAX_NAMES = 12
_MAX_NAME_LENGTH = 40


class EntryRejectedError(Exception):
    """A row holds no entry that the checker accepts. The reason goes to the list of rejected rows.

    Args:
        reason: what is wrong, a colon, then what to do; without a full stop, as sentences quote it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_SAVE_AS_TEXT = (
    "Save it as plain text with one entry per line, as CSV (UTF-8) or as .xlsx, and upload it again."
)


def not_text(cause: str, advice: str = _SAVE_AS_TEXT) -> JobFailedError:
    """Return the error for a file that is not readable text, a table or a workbook.

    >>> not_text("The file is encoded in UTF-32.").reason.code
    <ReasonCode.NOT_TEXT: 'NOT_TEXT'>

    Args:
        cause: what is wrong, a sentence.
        advice: what to do, a sentence.
    """
    return JobFailedError(ReasonCode.NOT_TEXT, f"{cause} {advice}")


def line_too_long() -> JobFailedError:
    """Return the error for a file with a line longer than any list or table has."""
    return not_text("The file has a line that is far too long for one entry.")


def unknown_region() -> JobFailedError:
    """Return the error for a default region that has no phone numbers."""
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        "The file's default-region is not a country: it must be two letters of ISO 3166, such as DE, GB or "
        "US, or international if the numbers begin with a country code. Correct the object's metadata, or "
        "the stack's DefaultRegion, and upload the file again.",
    )


def no_column(description: str, name: str) -> JobFailedError:
    """Return the error for a table in which no column holds entries.

    Args:
        description: what an entry must be.
        name: a header that would name the column.
    """
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"The file is a table, but no column consists mostly of valid entries: each must be {description}. "
        f"{HOW_TO_CHOOSE.format(name)}",
    )


def choose_a_column(
    candidates: Sequence[str], *, are_weak: bool = False, name: str = "phone"
) -> JobFailedError:
    """Return the error for a table in which several columns may hold the entries, or one with weak evidence.

    >>> print(choose_a_column(["home", "work"]).reason.message)
    The file is a table, and several columns may hold the entries: "home", "work". Choose it with ...
    """
    why = (
        "and nothing but the digits says that these are phone numbers"
        if are_weak
        else "and several columns may hold the entries"
    )
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"The file is a table, {why}: {quoted(candidates)}. {HOW_TO_CHOOSE.format(name)}",
    )


def area_codes_apart(area_column: str, column: str) -> JobFailedError:
    """Return the error for a table whose area codes are in another column than the rest of the numbers.

    >>> print(area_codes_apart("Vorwahl", "Telefon").reason.message)
    The column "Vorwahl" holds area codes, and the column "Telefon" holds numbers without them. Write ...
    """
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"The column {quoted([area_column])} holds area codes, and the column {quoted([column])} holds "
        "numbers without them. Write each whole number in one column and upload the file again. If the codes "
        'are those of countries, write a plus before each, or name the column "country code".',
    )


def second_table(row: int, name: str, column: str) -> JobFailedError:
    """Return the error for a table below which another table begins, with other cells in the column.

    >>> print(second_table(9, "Customer no.", "Phone").reason.message)
    In row 9 begins another table: its column "Customer no." stands below "Phone". Upload each table as ...
    """
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"In row {row:,} begins another table: its column {quoted([name])} stands below {quoted([column])}. "
        "Upload each table as a file of its own.",
    )


def no_such_column(choice: str, names: Sequence[str]) -> JobFailedError:
    """Return the error for a chosen column that the file does not have."""
    has = f"The file has: {quoted(names)}." if names else "The file is a plain list, without columns."
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"The file has no single column {quoted([choice])}. {has} Correct the object's metadata column, or "
        "--column, and upload the file again.",
    )


def no_such_sheet(choice: str, names: Sequence[str]) -> JobFailedError:
    """Return the error for a chosen sheet that the file does not have."""
    has = f"The workbook has: {quoted(names)}." if names else "The file is not a workbook."
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"The file has no sheet {quoted([choice])}. {has} Correct the object's metadata sheet, or --sheet, "
        "and upload the file again.",
    )


@contextmanager
def naming_sheets(read: str, others: Sequence[Unread]) -> Iterator[None]:
    """Add to an error about the column which sheet was read, and which others hold numbers.

    >>> with naming_sheets("Help", [Unread("Contacts", 12)]):
    ...     raise choose_a_column(["home", "work"])
    Traceback (most recent call last):
    numberdrop...JobFailedError: ... The sheet "Help" was read. Numbers are also in: "Contacts" (12). ...

    Raises:
        JobFailedError: the error with the names.
    """
    try:
        yield
    except JobFailedError as error:
        if error.reason.code is not ReasonCode.NO_VALID_NUMBERS or not read:
            raise
        message = f"{error.reason.message} The sheet {quoted([read])} was read.{sheets_with_numbers(others)}"
        raise JobFailedError(error.reason.code, message) from None


def sheets_with_numbers(others: Sequence[Unread]) -> str:
    """Return sentences that name the sheets with numbers that were not read, each after a space.

    >>> print(sheets_with_numbers([Unread("Contacts", 12)]).strip())
    Numbers are also in: "Contacts" (12). Choose a sheet with the object's metadata sheet or with ...
    """
    if not others:
        return ""
    counted = ", ".join(f"{quoted([other.name])} ({other.numbers:,})" for other in others[:_MAX_NAMES])
    return (
        f" Numbers are also in: {counted}. Choose a sheet with the object's metadata sheet or with "
        "numberdrop send --sheet."
    )


def quoted(names: Sequence[str]) -> str:
    """Return names for a message, without anything in them that may be a number or an address."""
    shown = [f'"{masked(name)[:_MAX_NAME_LENGTH]}"' for name in names[:_MAX_NAMES]]
    return ", ".join([*shown, *(["..."] if len(names) > _MAX_NAMES else [])])
