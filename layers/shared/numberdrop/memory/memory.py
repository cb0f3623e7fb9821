"""The verdict memory: recalling, learning and forgetting the verdicts of a checker.

A checker's memory is a few *runs*. Learning adds one, forgetting adds one of erasures, merging replaces
several by one. The newest stamp of a number counts, in whatever run it is. So runs may be read in any order,
twice, or beside their own merger: no step of any writer can make an answer wrong, and a lost step costs money
once.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, compress, islice
from operator import not_
from tempfile import TemporaryFile
from typing import BinaryIO

from numberdrop.files.formats.entries_file import line_blocks, write_lines
from numberdrop.memory.errors import ObjectGoneError, RecalledMissingError
from numberdrop.memory.hashing import EntryHasher, KeysOf, slices_of, unchanged
from numberdrop.memory.lookup import LookUp
from numberdrop.memory.reading import RunReader
from numberdrop.memory.recalled import RecalledAnswers
from numberdrop.memory.run_format import SLICES, Run, RunWriter, newest_of
from numberdrop.memory.stamps import ERASED, MARKS, NO, YES, first_stamps, living, stamp_of
from numberdrop.memory.store import RECALLED, MemoryStore, cleared_key, folder_of, listing


def topped_up(min_rows: int) -> int:
    """Return the size to which a batch below the checker's minimum is filled up.

    A tenth more than the minimum, because the vendor counts after filters of its own.

    >>> topped_up(100)
    110
    """
    return min_rows + math.ceil(min_rows / 10)


@dataclass(frozen=True, slots=True)
class Recollection:
    """What is known of an upload's entries.

    Attributes:
        sent: entries to send: those of which nothing is known, and refreshed ones.
        remembered: entries that are answered from memory and not sent.
        refreshed: remembered entries that are sent anyway, so that the batch reaches the minimum.
    """

    sent: int
    remembered: int
    refreshed: int
    _look_up: LookUp = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerdictMemory:
    r"""The verdicts that are remembered, by checker.

    >>> from io import BytesIO
    >>> import boto3
    >>> from numberdrop.aws.memory_bucket import MemoryBucket
    >>> s3 = boto3.client("s3")
    >>> _ = s3.create_bucket(Bucket="memory")
    >>> memory = VerdictMemory(MemoryBucket(s3, "memory"), b"key", yes_days=90, no_days=30)
    >>> memory.learn("band", "job1", date(2026, 3, 4), [(["+41790000001"], ["yes"])])
    1
    >>> numbers, rest = BytesIO(b"+41790000001\n+41790000002\n"), BytesIO()
    >>> found = memory.recall("band", numbers, rest, today=date(2026, 4, 1), min_rows=0)
    >>> found.remembered, rest.getvalue()
    (1, b'+41790000002\n')

    Attributes:
        store: where the runs are.
        key: the secret under which entries are hashed.
        yes_days: the days for which a "yes" counts.
        no_days: the days for which a "no" counts.
    """

    store: MemoryStore
    key: bytes = field(repr=False)
    yes_days: int
    no_days: int

    def recall(
        self,
        checker: str,
        numbers: BinaryIO,
        rest: BinaryIO,
        *,
        today: date,
        min_rows: int,
        max_age_days: int | None = None,
        keys_of: KeysOf = unchanged,
    ) -> Recollection:
        """Look up an upload's entries, and write those that have to be sent.

        If they are too few for the vendor, the oldest remembered entries are sent too: the batch must be
        bought anyway, so it refreshes the memory.

        Args:
            checker: the name of the checker.
            numbers: each distinct entry of the upload as a line.
            rest: an empty file; takes the lines to send, in the order of ``numbers``.
            today: the current day in UTC.
            min_rows: the smallest batch that the vendor accepts.
            max_age_days: verdicts of this age or older do not count; None for no limit.
            keys_of: returns the keys by which entries are compared.

        Raises:
            MemoryUnreadableError: nothing was written to ``rest``; send everything.
        """
        look_up, hasher = LookUp(), EntryHasher(self.key)
        for entries in line_blocks(numbers):
            look_up.add(hasher.hashes(keys_of(entries)))
        found = look_up.read(self.store, checker)
        look_up.keep(living(self._lives(max_age_days), today, found.cleared))
        fresh = look_up.unknown
        known = len(look_up.order) - fresh
        if 0 < fresh < (least := topped_up(min_rows)):
            refreshed = _write_topped_up(numbers, rest, look_up, least)
        else:
            refreshed = 0
            _write_unknown(numbers, rest, look_up)
        return Recollection(fresh + refreshed, known - refreshed, refreshed, look_up)

    def freeze(self, recollection: Recollection, name: str) -> str | None:
        """Store what was recalled, so that collect sees exactly what submit saw.

        Args:
            recollection: what was recalled.
            name: a name that no other attempt uses. A worker that lost its job must not replace the answers
                that the job's current worker relied on.

        Returns:
            The key of the object; None if nothing was recalled.

        Raises:
            MemoryUnwritableError: it could not be stored.
        """
        known = recollection.remembered + recollection.refreshed
        if not known:
            return None
        return self._write(RECALLED, name, known, recollection._look_up.recalled()).key

    def recalled(self, key: str, keys_of: KeysOf = unchanged) -> RecalledAnswers:
        """Return what ``freeze`` stored under a key.

        Raises:
            RecalledMissingError: the object no longer exists.
            MemoryUnreadableError: it cannot be read, or its bytes were altered.
        """
        try:
            reader = RunReader.open(self.store, Run.from_key(key), whole=True)
        except ObjectGoneError:
            raise RecalledMissingError from None
        return RecalledAnswers(reader, EntryHasher(self.key), keys_of)

    def learn(
        self,
        checker: str,
        name: str,
        day: date,
        answers: Iterable[tuple[list[str], list[str | None]]],
        keys_of: KeysOf = unchanged,
    ) -> int:
        """Remember verdicts; return how many. The same name and answers make the same object.

        Both verdicts are learnt even if one of them never counts: a newer "no" must replace an older "yes".

        Args:
            checker: the name of the checker.
            name: the name of the run: the id of the job.
            day: the day on which the vendor accepted the entries, in UTC. Not the day of collecting, which
                may be months later.
            answers: entries and their verdicts, in blocks. All but ``yes`` and ``no`` are skipped.
            keys_of: returns the keys by which entries are compared.

        Raises:
            MemoryUnwritableError: nothing was remembered.
        """
        stamps = {word: stamp_of(day, mark) for word, mark in MARKS.items()}
        blocks = ((keys_of(entries), [stamps.get(word, 0) for word in words]) for entries, words in answers)
        return self._add(checker, name, blocks)

    def forget(
        self, checker: str, name: str, day: date, entries: list[str], keys_of: KeysOf = unchanged
    ) -> int:
        """Erase entries; return how many. They are hidden at once, and removed by the next full merge.

        A check on a later day may be remembered again.

        Args:
            checker: the name of the checker.
            name: the name of the run.
            day: the current day in UTC.
            entries: the entries, whether they are remembered or not.
            keys_of: returns the keys by which entries are compared.

        Raises:
            MemoryUnwritableError: the entries may still be remembered.
        """
        return self._add(checker, name, [(keys_of(entries), [stamp_of(day, ERASED)] * len(entries))])

    def _lives(self, max_age_days: int | None) -> dict[int, int]:
        lives = {YES: self.yes_days, NO: self.no_days}
        return (
            lives if max_age_days is None else {mark: min(life, max_age_days) for mark, life in lives.items()}
        )

    def _add(self, checker: str, name: str, blocks: Iterable[tuple[list[str], list[int]]]) -> int:
        """Add a run of entries and their stamps, in blocks; a stamp of 0 is skipped."""
        hasher = EntryHasher(self.key)
        hashes = [array("Q") for _ in range(SLICES)]
        stamps = [array("H") for _ in range(SLICES)]
        for entries, given in blocks:
            entry_hashes = hasher.hashes(list(compress(entries, given)))
            known = filter(None, given)
            for part, entry_hash, stamp in zip(slices_of(entry_hashes), entry_hashes, known, strict=True):
                hashes[part].append(entry_hash)
                stamps[part].append(stamp)
        records = sum(map(len, hashes))
        if not records:
            return 0
        slices = (newest_of([part]) for part in zip(hashes, stamps, strict=True))
        return self._write(folder_of(checker), name, records, slices).records

    def _write(self, folder: str, name: str, records: int, slices: Iterable[dict[int, int]]) -> Run:
        with TemporaryFile() as file:
            writer = RunWriter(file, records)
            for stamps_by_hash in slices:
                writer.add_slice(stamps_by_hash)
            run = writer.finish(folder, name)
            self.store.write(run.key, file)
        return run


def clear(store: MemoryStore, checker: str, day: date) -> int:
    """Erase everything that is remembered of a checker; return how many runs were deleted.

    First an object is stored that hides all verdicts of this day and before, also those that a running job
    learns later. If the deletion is interrupted, clear again.

    >>> import boto3
    >>> from numberdrop.aws.memory_bucket import MemoryBucket
    >>> s3 = boto3.client("s3")
    >>> _ = s3.create_bucket(Bucket="memory-to-clear")
    >>> bucket = MemoryBucket(s3, "memory-to-clear")
    >>> clear(bucket, "band", date(2026, 3, 4)), [item.key for item in bucket.objects("runs/")]
    (0, ['runs/band/cleared-2026-03-04'])

    Raises:
        MemoryUnwritableError: the verdicts are hidden, but some are not deleted; or nothing was done.
    """
    with TemporaryFile() as empty:
        store.write(cleared_key(checker, day), empty)
    runs = listing(store, checker).runs
    for run, _ in runs:
        store.delete(run.key)
    return len(runs)


def _write_unknown(numbers: BinaryIO, rest: BinaryIO, look_up: LookUp) -> None:
    """Write the entries of which nothing is known."""
    stamps = look_up.in_order()
    for entries in line_blocks(numbers):
        write_lines(rest, compress(entries, map(not_, islice(stamps, len(entries)))))


def _write_topped_up(numbers: BinaryIO, rest: BinaryIO, look_up: LookUp, least: int) -> int:
    """Write these entries and the oldest others, ``least`` in all; return the number of the others."""
    stamps = look_up.in_order()
    below, more = first_stamps(Counter(chain.from_iterable(look_up.stamps)), least)
    refreshed = 0
    for entries in line_blocks(numbers):
        is_sent = []
        for stamp in islice(stamps, len(entries)):
            is_last = stamp == below and more > 0
            more -= is_last
            is_sent.append(stamp < below or is_last)
            refreshed += stamp > 0 and is_sent[-1]
        write_lines(rest, compress(entries, is_sent))
    return refreshed
