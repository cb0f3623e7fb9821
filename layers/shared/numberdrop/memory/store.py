"""Where runs are stored: what the memory needs of a bucket."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO, Protocol

from numberdrop.memory.run_format import Run, day_in_key

RUNS = "runs/"
"""Folder of the runs, with a folder for each checker."""

RECALLED = "recalled/"
"""Folder of what was recalled for each job."""

_CLEARED = "cleared-"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it; ``written_at`` is when it was last written."""

    key: str
    size: int
    written_at: datetime


class MemoryStore(Protocol):
    """A bucket. Writing is atomic, and a listing shows all that was written before."""

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects whose keys start with ``prefix``, in the order of their keys.

        Raises:
            MemoryUnreadableError: the bucket cannot be listed.
        """

    def read(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of an object from ``start`` to before ``end``. May be called by many threads.

        Raises:
            ObjectGoneError: the object does not exist.
            MemoryUnreadableError: the object cannot be read.
        """

    def write(self, key: str, file: BinaryIO) -> None:
        """Store a whole file.

        Raises:
            MemoryUnwritableError: the file may not be stored.
        """

    def delete(self, key: str) -> None:
        """Delete an object, if it exists.

        Raises:
            MemoryUnwritableError: the object may still exist.
        """


@dataclass(frozen=True, slots=True)
class Listing:
    """What is stored for one checker.

    Attributes:
        runs: its runs, and when each was written, the smallest first.
        cleared: the day on which everything was erased; None if it never was.
    """

    runs: tuple[tuple[Run, datetime], ...]
    cleared: date | None

    @property
    def verdicts(self) -> int:
        """Return the number of verdicts in all runs."""
        return sum(run.verdicts for run, _ in self.runs)

    @property
    def erasures(self) -> int:
        """Return the number of erasures in all runs."""
        return sum(run.erasures for run, _ in self.runs)


def folder_of(checker: str) -> str:
    """Return the folder of a checker's runs.

    >>> folder_of("band")
    'runs/band/'
    """
    return f"{RUNS}{checker}/"


def cleared_key(checker: str, day: date) -> str:
    """Return the key of the object that says that everything was erased on a day."""
    return f"{folder_of(checker)}{_CLEARED}{day.isoformat()}"


def cleared_day(key: str) -> date | None:
    """Return the day of an object that says that everything was erased; None if the object is a run.

    >>> cleared_day("runs/band/cleared-2026-03-04").isoformat()
    '2026-03-04'

    Raises:
        MemoryUnreadableError: the object names no day.
    """
    name = key.rpartition("/")[2]
    return day_in_key(name.removeprefix(_CLEARED)) if name.startswith(_CLEARED) else None


def listing(store: MemoryStore, checker: str) -> Listing:
    """Return what is stored for a checker.

    Raises:
        MemoryUnreadableError: the bucket cannot be listed, or has something that is not a run.
    """
    runs = []
    cleared: list[date] = []
    for item in store.objects(folder_of(checker)):
        day = cleared_day(item.key)
        if day is None:
            runs.append((Run.from_key(item.key), item.written_at))
        else:
            cleared.append(day)
    runs.sort(key=lambda found: (found[0].records, found[0].key))
    return Listing(tuple(runs), max(cleared, default=None))
