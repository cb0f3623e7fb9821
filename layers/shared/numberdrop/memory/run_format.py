"""Runs: immutable objects that hold at most one record for each number, sorted by hash.

Layout, in little-endian byte order: the pages, then the directory. A page has the records whose hashes begin
with the same bits: their hashes (8 bytes each), then their stamps (2 bytes each). The directory has the
number of records before each page and after the last one, then the CRC-32 of each page, then its own CRC-32
(4 bytes each). The numbers of records, erasures and bits stand in the key of the object, so that a listing
says how to read it.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Self
from zlib import crc32

from numberdrop.memory.errors import MemoryUnreadableError
from numberdrop.memory.hashing import HASH_BYTES
from numberdrop.memory.stamps import ALL_STAMPS, ERASED, FIRST_DAY, checked_on

RECORD = HASH_BYTES + 2
"""Bytes."""

SLICES = 256
"""The number of slices of the range of hashes, by their leading byte. They are processed one by one."""

_SLICE_BITS = 8
_PAGE = 2048
"""Most records of a page on average."""

_KEY = re.compile(
    r"(?P<records>\d{12})-(?P<erasures>\d{12})-(?P<bits>\d\d)-(?P<oldest>\d{4}-\d\d-\d\d)-(?P<name>[^/]+)"
)


_IS_ERASURE = bytes(stamp & 3 == ERASED for stamp in range(4)) * (ALL_STAMPS // 4)
"""1 for every stamp that says that an entry was erased, else 0."""


def day_in_key(text: str) -> date:
    """Return the day that a part of an object's key names.

    >>> day_in_key("2026-03-04").day
    4

    Raises:
        MemoryUnreadableError: it names no day, so the object is not ours.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise MemoryUnreadableError("unknown kind of object") from None


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as its key describes it.

    >>> Run.from_key("runs/band/000000020000-000000000002-08-2026-03-04-job1").verdicts
    19998

    Attributes:
        key: the key of the object.
        records: the number of records.
        erasures: how many of them say that an entry was erased.
        bits: the number of leading bits that a page's hashes have in common.
        oldest: the day of the oldest record.
    """

    key: str
    records: int
    erasures: int
    bits: int
    oldest: date

    @classmethod
    def from_key(cls, key: str) -> Self:
        """Return the run that is stored under a key.

        Raises:
            MemoryUnreadableError: the object is not a run, or a newer version wrote it.
        """
        parts = _KEY.fullmatch(key.rpartition("/")[2])
        if not parts:
            raise MemoryUnreadableError("unknown kind of object")
        records, erasures, bits = (int(parts[name]) for name in ("records", "erasures", "bits"))
        return cls(key, records, erasures, bits, day_in_key(parts["oldest"]))

    @property
    def verdicts(self) -> int:
        """Return the number of verdicts."""
        return self.records - self.erasures

    @property
    def shift(self) -> int:
        """Return by how many bits a hash is shifted to the right for the number of its page."""
        return 8 * HASH_BYTES - self.bits

    @property
    def pages_of_a_slice(self) -> int:
        """Return the number of pages of a slice."""
        return 1 << self.bits - _SLICE_BITS

    @property
    def directory_start(self) -> int:
        """Return where the directory begins, in bytes."""
        return self.records * RECORD

    @property
    def size(self) -> int:
        """Return the size of the object in bytes."""
        return self.directory_start + 4 * (2 * (1 << self.bits) + 2)


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the pages of a run begin and end, and their checksums.

    Attributes:
        starts: the number of records before each page, and after the last one.
        checksums: the CRC-32 of each page.
    """

    starts: "array[int]"
    checksums: "array[int]"

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, run: Run) -> Self:
        """Return the directory of a run.

        Raises:
            MemoryUnreadableError: the bytes were altered.
        """
        numbers = array("I", bytes(data))
        if len(data) != run.size - run.directory_start or numbers.pop() != crc32(data[:-4]):
            raise MemoryUnreadableError("checksum of a directory")
        pages = 1 << run.bits
        return cls(numbers[: pages + 1], numbers[pages + 1 :])

    def page(self, data: memoryview, page: int, first: int) -> tuple[memoryview, memoryview]:
        """Return the hashes and the stamps of a page, without copying them.

        Args:
            data: the bytes of consecutive pages.
            page: the number of the page.
            first: the number of the page with which ``data`` begins.

        Raises:
            MemoryUnreadableError: the bytes were altered.
        """
        start = (self.starts[page] - self.starts[first]) * RECORD
        records = self.starts[page + 1] - self.starts[page]
        content = data[start : start + records * RECORD]
        if crc32(content) != self.checksums[page]:
            raise MemoryUnreadableError("checksum of a page")
        return content[: records * HASH_BYTES].cast("Q"), content[records * HASH_BYTES :].cast("H")


class RunWriter:
    """Writes a run to a file, slice by slice in their order.

    Args:
        file: an empty file, open for writing and reading.
        records: how many records the run will have at most.
    """

    def __init__(self, file: BinaryIO, records: int) -> None:
        self.file = file
        self.records = 0
        self._bits = max(_SLICE_BITS, (records // _PAGE).bit_length())
        self._starts = array("I", [0])
        self._checksums = array("I")
        self._oldest: int | None = None
        self._erasures = 0

    def add_slice(self, stamps_by_hash: dict[int, int]) -> None:
        """Append the records of the next slice."""
        hashes = array("Q", sorted(stamps_by_hash))
        stamps = array("H", map(stamps_by_hash.__getitem__, hashes))
        pages = 1 << self._bits - _SLICE_BITS
        shift = 8 * HASH_BYTES - self._bits
        first = len(self._checksums)
        start = 0
        for page in range(first, first + pages):
            end = bisect_left(hashes, (page + 1) << shift, start)
            content = hashes[start:end].tobytes() + stamps[start:end].tobytes()
            self.file.write(content)
            self._checksums.append(crc32(content))
            self._starts.append(self.records + end)
            start = end
        self.records += len(hashes)
        self._erasures += sum(map(_IS_ERASURE.__getitem__, stamps))
        if stamps:
            oldest = min(stamps)
            self._oldest = oldest if self._oldest is None else min(oldest, self._oldest)

    def finish(self, folder: str, name: str) -> Run:
        """Write the directory; return the run, whose key is in ``folder``."""
        directory = self._starts.tobytes() + self._checksums.tobytes()
        self.file.write(directory + array("I", [crc32(directory)]).tobytes())
        oldest = FIRST_DAY if self._oldest is None else checked_on(self._oldest)
        numbers = f"{self.records:012}-{self._erasures:012}-{self._bits:02}"
        key = f"{folder}{numbers}-{oldest.isoformat()}-{name}"
        return Run(key, self.records, self._erasures, self._bits, oldest)


def newest_of(records: Sequence[tuple[Sequence[int], Sequence[int]]]) -> dict[int, int]:
    """Return the newest stamp of each hash.

    >>> newest_of([([7, 8], [10, 20]), ([8, 8], [30, 15])])
    {7: 10, 8: 30}

    Args:
        records: hashes and their stamps, in parts.
    """
    newest: dict[int, int] = {}
    known = newest.get
    for hashes, stamps in records:
        newest.update(
            (entry_hash, stamp)
            for entry_hash, stamp in zip(hashes, stamps, strict=True)
            if stamp > known(entry_hash, 0)
        )
    return newest
