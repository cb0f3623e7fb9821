"""Where the answers of results come from: the export, or what is remembered of earlier ones."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO, BinaryIO

from numberdrop.files.formats.entries_file import line_blocks, write_lines

SOURCE_COLUMNS = ("source", "checked_on")
"""Columns that are added after the export's columns if the stack remembers verdicts."""

FRESH = "fresh"
"""The source of an answer that was bought for this upload."""

REMEMBERED = "remembered"
"""The source of an answer that was bought for an earlier upload."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A verdict that was bought earlier.

    Attributes:
        verdict: ``yes`` or ``no``.
        checked_on: the day on which the vendor accepted the entry, in UTC.
    """

    verdict: str
    checked_on: date


Recall = Callable[[list[str]], list[Remembered | None]]
"""Returns what was remembered of each entry, given the keys by which entries are compared."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known of the sources of a job's answers.

    Attributes:
        checked_on: the day on which the vendor accepted what was sent, in UTC; None if nothing was sent.
        recall: returns what was remembered before the job was sent; None if nothing was.
        learnt: takes the verdicts of the export, for ``learnt_blocks``; None if they are not remembered.
    """

    checked_on: date | None = None
    recall: Recall | None = None
    learnt: BinaryIO | None = None


NO_SOURCES = Sources()


def write_learnt(file: IO[bytes], answers: Iterable[tuple[str, str | None]]) -> None:
    """Append the keys of entries, and their verdicts. Skip verdicts other than yes and no."""
    write_lines(file, [f"{verdict} {key}" for key, verdict in answers if verdict in {"yes", "no"}])


def learnt_blocks(file: IO[bytes]) -> Iterator[tuple[list[str], list[str | None]]]:
    """Yield entries and their verdicts in blocks.

    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> write_learnt(file, [("+41790000001", "yes"), ("+41790000002", "unknown"), ("+41790000003", "no")])
    >>> list(learnt_blocks(file))
    [(['+41790000001', '+41790000003'], ['yes', 'no'])]
    """
    for lines in line_blocks(file):
        pairs = [line.partition(" ") for line in lines]
        yield [key for _, _, key in pairs], [verdict for verdict, _, _ in pairs]
