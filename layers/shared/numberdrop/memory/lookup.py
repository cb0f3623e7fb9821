"""Looking up many entries at once. They are sorted by hash, so that each page is read once."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat

from numberdrop.memory.errors import MemoryUnreadableError, ObjectGoneError
from numberdrop.memory.hashing import slices_of
from numberdrop.memory.reading import LONGEST_READ, READERS, Pages, RunReader, read_ahead
from numberdrop.memory.run_format import RECORD, SLICES, Run
from numberdrop.memory.store import Listing, MemoryStore, listing

_LISTINGS = 5
"""How often the runs are listed if some of them are merged while they are read."""

_GAP = 128 * 1024
"""The longest gap in bytes that is read although nobody needs it: a further request would take longer."""


Wanted = tuple[int, int, int, int]
"""A page, and the entries that it may hold: the number of their slice, and where they start and end in it.

A plain tuple, because there is one for each of very many pages."""


@dataclass(slots=True)
class LookUp:
    """The hashes of an upload's entries, and the stamps that are found for them: 21 bytes for each entry.

    Attributes:
        order: the slice of each entry, in the order of the upload.
        asked: the hashes by slice, in the order of the upload.
        ordered: the hashes by slice, sorted.
        stamps: the newest stamp of each of the sorted hashes; 0 if nothing is known.
    """

    order: bytearray = field(default_factory=bytearray)
    asked: list["array[int]"] = field(default_factory=lambda: [array("Q") for _ in range(SLICES)])
    ordered: list["array[int]"] = field(default_factory=list)
    stamps: list["array[int]"] = field(default_factory=list)

    def add(self, hashes: "array[int]") -> None:
        """Add entries, in the order of the upload."""
        slices = slices_of(hashes)
        self.order += slices
        for part, entry_hash in zip(slices, hashes, strict=True):
            self.asked[part].append(entry_hash)

    def read(self, store: MemoryStore, checker: str) -> Listing:
        """Look up all entries in the runs of a checker; return the listing that was read.

        Raises:
            MemoryUnreadableError: the runs cannot be read, or vanish again and again.
        """
        self.ordered = [array("Q", sorted(hashes)) for hashes in self.asked]
        with ThreadPoolExecutor(READERS) as pool:
            for _ in range(_LISTINGS):
                found = listing(store, checker)
                try:
                    self._read([run for run, _ in found.runs], store, pool)
                except ObjectGoneError:
                    continue
                return found
        raise MemoryUnreadableError("runs vanish")

    def keep(self, living: Sequence[int]) -> None:
        """Replace every stamp by what ``living`` has for it."""
        self.stamps = [array("H", map(living.__getitem__, stamps)) for stamps in self.stamps]

    @property
    def unknown(self) -> int:
        """Return the number of entries of which nothing is known."""
        return sum(stamps.count(0) for stamps in self.stamps)

    def in_order(self) -> Iterator[int]:
        """Return the stamp of each entry, in the order of the upload."""
        following = []
        for asked, hashes, stamps in zip(self.asked, self.ordered, self.stamps, strict=True):
            known = dict(zip(hashes, stamps, strict=True))
            following.append(iter(array("H", map(known.__getitem__, asked))).__next__)
        return (following[part]() for part in self.order)

    def recalled(self) -> Iterator[dict[int, int]]:
        """Yield for each slice the entries of which something is known: their stamps by hash."""
        for hashes, stamps in zip(self.ordered, self.stamps, strict=True):
            yield {entry_hash: stamp for entry_hash, stamp in zip(hashes, stamps, strict=True) if stamp}

    def _read(self, runs: list[Run], store: MemoryStore, pool: Executor) -> None:
        self.stamps = [array("H", bytes(2 * len(hashes))) for hashes in self.ordered]
        for _, reader in read_ahead(pool, partial(RunReader.open, store), runs):
            wanted = self._wanted(reader.run)
            if reader.whole:
                self._answer(list(wanted), reader.whole)
            else:
                spans = _spans(wanted, reader.directory.starts)
                for span, pages in read_ahead(pool, partial(_pages, reader), spans):
                    self._answer(span, pages)

    def _wanted(self, run: Run) -> Iterator[Wanted]:
        """Yield the pages of a run that may hold entries."""
        shift = run.shift
        for part, hashes in enumerate(self.ordered):
            start = 0
            while start < len(hashes):
                page = hashes[start] >> shift
                end = bisect_left(hashes, (page + 1) << shift, start)
                yield page, part, start, end
                start = end

    def _answer(self, span: Iterable[Wanted], pages: Pages) -> None:
        for page, part, start, end in span:
            hashes, stamps = pages.page(page)
            _find(self.ordered[part], self.stamps[part], (start, end), hashes, stamps)


def _spans(wanted: Iterable[Wanted], starts: Sequence[int]) -> Iterator[list[Wanted]]:
    """Yield lists of pages that are read by one request each."""
    span: list[Wanted] = []
    for one in wanted:
        if span:
            page, first, last = one[0], span[0][0], span[-1][0]
            gap = (starts[page] - starts[last + 1]) * RECORD
            length = (starts[page + 1] - starts[first]) * RECORD
            if gap > _GAP or length > LONGEST_READ:
                yield span
                span = []
        span.append(one)
    if span:
        yield span


def _pages(reader: RunReader, span: list[Wanted]) -> Pages:
    (first, *_), (last, *_) = span[0], span[-1]
    return reader.pages(first, last)


def _find(
    asked: "array[int]",
    known: "array[int]",
    place: tuple[int, int],
    hashes: memoryview,
    stamps: memoryview,
) -> None:
    """Keep the stamps of entries in a page that are newer than what is known.

    Args:
        asked: the sorted hashes of a slice.
        known: their stamps so far.
        place: where those that the page may hold start and end.
        hashes: the hashes of the page.
        stamps: the stamps of the page.
    """
    start, end = place
    if (end - start) * 4 >= len(hashes):
        # A dict of the page is quicker than searching for each of so many entries.
        of_hash = dict(zip(hashes, stamps, strict=True))
        found = map(of_hash.get, asked[start:end], repeat(0))
        known[start:end] = array("H", map(max, known[start:end], found))
        return
    position, last = 0, len(hashes)
    for index in range(start, end):
        entry_hash = asked[index]
        position = bisect_left(hashes, entry_hash, position)
        if position == last:
            return
        if hashes[position] == entry_hash and stamps[position] > known[index]:
            known[index] = stamps[position]
