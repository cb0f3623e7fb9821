"""The join of an upload's entries with an export, in little memory however long both are.

Both are spread over parts by a hash of what makes them the same, each part is answered by a dict of its own,
and what is found is told in the order of the entries.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import BinaryIO

from numberdrop.files.exports.export import Export
from numberdrop.files.exports.matching import loose_name, names_of_entries, names_of_numbers
from numberdrop.files.formats.entries_file import line_blocks, present_entries
from numberdrop.files.formats.partitioning import InOrder, Partition
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.uploads.entries import entry_rule
from numberdrop.jobs.checkers import InputKind

Render = Callable[[str | None], tuple[str, str | None]]
"""Given an export's answer, None for an entry that it lacks: what is told of the entry, and the verdict."""


@dataclass(slots=True)
class JoinCounts:
    """How an export answers distinct entries.

    Attributes:
        verdicts: how many entries have a verdict, by the first digits of a phone number and the verdict; the
            digits are empty for other kinds, the verdict is None where the export lacks the entry.
        extra: distinct numbers of the export that were not submitted.
        doubled: rows of the export that repeat a number.
    """

    verdicts: Counter[tuple[str, str | None]]
    extra: int = 0
    doubled: int = 0


@dataclass(frozen=True, slots=True)
class Join:
    """What is to be told of each entry.

    Attributes:
        counts: of all of them.
    """

    counts: JoinCounts
    _kind: InputKind
    _told: InOrder[str]

    def told(self, entries: list[str]) -> list[str]:
        """What is told of the next entries, which must come in the order in which they were read."""
        return self._told.answers(_keys(names_of_entries(entries, self._kind), self._kind))


@contextmanager
def joined(entries: BinaryIO, export: Export, kind: InputKind, render: Render) -> Iterator[Join]:
    """Joins the entries of an upload with an export.

    Where the export doubles a number, its first row counts.

    Args:
        entries: as ``clean_upload`` wrote them.
        export: what the vendor answered.
        kind: what was submitted.
        render: turns an export row into the text that stands beside its entry, without line feeds.

    Raises:
        InvalidFileError: the export breaks off or turns hostile, or has rows of which not one is about an
            entry: then it is of another task, or its column of numbers was not found. What was sent as
            written may come back in another form, so there nobody can tell.
    """
    counts = JoinCounts(Counter())
    with Partition() as told:
        with Partition() as answers, Partition() as asked:
            for numbers, said in export.answers():
                names = names_of_numbers(numbers, kind)
                answers.add(_keys(names, kind), names, said)
            for lines in line_blocks(entries):
                present = present_entries(lines)
                asked.add(_keys(names_of_entries(present, kind), kind), present)
            rows, wanted = answers.parts(), asked.parts()
            for part in rows.keys() | wanted.keys():
                for lines in _answered(rows.get(part, ()), wanted.get(part, ()), kind, render, counts):
                    told.extend(part, lines)
        answered = any(verdict is not None for _, verdict in counts.verdicts)
        if counts.extra and not answered and kind is not InputKind.AS_WRITTEN:
            raise InvalidFileError("No row of the export is about anything that was sent.")
        yield Join(counts, kind, InOrder(told.streams()))


def _answered(
    rows: Iterable[list[str]],
    entries: Iterable[list[str]],
    kind: InputKind,
    render: Render,
    counts: JoinCounts,
) -> Iterator[list[str]]:
    """What is told of the entries of a part. Only what differs is held in memory, not what repeats.

    Args:
        rows: in blocks, the name and the answer of each row of the export, one after the other.
        entries: the entries of the part, in blocks.
        kind: what they are.
        render: makes of an answer what is told.
        counts: is added to once all entries are answered.
    """
    answers: dict[str, str] = {}
    for block in rows:
        names = block[::2]
        # The first row of a number prevails.
        deque(map(answers.setdefault, names, block[1::2]), maxlen=0)
        counts.doubled += len(names)
    counts.doubled -= len(answers)
    loosely = {loose_name(name): name for name in reversed(answers)} if kind is InputKind.AS_WRITTEN else {}

    same = entry_rule(kind).key
    told: dict[str | None, tuple[str, str | None]] = {}
    distinct: dict[str, str | None] = {}
    asked_for: dict[str, str | None] = {}
    for block in entries:
        names = names_of_entries(block, kind)
        if loosely:
            names = [name if name in answers else loosely.get(loose_name(name), name) for name in names]
        found = list(map(answers.get, names))
        told.update({answer: render(answer) for answer in set(found) - told.keys()})
        distinct.update(zip(map(same, block) if same else block, found, strict=True))
        if names is not block:
            asked_for.update(zip(names, found, strict=True))
        yield [told[answer][0] for answer in found]

    digits = [entry[1:4] for entry in distinct] if kind is InputKind.PHONE else repeat("")
    for (start, answer), number in Counter(zip(digits, distinct.values(), strict=False)).items():
        counts.verdicts[start, told[answer][1]] += number
    # By names, as one name of the export may answer entries that are not the same.
    asked_for = asked_for or distinct
    counts.extra += len(answers) - (len(asked_for) - list(asked_for.values()).count(None))


def _keys(names: list[str], kind: InputKind) -> list[str]:
    """What is hashed: it is the same for all names that may be about one entry."""
    if kind is InputKind.AS_WRITTEN:
        return [loose_name(name) for name in names]
    return names
