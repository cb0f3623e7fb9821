"""Join the entries of an upload with the rows of an export, in little memory however long both are.

Entries and rows are partitioned by a hash of their keys. Each partition is joined with a dict of its own. The
rendered lines are then read back in the order of the entries. If everything fits into memory there is one
partition, and its lines are rendered while they are read.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import SEEK_END
from itertools import compress, count, repeat
from operator import itemgetter, ne
from typing import BinaryIO

from numberdrop.files.exports.export import Export
from numberdrop.files.exports.matching import Matching
from numberdrop.files.formats.entries_file import NUL, entry_blocks
from numberdrop.files.formats.partitioning import (
    Columns,
    InOrder,
    ReadBlocks,
    in_order,
    large_dict,
    partitioned,
    parts_for,
)
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.results.sources import NO_SOURCES, Remembered, Sources, write_learnt
from numberdrop.jobs.checkers import InputKind

Answer = str | Remembered | None
"""The rest of an export row, as ``Export.row_blocks`` returns it, or what was remembered, or neither."""

Render = Callable[[Answer], tuple[str, str | None]]
"""Turns an answer into the text for its entry in ``results.csv``, without line feeds, and its verdict."""

REPEATED = NUL
"""Begins the rendered line of an entry that stands further up already. No other line begins with it."""

_LINES_PER_BLOCK = 10_000

_BLOCK = 128 * 1024
"""Bytes. The entries of a block stay in a processor's cache."""

_FIRST_DIGITS = itemgetter(slice(1, 4))
"""Returns the first three digits of a phone number in E.164 form."""

_SHARED_RESTS = 10_000
"""Most exports have a handful of different rests. In one with more, sharing them would gain nothing."""


@dataclass(slots=True)
class JoinCounts:
    """How the distinct entries of an upload match the rows of an export.

    Attributes:
        verdicts: number of entries by the first three digits of the phone number and the verdict. The digits
            are empty for other kinds; the verdict is None for entries without an answer.
        answered: entries that have a row.
        remembered: entries without a row that were remembered.
        extra: distinct numbers in the export that were not submitted.
        doubled: rows of the export that repeat a number.
        repeated: entries of the upload that repeat another one.
    """

    verdicts: Counter[tuple[str, str | None]]
    answered: int = 0
    remembered: int = 0
    extra: int = 0
    doubled: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Join:
    """The outcome of a join.

    Attributes:
        counts: counts over all entries.
    """

    counts: JoinCounts
    _lines: InOrder[str]

    def rendered(self, entries: list[str]) -> list[str]:
        """Return the rendered lines of the next entries, in the order in which ``joined`` read them.

        The line of an entry that was among them before begins with ``REPEATED``.
        """
        return self._lines.answers(entries)


@contextmanager
def joined(
    entries: BinaryIO, export: Export, render: Render, sources: Sources = NO_SOURCES
) -> Iterator[Join]:
    r"""Join the entries of an upload with the rows of an export.

    If several rows have the same number, the first one counts.

    >>> from io import BytesIO
    >>> from pathlib import Path
    >>> from tempfile import NamedTemporaryFile
    >>> from numberdrop.files.exports.export import read_export
    >>> from numberdrop.jobs.checkers import checkers
    >>> with NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("number,band\n41790000001,yes\n")
    ...     export = read_export(Path(file.name), checkers()["band"])
    ...     entries = BytesIO(b"+41790000002\n+41790000001\n")
    ...     with export, joined(entries, export, lambda row: (row or "-", row)) as join:
    ...         print(join.rendered(["+41790000002", "+41790000001"]), join.counts.extra)
    ['-', 'yes'] 0

    Args:
        entries: the entries file that ``clean_upload`` wrote.
        export: the vendor's export.
        render: turns an answer into a line.
        sources: what was remembered, and what takes the answers of the export.

    Raises:
        InvalidFileError: a later part of the export is broken or hostile, or the export has rows but none
            matches an entry. Then it belongs to another task, or the wrong column was taken for the numbers.
            Entries sent as written may come back in another form, so they are exempt from this check.
    """
    matching = export.matching
    joiner = _Joiner(matching, render, sources, JoinCounts(Counter()))
    counts = joiner.counts

    def answering() -> Iterator[Columns]:
        return ((matching.kept_texts(numbers), rests) for numbers, rests in export.row_blocks())

    def submitted() -> Iterator[Columns]:
        return ((present,) for _, present in entry_blocks(entries, _BLOCK))

    part_count = parts_for(entries.seek(0, SEEK_END) + export.size)
    with ExitStack() as files:
        rows = files.enter_context(partitioned(answering, matching.part_keys, part_count))
        sent = files.enter_context(partitioned(submitted, matching.entry_part_keys, part_count))
        parts = (
            (part, joiner.lines(rows.get(part, _no_lines), sent.get(part, _no_lines)))
            for part in rows.keys() | sent.keys()
        )
        with in_order(parts, matching.entry_part_keys, part_count) as lines:
            if counts.extra and not counts.answered and matching.kind is not InputKind.AS_WRITTEN:
                raise InvalidFileError("No row of the export matches an entry that was sent.")
            # Free the disk before the results are written.
            files.close()
            yield Join(counts, lines)


