"""Work on more texts than fit into memory: spread over parts by hash, those of a part that differ fit.

Two passes make an answer for every text, in the order of the texts. The first spreads them with ``add``. Then
each part is answered on its own, with a set or a dict say. It comes in blocks, as one text that is repeated
without end is all in one part. The second pass asks ``InOrder`` for the answers, which finds the part of a
text by its hash again. The hash is Python's own, so one process must do it all.
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
"""A part of ten million texts has some 20,000: a dict of them fits the cache of a processor, which makes work
on it twice as fast as on one of 160,000."""

_LAST_PART = PARTS - 1
_MAX_HELD = 1_000_000
"""Characters."""

_BLOCK = 1024 * 1024
"""Bytes. Most parts have fewer."""

_PIECE = 4096
"""Bytes; small, because ``InOrder`` reads all parts at once."""

T = TypeVar("T")


class Partition:
    """Lines of text spread over ``PARTS`` parts of one temporary file; within a part they keep their order.

    To be used in a ``with`` statement. Parts that hold nothing cost nothing: most uploads are small.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - it is closed at the end of the with statement
        self._end = 0
        self._ranges: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))
        """For each part, where in the file each of its pieces starts and ends, one after the other."""
        self._hold_nothing()

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
        """Adds lines, each to the part of its key. No line must hold a line feed.

        Args:
            keys: what is hashed.
            columns: what is kept of each key: lists of lines, as long as ``keys``. The lines of a key follow
                one another. If there are none, the key itself is kept.
        """
        parts = self._held
        if columns:
            for key, lines in zip(keys, zip(*columns, strict=True), strict=True):
                parts[hash(key) & _LAST_PART] += lines
        else:
            for key in keys:
                parts[hash(key) & _LAST_PART].append(key)
        self._count(chain(*columns) if columns else keys)

    def extend(self, part: int, lines: list[str]) -> None:
        """Adds lines to a part, given its number."""
        self._held[part] += lines
        self._count(lines)

    def parts(self) -> dict[int, Iterator[list[str]]]:
        """The parts that hold lines, by their numbers: the lines in blocks, from the start at each call.

        The lines of a key, given to ``add`` together, are in one block.
        """
        self._write()
        return {part: self._blocks(ranges) for part, ranges in self._ranges.items()}

    def streams(self) -> dict[int, Iterator[str]]:
        """The same parts, their lines one by one, so that all can be read at once in little memory."""
        self._write()
        return {
            part: chain.from_iterable(self._small_blocks(ranges)) for part, ranges in self._ranges.items()
        }

    def _hold_nothing(self) -> None:
        self._held: list[list[str]] = [[] for _ in range(PARTS)]
        self._characters_held = 0

    def _count(self, lines: Iterable[str]) -> None:
        self._characters_held += len("".join(lines))
        if self._characters_held > _MAX_HELD:
            self._write()

    def _write(self) -> None:
        for part, lines in enumerate(self._held):
            if lines:
                size = self._file.write(join_lines(lines).encode())
                self._ranges[part].extend((self._end, self._end + size))
                self._end += size
        self._file.flush()
        self._hold_nothing()

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
        for piece in self._pieces(ranges, _PIECE):
            lines, end, rest = (rest + piece).rpartition(b"\n")
            yield split_lines((lines + end).decode())

    def _pieces(self, ranges: "array[int]", size: int | None = None) -> Iterator[bytes]:
        """What is in the file at each of the ranges, in pieces of at most ``size`` bytes."""
        for start, end in zip(ranges[::2], ranges[1::2], strict=True):
            for at in range(start, end, size or end - start):
                yield os.pread(self._file.fileno(), min(size or end, end - at), at)


def first_appearances(blocks: Iterable[list[str]]) -> bytearray:
    """For each key, whether it is the first of its like. The keys come in blocks."""
    places: dict[str, int] = {}
    firsts = bytearray()
    for keys in blocks:
        here = range(len(firsts), len(firsts) + len(keys))
        firsts += bytearray(map(eq, map(places.setdefault, keys, here), here))
    return firsts


class InOrder(Generic[T]):
    """Gives what was found out part by part back in the order of the keys.

    Args:
        parts: for each part of a ``Partition`` that holds lines, one answer for each of them in turn.
    """

    def __init__(self, parts: Mapping[int, Iterable[T]]) -> None:
        self._next: list[Callable[[], T]] = [iter(parts.get(part, ())).__next__ for part in range(PARTS)]

    def answers(self, keys: Iterable[str]) -> list[T]:
        """The answers for the next keys, which must come in the order in which they were added."""
        following = self._next
        return [following[hash(key) & _LAST_PART]() for key in keys]
