"""External hash partitioning: process more texts than fit into memory.

Two passes compute one answer for each text, in the order of the texts:

1. ``Partition.add`` spreads the texts over parts by hash. Then each part is processed on its own, with a set
   or a dict of its distinct texts. It is read in blocks, because repeated texts can make a part long.
2. ``InOrder`` finds the part of each text by its hash again, and takes the next answer of that part.

The hash is Python's own, which differs between processes, so one process must do both passes.
"""

import os
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from operator import eq
from tempfile import TemporaryFile
from types import TracebackType
from typing import Generic, Self, TypeVar

from numberdrop.files.formats.entries_file import join_lines, split_lines

PARTS = 512
"""With ten million texts, a part has some 20,000. A dict of them fits a processor's cache and is twice as
fast as a dict of 160,000."""

_LAST_PART = PARTS - 1
_MAX_BUFFERED = 1_000_000
"""Characters."""

_BLOCK = 1024 * 1024
"""Bytes. Most parts have fewer."""

_SMALL_BLOCK = 4096
"""Bytes. ``InOrder`` reads all parts at once, so each of them may use little memory."""

T = TypeVar("T")


class Partition:
    """Lines of text in ``PARTS`` parts of one temporary file. Lines of a part keep their order.

    Use it in a ``with`` statement. Empty parts cost nothing, because most uploads are small.

    >>> with Partition() as partition:
    ...     partition.add(["a", "b", "a"])
    ...     distinct = {line for blocks in partition.parts().values() for block in blocks for line in block}
    >>> sorted(distinct)
    ['a', 'b']
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed at the end of the with statement
        self._end = 0
        self._ranges: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))
        """Start and end in the file of each piece of a part, in one flat array per part."""
        self._clear_buffers()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, keys: list[str], *columns: list[str]) -> None:
        """Append lines to the parts of their keys. No line may hold a line feed.

        Args:
            keys: the texts to hash.
            columns: the lines to store for each key: lists as long as ``keys``. The lines of one key are
                stored one after another. Without columns, the key itself is stored.
        """
        parts = self._buffers
        if columns:
            for key, lines in zip(keys, zip(*columns, strict=True), strict=True):
                parts[hash(key) & _LAST_PART] += lines
        else:
            for key in keys:
                parts[hash(key) & _LAST_PART].append(key)
        self._count(chain(*columns) if columns else keys)

    def extend(self, part: int, lines: list[str]) -> None:
        """Append lines to the part with this number."""
        self._buffers[part] += lines
        self._count(lines)

    def parts(self) -> dict[int, Iterator[list[str]]]:
        """Return the lines of each part that is not empty, in blocks, by the number of the part.

        Each call starts at the beginning. Lines that one call of ``add`` stored for a key are in one block.
        """
        self._write()
        return {part: self._blocks(ranges) for part, ranges in self._ranges.items()}

    def streams(self) -> dict[int, Iterator[str]]:
        """Return the same parts line by line, so that all can be read at once in little memory."""
        self._write()
        return {
            part: chain.from_iterable(self._small_blocks(ranges)) for part, ranges in self._ranges.items()
        }

    def _clear_buffers(self) -> None:
        self._buffers: list[list[str]] = [[] for _ in range(PARTS)]
        self._buffered = 0

    def _count(self, lines: Iterable[str]) -> None:
        self._buffered += len("".join(lines))
        if self._buffered > _MAX_BUFFERED:
            self._write()

    def _write(self) -> None:
        for part, lines in enumerate(self._buffers):
            if lines:
                size = self._file.write(join_lines(lines).encode())
                self._ranges[part].extend((self._end, self._end + size))
                self._end += size
        self._file.flush()
        self._clear_buffers()

    def _blocks(self, ranges: "array[int]") -> Iterator[list[str]]:
        block: list[bytes] = []
        size = 0
        for piece in self._pieces(ranges):
            block.append(piece)
            size += len(piece)
            if size >= _BLOCK:
                yield split_lines(b"".join(block).decode())
                block, size = [], 0
        if block:
            yield split_lines(b"".join(block).decode())

    def _small_blocks(self, ranges: "array[int]") -> Iterator[list[str]]:
        rest = b""
        for piece in self._pieces(ranges, _SMALL_BLOCK):
            lines, end, rest = (rest + piece).rpartition(b"\n")
            yield split_lines((lines + end).decode())

    def _pieces(self, ranges: "array[int]", size: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of each range, in pieces of at most ``size`` bytes."""
        for start, end in zip(ranges[::2], ranges[1::2], strict=True):
            for offset in range(start, end, size or end - start):
                yield os.pread(self._file.fileno(), min(size or end, end - offset), offset)


def first_appearances(blocks: Iterable[list[str]]) -> bytearray:
    """Return 1 for each key that appears for the first time, and 0 for each repeated one.

    >>> list(first_appearances([["a", "b"], ["a", "c"]]))
    [1, 1, 0, 1]
    """
    first_indexes: dict[str, int] = {}
    firsts = bytearray()
    for keys in blocks:
        indexes = range(len(firsts), len(firsts) + len(keys))
        firsts += bytearray(map(eq, map(first_indexes.setdefault, keys, indexes), indexes))
    return firsts


class InOrder(Generic[T]):
    """Answers that were computed part by part, in the order of the keys.

    >>> keys = ["b", "a", "b"]
    >>> with Partition() as partition:
    ...     partition.add(keys)
    ...     answers = {part: first_appearances(blocks) for part, blocks in partition.parts().items()}
    >>> InOrder(answers).answers(keys)
    [1, 1, 0]

    Args:
        parts: for each part that is not empty, the answers for its lines in turn.
    """

    def __init__(self, parts: Mapping[int, Iterable[T]]) -> None:
        self._next: list[Callable[[], T]] = [iter(parts.get(part, ())).__next__ for part in range(PARTS)]

    def answers(self, keys: Iterable[str]) -> list[T]:
        """Return the answers for the next keys. Keys must come in the order in which they were added."""
        next_answers = self._next
        return [next_answers[hash(key) & _LAST_PART]() for key in keys]
