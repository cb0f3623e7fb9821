"""Join the entries of an upload with the rows of an export, in little memory however long both are.

Entries and rows are partitioned by a hash of their keys. Each partition is joined with a dict of its own. The
rendered lines are then read back in the order of the entries.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import BinaryIO

from numberdrop.files.exports.export import Export
from numberdrop.files.exports.matching import entry_keys, loose_key, number_keys
from numberdrop.files.formats.entries_file import line_blocks, present_entries
from numberdrop.files.formats.partitioning import InOrder, Partition
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.uploads.entries import entry_rule
from numberdrop.jobs.checkers import InputKind

Render = Callable[[str | None], tuple[str, str | None]]
"""Turns an export row into the text for its entry in ``results.csv``, without line feeds, and its verdict.

The argument is the rest of the row, as ``Export.row_blocks`` returns it, or None for an entry without a row.
"""


@dataclass(slots=True)
class JoinCounts:
    """How the distinct entries of an upload match the rows of an export.

    Attributes:
        verdicts: number of entries by the first three digits of the phone number and the verdict. The digits
            are empty for other kinds; the verdict is None for entries without a row.
        extra: distinct numbers in the export that were not submitted.
        doubled: rows of the export that repeat a number.
    """

    verdicts: Counter[tuple[str, str | None]]
    extra: int = 0
    doubled: int = 0


@dataclass(frozen=True, slots=True)
class Join:
    """The outcome of a join.

    Attributes:
        counts: counts over all entries.
    """

    counts: JoinCounts
    _kind: InputKind
    _lines: InOrder[str]

    def rendered(self, entries: list[str]) -> list[str]:
        """Return the rendered lines of the next entries, in the order in which ``joined`` read them."""
        return self._lines.answers(_partition_keys(entry_keys(entries, self._kind), self._kind))


@contextmanager
def joined(entries: BinaryIO, export: Export, kind: InputKind, render: Render) -> Iterator[Join]:
    r"""Join the entries of an upload with the rows of an export.

    If several rows have the same number, the first one counts.

    >>> from io import BytesIO
    >>> from pathlib import Path
    >>> from tempfile import NamedTemporaryFile
    >>> from numberdrop.files.exports.export import read_export
    >>> with NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("number,band\n41790000001,yes\n")
    ...     export = read_export(Path(file.name), InputKind.PHONE)
    ...     entries = BytesIO(b"+41790000002\n+41790000001\n")
    ...     with export, joined(entries, export, InputKind.PHONE, lambda row: (row or "-", row)) as join:
    ...         print(join.rendered(["+41790000002", "+41790000001"]), join.counts.extra)
    ['-', 'yes'] 0

    Args:
        entries: the entries file that ``clean_upload`` wrote.
        export: the vendor's export.
        kind: the kind of the entries.
        render: turns an export row into a line.

    Raises:
        InvalidFileError: a later part of the export is broken or hostile, or the export has rows but none
            matches an entry. Then it belongs to another task, or the wrong column was taken for the numbers.
            Entries sent as written may come back in another form, so they are exempt from this check.
    """
    counts = JoinCounts(Counter())
    with Partition() as lines:
        with Partition() as rows, Partition() as submitted:
            for numbers, rests in export.row_blocks():
                keys = number_keys(numbers, kind)
                rows.add(_partition_keys(keys, kind), keys, rests)
            for block in line_blocks(entries):
                present = present_entries(block)
                submitted.add(_partition_keys(entry_keys(present, kind), kind), present)
            row_parts, entry_parts = rows.parts(), submitted.parts()
            for part in row_parts.keys() | entry_parts.keys():
                for rendered in _join_part(
                    row_parts.get(part, ()), entry_parts.get(part, ()), kind, render, counts
                ):
                    lines.extend(part, rendered)
        is_matched = any(verdict is not None for _, verdict in counts.verdicts)
        if counts.extra and not is_matched and kind is not InputKind.AS_WRITTEN:
            raise InvalidFileError("No row of the export matches an entry that was sent.")
        yield Join(counts, kind, InOrder(lines.streams()))


def _join_part(
    rows: Iterable[list[str]],
    entries: Iterable[list[str]],
    kind: InputKind,
    render: Render,
    counts: JoinCounts,
) -> Iterator[list[str]]:
    """Return the rendered lines of the entries of one partition. Only distinct values are held in memory.

    Args:
        rows: in blocks, the key and the rest of each row of the export in turn.
        entries: the entries of the partition, in blocks.
        kind: the kind of the entries.
        render: turns an export row into a line.
        counts: updated once all entries are joined.
    """
    rests: dict[str, str] = {}
    for block in rows:
        keys = block[::2]
        # setdefault keeps the first row of a number.
        deque(map(rests.setdefault, keys, block[1::2]), maxlen=0)
        counts.doubled += len(keys)
    counts.doubled -= len(rests)
    loose_matches = {loose_key(key): key for key in reversed(rests)} if kind is InputKind.AS_WRITTEN else {}

    deduplication_key = entry_rule(kind).key
    rendered: dict[str | None, tuple[str, str | None]] = {}
    distinct: dict[str, str | None] = {}
    looked_up: dict[str, str | None] = {}
    for block in entries:
        keys = entry_keys(block, kind)
        if loose_matches:
            keys = [key if key in rests else loose_matches.get(loose_key(key), key) for key in keys]
        found = list(map(rests.get, keys))
        rendered.update({rest: render(rest) for rest in set(found) - rendered.keys()})
        distinct.update(
            zip(map(deduplication_key, block) if deduplication_key else block, found, strict=True)
        )
        if keys is not block:
            looked_up.update(zip(keys, found, strict=True))
        yield [rendered[rest][0] for rest in found]

    digits = [entry[1:4] for entry in distinct] if kind is InputKind.PHONE else repeat("")
    for (start, rest), entry_count in Counter(zip(digits, distinct.values(), strict=False)).items():
        counts.verdicts[start, rendered[rest][1]] += entry_count
    # Count keys rather than entries: one number of the export may match several distinct entries.
    looked_up = looked_up or distinct
    counts.extra += len(rests) - (len(looked_up) - list(looked_up.values()).count(None))


def _partition_keys(keys: list[str], kind: InputKind) -> list[str]:
    """Return the keys to hash: equal for all keys that may match one entry."""
    if kind is InputKind.AS_WRITTEN:
        return [loose_key(key) for key in keys]
    return keys
