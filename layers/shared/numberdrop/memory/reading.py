"""Reading runs: small ones whole, of large ones only what is needed, several requests at a time."""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice
from typing import Self, TypeVar

from numberdrop.memory.errors import MemoryUnreadableError
from numberdrop.memory.run_format import RECORD, SLICES, Directory, Run
from numberdrop.memory.store import MemoryStore

SMALL_RUN = 256 * 1024
"""Bytes. A smaller run is read by a single request."""

READERS = 8
"""Requests at a time."""

LONGEST_READ = 4 * 1024 * 1024
"""Bytes of one request, unless a single page is longer."""

_MERGE_READ = 1024 * 1024
"""Bytes of one request of a merge, which reads all its runs side by side."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Pages:
    """Consecutive pages of a run.

    Attributes:
        directory: the directory of the run.
        first: the number of the first page.
        data: the bytes of the pages.
    """

    directory: Directory
    first: int
    data: memoryview

    def page(self, number: int) -> tuple[memoryview, memoryview]:
        """Return the hashes and the stamps of one of the pages."""
        return self.directory.page(self.data, number, self.first)


@dataclass(frozen=True, slots=True)
class RunReader:
    """Reads one run."""

    store: MemoryStore
    run: Run
    directory: Directory
    whole: Pages | None

    @classmethod
    def open(cls, store: MemoryStore, run: Run, *, whole: bool = False) -> Self:
        """Read the directory of a run, and everything else too if the run is small or ``whole`` is true.

        Raises:
            ObjectGoneError: the run was merged into another one.
            MemoryUnreadableError: the run cannot be read, or its bytes were altered.
        """
        start = 0 if whole or run.size < SMALL_RUN else run.directory_start
        data = memoryview(_read(store, run, start, run.size))
        directory = Directory.from_bytes(data[run.directory_start - start :], run)
        pages = None if start else Pages(directory, 0, data[: run.directory_start])
        return cls(store, run, directory, pages)

    def pages(self, first: int, last: int) -> Pages:
        """Return the pages from ``first`` to ``last``."""
        if self.whole:
            return self.whole
        starts = self.directory.starts
        data = _read(self.store, self.run, starts[first] * RECORD, starts[last + 1] * RECORD)
        return Pages(self.directory, first, memoryview(data))

    def slices(self) -> Iterator[tuple["array[int]", "array[int]"]]:
        """Yield the hashes and the stamps of each slice."""
        width = self.run.pages_of_a_slice
        at_once = max(1, SLICES * _MERGE_READ // max(1, self.run.directory_start))
        for start in range(0, SLICES, at_once):
            end = min(start + at_once, SLICES)
            pages = self.pages(start * width, end * width - 1)
            for part in range(start, end):
                hashes, stamps = array("Q"), array("H")
                for number in range(part * width, (part + 1) * width):
                    page_hashes, page_stamps = pages.page(number)
                    hashes.frombytes(page_hashes.cast("B"))
                    stamps.frombytes(page_stamps.cast("B"))
                yield hashes, stamps


def read_ahead(pool: Executor, call: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
    """Yield each item with what ``call`` returns for it, in order, while the next ones are being called."""
    pending: deque[tuple[T, Future[R]]] = deque()
    following = iter(items)
    try:
        while True:
            pending.extend(
                (item, pool.submit(call, item)) for item in islice(following, READERS - len(pending))
            )
            if not pending:
                return
            item, future = pending.popleft()
            yield item, future.result()
    finally:
        for _, future in pending:
            future.cancel()


def _read(store: MemoryStore, run: Run, start: int, end: int) -> bytes:
    if start == end:
        return b""
    data = store.read(run.key, start, end)
    if len(data) != end - start:
        raise MemoryUnreadableError("an object is too short")
    return data
