"""External hash partitioning: process more texts than fit into memory.

Two passes compute one answer for each text, in the order of the texts:

1. The texts are spread over parts by hash. Then each part is processed on its own, with a set or a dict of
   its distinct texts. It is read in blocks, because repeated texts can make a part long.
2. ``InOrder`` finds the part of each text by its hash again, and takes the next answer of that part.

The number of parts follows the size of the texts. Texts that fit into memory are one part, which is read
where it is: nothing is hashed, and nothing is written to disk.

The hash is Python's own, which differs between processes, so one process must do both passes.
"""

import os
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from operator import eq
from tempfile import TemporaryFile
from typing import Any, Generic, Self, TypeVar, cast

from numberdrop.files.formats.entries_file import join_lines, split_lines

PARTS = 512
"""Most parts. With ten million texts, a part has some 20,000. A dict of them fits a processor's cache and is
twice as fast as a dict of 160,000."""

_ONE_PART = 32 * 1024 * 1024
"""Bytes of text that are one part. Python's texts and dicts take about ten times as much, some 300 MiB."""

_BYTES_PER_PART = 640 * 1024
"""If there are several parts. Twenty thousand phone numbers and their rows have as many."""

_MAX_BUFFERED = 1_000_000
"""Characters."""

_BLOCK = 1024 * 1024
"""Bytes. Most parts have fewer."""

_SMALL_BLOCK = 4096
"""Bytes. ``InOrder`` reads all parts at once, so each of them may use little memory."""

T = TypeVar("T")

Columns = tuple[list[str], ...]
"""Lines of text side by side: lists of equal length."""

ReadBlocks = Callable[[], Iterator[Columns]]
"""Reads blocks of lines, from the start at each call. Several readings may be under way at a time."""

KeysOf = Callable[[list[str]], list[str]]
"""Returns, for each text of a block, the text to hash."""


def _unchanged(texts: list[str]) -> list[str]:
    return texts


