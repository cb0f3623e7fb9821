"""Find the number column of an export by counting which column answers the entries that were submitted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from numberdrop.files.exports.calling_codes import code_indexes
from numberdrop.files.exports.columns import FEWEST_DIGITS, NUMBER_NAMES, clearly_named, filled_cells
from numberdrop.files.exports.matching import TAIL, Matching, digits_of, exists, tails
from numberdrop.files.exports.number_column import NumberColumn
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.jobs.checkers import InputKind


@dataclass(frozen=True, slots=True)
class _Answers:
    """The entries that a column answers.

    Attributes:
        column: the column.
        rank: its place among the known names.
        meanings: for each row the entries that its cell may mean, in any form; None if the cell is empty.
        entries: the distinct entries that the column answers.
        exact: how many rows equal their entry.
    """

    column: NumberColumn
    rank: int
    meanings: Sequence[frozenset[str] | None]
    entries: frozenset[str]
    exact: int

    @property
    def count(self) -> int:
        """The number of distinct entries."""
        return len(self.entries)

    def disputes(self, best: "_Answers") -> bool:
        """Return whether this column may be the number column as well as the best one.

        It may mean more than half as many entries, and the two differ for more than a tenth of the entries:
        in some row each means other ones, or only one of them means any. The latter does not count if nearly
        all cells of the best column are entries, and different ones.
        """
        if best.column.code_index is not None and self.column == NumberColumn(best.column.index):
            # The same numbers without their countries.
            return False
        differing: set[str] = set()
        for own, other in zip(self.meanings, best.meanings, strict=True):
            if own is None or other is None or not own.isdisjoint(other):
                continue
            if (own and other) or not best.is_complete:
                differing |= own | other
        may_answer = len({*self.meanings} - {None, frozenset()})
        return 2 * may_answer > best.count and 10 * len(differing) > best.count

    def repeats(self, best: "_Answers") -> bool:
        """Return whether this column has the numbers of the best one, in a form in which more are entries."""
        return self.count > best.count and all(
            not own or (other is not None and own <= other)
            for own, other in zip(self.meanings, best.meanings, strict=True)
        )

    @property
    def is_complete(self) -> bool:
        """Whether nearly all of its cells are entries, and different ones."""
        return 10 * self.count >= 9 * sum(meant is not None for meant in self.meanings)


def answering_column(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    matching: Matching,
    entries: Iterable[list[str]],
) -> NumberColumn | None:
    """Return the column whose cells are the submitted entries, or None if no column has any of them.

    If the header names a number column clearly, another column is taken only if it has the same numbers in a
    better form. Reads all entries once, in constant memory, but only if several columns look like numbers.

    >>> names = ["msisdn", "phone", "verdict"]
    >>> rows = [["41790000001", "41790000002", "yes"], ["41790000005", "41790000003", "no"]]
    >>> answering_column(names, rows, Matching(InputKind.PHONE), [["+41790000002", "+41790000003"]])
    NumberColumn(index=1, code_index=None, has_trunk_zero=False)

    Args:
        names: the names of the columns.
        rows: the first rows of the export.
        matching: decides which number means which entry.
        entries: the submitted entries, in blocks.

    Raises:
        InvalidFileError: several columns answer different entries, and none twice as many as the others; or
            the column that the header names answers none, and another one does.
    """
    candidates = list(_candidates(names, rows, matching.kind))
    if len(candidates) < 2:
        return None
    texts = [[column.number_in(row).replace("\n", " ") for row in rows] for column in candidates]
    near = _near(texts, matching, entries)
    answers = [
        _answers(column, _rank(names[column.index]), column_texts, matching, near)
        for column, column_texts in zip(candidates, texts, strict=True)
    ]
    clear = clearly_named(names, filled_cells(names, rows), matching.kind)
    best = max(
        answers,
        key=lambda found: (
            found.column.index in clear,
            found.count,
            -found.rank,
            found.exact,
            -found.column.index,
        ),
    )
    if clear and best.column.index not in clear:
        return None
    with_countries = [
        found
        for found in answers
        if found.column.index == best.column.index and found.column.code_index is not None
    ]
    if best not in with_countries and any(_contradicts(best, found.column, rows) for found in with_countries):
        best = max(with_countries, key=lambda found: found.count)
        if not best.count:
            raise InvalidFileError("The numbers of the export are not of the countries beside them.")
    if any(other.disputes(best) for other in answers):
        raise InvalidFileError(
            "Several columns of the export have numbers that were sent, and none has clearly the most."
            if best.count
            else "The export's column of numbers has none that were sent, but another column has."
        )
    best = max([best, *(other for other in answers if other.repeats(best))], key=lambda found: found.count)
    return best.column if best.count else None


def _contradicts(best: _Answers, with_country: NumberColumn, rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the entries of a column are not of the countries that their rows name.

    Digits without a plus sign may be an entry by chance, although they are a number of the row's country.
    """
    contradicted = {
        entry
        for row, meant in zip(rows, best.meanings, strict=True)
        for entry in best.entries.intersection(meant or ())
        if not entry.startswith(f"+{with_country.code_in(row)}") and exists(with_country.number_in(row))
    }
    return 10 * len(contradicted) > best.count


