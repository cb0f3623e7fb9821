"""Cleaning an upload before money is spent on it: each distinct entry once, and nothing that is none."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from typing import BinaryIO, TextIO

from numberdrop.files.formats.entries_file import (
    REJECTED,
    join_lines,
    line_blocks,
    present_entries,
    split_lines,
    write_lines,
)
from numberdrop.files.formats.escaping import escaped
from numberdrop.files.formats.partitioning import InOrder, Partition, first_appearances
from numberdrop.files.uploads.encoding import MAX_LINE_LENGTH, line_too_long
from numberdrop.files.uploads.entries import EntryRule
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.rows import UploadRows
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

REJECTED_COLUMNS = ("line", "text", "reason")
"""The header of the list of rejected rows."""

MAX_LINES = 20_000_000
"""Twice what the vendor takes at once, as some repeat others. More could not be collected in time."""

_LONGEST_REJECTED_TEXT = 100


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """What became of an upload's rows; ``lines`` is the sum of the others.

    Attributes:
        lines: rows that are not blank, and in a table have something in the column of the entries.
        submitted: distinct entries, which are what is sent to the vendor.
        rejected: rows that hold no entry the checker takes.
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
    """Reads the entry of each row of an upload.

    Args:
        rows: the upload.
        entries: takes a line for each row: the entry, nothing where there is none, ``REJECTED`` where what is
            there is none. A working file that is empty and open for both writing and reading.
        numbers: takes each distinct entry once, as a line, in the order of first appearance.
        rejected: takes CSV rows ``line,text,reason``, lines counted from 1; nothing if none is rejected.
        after_block: is called after each block of rows; what it raises ends the cleaning.

    Raises:
        JobFailedError: ``EMPTY_FILE``, ``NOT_TEXT``, ``TOO_LARGE`` or ``NO_VALID_NUMBERS``; what was written
            by then is of no use.
    """
    listing = csv.writer(rejected, lineterminator="\n") if rejected else None
    place = rows.first_row
    lines = left_out = 0
    why = _Reasons()
    with Partition() as spread:
        for text in rows.entry_texts():
            reasons: list[str] = []
            cleaned = _cleaned(text, rows.rule, reasons)
            entries.write(cleaned.encode())
            present = present_entries(split_lines(cleaned))
            spread.add(_keys(present, rows.rule))
            if reasons:
                why.add(reasons, cleaned, place)
            if listing and reasons:
                unusable = _unusable(text, cleaned, reasons, place)
                listing.writerows(unusable if left_out else [REJECTED_COLUMNS, *unusable])
            place += text.count("\n")
            if place - rows.first_row > MAX_LINES:
                raise _too_many_lines()
            lines += len(present) + len(reasons)
            left_out += len(reasons)
            if after_block:
                after_block()
        if not lines:
            raise _empty(rows)
        if lines == left_out:
            raise _no_valid_numbers(rows, why.commonest())
        firsts = {part: first_appearances(keys) for part, keys in spread.parts().items()}
    submitted = sum(part.count(True) for part in firsts.values())
    duplicates = lines - left_out - submitted
    if numbers:
        _write_distinct(entries, rows.rule, numbers, InOrder(firsts) if duplicates else None)
    return UploadCounts(lines, submitted, left_out, duplicates)


def _cleaned(text: str, rule: EntryRule, reasons: list[str]) -> str:
    """The lines of the entries file for lines of an upload; why any were left out is added to ``reasons``."""
    if rule.clean_lines.fullmatch(text):
        return text
    is_clean = rule.clean.fullmatch
    lines = split_lines(text)
    return join_lines(line if is_clean(line) else _entry(line.strip(), rule, reasons) for line in lines)


def _entry(text: str, rule: EntryRule, reasons: list[str]) -> str:
    if not text:
        return ""
    if len(text) > MAX_LINE_LENGTH:
        raise line_too_long()
    try:
        return rule.read(text)
    except EntryRejectedError as unusable:
        reasons.append(unusable.reason)
        return REJECTED


def _unusable(text: str, cleaned: str, reasons: list[str], place: int) -> list[tuple[int, str, str]]:
    """The lines that were left out: place, text and reason."""
    lines = enumerate(zip(split_lines(text), split_lines(cleaned), strict=True), place)
    left_out = [(place, line) for place, (line, entry) in lines if entry == REJECTED]
    return [
        (place, escaped(line.strip()[:_LONGEST_REJECTED_TEXT]), reason)
        for (place, line), reason in zip(left_out, reasons, strict=True)
    ]


class _Reasons:
    """Why lines were left out."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._firsts: dict[str, int] = {}

    def add(self, reasons: list[str], cleaned: str, place: int) -> None:
        """Counts the reasons for lines of the entries file, the first of which is at the place."""
        self._counts.update(reasons)
        if self._firsts.keys() < self._counts.keys():
            places = [at for at, entry in enumerate(split_lines(cleaned), place) if entry == REJECTED]
            self._firsts = dict(zip(reversed(reasons), reversed(places), strict=True)) | self._firsts

    def commonest(self) -> str:
        """The reason for most lines in words, with their number and the first of them."""
        ((reason, count),) = self._counts.most_common(1)
        total, first = self._counts.total(), self._firsts[reason]
        return f"The reason in {count:,} of {total:,} lines, first in line {first:,}: {reason}."


def _keys(entries: list[str], rule: EntryRule) -> list[str]:
    return [rule.key(entry) for entry in entries] if rule.key else entries


def _write_distinct(
    entries: BinaryIO, rule: EntryRule, numbers: BinaryIO, firsts: InOrder[int] | None
) -> None:
    """Writes the entries that are the first of their like; all of them where ``firsts`` is left out."""
    for block in line_blocks(entries):
        present = present_entries(block)
        write_lines(numbers, compress(present, firsts.answers(_keys(present, rule))) if firsts else present)


def _empty(rows: UploadRows) -> JobFailedError:
    advice = "Upload one with an entry on each line."
    if rows.sheet is not None:
        advice = (
            "Formulas count only with the values that a spreadsheet program stores beside them: open the "
            "workbook in one, save it there, and upload it again."
        )
    return JobFailedError(
        ReasonCode.EMPTY_FILE, f"There is nothing in {rows.source}, or only blank lines. {advice}"
    )


def _too_many_lines() -> JobFailedError:
    return JobFailedError(
        ReasonCode.TOO_LARGE,
        f"The file has more than {MAX_LINES:,} lines, blank and repeated ones among them. Split it and "
        "upload the parts.",
    )


def _no_valid_numbers(rows: UploadRows, why: str) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"No line of {rows.source} can be sent: each must be {rows.rule.wanted}. {why} Correct it and upload "
        "the file again.",
    )