def parts_for(size: int) -> int:
    """Return the number of parts for texts of this size in bytes: a power of two.

    >>> parts_for(30_000_000), parts_for(300_000_000)
    (1, 512)
    """
    return 1 if size <= _ONE_PART else min(PARTS, 1 << (size // _BYTES_PER_PART).bit_length())


def large_dict() -> dict[str, Any]:
    """Return an empty dict that looks texts up quickly even if a million of them are its keys.

    CPython's dicts store the hashes of their keys, but not if all keys that were ever added are texts. Then a
    collision has to read the hash in another text, which a large dict has in slow memory.

    >>> large_dict() | {"a": 1}
    {'a': 1}
    """
    texts: dict[str | None, Any] = {None: None}
    del texts[None]
    return cast("dict[str, Any]", texts)


@contextmanager
def partitioned(read: ReadBlocks, keys_of: KeysOf, parts: int) -> Iterator[Mapping[int, ReadBlocks]]:
    """Spread blocks of lines over parts. Lines of a part keep their order.

    >>> with partitioned(lambda: iter([(["b", "a"], ["1", "2"])]), lambda lines: lines, 1) as by_part:
    ...     [list(read()) for read in by_part.values()]
    [[(['b', 'a'], ['1', '2'])]]

    Args:
        read: reads the blocks.
        keys_of: returns the texts to hash for the lines of the first column.
        parts: the number of parts, from ``parts_for``.

    Returns:
        What reads each part that is not empty, by the number of the part.
    """
    if parts == 1:
        yield {0: read}
        return
    with Partition(parts) as partition:
        width = 1
        for columns in read():
            width = len(columns)
            partition.add(keys_of(columns[0]), *columns)
        yield {part: partial(partition.columns, part, width) for part in partition.numbers()}


class Partition:
    """Lines of text in parts of one temporary file. Lines of a part keep their order.

    Use it in a ``with`` statement. Empty parts cost nothing, because most uploads are small.

    >>> with Partition() as partition:
    ...     partition.add(["a", "b", "a"])
    ...     distinct = {line for blocks in partition.parts().values() for block in blocks for line in block}
    >>> sorted(distinct)
    ['a', 'b']
    """

    def __init__(self, parts: int = PARTS) -> None:
        self._count_of_parts = parts
        self._file = TemporaryFile()  # noqa: SIM115 - closed at the end of the with statement
        self._end = 0
        self._ranges: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))
        """Start and end in the file of each piece of a part, in one flat array per part."""
        self._clear_buffers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, keys: list[str], *columns: list[str]) -> None:
        """Append lines to the parts of their keys. No line may hold a line feed.

        Args:
            keys: the texts to hash.
            columns: the lines to store for each key: lists as long as ``keys``. The lines of one key are
                stored one after another. Without columns, the key itself is stored.
        """
        parts, last = self._buffers, self._count_of_parts - 1
        first, *others = columns or (keys,)
        if others:
            for key, lines in zip(keys, zip(first, *others, strict=True), strict=True):
                parts[hash(key) & last].extend(lines)
        else:
            for key, line in zip(keys, first, strict=True):
                parts[hash(key) & last].append(line)
        self._count(first, *others)

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

    def numbers(self) -> list[int]:
        """Return the numbers of the parts that are not empty."""
        self._write()
        return list(self._ranges)

    def columns(self, part: int, width: int) -> Iterator[Columns]:
        """Return the lines of a part as ``add`` stored them with ``width`` columns, in blocks."""
        for lines in self._blocks(self._ranges[part]):
            yield tuple(lines[column::width] for column in range(width))

    def streams(self) -> dict[int, Iterator[str]]:
        """Return the same parts line by line, so that all can be read at once in little memory."""
        self._write()
        return {
            part: chain.from_iterable(self._small_blocks(ranges)) for part, ranges in self._ranges.items()
        }

    def _clear_buffers(self) -> None:
        self._buffers: list[list[str]] = [[] for _ in range(self._count_of_parts)]
        self._buffered = 0

    def _count(self, *columns: list[str]) -> None:
        # Joining texts is several times faster than adding up their lengths.
        self._buffered += sum(len("".join(lines)) for lines in columns)
        if self._buffered > _MAX_BUFFERED:
            self._write()

    def _write(self) -> None:
        pieces: list[bytes] = []
        for part, lines in enumerate(self._buffers):
            if lines:
                pieces.append(join_lines(lines).encode())
                self._ranges[part].extend((self._end, self._end + len(pieces[-1])))
                self._end += len(pieces[-1])
        self._file.write(b"".join(pieces))
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
    """Answers that were computed part by part, in the order of the texts.

    >>> texts = ["b", "a", "b"]
    >>> with Partition() as partition:
    ...     partition.add(texts)
    ...     answers = {part: first_appearances(blocks) for part, blocks in partition.parts().items()}
    >>> InOrder(answers).answers(texts)
    [1, 1, 0]

    Args:
        parts: for each part that is not empty, the answers for its lines in turn.
        keys_of: returns the texts to hash, as for ``partitioned``.
        count: the number of parts.
    """

    def __init__(
        self, parts: Mapping[int, Iterable[T]], keys_of: KeysOf = _unchanged, count: int = PARTS
    ) -> None:
        self._only = iter(parts.get(0, ())) if count == 1 else None
        self._next: list[Callable[[], T]] = [iter(parts.get(part, ())).__next__ for part in range(count)]
        self._keys_of = keys_of

    def answers(self, texts: list[str]) -> list[T]:
        """Return the answers for the next texts. They must come in the order in which they were added."""
        if self._only:
            return list(islice(self._only, len(texts)))
        next_answers, last = self._next, len(self._next) - 1
        return [next_answers[hash(key) & last]() for key in self._keys_of(texts)]


@contextmanager
def in_order(
    parts: Iterable[tuple[int, Iterable[list[str]]]], keys_of: KeysOf, count: int
) -> Iterator[InOrder[str]]:
    """Collect lines that are computed part by part, and yield them in the order of the texts.

    Args:
        parts: the number of each part and its lines in blocks. If there is only one, its lines are computed
            when they are needed.
        keys_of: returns the texts to hash, as for ``partitioned``.
        count: the number of parts.
    """
    if count == 1:
        yield InOrder({part: chain.from_iterable(blocks) for part, blocks in parts}, keys_of, count)
        return
    with Partition(count) as lines:
        for part, blocks in parts:
            for block in blocks:
                lines.extend(part, block)
        yield InOrder(lines.streams(), keys_of, count)
