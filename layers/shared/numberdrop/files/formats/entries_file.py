"""Working files of lines: UTF-8, each line ended by a line feed, written and read in blocks."""

from collections.abc import Iterable, Iterator
from typing import IO

INNER_LINE_FEED = "\0"
"""Stands for a line feed within a line. No text that is read holds this character."""

_BLOCK = 1024 * 1024


def write_lines(file: IO[bytes], lines: Iterable[str]) -> None:
    """Writes texts that hold no line feed, each as a line."""
    file.write("\n".join([*lines, ""]).encode())


def line_blocks(file: IO[bytes], size: int = _BLOCK) -> Iterator[list[str]]:
    """The lines of a file from its start, without their ends, in blocks of about ``size`` bytes."""
    file.seek(0)
    while block := file.read(size):
        lines = (block + file.readline()).decode().split("\n")
        lines.pop()
        yield lines