def _candidates(
    names: Sequence[str], rows: Sequence[Sequence[str]], kind: InputKind
) -> Iterator[NumberColumn]:
    """Return the columns in which at least one cell may be an entry."""
    cells = filled_cells(names, rows)
    likely = [
        index for index, of_column in enumerate(cells) if any(_may_be_entry(cell, kind) for cell in of_column)
    ]
    yield from map(NumberColumn, likely)
    if kind is InputKind.PHONE:
        for code_index in code_indexes(names, cells):
            for index in likely:
                if index != code_index:
                    yield NumberColumn(index, code_index)
                    yield NumberColumn(index, code_index, has_trunk_zero=True)


def _may_be_entry(cell: str, kind: InputKind) -> bool:
    match kind:
        case InputKind.PHONE:
            return len(digits_of(cell)) >= FEWEST_DIGITS
        case InputKind.EMAIL:
            return "@" in cell
        case _:
            return True


def _near(texts: Iterable[list[str]], matching: Matching, entries: Iterable[list[str]]) -> set[str]:
    """Return the keys of the entries that any of the texts may mean."""

    def part_keys(texts: list[str]) -> list[str]:
        # Whatever the region, a column may have national numbers.
        is_phone = matching.kind is InputKind.PHONE
        return tails(texts) if is_phone else matching.part_keys(matching.row_keys(texts))

    wanted = {key for of_column in texts for key in part_keys(of_column)}
    return {
        key
        for block in entries
        for key, part_key in zip(matching.entry_keys(block), part_keys(block), strict=True)
        if part_key in wanted
    }


def _answers(
    column: NumberColumn, rank: int, texts: list[str], matching: Matching, near: set[str]
) -> _Answers:
    keys = matching.row_keys(texts)
    others = {key: text for key, text in zip(keys, texts, strict=True) if key not in near}
    answered = {key: key for key in keys if key in near} | dict(matching.meanings(others, near))
    endings = _endings(others, near) if matching.kind is InputKind.PHONE else {}
    return _Answers(
        column,
        rank,
        meanings=[
            (frozenset([answered[key]]) if key in answered else endings.get(key, frozenset()))
            if text
            else None
            for key, text in zip(keys, texts, strict=True)
        ],
        entries=frozenset(answered.values()),
        exact=sum(key in near for key in keys),
    )


def _endings(numbers: dict[str, str], near: set[str]) -> dict[str, frozenset[str]]:
    """Return the entries that end with the digits of a number, which may be their national form.

    Args:
        numbers: the numbers by their keys.
        near: the keys of the entries.
    """
    by_tail: dict[str, list[str]] = {}
    for entry in near:
        by_tail.setdefault(entry[-TAIL:], []).append(entry)
    significant = {key: digits_of(number).lstrip("0") for key, number in numbers.items()}
    return {
        key: frozenset(entry for entry in by_tail.get(digits[-TAIL:], []) if entry.endswith(digits))
        for key, digits in significant.items()
        if len(digits) >= TAIL
    }


def _rank(name: str) -> int:
    return NUMBER_NAMES.index(name) if name in NUMBER_NAMES else len(NUMBER_NAMES)
