"""The entries file of an upload, and other working files of lines.

A working file is UTF-8, and each line ends with a line feed. The entries file has one line for each row of an
upload: the entry, ``REJECTED`` if the row was rejected, or nothing if the row is blank.
"""

from collections.abc import Iterable, Iterator
from typing import IO

NUL = "\0"
"""A character that can mark things, because no text has it: uploads and exports that hold it are refused."""

REJECTED = NUL
"""The line of a rejected row. It sorts between an empty line and all entries, so ``line > REJECTED`` is true
for entries only."""

INNER_LINE_FEED = NUL
"""Replaces a line feed inside a row of an export or of the results. Entries hold no line feeds."""

_BLOCK = 1024 * 1024
"""Bytes."""


def join_lines(lines: Iterable[str]) -> str:
    r"""Return the text of some lines, none of which holds a line feed.

    >>> join_lines(["+41790000001", REJECTED, ""])
    '+41790000001\n\x00\n\n'
    """
    return "\n".join([*lines, ""])


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text that ends with a line feed.

    >>> split_lines("+41790000001\n\n")
    ['+41790000001', '']
    """
    lines = text.split("\n")
    lines.pop()
    return lines


def write_lines(file: IO[bytes], lines: Iterable[str]) -> None:
    """Append lines to a working file. None of them may hold a line feed."""
    file.write(join_lines(lines).encode())


def line_blocks(file: IO[bytes], size: int = _BLOCK) -> Iterator[list[str]]:
    """Yield the lines of a working file from its start, in blocks of about ``size`` bytes.

    Several readings of one file may be under way at a time.

    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> write_lines(file, ["+41790000001", "+41790000002"])
    >>> list(line_blocks(file))
    [['+41790000001', '+41790000002']]
    """
    return map(split_lines, _text_blocks(file, size))


def entry_blocks(file: IO[bytes], size: int = _BLOCK) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the lines of the entries file, and the entries among them, in blocks of about ``size`` bytes.

    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> write_lines(file, ["+41790000001", REJECTED, "", "+41790000002"])
    >>> [entries for _, entries in entry_blocks(file)]
    [['+41790000001', '+41790000002']]
    """
    for text in _text_blocks(file, size):
        lines = split_lines(text)
        has_others = REJECTED in text or "\n\n" in text or text.startswith("\n")
        yield lines, [line for line in lines if line > REJECTED] if has_others else lines


def _text_blocks(file: IO[bytes], size: int) -> Iterator[str]:
    end = file.seek(0)
    while block := file.read(size):
        block += file.readline()
        end += len(block)
        yield block.decode()
        file.seek(end)
