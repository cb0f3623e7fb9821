"""Find the number column of an export by counting which column answers the entries that were submitted."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from numberdrop.files.exports.columns import NUMBER_NAMES
from numberdrop.files.exports.matching import Matching, digits_of
from numberdrop.files.exports.table import NumberColumn
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.jobs.checkers import InputKind

_CODE_NAMES = {
    *("country_code", "countrycode", "calling_code", "dial_code", "dialing_code", "area_code", "prefix"),
    *("code", "cc", "country", "国家代码", "国家码", "区号", "国际区号"),
}
"""Names of a column with the country codes of the numbers."""

_CODE = re.compile(r"(?:\+|00)?[1-9][0-9]{0,3}")

_FEWEST_DIGITS = 4
"""Digits of a phone number without its country code."""


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a column answers.

    Attributes:
        column: the column.
        rank: its place among the known names.
        entries: for each row the entry that it answers; None if it answers none, empty if the cell is.
        exact: how many rows equal their entry.
    """

    column: NumberColumn
    rank: int
    entries: Sequence[str | None]
    exact: int

    @property
    def count(self) -> int:
        """The number of distinct entries."""
        return len({*self.entries} - {None, ""})

    def disputes(self, best: "_Answers") -> bool:
        """Return whether this column may be the number column as well as the best one.

        It has more than half as many entries, and the two differ for more than a tenth of the entries: in
        some row each has another one, or only one of them has one. The latter does not count if nearly all
        cells of the best column are entries, and different ones.
        """
        pairs = zip(self.entries, best.entries, strict=True)
        differing = [{*pair} - {None} for pair in pairs if "" not in pair and pair[0] != pair[1]]
        if best.is_complete:
            differing = [pair for pair in differing if len(pair) == 2]
        return 2 * self.count > best.count and 10 * len(set().union(*differing)) > best.count

    @property
    def is_complete(self) -> bool:
        """Whether nearly all of its cells are entries, and different ones."""
        return 10 * self.count >= 9 * sum(entry != "" for entry in self.entries)


def answering_column(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    matching: Matching,
    entries: Iterable[list[str]],
) -> NumberColumn | None:
    """Return the column whose cells are the submitted entries, or None if no column has any of them.

    Reads all entries once, in constant memory, but only if several columns look like numbers.

    >>> names = ["msisdn", "phone", "verdict"]
    >>> rows = [["41790000001", "41790000002", "yes"], ["41790000005", "41790000003", "no"]]
    >>> answering_column(names, rows, Matching(InputKind.PHONE), [["+41790000002", "+41790000003"]])
    NumberColumn(index=1, code_index=None, has_trunk_zero=False)

    Args:
        names: the names of the columns.
        rows: the first rows of the export.
        matching: tells which number means which entry.
        entries: the submitted entries, in blocks.

    Raises:
        InvalidFileError: several columns answer different entries, and none twice as many as the others.
    """
    candidates = list(_candidates(names, rows, matching.kind))
    if len(candidates) < 2:
        return None
    texts = {column: [column.number_in(row).replace("\n", " ") for row in rows] for column in candidates}
    near = _near(texts, matching, entries)
    answers = [
        _answers(column, _rank(names[column.index]), column_texts, matching, near)
        for column, column_texts in texts.items()
    ]
    best = max(answers, key=lambda found: (found.count, -found.rank, found.exact, -found.column.index))
    if not best.count:
        return None
    if any(other.disputes(best) for other in answers):
        raise InvalidFileError(
            "Several columns of the export have numbers that were sent, and none has clearly the most."
        )
    return best.column


def _candidates(
    names: Sequence[str], rows: Sequence[Sequence[str]], kind: InputKind
) -> Iterator[NumberColumn]:
    """Return the columns in which at least one cell may be an entry."""
    cells = [[row[index] for row in rows if index < len(row) and row[index]] for index in range(len(names))]
    for index, of_column in enumerate(cells):
        if any(_may_be_entry(cell, kind) for cell in of_column):
            yield NumberColumn(index)
    if kind is not InputKind.PHONE:
        return
    for code_index, codes in enumerate(cells):
        if codes and names[code_index] in _CODE_NAMES and all(map(_CODE.fullmatch, codes)):
            for index, of_column in enumerate(cells):
                if index != code_index and any(_may_be_entry(cell, kind) for cell in of_column):
                    yield NumberColumn(index, code_index)
                    yield NumberColumn(index, code_index, has_trunk_zero=True)


def _may_be_entry(cell: str, kind: InputKind) -> bool:
    match kind:
        case InputKind.PHONE:
            return len(digits_of(cell)) >= _FEWEST_DIGITS
        case InputKind.EMAIL:
            return "@" in cell
        case _:
            return True


def _near(
    texts: Mapping[NumberColumn, Sequence[str]], matching: Matching, entries: Iterable[list[str]]
) -> set[str]:
    """Return the keys of the entries that any of the texts may mean."""
    wanted = {key for of_column in texts.values() for key in matching.part_keys(list(of_column))}
    return {
        key
        for block in entries
        for key, part_key in zip(matching.entry_keys(block), matching.part_keys(block), strict=True)
        if part_key in wanted
    }


def _answers(
    column: NumberColumn, rank: int, texts: Sequence[str], matching: Matching, near: set[str]
) -> _Answers:
    keys = matching.row_keys(list(texts))
    others = {key: text for key, text in zip(keys, texts, strict=True) if key not in near}
    loose = dict(matching.meanings(others, near))
    entries = [
        text and (key if key in near else loose.get(key)) for key, text in zip(keys, texts, strict=True)
    ]
    return _Answers(column, rank, entries, exact=sum(key in near for key in keys))


def _rank(name: str) -> int:
    return NUMBER_NAMES.index(name) if name in NUMBER_NAMES else len(NUMBER_NAMES)
