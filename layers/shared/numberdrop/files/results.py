"""Writing results: the export as one row for every number that was submitted, whatever the checker."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from numberdrop.catalogue import InputKind
from numberdrop.files.export import Export
from numberdrop.files.spreadsheet import harmless
from numberdrop.masking import masked

OWN_COLUMNS = ("number", "status")
"""What every ``results.csv`` starts with; the export's columns follow."""

RESOLVED = "resolved"
UNRESOLVED = "unresolved"

OTHER_VERDICT = "other"
NO_VERDICT = "none"

_MOST_VERDICTS = 20
_LONGEST_VERDICT = 64
_MOST_SHARED = 4096
_LONGEST_INT = 20
_PHONE_PUNCTUATION = str.maketrans("", "", "+-()=.'\" \t\u00a0")

_Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResultCounts:
    """How an export answered what was submitted.

    Attributes:
        resolved: submitted numbers that the export answers.
        unresolved: submitted numbers that it lacks.
        extra: distinct numbers of the export that were not submitted.
        doubled: rows of the export that repeat a number.
        verdicts: how often each verdict, in lower case, occurs among the resolved: at most 20 of them, the
            rest as ``other``, an empty one as ``none``. Empty when the export has no verdict column.
    """

    resolved: int
    unresolved: int
    extra: int
    doubled: int
    verdicts: dict[str, int]


def write_results(numbers: BinaryIO, export: Export, kind: InputKind, out: TextIO) -> ResultCounts:
    """Writes ``results.csv``: one row for every submitted number, in the order of submission.

    The header is ``number,status`` and the export's columns, those of the same name as ``export_number`` and
    ``export_status``. An unresolved row has empty cells. Where the export doubles a number, its first row
    counts.

    The export is held in a dict: about 110 bytes for each row of phone numbers, 210 for each of another kind.
    To this come, unless all cells of the row are like those of another, as with yes and no, about 60 bytes,
    and for each cell 50 and its length.

    Args:
        numbers: what was submitted, as ``clean_upload`` wrote it, from where it stands.
        export: what the vendor answered.
        kind: what was submitted.
        out: takes the CSV; open it with ``newline=""``.

    Raises:
        ExportInvalidError: the export breaks off or turns hostile; what was written by then is of no use.
    """
    answers = _Answers(export.rows(), kind)
    verdicts = _Verdicts(export)
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([*OWN_COLUMNS, *_other_columns(export.columns)])
    no_cells = ("",) * len(export.columns)
    unresolved = resolved = 0
    for line in numbers:
        number = line.decode().removesuffix("\n")
        cells = answers.to(number)
        if cells is None:
            unresolved += 1
            rows.writerow([harmless(number), UNRESOLVED, *no_cells])
        else:
            resolved += 1
            verdicts.count(cells)
            rows.writerow([harmless(number), RESOLVED, *map(harmless, cells)])
    return ResultCounts(resolved, unresolved, answers.never_asked_for, answers.doubled, verdicts.counted)


def _other_columns(columns: Iterable[str]) -> list[str]:
    """The export's columns under names that are not our own, and still distinct."""
    names = list(OWN_COLUMNS)
    for column in columns:
        name = column
        while name in names:
            name = f"export_{name}"
        names.append(name)
    return names[len(OWN_COLUMNS) :]


class _Answers:
    """An export's rows, found by the number they are about.

    Phone numbers are the same if their digits are, addresses in any case, user names with or without ``@``.
    What was sent as written must be the same text, or else a number of the same digits.
    """

    def __init__(self, rows: Iterable[tuple[str, _Cells]], kind: InputKind) -> None:
        self._key = _KEYS[kind]
        self._punctuation_may_differ = kind is InputKind.AS_WRITTEN
        self._positions: dict[str | int, int] = {}
        self._positions_by_digits: dict[str, int] = {}
        self._cells: list[_Cells] = []
        self._shared: dict[_Cells, _Cells] = {}
        self.doubled = 0
        for number, cells in rows:
            self._add(number, cells)
        self._asked_for = bytearray(len(self._cells))

    def _add(self, number: str, cells: _Cells) -> None:
        key = self._key(number)
        position = len(self._cells)
        if self._positions.setdefault(key, position) != position:
            self.doubled += 1
            return
        self._cells.append(self._same(cells))
        if self._punctuation_may_differ and (digits := _digits(number)):
            self._positions_by_digits.setdefault(digits, position)

    def _same(self, cells: _Cells) -> _Cells:
        """Cells like these that are in memory already; most exports have few different ones."""
        if len(self._shared) < _MOST_SHARED:
            return self._shared.setdefault(cells, cells)
        return self._shared.get(cells, cells)

    def to(self, number: str) -> _Cells | None:
        """The cells of the row about a submitted number, None when there is none."""
        position = self._positions.get(self._key(number))
        if position is None and self._punctuation_may_differ:
            position = self._positions_by_digits.get(_digits(number))
        if position is None:
            return None
        self._asked_for[position] = True
        return self._cells[position]

    @property
    def never_asked_for(self) -> int:
        """How many rows were about no submitted number."""
        return self._asked_for.count(False)


def _digits(text: str) -> str:
    """The digits of a number however it is punctuated; empty if the text is anything else.

    A spreadsheet may have added ``.0`` on the way.
    """
    digits = text.removeprefix("+")
    if not digits.isdigit():
        digits = text.strip().removesuffix(".0").translate(_PHONE_PUNCTUATION)
    return digits if digits.isascii() and digits.isdigit() else ""


def _phone_key(text: str) -> str | int:
    digits = _digits(text)
    # An int takes half the memory of its digits as text.
    return int(digits) if 0 < len(digits) <= _LONGEST_INT else text


def _email_key(text: str) -> str:
    return text.strip().lower()


def _username_key(text: str) -> str:
    return text.strip().removeprefix("@")


_KEYS: Mapping[InputKind, Callable[[str], str | int]] = {
    InputKind.PHONE: _phone_key,
    InputKind.AS_WRITTEN: str.strip,
    InputKind.EMAIL: _email_key,
    InputKind.USERNAME: _username_key,
}
"""For each kind, that by which what was submitted and what the export says are the same."""


class _Verdicts:
    """Counts the verdicts of resolved rows, in words that may stand in an event."""

    def __init__(self, export: Export) -> None:
        self._at = export.columns.index(export.verdict_column) if export.verdict_column else None
        self.counted: dict[str, int] = {}

    def count(self, cells: _Cells) -> None:
        if self._at is not None:
            word = self._word(cells[self._at])
            self.counted[word] = self.counted.get(word, 0) + 1

    def _word(self, cell: str) -> str:
        word = cell.strip().lower() or NO_VERDICT
        if word in self.counted:
            return word
        has_room = len(self.counted.keys() - {OTHER_VERDICT}) < _MOST_VERDICTS
        return word if has_room and _may_be_told(word) else OTHER_VERDICT


def _may_be_told(word: str) -> bool:
    """Whether a verdict holds nothing that must not leave with an event: numbers, addresses, links."""
    return len(word) <= _LONGEST_VERDICT and masked(word) == word
