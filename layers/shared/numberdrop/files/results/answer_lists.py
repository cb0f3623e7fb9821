"""Write the entries of each verdict as a plain list: ``yes.txt``, ``no.txt`` and ``unknown.txt``."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from itertools import compress
from pathlib import Path
from typing import Self, TextIO

from numberdrop.files.exports.verdicts import VERDICTS
from numberdrop.files.formats.entries_file import join_lines


def answer_list(folder: Path, verdict: str) -> Path:
    """Return the file with the entries of a verdict, which exists only if there are any.

    >>> answer_list(Path("results"), "yes").name
    'yes.txt'
    """
    return folder / f"{verdict}.txt"


class AnswerLists(AbstractContextManager["AnswerLists"]):
    r"""Writes a line for each distinct entry with a verdict, in the order of the upload, in constant memory.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with AnswerLists(Path(folder), {"yes": "resolved,yes"}) as lists:
    ...         lists.add(["+41790000001", "+41790000002"], ["resolved,yes,yes", "resolved,no,no"])
    ...     answer_list(Path(folder), "yes").read_text()
    '+41790000001\n'

    Args:
        folder: receives a file for each verdict, or None. Files of an earlier run are replaced or removed.
        starts: how the rendered lines begin, by the verdicts that occur.
    """

    def __init__(self, folder: Path | None, starts: Mapping[str, str]) -> None:
        self._folder = folder
        self._starts = starts
        self._files: dict[str, TextIO] = {}
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        if self._folder:
            for verdict in VERDICTS:
                self._open(verdict, answer_list(self._folder, verdict))
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _open(self, verdict: str, path: Path) -> None:
        path.unlink(missing_ok=True)
        if verdict in self._starts:
            file = self._opened.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._files[self._starts[verdict]] = file

    def add(self, entries: list[str], rendered: Iterable[str]) -> None:
        """Append the entries whose rendered line begins with a verdict that is listed.

        Args:
            entries: the entries; other lines of the entries file may stand between them.
            rendered: the line of each of them.
        """
        if not self._files:
            return
        # The longest start decides all of them: one slice for each line costs less than several comparisons.
        length = max(map(len, self._files), default=0)
        starts = [line[:length] for line in rendered]
        for start, file in self._files.items():
            fitting = {text for text in set(starts) if text.startswith(start)}
            file.write(join_lines(compress(entries, map(fitting.__contains__, starts))))
