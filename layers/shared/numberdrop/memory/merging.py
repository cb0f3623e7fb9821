"""Merging runs, so that a checker has few of them. It needs no key: records are compared by their hashes.

Only a full merge drops records, because only there every older record of the same number is dropped with
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from tempfile import TemporaryFile

from numberdrop.memory.reading import RunReader
from numberdrop.memory.run_format import Run, RunWriter, newest_of
from numberdrop.memory.stamps import ALL_STAMPS, kept
from numberdrop.memory.store import MemoryStore, folder_of, listing

MOST_RUNS = 16
"""A checker with more runs than this is merged."""

FULL_MERGE = timedelta(days=28)
"""When the oldest object is this old, everything is merged. So what was erased is gone within a month."""

_MOST_MERGED = 32
"""Runs that are merged at once. Each takes up to some megabytes."""

_TIER = 4
"""A run is merged with the smaller ones if it has at most this many times their records."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merger did for a checker.

    Attributes:
        runs: the runs that were replaced.
        dropped: the records that are gone: superseded, expired or erased ones.
    """

    runs: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Merger:
    """Merges the runs of a checker.

    Two mergers may work at once, and each may be interrupted anywhere: a merged run is stored before the runs
    that it replaces are deleted, and a record that is stored twice counts once.

    Attributes:
        store: where the runs are.
        longest_life: the days for which any verdict counts.
    """

    store: MemoryStore
    longest_life: int

    def merge(self, checker: str, now: datetime) -> Merged:
        """Merge as much as is due now.

        Raises:
            ObjectGoneError: another merger replaced a run. The next merge goes on.
            MemoryUnreadableError: a run cannot be read, or its bytes were altered.
            MemoryUnwritableError: the merged run was not stored, or a replaced run was not deleted.
        """
        found = listing(self.store, checker)
        runs = [run for run, _ in found.runs]
        is_full = any(now - written_at >= FULL_MERGE for _, written_at in found.runs)
        merged = dropped = 0
        while len(runs) > (_MOST_MERGED if is_full else MOST_RUNS):
            chosen = runs[:_MOST_MERGED] if is_full else _alike(runs)
            result = self._replace(checker, chosen, bytearray([1]) * ALL_STAMPS)
            merged += len(chosen)
            dropped += _records(chosen) - _records(result)
            runs = sorted([*runs[len(chosen) :], *result], key=lambda run: run.records)
        if is_full:
            keeps = kept(self.longest_life, now.date(), found.cleared)
            dropped += _records(runs) - _records(self._replace(checker, runs, keeps))
            merged += len(runs)
        return Merged(merged, dropped)

    def _replace(self, checker: str, runs: list[Run], keeps: bytearray) -> list[Run]:
        """Replace runs by one with their newest records, and return it; return nothing if no record is kept.

        Args:
            checker: the checker.
            runs: the runs.
            keeps: 1 for every stamp that is kept, else 0.
        """
        readers = [RunReader.open(self.store, run) for run in runs]
        with TemporaryFile() as file:
            writer = RunWriter(file, _records(runs))
            for parts in zip(*(reader.slices() for reader in readers), strict=True):
                newest = newest_of(parts)
                writer.add_slice({entry_hash: stamp for entry_hash, stamp in newest.items() if keeps[stamp]})
            # Named after what it replaces: a merger that repeats an interrupted merge writes the same object.
            digest = sha256("\n".join(sorted(run.key for run in runs)).encode()).hexdigest()
            result = writer.finish(folder_of(checker), f"merged-{digest[:16]}")
            if result.records:
                self.store.write(result.key, file)
        for run in runs:
            # A reader that is still at one of them lists the runs again.
            if run.key != result.key:
                self.store.delete(run.key)
        return [result] if result.records else []


def _alike(runs: list[Run]) -> list[Run]:
    """Return the smallest runs, as long as each is not much larger than those before it together.

    Merging a small run into a much larger one each time would write the larger one again and again.
    """
    chosen = runs[:2]
    for run in runs[2:_MOST_MERGED]:
        if run.records > _TIER * _records(chosen):
            break
        chosen.append(run)
    return chosen


def _records(runs: Sequence[Run]) -> int:
    return sum(run.records for run in runs)
