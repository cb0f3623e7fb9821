"""Clean an upload before it costs money: keep each valid entry once, and list the rejected rows."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, TextIO

from numberdrop.files.formats.entries_file import REJECTED, split_lines
from numberdrop.files.formats.escaping import escaped
from numberdrop.files.uploads.countries import shown
from numberdrop.files.uploads.deduplication import write_distinct
from numberdrop.files.uploads.entries import EntryRule
from numberdrop.files.uploads.errors import EntryRejectedError, line_too_long, sheets_with_numbers
from numberdrop.files.uploads.rows import UploadRows
from numberdrop.files.uploads.text import MAX_LINE_LENGTH
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

REJECTED_COLUMNS = ("line", "text", "reason")
"""The header of ``rejected.csv``."""

MAX_LINES = 20_000_000
"""Twice as many as the vendor accepts at once, because some lines repeat others. The results of a longer file
could not be collected in time."""

_MAX_REJECTED_TEXT_LENGTH = 100
_MAX_KNOWN = 1000
_REJECTED_LINE = f"{REJECTED}\n"


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """How many rows of an upload were sent, rejected or repeated.

    Attributes:
        lines: rows that are not blank. Rows of a table count only if they have text in the entries' column.
            This is the sum of the next three.
        submitted: distinct entries, which are sent to the vendor.
        rejected: rows without an entry that the checker accepts.
        duplicates: rows that repeat an entry.
        further: entries that follow another in the same cell. They are neither sent nor counted otherwise.
    """

    lines: int
    submitted: int
    rejected: int
    duplicates: int
    further: int = 0


def clean_upload(
    rows: UploadRows,
    *,
    entries: BinaryIO,
    numbers: BinaryIO | None = None,
    rejected: TextIO | None = None,
    after_block: Callable[[], None] | None = None,
) -> UploadCounts:
    r"""Read the entry of each row of an upload, and write the files that submission and results need.

    >>> from io import BytesIO
    >>> from numberdrop.files.uploads.rows import open_upload
    >>> from numberdrop.jobs.checkers import InputKind
    >>> upload, numbers = BytesIO(b"+41790000001\n0041 79 000 00 01\nhello\n"), BytesIO()
    >>> with open_upload(upload, InputKind.PHONE) as rows:
    ...     clean_upload(rows, entries=BytesIO(), numbers=numbers)
    UploadCounts(lines=3, submitted=1, rejected=1, duplicates=1, further=0)
    >>> numbers.getvalue()
    b'+41790000001\n'

    Args:
        rows: the upload.
        entries: takes the entries file: one line per row. Pass an empty file, open for writing and reading.
        numbers: takes the file to send: each distinct entry as a line, in the order of first appearance.
        rejected: takes ``rejected.csv``, with line numbers that start at 1. Nothing is written if no row is
            rejected.
        after_block: called after each block of rows. An exception from it stops the cleaning.

    Raises:
        JobFailedError: ``EMPTY_FILE``, ``NOT_TEXT``, ``TOO_LARGE`` or ``NO_VALID_NUMBERS``. The written files
            are then incomplete.
    """
    listing = csv.writer(rejected, lineterminator="\n") if rejected else None
    row_number = rows.first_row_number
    blank_count = rejected_count = further_count = 0
    statistics = _RejectionStatistics()
    known: dict[str, str] = {}
    for text in rows.entry_texts():
        block = _clean_block(text, rows.rule, known)
        entries.write(block.entries.encode())
        if block.reasons:
            statistics.add(block.reasons, block.entries, row_number)
        if listing and block.reasons:
            rejected_rows = _rejected_rows(text, block.entries, block.reasons, row_number)
            listing.writerows(rejected_rows if rejected_count else [REJECTED_COLUMNS, *rejected_rows])
        row_number += text.count("\n")
        if row_number - rows.first_row_number > MAX_LINES:
            raise _too_many_lines()
        blank_count += block.blanks
        rejected_count += len(block.reasons)
        further_count += block.further
        if after_block:
            after_block()
    line_count = row_number - rows.first_row_number - blank_count
    if not line_count:
        raise _empty(rows)
    if line_count == rejected_count:
        raise _no_valid_numbers(rows, statistics.most_common())
    submitted = write_distinct(entries, numbers, rows.rule.key)
    duplicates = line_count - rejected_count - submitted
    return UploadCounts(line_count, submitted, rejected_count, duplicates, further_count)


@dataclass(slots=True)
class _Block:
    """What became of some lines of an upload.

    Attributes:
        entries: the lines of the entries file.
        reasons: why lines were rejected, one reason for each.
        blanks: how many lines are blank.
        further: how many entries follow another in the same line.
    """

    entries: str = ""
    reasons: list[str] = field(default_factory=list)
    blanks: int = 0
    further: int = 0


def _clean_block(text: str, rule: EntryRule, known: dict[str, str]) -> _Block:
    """Read some lines.

    Args:
        text: the lines.
        rule: how entries are read.
        known: texts that were rejected before, and why. Words like "n/a" repeat, and rejecting is slow.
    """
    block = _Block()
    pieces: list[str] = []
    clean_lines = rule.clean_lines
    start = 0
    while start < len(text):
        clean = clean_lines.match(text, start)
        end = clean.end() if clean else start
        pieces.append(text[start:end])
        start = end
        if start < len(text):
            start = text.index("\n", end) + 1
            line = text[end : start - 1].strip()
            if line in known:
                block.reasons.append(known[line])
                pieces.append(_REJECTED_LINE)
            else:
                pieces += (_entry(line, rule, block, known), "\n")
    block.entries = "".join(pieces)
    return block


def _entry(text: str, rule: EntryRule, block: _Block, known: dict[str, str]) -> str:
    """Return the line of the entries file for a stripped line, and count what is not read in ``block``."""
    if not text:
        block.blanks += 1
        return ""
    if len(text) > MAX_LINE_LENGTH:
        raise line_too_long()
    try:
        entry = rule.read(text)
    except EntryRejectedError as error:
        block.reasons.append(error.reason)
        if len(known) < _MAX_KNOWN:
            known[text] = error.reason
        return REJECTED
    if rule.further:
        block.further += rule.further(text)
    return entry


def _rejected_rows(
    text: str, cleaned: str, reasons: list[str], first_number: int
) -> list[tuple[int, str, str]]:
    """Return the number, text and reason of each rejected row."""
    lines = enumerate(zip(split_lines(text), split_lines(cleaned), strict=True), first_number)
    rejected = [(number, line) for number, (line, entry) in lines if entry == REJECTED]
    return [
        (number, escaped(shown(line.strip())[:_MAX_REJECTED_TEXT_LENGTH]), reason)
        for (number, line), reason in zip(rejected, reasons, strict=True)
    ]


class _RejectionStatistics:
    """How often each reason rejected a row, and where first."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first_numbers: dict[str, int] = {}

    def add(self, reasons: list[str], cleaned: str, first_number: int) -> None:
        """Count the reasons for some lines of the entries file, the first of which has the given number."""
        self._counts.update(reasons)
        if self._first_numbers.keys() < self._counts.keys():
            numbers = [
                number for number, entry in enumerate(split_lines(cleaned), first_number) if entry == REJECTED
            ]
            new = dict(zip(reversed(reasons), reversed(numbers), strict=True))
            self._first_numbers = new | self._first_numbers

    def most_common(self) -> str:
        """Return a sentence with the most common reason, its count and its first line."""
        ((reason, count),) = self._counts.most_common(1)
        total, first = self._counts.total(), self._first_numbers[reason]
        return f"The reason in {count:,} of {total:,} lines, first in line {first:,}: {reason}."


def _empty(rows: UploadRows) -> JobFailedError:
    advice = "Upload a file with one entry per line."
    if rows.sheet is not None:
        advice = (
            "If it has formulas, their values are missing: open the workbook in a spreadsheet program, save "
            "it, and upload it again."
        )
    return JobFailedError(
        ReasonCode.EMPTY_FILE, f"There is nothing in {rows.source}, or only blank lines. {advice}"
    )


def _too_many_lines() -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"The file has more than {MAX_LINES:,} lines, including blank and repeated ones. Split it and upload "
        "the parts.",
    )


def _no_valid_numbers(rows: UploadRows, most_common_reason: str) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"No line of {rows.source} can be sent: each must be {rows.rule.description}. {most_common_reason} "
        f"Correct the lines and upload the file again.{sheets_with_numbers(rows.file.other_sheets)}",
    )
