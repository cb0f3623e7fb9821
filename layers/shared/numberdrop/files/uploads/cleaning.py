"""Clean an upload before it costs money: keep each valid entry once, and list the rejected rows."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from typing import BinaryIO, TextIO

from numberdrop.files.formats.entries_file import (
    REJECTED,
    line_blocks,
    present_entries,
    split_lines,
    write_lines,
)
from numberdrop.files.formats.escaping import escaped
from numberdrop.files.formats.partitioning import InOrder, Partition, first_appearances
from numberdrop.files.uploads.entries import EntryRule
from numberdrop.files.uploads.errors import EntryRejectedError, line_too_long
from numberdrop.files.uploads.rows import UploadRows
from numberdrop.files.uploads.text import MAX_LINE_LENGTH
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

REJECTED_COLUMNS = ("line", "text", "reason")
"""The header of ``rejected.csv``."""

MAX_LINES = 20_000_000
"""Twice as many as the vendor accepts at once, because some lines repeat others. The results of a longer file
could not be collected in time."""

_MAX_REJECTED_TEXT_LENGTH = 100


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """How many rows of an upload were sent, rejected or repeated.

    Attributes:
        lines: rows that are not blank. Rows of a table count only if they have text in the entries' column.
            This is the sum of the other three.
        submitted: distinct entries, which are sent to the vendor.
        rejected: rows without an entry that the checker accepts.
        duplicates: rows that repeat an entry.
    """

    lines: int
    submitted: int
    rejected: int
    duplicates: int


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
    UploadCounts(lines=3, submitted=1, rejected=1, duplicates=1)
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
    line_count = rejected_count = 0
    statistics = _RejectionStatistics()
    with Partition() as partition:
        for text in rows.entry_texts():
            reasons: list[str] = []
            cleaned = _cleaned(text, rows.rule, reasons)
            entries.write(cleaned.encode())
            present = present_entries(split_lines(cleaned))
            partition.add(_keys(present, rows.rule))
            if reasons:
                statistics.add(reasons, cleaned, row_number)
            if listing and reasons:
                rejected_rows = _rejected_rows(text, cleaned, reasons, row_number)
                listing.writerows(rejected_rows if rejected_count else [REJECTED_COLUMNS, *rejected_rows])
            row_number += text.count("\n")
            if row_number - rows.first_row_number > MAX_LINES:
                raise _too_many_lines()
            line_count += len(present) + len(reasons)
            rejected_count += len(reasons)
            if after_block:
                after_block()
        if not line_count:
            raise _empty(rows)
        if line_count == rejected_count:
            raise _no_valid_numbers(rows, statistics.most_common())
        firsts = {part: first_appearances(keys) for part, keys in partition.parts().items()}
    submitted = sum(part.count(True) for part in firsts.values())
    duplicates = line_count - rejected_count - submitted
    if numbers:
        _write_distinct(entries, rows.rule, numbers, InOrder(firsts) if duplicates else None)
    return UploadCounts(line_count, submitted, rejected_count, duplicates)


def _cleaned(text: str, rule: EntryRule, reasons: list[str]) -> str:
    """Return the lines of the entries file for lines of an upload, and add each rejection to ``reasons``."""
    clean_lines = rule.clean_lines
    pieces: list[str] = []
    start = 0
    while start < len(text):
        clean = clean_lines.match(text, start)
        end = clean.end() if clean else start
        pieces.append(text[start:end])
        if end < len(text):
            start = text.index("\n", end) + 1
            pieces.append(f"{_entry(text[end:start].strip(), rule, reasons)}\n")
        else:
            start = end
    return "".join(pieces)


def _entry(text: str, rule: EntryRule, reasons: list[str]) -> str:
    if not text:
        return ""
    if len(text) > MAX_LINE_LENGTH:
        raise line_too_long()
    try:
        return rule.read(text)
    except EntryRejectedError as error:
        reasons.append(error.reason)
        return REJECTED


def _rejected_rows(
    text: str, cleaned: str, reasons: list[str], first_number: int
) -> list[tuple[int, str, str]]:
    """Return the number, text and reason of each rejected row."""
    lines = enumerate(zip(split_lines(text), split_lines(cleaned), strict=True), first_number)
    rejected = [(number, line) for number, (line, entry) in lines if entry == REJECTED]
    return [
        (number, escaped(line.strip()[:_MAX_REJECTED_TEXT_LENGTH]), reason)
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


def _keys(entries: list[str], rule: EntryRule) -> list[str]:
    return [rule.key(entry) for entry in entries] if rule.key else entries


def _write_distinct(
    entries: BinaryIO, rule: EntryRule, numbers: BinaryIO, firsts: InOrder[int] | None
) -> None:
    """Write the first appearance of each entry, or all entries if ``firsts`` is None."""
    for block in line_blocks(entries):
        present = present_entries(block)
        write_lines(numbers, compress(present, firsts.answers(_keys(present, rule))) if firsts else present)


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
        "Correct the lines and upload the file again.",
    )