@dataclass(frozen=True, slots=True)
class _Joiner:
    """Joins one partition after the other.

    Attributes:
        matching: decides which row answers which entry.
        render: turns an answer into a line.
        sources: what was remembered, and what takes the answers of the export.
        counts: updated before the lines are rendered.
    """

    matching: Matching
    render: Render
    sources: Sources
    counts: JoinCounts

    def lines(self, rows: ReadBlocks, entries: ReadBlocks) -> Iterator[list[str]]:
        """Return the rendered lines of the entries of one partition. Only distinct values are held in memory.

        Args:
            rows: reads what is kept of the number of each row of the export, and the rest of the row.
            entries: reads the entries of the partition.
        """
        first_places: dict[str, int] = large_dict()
        """The first place of each distinct entry, by its key."""
        places: list[int] = []
        """The first place of each entry's key, so that each key is looked up once."""
        for (block,) in entries():
            keys = self.matching.entry_keys(block)
            places += map(first_places.setdefault, keys, count(len(places)))
        answers = self._answers(len(places), first_places, rows)

        found = list(map(answers.__getitem__, first_places.values()))
        rendered = {answer: self.render(answer) for answer in set(found)}
        digits = map(_FIRST_DIGITS, first_places) if self.matching.kind is InputKind.PHONE else repeat("")
        for (start, answer), entry_count in Counter(zip(digits, found, strict=False)).items():
            self.counts.verdicts[start, rendered[answer][1]] += entry_count
        if self.sources.learnt:
            fresh = zip(first_places, found, strict=True)
            verdicts = ((key, rendered[answer][1]) for key, answer in fresh if isinstance(answer, str))
            write_learnt(self.sources.learnt, verdicts)
        line_of = {None: "", **{answer: line for answer, (line, _) in rendered.items()}}
        lines = list(map(line_of.__getitem__, answers))
        self.counts.repeated += len(places) - len(first_places)
        blocks = (
            list(map(lines.__getitem__, places[start : start + _LINES_PER_BLOCK]))
            for start in range(0, len(places), _LINES_PER_BLOCK)
        )
        return blocks if len(first_places) == len(places) else _marked(blocks, places)

    def _answers(self, size: int, first_places: Mapping[str, int], rows: ReadBlocks) -> list[Answer]:
        """Return the answer of each distinct entry at its first place, and None at all other places.

        Args:
            size: the number of places.
            first_places: the keys of the entries, and their first places.
            rows: reads what is kept of the number of each row, and the rest of the row.
        """
        answers: list[Answer] = [None] * size
        recall = self.sources.recall
        recalled = recall(list(first_places)) if recall else []
        remembered = {key: answer for key, answer in zip(first_places, recalled, strict=False) if answer}
        self._add_rows(answers, first_places, rows, remembered.keys())
        for key, answer in remembered.items():
            if answers[first_places[key]] is None:
                answers[first_places[key]] = answer
                self.counts.remembered += 1
        return answers

    def _add_rows(
        self,
        answers: list[Answer],
        first_places: Mapping[str, int],
        rows: ReadBlocks,
        remembered: Set[str],
    ) -> None:
        """Give each distinct entry the rest of its row.

        Args:
            answers: receives the rest at the first place of each entry; holds None everywhere.
            first_places: the keys of the entries, and their first places.
            rows: reads what is kept of the number of each row, and the rest of the row.
            remembered: keys of entries that were probably not sent. A row means one of them only if it means
                none of the others.
        """
        others: dict[str, tuple[str, str]] = {}
        """What was kept of the number, and the rest, of the rows that equal no entry."""
        shared: dict[str, str] = {}
        row_count = 0
        for kept, rests in rows():
            row_count += len(kept)
            few_rests = list(map(shared.setdefault, rests, rests)) if len(shared) < _SHARED_RESTS else rests
            keys = self.matching.kept_keys(kept)
            places = list(map(first_places.get, keys))
            # The first row of a number counts.
            for place, rest in zip(places, few_rests, strict=True):
                if place is not None and answers[place] is None:
                    answers[place] = rest
            if None in places:
                is_other = [place is None for place in places]
                for key, text, rest in compress(zip(keys, kept, few_rests, strict=True), is_other):
                    others.setdefault(key, (text, rest))
        others |= self._rows_of_sent_entries(answers, first_places, remembered)
        unanswered = answers.count(None) - (len(answers) - len(first_places))
        self.counts.doubled += row_count - (len(first_places) - unanswered) - len(others)
        entries = first_places.keys()
        for candidates in (entries - remembered, entries) if remembered else (entries,):
            if not others or not unanswered:
                break
            texts = {key: text for key, (text, _) in others.items()}
            for entry, key in self.matching.loose_matches(texts, candidates).items():
                if answers[first_places[entry]] is None:
                    _, answers[first_places[entry]] = others.pop(key)
                    unanswered -= 1
        self.counts.answered += len(first_places) - unanswered
        self.counts.extra += len(others)

    def _rows_of_sent_entries(
        self, answers: list[Answer], first_places: Mapping[str, int], remembered: Set[str]
    ) -> dict[str, tuple[str, str]]:
        """Take from remembered entries the rows that may mean a sent entry which has no row.

        The vendor may answer in lower case, for example, and the address in lower case was not sent.

        Returns:
            Key, kept text and rest of these rows.
        """
        if not remembered or self.matching.kind is InputKind.PHONE:
            # No phone number is another way to write one that is known.
            return {}
        unanswered = [
            key for key, place in first_places.items() if answers[place] is None and key not in remembered
        ]
        taken = {key: key for key in remembered if answers[first_places[key]] is not None}
        rows: dict[str, tuple[str, str]] = {}
        for key in self.matching.loose_matches(taken, unanswered).values():
            rows[key] = (key, str(answers[first_places[key]]))
            answers[first_places[key]] = None
        return rows


def _marked(blocks: Iterable[list[str]], places: list[int]) -> Iterator[list[str]]:
    """Yield the blocks, with a mark before the line of each entry that is not the first of its key."""
    start = 0
    for block in blocks:
        firsts = places[start : start + len(block)]
        for index in compress(range(len(block)), map(ne, firsts, count(start))):
            block[index] = REPEATED + block[index]
        yield block
        start += len(block)


def _no_lines() -> Iterator[Columns]:
    return iter(())
