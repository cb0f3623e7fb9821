"""Cleaning an upload before money is spent on it: each distinct entry once, and nothing that is none."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from operator import eq
from typing import BinaryIO, TextIO

from numberdrop.files.entries import EntryRule
from numberdrop.files.lines import line_blocks, write_lines
from numberdrop.files.partitions import InOrder, Partition
from numberdrop.files.spreadsheet import harmless
from numberdrop.files.text_encoding import LONGEST_LINE, line_too_long
from numberdrop.files.unusable import UnusableError
from numberdrop.files.upload_rows import UploadRows
from numberdrop.reasons import JobFailedError, ReasonCode

REJECTED = "\0"
"""Stands in the entries file for a row that was left out; no entry holds it."""

REJECTED_COLUMNS = ("line", "text", "reason")
"""The header of the list of rejected rows."""

_LONGEST_REJECTED_TEXT = 100


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """What became of an upload's rows; ``lines`` is the sum of the others.

    Attributes:
        lines: rows that are not blank, and in a table have something in the column of the entries.
        sent: distinct entries, to be sent to the vendor.
        rejected: rows that hold no entry the checker takes.
        duplicates: rows that repeat an entry.
    """

    lines: int
    sent: int
    rejected: int
    duplicates: int


def clean_upload(
    rows: UploadRows, *, entries: BinaryIO, numbers: BinaryIO | None = None, rejected: TextIO | None = None
) -> UploadCounts:
    """Reads the entry of each row of an upload.

    Args:
        rows: the upload.
        entries: takes a line for each row: the entry, nothing where there is none, ``REJECTED`` where what is
            there is none. A working file that is empty and open for both writing and reading.
        numbers: takes each distinct entry once, as a line, in the order of first appearance.
        rejected: takes CSV rows ``line,text,reason``, lines counted from 1; nothing if none is rejected.

    Raises:
        JobFailedError: ``EMPTY_FILE``, ``NOT_TEXT`` or ``NO_VALID_NUMBERS``; what was written by then is of
            no use.
    """
    listing = csv.writer(rejected, lineterminator="\n") if rejected else None
    place = rows.first_row
    lines = left_out = 0
    with Partition() as spread:
        for text in rows.entry_texts():
            reasons: list[str] = []
            cleaned = _cleaned(text, rows.rule, reasons)
            entries.write(cleaned.encode())
            present = entries_among(cleaned.split("\n"))
            spread.add(_keys(present, rows.rule))
            if listing and reasons:
                unusable = _unusable(text, cleaned, reasons, place)
                listing.writerows(unusable if left_out else [REJECTED_COLUMNS, *unusable])
            place += text.count("\n")
            lines += len(present) + len(reasons)
            left_out += len(reasons)
        if not lines:
            raise _empty()
        if lines == left_out:
            raise _no_valid_numbers(rows.rule)
        firsts = list(map(first_appearances, spread.parts()))
    sent = sum(part.count(True) for part in firsts)
    duplicates = lines - left_out - sent
    if numbers:
        _write_distinct(entries, rows.rule, numbers, InOrder(firsts) if duplicates else None)
    return UploadCounts(lines, sent, left_out, duplicates)


def _cleaned(text: str, rule: EntryRule, reasons: list[str]) -> str:
    """The lines of the entries file for lines of an upload; why any were left out is added to ``reasons``."""
    if rule.clean_lines.fullmatch(text):
        return text
    is_clean = rule.clean.fullmatch
    lines = text.split("\n")[:-1]
    return "\n".join(
        [*(line if is_clean(line) else _entry(line.strip(), rule, reasons) for line in lines), ""]
    )


def _entry(text: str, rule: EntryRule, reasons: list[str]) -> str:
    if not text:
        return ""
    if len(text) > LONGEST_LINE:
        raise line_too_long()
    try:
        return rule.read(text)
    except UnusableError as unusable:
        reasons.append(unusable.reason)
        return REJECTED


def _unusable(text: str, cleaned: str, reasons: list[str], place: int) -> list[tuple[int, str, str]]:
    """The lines that were left out: place, text and reason."""
    lines = enumerate(zip(text.split("\n"), cleaned.split("\n"), strict=True), place)
    left_out = [(place, line) for place, (line, entry) in lines if entry == REJECTED]
    return [
        (place, harmless(line.strip()[:_LONGEST_REJECTED_TEXT]), reason)
        for (place, line), reason in zip(left_out, reasons, strict=True)
    ]


def entries_among(lines: list[str]) -> list[str]:
    """The entries among lines of the entries file."""
    return lines if min(lines, default="") > REJECTED else [line for line in lines if line > REJECTED]


def _keys(entries: list[str], rule: EntryRule) -> list[str]:
    return [rule.key(entry) for entry in entries] if rule.key else entries


def first_appearances(blocks: Iterable[list[str]]) -> bytearray:
    """For each key, whether it is the first of its like. The keys come in blocks."""
    places: dict[str, int] = {}
    firsts = bytearray()
    for keys in blocks:
        here = range(len(firsts), len(firsts) + len(keys))
        firsts += bytearray(map(eq, map(places.setdefault, keys, here), here))
    return firsts


def _write_distinct(
    entries: BinaryIO, rule: EntryRule, numbers: BinaryIO, firsts: InOrder[int] | None
) -> None:
    """Writes the entries that are the first of their like; all of them where ``firsts`` is left out."""
    for block in line_blocks(entries):
        present = entries_among(block)
        write_lines(numbers, compress(present, firsts.answers(_keys(present, rule))) if firsts else present)


def _empty() -> JobFailedError:
    return JobFailedError(
        ReasonCode.EMPTY_FILE,
        "The file is empty or has only blank lines. Upload one with an entry on each line.",
    )


def _no_valid_numbers(rule: EntryRule) -> JobFailedError:
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        f"No line of the file can be sent: each must be {rule.wanted}. Correct it and upload it again.",
    )
